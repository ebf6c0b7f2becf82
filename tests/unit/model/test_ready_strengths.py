"""What the ready-made models make of each behaviour that the texts of the field name.

The texts order behaviour by strength, give 20 points to a whitepaper, and call more than 50
points of a lead that fits marketing-qualified.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builders import an_event, lead_ids
from warmlead.application.apply import Scoring
from warmlead.domain.event import Property, Trust
from warmlead.model.loading import Model, check, ready_model, ready_names, ready_text
from warmlead.model.vocabulary import STANDARD_EVENTS
from warmlead.runtime import backends
from warmlead.simulation.play import StoryClock, simulate
from warmlead.simulation.story import read_story

Act = tuple[str, dict[str, Property]]

VERY_HIGH: list[Act] = [
    ("page_viewed", {"path": "/pricing"}),
    ("page_viewed", {"path": "/plans/team"}),
    ("form_submitted", {"form": "contact"}),
    ("webinar_attended", {}),
    ("event_attended", {}),
    ("demo_watched", {}),
    ("video_watched", {"video": "Product demo", "percent": 80}),
    ("calculator_used", {"tool": "roi"}),
    ("email_replied", {}),
]
HIGH: list[Act] = [
    ("content_downloaded", {"kind": kind})
    for kind in ("whitepaper", "Whitepaper", "eBook", "guide", "case study", "report")
]
OF_NO_KIND: list[Act] = [
    ("content_downloaded", {}),
    ("content_downloaded", {"kind": "", "content": "SEO"}),
]
MEDIUM: list[Act] = [
    ("content_downloaded", {"kind": "Checklist"}),
    ("chat_started", {}),
    ("chat_message_sent", {"message": "Do you have SSO?"}),
    ("survey_answered", {}),
    ("referral_made", {}),
    ("webinar_registered", {}),
    ("video_watched", {"percent": 80}),
]
LOW: list[Act] = [
    ("page_viewed", {"path": "/blog"}),
    ("page_viewed", {"path": "/help/start"}),
    ("page_left", {"path": "/blog", "seconds": 200}),
    ("form_submitted", {"form": "newsletter"}),
    ("form_submitted", {"form": "Subscribe to news"}),
    ("newsletter_subscribed", {}),
    ("webinar_participated", {}),
    ("email_opened", {}),
    ("email_clicked", {}),
    ("ad_clicked", {}),
    ("social_clicked", {}),
    ("social_followed", {}),
    ("site_searched", {}),
]
ASKING = ["demo_requested", "quote_requested", "contact_requested", "trial_requested"]
NOTHING: list[Act] = [
    ("page_left", {"path": "/blog", "seconds": 20}),
    ("content_downloaded", {"kind": "e-bok"}),  # `model unmatched` tells of it
    ("video_watched", {"percent": 10}),
    ("webinar_missed", {}),
]
A_BUYER = {"job_title": "VP Sales", "company_size": 200, "country": "US", "industry": "Software"}
"""Fits b2b-saas with 55 points, beside a business address."""


def worth(model: Model, act: Act, *, trust: Trust = Trust.SIGNED) -> int:
    """The points of one event, by all signals that it is."""
    name, properties = act
    event = an_event(name=name, trust=trust, properties=properties)
    signals = model.rules.scoring.signals
    named = [each for each in model.rules.classify(event) if each in signals]
    return sum(signals[each].points for each in named)  # a bypass may have a name of its own


class Played(NamedTuple):
    """Where a story ends."""

    stage: str
    score: int
    offers: int
    sequences: frozenset[str]


async def played(
    name: str,
    *acts: Act,
    traits: Mapping[str, Any] | None = None,
    email: str = "ada@acme.example",
    on: Sequence[int] = (),
    days: int | None = None,
    trust: Trust = Trust.SIGNED,
) -> Played:
    """Where a person stands who did each act on its day, all on day 1 if none is said."""
    at = on or [1] * len(acts)
    happened = [
        {"at": f"day {day} 12:{n:02}", "event": event, "trust": trust, "properties": properties}
        for n, (day, (event, properties)) in enumerate(zip(at, acts, strict=True))
    ]
    lead = {"email": email, "traits": dict(traits or {})}
    told = {"lead": lead, "days": days or max(at), "events": happened}
    script = read_story(json.dumps(told)).script
    assert script is not None
    clock = StoryClock(script.begins)
    scoring = Scoring(ready_model(name).rules, lead_ids)
    async with backends.rehearsal(clock) as (store, bus):
        story = await simulate(
            script.events, until=script.ends, store=store, bus=bus, scoring=scoring, clock=clock
        )
    found, score = story.lead, story.days[-1].day_score
    assert found is not None
    assert score is not None
    offers = found.offer.cycle if found.offer else 0
    return Played(found.progress.stage, score.score, offers, frozenset(found.enrolments))


# --- how much each behaviour is worth ------------------------------------------------------------


@pytest.mark.parametrize(
    ("acts", "least", "most"),
    [
        (VERY_HIGH, 25, 30),
        (HIGH, 20, 20),
        (MEDIUM, 10, 15),
        (OF_NO_KIND, 10, 10),
        (LOW, 1, 5),
        (NOTHING, 0, 0),
    ],
    ids=["very high", "high", "medium", "of no kind", "low", "nothing"],
)
def test_b2b_saas_gives_each_behaviour_the_strength_that_the_field_gives(
    acts: Sequence[Act], least: int, most: int
) -> None:
    model = ready_model("b2b-saas")
    assert {
        str(act): worth(model, act) for act in acts if not least <= worth(model, act) <= most
    } == {}


def test_asking_is_worth_more_than_all_other_behaviour() -> None:
    model = ready_model("b2b-saas")
    asked = [worth(model, (name, {})) for name in ASKING]
    assert min(asked) > max(worth(model, act) for act in VERY_HIGH + HIGH + MEDIUM + LOW)


@pytest.mark.parametrize("name", ready_names())
def test_mails_bring_little_and_robots_nothing(name: str) -> None:
    model = ready_model(name)
    assert worth(model, ("email_opened", {})) == 1
    assert 4 <= worth(model, ("email_clicked", {})) <= 5
    assert worth(model, ("robot_request", {})) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ready_names())
def test_check_has_nothing_to_say_of_a_ready_made_model(name: str) -> None:
    assert check(ready_text(name)) == []


def documented_behaviours() -> list[tuple[str, str]]:
    """The events of the table in the vocabularies, each with its row."""
    page = (Path(__file__).parents[3] / "docs/vocabularies.md").read_text(encoding="utf-8")
    table = page.partition("<!-- behaviours")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in table.splitlines()[3:]]
    return [(event, row[2]) for row in rows for event in re.findall(r"`(\w+)`", row[1])]


@pytest.mark.parametrize(("name", "said"), documented_behaviours())
def test_each_documented_behaviour_is_a_standard_event_and_worth_points(
    name: str, said: str
) -> None:
    properties: dict[str, Property] = {
        key: int(value) if value.isdigit() else value
        for key, value in re.findall(r"`(\w+): ([^`]+)`", said)
    }
    assert name in STANDARD_EVENTS
    models = [ready_model(each) for each in ready_names()]
    assert max(worth(model, (name, properties)) for model in models) > 0


# --- who passes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("act", VERY_HIGH + HIGH, ids=str)
async def test_one_strong_behaviour_of_a_buyer_is_enough(act: Act) -> None:
    found = await played("b2b-saas", act, traits=A_BUYER)
    assert (found.stage, found.offers) == ("mql", 1)


async def test_a_download_of_no_kind_is_not_enough_for_a_buyer() -> None:
    found = await played("b2b-saas", OF_NO_KIND[0], traits=A_BUYER)
    assert (found.stage, found.score) == ("lead", 65)


@pytest.mark.slow
@pytest.mark.parametrize("act", [*MEDIUM[:2], MEDIUM[3], MEDIUM[4]], ids=str)
async def test_a_medium_behaviour_is_enough_for_a_buyer_who_has_done_a_little_more(
    act: Act,
) -> None:
    more: list[Act] = [("newsletter_subscribed", {})]
    assert (await played("b2b-saas", *more, traits=A_BUYER)).stage == "lead"
    assert (await played("b2b-saas", *more, act, traits=A_BUYER)).stage == "mql"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("traits", "acts", "on", "stage"),
    [
        # size: 15 + 10 + 5 is a fit of 30; a webinar makes 55, and a whitepaper 50
        ({"employees": 50, "country": "USA"}, [("webinar_attended", {})], [1], "mql"),
        ({"employees": 500, "country": "US"}, [("webinar_attended", {})], [1], "mql"),
        ({"employees": "51-200", "country": "US"}, [("webinar_attended", {})], [1], "mql"),
        ({"employees": 49, "country": "US"}, [("webinar_attended", {})], [1], "lead"),
        ({"employees": "11-50", "country": "US"}, [("webinar_attended", {})], [1], "lead"),
        ({"employees": 120, "country": "US"}, [HIGH[0]], [1], "lead"),
        ({"employees": 120, "country": "US"}, [HIGH[0], ("email_clicked", {})], [1, 1], "mql"),
        # interest without fit, and fit without interest
        ({}, [("webinar_attended", {}), HIGH[0]], [1, 1], "lead"),
        (A_BUYER, [("newsletter_subscribed", {})], [1], "lead"),
        (A_BUYER, [], [], "lead"),
        # visits are days, not pages
        (A_BUYER, [("page_viewed", {"path": "/"})] * 12, [1] * 12, "lead"),
        (A_BUYER, [("page_viewed", {"path": "/"})] * 9, [1, 1, 1, 8, 8, 8, 15, 15, 15], "mql"),
    ],
)  # fmt: skip
async def test_interest_and_fit_make_an_mql_and_neither_alone(
    traits: dict[str, Any], acts: list[Act], on: list[int], stage: str
) -> None:
    known: Act = ("signed_in_somewhere", {})  # worth nothing
    found = await played("b2b-saas", known, *acts, traits=traits, on=[1, *on])
    assert found.stage == stage


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize(
    ("email", "traits", "stage"),
    [
        ("ada@acme.example", {}, "mql"),
        ("ada@gmail.com", A_BUYER, "mql"),
        ("ada@gmail.com", {}, "lead"),
        ("ada@gmail.com", {"job_title": "Student"}, "lead"),
        ("ada@acme.example", {"company_size": 2}, "lead"),
    ],
)
async def test_who_asks_is_an_mql_unless_they_do_not_fit_at_all(
    name: str, email: str, traits: dict[str, Any], stage: str
) -> None:
    assert (await played("b2b-saas", (name, {}), traits=traits, email=email)).stage == stage


@pytest.mark.parametrize(("trust", "stage"), [(Trust.SIGNED, "mql"), (Trust.PUBLIC, "lead")])
async def test_only_a_signed_calendar_opens_the_door(trust: Trust, stage: str) -> None:
    assert (await played("b2b-saas", ("meeting_booked", {}), trust=trust)).stage == stage


# --- who leaves, and who is written to again -----------------------------------------------------


@pytest.mark.slow
async def test_the_best_fit_does_not_keep_a_silent_lead_an_mql_for_ever() -> None:
    acts: list[Act] = [("webinar_attended", {})]
    early = await played("b2b-saas", *acts, traits=A_BUYER, days=30)
    late = await played("b2b-saas", *acts, traits=A_BUYER, days=120)
    assert (early.stage, late.stage) == ("mql", "lead")
    assert late.score >= 55


@pytest.mark.slow
async def test_only_who_was_warm_by_what_they_did_is_asked_to_come_back() -> None:
    """Both have had more than 30 points; only one of them did something for it."""
    read: Act = ("newsletter_subscribed", {})
    profile = await played("b2b-saas", read, traits=A_BUYER, days=40)
    warm = await played("b2b-saas", VERY_HIGH[3], HIGH[0], days=40)
    assert profile.sequences == set()
    assert warm.sequences == {"re-engage"}


# --- product-led and ecommerce -------------------------------------------------------------------


async def test_signing_up_is_no_mql_however_well_a_person_fits() -> None:
    traits = {"job_title": "VP Operations", "company_size": 120, "seats": 20}
    found = await played("product-led", ("signed_up", {}), ("trial_started", {}), traits=traits)
    assert (found.stage, found.offers) == ("lead", 0)


@pytest.mark.slow
async def test_a_meeting_in_the_calendar_is_an_offer_of_product_led() -> None:
    found = await played("product-led", ("meeting_booked", {}), traits={"company_size": 60})
    assert (found.stage, found.offers) == ("pql", 1)


@pytest.mark.slow
async def test_an_mql_of_product_led_is_nobodys_offer_and_a_pql_is_one() -> None:
    use: list[Act] = [("feature_used", {"feature": "search"})] * 6
    on = [1, 1, 2, 2, 3, 3]
    traits = {"company_size": 60, "job_title": "Team Lead"}
    interested: list[Act] = [*use, VERY_HIGH[0]]
    mql = await played("product-led", *interested, traits=traits, on=[*on, 3])
    grown: list[Act] = [*interested, ("teammate_invited", {}), ("integration_connected", {})]
    pql = await played("product-led", *grown, traits=traits, on=[*on, 3, 3, 3])
    assert (mql.stage, mql.offers) == ("mql", 0)
    assert (pql.stage, pql.offers) == ("pql", 1)


async def test_a_shop_offers_nobody_to_sales() -> None:
    acts: list[Act] = [("product_added", {}), ("checkout_started", {"value": 5000})]
    found = await played("ecommerce", *acts)
    assert (found.stage, found.offers) == ("mql", 0)
