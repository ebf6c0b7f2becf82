"""What the kept history of a lead cannot say of a past moment, so that nobody takes it for none."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from warmlead.domain.event import AUTOMATED_EVENTS
from warmlead.domain.history import NAME_DAYS, day_at
from warmlead.domain.knowledge import MARK, learnt
from warmlead.domain.lead import Lead
from warmlead.domain.measures import COUNTS, parse_measure
from warmlead.domain.rules import Counter
from warmlead.model.condition_syntax import words
from warmlead.model.loading import Model


class Gaps(Struct, frozen=True):
    """What a model counts, and the history of a lead does not know for a moment, by label.

    Those ``of_score`` make the score wrong. Those ``of_stage`` only the conditions of stages, or
    what bypasses them.
    """

    of_score: frozenset[str] = frozenset()
    of_stage: frozenset[str] = frozenset()


NO_GAPS = Gaps()


class KnownPast:
    """Says what the histories of leads do not know of what a model counts, at a past moment.

    That are signals which the model sees in other events than those by which the lead was counted,
    what was not measured then, and counts of event names, which are kept for 90 days.
    """

    def __init__(self, model: Model, now: datetime) -> None:
        self._rules = model.rules
        self._today = day_at(now)
        self._marks = _in_parts(model.rules.heard)
        self._names_of = {name: _names(name, model) for name in model.plan.signals}
        self._in_score = _in_score(model)
        self._by_name = [each for each in model.rules.counted if not each.is_signal]

    def gaps(self, lead: Lead, at: datetime) -> Gaps:
        """What is not known of the lead at the moment, if the model is used on it today."""
        day, first = day_at(at), day_at(lead.created_at)
        found = {*self._uncounted(lead, first, day), *self._forgotten(lead, first, day)}
        if not found:
            return NO_GAPS
        of_score = frozenset(found & self._in_score)
        return Gaps(of_score, frozenset(found - of_score))

    def _uncounted(self, lead: Lead, first: int, day: int) -> Iterable[str]:
        """Signals and meters that did not count yet what the lead did until that day."""
        before = lead.knowledge
        if before is None or (not before.since and self._marks <= _in_parts(before.marks)):
            return
        knowledge = learnt(before, self._rules, self._today)
        names = None
        for label, since in knowledge.since.items() if knowledge else ():
            if since <= first or self._is_name_over_long_time(label):
                continue
            names = _all_names(lead) if names is None else names
            meter = self._rules.meters.get(label)
            if meter is not None and 0 < meter.days <= day - since + 1:
                continue
            source = self._names_of.get(meter.label if meter else label)
            if source is None and meter is not None:
                source = frozenset({meter.label} if meter.label else names)
            if source is None or source & names.keys():
                yield label

    def _is_name_over_long_time(self, label: str) -> bool:
        """Whether it is the name of events, of which ``_forgotten`` speaks."""
        return label not in self._names_of and label not in self._rules.meters

    def _forgotten(self, lead: Lead, first: int, day: int) -> Iterable[str]:
        """Names of events, and meters of them, whose counts of those days are no longer kept."""
        folded_on = lead.snapshot.day if lead.snapshot else self._today
        names = None
        for each in self._by_name:
            start = max(first, day - each.measure.reach_days + 1)
            if start > folded_on - self._kept_days(each):
                continue
            names = _all_names(lead) if names is None else names
            if names.get(each.label, -1) >= start:
                yield each.meter or each.label

    def _kept_days(self, counter: Counter) -> int:
        if counter.measure.kind in COUNTS:
            return self._rules.kept_days.get(counter.label, NAME_DAYS)
        return self._rules.meters[counter.meter].kept_days


@lru_cache(maxsize=64)
def _in_parts(marks: str) -> frozenset[str]:
    return frozenset(marks[at : at + MARK] for at in range(0, len(marks), MARK))


def _names(signal: str, model: Model) -> frozenset[str]:
    """The names under which the events of a signal are kept."""
    plan = model.plan.signals[signal]
    return plan.on | frozenset(AUTOMATED_EVENTS.values() if plan.robots else ())


def _in_score(model: Model) -> frozenset[str]:
    """The labels that make a difference to the score: by points, or because a bonus names them."""
    policies = model.rules.scoring.signals.items()
    worth = {name for name, policy in policies if policy.points}
    named = {
        token.text
        for bonus in model.plan.bonuses.values()
        for token in words(bonus.when)
        if token.kind == "name"
    }
    measured = {measure for name in named if (measure := parse_measure(name))}
    for counter in model.rules.counted:
        if counter.measure in measured:
            worth |= {counter.label, counter.meter}
    return frozenset(worth | (named & model.plan.signals.keys()))


def _all_names(lead: Lead) -> Mapping[str, int]:
    """The last UTC day number of each name of the lead's events, until today."""
    last: dict[str, int] = {}
    for trail in lead.trails.values():
        days = [*trail.history.last_day.items()]
        days += [(event.name, event.day) for event in trail.history.kept.values()]
        for name, day in days:
            last[name] = max(day, last.get(name, day))
    return last
