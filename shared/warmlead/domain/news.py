"""What is new on a lead: events of which nobody knew that a known person did it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from warmlead.domain.alerts import News
from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS
from warmlead.domain.history import to_ms
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.mail_scans import scans_in
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.rules import Rules

NOTHING: Mapping[str, Sequence[KeptEvent]] = MappingProxyType({})
NO_NEWS = News((), lambda _: ())

_NOT_THEIRS = SALES_EVENTS | frozenset(AUTOMATED_EVENTS.values())


def news_of(
    lead: Lead,
    before: Iterable[Lead],
    rules: Rules,
    now: datetime,
    beyond: Mapping[str, Sequence[KeptEvent]] = NOTHING,
) -> News:
    """The new events of a lead; ``before`` are the leads that its trails came from.

    What somebody did before it was known who they are is new when it is known. Events older than
    the model's ``acts_within`` are left out. ``beyond`` are new events, by the id of their trail,
    that its history does not keep because there were so many on that day. Looks at nothing if the
    model has no alerts.
    """
    if not rules.alerts:
        return NO_NEWS
    oldest_ms = to_ms(now - rules.acts_within)
    of_persons = {id_: t for each in before if each.identified for id_, t in each.trails.items()}
    unknown = _not_known(lead.trails, of_persons)
    scans: dict[str, KeptEvent] = {}
    for trail in lead.trails.values():
        scans |= scans_in(trail.history.recent, rules.machines)
    new = {event.key: scans.get(event.key, event) for event in unknown if event.at_ms >= oldest_ms}
    for trail in of_persons.values() if new else ():
        for key in trail.history.keys_among(new.keys()):
            del new[key]
    ordered = sorted(new.values())

    def received_after(moment: datetime) -> Iterator[KeptEvent]:
        after_ms = to_ms(moment)
        for trail in lead.trails.values():
            for event in trail.history.kept.values():
                if event.received_ms > after_ms and event.at_ms >= oldest_ms:
                    yield scans.get(event.key, event)

    passive = _NOT_THEIRS | rules.scoring.passive
    more = [e for id_ in lead.trails for e in beyond.get(id_, ()) if e.at_ms >= oldest_ms]
    return News(ordered, received_after, passive, rules.names, more)


def _not_known(trails: Mapping[str, Trail], before: Mapping[str, Trail]) -> Iterator[KeptEvent]:
    """The kept events of trails but for those that the same trail had; some of them may be old."""
    for id_, trail in trails.items():
        history = trail.history
        known = before[id_].history if id_ in before else None
        if known is None:
            yield from history.kept.values()
        elif known is not history:
            if history.packed is not known.packed:
                yield from history.packed
            yield from (e for key, e in history.recent.items() if key not in known.recent)
