"""The evaluation of a lead: its facts, the day of its next review, and what a later day brings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from unit.domain.worlds import NOON, HasTrait, Holds, World, event_of, rules_of
from warmlead.domain.evaluation import (
    MOST_DAYS_AHEAD,
    REST_AFTER_DAYS,
    Projection,
    evaluation_of,
    move_stage,
    next_review_day,
)
from warmlead.domain.event import Trust
from warmlead.domain.history import NAME_DAYS, day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.nurture import SequencePolicy, SequenceStep
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy
from warmlead.domain.stages import ANONYMOUS, StagePolicy

DAY = timedelta(days=1)
TODAY = day_of(to_ms(NOON))


def visitor(rules: Rules, name: str = "page_viewed", *, days_ago: int = 0) -> Lead:
    """A known person of whom there is one event."""
    world = World(rules)
    world.apply([event_of("e", NOON - days_ago * DAY, name=name, email="ada@example.com")], NOON)
    (lead,) = world.leads.values()
    evaluation = evaluation_of(lead, rules, NOON)
    return replace(lead, progress=move_stage(lead, evaluation, rules, NOON).progress)


def days_to_review(lead: Lead, rules: Rules) -> int | None:
    evaluation = evaluation_of(lead, rules, NOON)
    day = next_review_day(lead, evaluation, rules, NOON, enrolments=lead.enrolments)
    return None if day is None else day - TODAY


def scored(points: int, **fading: Any) -> ScoringPolicy:
    return ScoringPolicy({"visit": SignalPolicy(points, **fading)}, {})


SEEN = {"page_viewed": ["visit"]}


@pytest.mark.parametrize(
    ("points", "expires_after_days", "days"),
    [
        (5, 1, 1),  # five points fewer tomorrow
        (5, 6, 6),
        (5, 7, MOST_DAYS_AHEAD),
        (5, 90, MOST_DAYS_AHEAD),  # nothing in the week: reviewed at its end
        (4, 1, MOST_DAYS_AHEAD),  # four points are not worth a review
        (-5, 1, MOST_DAYS_AHEAD),  # no score is below 0
    ],
)
def test_a_lead_is_reviewed_on_the_day_on_which_five_points_change(
    points: int, expires_after_days: int, days: int
) -> None:
    rules = rules_of(scored(points, expires_after_days=expires_after_days), SEEN)
    assert days_to_review(visitor(rules), rules) == days


@pytest.mark.parametrize("days", range(1, MOST_DAYS_AHEAD))
def test_a_lead_is_reviewed_on_the_day_on_which_its_stage_changes(days: int) -> None:
    holds = Holds(lambda facts: facts.get("days_inactive") == days)
    rules = rules_of(scored(1), SEEN, stages=[StagePolicy("quiet", enter=holds)])
    assert days_to_review(visitor(rules), rules) == days


@pytest.mark.parametrize("days", range(1, MOST_DAYS_AHEAD))
def test_a_lead_is_reviewed_on_the_day_on_which_a_sequence_starts(days: int) -> None:
    starts = Holds(lambda facts: facts.get("days_inactive") == days)
    never = Holds(lambda _: False)
    sequence = SequencePolicy("wake-up", starts, never, (SequenceStep(timedelta(0), "news"),))
    rules = replace(rules_of(scored(1), SEEN), sequences=(sequence,))
    assert days_to_review(visitor(rules), rules) == days


@pytest.mark.parametrize("days_left", [1, 3, MOST_DAYS_AHEAD])
def test_a_visitor_without_a_name_is_reviewed_by_score_as_if_everything_were_asked(
    days_left: int,
) -> None:
    never = HasTrait("never", 5, "title", "nobody's")
    plain = rules_of(scored(5, expires_after_days=days_left), SEEN)
    for rules in (plain, replace(plain, bonuses=(never,))):
        world = World(rules)
        world.apply([event_of("e", NOON, anonymous_id="browser-1")], NOON)
        (lead,) = world.leads.values()
        assert lead.progress.stage == ANONYMOUS
        assert days_to_review(lead, rules) == days_left


@pytest.mark.parametrize("window_days", [1, 3, 6])
def test_a_lead_is_reviewed_on_the_day_on_which_an_event_leaves_a_window(window_days: int) -> None:
    fact = f"last_{window_days}d.page_viewed"
    gone = Holds(lambda facts: facts[fact] == 0)
    rules = rules_of(
        scored(1), SEEN, counters=[(window_days, "page_viewed")], stages=[StagePolicy("cold", gone)]
    )
    assert days_to_review(visitor(rules), rules) == window_days


@pytest.mark.parametrize(
    ("name", "days_ago", "days"),
    [
        ("page_viewed", REST_AFTER_DAYS - 1, MOST_DAYS_AHEAD),
        ("page_viewed", REST_AFTER_DAYS, MOST_DAYS_AHEAD),
        ("page_viewed", REST_AFTER_DAYS + 1, None),
        # of whom nothing is known but what was done to them: until no window holds it any more
        ("email_sent", NAME_DAYS - 1, MOST_DAYS_AHEAD),
        ("email_sent", NAME_DAYS, None),
        ("email_sent", NAME_DAYS + 1, None),
    ],
)
def test_a_lead_that_was_inactive_for_long_rests(
    name: str, days_ago: int, days: int | None
) -> None:
    scoring = replace(scored(1), passive=frozenset({"email_sent"}))
    rules = rules_of(scoring, SEEN)
    assert days_to_review(visitor(rules, name, days_ago=days_ago), rules) == days


def test_a_lead_does_not_rest_if_time_alone_will_change_its_stage() -> None:
    later = Holds(lambda facts: int(str(facts.get("days_inactive", 0))) > 1_000)
    rules = rules_of(scored(1), SEEN, stages=[StagePolicy("lost", enter=later)])
    lead = visitor(rules, days_ago=REST_AFTER_DAYS + 1)
    assert days_to_review(lead, rules) == MOST_DAYS_AHEAD


@pytest.mark.parametrize(("days_ago", "days"), [(199, MOST_DAYS_AHEAD), (200, None)])
def test_a_lead_does_not_rest_while_a_long_window_holds_an_event(
    days_ago: int, days: int | None
) -> None:
    scoring = replace(scored(1), passive=frozenset({"email_sent"}))
    rules = rules_of(scoring, SEEN, counters=[(200, "page_viewed")])
    assert days_to_review(visitor(rules, "email_sent", days_ago=days_ago), rules) == days


@pytest.mark.parametrize(
    ("days", "score", "days_inactive", "last_3d", "peak"),
    [(0, 20, 0, 1, 20), (1, 14, 1, 1, 20), (2, 10, 2, 1, 20), (3, 7, 3, 0, 20), (40, 0, 40, 0, 20)],
)
def test_a_projection_is_what_the_evaluation_of_that_day_will_be(
    days: int, score: int, days_inactive: int, *, last_3d: int, peak: int
) -> None:
    rules = rules_of(scored(20, half_life_days=2.0), SEEN, counters=[(3, "page_viewed")])
    lead = visitor(rules)
    totals, standing = Projection(lead, evaluation_of(lead, rules, NOON), rules).on(TODAY + days)
    then = evaluation_of(lead, rules, NOON + days * DAY)

    assert totals == then.totals
    assert (totals.score, totals.days_inactive) == (score, days_inactive)
    assert standing.facts["last_3d.page_viewed"] == last_3d
    assert standing.facts["peak_score"] == peak
    assert standing == then.standing


# --- stage moves ----------------------------------------------------------------------------


SCORE_10 = Holds(lambda facts: int(str(facts["score"])) >= 10)
TALL = HasTrait("tall", 5, "size", "tall")


def a_model(*, cooldown: timedelta = 30 * DAY, fit_rules: Sequence[HasTrait] = ()) -> Rules:
    """Ten points make an MQL, and one visit is worth them."""
    stage = StagePolicy("mql", enter=SCORE_10, cooldown=cooldown)
    return rules_of(scored(10), SEEN, stages=[stage], fit_rules=fit_rules)


def after(rules: Rules, *happened: tuple[str, Mapping[str, Any]]) -> tuple[Lead, list[str]]:
    """A person after some events, an hour apart, each evaluated; and the way through stages."""
    world = World(rules)
    path: list[str] = []
    for hour, (name, fields) in enumerate(happened):
        now = NOON + hour * timedelta(hours=1)
        event = event_of(f"e{hour}", now, name=name, email="ada@example.com", **fields)
        world.apply([event], now)
        (lead,) = world.leads.values()
        progress, moves = move_stage(lead, evaluation_of(lead, rules, now), rules, now)
        world.leads[lead.id] = lead = replace(lead, progress=progress)
        path += [f"{move.to_stage}: {move.cause}" for move in moves]
    return lead, path


VISIT: tuple[str, dict[str, Any]] = ("page_viewed", {})


def said(status: str, reason: str = "", **fields: Any) -> tuple[str, dict[str, Any]]:
    properties = {"reason": reason} if reason else {}
    return f"sales_{status}", {"trust": Trust.SIGNED, "properties": properties, **fields}


@pytest.mark.parametrize(
    ("statements", "path"),
    [
        ([said("touched")], []),
        ([said("accepted")], ["sql: accepted"]),
        ([said("opportunity")], ["opportunity: opportunity"]),
        ([said("won")], ["customer: won"]),
        ([said("lost", "too dear")], ["recycled: lost"]),
        ([said("rejected", "not_ready")], ["recycled: rejected"]),
        ([said("rejected", "unreachable")], ["recycled: rejected"]),
        ([said("rejected", "bad_fit")], ["disqualified: rejected"]),
        ([said("rejected", "bad_data")], ["disqualified: rejected"]),
        ([said("rejected", "duplicate")], ["disqualified: rejected"]),
        ([said("rejected", "anything else")], ["recycled: rejected"]),
        ([said("accepted"), said("accepted")], ["sql: accepted"]),
        ([said("accepted"), said("won")], ["sql: accepted", "customer: won"]),
        ([said("won"), said("lost")], ["customer: won", "recycled: lost"]),
        ([said("accepted"), VISIT], ["sql: accepted"]),
    ],
)
def test_a_lead_goes_where_sales_puts_it(
    statements: Sequence[tuple[str, Mapping[str, Any]]], path: list[str]
) -> None:
    assert after(a_model(), VISIT, *statements)[1] == ["mql: entered", *path]


def test_a_statement_of_a_stranger_moves_nobody() -> None:
    _, path = after(a_model(), VISIT, said("won", trust=Trust.PUBLIC))
    assert path == ["mql: entered"]


def test_without_a_cooldown_a_refused_lead_is_offered_again_at_once() -> None:
    _, path = after(a_model(cooldown=timedelta(0)), VISIT, said("rejected", "not_ready"))
    assert path == ["mql: entered", "recycled: rejected", "mql: entered"]


def grown(size: str) -> tuple[str, dict[str, Any]]:
    return "identified", {"traits": {"size": size}}


@pytest.mark.parametrize(
    ("first", "later", "path"),
    [
        (VISIT, VISIT, []),
        (VISIT, grown("short"), []),
        (VISIT, grown("tall"), ["lead: fit_changed", "mql: entered"]),
        (("page_viewed", grown("tall")[1]), VISIT, []),
        (
            ("page_viewed", grown("tall")[1]),
            grown("short"),
            ["lead: fit_changed", "mql: entered"],
        ),
    ],
)
def test_an_unfit_lead_is_considered_again_when_other_fit_rules_hold(
    first: tuple[str, Mapping[str, Any]], later: tuple[str, Mapping[str, Any]], path: list[str]
) -> None:
    rules = a_model(fit_rules=[TALL])
    _, found = after(rules, first, said("rejected", "bad_fit"), later)
    assert found == ["mql: entered", "disqualified: rejected", *path]


def test_what_was_so_before_sales_judged_does_not_lift_a_disqualification() -> None:
    rules = a_model(fit_rules=[TALL])
    refused = said("rejected", "bad_fit")
    lead, _ = after(rules, VISIT, refused)
    earlier = event_of(
        "late", NOON, name="identified", email="ada@example.com", traits={"size": "tall"}
    )
    world = World(rules)
    world.leads, world.holder = {lead.id: lead}, dict.fromkeys(lead.trails, lead.id)
    world.apply([earlier], NOON + 2 * timedelta(hours=1))
    (lead,) = world.leads.values()
    now = NOON + 2 * timedelta(hours=1)
    progress, moves = move_stage(lead, evaluation_of(lead, rules, now), rules, now)

    assert moves == ()
    assert (progress.stage, progress.grounds) == ("disqualified", "tall")


@pytest.mark.parametrize("reason", ["bad_data", "duplicate"])
def test_a_lead_that_was_refused_for_anything_but_its_fit_stays_disqualified(reason: str) -> None:
    rules = a_model(fit_rules=[TALL])
    lead, path = after(rules, VISIT, said("rejected", reason), grown("tall"))
    assert path == ["mql: entered", "disqualified: rejected"]
    assert lead.progress.grounds is None
