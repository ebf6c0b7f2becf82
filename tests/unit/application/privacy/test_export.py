"""An export has everything that is kept of a person, in one order, and nothing of anybody else."""

import json
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec import Struct

from builders import NOW, a_transition, a_trigger, keeping, lead_ids
from unit.application.conftest import RULES, World
from unit.application.persons import ADA, EMAIL, ada_and_bob
from warmlead.application.privacy.erase import about
from warmlead.application.privacy.export import (
    ExportedAlert,
    ExportedConsent,
    ExportedEnrolment,
    ExportedEvent,
    ExportedIdentifier,
    ExportedLead,
    ExportedMirror,
    ExportedOffer,
    ExportedStatement,
    ExportedStep,
    ExportedTransition,
    export,
)
from warmlead.application.privacy.exported_standing import ExportedNurture, ExportedStage
from warmlead.domain.alerts import AlertRecord
from warmlead.domain.consent import Cause, ConsentFact
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.journey import NotableStep
from warmlead.domain.lead import Lead, NoteFact, Touch, Trail
from warmlead.domain.mirror import Mirror
from warmlead.domain.nurture import Enrolment
from warmlead.domain.nurture_record import NurtureFact, NurtureRecord, NurtureTurn
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.readings import LatestValue, Readings
from warmlead.domain.sales import SalesStatus, Statement
from warmlead.domain.stages import Cooling, DayOfMoves, Progress, Rest, Transition
from warmlead.domain.traits import TraitFact


async def exported(world: World) -> dict[str, Any]:
    lead = await world.store.get(EMAIL)
    found = await about(ADA, archive=world.sqlite_bus, of=lead_ids)
    moves = await world.store.transitions(EMAIL)
    document = export(
        *(lead, moves, found),
        rules=RULES,
        now=world.clock.now(),
        elsewhere=["nowhere"],
        nurtured=await world.store.nurtured(EMAIL),
    )
    plain: dict[str, Any] = json.loads(document.model_dump_json())
    return plain


TOLD = (("budget", "1200"), ("note", "Signed at the fair"))
STATEMENT = Statement(1_000, 4, "k", SalesStatus.WON, "hubspot", "", 120_000, "EUR", TOLD)
STEP = NotableStep(4_000, "s1", 1, "demo_requested", "demo", (("message", "We need SSO."),))
READINGS = Readings(
    {"visits": {20_500: ((60, 90),)}, "visits.pricing": {20_500: ((70, 70), (9_000, 9_060))}},
    {"distinct.page_viewed.path": {20_500: ("9vR-Kd2_", "aaaaaaaa")}},
    {"sum.page_left.seconds": {20_500: {"0123456789": 40}}},
    {"latest.paper.topic": LatestValue(7_000, "k1", '"seo"')},
    {"before.employees": {20_400: TraitFact(1, 8_000, "k2", "40")}},
)
NURTURED = NurtureRecord(
    NOW,
    "mql",
    (
        NurtureFact(NurtureTurn.SENT, "a", 2, 3, "case-study"),
        NurtureFact(NurtureTurn.ENDED, "a", 2, ending="goal"),
    ),
)
OFFER = Offer(2, "mql", NOW, told=frozenset([Deadline.REMINDER, Deadline.TOUCH_BREACHED]))


async def full(world: World, **more: Any) -> None:
    """Keeps a lead that has something of everything."""
    await ada_and_bob(world)
    lead = await world.lead()
    home = replace(lead.trails[EMAIL], statements={"k": STATEMENT}, erased_ms=7, **more)
    made = replace(
        lead,
        trails={**lead.trails, EMAIL: home},
        progress=replace(
            lead.progress,
            cooling=Cooling(NOW, NOW + timedelta(days=30)),
            rest=Rest(NOW, "lead", "the mql stage's enter condition holds"),
            moved=DayOfMoves(day_of(to_ms(NOW)), 2),
            qualified=NOW,
        ),
        outbox=(a_trigger(body='{"a": 1}'),),
        enrolments={"b": Enrolment("b", 1, NOW), "a": Enrolment("a", 2, NOW, ending="goal")},
        offer=OFFER,
        alerted={"asked-again": AlertRecord(2, NOW)},
        mirror=Mirror({"id": "0a1b2c3d", "score": "4e5f6a7b"}, 3, NOW),
        decay_on=20_522,
    )
    move = a_transition(attribution=(("utm_source", "google"),))
    await world.store.update(
        [], keeping(made, transitions=[(EMAIL, move)], nurtured=[(EMAIL, NURTURED)])
    )


GOLDEN = Path(__file__).with_suffix(".golden.json")


@pytest.mark.slow
async def test_an_export_is_the_golden_document_to_the_byte(world: World) -> None:
    """To write it anew, delete it and run the test twice: the difference is for a reviewer."""
    browser = lead_ids.of(Identifier(Kind.ANONYMOUS, "browser-1"))
    await full(
        world,
        claims=(Claim(0, 5_000, "c1", EMAIL), Claim(1, 4_000, "c2", browser)),
        former_ids=frozenset(["an-old-id"]),
        consent=(
            ConsentFact.of(Cause.SUBSCRIBED, at_ms=1_000, rank=0, received_ms=1_000),
            ConsentFact.of(
                Cause.UNSUBSCRIBED,
                at_ms=2_000,
                rank=1,
                key="e1",
                source="hubspot",
                mailing_list="news",
                received_ms=2_500,
            ),
        ),
        notes=(NoteFact(3_000, "n1", "title: cut"),),
        steps=(STEP,),
        readings=READINGS,
        told=(1_000, 9_000),
        last_touch=Touch(6_000, "t1", (("referrer", "https://news.example/"),)),
        last_landing=Touch(5_000, "t0", (("landing_page", "/a"), ("utm_source", "b"))),
    )
    document = await exported(world)
    for number, message in enumerate(document["archive"]):
        message["message_id"] = f"message {number}"  # made at random
    written = json.dumps(document, indent=1) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(written, encoding="utf-8")
        pytest.fail(f"{GOLDEN} was missing and has been written")
    assert written == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.slow
