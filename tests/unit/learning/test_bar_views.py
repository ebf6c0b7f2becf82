"""The views of the bar say what would have passed, as one can count it by hand."""

from pathlib import Path

import pytest

from builders import NOW
from unit.learning.crowds import HAND
from unit.learning.leads import DAY, books
from warmlead.learning.bar_report import BarReport
from warmlead.learning.bar_views import Wanted, bar_views
from warmlead.learning.gates import TooFewLeadsError
from warmlead.learning.observations import Question
from warmlead.model.loading import load

QUESTION = Question(outcome="customer", within=90 * DAY)


async def viewed(folder: Path, text: str, **wanted: float) -> BarReport:
    async with books(folder, load(HAND, name="hand").rules) as kept:
        model = load(text, name="model")
        return await bar_views(kept.store, kept.reports, model, QUESTION, Wanted(**wanted), now=NOW)


async def test_the_views_are_counted_on_one_curve(crowded: Path) -> None:
    report = await viewed(crowded, HAND, mqls_a_week=4, rate=0.5, contact_cost=10, deal_value=100)
    by = {view.view: view for view in report.views}
    assert (report.stage, report.leads, report.won, report.always, report.never) == (
        ("mql", 120, 40, 0, 0)
    )
    assert (by["today"].bar, by["today"].passed, by["today"].won) == (30, 40, 30)
    assert by["today"].recall.value == 0.75
    # 40 in 8½ weeks are more than 4 a week: no bar is high enough
    assert (by["capacity"].bar, by["capacity"].nearest) == (None, 30)
    assert (by["target"].bar, by["target"].precision.value) == (30, 0.75)
    # with a tenth of a deal's value a contact pays for all: 40 × 100 − 120 × 10 over 30 × 100 − 400
    assert by["value"].bar == 0
    assert by["value"].value_a_week == pytest.approx(2800 / 8.5, abs=0.1)
    assert [(step.bar, step.passed, step.won) for step in report.curve] == [
        (0, 120, 40),
        (30, 40, 30),
    ]


async def test_what_passes_by_a_signal_passes_every_bar(crowded: Path) -> None:
    bypassed = HAND.replace("{enter: score >= 30}", "{enter: score >= 30, bypass: demo_requested}")
    report = await viewed(crowded, bypassed, mqls_a_week=3)
    assert (report.always, report.never) == (40, 0)
    assert report.views[0].passed == 40
    assert report.views[1].bar is None
    assert [(step.bar, step.passed) for step in report.curve] == [(0, 120)]


async def test_nobody_can_choose_a_bar_that_decides_nothing(crowded: Path) -> None:
    elsewhere = HAND.replace("score >= 30", "score >= 30 && country == 'US'")
    with pytest.raises(TooFewLeadsError, match="nobody meets the conditions of mql"):
        await viewed(crowded, elsewhere)


async def test_without_a_bar_the_score_alone_decides(crowded: Path) -> None:
    report = await viewed(crowded, HAND.replace("score >= 30", "engagement >= 5"), rate=0.5)
    assert report.stage == ""
    assert [(view.view, view.bar) for view in report.views] == [("target", 30)]
