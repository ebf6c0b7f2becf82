import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from builders import NOW, a_lead, a_transition, a_trigger, an_event, lead_ids
from warmlead.domain.alerts import AlertRecord
from warmlead.domain.consent import Cause, ConsentFact, Status, SuppressionPolicy
from warmlead.domain.errors import UnavailableError
from warmlead.domain.event import Event, Trust
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import History
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.journey import NotableStep
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.lead import Lead, Touch, Trail
from warmlead.domain.mirror import Mirror
from warmlead.domain.nurture import Enrolment
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.readings import LatestValue, Readings
from warmlead.domain.sales import SalesStatus, Statement
from warmlead.domain.shadow import Shadow, ShadowMove
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import Cooling, DayOfMoves, MoveCause, Progress, Rest, Transition
from warmlead.domain.traits import TraitFact
from warmlead.domain.trigger import Topic, Trigger
from warmlead.domain.unjudged import Unjudged
from warmlead.stores.codec import VERSION, read_lead, write_lead
from warmlead.stores.move_codec import read_transition, write_transition

TEXTS = st.text(max_size=8)
WORDS = st.sampled_from(["page_viewed", "form_submitted", "pricing", "webinar", "Grüße"])
MS = st.integers(0, 4_000_000_000_000)
DAYS = st.integers(0, 40_000)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=50_000)).map(
    lambda since: datetime(1970, 1, 1, tzinfo=UTC) + since
)
COUNTS = st.dictionaries(WORDS, st.dictionaries(DAYS, st.integers(1, 20), max_size=4), max_size=3)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
TOUCHES = st.none() | st.builds(Touch, MS, TEXTS, PAIRS)
KEYS = st.sampled_from(["00000000000000a1", "00000000000000b2", "00000000000000c3"]) | TEXTS
SIGNALS = st.lists(WORDS, max_size=3).map(tuple)
KEPT = st.builds(
    KeptEvent, MS, KEYS, MS, WORDS, SIGNALS, st.sampled_from(["", "", "mail", "mail.link"])
)
HISTORIES = st.builds(
    History,
    recent=st.lists(KEPT, max_size=6).map(lambda events: {event.key: event for event in events}),
    signal_days=COUNTS,
    name_days=COUNTS,
    last_day=st.dictionaries(WORDS, DAYS, max_size=3),
)
STATEMENTS = st.builds(
    Statement,
    MS,
    st.integers(0, 5),
    TEXTS,
    st.sampled_from(SalesStatus),
    TEXTS,
    TEXTS,
    st.none() | st.integers(0, 10**15),
    TEXTS,
    PAIRS,
)
T = TypeVar("T")


def by_day(read: st.SearchStrategy[T]) -> st.SearchStrategy[dict[str, dict[int, T]]]:
    days = st.dictionaries(DAYS, read, min_size=1, max_size=3)
    return st.dictionaries(WORDS, days, max_size=2)


FACTS = st.builds(
    ConsentFact.of,
    st.sampled_from(Cause),
    at_ms=MS,
    rank=st.integers(0, 1),
    key=TEXTS,
    source=TEXTS,
    mailing_list=TEXTS,
    received_ms=MS,
)
SECONDS = st.integers(0, 86_399)
HASHES = st.text("abcXYZ09-_", min_size=8, max_size=8)
READINGS = st.builds(
    Readings,
    visits=by_day(st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=3).map(tuple)),
    values=by_day(st.lists(HASHES, min_size=1, max_size=3).map(tuple)),
    amounts=by_day(st.dictionaries(TEXTS, st.integers(1, 10**9), min_size=1, max_size=3)),
    latest=st.dictionaries(WORDS, st.builds(LatestValue, MS, TEXTS, TEXTS), max_size=2),
    traits=by_day(st.builds(TraitFact, st.integers(0, 1), MS, TEXTS, TEXTS)),
)
STEPS = st.builds(NotableStep, MS, TEXTS, st.integers(0, 1), WORDS, WORDS, PAIRS)


def steps_of(trail: Trail) -> st.SearchStrategy[tuple[NotableStep, ...]]:
    """Steps of any events, and of those that the trail keeps."""
    any_of = st.builds(NotableStep, MS, KEYS, st.integers(0, 1), WORDS, WORDS, PAIRS)
    events = list(trail.history.recent.values())
    of_kept = [
        st.builds(NotableStep, ms, st.just(event.key), st.integers(0, 1), names, WORDS, PAIRS)
        for event in events
        for ms, names in ((st.just(event.at_ms) | MS, st.just(event.name) | WORDS),)
    ]
    return st.lists(st.one_of(any_of, *of_kept), max_size=3).map(tuple)


