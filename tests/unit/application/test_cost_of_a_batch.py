"""What the largest batch costs at a lead that has the most of something: so much for an event.

Whoever has a public key can fill a lead up, and then send to it again and again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from builders import NOW, an_event, lead_ids
from cost import assert_linear, assert_within
from unit.application.living import DAY, HOUR
from warmlead.application.apply import Decision, Scoring
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import identifiers_of
from warmlead.domain.lead import Lead
from warmlead.model.loading import ready_model
from warmlead.ports import Loaded, Need
from warmlead.stores.codec import read_lead, write_lead

pytestmark = pytest.mark.slow

MOST_EVENTS = 2_500
MOST_S = 0.5
"""For so many events; it took up to seven seconds."""

MOST_S_A_NAMING = 0.000_9
"""To decide about a new address that names a full lead; it took four times as long."""

MOST_S_A_PERSON = 0.000_4
"""To decide about, and to write down."""

MODEL = ready_model("b2b-saas")
SCORING = Scoring(MODEL.rules, lead_ids)
ADA = "ada@example.com"
KNOWN = ("page_viewed", "form_submitted", "content_downloaded", "webinar_attended", "email_opened")

Shape = Callable[[Random, int], Mapping[str, Any]]
"""The fields of an event of a number; ``received_at`` and ``occurred_at`` are before now."""


def ago(random: Random, days: int) -> datetime:
    return NOW - timedelta(seconds=random.randrange(days * 86_400))


SHAPES: dict[str, Shape] = {
    "one day": lambda *_: {"received_at": NOW - HOUR, "occurred_at": NOW - HOUR},
    "one after the other": lambda _, i: {"received_at": NOW - timedelta(milliseconds=i)},
    "any receipt and day": lambda r, i: {
        "received_at": ago(r, 30),
        "occurred_at": NOW - 31 * DAY - timedelta(seconds=r.randrange(300 * 86_400)),
        "name": KNOWN[i % len(KNOWN)],
    },
    "one day late": lambda r, i: {
        "received_at": ago(r, 4),
        "occurred_at": NOW - 5 * DAY,
        "name": KNOWN[i % len(KNOWN)],
    },
    "many days at once": lambda _, i: {"occurred_at": NOW - (i % 1_800) * DAY},
    "many names": lambda _, i: {"name": f"n_{i % 290}", "occurred_at": NOW - (i % 40) * DAY},
    "many browsers": lambda _, i: {
        "anonymous_id": f"browser-{i % 190}",
        "occurred_at": NOW - (i % 300) * DAY,
    },
    "refusals": lambda _, i: {
        "name": "email_unsubscribed",
        "anonymous_id": f"browser-{i % 190}",
        "properties": {"list": f"list {i}"},
    },
    "a browser's own": lambda r, i: {
        "anonymous_id": f"browser-{i % 190}",
        "email": ADA if i % MOST_EVENTS < 200 else None,
        "received_at": ago(r, 30),
    },
}  # fmt: skip


def some(shape: str, first: int, count: int) -> list[Event]:
    random = Random(first)
    defaults = {"received_at": NOW, "email": ADA, "trust": Trust.PUBLIC, "name": "page_viewed"}
    events = []
    for number in range(first, first + count):
        fields = {**defaults, "id": f"e{number}", **SHAPES[shape](random, number)}
        events.append(an_event(**{"occurred_at": fields["received_at"], **fields}))
    return events


def after(events: Sequence[Event], text: str = "") -> str:
    """Ada's lead after the events, as a store keeps it; ``text`` is what it was."""
    lead = read_lead(text).lead if text else None
    held: dict[str, Lead | None] = dict.fromkeys(lead.ids, lead) if lead else {}
    decision = Decision(events, SCORING, NOW)
    loaded: Loaded = {lead_ids.of(identifiers_of(events[0])[0]): lead}
    while isinstance(decided := decision(loaded), Need):
        loaded = {**loaded, **{id_: held.get(id_) for id_ in decided.ids}}
    return max((write_lead(each) for each in decided.leads), key=len, default=text)


