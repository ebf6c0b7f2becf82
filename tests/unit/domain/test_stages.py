"""When a lead moves between stages, and when it stays."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from unit.domain.worlds import NOON, Holds, rules_of
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.merged_progress import merge_progress
from warmlead.domain.stages import (
    ANONYMOUS,
    BYPASS_DAYS,
    LEAD,
    NO_MOVE,
    RECYCLED,
    SALES_STAGES,
    Cooling,
    DayOfMoves,
    MoveCause,
    Progress,
    Rest,
    StagePolicy,
    Standing,
    Transition,
    Why,
    cool_down,
    move,
    next_stage,
)

DAY = timedelta(days=1)
COOLDOWN = 30 * DAY


def at_least(score: int) -> Holds:
    return Holds(lambda facts: int(str(facts["score"])) >= score)


def below(score: int) -> Holds:
    return Holds(lambda facts: int(str(facts["score"])) < score)


MQL = StagePolicy(
    "mql", at_least(50), below(35), cooldown=COOLDOWN, bypass=frozenset({"demo", "trial"})
)
SQL_RULE = StagePolicy("sql", at_least(90), cooldown=COOLDOWN, bypass=frozenset({"demo"}))
PQL = StagePolicy("pql", at_least(80), below(70))
NO_WAY_OUT = StagePolicy("mql", at_least(50))


def standing(
    score: int, *, identified: bool = True, seen: dict[str, datetime] | None = None
) -> Standing:
    last_days = {signal: day_of(to_ms(at)) for signal, at in (seen or {}).items()}
    return Standing(identified, {"score": score}, last_days)


def in_stage(stage: str, *, cooling: Cooling | None = None) -> Progress:
    return Progress(stage, NOON - 90 * DAY, cooling=cooling)


def stage_after(progress: Progress, *found: Standing, now: datetime = NOON) -> str:
    """The stage in the end, when a lead is found so, one after the other."""
    for each in found:
        to_stage, _ = next_stage([MQL, PQL], progress, each, now)
        progress = replace(progress, stage=to_stage)
    return progress.stage


# --- becoming known, warming up, cooling down ----------------------------------------------


def test_an_unidentified_visitor_stays_anonymous() -> None:
    found = standing(99, identified=False, seen={"demo": NOON})
    assert next_stage([MQL], in_stage(ANONYMOUS), found, NOON) == (ANONYMOUS, NO_MOVE)


def test_becoming_known_makes_a_lead() -> None:
    to_stage, why = next_stage([MQL], in_stage(ANONYMOUS), standing(0), NOON)
    assert to_stage == LEAD
    assert why.cause is MoveCause.KNOWN


def test_a_visitor_with_a_high_score_becomes_an_mql_when_identified() -> None:
    assert stage_after(in_stage(ANONYMOUS), standing(50)) == "mql"


def test_between_the_thresholds_a_lead_stays_in_its_stage() -> None:
    assert stage_after(in_stage(LEAD), standing(49)) == LEAD
    assert stage_after(in_stage(LEAD), standing(50), standing(40), standing(35)) == "mql"
    assert stage_after(in_stage(LEAD), standing(50), standing(34), standing(49)) == LEAD


def test_a_stage_without_a_leave_condition_is_kept() -> None:
    assert next_stage([NO_WAY_OUT], in_stage("mql"), standing(0), NOON) == ("mql", NO_MOVE)


def test_every_move_has_a_reason_and_staying_has_none() -> None:
    for stage in (ANONYMOUS, LEAD, RECYCLED, "mql", "pql", "abolished"):
        for score in (0, 40, 60, 75, 90):
            to_stage, why = next_stage([MQL, PQL], in_stage(stage), standing(score), NOON)
            assert bool(why.reason) == (to_stage != stage)


def test_a_lead_goes_straight_to_the_furthest_stage_that_is_open() -> None:
    assert stage_after(in_stage(LEAD), standing(80)) == "pql"
    assert stage_after(in_stage("mql"), standing(80)) == "pql"


def test_a_lead_that_leaves_falls_back_to_an_open_stage() -> None:
    assert stage_after(in_stage("pql"), standing(69)) == "mql"
    assert stage_after(in_stage("pql"), standing(49)) == LEAD


def test_a_lead_at_the_leave_condition_cannot_enter_the_stage() -> None:
    unsubscribed = Holds(lambda facts: facts.get("unsubscribed") is True)
    policy = StagePolicy("mql", at_least(50), unsubscribed)
    found = Standing(identified=True, facts={"score": 90, "unsubscribed": True}, last_days={})
    assert next_stage([policy], in_stage(LEAD), found, NOON) == (LEAD, NO_MOVE)
    assert next_stage([policy], in_stage("mql"), found, NOON)[0] == LEAD


@settings(max_examples=examples(500), derandomize=True)
@given(
    st.sampled_from([ANONYMOUS, LEAD, RECYCLED, "mql", "pql", "abolished", *SALES_STAGES]),
    st.integers(0, 100),
    st.booleans(),
    st.tuples(*[st.one_of(st.none(), st.integers(0, 40))] * 2),
    st.tuples(*[st.integers(0, 100)] * 4),
)
def test_evaluating_the_same_facts_twice_moves_at_most_once(
    stage: str,
    score: int,
    identified: bool,
    days_ago: tuple[int | None, int | None],
    thresholds: tuple[int, int, int, int],
) -> None:
    bypass_ago, rejected_ago = days_ago
    mql = replace(MQL, enter=at_least(thresholds[0]), leave=below(thresholds[1]))
    pql = replace(PQL, enter=at_least(thresholds[2]), leave=below(thresholds[3]))
    seen = {} if bypass_ago is None else {"demo": NOON - bypass_ago * DAY}
    since = None if rejected_ago is None else NOON - rejected_ago * DAY
    cooling = Cooling(since, since + COOLDOWN) if since else None
    found = standing(score, identified=identified, seen=seen)
    progress = in_stage(stage, cooling=cooling)
    once, _ = next_stage([mql, pql], progress, found, NOON)
    assert next_stage([mql, pql], replace(progress, stage=once), found, NOON) == (once, NO_MOVE)


def sent_back(since: datetime) -> Progress:
    return replace(cool_down(in_stage("mql"), [MQL], since), stage=RECYCLED, since=since)


# --- what sales decides ----------------------------------------------------------------------


@pytest.mark.parametrize("stage", SALES_STAGES)
@pytest.mark.parametrize("score", [0, 99])
def test_no_score_moves_a_lead_out_of_a_stage_of_sales(stage: str, score: int) -> None:
    found = standing(score, seen={"demo": NOON})
    assert next_stage([MQL, PQL], in_stage(stage), found, NOON) == (stage, NO_MOVE)


def test_a_rejected_lead_is_not_offered_again_during_the_cooldown() -> None:
    progress = sent_back(NOON)
    until = NOON + COOLDOWN
    for now in (NOON, until - timedelta(milliseconds=1)):
        assert next_stage([MQL], progress, standing(99), now) == (RECYCLED, NO_MOVE)
    assert next_stage([MQL], progress, standing(99), until)[0] == "mql"
    assert next_stage([MQL], progress, standing(40), until) == (RECYCLED, NO_MOVE)


def test_a_second_rejection_restarts_the_cooldown() -> None:
    twice = cool_down(sent_back(NOON), [MQL], NOON + DAY)
    assert twice.cooling == Cooling(NOON + DAY, NOON + DAY + COOLDOWN)


@pytest.mark.parametrize("stage", ["mql", "pql", RECYCLED])
def test_the_longest_cooldown_applies_to_every_stage(stage: str) -> None:
    longer = replace(PQL, cooldown=2 * COOLDOWN)
    progress = replace(cool_down(in_stage(stage), [MQL, longer], NOON), stage=RECYCLED)
    before, after = (NOON + 2 * COOLDOWN + d for d in (-DAY, timedelta(0)))
    assert next_stage([MQL, longer], progress, standing(99), before) == (RECYCLED, NO_MOVE)
    assert next_stage([MQL, longer], progress, standing(99), after)[0] != RECYCLED


def test_without_stages_there_is_nothing_to_wait_for() -> None:
    assert cool_down(in_stage(LEAD), [], NOON).cooling == Cooling(NOON, NOON)


# --- bypass ----------------------------------------------------------------------------------


def test_a_bypass_signal_opens_its_stage_at_any_score() -> None:
    to_stage, why = next_stage([MQL], in_stage(LEAD), standing(0, seen={"demo": NOON}), NOON)
    assert to_stage == "mql"
    assert (why.cause, why.detail) == (MoveCause.BYPASSED, "demo")
    assert stage_after(in_stage(LEAD), standing(0, seen={"newsletter": NOON})) == LEAD


def test_one_of_several_bypass_signals_is_named_regardless_of_their_order() -> None:
    for seen in ({"demo": NOON, "trial": NOON}, {"trial": NOON, "demo": NOON}):
        _, why = next_stage([MQL], in_stage(LEAD), standing(0, seen=seen), NOON)
        assert why.detail == "demo"


def test_a_bypass_signal_keeps_its_stage_open_for_thirty_days() -> None:
    seen = {"demo": NOON}
    last = NOON + (BYPASS_DAYS - 1) * DAY
    assert stage_after(in_stage("mql"), standing(0, seen=seen), now=last) == "mql"
    assert stage_after(in_stage(LEAD), standing(0, seen=seen), now=last) == "mql"
    assert stage_after(in_stage("mql"), standing(0, seen=seen), now=last + DAY) == LEAD
    assert stage_after(in_stage(LEAD), standing(0, seen=seen), now=last + DAY) == LEAD


def test_a_bypass_signal_overrides_the_leave_condition_while_it_lasts() -> None:
    refused = Holds(lambda facts: facts["mail_refused"] is True)
    policy = replace(MQL, leave=refused)
    asked = {"demo": NOON}

    def found(seen: dict[str, datetime]) -> Standing:
        last_days = {signal: day_of(to_ms(at)) for signal, at in seen.items()}
        facts = {"score": 90, "mail_refused": True}
        return Standing(identified=True, facts=facts, last_days=last_days)

    assert next_stage([policy], in_stage("mql"), found({}), NOON)[0] == LEAD
    assert next_stage([policy], in_stage("mql"), found(asked), NOON)[0] == "mql"
    over = NOON + BYPASS_DAYS * DAY
    assert next_stage([policy], in_stage("mql"), found(asked), over)[0] == LEAD


def test_only_a_bypass_signal_of_a_later_day_ends_a_cooldown() -> None:
    progress = sent_back(NOON)
    tomorrow = NOON + DAY
    before = standing(99, seen={"demo": NOON - DAY, "trial": NOON})
    after = standing(0, seen={"demo": tomorrow})
    assert next_stage([MQL], progress, before, tomorrow) == (RECYCLED, NO_MOVE)
    assert next_stage([MQL], progress, after, tomorrow)[0] == "mql"


# --- records ---------------------------------------------------------------------------------


def test_a_move_is_recorded_and_counted() -> None:
    progress = Progress(LEAD, NOON, entered={"mql": 2, LEAD: 3}, peak_score=70)
    later = NOON + timedelta(hours=1, minutes=30)
    because = Why(MoveCause.BYPASSED, "demo opens it", "demo")
    moved, record = move(progress, "mql", because, later, score=55, fit=20, model_version="v")
    assert moved == Progress(
        "mql",
        later,
        entered={"mql": 3, LEAD: 3},
        peak_score=70,
        moved=DayOfMoves(day_of(to_ms(later)), 1),
    )
    assert (record.from_stage, record.to_stage, record.cycle) == (LEAD, "mql", 3)
    assert (record.at, record.hours_in_stage) == (later, 1.5)
    assert (record.reason, record.score, record.fit) == ("demo opens it", 55, 20)
    assert (record.cause, record.detail) == (MoveCause.BYPASSED, "demo")
    assert record.model_version == "v"
    assert progress.entered == {"mql": 2, LEAD: 3}


def test_the_first_time_in_a_stage_is_cycle_one() -> None:
    _, record = move(in_stage(LEAD), "mql", NO_MOVE, NOON, score=0, fit=0, model_version="")
    assert record.cycle == 1


def test_a_move_has_the_time_at_which_it_was_so_and_that_at_which_it_was_learnt() -> None:
    progress = Progress(LEAD, NOON - 4 * DAY)
    moved, record = move(
        progress, "sql", NO_MOVE, NOON, at=NOON - DAY, score=0, fit=0, model_version=""
    )
    assert (record.at, record.learnt_at, record.hours_in_stage) == (NOON - DAY, NOON, 72)
    assert (moved.since, moved.learnt_at) == (NOON - DAY, NOON)
    assert record.is_late
    _, following = move(moved, LEAD, NO_MOVE, NOON - DAY / 2, score=0, fit=0, model_version="")
    assert following.learnt_at == NOON  # a clock that is behind learns nothing earlier


def test_nothing_was_so_after_it_was_learnt() -> None:
    later = NOON + DAY
    _, record = move(
        in_stage(LEAD), "sql", NO_MOVE, NOON, at=later, score=0, fit=0, model_version=""
    )
    assert (record.at, record.learnt) == (NOON, None)


def test_a_move_from_before_the_last_one_took_no_time() -> None:
    progress = Progress("mql", NOON)
    at = NOON - DAY
    _, record = move(progress, "sql", NO_MOVE, NOON, at=at, score=0, fit=0, model_version="")
    assert (record.at, record.hours_in_stage) == (at, 0)


def test_a_move_out_of_the_stages_of_the_model_says_since_when_it_was_in_them() -> None:
    def go(before: Progress, stage: str, days: float) -> tuple[Progress, Transition]:
        now = NOON + days * DAY
        return move(before, stage, NO_MOVE, now, score=0, fit=0, model_version="")

    mql, first = go(in_stage(LEAD), "mql", 1)
    pql, second = go(mql, "pql", 3)
    hot, third = go(pql, "hot", 3.5)
    sql, last = go(hot, "sql", 4)
    assert [each.qualified for each in (first, second, third, last)] == [
        *(None, None), NOON + DAY, NOON + DAY,
    ]  # fmt: skip
    assert last.hours_in_stage == 12
    assert sql.qualified is None
    _, again = go(go(go(sql, RECYCLED, 5)[0], "mql", 6)[0], "sql", 7)
    assert again.qualified is None


# --- merging ---------------------------------------------------------------------------------

STAGES = rules_of(stages=[MQL, PQL]).stage_order


def test_the_order_of_stages_has_those_of_the_model_between_lead_and_sales() -> None:
    built_in = (ANONYMOUS, RECYCLED, LEAD)
    of_sales = ("disqualified", "sql", "opportunity", "customer")
    assert list(STAGES) == [*built_in, "mql", "pql", *of_sales]


def test_merging_two_records_keeps_the_furthest_stage_and_the_highest_counts() -> None:
    cooling = Cooling(NOON, NOON + COOLDOWN)
    parts = [
        Progress("mql", NOON, entered={"mql": 1, LEAD: 4}, peak_score=60),
        Progress(RECYCLED, NOON + DAY, entered={"mql": 3}, peak_score=90, cooling=cooling),
        Progress(ANONYMOUS, NOON - DAY, peak_score=10),
    ]
    expected = Progress("mql", NOON, entered={"mql": 3, LEAD: 4}, peak_score=90, cooling=cooling)
    for order in permutations(parts):
        assert merge_progress(STAGES, order) == expected


def test_merging_two_records_in_one_stage_keeps_the_earlier_entry() -> None:
    parts = [Progress("mql", NOON), Progress("mql", NOON - DAY)]
    assert merge_progress(STAGES, parts).since == NOON - DAY


def test_a_stage_that_the_model_has_no_more_is_behind_all_that_it_has() -> None:
    parts = [Progress("of_an_older_model", NOON - DAY), Progress(STAGES[1], NOON)]
    for order in (parts, parts[::-1]):
        assert merge_progress(STAGES, order).stage == STAGES[1]


def test_merging_two_records_in_one_stage_goes_on_with_the_one_that_does_not_rest() -> None:
    resting = Progress("mql", NOON - DAY, rest=Rest(NOON))
    for order in permutations([resting, Progress("mql", NOON)]):
        assert merge_progress(STAGES, order).rest is None
    assert merge_progress(STAGES, [resting, Progress(LEAD, NOON)]).rest == Rest(NOON)


def test_merging_two_records_keeps_the_longer_cooldown() -> None:
    shorter, longer = Cooling(NOON, NOON + DAY), Cooling(NOON - DAY, NOON + 2 * DAY)
    parts = [in_stage(RECYCLED, cooling=shorter), in_stage(RECYCLED, cooling=longer)]
    assert merge_progress(STAGES, parts).cooling == longer


def test_merging_keeps_the_decision_of_sales() -> None:
    parts = [in_stage("disqualified"), in_stage("mql"), in_stage(LEAD)]
    assert merge_progress(STAGES, parts).stage == "disqualified"
    assert merge_progress(STAGES, [*parts, in_stage("customer")]).stage == "customer"


@pytest.mark.parametrize("stage", [ANONYMOUS, LEAD, RECYCLED, "mql", "pql"])
@pytest.mark.parametrize(("score", "asked"), [(90, False), (0, True), (89, False)])
def test_a_model_may_move_a_lead_to_sql_from_any_stage_of_its_own(
    stage: str, score: int, *, asked: bool
) -> None:
    seen = {"demo": NOON} if asked else {}
    found, why = next_stage(
        [replace(MQL, bypass=frozenset()), PQL, SQL_RULE],
        Progress(stage, NOON - DAY),
        standing(score, seen=seen),
        NOON,
    )
    if asked or score >= 90:
        cause = MoveCause.BYPASSED if asked else MoveCause.ENTERED
        assert (found, why.cause, why.detail) == ("sql", cause, "demo" if asked else "")
    else:
        assert found != "sql"


@pytest.mark.parametrize("stage", SALES_STAGES)
def test_no_rule_moves_a_lead_out_of_a_stage_of_sales(stage: str) -> None:
    progress = Progress(stage, NOON - DAY)
    for score, seen in ((0, {}), (100, {"demo": NOON})):
        found = next_stage([MQL, SQL_RULE], progress, standing(score, seen=seen), NOON)
        assert found == (stage, NO_MOVE)


def test_a_rejection_closes_sql_until_the_lead_asks_again() -> None:
    progress = Progress(RECYCLED, NOON, cooling=Cooling(NOON, NOON + COOLDOWN))
    for day, seen, stage in (
        (1, {"demo": NOON - DAY}, RECYCLED),
        (1, {"demo": NOON + DAY}, "sql"),
        (29, {}, RECYCLED),
        (30, {}, "sql"),
    ):
        now = NOON + day * DAY
        found, _ = next_stage([MQL, SQL_RULE], progress, standing(95, seen=seen), now)
        assert found == stage


def test_every_stage_has_one_place_in_the_order() -> None:
    order = rules_of(stages=[MQL, SQL_RULE]).stage_order
    assert len(order) == len({*order})
    assert order.index("mql") < order.index("sql") < order.index("opportunity")