TRAILS = st.builds(
    Trail,
    identifier=st.builds(Identifier, st.sampled_from(Kind), TEXTS),
    links=st.frozensets(TEXTS, max_size=3),
    claims=st.lists(st.builds(Claim, st.integers(0, 1), MS, TEXTS, TEXTS), max_size=3).map(tuple),
    history=HISTORIES,
    traits=st.dictionaries(TEXTS, st.builds(TraitFact, st.integers(0, 1), MS, TEXTS, TEXTS)),
    first_touch=TOUCHES,
    last_touch=TOUCHES,
    last_landing=TOUCHES,
    direct=st.booleans(),
    statements=st.lists(STATEMENTS, max_size=3).map(lambda said: {each.key: each for each in said}),
    erased_ms=st.none() | MS,
    is_signed=st.booleans(),
    former_ids=st.frozensets(TEXTS, max_size=2),
    consent=st.lists(FACTS, max_size=3).map(tuple),
    told=st.none() | st.tuples(MS, MS),
    readings=READINGS,
    unjudged=st.dictionaries(TEXTS, st.builds(Unjudged, st.none() | STEPS, READINGS), max_size=2),
).flatmap(lambda trail: steps_of(trail).map(lambda steps: replace(trail, steps=steps)))
PROGRESS = st.builds(
    Progress,
    stage=WORDS,
    since=MOMENTS,
    entered=st.dictionaries(WORDS, st.integers(0, 99), max_size=3),
    peak_score=st.integers(),
    cooling=st.none() | st.builds(Cooling, MOMENTS, MOMENTS),
    verdict=TEXTS,
    grounds=st.none() | TEXTS,
    learnt=st.none() | MOMENTS,
    rest=st.none() | st.builds(Rest, MOMENTS, WORDS, TEXTS),
    moved=st.none() | st.builds(DayOfMoves, DAYS, st.integers(1, 10)),
    qualified=st.none() | MOMENTS,
    held=st.booleans(),
)
ENROLMENTS = st.dictionaries(
    WORDS,
    st.tuples(
        st.integers(1, 9),
        MOMENTS,
        st.integers(0, 9),
        st.none() | MOMENTS,
        st.none() | MOMENTS,
        WORDS,
    ),
    max_size=2,
).map(lambda parts: {name: Enrolment(name, *fields) for name, fields in parts.items()})
OFFERS = st.builds(
    Offer,
    cycle=st.integers(1, 9),
    stage=WORDS,
    at=MOMENTS,
    owner=TEXTS,
    told=st.frozensets(st.sampled_from(Deadline)),
    touched_at=st.none() | MOMENTS,
    owed_since=st.none() | MOMENTS,
    closed_at=st.none() | MOMENTS,
    answer=TEXTS,
)
NUMBERS = st.integers(-1_000, 1_000)
KNOWLEDGE = st.builds(
    Knowledge,
    marks=st.sampled_from(["", "0a1b2", "0a1b2c3d4e", "0a1b2c3d4eff000"]),
    since=st.dictionaries(st.sampled_from(["visit", "login"]), st.integers(0, 20_000)),
)
SHADOWS = st.builds(
    Shadow,
    version=TEXTS,
    since=MOMENTS,
    progress=PROGRESS,
    score=NUMBERS,
    engagement=NUMBERS,
    fit=NUMBERS,
    day=DAYS,
    knowledge=st.none() | KNOWLEDGE,
    moves=st.lists(
        st.builds(
            ShadowMove,
            *(MOMENTS, WORDS, WORDS, NUMBERS, NUMBERS, st.sampled_from(MoveCause)),
            *(TEXTS, TEXTS, st.none() | MOMENTS),
        ),
        max_size=3,
    ).map(tuple),
)
LEADS = st.builds(
    Lead,
    id=TEXTS,
    trails=st.dictionaries(TEXTS, TRAILS, max_size=3),
    progress=PROGRESS,
    created_at=MOMENTS,
    snapshot=st.none() | st.builds(Snapshot, NUMBERS, NUMBERS, NUMBERS, DAYS, TEXTS),
    outbox=st.lists(
        st.builds(Trigger, TEXTS, st.sampled_from(Topic), MOMENTS, TEXTS, PAIRS), max_size=3
    ).map(tuple),
    enrolments=ENROLMENTS,
    offer=st.none() | OFFERS,
    alerted=st.dictionaries(WORDS, st.builds(AlertRecord, st.integers(0, 9), MOMENTS), max_size=2),
    mirror=st.builds(
        Mirror,
        prints=st.dictionaries(WORDS, WORDS, max_size=3),
        count=st.integers(0, 9),
        at=st.none() | MOMENTS,
        due=st.none() | MOMENTS,
    ),
    shadow=st.none() | SHADOWS,
    decay_on=st.none() | DAYS,
    due_at=st.none() | MOMENTS,
    knowledge=st.none() | KNOWLEDGE,
)
TRANSITIONS = st.builds(
    Transition,
    at=MOMENTS,
    from_stage=WORDS,
    to_stage=WORDS,
    cycle=NUMBERS,
    reason=TEXTS,
    score=NUMBERS,
    fit=NUMBERS,
    hours_in_stage=st.floats(allow_nan=False, allow_infinity=False),
    model_version=TEXTS,
    source=TEXTS,
    attribution=PAIRS,
    cause=st.sampled_from(MoveCause),
    detail=TEXTS,
    learnt=st.none() | MOMENTS,
    qualified=st.none() | MOMENTS,
    imported=TEXTS,
)


