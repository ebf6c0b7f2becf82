"""The journey: which events are steps, which are kept, and what a stranger cannot displace."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from builders import NOW, RULES, a_lead, an_event, lead_ids
from effort import examples
from unit.domain.worlds import World
from warmlead.domain.event import Automation, Event, Trust
from warmlead.domain.history import day_of
from warmlead.domain.identity import Identifier, Kind, identifiers_of
from warmlead.domain.journey import (
    MAX_DETAIL,
    MAX_DETAILS_BYTES,
    MAX_OF_SIGNAL,
    MAX_STEPS,
    NotableStep,
    fitting,
    kept_steps,
    step_of,
)
from warmlead.domain.lead import Trail, touch_trails
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy

DAY = timedelta(days=1)
DAY_MS = 86_400_000

SIGNALS = {
    "page_viewed": ("any_page", "pricing_page"),
    "content_downloaded": ("paper",),
    "form_submitted": ("form",),
    "email_opened": ("mail",),
}
KNOWING = replace(
    RULES,
    classify=lambda event: SIGNALS.get(event.name, ()),
    scoring=ScoringPolicy(
        {
            "any_page": SignalPolicy(1),
            "pricing_page": SignalPolicy(10),
            "paper": SignalPolicy(20),
            "form": SignalPolicy(5),
            "mail": SignalPolicy(1),
        },
        {},
    ),
    shown={
        "pricing_page": ("path",),
        "any_page": ("title",),
        "paper": ("content", "kind"),
        "form": ("message", "campaign", "landing_page"),
    },
)


def step_of_event(**fields: Any) -> NotableStep | None:
    event = an_event(**fields)
    return step_of(event, KNOWING.classify(event), KNOWING)


def test_a_step_shows_the_campaign_and_the_landing_page_of_the_visit() -> None:
    origin = {"utm_campaign": "spring", "utm_source": "google", "landing_page": "/guide"}
    step = step_of_event(name="form_submitted", properties={}, attribution=origin)
    own = step_of_event(
        name="form_submitted", properties={"campaign": "mail 3"}, attribution=origin
    )

    assert step
    assert step.details == (("campaign", "spring"), ("landing_page", "/guide"))
    assert own
    assert own.details == (("campaign", "mail 3"), ("landing_page", "/guide"))


@pytest.mark.parametrize(
    ("name", "properties", "signal", "details"),
    [
        (
            "content_downloaded",
            {"kind": "whitepaper", "content": "The CRM guide", "topic": "CRM"},
            "paper",
            (("content", "The CRM guide"), ("kind", "whitepaper")),
        ),
        ("content_downloaded", {"content": None, "kind": ""}, "paper", ()),
        (
            "page_viewed",
            {"path": "/pricing", "title": "Prices"},
            "pricing_page",  # the weightiest; with what its other signals show
            (("path", "/pricing"), ("title", "Prices")),
        ),
        ("form_submitted", {"message": "We need SSO."}, "form", (("message", "We need SSO."),)),
        ("form_submitted", {"nachricht": "Bitte anrufen"}, "form", (("message", "Bitte anrufen"),)),
        ("form_submitted", {"comments": "a", "message": "b"}, "form", (("message", "b"),)),
    ],
)
def test_a_step_shows_what_its_signals_name(
    name: str, properties: dict[str, Any], signal: str, details: tuple[tuple[str, str], ...]
) -> None:
    step = step_of_event(name=name, properties=properties)
    assert step
    assert (step.signal, step.name, step.details) == (signal, name, details)
    assert (step.at, step.trust) == (NOW - timedelta(hours=1), Trust.SIGNED)


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "email_opened"},  # a signal that makes no steps
        {"name": "login"},  # no signal
        {"name": "content_downloaded", "automated": Automation.ROBOT},
    ],
)
def test_other_events_are_no_steps(fields: dict[str, Any]) -> None:
    assert step_of_event(**fields) is None


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("  two\nlines\tand  blanks ", "two lines and blanks"),
        ("<b>Bold</b> <script>alert(1)</script>", "Bold alert(1)"),
        ("<!channel> call <https://evil.example|me>", "call"),  # a link of Slack's is a tag
        ("less <than", "less < than"),
        ("a < b and b > c", "a < b and b > c"),
        ("right\u202eleft\x1b[31m", "rightleft[31m"),
        (True, "yes"),
        (12.5, "12.5"),
        (["SSO", None, "audit"], "SSO, audit"),
    ],
)
def test_a_detail_is_one_plain_line(written: Any, shown: str) -> None:
    step = step_of_event(name="form_submitted", properties={"message": written})
    assert step
    assert dict(step.details) == {"message": shown}


@given(st.text(max_size=3 * MAX_DETAIL), st.text(max_size=3 * MAX_DETAIL))
def test_a_step_is_bounded_and_never_opens_a_tag(content: str, kind: str) -> None:
    step = step_of_event(name="content_downloaded", properties={"content": content, "kind": kind})
    assert step
    assert all(0 < len(text) <= MAX_DETAIL for _, text in step.details)
    assert sum(len(name) + len(json.dumps(text)) for name, text in step.details) <= (
        MAX_DETAILS_BYTES
    )
    assert not any(f"<{letter}" in text for _, text in step.details for letter in "abz/!?@#")


@pytest.mark.parametrize("hidden", ["\x00", "\u202e", "\ufeff"])
def test_what_is_taken_out_of_a_text_does_not_hide_a_tag(hidden: str) -> None:
    event = structs.replace(
        an_event(name="form_submitted"), properties={"message": f"<{hidden}script>x"}
    )
    step = step_of(event, ("form",), KNOWING)
    assert step
    assert dict(step.details) == {"message": "x"}


# --- which are kept ------------------------------------------------------------------------

steps = st.builds(
    NotableStep,
    at_ms=st.integers(0, 12).map(lambda half: half * DAY_MS // 2),
    key=st.sampled_from("abc"),
    rank=st.integers(0, 1),
    name=st.just("page_viewed"),
    signal=st.sampled_from(["view", "paper", "form", "chat", "demo", "quote"]),
    details=st.sampled_from([(), (("path", "/a"),), (("path", "/b"),)]),
).map(lambda step: step._replace(key=repr(step)))  # an event of its own


def brute_kept(every: Sequence[NotableStep]) -> tuple[NotableStep, ...]:
    """The kept steps, by their definition: one at a time, as few as stand before it."""

    def what(step: NotableStep) -> object:
        return step.rank, step.signal, day_of(step.at_ms), step.details

    own = [s for s in set(every) if all(s >= other for other in every if what(s) == what(other))]
    of_signal = [
        s
        for s in own
        if sum(o > s and (o.rank, o.signal) == (s.rank, s.signal) for o in own) < MAX_OF_SIGNAL
    ]
    kept = [s for s in of_signal if sum(o > s and o.rank == s.rank for o in of_signal) < MAX_STEPS]
    return tuple(sorted(kept, reverse=True))


@settings(max_examples=examples(100))
@given(st.lists(st.integers(0, 59), min_size=8, max_size=14, unique=True), st.integers(0, 2**32))
def test_forms_without_a_time_that_are_posted_again_make_no_difference(
    minutes: list[int], seed: int
) -> None:
    chance = Random(seed)
    posts = [
        an_event(
            id=f"entry-{minute}",
            name="form_submitted",
            properties={"message": chance.choice(["Call me", f"Call me {minute}"])},
            occurred_at=NOW + timedelta(minutes=minute),
            received_at=NOW + timedelta(minutes=minute),
        )
        for minute in minutes
    ]
    late = NOW + timedelta(hours=2)
    again = [structs.replace(post, occurred_at=late, received_at=late) for post in posts]
    chance.shuffle(posts)
    repeated = [*posts, *chance.choices(again, k=4)]
    assert journey(*repeated) == journey(*sorted(posts, key=lambda post: post.occurred_at))


def journey(*events: Event) -> tuple[NotableStep, ...]:
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, KNOWING)
    return kept_steps(step for trail in trails.values() for step in trail.steps)


@settings(max_examples=examples(500))
@given(st.lists(steps, max_size=150), st.integers(0, 2**32))
def test_the_kept_steps_are_the_same_for_any_order_batches_and_repeats(
    every: list[NotableStep], seed: int
) -> None:
    chance = Random(seed)
    expected = brute_kept(every)
    assert kept_steps(every) == expected
    arrivals = every + chance.choices(every, k=len(every)) if every else []
    chance.shuffle(arrivals)
    parts: list[tuple[NotableStep, ...]] = [(), ()]
    while arrivals:
        part = chance.randrange(2)
        size = chance.choice([1, 1, 2, 7])
        parts[part] = kept_steps([*parts[part], *arrivals[:size]])
        arrivals = arrivals[size:]
    assert kept_steps([*parts[0], *parts[1]]) == expected


@pytest.mark.parametrize("later", [1, DAY_MS])
def test_of_two_copies_of_an_event_the_earlier_is_the_step(later: int) -> None:
    copy = NotableStep(3 * DAY_MS, "a", 0, "page_viewed", "view")
    late = copy._replace(at_ms=copy.at_ms + later)

    assert kept_steps([copy, late]) == kept_steps([*kept_steps([late]), copy]) == (copy,)


@given(st.lists(steps, max_size=80))
def test_neither_trust_displaces_the_other_from_what_is_shown(every: list[NotableStep]) -> None:
    kept = kept_steps(every)
    shown = fitting(kept)
    assert len(shown) == min(MAX_STEPS, len(kept))
    assert list(shown) == sorted(shown, reverse=True)
    for rank in (0, 1):
        own = [step for step in kept if step.rank == rank]
        assert set(own[: MAX_STEPS // 2]) <= set(shown)


@given(st.lists(steps, max_size=80), st.integers(0, 500))
def test_what_is_shown_fits_into_its_room(every: list[NotableStep], room: int) -> None:
    shown = fitting(kept_steps(every), room, lambda step: 20 + len(step.signal))
    assert sum(20 + len(step.signal) for step in shown) <= room


def happened(id_: str, name: str, trust: Trust, days_ago: float = 0, **properties: Any) -> Event:
    return an_event(
        id=id_,
        name=name,
        trust=trust,
        occurred_at=NOW - days_ago * DAY,
        received_at=NOW,
        properties=properties,
    )


@pytest.mark.slow
def test_a_thousand_public_page_views_displace_only_page_views() -> None:
    own = [
        happened("paper", "content_downloaded", Trust.SIGNED, 40, content="The CRM guide"),
        happened("form", "form_submitted", Trust.PUBLIC, 39, message="We need SSO."),
        *(happened(f"v{n}", "page_viewed", Trust.SIGNED, 38 - n) for n in range(3)),
    ]
    flood = [
        happened(f"f{n}", "page_viewed", Trust.PUBLIC, n / 30, path=f"/pricing?{n}")
        for n in range(1_000)
    ]
    world = World(KNOWING)
    world.apply(own, NOW)
    world.apply(flood, NOW)

    lead = world.lead_of(Identifier(Kind.EMAIL, "ada@example.com"))
    shown = fitting(lead.steps)
    signed = [step for step in shown if step.trust is Trust.SIGNED]
    assert len(signed) == 4
    assert [dict(s.details)["message"] for s in shown if s.signal == "form"] == ["We need SSO."]
    assert len(shown) == 4 + 1 + MAX_OF_SIGNAL


def test_a_journey_goes_over_all_identifiers_of_a_person_and_an_event_is_one_step() -> None:
    paper = an_event(
        id="p", name="content_downloaded", email=None, user_id="u-1", properties={"kind": "guide"}
    )
    known = an_event(id="i", name="identified", user_id="u-1", email="ada@example.com")
    again = an_event(
        id="p", name="content_downloaded", user_id="u-1", email="ada@example.com",
        properties={"kind": "guide"},
    )  # fmt: skip
    world = World(KNOWING)
    for event in (paper, known, again):
        world.apply([event], NOW)
    lead = world.lead_of(Identifier(Kind.EMAIL, "ada@example.com"))
    assert sum(len(trail.steps) for trail in lead.trails.values()) == 2
    assert [step.details for step in lead.steps] == [(("kind", "guide"),)]


def test_without_notable_signals_there_is_no_journey() -> None:
    assert a_lead(an_event(name="page_viewed")).steps == ()
