"""Cohorts: counted by hand, and by properties that hold for any moves."""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from builders import a_transition
from warmlead.domain.stages import Transition
from warmlead.messages.cohorts import Cohort
from warmlead.reporting.cohorts import CONVERSIONS, CohortTally, Milestone, milestones
from warmlead.reporting.periods import Period, read_period

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST = read_period("2026-Q1", NOW)
DAY = timedelta(days=1)


def moved(day: float, stages: str, **others: Any) -> Transition:
    """``moved(31, "lead > mql")``: on 1 February, 31 days after the start of the year."""
    start, _, end = stages.partition(" > ")
    return a_transition(at=FIRST.start + day * DAY, from_stage=start, to_stage=end, **others)


def tallied(
    *lives: Sequence[Transition], period: Period = FIRST, now: datetime = NOW
) -> CohortTally:
    tally = CohortTally(period, now)
    for life in lives:
        tally.add(milestones(life))
    return tally


def counts(cohort: Cohort, name: str) -> Sequence[tuple[int, int]]:
    """Reached and of: within 30, 60 and 90 days, and ever."""
    found = getattr(cohort, name)
    ages = (found.within_30_days, found.within_60_days, found.within_90_days, found.ever)
    return [(each.reached, each.of) for each in ages]


def test_a_person_counts_in_the_cohort_of_the_month_in_which_the_first_step_was() -> None:
    # January: ada, a customer after 45 days; bob, an SQL after 100. February: cyn, nothing yet.
    tally = tallied(
        [moved(9, "lead > mql"), moved(20, "mql > sql"), moved(54, "sql > customer")],
        [moved(9, "lead > mql"), moved(109, "mql > sql")],
        [moved(40, "lead > mql")],
    )
    january, february = tally.by_month().values()
    assert list(tally.by_month()) == ["2026-01", "2026-02"]
    assert counts(january, "mql_to_sql") == [(1, 2), (1, 2), (1, 2), (2, 2)]
    assert counts(january, "mql_to_customer") == [(0, 2), (1, 2), (1, 2), (1, 2)]
    assert counts(january, "sql_to_customer") == [(0, 1), (1, 1), (1, 1), (1, 1)]
    assert counts(february, "mql_to_sql") == [(0, 1)] * 4
    assert counts(tally.whole(), "mql_to_sql") == [(1, 3), (1, 3), (1, 3), (2, 3)]


def test_only_persons_who_have_had_the_time_count_at_an_age() -> None:
    # On 1 March ada has had 59 days, bob 30 and cyn 29; cyn was as fast as ada.
    ada = [moved(0, "lead > mql"), moved(1, "mql > sql")]
    bob = [moved(29, "lead > mql")]
    cyn = [moved(30, "lead > mql"), moved(31, "mql > sql")]
    whole = tallied(ada, bob, cyn, now=FIRST.start + 59 * DAY).whole()
    assert counts(whole, "mql_to_sql") == [(1, 2), (0, 0), (0, 0), (2, 3)]
    assert not whole.mql_to_sql.within_30_days.is_finished
    assert whole.mql_to_sql.within_60_days.per_mille is None
    later = tallied(ada, bob, cyn, now=FIRST.start + 60 * DAY).whole()
    assert counts(later, "mql_to_sql")[0] == (2, 3)
    assert later.mql_to_sql.within_30_days.is_finished
    assert not later.mql_to_sql.within_60_days.is_finished


def test_the_last_moment_of_an_age_belongs_to_it() -> None:
    tick = timedelta(milliseconds=1)
    prompt = [moved(0, "lead > mql"), a_transition(at=FIRST.start + 30 * DAY, to_stage="sql")]
    late = [
        moved(0, "lead > mql"),
        a_transition(at=FIRST.start + 30 * DAY + tick, to_stage="sql"),
    ]
    assert counts(tallied(prompt, late).whole(), "mql_to_sql")[0] == (1, 2)


def test_a_person_counts_once_however_often_the_steps_are_made() -> None:
    # An MQL in January and, after a refusal, again in February; taken the second time.
    again = [
        moved(5, "lead > mql"),
        moved(6, "mql > recycled"),
        moved(40, "recycled > mql", cycle=2),
        moved(41, "mql > sql"),
        moved(42, "sql > sql", cycle=2),
    ]
    tally = tallied(again)
    january, february = tally.by_month().values()
    assert counts(january, "mql_to_sql") == [(0, 1), (1, 1), (1, 1), (1, 1)]
    assert counts(february, "mql_to_sql") == [(0, 0)] * 4
    assert counts(february, "sql_to_customer")[-1] == (0, 1)


def test_a_win_before_the_first_contact_is_kept_and_flagged() -> None:
    won = moved(9, "mql > customer", learnt=FIRST.start + 11 * DAY)
    whole = tallied([moved(10.2, "lead > mql"), won]).whole()
    assert counts(whole, "mql_to_customer") == [(1, 1)] * 4
    assert whole.mql_to_customer.before == 1
    assert tallied([moved(9, "lead > mql"), moved(9, "mql > sql")]).whole().mql_to_sql.before == 0