@pytest.fixture(scope="module")
def heavy() -> Mapping[str, str]:
    """Leads to which nothing but events of one shape came, until there was no more room."""
    texts = dict.fromkeys(("any receipt and day", "many names", "a browser's own"), "")
    for shape in texts:
        for first in range(0, 4 * MOST_EVENTS, MOST_EVENTS):
            texts[shape] = after(some(shape, first, MOST_EVENTS), texts[shape])
    return texts


@pytest.mark.slow
@pytest.mark.parametrize("lead", ["any receipt and day", "many names", "a browser's own"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_batch_for_a_full_lead_stays_within_its_budget(
    shape: str, lead: str, heavy: Mapping[str, str]
) -> None:
    batch = some(shape, 100_000, MOST_EVENTS)

    assert_within(MOST_S, lambda: after(batch, heavy[lead]))


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_cost_of_a_batch_grows_linearly(shape: str) -> None:
    few, many = some(shape, 0, MOST_EVENTS // 4), some(shape, 0, MOST_EVENTS)

    assert_linear(lambda: after(few), lambda: after(many))


@pytest.mark.slow
def test_a_single_event_does_not_unpack_older_ones(heavy: Mapping[str, str]) -> None:
    (event,) = some("one day", 200_000, 1)
    (late,) = some("one day late", 200_001, 1)

    for one in (event, late):
        assert_within(0.03, partial(after, [one], heavy["many names"]))


@pytest.mark.slow
def test_a_new_person_costs_a_fixed_amount() -> None:
    people = [an_event(id=f"e{n}", email=None, user_id=f"user-{n}", name="x") for n in range(500)]

    assert_within(500 * MOST_S_A_PERSON, lambda: [after([event]) for event in people])


def naming_shared(person: str, **fields: Any) -> Event:
    """A public event of a person who says that a browser is theirs of which others say so too."""
    times = {"occurred_at": NOW - 8 * HOUR, "received_at": NOW, **fields}
    email = f"{person}@example.com"
    return an_event(
        id=person, trust=Trust.PUBLIC, email=email, anonymous_id="shared browser", **times
    )


def changed(events: Sequence[Event], held: Mapping[str, Lead]) -> Sequence[Lead]:
    """The leads that events of one person change, of those that are held by id, or new."""
    decision = Decision(events, SCORING, NOW)
    home = lead_ids.of(identifiers_of(events[0])[0])
    loaded: Loaded = {home: held.get(home)}
    while isinstance(decided := decision(loaded), Need):
        loaded = {**loaded, **{id_: held.get(id_) for id_ in decided.ids}}
    return decided.leads


@pytest.fixture(scope="module")
def full() -> Mapping[str, Lead]:
    """Ada's full lead by id, of whose browser as many others as are kept say that it is theirs."""
    public = {"trust": Trust.PUBLIC, "occurred_at": NOW - 9 * HOUR, "received_at": NOW - 9 * HOUR}
    browsers = ["shared browser", *(f"browser {number}" for number in range(150))]
    ties = [an_event(**public, id=each, email=ADA, anonymous_id=each) for each in browsers]
    others = [naming_shared(f"early{n}", received_at=NOW - 8 * HOUR) for n in range(12)]
    days = some("any receipt and day", 500_000, MOST_EVENTS)
    held: dict[str, Lead] = {}
    for update in (ties, days, some("many names", 0, MOST_EVENTS), *([each] for each in others)):
        for lead in changed(update, held):
            held.update(dict.fromkeys(lead.ids, lead))
    return held


@pytest.mark.slow
def test_naming_a_full_lead_that_does_not_change_costs_little(
    full: Mapping[str, Lead],
) -> None:
    events = [naming_shared(f"late{number}") for number in range(200)]

    assert_within(200 * MOST_S_A_NAMING, lambda: [changed([event], full) for event in events])


def test_an_unchanged_lead_is_not_written(full: Mapping[str, Lead]) -> None:
    late = naming_shared("late")

    assert [lead.email for lead in changed([late], full)] == [late.email]
