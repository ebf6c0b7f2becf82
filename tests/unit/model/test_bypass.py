"""Bypasses with a condition and with trust: what opens a stage, and what is said of it."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, an_event, lead_ids
from effort import examples
from warmlead.application.evaluate import evaluate
from warmlead.application.explain import Explanation, explain, view
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, touch_trails
from warmlead.model.loading import Model, load, reclassified

MODEL = """
signals:
  demo_requested: {on: demo_requested, points: 10, decay: never, title: Asked for a demo}
  guide: {on: content_downloaded, points: 10, decay: never, title: Guide downloaded}
fit:
  large: {when: employees >= 50, points: 15}
stages:
  mql:
    enter: last_30d.guide >= 2 && score >= 20
    leave: score < 5
    cooldown: 30d
    bypass: [demo_requested]
"""
GUARDED = MODEL.replace(
    "[demo_requested]",
    "[{signal: demo_requested, when: fit >= 10 && !free_mailbox, trust: signed}]",
)


def model(text: str) -> Model:
    return load(text, name="test")


def lead_of(events: list[Event], of: Model, days_later: int = 0) -> Lead:
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, of.rules)
    (lead,) = resolve_identities([], trails, of.rules, NOW)
    return evaluate(lead, of.rules, NOW + timedelta(days=days_later)).lead


def asks(email: str = "ada@acme.com", employees: int = 80, **fields: object) -> Event:
    return an_event(name="demo_requested", email=email, traits={"employees": employees}, **fields)


def explained(events: list[Event], of: Model, days_later: int = 0) -> Explanation:
    lead = lead_of(events, of, days_later)
    return explain(lead, of.rules, NOW + timedelta(days=days_later))


@pytest.mark.parametrize(
    ("who", "event", "stage"),
    [
        ("a buyer who is known by a secret", asks(), "mql"),
        ("a stranger who says so in public", asks(trust=Trust.PUBLIC), "lead"),
        ("a student with a free mailbox", asks("ada@gmail.com"), "lead"),
        ("a company that is too small", asks(employees=2), "lead"),
    ],
)
def test_a_bypass_opens_its_stage_if_its_condition_holds_and_the_event_is_trusted(
    who: str, event: Event, stage: str
) -> None:
    assert lead_of([event], model(GUARDED)).progress.stage == stage, who
    assert lead_of([event], model(MODEL)).progress.stage == "mql"


def test_a_bypass_opens_as_soon_as_its_condition_holds() -> None:
    traits = {"employees": 80}
    known_later = an_event(name="identified", email="ada@acme.com", traits=traits, id="2")
    first = asks(employees=2, occurred_at=NOW - timedelta(days=3))

    assert lead_of([first, known_later], model(GUARDED)).progress.stage == "mql"
    assert lead_of([known_later, first], model(GUARDED)).progress.stage == "mql"


def test_it_is_said_why_a_bypass_does_not_open_its_stage() -> None:
    ahead = explained([asks(employees=2)], model(GUARDED)).next_stage

    assert ahead is not None
    assert ahead.bypasses == [
        "Asked for a demo on 2026-03-10 would open it at once, but: a fit of at least 10 (is 0)"
    ]


def test_what_is_missing_is_called_by_its_title() -> None:
    ahead = explained([asks(employees=2)], model(GUARDED)).next_stage

    assert ahead is not None
    assert ahead.missing[0] == "Guide downloaded at least 2 times in the last 30 days (is 0)"


def test_it_is_said_that_a_bypass_keeps_a_lead_in_its_stage_and_until_when() -> None:
    assert explained([asks()], model(GUARDED)).stage_because == (
        "Asked for a demo on 2026-03-10 opens it at once, and keeps it open until 2026-04-09"
    )
    guides = [an_event(name="content_downloaded", id=str(n), email="a@b.co") for n in (1, 2)]
    assert explained(guides, model(MODEL)).stage_because == "its enter condition holds"
    assert explained([an_event()], model(MODEL)).stage_because == ""


def test_it_is_said_whether_the_leave_condition_keeps_a_lead_in_its_stage_or_ends_it() -> None:
    fading = model(MODEL.replace("decay: never, title: Guide", "half_life: 10d, title: Guide"))
    guides = [an_event(name="content_downloaded", id=str(n), email="a@b.co") for n in (1, 2)]
    lead = lead_of(guides, fading)

    def because(days_later: int) -> str:
        return explain(lead, fading.rules, NOW + timedelta(days=days_later)).stage_because

    assert because(10) == "its leave condition does not hold either"  # 10 points
    assert because(30) == (  # 2.5 points
        "its leave condition holds, so the lead leaves it at its next evaluation"
    )
    after = lead_of(guides, fading, days_later=30)
    assert after.progress.stage == "lead"


def test_a_bypass_that_only_trusts_signed_events_is_no_signal_that_people_see() -> None:
    of = model(GUARDED)
    seen = view(lead_of([asks()], of), of.rules, NOW)
    lines = explained([asks()], of).contributions

    assert seen.signals == {"demo_requested": 1}
    assert [line.name for line in lines] == ["demo_requested", "large"]


@pytest.mark.slow
def test_trust_of_a_bypass_needs_a_replay_and_a_condition_does_not() -> None:
    asked = MODEL.replace("[demo_requested]", "[{signal: demo_requested, when: fit > 5}]")

    assert reclassified(model(MODEL), model(asked)) == []
    assert reclassified(model(MODEL), model(GUARDED)) == ["demo_requested:signed"]


@pytest.mark.slow
def test_a_bypass_in_short_and_at_length_is_the_same_model() -> None:
    at_length = MODEL.replace("[demo_requested]", "[{signal: demo_requested}]")
    guarded = MODEL.replace("[demo_requested]", "[{signal: demo_requested, when: 'fit>5'}]")
    spaced = MODEL.replace("[demo_requested]", "[{signal: demo_requested, when: fit > 5}]")

    assert model(at_length).version == model(MODEL).version
    assert model(guarded).version == model(spaced).version != model(MODEL).version


WHO = [
    asks(employees=2, id="1"),
    asks(id="2", trust=Trust.PUBLIC, employees=80),
    asks("ada@acme.com", 60, id="3", occurred_at=NOW - timedelta(days=40)),
    an_event(name="identified", email="ada@acme.com", traits={"employees": 70}, id="4"),
]


@given(st.permutations([*WHO, *WHO]), st.integers(0, 35))
@settings(max_examples=examples(60), deadline=None)
def test_the_order_and_repeats_of_events_make_no_difference_to_a_bypass(
    events: list[Event], days_later: int
) -> None:
    of = model(GUARDED)
    once = lead_of(WHO, of, days_later)

    assert lead_of(events, of, days_later).progress.stage == once.progress.stage
    assert explained(events, of, days_later) == explained(WHO, of, days_later)
