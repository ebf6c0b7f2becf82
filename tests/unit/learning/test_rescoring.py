"""Scores under other points are those that the scorer itself gives, to the point."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.domain.history import Tally
from warmlead.domain.scoring import MICRO, BonusPoints, FitPoints, ScoringPolicy, score_of
from warmlead.learning.evidence import Evidence
from warmlead.learning.observations import Observation
from warmlead.learning.rescoring import rescored
from warmlead.learning.weighing import points_of, policy_with
from warmlead.model.loading import Model, ready_model, ready_names

TODAY = 20_000
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ready_names())
@pytest.mark.parametrize("floor", [0, None])
@settings(max_examples=examples(20), deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_scores_under_new_points_are_those_of_the_scorer(
    name: str, floor: int | None, chance: Random
) -> None:
    model = ready_model(name)
    points = {key: chance.randint(-50, 50) for key in points_of(model.file)}
    new = replace(policy_with(model.rules.scoring, points, chance.randint(0, 60)), floor=floor)
    leads = [a_lead(model, chance) for _ in range(5)]
    evidence, expected = Evidence(), []
    for tally, rules in leads:
        fit = [FitPoints(key[4:], points[key]) for key in rules if key.startswith("fit:")]
        bonus = [BonusPoints(key[6:], points[key]) for key in rules if key.startswith("bonus:")]
        score = score_of(new, tally, fit, TODAY, bonus)
        expected.append((score.score, score.engagement, score.fit))
        evidence.add(an_observation(new, tally, rules, score.days_inactive))
    rule_points = {key: each for key, each in points.items() if not key.startswith("signal:")}
    found = rescored(evidence, new, rule_points, {})
    made = zip(found.scores, found.engagements, found.fits, strict=True)
    assert [tuple(map(int, each)) for each in made] == expected


def a_lead(model: Model, chance: Random) -> tuple[Tally, list[str]]:
    """Some signals on some days, the last of which may be long ago, and some rules that hold."""
    names = [*model.rules.scoring.signals]
    ages = [0, 1, 3, 13, 14, 20, 21, 40, 200]
    signals = {
        name: {TODAY - age: chance.randint(1, 25) for age in chance.sample(ages, 2)}
        for name in chance.sample(names, chance.randint(0, 6))
    }
    idle = chance.choice(ages)
    tally = Tally(signals=signals, names={}, last_day={"page_viewed": TODAY - idle})
    rules = [key for key in points_of(model.file) if not key.startswith("signal:")]
    return tally, chance.sample(rules, chance.randint(0, len(rules)))


def an_observation(
    policy: ScoringPolicy, tally: Tally, rules: list[str], idle: int | None
) -> Observation:
    """What is observed of such a lead, as ``observing`` makes it of one in a store."""
    worths: dict[str, float] = dict.fromkeys(rules, 1.0)
    for name, days in tally.signals.items():
        signal = policy.signals[name]
        kept = [n * signal.keep_micro(TODAY - day) for day, n in signal.counted(days).items()]
        worths[f"signal:{name}"] = sum(kept) / MICRO
    return Observation(
        lead_id="one",
        known_at=BEGAN,
        at=BEGAN + timedelta(days=7),
        won=False,
        reached_at=None,
        score=0,
        engagement=0,
        fit=0,
        days_inactive=idle,
        worths=worths,
        counts={},
        recent={},
        signals={},
        recent_signals={},
        facts={},
    )
