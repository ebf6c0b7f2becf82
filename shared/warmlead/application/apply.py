"""Applies events to leads: one read, one decision, one commit; then what it triggered is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec import structs

from warmlead.application.erasure import begun_anew, came_too_late, erasures_in
from warmlead.application.messages import Quarantined, to_quarantine
from warmlead.application.send import send
from warmlead.application.settle import settle
from warmlead.domain.errors import Reason
from warmlead.domain.event import Event
from warmlead.domain.history import EXACT_DAYS
from warmlead.domain.identity import Identifier, Kind, LeadIds, identifiers_of
from warmlead.domain.lead import (
    MAX_TRAILS,
    Lead,
    Trail,
    has_event,
    heed_refusal,
    is_flooding,
    touch_trails,
)
from warmlead.domain.lifecycle import Transition
from warmlead.domain.regrouping import regroup
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import Topic, Trigger
from warmlead.domain.weight import outgrows
from warmlead.model.published import in_our_words
from warmlead.ports import Clock, Commit, EventBus, LeadStore, Loaded, Need


@dataclass(frozen=True, slots=True)
class Scoring:
    """What deciding about a lead takes besides the lead itself."""

    rules: Rules
    titles: Mapping[str, str]
    ids: LeadIds


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the events: each is counted, was counted before, or is in quarantine.

    Or it is dropped, because the person whom it names was ``erased`` after it happened.
    """

    counted: int = 0
    duplicates: int = 0
    erased: int = 0
    quarantined: tuple[tuple[Event, Reason], ...] = ()
    triggers: tuple[tuple[str, Trigger], ...] = ()


async def apply(
    events: Sequence[Event], *, store: LeadStore, bus: EventBus, scoring: Scoring, clock: Clock
) -> list[Applied]:
    """Counts each event once on the lead whom it names, and publishes what that triggers.

    Safe to repeat after any failure: what was counted is known by its key. Raises
    ``UnavailableError`` if it should be repeated.
    """
    grouped: dict[str, list[Event]] = {}
    for event in events:
        home = scoring.ids.of(identifiers_of(event)[0])
        grouped.setdefault(home, []).append(event)
    results = []
    for home, group in grouped.items():
        now = clock.now()
        decide = Decision(group, scoring, now)
        applied = await store.update([home], decide)
        await _set_aside(applied, bus, now)
        await send(applied.triggers, store=store, bus=bus)
        results.append(applied)
    return results


async def _set_aside(applied: Applied, bus: EventBus, now: datetime) -> None:
    entries = [
        Quarantined(
            reason=reason,
            message="the lead has more events, or more is known of it, than is kept of one"
            if reason is Reason.LEAD_FLOODED
            else f"received more than {EXACT_DAYS} days ago, so it may have been counted before",
            source=event.source,
            received_at=now,
            event=event,
            trust=event.trust,
        )
        for event, reason in applied.quarantined
    ]
    if entries:
        await bus.publish(Topic.QUARANTINE, [to_quarantine(entry) for entry in entries])


class Decision:
    """The change that some events make to the leads that they concern; pure, may run again."""

    def __init__(self, events: Sequence[Event], scoring: Scoring, now: datetime) -> None:
        named = {i for event in events for i in identifiers_of(event)}
        self.events = [in_our_words(event) for event in events]
        self.scoring = scoring
        self.now = now
        self.ids: Mapping[Identifier, str] = {i: scoring.ids.of(i) for i in named}

    def __call__(self, loaded: Loaded) -> Commit[Applied] | Need:
        """What to write, or which other leads must be seen first."""
        decided = _JointDecision([self])(loaded)
        if isinstance(decided, Need):
            return decided
        (applied,) = decided.result
        return Commit(applied, decided.leads, decided.aliases, decided.transitions)

    @staticmethod
    def joined(changes: "Sequence[Decision]") -> "_JointDecision":
        """The change that the events of several requests make, settled once for all of them."""
        return _JointDecision(changes)