USER = lead_ids.of(Identifier(Kind.USER, "u-1"))


@given(LEADS)
def test_a_lead_that_was_written_is_read_back_exactly(lead: Lead) -> None:
    assert read_lead(write_lead(lead)) == (lead, {})


@given(TRANSITIONS)
def test_a_transition_that_was_written_is_read_back_exactly(transition: Transition) -> None:
    assert read_transition(write_transition(transition)) == transition


@pytest.mark.parametrize(
    ("reason", "source", "cause", "detail"),
    [
        ("became known by an email or a user id", "model", MoveCause.KNOWN, ""),
        ("the mql stage's enter condition holds", "model", MoveCause.ENTERED, ""),
        ("the mql stage's leave condition holds", "model", MoveCause.LEFT, ""),
        (
            "demo_requested opens the mql stage at once",
            "model",
            MoveCause.BYPASSED,
            "demo_requested",
        ),
        ("the model has no pql stage any more", "model", MoveCause.DROPPED, ""),
        ("what spoke against the lead's fit has changed", "model", MoveCause.FIT_CHANGED, ""),
        ("", "model", MoveCause.UNKNOWN, ""),
        ("sales: accepted", "hubspot", MoveCause.ACCEPTED, ""),
        ("sales: rejected (not ready)", "hubspot", MoveCause.REJECTED, "not_ready"),
        ("sales: rejected", "hubspot", MoveCause.REJECTED, ""),
        ("sales: lost (too dear (for us))", "hubspot", MoveCause.LOST, "too dear (for us)"),
        ("sales: opportunity", "hubspot", MoveCause.OPPORTUNITY, ""),
        ("sales: won", "hubspot", MoveCause.WON, ""),
        ("sales: gone fishing", "hubspot", MoveCause.UNKNOWN, ""),
    ],
)
def test_the_cause_of_an_older_move_is_read_from_its_sentence(
    reason: str, source: str, cause: MoveCause, detail: str
) -> None:
    known = {"v": 2, "at": 0, "from_stage": "lead", "to_stage": "mql", "cycle": 1, "reason": reason}
    rest = {"score": 1, "fit": 0, "hours": 1.0, "model": "m"}
    move = read_transition(json.dumps({**known, **rest, "source": source}))
    assert (move.reason, move.cause, move.detail) == (reason, cause, detail)
    assert read_transition(write_transition(move)) == move


def test_a_lead_is_read_back_with_its_own_types() -> None:
    lead = a_lead(
        an_event(traits={"country": "US"}, attribution={"utm_source": "ads"}),
        an_event(id="e2", user_id="u-1", email="ada@example.com", trust=Trust.PUBLIC),
        outbox=(a_trigger(),),
    )
    again = read_lead(write_lead(lead)).lead
    trail, claimed = again.trails[lead.id], again.trails[USER]
    assert again.outbox[0].topic is Topic.MQL
    assert trail.identifier.kind is Kind.EMAIL
    assert claimed.claim
    assert claimed.claim.owner == lead.id
    assert trail.first_touch
    assert trail.first_touch.attribution == (("utm_source", "ads"),)
    assert trail.traits["country"].value == "US"
    assert {event.name for event in trail.history.kept.values()} == {"page_viewed"}


