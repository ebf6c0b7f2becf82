"""The ready-made models: sound, described by the schema, and sensible in a story."""

from datetime import UTC, datetime, timedelta
from textwrap import dedent

import jsonschema
import pytest
import yaml

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.history import Tally, to_ms
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.scoring import score_of
from warmlead.domain.stages import Progress, Standing, next_stage
from warmlead.model.document import Severity, read, with_quotes
from warmlead.model.loading import (
    Model,
    check,
    json_schema,
    load,
    ready_model,
    ready_names,
    ready_text,
)

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = to_ms(NOW) // DAY_MS
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_there_are_three() -> None:
    assert ready_names() == ["b2b-saas", "ecommerce", "product-led"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b2b-saas", "ecommerce", "product-led"])
def test_a_ready_made_model_has_neither_faults_nor_doubts(name: str) -> None:
    assert [f for f in check(ready_text(name)) if f.severity is not Severity.NOTE] == []
    assert ready_model(name).name == name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b2b-saas", "ecommerce", "product-led"])
def test_the_json_schema_accepts_a_ready_made_model(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    VALIDATOR.validate(read(ready_text(name)).value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("find", "instead"),
    [
        ("points: 10", "points: many"),
        ("half_life: 30d", "half_life: 30"),
        ("half_life: 30d", "halflife: 30d"),
        ("per_day: 5", "per_day: 21"),
        ("lose: 10%", "lose: 10"),
        ("on: page_viewed", "on: Page Viewed"),
        ("  site_searched:", "  site-searched:"),
        ("  first_touch_within: 1h\n", ""),
    ],
)
def test_the_json_schema_refuses_a_broken_model(find: str, instead: str) -> None:
    text = ready_text("b2b-saas")
    assert find in text

    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(read(text.replace(find, instead, 1)).value)


def test_a_model_that_nobody_made_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match="there are b2b-saas, ecommerce, product-led"):
        ready_model("b2c")


# The first model that anybody wrote: most of what a model can say, with as few lines as can be.
EXAMPLE = dedent(
    """\
    signals:
      pricing_page_viewed: {on: page_viewed, when: path.startsWith("/pricing"), points: 10, per_day: 3, half_life: 30d, group: web}
      whitepaper_downloaded: {on: content_downloaded, when: 'kind in ["whitepaper", "ebook", "guide"]', points: 20, half_life: 60d}
      webinar_attended: {on: webinar_attended, points: 20, half_life: 60d}
      unsubscribed: {on: email_unsubscribed, points: -15, decay: never}
    groups: {web: {max: 40}}
    fit:
      mid_market: {when: employees >= 50 && employees <= 500, points: 15}
      in_usa: {when: country == "US", points: 10}
      free_mailbox: {when: free_mailbox, points: -10}
    inactivity: {after: 14d, lose: 10%, every: 7d}
    stages:
      mql:
        enter: fit >= 20 && score >= 50 && (last_30d.whitepaper_downloaded >= 1 || last_30d.webinar_attended >= 1 || last_30d.page_viewed >= 3)
        leave: score < 35          # hysteresis: no flapping around one threshold
        cooldown: 30d              # after a rejection by sales
    handoff: {first_touch_within: 1h, accept_within: 24h}
    sequences:
      mql-education: {start: stage == "mql", stop: 'unsubscribed || stage in ["sql", "customer", "disqualified"]',
                      steps: [{after: 0d, message: welcome-guide}, {after: 3d, message: case-study}]}   # 5–7 over 2–4 weeks
      re-engage: {start: days_inactive >= 30 && peak_score >= 30, stop: days_inactive < 7, steps: [{after: 0d, message: news}]}
    """  # noqa: E501  # lines as people write them
)


@pytest.mark.slow
def test_a_model_of_few_long_lines_is_a_model() -> None:
    assert yaml.safe_load(EXAMPLE)
    model = load(EXAMPLE, name="example")

    assert model.file.sequences["mql-education"].stop == (
        'unsubscribed || stage in ["sql", "customer", "disqualified"]'
    )
    assert {measure.fact for measure in model.rules.counters} == {
        "last_30d.whitepaper_downloaded",
        "last_30d.webinar_attended",
        "last_30d.page_viewed",
    }
    assert check(EXAMPLE) == []


@pytest.mark.slow
def test_a_model_without_quotes_keeps_its_version_once_it_has_them() -> None:
    condition = 'unsubscribed || stage in ["sql", "customer", "disqualified"]'
    unquoted = EXAMPLE.replace(f"'{condition}'", condition)
    (fault,) = check(unquoted)

    assert (fault.line, fault.column, fault.suggestion) == (19, 48, f"write '{condition}'")
    assert load(with_quotes(unquoted), name="x").version == load(EXAMPLE, name="y").version


class Story:
    """A person's events and traits, and where a model says that they stand."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.events: list[Event] = []
        self.traits: dict[str, Property] = {}
        self.progress = Progress("anonymous", NOW)
        self.score = 0

    def does(self, name: str, days_ago: int, /, **properties: Property) -> None:
        at = NOW - timedelta(days=days_ago)
        self.events.append(
            Event(
                id=str(len(self.events)),
                source="web",
                trust=Trust.PUBLIC,
                name=name,
                occurred_at=at,
                received_at=at,
                anonymous_id="a",
                properties=properties,
            )
        )

    def is_now(self) -> str:
        rules = self.model.rules
        signals: dict[str, dict[int, int]] = {}
        names: dict[str, dict[int, int]] = {}
        for event in self.events:
            day = to_ms(event.occurred_at) // DAY_MS
            for label, into in [
                (event.name, names),
                *((s, signals) for s in rules.classify(event)),
            ]:
                days = into.setdefault(label, {})
                days[day] = days.get(day, 0) + 1
        known = rules.know(self.traits)
        last = {name: max(days) for name, days in names.items()}
        score = score_of(rules.scoring, Tally(signals, names, last), rules.fit(known), TODAY)
        facts: dict[str, object] = {**known, "score": score.score, "fit": score.fit}
        facts |= {"engagement": score.engagement, "peak_score": score.score, "identified": True}
        facts |= {name: name in signals for name in rules.scoring.signals}
        facts["mail_refused"] = "email_unsubscribed" in names
        for measure in rules.counters:
            counted = signals.get(measure.label) or names.get(measure.label) or {}
            facts[measure.fact] = measure.of(counted, TODAY)
        last_days = {signal: max(days) for signal, days in signals.items()}
        standing = Standing("email" in self.traits, facts, last_days)
        self.score = score.score
        stage, _ = next_stage(rules.stages, self.progress, standing, NOW)
        self.progress = Progress(stage, NOW)
        return stage


def test_b2b_saas_takes_a_visitor_from_anonymous_to_mql() -> None:
    story = Story(ready_model("b2b-saas"))
    for path in ("/", "/product", "/pricing", "/pricing", "/pricing"):
        story.does("page_viewed", 1, path=path)
    story.does("content_downloaded", 1, kind="whitepaper")
    stages = [story.is_now()]
    story.traits = {"email": "ann@acme.example"}
    stages.append(story.is_now())
    story.does("form_submitted", 0, form="talk-to-us")
    story.traits |= {
        "company": "Acme",
        "employees": "180",
        "country": "US",
        "title": "VP Marketing",
    }
    story.does("webinar_attended", 0)
    stages.append(story.is_now())

    assert stages == ["anonymous", "lead", "mql"]
    assert story.score > 50


def test_b2b_saas_does_not_take_clicks_for_fit() -> None:
    story = Story(ready_model("b2b-saas"))
    story.traits = {"email": "joe@gmail.com", "title": "Student"}
    for day in range(20):
        for path in ("/", "/pricing", "/pricing", "/pricing", "/customers/acme"):
            story.does("page_viewed", day, path=path)
        story.does("email_opened", day)

    assert story.is_now() == "lead"
    assert story.score < 50


def test_b2b_saas_takes_a_demo_request_at_once() -> None:
    story = Story(ready_model("b2b-saas"))
    story.traits = {"email": "ann@acme.example"}
    story.does("demo_requested", 0)

    assert story.is_now() == "mql"


def test_ecommerce_sees_who_is_about_to_buy() -> None:
    story = Story(ready_model("ecommerce"))
    story.traits = {"email": "ann@gmail.com", "country": "DE"}
    for _ in range(4):
        story.does("product_viewed", 0, price=259.0)
    story.does("product_added", 0)
    assert story.is_now() == "mql"
    story.does("email_unsubscribed", 0)

    assert story.is_now() == "lead"


def test_product_led_tells_use_from_interest() -> None:
    story = Story(ready_model("product-led"))
    story.traits = {"email": "ann@acme.example", "employees": 60}
    story.does("signed_up", 3)
    story.does("trial_started", 3)
    assert story.is_now() == "lead"
    for day in range(3):
        story.does("logged_in", day)
        for feature in ("report_shared", "search", "search"):
            story.does("feature_used", day, feature=feature)
    story.does("teammate_invited", 0)

    assert story.is_now() == "pql"


@pytest.mark.parametrize(
    ("kind", "signal"),
    [
        ("eBook", "whitepaper_downloaded"),
        ("E-Books", "whitepaper_downloaded"),
        ("Whitepaper", "whitepaper_downloaded"),
        ("white paper", "whitepaper_downloaded"),
        ("Guide", "whitepaper_downloaded"),
        ("case study", "case_study_downloaded"),
        ("Case-Study", "case_study_downloaded"),
        ("Report", "case_study_downloaded"),
        ("PDF", "document_downloaded"),
    ],
)
def test_content_is_recognised_however_its_kind_is_spelt(kind: str, signal: str) -> None:
    event = Event.checked(
        id="1",
        source="generic",
        trust=Trust.SIGNED,
        name="content_downloaded",
        occurred_at=NOW,
        received_at=NOW,
        email="ada@example.com",
        properties={"kind": kind},
    )

    assert ready_model("b2b-saas").rules.classify(event) == (signal,)
