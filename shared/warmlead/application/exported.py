"""The shape of an export, as ``docs/privacy.md`` tells of it.

Fields are only ever added; a change of meaning is another ``format``.
"""

from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from warmlead.application.explain import Explanation
from warmlead.application.shapes import Shape
from warmlead.domain.event import Property

FORMAT: Literal["warmlead.lead_export.v1"] = "warmlead.lead_export.v1"


class ExportedTrait(Shape):
    """What was said of a trait: by whom, in which event, true from when on."""

    name: str
    value: Property
    trust: Literal["signed", "public"]
    at: datetime
    event: str


class ExportedEvent(Shape):
    """An event that is kept by itself; ``key`` is the hash by which it is counted once."""

    key: str
    name: str
    signals: list[str]
    at: datetime
    received_at: datetime


class ExportedCount(Shape):
    """How often something happened on a UTC day, of which the events are no longer kept."""

    kind: Literal["signal", "event"]
    name: str
    day: str
    count: int


class ExportedTouch(Shape):
    """Where a visit came from."""

    at: datetime
    event: str
    attribution: dict[str, str]


class ExportedClaim(Shape):
    """The statement by which an identifier belongs to another; ``owner`` is that one's id."""

    owner: str
    trust: Literal["signed", "public"]
    at: datetime
    event: str


class ExportedStatement(Shape):
    """What sales said; ``value_cents`` is in the smallest unit of ``currency``."""

    said: str
    at: datetime
    source: str
    reason: str
    value_cents: int | None
    currency: str
    event: str


class ExportedConsent(Shape):
    """What was stated of writing to the person; ``event`` is empty if only the day was kept."""

    cause: str
    at: datetime
    received_at: datetime
    source: str
    trust: Literal["signed", "public"]
    mailing_list: str
    event: str


class ExportedNote(Shape):
    """What of an event's input was cut or left out."""

    text: str
    at: datetime
    event: str


class ExportedIdentifier(Shape):
    """One way in which the person is known, and all that is kept under it."""

    id: str
    kind: str
    value: str
    linked_to: list[str]
    claim: ExportedClaim | None
    lost_claims: list[ExportedClaim]
    is_signed: bool
    former_ids: list[str]
    erased_before: datetime | None
    traits: list[ExportedTrait]
    events: list[ExportedEvent]
    counts: list[ExportedCount]
    last_days: dict[str, str]
    first_touch: ExportedTouch | None
    last_touch: ExportedTouch | None
    direct: bool
    statements: list[ExportedStatement]
    consent: list[ExportedConsent]
    named_first: datetime | None
    named_last: datetime | None
    notes: list[ExportedNote]


class ExportedStage(Shape):
    """Where the person stands."""

    stage: str
    since: datetime
    entered: dict[str, int]
    peak_score: int
    cooling_since: datetime | None
    cooling_until: datetime | None
    verdict: str
    grounds: str | None


class ExportedTransition(Shape):
    """A recorded move between stages."""

    at: datetime
    from_stage: str
    to_stage: str
    cycle: int
    reason: str
    source: str
    score: int
    fit: int
    hours_in_stage: float
    model_version: str
    attribution: dict[str, str]
    touch_by: datetime | None
    accept_by: datetime | None


class ExportedOffer(Shape):
    """The last offer to sales; ``told`` are the deadlines of which sales was told."""

    cycle: int
    stage: str
    at: datetime
    owner: str
    told: list[str]
    touched_at: datetime | None
    closed_at: datetime | None
    answer: str


class ExportedEnrolment(Shape):
    """The last way through a sequence; ``position`` counts the messages that are done."""

    sequence: str
    run: int
    started_at: datetime
    position: int
    next_at: datetime | None
    ended_at: datetime | None
    ending: str


class ExportedTrigger(Shape):
    """A message to automation tools; ``event`` is the CloudEvent."""

    topic: str
    at: datetime
    attributes: dict[str, str]
    event: JsonValue


class ExportedLead(Shape):
    """The lead document."""

    id: str
    email: str | None
    user_id: str | None
    created_at: datetime
    traits: dict[str, Property]
    identifiers: list[ExportedIdentifier]
    score: Explanation
    stage: ExportedStage
    transitions: list[ExportedTransition]
    offer: ExportedOffer | None
    enrolments: list[ExportedEnrolment]
    unsent_triggers: list[ExportedTrigger]
    decay_on: str | None
    due_at: datetime | None


class ExportedMessage(Shape):
    """A message of the archive."""

    number: int
    topic: str
    published_at: datetime
    message_id: str
    attributes: dict[str, str]
    content: JsonValue


class Export(Shape):
    """Everything about one person; ``archive`` is null where it is not kept by Warmlead itself."""

    format: Literal["warmlead.lead_export.v1"] = FORMAT
    as_of: datetime
    lead: ExportedLead | None
    archive: list[ExportedMessage] | None
    elsewhere: list[str]
