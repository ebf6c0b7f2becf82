"""What a model file says of points: base, floor, bonuses, grades, once ever, and by origin."""

from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from builders import a_lead, an_event
from warmlead.application.explain import explain, view
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event
from warmlead.model.loading import Model, load

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAIN = """\
signals:
  visited: {on: page_viewed, points: 1, max_count: 1, decay: never}
fit:
  large: {when: employees >= 50, points: 15}
  tiny: {when: employees < 5, points: -15}
stages:
  mql: {enter: score >= 10, leave: score < 5}
"""
MORE = """\
base: 20
floor: -50
bonuses:
  regular_visitor: {when: days_30d.page_viewed >= 3, points: 10, title: A regular visitor}
  idle: {when: visited && days_inactive > 30, points: -5}
"""


@cache
def model(text: str) -> Model:
    return load(text, name="test")


def test_base_floor_bonuses_and_once_ever_are_what_the_file_says() -> None:
    rules, plain = model(PLAIN + MORE).rules, model(PLAIN).rules

    assert (rules.scoring.base, rules.scoring.floor) == (20, -50)
    assert (plain.scoring.base, plain.scoring.floor) == (0, 0)
    assert model(PLAIN + "floor: none").rules.scoring.floor is None
    assert rules.scoring.signals["visited"].max_count == 1
    assert rules.titles["regular_visitor"] == "A regular visitor"
    assert [(bonus.name, bonus.points) for bonus in rules.bonus({"days_30d.page_viewed": 3})] == [
        ("regular_visitor", 10)
    ]
    assert [bonus.name for bonus in rules.bonus({"visited": True, "days_inactive": 31})] == ["idle"]
    assert {measure.fact for measure in rules.counters} == {"days_30d.page_viewed"}


def test_a_bonus_is_a_line_of_the_explained_score() -> None:
    events = [
        an_event(id=f"visit-{day}", occurred_at=NOW - timedelta(days=day)) for day in (0, 1, 1, 29)
    ]
    explained = explain(a_lead(*events), model(PLAIN + MORE).rules, NOW)

    lines = [(line.kind, line.points, line.because) for line in explained.contributions]
    assert lines == [
        ("base", 20, "What every lead begins with"),
        ("bonus", 10, "Bonus: A regular visitor"),
    ]
    assert (explained.score, explained.engagement) == (30, 10)


@pytest.mark.parametrize(
    ("kept", "changed"),
    [
        ("base: 20", "base: 21"),
        ("floor: -50", "floor: none"),
        ("points: 10, title", "points: 11, title"),
        ("> 30", "> 31"),
        ("floor: -50", "floor: -50\ngrades: {A: 15, B: 0}"),
    ],
)
def test_another_base_floor_bonus_or_grade_is_another_version(kept: str, changed: str) -> None:
    assert kept in MORE
    assert model(PLAIN + MORE.replace(kept, changed)).version != model(PLAIN + MORE).version


def test_spacing_in_the_condition_of_a_bonus_keeps_the_version() -> None:
    spaced = MORE.replace("page_viewed >= 3", "page_viewed   >=3")
    assert model(PLAIN + spaced).version == model(PLAIN + MORE).version


# --- grades --------------------------------------------------------------------------------


def test_the_matrix_of_grade_and_score_opens_a_stage() -> None:
    matrix = 'grade == "A" && score >= 40 || grade in ["B", "C"] && score >= 60'
    text = PLAIN.replace("max_count: 1, ", "").replace("score >= 10", f"'{matrix}'")
    rules = model(text + "grades: {C: 0, A: 15, B: 5}").rules

    assert [(grade.name, grade.least) for grade in rules.scoring.grades] == [
        *(("A", 15), ("B", 5), ("C", 0))
    ]
    assert [
        rules.stages[0].enter({"grade": grade, "score": score})
        for grade, score in (("A", 39), ("A", 40), ("B", 59), ("B", 60), ("C", 60))
    ] == [False, True, False, True, True]


def test_a_lead_is_graded_by_its_fit() -> None:
    rules = model(PLAIN + "grades: {A: 15, B: 0}").rules
    small, large = a_lead(), a_lead(an_event(traits={"employees": 50}))
    found = [evaluation_of(lead, rules, NOW) for lead in (small, large)]

    assert [each.grade for each in found] == ["B", "A"]
    assert [each.facts["grade"] for each in found] == ["B", "A"]
    assert [explain(lead, rules, NOW).grade for lead in (small, large)] == ["B", "A"]
    assert [view(lead, rules, NOW).grade for lead in (small, large)] == ["B", "A"]
    ungraded = evaluation_of(small, model(PLAIN).rules, NOW)
    assert (ungraded.grade, "grade" in ungraded.facts) == ("", False)


# --- origin --------------------------------------------------------------------------------

ORIGINS = """\
signals:
  asked: {on: demo_requested, points: 1, decay: never}
fit:
  sent_by_somebody: {when: first.channel == "Referral", points: 10}
bonuses:
  of_the_fair: {when: last.campaign.startsWith("fair-"), points: 5}
  of_the_webinar: {when: first.landing_page == "/webinar", points: 2}
  of_the_shop: {when: last.landing_page == "/shop", points: 3}
stages:
  mql: {enter: score >= 16 && last.source != "mailchimp", leave: score < 3}
"""


def visit(day: int, **attribution: str) -> Event:
    at = NOW - timedelta(days=day)
    return an_event(id=f"visit-{day}", occurred_at=at, attribution=attribution)


@pytest.mark.parametrize(
    ("visits", "score", "opens"),
    [
        ([visit(3)], 0, False),  # unknown
        ([visit(3, referrer="https://blog.example/")], 10, True),
        ([visit(3, utm_source="google", landing_page="/webinar")], 2, True),
        ([visit(3, utm_source="x", landing_page="/shop"), visit(1, utm_source="x")], 3, True),
        ([visit(3, utm_source="x"), visit(1, utm_source="y", landing_page="/webinar")], 0, True),
        ([visit(3, utm_source="google", utm_medium="cpc")], 0, True),
        ([visit(3, referrer="https://blog.example/"), visit(1, utm_campaign="fair-7")], 15, True),
        ([visit(1, referrer="https://blog.example/"), visit(3, utm_campaign="fair-7")], 0, True),
        (
            [
                visit(3, referrer="https://blog.example/"),
                visit(1, utm_campaign="fair-7", utm_source="mailchimp", utm_medium="email"),
            ],
            15,
            False,
        ),
    ],
)
def test_points_and_stages_may_depend_on_where_a_lead_came_from(
    visits: list[Event], score: int, *, opens: bool
) -> None:
    rules = model(ORIGINS).rules
    evaluation = evaluation_of(a_lead(*visits), rules, NOW)

    assert evaluation.totals.score == score
    assert rules.stages[0].enter({**evaluation.facts, "score": 16}) is opens


def test_a_model_that_does_not_ask_for_origins_does_not_compute_them() -> None:
    assert model(ORIGINS).rules.reads_origin
    assert not model(PLAIN + MORE).rules.reads_origin
