"""The record of nurture: which steps were sent when, who started a sequence, and how runs ended.

It is made in the commit that decides. Reports read it; the decisions never do.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from warmlead.domain.nurture import Due, Ending, Enrolment, Enrolments
from warmlead.domain.trigger import Topic, Trigger


class NurtureTurn(StrEnum):
    """What became of a run of a sequence."""

    STARTED = "started"
    SENT = "sent"
    """A step was decided and is published; the number and the message say which."""
    WITHHELD = "withheld"
    """A step that was decided before never went out: the lead refused mail while it waited."""
    ENDED = "ended"
    """The run ended; the ending says why."""


class NurtureFact(Struct, frozen=True):
    """One thing that became of the ``run``-th run of a sequence.

    ``number`` and ``message`` are those of a step, which counts from 1; ``ending`` is an
    ``Ending``. What does not apply is 0 or empty.
    """

    turn: NurtureTurn
    sequence: str
    run: int
    number: int = 0
    message: str = ""
    ending: str = ""


class NurtureRecord(Struct, frozen=True):
    """What became of a lead's sequences at one moment, and the ``stage`` of the lead by then."""

    at: datetime
    stage: str
    facts: tuple[NurtureFact, ...]


def nurture_record(
    before: Enrolments,
    after: Enrolments,
    due: Sequence[Due],
    dropped: Sequence[Trigger],
    *,
    stage: str,
    now: datetime,
) -> NurtureRecord | None:
    """The record of one evaluation; ``None`` if nothing became of any sequence.

    ``before`` and ``after`` are the enrollments, ``due`` the steps that are sent, and ``dropped``
    the messages that waited and are no longer sent. A run that another person has taken along
    at this moment is among those ``before``, and has ended.
    """
    facts = [
        *_started(before, after),
        *_sent(due),
        *_withheld(dropped),
        *_ended(before, after, now),
    ]
    return NurtureRecord(now, stage, tuple(facts)) if facts else None


def _started(before: Enrolments, after: Enrolments) -> Iterator[NurtureFact]:
    for name, enrolment in after.items():
        last = before.get(name)
        if last is None or enrolment.run > last.run:
            yield NurtureFact(NurtureTurn.STARTED, name, enrolment.run)


def _sent(due: Sequence[Due]) -> Iterator[NurtureFact]:
    for step in due:
        name, message = step.policy.name, step.step.message
        yield NurtureFact(NurtureTurn.SENT, name, step.run, step.number, message)


def _withheld(dropped: Sequence[Trigger]) -> Iterator[NurtureFact]:
    for trigger in dropped:
        said = dict(trigger.attributes)
        if trigger.topic is Topic.NURTURE and said.keys() >= _OF_STEP:
            run, number = int(said["run"]), int(said["step"])
            yield NurtureFact(NurtureTurn.WITHHELD, said["sequence"], run, number, said["message"])


_OF_STEP = frozenset({"sequence", "run", "step", "message"})
"""The attributes of a message about a step."""


def _ended(before: Enrolments, after: Enrolments, now: datetime) -> Iterator[NurtureFact]:
    for name, enrolment in after.items():
        if enrolment.ended_at is not None and not _had_ended(before.get(name), enrolment, now):
            yield NurtureFact(NurtureTurn.ENDED, name, enrolment.run, ending=enrolment.ending)


def _had_ended(last: Enrolment | None, enrolment: Enrolment, now: datetime) -> bool:
    """Whether the run had ended before: a parted one ends when its lead is put together."""
    if last is None or last.run != enrolment.run or last.ended_at is None:
        return False
    return last.ending != Ending.PARTED or last.ended_at != now