async def test_everything_is_in_it(world: World) -> None:
    await full(world)
    document = await exported(world)
    person = document["lead"]
    assert (person["email"], person["user_id"]) == ("ada@example.com", "u-42")
    assert person["traits"] == {"company": "Analytical Engines"}
    by_kind = {each["kind"]: each for each in person["identifiers"]}
    assert {kind: each["value"] for kind, each in by_kind.items()} == {
        "email": "ada@example.com",
        "user": "u-42",
        "anonymous": "browser-1",
    }
    (trait,) = by_kind["email"]["traits"]
    assert (trait["name"], trait["trust"]) == ("company", "signed")
    assert trait["event"] == by_kind["email"]["events"][0]["key"]
    assert len(by_kind["anonymous"]["events"]) == 2
    assert by_kind["anonymous"]["first_touch"]["attribution"] == {"utm_source": "google"}
    assert by_kind["anonymous"]["claim"]["owner"] == EMAIL
    assert by_kind["email"]["statements"][0]["value_cents"] == 120_000
    assert by_kind["email"]["erased_before"] == "1970-01-01T00:00:00.007000Z"
    points = sum(line["points"] for line in person["score"]["contributions"])
    assert points == person["score"]["score"] == 30
    assert person["stage"]["stage"] == "mql"
    assert person["stage"]["cooling_until"] == "2026-04-09T12:00:00Z"
    assert person["transitions"][-1]["attribution"] == {"utm_source": "google"}
    assert person["offer"]["told"] == sorted(OFFER.told)
    assert [each["sequence"] for each in person["enrolments"]] == ["a", "b"]
    assert [(each["turn"], each["message"], each["ending"]) for each in person["nurture"]] == [
        ("sent", "case-study", ""),
        ("ended", "", "goal"),
    ]
    assert person["unsent_triggers"][0]["event"] == {"a": 1}
    assert person["decay_on"] == "2026-03-10"
    topics = [message["topic"] for message in document["archive"]]
    assert sorted(topics) == ["lead-events", "lead-events", "mql", "quarantine", "quarantine"]
    assert document["archive"][0]["content"]["events"][0]["anonymous_id"] == "browser-1"
    assert "bob" not in json.dumps(document)
    assert document["elsewhere"] == ["nowhere"]


def names(kind: Any) -> set[str]:
    if issubclass(kind, Struct):
        return set(kind.__struct_fields__)
    own = kind.__annotations__ if issubclass(kind, tuple) else [each.name for each in fields(kind)]
    return set(own)


def test_an_export_covers_every_field_that_is_kept() -> None:
    """Whoever keeps one more field of a person must say where the export has it."""
    same: tuple[tuple[Any, Any], ...] = (
        (Transition, ExportedTransition),
        (Offer, ExportedOffer),
        (Enrolment, ExportedEnrolment),
        (Mirror, ExportedMirror),
    )
    assert names(NurtureFact) | {"at"} == ExportedNurture.model_fields.keys()
    not_kept = {"otherwise"}  # an offer's, for as long as it is decided which of two counts
    for own, copy in same:
        said = {"learnt": "learnt_at"}  # with the time at which it was so, if it is the same
        assert {said.get(n, n) for n in names(own) - not_kept} == copy.model_fields.keys()
    renamed: tuple[tuple[Any, Any, dict[str, str]], ...] = (
        (Lead, ExportedLead, {"trails": "identifiers", "progress": "stage", "snapshot": "score"}),
        (
            Trail,
            ExportedIdentifier,
            {
                "links": "linked_to",
                "claims": "claim",
                "history": "events",
                "told": "named_last",
            },
        ),
        (
            ConsentFact,
            ExportedConsent,
            {"at_ms": "at", "key": "event", "received_ms": "received_at", "rank": "trust"},
        ),
        (AlertRecord, ExportedAlert, {}),
        (
            Progress,
            ExportedStage,
            {
                "cooling": "cooling_since",
                "learnt": "learnt_at",
                "rest": "resting_since",
                "moved": "moved_by_model_on",
            },
        ),
        (KeptEvent, ExportedEvent, {"at_ms": "at", "received_ms": "received_at"}),
        (Statement, ExportedStatement, {"at_ms": "at", "key": "event"}),
        (NotableStep, ExportedStep, {"at_ms": "at", "key": "event"}),
    )
    others = {"identifier": "value", "erased_ms": "erased_before", "outbox": "unsent_triggers"}
    left_out = {"rank", "weight"}  # they follow from what was said
    for kept, shown, names_in_export in renamed:
        said = {**others, **names_in_export}
        assert {
            said.get(name, name) for name in names(kept) - left_out
        } <= shown.model_fields.keys()


@pytest.mark.slow
async def test_the_same_person_is_the_same_document(world: World) -> None:
    await ada_and_bob(world)
    first = json.dumps(await exported(world))
    lead = await world.lead()
    shuffled = [*lead.trails.items()]
    Random(7).shuffle(shuffled)
    await world.store.update([], keeping(replace(lead, trails=dict(shuffled))))
    assert json.dumps(await exported(world)) == first


def test_an_unknown_person_has_only_archived_messages() -> None:
    document = export(None, (), None, rules=RULES, now=NOW, elsewhere=())
    assert (document.lead, document.archive) == (None, None)
