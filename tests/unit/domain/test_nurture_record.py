"""What becomes of sequences is recorded: each start, step and ending once, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from builders import NOW, a_trigger
from unit.application.living import Says
from warmlead.domain.nurture import (
    Due,
    Ending,
    Enrolment,
    SequencePolicy,
    SequenceStep,
    merge_enrolments,
    nurture,
    parted,
)
from warmlead.domain.nurture_record import NurtureFact, NurtureTurn, nurture_record
from warmlead.domain.stages import Condition
from warmlead.domain.trigger import Topic, Trigger

DAY = timedelta(days=1)


STEPS: tuple[SequenceStep[Condition], ...] = (
    SequenceStep(timedelta(0), "hello"),
    SequenceStep(3 * DAY, "study"),
)
WELCOME = SequencePolicy(
    "welcome",
    start=Says("stage", ("mql",)),
    stop=Says("stage", ("disqualified",)),
    goal=Says("stage", ("sql",)),
    steps=STEPS,
    again_after=DAY,
)


def a_step(message: str, run: int = 1, number: int = 1) -> Trigger:
    named = {"sequence": "welcome", "message": message, "run": str(run), "step": str(number)}
    return replace(a_trigger(), topic=Topic.NURTURE, attributes=tuple(named.items()))


def facts_of(
    before: dict[str, Enrolment],
    after: dict[str, Enrolment],
    due: Sequence[Due] = (),
    dropped: Sequence[Trigger] = (),
) -> list[NurtureFact]:
    made = nurture_record(before, after, due, dropped, stage="mql", now=NOW)
    return [] if made is None else [*made.facts]


def test_a_way_through_a_sequence_is_recorded_step_by_step() -> None:
    enrolments: dict[str, Enrolment] = {}
    seen = []
    for stage, day in (("lead", 0), ("mql", 1), ("mql", 2), ("mql", 4), ("mql", 6)):
        now = NOW + day * DAY
        after, due = nurture([WELCOME], enrolments, {"stage": stage}, now, suppressed=False)
        made = nurture_record(enrolments, after, due, (), stage=stage, now=now)
        again, more = nurture([WELCOME], after, {"stage": stage}, now, suppressed=False)
        assert nurture_record(after, again, more, (), stage=stage, now=now) is None
        enrolments = after
        if made:
            seen.append((day, [(each.turn, each.run, each.number) for each in made.facts]))
    assert seen == [
        (1, [(NurtureTurn.STARTED, 1, 0), (NurtureTurn.SENT, 1, 1)]),
        (4, [(NurtureTurn.SENT, 1, 2), (NurtureTurn.ENDED, 1, 0)]),
        (6, [(NurtureTurn.STARTED, 2, 0), (NurtureTurn.SENT, 2, 1)]),
    ]


def test_each_ending_says_why() -> None:
    running = {"welcome": Enrolment("welcome", 1, NOW - DAY, 1, NOW + DAY)}

    def ending(stage: str, *, suppressed: bool = False, policies: Sequence[SequencePolicy]) -> str:
        after, due = nurture(policies, running, {"stage": stage}, NOW, suppressed=suppressed)
        (fact,) = facts_of(running, after, due)
        assert (fact.turn, fact.sequence, fact.run) == (NurtureTurn.ENDED, "welcome", 1)
        return fact.ending

    assert ending("sql", policies=[WELCOME]) == Ending.GOAL
    assert ending("disqualified", policies=[WELCOME]) == Ending.STOPPED
    assert ending("mql", suppressed=True, policies=[WELCOME]) == Ending.SUPPRESSED
    assert ending("mql", policies=[]) == Ending.REMOVED
    assert ending("mql", policies=[replace(WELCOME, steps=STEPS[:1])]) == Ending.FINISHED


def test_a_run_that_another_person_takes_along_is_recorded_as_parted_once() -> None:
    running = Enrolment("welcome", 2, NOW - DAY, 1, NOW + DAY)
    left = {"welcome": parted(running, NOW)}
    assert facts_of(left, left) == [
        NurtureFact(NurtureTurn.ENDED, "welcome", 2, ending=Ending.PARTED),
    ]
    earlier = {"welcome": parted(running, NOW - DAY)}
    assert facts_of(earlier, earlier) == []
    ended = replace(running, next_at=None, ended_at=NOW, ending=Ending.GOAL)
    assert facts_of({"welcome": ended}, {"welcome": ended}) == []


def test_a_merge_records_nothing_that_was_recorded_before() -> None:
    one = {"welcome": Enrolment("welcome", 1, NOW - DAY, 1, NOW + DAY)}
    other = {
        "welcome": Enrolment("welcome", 1, NOW - 2 * DAY, 1, None, NOW - DAY, Ending.STOPPED),
        "other": Enrolment("other", 1, NOW, 0, NOW + DAY),
    }
    merged = merge_enrolments([one, other])
    assert facts_of(merged, merged) == []


def test_a_step_that_waited_and_no_longer_goes_out_is_recorded_as_withheld() -> None:
    known = {"welcome": Enrolment("welcome", 2, NOW - DAY, 2, None, NOW - DAY, Ending.FINISHED)}
    dropped = [a_step("study", 2, 2), a_trigger(topic=Topic.MQL)]
    assert facts_of(known, known, dropped=dropped) == [
        NurtureFact(NurtureTurn.WITHHELD, "welcome", 2, 2, "study"),
    ]
