"""What a model file means once it is compiled: classification, worth, stages, version."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from textwrap import dedent

import msgspec
import pytest

from builders import a_lead, an_event
from warmlead.application.evaluate import evaluate
from warmlead.domain.errors import ConfigurationError
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Automation, Event, Property, Trust
from warmlead.domain.nurture import Late, SendingHours, SequenceStep
from warmlead.domain.scoring import InactivityPolicy
from warmlead.model.document import Severity
from warmlead.model.loading import Model, check, load, reclassified
from warmlead.model.plan import Plan, rules_of
from warmlead.model.vocabulary import PASSIVE_EVENTS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEXT = dedent(
    """\
    signals:
      page_viewed: {on: page_viewed, points: 1, decay: never}
      pricing: {on: page_viewed, when: path.startsWith("/pricing"), points: 10, per_day: 3,
                half_life: 36h, group: web, title: Pricing page viewed}
      bought: {on: [order_completed, subscription_started], trust: signed, points: 50,
               expires_after: 90d}
      big: {on: order_completed, when: total >= 100.0 && rush, points: 5, decay: never}
      from_crm: {on: meeting_held, when: source == "hubspot" && trust == "signed", points: 9,
                 decay: never}
    groups: {web: {min: -5, max: 40}}
    fit: {large: {when: employees >= 50, points: 15, title: Fifty or more}}
    inactivity: {after: 14d, lose: 12.5%, every: 7d}
    stages:
      mql:
        enter: score >= 50 && (last_30d.pricing >= 1 || last_7d.form_submitted >= 1)
        leave: score < 35
        cooldown: 30d
        bypass: [bought]
        title: Marketing-qualified
    handoff:
      first_touch_within: 1h
      accept_within: 2d
      routes:
        - {when: last_7d.chat_started >= 2 && seats > 5, owners: [ann, bob]}
        - {owner: sales}
    sequences:
      s: {start: last_90d.page_viewed >= 3, stop: bought, steps: [{after: 1h, message: hello}]}
      t:
        start: stage == "mql"
        stop: stage == "lead"
        goal: last_30d.meeting_held >= 1
        hours: {from: "09:00", to: "17:30", time_zone: Europe/Berlin}
        late: skip
        again_after: 90d
        alongside: true
        steps: [{after: 0d, message: hi, title: Hello}, {after: 3d, message: case-study}]
    properties: {rush: boolean}
    """
)


@cache
def model(text: str = TEXT) -> Model:
    return load(text, name="test")


def event(name: str, trust: Trust = Trust.PUBLIC, source: str = "web", **given: Property) -> Event:
    return Event(
        id="1",
        source=source,
        trust=trust,
        name=name,
        occurred_at=NOW,
        received_at=NOW,
        anonymous_id="a",
        properties=given,
    )


@pytest.mark.parametrize(
    ("seen", "signals"),
    [
        (event("page_viewed", path="/pricing/teams"), ("page_viewed", "pricing")),
        (event("page_viewed", path="/"), ("page_viewed",)),
        (event("page_viewed"), ("page_viewed",)),
        (event("page_viewed", path=None), ("page_viewed",)),
        (event("order_completed"), ()),
        (event("order_completed", Trust.SIGNED), ("bought",)),
        (event("subscription_started", Trust.SIGNED), ("bought",)),
        (event("order_completed", total="1,200", rush="yes"), ("big",)),
        (event("order_completed", total=99, rush=True), ()),
        (event("order_completed", total="much", rush=True), ()),
        (event("meeting_held", Trust.SIGNED, "hubspot"), ("from_crm",)),
        (event("meeting_held", Trust.PUBLIC, "hubspot"), ()),
        (event("never_heard_of"), ()),
    ],
)
def test_an_event_is_the_signals_that_the_model_sees_in_it(
    seen: Event, signals: tuple[str, ...]
) -> None:
    assert model().rules.classify(seen) == signals


def test_policies_are_what_the_file_says() -> None:
    scoring = model().rules.scoring
    pricing, bought = scoring.signals["pricing"], scoring.signals["bought"]

    assert (pricing.points, pricing.per_day, pricing.half_life_days) == (10, 3, 1.5)
    assert (bought.per_day, bought.expires_after_days, bought.half_life_days) == (20, 90, None)
    assert (scoring.groups["web"].minimum, scoring.groups["web"].maximum) == (-5, 40)
    assert scoring.inactivity == InactivityPolicy(14, 125_000, 7)
    assert scoring.passive == PASSIVE_EVENTS


def test_a_list_of_passive_events_replaces_the_default() -> None:
    text = TEXT.replace("every: 7d}", "every: 7d, passive: [page_viewed]}")

    assert model(text).rules.scoring.passive == {"page_viewed"}


def test_stages_are_what_the_file_says() -> None:
    stage = model().rules.stages[0]

    assert (stage.name, stage.cooldown) == ("mql", timedelta(days=30))
    assert stage.bypass == {"bought"}
    assert stage.enter({"score": 50, "last_30d.pricing": 0, "last_7d.form_submitted": 1})
    assert stage.leave is not None
    assert stage.leave({"score": 34})


def test_only_the_counts_that_conditions_read_are_counted() -> None:
    of_stages = {"last_30d.pricing", "last_7d.form_submitted"}
    of_routes = {"last_7d.chat_started"}
    of_sequences = {"last_90d.page_viewed", "last_30d.meeting_held"}

    counted = {measure.fact for measure in model().rules.counters}
    assert counted == of_stages | of_routes | of_sequences


def test_the_handoff_is_what_the_file_says() -> None:
    handoff = model().rules.handoff

    assert handoff is not None
    assert (handoff.first_touch_within, handoff.accept_within) == (HOUR, timedelta(days=2))
    assert handoff.remind_after == HOUR / 2
    facts = {"last_7d.chat_started": 2, "seats": 6}
    assert {handoff.owner_of(f"lead-{i}", "mql", facts) for i in range(20)} == {"ann", "bob"}
    assert handoff.owner_of("lead", "mql", {"seats": 6}) == "sales"


def test_sales_is_reminded_when_the_file_says_so() -> None:
    text = TEXT.replace("accept_within: 2d", "accept_within: 2d\n  remind_after: 10m")

    handoff = model(text).rules.handoff
    assert handoff is not None
    assert handoff.remind_after == timedelta(minutes=10)


def test_a_model_without_a_handoff_offers_nothing() -> None:
    text = TEXT[: TEXT.index("handoff:")] + TEXT[TEXT.index("sequences:") :]

    assert model(text).rules.handoff is None


def test_sequences_are_what_the_file_says_in_its_order() -> None:
    plain, full = model().rules.sequences

    assert (plain.name, plain.late, plain.alongside) == ("s", Late.SHIFT, False)
    assert (plain.goal, plain.hours, plain.again_after) == (None, None, None)
    assert plain.steps == (SequenceStep(HOUR, "hello"),)
    assert plain.start({"last_90d.page_viewed": 3})
    assert plain.stop({"bought": True})
    assert (full.name, full.late, full.alongside) == ("t", Late.SKIP, True)
    assert full.again_after == timedelta(days=90)
    assert full.hours == SendingHours(frozenset(range(5)), time(9), time(17, 30), "Europe/Berlin")
    assert full.goal is not None
    assert full.goal({"last_30d.meeting_held": 1})
    assert [(step.message, step.title) for step in full.steps] == [
        ("hi", "Hello"),
        ("case-study", ""),
    ]


@pytest.mark.parametrize(
    ("days", "weekdays"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("mon-sun", {0, 1, 2, 3, 4, 5, 6}),
        ("sun-thu", {6, 0, 1, 2, 3}),
        ("sat", {5}),
        ("wed-wed", {2}),
        ("[mon-tue, thu, fri-sat]", {0, 1, 3, 4, 5}),
    ],
)
def test_weekdays_are_named_one_by_one_or_as_ranges(days: str, weekdays: set[int]) -> None:
    hours = model(TEXT.replace("hours: {", f"hours: {{days: {days}, ")).rules.sequences[1].hours

    assert hours is not None
    assert hours.weekdays == weekdays


def test_hours_may_last_until_midnight() -> None:
    hours = model(TEXT.replace('"17:30"', '"24:00"')).rules.sequences[1].hours

    assert hours is not None
    last_minute = datetime(2026, 3, 2, 22, 59, 30, tzinfo=UTC)  # 23:59:30 in Berlin
    assert hours.next_open(last_minute) == last_minute


def test_a_time_zone_that_the_machine_does_not_know_is_told_at_once() -> None:
    plan = msgspec.json.encode(model().plan).replace(b"Europe/Berlin", b"Mars/Olympus")

    with pytest.raises(ConfigurationError, match="Mars/Olympus is not known on this machine"):
        rules_of(msgspec.json.decode(plan, type=Plan))


def test_fit_reads_traits_as_they_are_known() -> None:
    rules = model().rules

    assert [rule.name for rule in rules.fit(rules.know({"employees": "51-200"}))] == ["large"]
    assert rules.fit(rules.know({"employees": "11-50"})) == ()
    assert rules.fit(rules.know({})) == ()


def test_titles_name_signals_rules_and_stages() -> None:
    assert model().rules.titles == {
        "pricing": "Pricing page viewed",
        "large": "Fifty or more",
        "mql": "Marketing-qualified",
    }


@pytest.mark.parametrize(
    ("find", "instead"),
    [
        ("signals:", "# reviewed\nsignals:"),
        ("signals:", "suppression: {soft_bounces: 5, unsubscribed: anyone}\nsignals:"),
        ("signals:", "targets: {mql: 5, mql_to_sql: 20%}\nsignals:"),
        ("points: 1,", "per_day: 20, points: 1,"),
        ('path.startsWith("/pricing")', "'path.startsWith(  \"/pricing\"  )'"),
        ("half_life: 36h", "half_life: 2160m"),
        ("on: page_viewed, points", "on: [page_viewed], points"),
        ("{when: employees >= 50, points: 15,", "{points: 15, when: employees >= 50,"),
        ("accept_within: 2d", "accept_within: 48h\n  remind_after: 30m"),
        ("{owner: sales}", "{owners: [sales]}"),
        ("seats > 5", "seats>5"),
        ("goal: last_30d.meeting_held >= 1", "goal: last_30d.meeting_held>=1 // met"),
        ('{from: "09:00"', "{days: [mon-wed, thu, fri], from: 9:00"),
        ("steps: [{after: 1h", "alongside: false, steps: [{after: 60m"),
    ],
)  # fmt: skip
def test_writing_the_same_differently_keeps_the_version(find: str, instead: str) -> None:
    assert find in TEXT
    assert model(TEXT.replace(find, instead, 1)).version == model().version


@pytest.mark.parametrize(
    ("find", "instead"),
    [
        ("points: 10", "points: 11"),
        ("signals:", "suppression: {soft_bounces: 4}\nsignals:"),
        ('"/pricing"', '"/prices"'),
        ("36h", "35h"),
        ("12.5%", "12%"),
        ("first_touch_within: 1h", "first_touch_within: 2h"),
        ("accept_within: 2d", "accept_within: 2d\n  remind_after: 10m"),
        ("seats > 5", "seats > 6"),
        ("[ann, bob]", "[bob, ann]"),
        ("{owner: sales}", "{owner: support}"),
        ("meeting_held >= 1\n", "meeting_held >= 2\n"),
        ('{from: "09:00"', '{days: mon-sat, from: "09:00"'),
        ('"17:30"', '"17:31"'),
        ("Europe/Berlin", "Europe/Paris"),
        ("late: skip", "late: shift"),
        ("again_after: 90d", "again_after: 91d"),
        ("alongside: true", "alongside: false"),
        ("title: Hello", "title: Hi"),
    ],
)
def test_a_change_of_content_changes_the_version(find: str, instead: str) -> None:
    assert model(TEXT.replace(find, instead, 1)).version != model().version


def test_the_order_of_sequences_is_content() -> None:
    """A lead is in one at a time: of two that it could start, the first."""
    head, tail = TEXT.split("  s: ")
    one, *rest = tail.splitlines(keepends=True)

    swapped = [line for line in rest if "properties:" not in line]
    text = head + "".join(swapped) + "  s: " + one + "properties: {rush: boolean}\n"
    assert [each.name for each in model(text).rules.sequences] == ["t", "s"]
    assert model(text).version != model().version


def test_the_order_of_stages_is_content() -> None:
    head = "signals: {a: {on: page_viewed, points: 1, decay: never}}\nstages:\n"
    low, high = "  low: {enter: score > 5}\n", "  high: {enter: score > 9}\n"

    assert model(head + low + high).version != model(head + high + low).version


@pytest.mark.parametrize(
    ("find", "instead", "changed"),
    [
        ("points: 10", "points: 12", []),
        ("half_life: 36h", "half_life: 2d", []),
        ("employees >= 50", "employees >= 60", []),
        ('"/pricing"', '"/prices"', ["pricing"]),
        ("trust: signed, points: 50", "points: 50", ["bought"]),
        ("[order_completed, subscription_started]", "order_completed", ["bought"]),
        ("[order_completed, subscription_started]", "[subscription_started, order_completed]", []),
        ("{rush: boolean}", "{rush: boolean, total: number}", []),
        ("  big:", "  fresh: {on: chat_started, points: 1, decay: never}\n  big:", ["fresh"]),
        ("  big:", "  huge:", ["huge"]),
    ],
)
def test_only_a_changed_classification_needs_a_replay(
    find: str, instead: str, changed: list[str]
) -> None:
    assert find in TEXT

    assert reclassified(model(), model(TEXT.replace(find, instead, 1))) == changed


def test_a_signal_whose_property_changes_its_type_needs_a_replay() -> None:
    before = 'signals: {a: {on: x, when: size2 == "9", points: 1, decay: never}}\nproperties: '
    after = before.replace('"9"', "9")

    assert reclassified(model(before + "{size2: string}"), model(after + "{size2: integer}")) == [
        "a"
    ]


def test_the_files_own_type_of_a_trait_goes_before_the_standard_one() -> None:
    text = TEXT + "traits: {plan: integer}\n"

    assert model(text).rules.know({"plan": "5"}) == {"plan": 5}


# --- what sales says -------------------------------------------------------------------------

AFTER_SALES = """
signals:
  price_was_wrong: {on: sales_lost, when: reason == "price" && value_cents > 100000, points: -7,
                    decay: never}
