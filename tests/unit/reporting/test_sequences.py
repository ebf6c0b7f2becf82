"""Nurture in a report, every number counted by hand: the period is January 2026."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from builders import a_transition
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.stages import Transition
from warmlead.messages.kpis import KpiReport
from warmlead.messages.sequences import SequenceFigures, StepFigures
from warmlead.reporting.kpis import KpiTally
from warmlead.reporting.nurture_tables import nurture_tables
from warmlead.reporting.periods import read_period
from warmlead.reporting.sequences import NurtureTally
from warmlead.reporting.tables import Doubt, ReportTable

LATER = datetime(2026, 6, 1, tzinfo=UTC)
JANUARY = read_period("2026-01", LATER)
DAY = timedelta(days=1)


def on(day: float, *facts: NurtureFact) -> NurtureRecord:
    """A record of a day of January, the first is 1."""
    return NurtureRecord(JANUARY.start + (day - 1) * DAY, "mql", facts)


def started(run: int = 1, *, of: str = "welcome") -> NurtureFact:
    return NurtureFact(NurtureTurn.STARTED, of, run)


def sent(number: int, run: int = 1, *, of: str = "welcome", message: str = "") -> NurtureFact:
    return NurtureFact(NurtureTurn.SENT, of, run, number, message or f"mail-{number}")


def withheld(number: int, run: int = 1) -> NurtureFact:
    return NurtureFact(NurtureTurn.WITHHELD, "welcome", run, number, f"mail-{number}")


def ended(why: str, run: int = 1) -> NurtureFact:
    return NurtureFact(NurtureTurn.ENDED, "welcome", run, ending=why)


def moved(day: float, stages: str) -> Transition:
    start, _, end = stages.partition(" > ")
    return a_transition(at=JANUARY.start + (day - 1) * DAY, from_stage=start, to_stage=end)


Person = tuple[Sequence[str], Sequence[tuple[str, NurtureRecord]], Sequence[Transition]]
"""The ids, the records under them, and the moves."""


def figures(*persons: Person, now: datetime = LATER) -> dict[str, SequenceFigures]:
    tally = NurtureTally(JANUARY, now)
    for _, records, _ in persons:
        for id_, record in records:
            tally.add(id_, record)
            tally.add(id_, record)  # a page may come again
    for ids, _, moves in persons:
        for _ in ids:
            tally.tell(ids, moves)
    return tally.figures()


def one(name: str, *records: NurtureRecord, moves: Sequence[Transition] = ()) -> Person:
    return [name], [(name, record) for record in records], moves


def counts(step: StepFigures) -> tuple[int, int, Sequence[tuple[int, int]]]:
    """Sent, persons, and reached and of: MQL, SQL, customer."""
    reached = [(each.reached, each.of) for each in (step.to_mql, step.to_sql, step.to_customer)]
    return step.sent, step.persons, reached


ADA = one(  # through both mails; an SQL 10 days after the first, a customer 61 days after it
    "ada",
    on(5, started(), sent(1)),
    on(8, sent(2), ended("finished")),
    moves=[moved(15, "mql > sql"), moved(66, "sql > customer")],
)
BOB = one("bob", on(20, started(), sent(1)), on(22, ended("goal")), moves=[moved(22, "mql > sql")])
CYN = one("cyn", on(30, started(), sent(1)))  # goes on
DAN = one("dan", on(-9, started(), sent(1)), on(2, sent(2)), on(3, ended("suppressed")))
EVE = one("eve", on(31, started()), on(33, sent(1), ended("stopped")))  # the mail in February


def test_runs_and_steps_of_a_period() -> None:
    welcome = figures(ADA, BOB, CYN, DAN, EVE)["welcome"]
    assert (welcome.enrolled, welcome.running) == (4, 2)
    assert welcome.ended == {"finished": 1, "goal": 1, "suppressed": 1}
    first, second = welcome.steps
    assert (first.step, first.message, *counts(first)) == (
        *(1, "mail-1"),
        *(3, 3, [(0, 3), (2, 3), (0, 3)]),
    )
    # From the second mail on it is 58 days until ada becomes a customer.
    assert counts(second) == (2, 2, [(0, 2), (1, 2), (1, 2)])
    assert (first.to_sql.per_mille, first.to_sql.low_per_mille, first.to_sql.high_per_mille) == (
        *(667, 208, 939),
    )


def test_the_order_of_persons_and_records_does_not_matter() -> None:
    expected = figures(ADA, BOB, DAN)
    for order in permutations([ADA, BOB, DAN]):
        turned: list[Person] = [(ids, records[::-1], moves[::-1]) for ids, records, moves in order]
        assert figures(*turned) == expected


def test_only_persons_who_have_had_sixty_days_are_in_a_rate() -> None:
    # On 6 March ada has had 60 days since the 5th, and bob has not.
    now = JANUARY.start + 64 * DAY
    (first, second) = figures(ADA, BOB, now=now)["welcome"].steps
    assert counts(first) == (2, 2, [(0, 1), (1, 1), (0, 1)])
    assert not first.to_sql.is_finished
    assert counts(second) == (1, 1, [(0, 0), (0, 0), (0, 0)])
    assert second.to_sql.per_mille is None
    later = figures(ADA, BOB, now=JANUARY.start + 79 * DAY)["welcome"].steps[0]
    assert (later.to_sql.of, later.to_sql.is_finished) == (2, True)


@pytest.mark.parametrize(("day", "reached"), [(5, 0), (5.1, 1), (65, 1), (65.1, 0), (4, 0)])
def test_what_came_afterwards_is_within_sixty_days(day: float, reached: int) -> None:
    person = one("ada", on(5, started(), sent(1)), moves=[moved(day, "lead > mql")])
    (step,) = figures(person)["welcome"].steps
    assert (step.to_mql.reached, step.to_mql.of) == (reached, 1)


def test_who_comes_to_a_stage_again_afterwards_has_reached_it() -> None:
    moves = [moved(1, "lead > mql"), moved(3, "mql > lead"), moved(20, "lead > mql")]
    (step,) = figures(one("ada", on(5, started(), sent(1)), moves=moves))["welcome"].steps
    assert step.to_mql.reached == 1


def test_a_step_that_was_withheld_was_not_sent_even_if_that_was_later() -> None:
    within = one("ada", on(5, started(), sent(1)), on(6, withheld(1), ended("suppressed")))
    after = one("bob", on(31, started(), sent(1)), on(34, withheld(1), ended("suppressed")))
    other = one("cyn", on(5, started(), sent(1)), on(6, withheld(2)))
    welcome = figures(within, after, other)["welcome"]
    (step,) = welcome.steps
    assert (step.sent, step.persons) == (1, 1)
    assert (welcome.enrolled, welcome.running) == (3, 2)


def test_two_who_turn_out_to_be_one_have_one_run_and_two_messages() -> None:
    records = [
        ("ada", on(5, started(), sent(1))),
        ("browser", on(6, started(), sent(1))),
        ("browser", on(7, ended("stopped"))),
    ]
    welcome = figures((["ada", "browser"], records, []))["welcome"]
    assert (welcome.enrolled, welcome.running, welcome.ended) == (1, 0, {"stopped": 1})
    assert counts(welcome.steps[0])[:2] == (2, 1)


def test_a_run_that_parted_and_came_back_ended_once_for_its_own_reason() -> None:
    records = [
        ("ada", on(5, started())),
        ("browser", on(6, ended("parted"))),
        ("ada", on(9, ended("goal"))),
    ]
    together = figures((["ada", "browser"], records, []))["welcome"]
    assert (together.enrolled, together.ended) == (1, {"goal": 1})
    apart = figures((["ada"], [records[0]], []), (["browser"], [records[1]], []))["welcome"]
    assert (apart.enrolled, apart.running, apart.ended) == (1, 1, {"parted": 1})


def test_another_run_of_a_person_is_another_run_and_the_same_person() -> None:
    person = one(
        "ada",
        on(1, started(), sent(1), ended("finished")),
        on(20, started(2), sent(1, 2), ended("finished", 2)),
    )
    welcome = figures(person)["welcome"]
    assert (welcome.enrolled, welcome.ended) == (2, {"finished": 2})
    assert counts(welcome.steps[0])[:2] == (2, 1)


def test_a_step_that_got_another_message_is_told_of_each() -> None:
    persons = [
        one("ada", on(5, started(), sent(1, message="old"))),
        one("bob", on(5, started(), sent(1, message="new"))),
    ]
    steps = figures(*persons)["welcome"].steps
    assert [(each.step, each.message, each.sent) for each in steps] == [
        (1, "new", 1),
        (1, "old", 1),
    ]


def test_what_is_of_another_period_is_no_sequence_of_this_one() -> None:
    assert figures(one("ada", on(-3, started(), sent(1)), on(33, ended("goal")))) == {}


def reported(*persons: Person, now: datetime = LATER) -> KpiReport:
    tally = KpiTally(JANUARY, ("anonymous", "lead", "mql", "sql"), now)
    for _, records, _ in persons:
        for id_, record in records:
            tally.nurture(id_, record)
    assert sorted(tally.risen) == sorted({i for _, records, _ in persons for i, _ in records})
    for ids, _, moves in persons:
        tally.tell(ids, moves)
    return tally.report({})


def shown(table: ReportTable) -> list[list[str]]:
    return [[row.label, *(cell.text for cell in row.cells)] for row in table.rows]


def test_the_tables_show_runs_and_steps_with_the_likely_range() -> None:
    runs, steps = nurture_tables(reported(ADA, BOB, CYN, DAN, EVE))
    assert runs.columns == (
        *("enrolled", "running"),
        *("finished", "goal", "stopped", "suppressed", "removed", "parted"),
    )
    assert shown(runs) == [["welcome", "4", "2", "1", "1", "0", "1", "0", "0"]]
    assert steps.columns == ("sent", "persons", "60 days old", "MQL", "SQL", "customer")
    assert shown(steps) == [
        [
            "welcome 1: mail-1",
            "3",
            "3",
            "3",
            "0.0 % (0.0–56.1)",
            "66.7 % (20.8–93.9)",
            "0.0 % (0.0–56.1)",
        ],
        [
            "welcome 2: mail-2",
            "2",
            "2",
            "2",
            "0.0 % (0.0–65.8)",
            "50.0 % (9.5–90.5)",
            "50.0 % (9.5–90.5)",
        ],
    ]
    assert {cell.doubt for row in steps.rows for cell in row.cells[3:]} == {Doubt.FEW}
    assert len(steps.notes) == 1


def test_the_tables_mark_what_is_not_finished_and_are_empty_without_sequences() -> None:
    _, steps = nurture_tables(reported(ADA, BOB, now=JANUARY.start + 64 * DAY))
    assert shown(steps)[0][-2:] == ["1 of 1 … (20.7–100.0)", "0 of 1 … (0.0–79.3)"]
    assert shown(steps)[1][-1] == "…"
    assert steps.rows[0].cells[-1].doubt is Doubt.UNFINISHED
    assert len(steps.notes) == 2
    assert [table.rows for table in nurture_tables(reported())] == [[], []]
