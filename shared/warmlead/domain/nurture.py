"""Nurture sequences: who is in one, which step is due next and at what hours, and what ends it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Generic, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from warmlead.domain.stages import ANONYMOUS, Condition, ConditionT, Facts
from warmlead.domain.time_zones import zone_of


@dataclass(frozen=True, slots=True)
class SendingHours:
    """When messages may go out: weekdays (Monday is 0), from a time to a time in a time zone.

    Hours that end before they begin go over midnight; they belong to the day on which they begin.
    ``of_lead``: the lead's own time zone counts where it is known, and ``zone`` is for the others.
    """

    weekdays: frozenset[int]
    opens: time
    closes: time
    zone: str
    of_lead: bool = False

    def for_lead(self, facts: Facts) -> "SendingHours":
        """The hours in the time zone that counts for a lead."""
        zone = zone_of(facts) if self.of_lead else None
        return replace(self, zone=zone) if zone and zone != self.zone else self

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself if it is within hours, otherwise when they next begin; in UTC.

        By the clock on the wall: what it shows twice when summer time ends is twice within hours,
        and hours that it leaves out when summer time begins begin when it goes on.
        """
        zone = ZoneInfo(self.zone)
        if self._is_open(moment, zone):
            return moment
        opening = min(at for at in self._openings(moment, zone) if at > moment)
        changed = _change_of_clocks(moment, opening, zone)
        return changed if changed and self._is_open(changed, zone) else opening

    def _is_open(self, moment: datetime, zone: ZoneInfo) -> bool:
        wall = moment.astimezone(zone).replace(tzinfo=None)
        for day in (wall.date(), wall.date() - _DAY):
            opens, closes = self._on(day)
            if day.weekday() in self.weekdays and opens <= wall < closes:
                return True
        return False

    def _on(self, day: date) -> tuple[datetime, datetime]:
        """When the hours that begin on a day begin and end, by the clock on the wall."""
        over = self.closes < self.opens
        return datetime.combine(day, self.opens), datetime.combine(day + over * _DAY, self.closes)

    def _openings(self, moment: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments at which hours begin; each of both if the clock shows that time twice."""
        today = moment.astimezone(zone).date()
        for ahead in range(-1, _LOOK_AHEAD):
            day = today + ahead * _DAY
            if day.weekday() in self.weekdays:
                for fold in (0, 1):
                    local = self._on(day)[0].replace(tzinfo=zone, fold=fold)
                    at = local.astimezone(moment.tzinfo)
                    if self._is_open(at, zone):
                        yield at


_DAY = timedelta(days=1)

_LOOK_AHEAD = 16
"""Days in which an opening is looked for: one may be left out when summer time begins."""


def _change_of_clocks(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment with the later of two moments' offsets, to the second; ``None``: one."""
    after = end.astimezone(zone).utcoffset()
    if start.astimezone(zone).utcoffset() == after:
        return None
    start = start.replace(microsecond=0)
    while end - start > timedelta(seconds=1):
        middle = start + timedelta(seconds=(end - start) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == after:
            end = middle
        else:
            start = middle
    return end


PUNCTUAL = timedelta(hours=1)
"""A step that is later than this was missed: the following steps keep their distance from it."""


APART = timedelta(minutes=1)
"""Two steps of a sequence are never closer than this, whatever the model says."""


class Late(StrEnum):
    """How to handle steps that an outage has delayed; no choice sends two at once."""

    SHIFT = "shift"  # send the first of them, and move the rest of the sequence back
    SKIP = "skip"  # send the last of them, and leave those before it out


class Ending(StrEnum):
    """Why an enrolment ended."""

    FINISHED = "finished"
    GOAL = "goal"
    STOPPED = "stopped"
    SUPPRESSED = "suppressed"  # may not be written to: see ``consent``
    REMOVED = "removed"  # the model has no such sequence any more
    PARTED = "parted"  # another person goes on with it


@dataclass(frozen=True, slots=True)
class SequenceStep(Generic[ConditionT]):
    """One message, ``after`` a time from the start; left out if ``when`` does not hold then."""

    after: timedelta
    message: str
    title: str = ""
    when: ConditionT | None = None


@dataclass(frozen=True, slots=True)
class SequenceDefinition(Generic[ConditionT]):
    """A sequence of the model: who starts it, what ends it, and what is sent when.

    ``again_after`` is the time from the end of a run to the next start; ``None``: only one run.
    ``alongside`` sequences run beside others; of all others a lead is in one at a time.
    """

    name: str
    start: ConditionT
    stop: ConditionT
    steps: tuple[SequenceStep[ConditionT], ...]
    goal: ConditionT | None = None
    hours: SendingHours | None = None
    late: Late = Late.SHIFT
    again_after: timedelta | None = None
    alongside: bool = False


@dataclass(frozen=True, slots=True)
class SequencePolicy(SequenceDefinition[Condition]):
    """A sequence whose conditions can be asked."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A lead's enrollment in a sequence, for the ``run``-th time.

    ``position`` is the index of the step that is sent at ``next_at``; ``None``: it has ended.
    """

    sequence: str
    run: int
    started_at: datetime
    position: int = 0
    next_at: datetime | None = None
    ended_at: datetime | None = None
    ending: str = ""


class Due(Struct, frozen=True):
    """A step to be sent now: ``number`` counts from 1."""

    policy: SequencePolicy
    run: int
    number: int
    step: SequenceStep[Condition]


MAX_ALONGSIDE = 10
"""Limit of sequences that run beside others: the steps of all may be due at the same time."""

Enrolments: TypeAlias = Mapping[str, Enrolment]
"""The last enrolment in each sequence, by its name."""


def nurture(
    policies: Sequence[SequencePolicy],
    enrolments: Enrolments,
    facts: Facts,
    now: datetime,
    *,
    suppressed: bool,
    may_start: bool = True,
) -> tuple[dict[str, Enrolment], list[Due]]:
    """The enrolments as of now, and the steps that are due: at most one of each sequence.

    Anonymous leads start nothing, because nothing could be sent; nor does any lead that
    ``may_start`` nothing. A second call for the same moment changes nothing more.
    """
    by_name = {policy.name: policy for policy in policies}
    after = {
        name: _ended(enrolment, by_name.get(name), facts, now, suppressed=suppressed)
        for name, enrolment in enrolments.items()
    }
    if may_start and _can_start(facts, suppressed=suppressed):
        for policy in policies:
            if _wants(policy, facts) and _may_start(policy, after, by_name, now):
                of_lead = _of_lead(policy, facts)
                after[policy.name] = _started(of_lead, after.get(policy.name), now)
    due: list[Due] = []
    for name, planned in after.items():
        if planned.next_at is None or planned.next_at > now:
            continue
        policy = _of_lead(by_name[name], facts)
        after[name] = wanted = _without_left_out(policy, planned, facts, now)
        if wanted.next_at is None or wanted.next_at > now:
            continue
        reached, late = _caught_up(policy, wanted, wanted.next_at, facts, now)
        opens = _within_hours(policy, now)
        if opens > now and (late > PUNCTUAL or _by_another_clock(policy, reached)):
            after[name] = replace(reached, next_at=opens)
            continue
        after[name], step = _advanced(policy, reached, now)
        due.append(step)
    return after, due


def _of_lead(policy: SequencePolicy, facts: Facts) -> SequencePolicy:
    """The sequence with the hours that count for the lead."""
    if policy.hours is None or not policy.hours.of_lead:
        return policy
    return replace(policy, hours=policy.hours.for_lead(facts))


def would_change(
    policies: Sequence[SequencePolicy],
    enrolments: Enrolments,
    facts: Facts,
    then: datetime,
    *,
    suppressed: bool,
    may_start: bool = True,
) -> bool:
    """Whether ``nurture`` would begin or end a sequence then; steps that are due do not count."""
    by_name = {policy.name: policy for policy in policies if enrolments}
    for name, enrolment in enrolments.items():
        policy = by_name.get(name)
        if _ended(enrolment, policy, facts, then, suppressed=suppressed) is not enrolment:
            return True
    return may_start and would_start(policies, enrolments, facts, then, suppressed=suppressed)


def would_start(
    policies: Sequence[SequencePolicy],
    enrolments: Enrolments,
    facts: Facts,
    then: datetime,
    *,
    suppressed: bool,
) -> bool:
    """Whether ``nurture`` would begin a sequence then."""
    if not _can_start(facts, suppressed=suppressed):
        return False
    by_name = {policy.name: policy for policy in policies if enrolments}
    wanted = [policy for policy in policies if _wants(policy, facts)]
    return any(_may_start(policy, enrolments, by_name, then) for policy in wanted)


def _can_start(facts: Facts, *, suppressed: bool) -> bool:
    return not suppressed and facts.get("stage") != ANONYMOUS


def merge_enrolments(parts: Sequence[Enrolments]) -> dict[str, Enrolment]:
    """The enrolments of one person of whom several were kept: in each sequence the furthest."""
    merged: dict[str, Enrolment] = {}
    for part in parts:
        for name, enrolment in part.items():
            merged[name] = max(enrolment, merged.get(name, enrolment), key=_how_far)
    return merged


def _how_far(enrolment: Enrolment) -> tuple[int, bool, bool, int, datetime]:
    ended = enrolment.ended_at is not None
    own = enrolment.ending != Ending.PARTED
    return enrolment.run, own, ended, enrolment.position, enrolment.started_at


def parted(enrolment: Enrolment, now: datetime) -> Enrolment:
    """The enrollment of a trail that leaves a lead which goes on with it."""
    if enrolment.ended_at is not None:
        return enrolment
    return replace(enrolment, next_at=None, ended_at=now, ending=Ending.PARTED)


def next_due(enrolments: Enrolments) -> datetime | None:
    """When the next step of any sequence is due."""
    return min((e.next_at for e in enrolments.values() if e.next_at), default=None)


def _ended(
    enrolment: Enrolment,
    policy: SequencePolicy | None,
    facts: Facts,
    now: datetime,
    *,
    suppressed: bool,
) -> Enrolment:
    if enrolment.ended_at is not None:
        return enrolment
    if policy is None:
        ending = Ending.REMOVED
    elif suppressed:
        ending = Ending.SUPPRESSED
    elif policy.goal is not None and policy.goal(facts):
        ending = Ending.GOAL
    elif policy.stop(facts):
        ending = Ending.STOPPED
    elif enrolment.position >= len(policy.steps):  # the model has fewer steps than it had
        ending = Ending.FINISHED
    else:
        return enrolment
    return replace(enrolment, next_at=None, ended_at=now, ending=ending)


def _may_start(
    policy: SequencePolicy,
    enrolments: Enrolments,
    by_name: Mapping[str, SequencePolicy],
    now: datetime,
) -> bool:
    last = enrolments.get(policy.name)
    if last is not None:
        if last.ended_at is None or policy.again_after is None:
            return False
        if now < last.ended_at + policy.again_after:
            return False
    return policy.alongside or not any(
        _takes_room(each, by_name.get(name), now) for name, each in enrolments.items()
    )


def _takes_room(enrolment: Enrolment, policy: SequencePolicy | None, now: datetime) -> bool:
    """Whether no other sequence may begin beside it now; its last message has the moment alone."""
    if policy is None or policy.alongside:
        return False
    ended_at = enrolment.ended_at
    return ended_at is None or (enrolment.ending == Ending.FINISHED and ended_at >= now)


def _wants(policy: SequencePolicy, facts: Facts) -> bool:
    """Whether the sequence is for the lead: it fulfils the start, and nothing that ends it."""
    if not policy.start(facts) or policy.stop(facts):
        return False
    return policy.goal is None or not policy.goal(facts)


def _started(policy: SequencePolicy, last: Enrolment | None, now: datetime) -> Enrolment:
    run = last.run + 1 if last else 1
    if not policy.steps:
        return Enrolment(policy.name, run, now, ended_at=now, ending=Ending.FINISHED)
    first = _within_hours(policy, now + policy.steps[0].after)
    return Enrolment(policy.name, run, now, next_at=first)


def _by_another_clock(policy: SequencePolicy, enrolment: Enrolment) -> bool:
    """Whether the step was planned before it was known in which time zone the lead is."""
    at = enrolment.next_at
    of_lead = policy.hours is not None and policy.hours.of_lead
    return of_lead and at is not None and _within_hours(policy, at) != at


def _is_wanted(step: SequenceStep[Condition], facts: Facts) -> bool:
    return step.when is None or step.when(facts)


def _without_left_out(
    policy: SequencePolicy, enrolment: Enrolment, facts: Facts, now: datetime
) -> Enrolment:
    """The enrolment after the steps that are due and whose condition does not hold.

    They keep their number and their time: what follows is due as if they had been sent.
    """
    position, at = enrolment.position, enrolment.next_at
    while at is not None and at <= now and not _is_wanted(policy.steps[position], facts):
        position, at = position + 1, _following(policy, position, at)
    if position == enrolment.position:
        return enrolment
    if at is None:
        ended = replace(enrolment, position=position, next_at=None, ended_at=now)
        return replace(ended, ending=Ending.FINISHED)
    return replace(enrolment, position=position, next_at=at)


def _caught_up(
    policy: SequencePolicy, enrolment: Enrolment, at: datetime, facts: Facts, now: datetime
) -> tuple[Enrolment, timedelta]:
    """The enrolment at the step that is to be sent of those missed, and how late that is."""
    chosen, due = enrolment.position, at
    if policy.late is Late.SKIP:
        position = chosen
        while (later := _following(policy, position, at)) is not None and later <= now:
            position, at = position + 1, later
            if _is_wanted(policy.steps[position], facts):
                chosen, due = position, at
    return replace(enrolment, position=chosen, next_at=due), now - due


def _advanced(policy: SequencePolicy, enrolment: Enrolment, now: datetime) -> tuple[Enrolment, Due]:
    """The enrolment after the step that is due, and that step; the next one is never due yet."""
    position, at = enrolment.position, enrolment.next_at or now
    step = Due(policy, enrolment.run, position + 1, policy.steps[position])
    following = _following(policy, position, at if now - at <= PUNCTUAL else now)
    if following is not None and following <= now:  # they follow each other within the hour
        following = max(_following(policy, position, now) or now, now + APART)
    if following is None:
        ended = replace(enrolment, position=position + 1, next_at=None, ended_at=now)
        return replace(ended, ending=Ending.FINISHED), step
    return replace(enrolment, position=position + 1, next_at=following), step


def _following(policy: SequencePolicy, position: int, sent: datetime) -> datetime | None:
    """When the step after one that was sent at a moment is due; ``None`` if it was the last."""
    if position + 1 >= len(policy.steps):
        return None
    distance = policy.steps[position + 1].after - policy.steps[position].after
    return _within_hours(policy, sent + distance)


def _within_hours(policy: SequencePolicy, moment: datetime) -> datetime:
    return policy.hours.next_open(moment) if policy.hours else moment
