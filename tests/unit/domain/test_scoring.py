"""The score of a few counts, each worked out by hand, and the fast sum beside the explained one."""

from collections.abc import Mapping
from typing import Any

import pytest

from warmlead.domain.history import Tally
from warmlead.domain.scoring import (
    DENSE,
    MOST_AGES,
    FitPoints,
    Grade,
    GroupPolicy,
    InactivityPolicy,
    Score,
    ScoreByDay,
    ScoreTotals,
    ScoringPolicy,
    SignalPolicy,
    rounded,
    score_of,
)

TODAY = 20_000
Days = Mapping[int, int]


def fast_and_explained(
    policy: ScoringPolicy, signals: Mapping[str, Days], *, fit: int = 0, last: int | None = None
) -> tuple[ScoreTotals, Score]:
    """The score of counts by their age in days, both ways."""
    counts = {
        name: {TODAY - age: count for age, count in days.items()} for name, days in signals.items()
    }
    tally = Tally(counts, {}, {} if last is None else {"page_viewed": TODAY - last})
    rules = [FitPoints("rule", fit)] if fit else []
    return ScoreByDay(policy, tally).on(TODAY, fit), score_of(policy, tally, rules, TODAY)


def totals(policy: ScoringPolicy, signals: Mapping[str, Days], **others: Any) -> ScoreTotals:
    """The score of counts, in which both ways must agree."""
    fast, explained = fast_and_explained(policy, signals, **others)
    assert fast == totals_of(explained)
    assert sum(line.points for line in explained.contributions) == explained.score
    return fast


def totals_of(score: Score) -> ScoreTotals:
    return ScoreTotals(score.score, score.engagement, score.fit, score.days_inactive)


@pytest.mark.parametrize(
    ("micro", "points"),
    [
        (0, 0), (499_999, 0), (500_000, 1), (1_499_999, 1), (1_500_000, 2),
        (-500_000, 0), (-500_001, -1), (-1_500_000, -1),
    ],
)  # fmt: skip
def test_halves_are_rounded_up(micro: int, points: int) -> None:
    assert rounded(micro) == points


@pytest.mark.parametrize(
    ("signal", "days", "engagement"),
    [
        ({"points": 10}, {0: 1}, 10),
        ({"points": 10}, {0: 2, 500: 1}, 30),  # never fades
        ({"points": 10, "per_day": 3}, {0: 3}, 30),
        ({"points": 10, "per_day": 3}, {0: 4, 1: 4}, 60),  # the limit is of each day
        ({"points": 10, "half_life_days": 7.0}, {7: 1}, 5),
        ({"points": 10, "half_life_days": 7.0}, {14: 1}, 3),  # 2.5, and halves go up
        ({"points": 10, "half_life_days": 7.0}, {-1: 1}, 10),  # what is to come has not faded
        ({"points": 10, "expires_after_days": 30}, {29: 1}, 10),
        ({"points": 10, "expires_after_days": 30}, {30: 1}, 0),
        ({"points": -10}, {0: 1}, -10),
    ],
)
def test_a_signal_is_worth_its_points_by_day_and_age(
    signal: dict[str, Any], days: Days, engagement: int
) -> None:
    policy = ScoringPolicy({"visit": SignalPolicy(**signal)}, {})
    assert totals(policy, {"visit": days}).engagement == engagement


def test_a_signal_that_the_model_has_no_more_is_worth_nothing() -> None:
    assert totals(ScoringPolicy({}, {}), {"visit": {0: 1}}).score == 0


@pytest.mark.parametrize(
    ("limits", "visits", "engagement"),
    [
        (GroupPolicy(maximum=15), 1, 10),
        (GroupPolicy(maximum=15), 2, 15),
        (GroupPolicy(minimum=15), 1, 15),
        (GroupPolicy(minimum=15), 0, 15),  # although nothing of the group happened
        (GroupPolicy(maximum=-5), 0, -5),
        (GroupPolicy(minimum=5, maximum=25), 2, 20),
    ],
)
def test_a_group_of_signals_is_kept_within_its_limits(
    limits: GroupPolicy, visits: int, engagement: int
) -> None:
    policy = ScoringPolicy({"visit": SignalPolicy(10, group="web")}, {"web": limits})
    days = {"visit": {0: visits}} if visits else {}
    assert totals(policy, days).engagement == engagement


@pytest.mark.parametrize(
    ("idle", "engagement"),
    [(None, 100), (13, 100), (14, 90), (20, 90), (21, 81), (28, 73), (-1, 100)],
)
def test_inactivity_takes_a_share_on_its_days(idle: int | None, engagement: int) -> None:
    inactivity = InactivityPolicy(after_days=14, lose_ppm=100_000, every_days=7)
    policy = ScoringPolicy({"visit": SignalPolicy(100)}, {}, inactivity)
    assert totals(policy, {"visit": {0: 1}}, last=idle).engagement == engagement


@pytest.mark.parametrize(
    ("points", "fit", "score"), [(10, 5, 15), (10, -10, 0), (10, -11, 0), (-10, 5, 0), (0, 0, 0)]
)
def test_a_score_is_engagement_and_fit_and_never_below_zero(
    points: int, fit: int, score: int
) -> None:
    policy = ScoringPolicy({"visit": SignalPolicy(points)}, {})
    assert totals(policy, {"visit": {0: 1}}, fit=fit) == ScoreTotals(score, points, fit, None)


