import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

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
from warmlead.domain.lead import Lead, Snapshot, Touch, Trail, TraitFact
from warmlead.domain.mirror import Mirror
from warmlead.domain.nurture import Enrolment
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.sales import SalesStatus, Statement
from warmlead.domain.stages import Cooling, MoveCause, Progress, Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.stores.codec import VERSION, read_lead, read_transition, write_lead, write_transition

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
KEPT = st.builds(KeptEvent, MS, TEXTS, MS, WORDS, st.lists(WORDS, max_size=3).map(tuple))
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
TRAILS = st.builds(
    Trail,
    identifier=st.builds(Identifier, st.sampled_from(Kind), TEXTS),
    links=st.frozensets(TEXTS, max_size=3),
    claims=st.lists(st.builds(Claim, st.integers(0, 1), MS, TEXTS, TEXTS), max_size=3).map(tuple),
    history=HISTORIES,
    traits=st.dictionaries(TEXTS, st.builds(TraitFact, st.integers(0, 1), MS, TEXTS, TEXTS)),
    first_touch=TOUCHES,
    last_touch=TOUCHES,
    direct=st.booleans(),
    statements=st.lists(STATEMENTS, max_size=3).map(lambda said: {each.key: each for each in said}),
    erased_ms=st.none() | MS,
    is_signed=st.booleans(),
    former_ids=st.frozensets(TEXTS, max_size=2),
    consent=st.lists(FACTS, max_size=3).map(tuple),
    told=st.none() | st.tuples(MS, MS),
    steps=st.lists(
        st.builds(NotableStep, MS, TEXTS, st.integers(0, 1), WORDS, WORDS, PAIRS), max_size=3
    ).map(tuple),
)
PROGRESS = st.builds(
    Progress,
    stage=WORDS,
    since=MOMENTS,
    entered=st.dictionaries(WORDS, st.integers(0, 99), max_size=3),
    peak_score=st.integers(),
    cooling=st.none() | st.builds(Cooling, MOMENTS, MOMENTS),
    verdict=TEXTS,
    grounds=st.none() | TEXTS,
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
    closed_at=st.none() | MOMENTS,
    answer=TEXTS,
)
NUMBERS = st.integers(-1_000, 1_000)
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
    decay_on=st.none() | DAYS,
    due_at=st.none() | MOMENTS,
    knowledge=st.none()
    | st.builds(
        Knowledge,
        marks=st.sampled_from(["", "aaaaabbbbb"]),
        since=st.dictionaries(st.sampled_from(["visit", "login"]), st.integers(0, 20_000)),
    ),
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


def test_a_text_holds_only_characters_that_every_store_takes() -> None:
    lead = a_lead(structs.replace(an_event(), traits={"name": "Żółw \ud800 🐢"}))
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
    of_now = GOLDEN.replace('{"v":1', f'{{"v":{VERSION}').replace("null}}}", 'null,"signed":true}}')
    assert write_lead(lead, extra) == of_now + ',"decay_on":0}'


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
    of_now = text.replace('{"v":2', f'{{"v":{VERSION}').replace("null}}", 'null,"signed":true}}')
    assert write_lead(*read_lead(text)) == of_now


def test_notes_are_kept_and_cost_nothing_where_there_are_none() -> None:
    lead = a_lead(an_event(notes=("message: was cut to 8192 bytes", "a: left out")))
    text = write_lead(lead)
    assert read_lead(text).lead == lead
    assert [note.text for note in lead.notes] == ["a: left out", "message: was cut to 8192 bytes"]
    assert "notes" not in write_lead(a_lead())


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
