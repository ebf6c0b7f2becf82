"""Nurture sequences: who is in one, which step is due next and at what hours, and what ends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Generic, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from warmlead.domain.stages import ANONYMOUS, Condition, ConditionT, Facts


@dataclass(frozen=True, slots=True)
class SendingHours:
    """When messages may go out: weekdays (Monday is 0), from a time to a time in a time zone."""

    weekdays: frozenset[int]
    opens: time
    closes: time
    zone: str

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself if it is within hours, otherwise when they next begin; in UTC."""
        local = moment.astimezone(ZoneInfo(self.zone))
        for ahead in range(8):
            day = local.date() + timedelta(days=ahead)
            if day.weekday() not in self.weekdays:
                continue
            opens = datetime.combine(day, self.opens, local.tzinfo)
            closes = datetime.combine(day, self.closes, local.tzinfo)
            if local < closes:
                return max(local, opens).astimezone(moment.tzinfo)
        raise ValueError("there is no open day in a week")


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
class SequenceStep:
    """One message, ``after`` a time from the start."""

    after: timedelta
    message: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class SequenceDefinition(Generic[ConditionT]):
    """A sequence of the model: who starts it, what ends it, and what is sent when.

    ``again_after`` is the time from the end of a run to the next start; ``None``: only one run.
    ``alongside`` sequences run beside others; of all others a lead is in one at a time.
    """

    name: str
    start: ConditionT
    stop: ConditionT
    steps: tuple[SequenceStep, ...]
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
    step: SequenceStep


Enrolments: TypeAlias = Mapping[str, Enrolment]
"""The last enrolment in each sequence, by its name."""


def nurture(
    policies: Sequence[SequencePolicy],
    enrolments: Enrolments,
    facts: Facts,
    now: datetime,
    *,
    suppressed: bool,
) -> tuple[dict[str, Enrolment], list[Due]]:
    """The enrolments as of now, and the steps that are due: at most one of each sequence.

    Anonymous leads start nothing, because nothing could be sent. A second call for the same moment
    changes nothing more.
    """
    by_name = {policy.name: policy for policy in policies}
    after = {
        name: _ended(enrolment, by_name.get(name), facts, now, suppressed=suppressed)
        for name, enrolment in enrolments.items()
    }
    if _can_start(facts, suppressed=suppressed):
        for policy in policies:
            if _wants(policy, facts) and _may_start(policy, after, by_name, now):
                after[policy.name] = _started(policy, after.get(policy.name), now)
    due: list[Due] = []
    for name, enrolment in after.items():
        if enrolment.next_at is None or enrolment.next_at > now:
            continue
        policy = by_name[name]
        reached, late = _caught_up(policy, enrolment, enrolment.next_at, now)
        opens = _within_hours(policy, now)
        if late > PUNCTUAL and opens > now:
            after[name] = replace(reached, next_at=opens)
            continue
        after[name], step = _advanced(policy, reached, now)
        due.append(step)
    return after, due


def would_change(
    policies: Sequence[SequencePolicy],
    enrolments: Enrolments,
    facts: Facts,
    then: datetime,
    *,
    suppressed: bool,
) -> bool:
    """Whether ``nurture`` would begin or end a sequence then; steps that are due do not count."""
    by_name = {policy.name: policy for policy in policies if enrolments}
    for name, enrolment in enrolments.items():
        policy = by_name.get(name)
        if _ended(enrolment, policy, facts, then, suppressed=suppressed) is not enrolment:
            return True
    if not _can_start(facts, suppressed=suppressed):
        return False
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


def _caught_up(
    policy: SequencePolicy, enrolment: Enrolment, at: datetime, now: datetime
) -> tuple[Enrolment, timedelta]:
    """The enrolment at the step that is to be sent of those missed, and how late that is."""
    position = enrolment.position
    if policy.late is Late.SKIP:
        while (later := _following(policy, position, at)) is not None and later <= now:
            position, at = position + 1, later
    return replace(enrolment, position=position, next_at=at), now - at


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