def test_a_lead_is_stored_as_the_same_text_for_any_order_of_events() -> None:
    events = [
        an_event(
            id=str(i),
            email="ada@example.com",
            anonymous_id=f"browser-{i % 3}",
            occurred_at=NOW - timedelta(minutes=i % 7),
        )
        for i in range(20)
    ]
    lead = a_lead(*events)
    assert write_lead(a_lead(*reversed(events))) == write_lead(lead)


@pytest.mark.parametrize("name", ["Żółw 🐢", "half of a pair \ud800", "\x00\x1f\x7f\u2028"])
def test_a_text_holds_only_characters_that_every_store_takes(name: str) -> None:
    lead = a_lead(structs.replace(an_event(), traits={"name": name}))
    assert write_lead(lead).isascii()
    assert read_lead(write_lead(lead)).lead == lead


def test_unknown_fields_of_a_newer_release_are_written_back() -> None:
    lead = a_lead()
    text = json.dumps({**json.loads(write_lead(lead)), "newer": {"mql-education": [1, 2]}})
    document = read_lead(text)
    rewritten = json.loads(write_lead(replace(lead, outbox=()), document.extra))
    assert document.lead == lead
    assert rewritten["newer"] == {"mql-education": [1, 2]}


def test_a_lead_in_a_newer_layout_is_not_touched() -> None:
    text = json.dumps({**json.loads(write_lead(a_lead())), "v": VERSION + 1})
    with pytest.raises(UnavailableError):
        read_lead(text)


# Written by release 0.1: what it wrote must be readable by every later one.
GOLDEN = (
    '{"v":1,"id":"a","created":1773144000000000,"progress":{"stage":"lead",'
    '"since":1773144000000000,"entered":{"lead":1},"peak":5,"cooling":[1773144000000000,'
    '1773144000000001]},"snapshot":[5,5,0,20522,"m"],"outbox":[["t","mql",1773144000000000,'
    '"{}",[["stage","mql"]]]],"shapes":[["page_viewed",["pricing"]]],"trails":{"a":{"who":'
    '[0,"ada@example.com"],"links":["u"],"claim":[1,1773140400000,"k0","u"],"kept":{"at":'
    '[1773140400000,5],"received":[0,7],"keys":["k1","k2"],"shapes":[0,0]},"signals":{"pricing":'
    '[20400,2,3,1]},"names":{},"last":{"page_viewed":20522},"traits":{"country":[1,1773140400000,'
    '"k1","\\"US\\""]},"first_touch":[1773140400000,"k1",[["utm_source","ads"]]],'
    '"last_touch":null}}}'
)


def test_a_lead_of_layout_1_stays_the_same_except_that_it_is_due() -> None:
    lead, extra = read_lead(GOLDEN)
    trail = lead.trails["a"]
    assert trail.history.kept["k2"].at_ms == 1773140400005
    assert trail.history.kept["k2"].received_ms == 1773140400012
    assert trail.history.signal_days == {"pricing": {20400: 3, 20402: 1}}
    assert lead.progress.since == NOW
    assert write_lead(lead, extra) == OF_NOW.replace('"decay_on":7', '"decay_on":0')


OF_NOW = (
    f'{{"v":{VERSION},"id":"a","created":1773144000000000,"progress":{{"stage":"lead",'
    '"since":1773144000000000,"peak":5,"entered":{"lead":1},"cooling":[1773144000000000,'
    '1773144000000001]},"trails":{"a":{"who":[0,"ada@example.com"],"kept":{"at":'
    '[1773140400000,5],"keys":["k1","k2"],"shapes":[0,0],"received":[0,7]},"signals":{"pricing":'
    '[20400,2,3,1]},"last":{"page_viewed":20522},"traits":{"country":[1,1773140400000,'
    '"k1","\\"US\\""]},"first_touch":[1773140400000,"k1",[["utm_source","ads"]]],"links":["u"],'
    '"claim":[1,1773140400000,"k0","u"],"signed":true}},"shapes":[["page_viewed",["pricing"]]],'
    '"snapshot":[5,5,0,20522,"m"],"outbox":[["t","mql",1773144000000000,"{}",[["stage","mql"]]]],'
    '"decay_on":7}'
)
"""The same lead as release 0.1 wrote, as it is written now, due on the day 7."""