stages:
  touched: {enter: last_30d.sales_touched >= 1, leave: last_90d.sales_touched < 1}
"""


def test_conditions_may_count_and_signals_may_be_what_sales_says() -> None:
    assert check(AFTER_SALES) == []
    rules = load(AFTER_SALES, name="test").rules
    lost: dict[str, Property] = {"reason": "price", "value_cents": 250_000, "currency": "EUR"}
    assert rules.classify(event("sales_lost", Trust.SIGNED, "crm", **lost)) == ("price_was_wrong",)
    assert rules.classify(event("sales_lost", Trust.SIGNED, "crm", reason="other")) == ()
    touched = an_event(name="sales_touched", occurred_at=NOW, received_at=NOW)
    lead = a_lead(touched)

    assert evaluate(lead, rules, NOW).lead.progress.stage == "touched"
    assert evaluate(lead, rules, NOW + timedelta(days=91)).lead.progress.stage == "lead"


def test_statements_of_sales_are_passive_but_public_events_of_the_same_name_are_not() -> None:
    rules = load(AFTER_SALES, name="test").rules
    days = [
        evaluation_of(
            a_lead(an_event(name=name, occurred_at=NOW, received_at=NOW)), rules, NOW
        ).score.days_inactive
        for name in ("sales_touched", "sales_won", "sales_page_viewed")
    ]
    assert days == [None, None, 0]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("sales_touched", "count it, last_30d.sales_touched >= 1, or make a signal of it"),
        ("last_30d.sales_tuched >= 1", 'did you mean "last_30d.sales_touched"?'),
        ("page_viewed && score > 5", "count it, last_30d.page_viewed >= 1"),
    ],
)
def test_a_condition_that_names_an_event_wrongly_is_told_how(written: str, told: str) -> None:
    (fault,) = check(AFTER_SALES.replace("last_30d.sales_touched >= 1", written))
    assert told in str(fault)


# --- robots ---

ROBOTS = """\
robots: {all}
signals:
  visit: {{on: page_viewed, points: 5, decay: never}}
  shared: {{on: page_viewed, when: path == "/a", points: 2, decay: never, robots: {one}}}
