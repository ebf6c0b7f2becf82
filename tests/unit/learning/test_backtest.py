"""A back-test says of models what one can count by hand on the same leads."""

from pathlib import Path

import pytest

from builders import NOW
from unit.learning.crowds import HAND
from unit.learning.leads import DAY, Books, books
from warmlead.learning.backtest import backtest_of
from warmlead.learning.backtest_report import UNKNOWN_PAST, BacktestReport
from warmlead.learning.gates import TooFewLeadsError
from warmlead.learning.observations import Question
from warmlead.model.loading import Model, load

TURNED_ROUND = """
base: 20
signals:
  demo_requested: {on: demo_requested, points: -10}
stages:
  mql: {enter: score >= 20}
"""
WITH_A_NEW_SIGNAL = """
signals:
  demo_requested: {on: demo_requested, points: 30}
  read: {on: page_viewed, points: 5}
stages:
  mql: {enter: score >= 30}
"""
QUESTION = Question(outcome="customer", within=90 * DAY)

hand, turned, new = (
    load(text, name=name)
    for name, text in (("hand", HAND), ("turned", TURNED_ROUND), ("new", WITH_A_NEW_SIGNAL))
)


async def judged(
    kept: Books, *models: Model, bar: int | None = None, as_if_none: bool = False
) -> BacktestReport:
    return await backtest_of(
        kept.store, kept.reports, models, QUESTION, now=NOW, bar=bar, as_if_none=as_if_none
    )


async def test_a_back_test_counts_as_one_does_by_hand(crowded: Path) -> None:
    async with books(crowded, hand.rules) as kept:
        report = await judged(kept, hand, turned)
    one, other = report.models
    assert (report.leads, report.won, report.weeks, report.within_days) == (120, 40, 8.5, 90)
    assert (one.name, one.version, one.gain) == ("hand", hand.version, None)
    # 30 of 40 winners and 10 of 80 others have 30 points, the rest none: ties count half
    assert one.auc.value == pytest.approx(0.75 * 0.875 + (0.75 * 0.125 + 0.25 * 0.875) / 2)
    assert other.auc.value == pytest.approx(1 - 0.8125)
    assert other.gain
    assert other.gain.value == pytest.approx(-0.625)
    bar = one.at_bar
    assert (bar.bar, bar.leads, bar.passed, bar.won, bar.unknown) == ("mql", 120, 40, 30, 0)
    assert (bar.precision.value, bar.recall.value) == (0.75, 0.75)
    assert bar.mqls_a_week == pytest.approx(40 / 8.5, abs=0.01)
    assert [tenth.leads for tenth in one.tenths] == [12] * 10
    assert one.tenths[0].lift == pytest.approx(0.75 * 3)
    # two groups of leads, with the rates 10 of 80 and 30 of 40
    assert one.reliability.calibration_error < 0.1
    assert sum(band.won for band in one.reliability.bands) == 40


async def test_it_says_for_whom_another_model_decides_otherwise(crowded: Path) -> None:
    async with books(crowded, hand.rules) as kept:
        (change,) = (await judged(kept, hand, turned)).changes
    assert (change.more.leads, change.more.won) == (80, 10)
    assert (change.fewer.leads, change.fewer.won) == (40, 30)
    assert change.fewer.rate.value == 0.75
    assert len(change.more.examples) == len(change.fewer.examples) == 10
    lost = change.fewer.examples[0]
    assert (lost.before.score, lost.after.score) == (30, 10)
    assert lost.before.reasons[0].startswith("+30 Demo requested once")
    assert lost.who.startswith("<lead-")
    assert "who" not in lost.model_dump()


async def test_with_a_score_all_models_have_the_same_bar(crowded: Path) -> None:
    async with books(crowded, hand.rules) as kept:
        report = await judged(kept, hand, turned, bar=15)
    assert [each.at_bar.bar for each in report.models] == ["score >= 15"] * 2
    assert [each.at_bar.passed for each in report.models] == [40, 80]


async def test_what_the_history_does_not_know_is_not_counted_as_none(crowded: Path) -> None:
    async with books(crowded, hand.rules) as kept:
        with pytest.raises(TooFewLeadsError, match="of 25 more the history does not know"):
            await judged(kept, hand, new)
        report = await judged(kept, hand, new, as_if_none=True)
        alone = await judged(kept, hand)
    assert [each.gaps for each in report.models] == [{}, {"read": 25}]
    assert UNKNOWN_PAST not in report.left_out
    assert alone.leads == report.leads == 120


async def test_the_probability_that_a_model_states_is_held_against_what_came(crowded: Path) -> None:
    # log-odds of 10 in 80 without points, and of 30 in 40 with 30 points
    stated = "intercept: -1.9459, slope: 0.1015, leads: 120, won: 40"
    same, other = (
        load(f"{HAND}probability: {{outcome: {outcome}, within: 90d, {stated}}}\n", name=outcome)
        for outcome in ("customer", "sql")
    )
    async with books(crowded, hand.rules) as kept:
        report = await judged(kept, same, other)
    one, two = (model.reliability for model in report.models)
    assert (one.source, two.source) == ("model", "folds")
    assert one.calibration_error < 0.001
    assert [(band.leads, band.won) for band in one.bands] == [(80, 10), (40, 30)]