def of_layout_2(lead: Lead) -> Lead:
    """The lead as it would be read if release 0.1 had written it."""
    document = json.loads(write_lead(lead))
    for trail in document["trails"].values():
        trail.pop("signed", None)
    return read_lead(json.dumps({**document, "v": 2})).lead


@pytest.mark.parametrize(
    "told",
    [
        an_event(user_id="u-1", traits={"name": "Ada"}),
        an_event(user_id="u-1", name="sales_touched"),
        an_event(user_id="u-1", email="ada@example.com"),
        an_event(user_id="u-1", anonymous_id="b-1"),
    ],
    ids=["trait", "statement", "link", "claim"],
)
def test_a_lead_of_layout_2_shows_which_trails_a_signed_source_named(told: Event) -> None:
    public = structs.replace(told, trust=Trust.PUBLIC)
    assert any(t.is_signed for t in of_layout_2(a_lead(told)).trails.values())
    assert not any(t.is_signed for t in of_layout_2(a_lead(public)).trails.values())


def test_a_public_claim_of_layout_2_has_the_time_of_receipt() -> None:
    claim = an_event(email="ada@example.com", user_id="u-1", trust=Trust.PUBLIC)
    stated = structs.replace(claim, occurred_at=NOW - timedelta(days=900), received_at=NOW)
    document = json.loads(write_lead(a_lead(stated)))
    stored = document["trails"][USER]["claim"]
    document["trails"][USER]["claim"] = [1, 1, *stored[2:]]
    lead = read_lead(json.dumps({**document, "v": 2})).lead
    assert lead.trails[USER].claim == a_lead(stated).trails[USER].claim


@pytest.mark.parametrize("layout", [1, 2])
@pytest.mark.parametrize(
    ("last_day", "status"),
    [
        ({"page_viewed": 20522}, Status.UNKNOWN),
        ({"email_unsubscribed": 20400}, Status.UNSUBSCRIBED),
        ({"email_unsubscribed": 20400, "newsletter_subscribed": 20400}, Status.UNSUBSCRIBED),
        ({"email_unsubscribed": 20400, "newsletter_subscribed": 20401}, Status.SUBSCRIBED),
        ({"unsubscribed": 20400}, Status.UNSUBSCRIBED),  # kept by the name that Segment gives it
        ({"email_marked_as_spam": 20400, "email_opened": 20500}, Status.COMPLAINED),
        ({"email_bounced": 20400}, Status.BOUNCED),
    ],
)
def test_a_refusal_from_before_consent_was_stored_still_suppresses(
    layout: int, last_day: dict[str, int], status: Status
) -> None:
    document = {**json.loads(GOLDEN), "v": layout}
    document["trails"]["a"]["last"] = last_day
    lead = read_lead(json.dumps(document)).lead
    assert lead.consent(SuppressionPolicy()).status is status
    again = read_lead(write_lead(lead)).lead
    assert again == lead


def test_a_lead_of_layout_2_stays_the_same() -> None:
    text = GOLDEN.replace('{"v":1', '{"v":2').removesuffix("}") + ',"decay_on":7}'
    assert write_lead(*read_lead(text)) == OF_NOW


LAYOUT_3 = (
    '{"v":3,"id":"a","created":1773144000000000,"progress":{"stage":"lead",'
    '"since":1773144000000000,"entered":{"lead":1},"peak":5,"cooling":null},"snapshot":null,'
    '"outbox":[],"shapes":[["form_submitted",["form","inquiry"]],["page_viewed",[]]],"trails":'
    '{"a":{"who":[0,"ada@example.com"],"links":[],"claim":null,"kept":{"at":[1773140400000,5],'
    '"received":[0,0],"keys":["00000000000000a1","00000000000000b2"],"shapes":[0,1]},"signals":{},'
    '"names":{},"last":{"form_submitted":20522},"traits":{},"first_touch":null,"last_touch":null,'
    '"steps":[[1773140400000,"00000000000000a1",1,"form_submitted","inquiry",[["form","demo"]]],'
    '[1773140300000,"00000000000000d4",0,"form_submitted","form",[]]],"signed":true}},'
    '"decay_on":7,"knows":["0a1b2c3d4eff000",{"form":20500}]}'
)