def test_a_customer_who_enters_mql_again_is_no_new_mql() -> None:
    # Ada is won, lost and an MQL again; of bob a second record becomes an MQL, long after the first
    # was won without one; cyn was never a customer.
    ada = [
        moved(1, "anonymous > lead"),
        moved(2, "lead > mql"),
        moved(3, "mql > customer"),
        moved(40, "customer > recycled"),
        moved(41, "recycled > mql", cycle=2),
    ]
    bob = [
        moved(5, "anonymous > customer"),
        moved(50, "anonymous > lead"),
        moved(51, "lead > mql", score=90),
    ]
    cyn = [moved(6, "anonymous > lead"), moved(52, "lead > mql")]
    january, february = tallied(ada, bob, cyn).by_month().values()
    assert counts(january, "mql_to_customer")[-1] == (1, 1)
    assert counts(february, "mql_to_customer")[-1] == (0, 1)
    assert milestones(bob).regained == {FIRST.start + 51 * DAY}
    assert milestones(bob).mql_score is None


def test_moves_that_were_imported_at_once_are_told_apart_by_their_stages() -> None:
    when = {"learnt": NOW}
    same_deal = [
        moved(10, "anonymous > lead", **when),
        moved(10.2, "lead > mql", **when),
        moved(9, "mql > customer", **when),
    ]
    regained = [
        moved(9, "anonymous > customer", **when),
        moved(20, "customer > recycled", **when),
        moved(30, "recycled > mql", **when),
    ]
    whole = tallied(same_deal, regained).whole()
    assert (counts(whole, "mql_to_customer")[-1], whole.mql_to_customer.before) == ((1, 1), 1)


def test_customers_without_an_opportunity_are_customers_and_are_counted() -> None:
    whole = tallied(
        [moved(1, "mql > sql"), moved(3, "sql > opportunity"), moved(5, "opportunity > customer")],
        [moved(1, "mql > sql"), moved(3, "opportunity > customer")],
        [moved(1, "mql > sql")],
    ).whole()
    assert counts(whole, "sql_to_customer")[-1] == (2, 3)
    assert whole.without_opportunity == 1


def test_sales_that_skips_its_stages_has_made_them_but_no_mql() -> None:
    steps = milestones([moved(1, "anonymous > customer")]).at
    assert set(steps) == set(Milestone) - {Milestone.MQL}


def test_a_cohort_of_part_of_a_month_has_the_name_of_its_days() -> None:
    part = read_period("2026-01-15..2026-03-31", NOW)
    tally = tallied([moved(13, "lead > mql")], [moved(14, "lead > mql")], period=part)
    assert list(tally.by_month()) == ["2026-01-15..2026-01-31"]


def test_the_interval_of_a_rate_is_told() -> None:
    one = [moved(1, "lead > mql")]
    found = tallied(*[[*one, moved(2, "mql > sql")]] * 2, *[one] * 18).whole().mql_to_sql.ever
    assert (found.per_mille, found.low_per_mille, found.high_per_mille) == (100, 28, 301)


STAGES = ("anonymous", "lead", "mql", "pql", "sql", "opportunity", "customer", "recycled")
moves = st.builds(
    lambda day, stages: moved(day, " > ".join(stages)),
    st.integers(-40, 140),
    st.tuples(st.sampled_from(STAGES), st.sampled_from(STAGES)),
)
lives_of_people = st.lists(st.lists(moves, max_size=7), max_size=12)


@given(lives_of_people, st.integers(0, 200), st.randoms(use_true_random=False))
def test_the_order_of_moves_and_persons_and_repeats_make_no_difference(
    lives: list[list[Transition]], days: int, chance: random.Random
) -> None:
    shuffled = [chance.sample(life * 2, 2 * len(life)) for life in lives]
    chance.shuffle(shuffled)
    now = FIRST.start + days * DAY
    before, after = tallied(*lives, now=now), tallied(*shuffled, now=now)
    assert after.by_month() == before.by_month()
    assert after.whole() == before.whole()


@given(lives_of_people, st.integers(0, 200))
def test_the_cohorts_of_the_months_add_up_to_that_of_the_period(
    lives: list[list[Transition]], days: int
) -> None:
    tally = tallied(*lives, now=FIRST.start + days * DAY)
    whole, months = tally.whole(), tally.by_month()
    for name in CONVERSIONS:
        together = [counts(month, name) for month in months.values()]
        summed = [tuple(map(sum, zip(*age, strict=True))) for age in zip(*together, strict=True)]
        assert (summed or [(0, 0)] * 4) == list(counts(whole, name))


@given(lives_of_people, st.integers(0, 200))
def test_a_cohort_only_grows_with_age(lives: list[list[Transition]], days: int) -> None:
    whole = tallied(*lives, now=FIRST.start + days * DAY).whole()
    for name in CONVERSIONS:
        found: Mapping[str, Any] = getattr(whole, name).model_dump()
        of = [found[age]["of"] for age in AGES]
        assert of[0] >= of[1] >= of[2] <= found["ever"]["of"]
        assert all(found[age]["reached"] <= found[age]["of"] for age in (*AGES, "ever"))
        ripe = [age for age in AGES if found[age]["is_finished"]]
        reached = [found[age]["reached"] for age in (*ripe, "ever")]
        assert reached == sorted(reached)


AGES = ("within_30_days", "within_60_days", "within_90_days")


def test_waits_are_those_of_the_persons_who_came_in_the_period() -> None:
    tally = tallied(
        [moved(-20, "lead > mql"), moved(10, "mql > sql")],
        [moved(80, "lead > mql"), moved(95, "mql > sql")],
        [
            moved(51, "lead > mql"),
            moved(50, "mql > customer", learnt=FIRST.start + 52 * DAY),
        ],
        [moved(5, "lead > sql")],
    )
    assert tally.waits_ms(Milestone.MQL, Milestone.SQL) == [30 * 86_400_000, -86_400_000]
