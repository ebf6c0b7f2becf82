"""A lead that was settled under a clock ahead of ours has no time left that is to come."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import NODEFAULT, Struct, structs

from builders import NOW
from warmlead.domain.alerts import AlertRecord
from warmlead.domain.clock_skew import brought_back
from warmlead.domain.consent import Cause, ConsentFact, SuppressionPolicy
from warmlead.domain.event import Trust
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import MAX_PER_DAY, History, day_of, to_ms
from warmlead.domain.identity import Claim, Identifier, Kind
from warmlead.domain.journey import NotableStep
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.lead import Lead, NoteFact, Touch, Trail
from warmlead.domain.mirror import Mirror
from warmlead.domain.nurture import Enrolment
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.readings import LatestValue, Readings
from warmlead.domain.sales import SalesStatus, Statement
from warmlead.domain.shadow import Shadow, ShadowMove
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import Cooling, DayOfMoves, MoveCause, Progress, Rest
from warmlead.domain.traits import TraitFact
from warmlead.domain.unjudged import Unjudged

THEN = NOW + timedelta(days=400)
AT = to_ms(THEN)
DAY = day_of(AT)
TODAY = day_of(to_ms(NOW))
MANY = 10_000_000_000
"""A number above is a time in milliseconds; one between the next two is a day."""
DAYS = (10_000, 1_000_000)
MAY_BE_TO_COME = {"next_at", "until", "due_at", "decay_on"}
NOT_IN_THE_LEAD = {"packed", "outbox", "due_at", "decay_on", "otherwise"}
"""What is unpacked, sent as it was made, worked out anew at each evaluation, or not stored."""

FACT = ConsentFact.of(
    Cause.UNSUBSCRIBED,
    at_ms=AT,
    rank=0,
    key="k",
    source="form",
    mailing_list="News",
    received_ms=AT,
)
STEP = NotableStep(AT, "k", 1, "page_viewed", "view", (("path", "/pricing"),))
READINGS = Readings(
    {"visits.view": {DAY: ((0, 9),), TODAY: ((5, 70), (9_000, 9_001))}},
    {"distinct.view.path": {DAY: ("hash",)}},
    {"sum.view.seconds": {DAY: {"k": 3}}},
    {"latest.view.path": LatestValue(AT, "k", '"/pricing"')},
    {"before.title": {DAY: TraitFact(1, AT, "k", '"CTO"')}},
)
TRAIL = Trail(
    identifier=Identifier(Kind.EMAIL, "ada@example.com"),
    links=frozenset({"b"}),
    claims=(Claim(1, AT, "k", "b"),),
    history=History(
        recent={"k": KeptEvent(AT, "k", AT, "page_viewed", ("view",), "mail")},
        signal_days={"view": {DAY: 3, DAY - 50: 4}},
        name_days={"page_viewed": {DAY: 3, TODAY: 19}},
        last_day={"page_viewed": DAY},
    ),
    traits={"title": TraitFact(1, AT, "k", '"CTO"')},
    first_touch=Touch(AT, "k", (("utm_source", "ads"),)),
    last_touch=Touch(AT, "k", (("utm_source", "ads"),)),
    last_landing=Touch(AT, "k", (("landing_page", "/"), ("utm_source", "ads"))),
    direct=True,
    statements={
        "k": Statement(AT, 1, "k", SalesStatus.WON, "crm", "why", 5, "EUR", (("note", "x"),))
    },
    notes=(NoteFact(AT, "k", "cut"),),
    erased_ms=AT,
    is_signed=True,
    former_ids=frozenset({"f"}),
    consent=(FACT,),
    told=(AT - 1, AT),
    steps=(STEP,),
    readings=READINGS,
    unjudged={"k": Unjudged(STEP, READINGS)},
)
PROGRESS = Progress(
    "mql",
    THEN,
    {"mql": 1},
    50,
    Cooling(THEN, THEN),
    "k",
    "fit",
    learnt=THEN,
    rest=Rest(THEN, "lead", "why"),
    moved=DayOfMoves(DAY, 2),
    qualified=THEN,
    held=True,
)
LEAD = Lead(
    id="a",
    trails={"a": TRAIL},
    progress=PROGRESS,
    created_at=THEN,
    snapshot=Snapshot(50, 40, 10, DAY, "v1", "A", DAY),
    enrolments={"welcome": Enrolment("welcome", 1, THEN, 2, THEN, THEN, "suppressed")},
    offer=Offer(1, "mql", THEN, "ada", frozenset(Deadline), THEN, THEN, "accepted", THEN),
    alerted={"asked": AlertRecord(1, THEN)},
    mirror=Mirror({"score": "0123"}, 1, THEN, THEN),
    knowledge=Knowledge("01234", {"view": DAY}),
    shadow=Shadow(
        "v2",
        THEN,
        PROGRESS,
        *(50, 40, 10, DAY),
        Knowledge("01234", {"view": DAY}),
        (ShadowMove(THEN, "lead", "mql", 50, 10, MoveCause.BYPASSED, "why", "demo", THEN),),
    ),
)


def parts_of(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """The fields of a record: name, value, default."""
    if is_dataclass(value):
        for field in fields(value):
            made = field.default_factory
            default = field.default if made is MISSING else made()
            yield field.name, getattr(value, field.name), default
    elif isinstance(value, Struct):
        for info in structs.fields(value):
            default = None if info.default is NODEFAULT else info.default
            yield info.name, getattr(value, info.name), default
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        for name in value._fields:
            yield name, getattr(value, name), getattr(value, "_field_defaults", {}).get(name)


def inside(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, tuple | frozenset) else []


def unsaid(value: Any) -> Iterator[str]:
    """The fields of which a lead, and all that is in it, says nothing."""
    parts = list(parts_of(value))
    for name, part, default in parts:
        if name not in NOT_IN_THE_LEAD:
            if part == default:
                yield f"{type(value).__name__}.{name}"
            yield from unsaid(part)
    for part in inside(value) if not parts else ():
        yield from unsaid(part)


def to_come(value: Any, place: str = "lead") -> Iterator[str]:
    """Where in a lead there is a time, or a day, after now."""
    match value:
        case datetime():
            is_ahead = value > NOW
        case int() if value > MANY:
            is_ahead = datetime.fromtimestamp(value / 1000, UTC) > NOW
        case int() if DAYS[0] < value < DAYS[1]:
            is_ahead = value > TODAY
        case _:
            is_ahead = False
    if is_ahead:
        yield place
    parts = list(parts_of(value))
    for name, part, _ in parts:
        if name not in MAY_BE_TO_COME:
            yield from to_come(part, f"{place}.{name}")
    for part in inside(value) if not parts else ():
        yield from to_come(part, place)


def test_the_sample_lead_fills_every_field() -> None:
    assert list(unsaid(LEAD)) == []


def test_no_field_keeps_a_future_time() -> None:
    assert len(list(to_come(LEAD))) > 20
    assert list(to_come(brought_back(LEAD, NOW))) == []


def test_counts_of_future_days_are_removed() -> None:
    (trail,) = brought_back(LEAD, NOW).trails.values()
    assert trail.history.signal_days == {"view": {TODAY: 3, TODAY - 50: 4}}
    assert trail.history.name_days == {"page_viewed": {TODAY: MAX_PER_DAY}}


def test_a_refusal_that_was_received_ahead_of_time_can_be_lifted() -> None:
    lead = brought_back(LEAD, NOW)
    (trail,) = lead.trails.values()
    (refused,) = trail.consent
    now_ms = to_ms(NOW)
    assert refused.trust is Trust.PUBLIC
    assert refused.counts[0] <= now_ms
    assert not lead.consent(SuppressionPolicy()).may_be_mailed