def test_a_lead_of_layout_3_stays_the_same_in_three_quarters_of_the_room() -> None:
    lead, extra = read_lead(LAYOUT_3)
    first, second = lead.trails["a"].steps
    assert first.details == (("form", "demo"),)
    assert (first.key, first.signal, first.trust) == ("00000000000000a1", "inquiry", Trust.SIGNED)
    assert (second.key, second.trust) == ("00000000000000d4", Trust.PUBLIC)
    assert lead.knowledge == Knowledge("0a1b2c3d4eff000", {"form": 20500})
    text = write_lead(lead, extra)
    assert read_lead(text) == (lead, {})
    assert len(text) < len(LAYOUT_3) * 3 / 4


def empties_in(document: object) -> int:
    """How many values in it are empty, the two parts of what a lead knows aside."""
    if isinstance(document, dict):
        parts = [value for name, value in document.items() if name != "knows"]
    else:
        parts = document if isinstance(document, list) else []
    return sum(each in (None, [], {}, "") for each in parts) + sum(map(empties_in, parts))


def test_a_lead_that_did_one_thing_has_nothing_empty_in_its_document() -> None:
    assert empties_in(json.loads(LAYOUT_3)) > 5
    text = write_lead(a_lead(an_event(traits={"country": "US"})))
    assert empties_in(json.loads(text)) == 0


def test_a_step_whose_event_is_kept_costs_little_beside_its_details() -> None:
    lead = read_lead(LAYOUT_3).lead
    trail = lead.trails["a"]

    def size(*steps: NotableStep) -> int:
        return len(write_lead(replace(lead, trails={"a": replace(trail, steps=steps)})))

    kept, displaced = (step._replace(details=()) for step in trail.steps)
    assert size(kept) - size() < 25 < size(displaced) - size()


def test_notes_are_kept_and_cost_nothing_where_there_are_none() -> None:
    lead = a_lead(an_event(notes=("message: was cut to 8192 bytes", "a: left out")))
    text = write_lead(lead)
    assert read_lead(text).lead == lead
    assert [note.text for note in lead.notes] == ["a: left out", "message: was cut to 8192 bytes"]
    assert "notes" not in write_lead(a_lead())


def test_a_lead_without_mails_is_stored_without_marks() -> None:
    (trail,) = json.loads(write_lead(a_lead(an_event(), an_event(id="e2"))))["trails"].values()
    assert trail["kept"].keys() == {"at", "keys", "shapes"}
    assert "unjudged" not in trail


def test_a_lead_of_a_release_that_marked_no_clicks_is_read() -> None:
    sent = {"message_id": "m", "url": "https://shop.example"}
    lead = a_lead(an_event(name="email_clicked", properties=sent))
    document = json.loads(write_lead(lead))
    (trail,) = document["trails"].values()
    assert len(trail["kept"].pop("marks")) == 1
    before = read_lead(json.dumps(document)).lead
    (event,) = before.trails[lead.id].history.kept.values()
    assert (event.name, event.mark) == ("email_clicked", "")
    assert write_lead(before) == json.dumps(document, separators=(",", ":"))


def test_a_move_of_before_was_learnt_when_it_was_so() -> None:
    move = read_transition(write_transition(a_transition()))
    assert (move.at, move.learnt_at, move.is_late) == (NOW, NOW, False)


def test_a_transition_written_later_with_more_fields_is_read() -> None:
    text = json.dumps({**json.loads(write_transition(a_transition())), "newer": "sales"})
    assert read_transition(text) == a_transition()


@pytest.mark.parametrize(("events", "most_bytes"), [(5, 1_500), (50, 4_000), (500, 25_000)])
def test_a_lead_stays_small(events: int, most_bytes: int) -> None:
    lead = a_lead(
        *(
            an_event(id=f"e{i}", occurred_at=NOW - timedelta(hours=2 * i, seconds=i * 7))
            for i in range(events)
        )
    )
    assert lead.kept_events == events
    assert len(write_lead(lead)) <= most_bytes


@pytest.mark.slow
def test_a_lead_with_thousands_of_events_is_read_back_exactly() -> None:
    events = (  # the last of them first: what is packed is opened again and again
        an_event(
            id=f"e{i}",
            name=f"event_{i % 30}",
            occurred_at=NOW - timedelta(hours=i // 3, seconds=i),
            received_at=NOW - timedelta(hours=i // 3),
            **({"anonymous_id": "browser-1", "email": None} if i % 4 == 0 else {}),
        )
        for i in range(2_000)
    )
    lead = a_lead(*events, an_event(id="tie", email="ada@example.com", anonymous_id="browser-1"))
    text = write_lead(lead)
    assert text.isascii()
    assert read_lead(text) == (lead, {})
    assert all(trail.history.packed for trail in lead.trails.values())
