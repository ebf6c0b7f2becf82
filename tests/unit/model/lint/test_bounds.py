"""What a model is said to give at least and at most, against the scores that it gives."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.history import Tally
from warmlead.domain.scoring import ScoreByDay
from warmlead.model.document import read
from warmlead.model.lint.bounds import grade_ranges, possible
from warmlead.model.lint.regions import Choice, Range
from warmlead.model.loading import plan_of
from warmlead.model.plan import rules_of
from warmlead.model.structure import hold_to_schema

TODAY = 20_000
POINTS = st.integers(-20, 20)
FADING = [{"half_life": "2d"}, {"expires_after": "3d"}, {"decay": "never"}]
DAYS = st.dictionaries(st.integers(TODAY - 3, TODAY + 1), st.integers(1, 20), min_size=1)
NAMES = "xyz"


@st.composite
def signals(draw: st.DrawFn) -> dict[str, Any]:
    signal = {"on": "page_viewed", "points": draw(POINTS), "per_day": draw(st.integers(1, 3))}
    signal |= draw(st.sampled_from(FADING)) | draw(st.sampled_from([{}, {"max_count": 2}]))
    return signal | draw(st.sampled_from([{}, {"group": "web"}]))


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    rules = st.dictionaries(st.sampled_from(NAMES), POINTS, min_size=1)
    whens = {"fit": "employees > 1", "bonuses": "last_7d.page_viewed > 1"}
    return {
        "signals": draw(st.fixed_dictionaries({name: signals() for name in NAMES})),
        "groups": {"web": draw(st.sampled_from([{}, {"max": 9}, {"min": -9}]))},
        "base": draw(st.integers(-30, 30)),
        "floor": draw(st.sampled_from([0, -5, "none"])),
        "grades": draw(st.sampled_from([{}, {"A": 10, "B": 0, "C": -10}])),
        "inactivity": {"after": "2d", "lose": "50%", "every": "1d"},
    } | {
        section: {name: {"when": when, "points": each} for name, each in draw(rules).items()}
        for section, when in whens.items()
    }


@given(models(), st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, DAYS)), st.data())
def test_no_lead_is_beyond_the_bounds_of_its_model(
    model: dict[str, Any], counts: dict[str, dict[int, int]], data: st.DataObject
) -> None:
    sound = hold_to_schema(read(json.dumps(model)))
    assert sound.findings == ()
    scoring = rules_of(plan_of(sound.file)).scoring
    last = {"page_viewed": max(map(max, counts.values()), default=TODAY)}

    def some_of(section: str) -> int:
        points = [rule["points"] for rule in model[section].values()]
        return sum(points[: data.draw(st.integers(0, len(points)))])

    fit = some_of("fit")
    got = ScoreByDay(scoring, Tally(counts, {}, last)).on(TODAY, fit, some_of("bonuses"))

    bounds = possible(sound).domains
    for name, value in (("score", got.score), ("engagement", got.engagement), ("fit", fit)):
        bound = bounds[name]
        assert isinstance(bound, Range)
        assert bound.least <= value <= bound.most
    if grade := scoring.grade_of(fit):
        grades = bounds["grade"]
        assert isinstance(grades, Choice)
        assert grades.holds(grade)


def test_bounds_are_those_of_a_lead_that_has_all_of_it() -> None:
    text = """
signals:
  liked: {on: page_viewed, points: 5, per_day: 2, max_count: 3, decay: never}
  left: {on: email_unsubscribed, points: -4, max_count: 1, decay: never}
fit: {near: {when: country == "US", points: 7}, far: {when: country == "NZ", points: -2}}
bonuses: {keen: {when: last_7d.page_viewed > 1, points: 3}}
base: 10
floor: none
grades: {A: 8, B: 5, C: -5, D: -9}
"""
    sound = hold_to_schema(read(text))

    assert grade_ranges(sound.file) == {
        "A": Range(8),
        "B": Range(5, 7),
        "C": Range(-5, 4),
        "D": Range(most=-6),
    }
    assert possible(sound).domains == {
        "engagement": Range(-4, 18),
        "fit": Range(-2, 7),
        "score": Range(4, 35),
        "peak_score": Range(4),
        "days_inactive": Range(0),
        "grade": Choice(frozenset(["B", "C"])),
    }