"""


def signals_of(all_: str, one: str, **overrides: object) -> tuple[str, ...]:
    rules = load(ROBOTS.format(all=all_, one=one), name="robots").rules
    return rules.classify(an_event(properties={"path": "/a"}, **overrides))


@pytest.mark.slow
def test_robots_are_no_signal_unless_the_model_or_the_signal_says_so() -> None:
    for all_ in ("ignore", "count"):
        for one in ("ignore", "count"):
            assert signals_of(all_, one) == ("shared", "visit")
    robot = {"automated": Automation.ROBOT}
    assert signals_of("ignore", "ignore", **robot) == ()
    assert signals_of("ignore", "count", **robot) == ("shared",)
    assert signals_of("count", "count", **robot) == ("shared", "visit")
    assert signals_of("count", "ignore", **robot) == ("visit",)


def test_robots_are_ignored_by_default() -> None:
    text = ROBOTS.replace("robots: {all}\n", "").replace(", robots: {one}", "").format()
    said = load(ROBOTS.format(all="ignore", one="ignore"), name="said")
    model_ = load(text, name="unsaid")
    assert model_.rules.classify(an_event(automated=Automation.PREVIEW)) == ()
    assert not model_.rules.robots_count
    assert reclassified(model_, said) == []


def test_a_change_about_robots_needs_a_replay() -> None:
    ignoring = load(ROBOTS.format(all="ignore", one="ignore"), name="a")
    one = load(ROBOTS.format(all="ignore", one="count"), name="b")
    all_ = load(ROBOTS.format(all="count", one="count"), name="c")
    assert reclassified(ignoring, one) == ["shared"]
    assert reclassified(ignoring, all_) == ["shared", "visit"]
    assert len({ignoring.version, one.version, all_.version}) == 3
    assert all_.rules.robots_count


def test_only_two_things_can_be_done_with_robots() -> None:
    text = ROBOTS.format(all="block", one="count")
    (fault,) = [found for found in check(text) if found.severity is Severity.ERROR]
    assert fault.line == 1
    assert "count" in fault.message


def test_conditions_ask_what_sales_has_learnt_and_no_stranger_changes_it() -> None:
    ready = dedent(
        """\
        signals: {asked: {on: demo_requested, points: 1, decay: never}}
        stages:
          bant-ready:
            enter: budget >= 50000 && authority == "decision maker" && timing == "this quarter"
            leave: stage == "lead"
        """
    )
    told: dict[str, Property] = {
        "budget": "50k", "authority": "Decision-Maker", "timing": "This quarter"
    }  # fmt: skip
    said = an_event(name="sales_touched", traits=told, properties={"note": "Good call"})
    rules = model(ready).rules
    assert evaluate(a_lead(said), rules, NOW).lead.progress.stage == "bant-ready"
    stranger = an_event(
        id="later", trust=Trust.PUBLIC, traits={"budget": 1}, occurred_at=NOW, received_at=NOW
    )
    assert evaluate(a_lead(said, stranger), rules, NOW).lead.progress.stage == "bant-ready"
    assert evaluate(a_lead(stranger), rules, NOW).lead.progress.stage == "lead"


@pytest.mark.parametrize(
    ("properties", "signals"),
    [
        ({}, ("unnamed",)),
        ({"kind": ""}, ("unnamed",)),
        ({"kind": None, "content": "SEO"}, ("about", "unnamed")),
        ({"kind": "guide"}, ()),
        ({"kind": "guide", "sku": 7}, ("about",)),
    ],
)
def test_a_signal_may_ask_which_properties_an_event_has(
    properties: dict[str, Property], signals: tuple[str, ...]
) -> None:
    model = load(
        dedent(
            """\
            signals:
              unnamed:
                {on: content_downloaded, when: '!("kind" in properties)', points: 10, decay: never}
              about:
                on: content_downloaded
                when: '"content" in properties || "sku" in properties'
                points: 5
                decay: never
            """
        ),
        name="m",
    )
    event = an_event(name="content_downloaded", properties=properties)

    assert model.rules.classify(event) == signals