@pytest.mark.parametrize(
    ("base", "floor", "points", "score"),
    [
        (20, 0, 5, 25),
        (20, 0, -30, 0),
        (-20, 0, 5, 0),
        (20, None, -30, -10),
        (0, None, -30, -30),
        (0, -20, -30, -20),
        (0, -20, -10, -10),
    ],
)
def test_every_lead_has_the_base_and_none_is_below_the_floor(
    base: int, floor: int | None, points: int, score: int
) -> None:
    policy = ScoringPolicy({"visit": SignalPolicy(points)}, {}, base=base, floor=floor)
    assert totals(policy, {"visit": {0: 1}}) == ScoreTotals(score, points, 0, None)


@pytest.mark.parametrize(
    ("fit", "grade"),
    [(99, "A"), (40, "A"), (39, "B"), (25, "B"), (24, "C"), (0, "C"), (-10, "C")],
)
def test_a_grade_is_the_best_that_the_fit_reaches_or_the_last(fit: int, grade: str) -> None:
    grades = (Grade("A", 40), Grade("B", 25), Grade("C", 0))
    assert ScoringPolicy({}, {}, grades=grades).grade_of(fit) == grade
    assert ScoringPolicy({}, {}).grade_of(fit) == ""


@pytest.mark.parametrize(
    ("limits", "days", "engagement"),
    [
        ({"max_count": 1}, {0: 1, 9: 1}, 10),
        ({"max_count": 1, "half_life_days": 9.0}, {0: 1, 9: 1}, 10),  # the latest is what counts
        ({"max_count": 1, "half_life_days": 9.0}, {9: 3}, 5),
        ({"max_count": 3, "per_day": 2}, {0: 5, 1: 5}, 30),  # two of today, one of yesterday
        ({"max_count": 3, "expires_after_days": 5}, {4: 1, 6: 9}, 10),
        ({"max_count": 9}, {0: 1}, 10),
    ],
)
def test_of_a_signal_with_a_limit_in_all_the_latest_events_count(
    limits: dict[str, Any], days: Days, engagement: int
) -> None:
    policy = ScoringPolicy({"visit": SignalPolicy(10, **limits)}, {})
    assert totals(policy, {"visit": days}).engagement == engagement


def test_a_line_says_what_each_limit_and_age_took() -> None:
    signal = SignalPolicy(10, per_day=2, max_count=3, half_life_days=1.0)
    _, score = fast_and_explained(ScoringPolicy({"visit": signal}, {}), {"visit": {0: 4, 1: 4}})
    (line,) = score.contributions
    taken = (line.per_day_took_micro, line.max_count_took_micro, line.decay_took_micro)
    assert line.raw_points == 80
    assert [micro / 1_000_000 for micro in taken] == [40, 10, 5]
    assert line.points == 25


@pytest.mark.parametrize(
    "days",
    [
        dict.fromkeys(range(30), 1),
        {0: 1, DENSE * 2 - 1: 1},  # two counts in just so many days: added up day by day
        {0: 1, DENSE * 2: 1},
        {0: 1, 1: 20, 900: 3},
        {MOST_AGES - 1: 2},
        {MOST_AGES: 2, MOST_AGES + 1: 1},
        {-2: 1, 0: 1},
    ],
)
@pytest.mark.parametrize(
    "fading", [{}, {"half_life_days": 30.0}, {"half_life_days": 0.5}, {"expires_after_days": 8}]
)
def test_the_fast_sum_is_the_explained_one_however_days_lie(
    days: Days, fading: dict[str, Any]
) -> None:
    signals = {
        "visit": SignalPolicy(7, per_day=5, **fading),
        "ask": SignalPolicy(-3, group="all", **fading),
    }
    policy = ScoringPolicy(signals, {"all": GroupPolicy(minimum=-2)})
    fast, explained = fast_and_explained(policy, {"visit": days, "ask": days}, last=3)
    assert fast == totals_of(explained)


@pytest.mark.parametrize(
    ("signal", "days", "exact", "of_limit", "of_age"),
    [
        (SignalPolicy(10), {0: 3}, 30, 0, 0),
        (SignalPolicy(10, per_day=2), {0: 3, 30: 1}, 30, 10, 0),
        (SignalPolicy(10, per_day=2, half_life_days=30), {0: 3, 30: 1}, 25, 10, 5),
        (SignalPolicy(-4, expires_after_days=10), {3: 2, 10: 1}, -8, 0, -4),
    ],
)
def test_a_line_says_what_the_daily_limit_and_age_took(
    signal: SignalPolicy, days: Days, exact: int, of_limit: int, of_age: int
) -> None:
    _, score = fast_and_explained(ScoringPolicy({"seen": signal}, {}), {"seen": days})

    (line,) = (each for each in score.contributions if each.name == "seen")
    taken = (line.exact_micro, line.per_day_took_micro, line.decay_took_micro)
    assert taken == tuple(points * 1_000_000 for points in (exact, of_limit, of_age))
    assert line.raw_points == exact + of_limit + of_age