class _JointDecision:
    """The change that the events of one request, or of several that came at once, make."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._requests = [decision.events for decision in decisions]
        self._scoring = decisions[0].scoring
        self._now = max(decision.now for decision in decisions)
        self._ids = {i: id_ for decision in decisions for i, id_ in decision.ids.items()}

    def __call__(self, loaded: Loaded) -> Commit[Sequence[Applied]] | Need:
        """What to write, or which other leads must be seen first; what became of each request."""
        before = {lead.id: lead for lead in loaded.values() if isinstance(lead, Lead)}
        erased_at = erasures_in(loaded)
        trails = {id_: t for lead in before.values() for id_, t in lead.trails.items()}
        is_full = any(len(lead.trails) >= MAX_TRAILS for lead in before.values())
        wanted: set[str] = set()
        requests = []
        for events in self._requests:
            known = [self._of_known(e, trails) for e in events] if is_full else events
            alive = [e for e in known if not came_too_late(e, self._ids, erased_at)]
            wanted.update(self._ids[i] for event in alive for i in identifiers_of(event))
            requests.append((alive, len(events) - len(alive)))
        if unseen := frozenset(wanted - trails.keys() - loaded.keys()):
            return Need(unseen)
        after: Mapping[str, Trail] = trails
        applied = []
        for alive, erased in requests:
            taken, after = self._take(alive, after)
            applied.append(replace(taken, erased=erased))
        if after == trails:
            return Commit(applied)
        return self._commit(before, begun_anew(after, erased_at), applied)

    def _of_known(self, event: Event, trails: Mapping[str, Trail]) -> Event:
        """The event, without those of its weaker identifiers that the lead does not have yet."""
        _, *weaker = identifiers_of(event)
        strangers = [i.kind for i in weaker if self._ids[i] not in trails]
        fields = {Kind.USER: "user_id", Kind.ANONYMOUS: "anonymous_id"}
        return structs.replace(event, **{fields[kind]: None for kind in strangers})

    def _take(
        self, events: Sequence[Event], trails: Mapping[str, Trail]
    ) -> tuple[Applied, Mapping[str, Trail]]:
        """The trails after the events, and what became of each event."""
        counted, duplicates = 0, 0
        refused: list[tuple[Event, Reason]] = []
        oldest = self._now - timedelta(days=EXACT_DAYS)
        for event in events:
            if event.received_at < oldest:
                refused.append((event, Reason.RECEIVED_TOO_LONG_AGO))
                trails = heed_refusal(trails, event, self._ids)
                continue
            after = touch_trails(trails, event, self._ids, self._scoring.rules)
            too_heavy = outgrows(trails, after, event.trust)
            if known := has_event(trails, event.key):
                duplicates += 1
            elif too_heavy or is_flooding(trails, event.trust):
                refused.append((event, Reason.LEAD_FLOODED))
                trails = heed_refusal(trails, event, self._ids)
                continue
            trails = trails if too_heavy else after
            counted += not known
        return Applied(counted, duplicates, quarantined=tuple(refused)), trails

    def _commit(
        self, before: Mapping[str, Lead], trails: Mapping[str, Trail], applied: list[Applied]
    ) -> Commit[Sequence[Applied]]:
        """Settles the leads of the trails; the last request answers for what that triggers."""
        leads: list[Lead] = []
        aliases: dict[str, str] = {}
        transitions: list[tuple[str, Transition]] = []
        triggers: list[tuple[str, Trigger]] = []
        for lead in regroup(list(before.values()), trails, self._scoring.rules, self._now):
            settled = settle(lead, self._scoring.rules, self._scoring.titles, self._now)
            leads.append(settled.lead)
            transitions += [(lead.id, transition) for transition in settled.transitions]
            triggers += [(lead.id, trigger) for trigger in settled.triggers]
            had = before[lead.id].trails if lead.id in before else {}
            aliases.update((id_, lead.id) for id_ in lead.trails if id_ not in {lead.id, *had})
        applied[-1] = replace(applied[-1], triggers=tuple(triggers))
        return Commit(applied, leads, aliases, transitions)
