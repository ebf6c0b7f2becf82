"""The messages that automation tools receive: CloudEvents 1.0 in JSON, one JSON Schema a type.

Personal data is in ``data.lead`` of a message about a lead, and nowhere else; in a report of
KPIs there is none. What each number of a report means is defined in ``docs/kpis.md``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from warmlead.domain.consent import Cause, Consent, Status
from warmlead.domain.event import Property, Trust


class _Published(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_serialization_defaults_required=True,
        defer_build=True,  # a function builds those types alone that it sends
    )


# --- about a lead --------------------------------------------------------------------------


class ConsentInMessage(_Published):
    """Whether the person may be written to, and the statement that decides it."""

    status: Annotated[Status, Field(description="How the person stands to being written to.")]
    may_be_mailed: Annotated[
        bool, Field(description="false: write nothing to the person but what they ask for.")
    ]
    cause: Annotated[Cause | None, Field(description="What was stated; null: nothing counts.")]
    at: Annotated[datetime | None, Field(description="When it became so, UTC.")]
    source: Annotated[str, Field(description="Which sender stated it; empty if not known.")]
    trust: Annotated[
        Trust | None, Field(description="How it came: signed by a secret, or by anybody.")
    ]
    mailing_list: Annotated[str, Field(description="The mailing list that it named, if any.")]


def consent_in_message(consent: Consent) -> ConsentInMessage:
    """What a message says of the consent."""
    fact = consent.decided_by
    return ConsentInMessage(
        status=consent.status,
        may_be_mailed=consent.may_be_mailed,
        cause=fact.cause if fact else None,
        at=fact.at if fact else None,
        source=fact.source if fact else "",
        trust=fact.trust if fact else None,
        mailing_list=fact.mailing_list if fact else "",
    )


class StepInMessage(_Published):
    """One notable thing that the lead did. Its texts are plain, whoever sent them."""

    at: Annotated[datetime, Field(description="When it was done, UTC.")]
    what: Annotated[str, Field(description="The signal, or the event if the model has none.")]
    title: Annotated[str, Field(description="What people read of it.")]
    details: Annotated[
        dict[str, str],
        Field(description="The properties that the signal shows: which paper, which page, …"),
    ]
    trust: Annotated[Trust, Field(description="How it came: signed by a secret, or by anybody.")]


class LeadInMessage(_Published):
    """The person: everything a tool needs to act, and all the personal data in the message."""

    id: Annotated[str, Field(description="The lead's id: a keyed hash, stable while known so.")]
    email: Annotated[str | None, Field(description="Normalised; null if none is known.")]
    user_id: Annotated[str | None, Field(description="The id in your own system, if it is known.")]
    traits: Annotated[
        dict[str, Property],
        Field(description="What is known of the person and the company, by snake_case name."),
    ]
    consent: ConsentInMessage
    crm_ids: Annotated[
        dict[str, str],
        Field(description="The id of the person's record in each CRM that is known."),
    ]
    journey: Annotated[
        list[StepInMessage],
        Field(description="The last notable things that the lead did, the latest first."),
    ]


class Touches(_Published):
    """Where the lead came from first and last: UTM parameters, click ids, referrer.

    Each has the `channel` (Google Analytics' default channel group) and the `source` besides,
    which are `(unknown)` where nothing was told, and `Direct` and `(direct)` where nothing led on.
    """

    first: Annotated[
        dict[str, str],
        Field(description="Of the earliest event with any; with its `channel` and `source`."),
    ] = {}
    last: Annotated[
        dict[str, str],
        Field(description="Of the latest event with any; with its `channel` and `source`."),
    ] = {}


class _AboutLead(_Published):
    """What every message says of its lead."""

    lead: LeadInMessage
    stage: Annotated[str, Field(description="The stage in which the lead is now.")]
    score: Annotated[
        int,
        Field(description="base + engagement + fit; never below 0, unless the model's floor is."),
    ]
    engagement: Annotated[int, Field(description="The points for what the lead did.")]
    fit: Annotated[int, Field(description="The points for what the lead is.")]
    grade: Annotated[
        str, Field(description="How well the lead fits; empty if the model has no grades.")
    ] = ""
    reasons: Annotated[
        list[str],
        Field(description="What made the score: what was done last, then the weightiest."),
    ]
    attribution: Touches
    model_version: Annotated[str, Field(description="The hash of the model that decided.")]


class StageEntered(_AboutLead):
    """A lead moved from one stage to another, and why."""

    stage: Annotated[str, Field(description="The stage that was entered.")]
    from_stage: Annotated[str, Field(description="The stage that was left.")]
    cycle: Annotated[int, Field(ge=1, description="How often the lead has entered this stage.")]
    reason: Annotated[str, Field(description="Why it moved, in words.")]


class StepDue(_AboutLead):
    """A message of a nurture sequence is to be sent to the lead now."""

    sequence: Annotated[str, Field(description="The sequence, as the model names it.")]
    run: Annotated[int, Field(ge=1, description="How often the lead has started it.")]
    step: Annotated[int, Field(ge=1, description="The number of the message in the sequence.")]
    steps: Annotated[int, Field(ge=1, description="How many messages the sequence has.")]
    message: Annotated[str, Field(description="Which message, as the model names it.")]
    title: Annotated[str, Field(description="What people read of the message.")]


class Offered(_AboutLead):
    """A lead is offered to sales, or waits for sales longer than was promised."""

    offer: Annotated[int, Field(ge=1, description="How often the lead has been offered.")]
    offered_at: Annotated[datetime, Field(description="When it was offered, UTC.")]
    owner: Annotated[str, Field(description="Whose lead it is; empty if no route says so.")]
    touch_by: Annotated[datetime, Field(description="When sales should have spoken to it, UTC.")]
    accept_by: Annotated[datetime, Field(description="When sales should have answered, UTC.")]


class NewOffer(Offered):
    """A lead is offered to sales; if another offer was open, in the place of that one."""

    supersedes: Annotated[
        int | None,
        Field(description="The offer that was open until then: it is closed by this one."),
    ] = None


class ActInMessage(_Published):
    """What the lead did, and how often since the alert before."""

    name: Annotated[str, Field(description="The signal; the event, if it is none.")]
    title: Annotated[str, Field(description="What people read of it.")]
    at: Annotated[datetime, Field(description="When it was done last, UTC.")]
    times: Annotated[int, Field(ge=1, description="How often since the alert before.")]


class LeadAlerted(_AboutLead):
    """A lead did something that sales must hear of at once, whatever its stage."""

    alert: Annotated[str, Field(description="The alert, as the model names it.")]
    title: Annotated[str, Field(description="What people read of the alert.")]
    count: Annotated[int, Field(ge=1, description="How often this alert was sent for the lead.")]
    acts: Annotated[list[ActInMessage], Field(description="What the lead did, the latest first.")]
    owner: Annotated[
        str, Field(description="Whose lead it is by its last offer; empty if nobody's.")
    ]
    offer: Annotated[
        int | None, Field(description="The offer that is open; null if none is open.")
    ] = None
    touch_by: Annotated[
        datetime | None, Field(description="When sales should have spoken to it, UTC.")
    ] = None
    accept_by: Annotated[
        datetime | None, Field(description="When sales should have answered, UTC.")
    ] = None


class LeadUpdated(_AboutLead):
    """What tools mirror of a lead has changed; everything is as it is now."""

    count: Annotated[int, Field(ge=1, description="How often the lead was updated.")]
    changed: Annotated[
        list[str],
        Field(description="What has changed since the last update; id: the lead has a new id."),
    ]
    owner: Annotated[
        str, Field(description="Whose lead it is by its last offer; empty if nobody's.")
    ]


class CloudEvent(_Published):
    """The attributes of a CloudEvent."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[
        str,
        Field(
            min_length=1, description="The same for every repeat, of the same bytes: dedupe by it."
        ),
    ]
    source: Literal["/warmlead"] = "/warmlead"
    type: str
    subject: Annotated[str, Field(min_length=1, description="The lead's id.")]
    time: Annotated[datetime, Field(description="When it came about, UTC.")]
    datacontenttype: Literal["application/json"] = "application/json"


class StageEnteredMessage(CloudEvent):
    """The CloudEvent of a stage that was entered."""

    type: Literal["warmlead.lead.stage_entered.v1"] = "warmlead.lead.stage_entered.v1"
    data: StageEntered


class StepDueMessage(CloudEvent):
    """The CloudEvent of a nurture step that is due."""

    type: Literal["warmlead.nurture.step_due.v1"] = "warmlead.nurture.step_due.v1"
    data: StepDue


class OfferedMessage(CloudEvent):
    """The CloudEvent of a lead that is offered to sales."""

    type: Literal["warmlead.handoff.offered.v1"] = "warmlead.handoff.offered.v1"
    data: NewOffer


class ReminderMessage(CloudEvent):
    """The CloudEvent of an offered lead to which nobody has spoken yet."""

    type: Literal["warmlead.handoff.reminder.v1"] = "warmlead.handoff.reminder.v1"
    data: Offered


class BreachedData(Offered):
    """What sales promised of a lead was not kept."""

    promise: Annotated[
        Literal["first_touch", "acceptance"], Field(description="Which promise was not kept.")
    ]


class BreachedMessage(CloudEvent):
    """The CloudEvent of a promise that sales has not kept."""

    type: Literal["warmlead.handoff.breached.v1"] = "warmlead.handoff.breached.v1"
    data: BreachedData


class LeadAlertedMessage(CloudEvent):
    """The CloudEvent of a lead that did something of which sales must hear at once."""

    type: Literal["warmlead.lead.alerted.v1"] = "warmlead.lead.alerted.v1"
    data: LeadAlerted


class LeadUpdatedMessage(CloudEvent):
    """The CloudEvent of a lead of which something has changed that tools mirror."""

    type: Literal["warmlead.lead.updated.v1"] = "warmlead.lead.updated.v1"
    data: LeadUpdated


# --- KPIs ----------------------------------------------------------------------------------


class StageFigures(_Published):
    """Moves into one stage, and who stood in it at the end."""

    at_end: Annotated[int, Field(ge=0, description="Leads in the stage when the period ended.")]
    entered: Annotated[int, Field(ge=0, description="Moves into the stage.")]
    first_time: Annotated[int, Field(ge=0, description="Of these: of leads never there before.")]
    again: Annotated[int, Field(ge=0, description="Of these: of leads that had been there.")]


class Conversion(_Published):
    """How many of those who entered a stage reached another in the same period."""

    of: Annotated[int, Field(ge=0, description="Persons who entered the first stage.")]
    reached: Annotated[int, Field(ge=0, description="Of these: who then reached the second.")]
    per_mille: Annotated[
        int | None, Field(description="reached in thousandths of `of`; null if `of` is 0.")
    ]


class Conversions(_Published):
    """The funnel, step by step."""

    lead_to_mql: Conversion
    mql_to_sql: Conversion
    sql_to_opportunity: Conversion
    opportunity_to_customer: Conversion
    mql_to_customer: Conversion


class Waits(_Published):
    """How long it took, in minutes: nearest ranks, null if there is nothing to measure."""

    count: Annotated[int, Field(ge=0, description="How many were measured.")]
    median_minutes: Annotated[int | None, Field(description="Half of them took no longer.")]
    p90_minutes: Annotated[int | None, Field(description="Nine in ten took no longer.")]


class Times(_Published):
    """How fast sales is."""

    mql_to_first_touch: Waits
    mql_to_sql: Waits


class Promise(_Published):
    """What became of the promises that fell due in the period."""

    due: Annotated[int, Field(ge=0, description="kept, breached and lapsed together.")]
    kept: Annotated[int, Field(ge=0, description="Sales did it in time.")]
    breached: Annotated[int, Field(ge=0, description="Sales did not do it in time.")]
    lapsed: Annotated[int, Field(ge=0, description="The lead was withdrawn before it was due.")]


class Handoffs(_Published):
    """Offers to sales, and what sales promised of them."""

    offers: Annotated[int, Field(ge=0, description="Offers made in the period.")]
    first_touch: Promise
    acceptance: Promise


class Value(_Published):
    """The deals in one currency."""

    deals: Annotated[int, Field(ge=1, description="Won deals with a value in it.")]
    smallest_units: Annotated[int, Field(ge=0, description="Their sum in cents, yen, fils …")]


class Won(_Published):
    """Deals won: leads that became customers."""

    deals: Annotated[int, Field(ge=0, description="All of them.")]
    without_value: Annotated[int, Field(ge=0, description="Of these: whose value is not known.")]
    values: Annotated[dict[str, Value], Field(description="The others, by ISO 4217 code.")]


class SourceFigures(_Published):
    """Persons whose first touch was of one origin."""

    mql: Annotated[int, Field(ge=0, description="Who entered a stage of the model.")]
    sql: Annotated[int, Field(ge=0, description="Who reached sql, opportunity or customer.")]
    customer: Annotated[int, Field(ge=0, description="Who became customers.")]


class ChannelFigures(SourceFigures):
    """Persons whose first touch was by one channel, and their sources."""

    sources: Annotated[dict[str, SourceFigures], Field(description="The channel's, by source.")]


class KpiReport(_Published):
    """The KPIs of a period."""

    period: Annotated[str, Field(description="2026-11-21, 2026-W47 or 2026-11.")]
    start: Annotated[datetime, Field(description="When the period began, UTC.")]
    end: Annotated[datetime, Field(description="Before when it ended, UTC.")]
    became_known: Annotated[int, Field(ge=0, description="Leads that left `anonymous`.")]
    stages: Annotated[dict[str, StageFigures], Field(description="By stage; not `anonymous`.")]
    backward: Annotated[dict[str, int], Field(description="Backward moves, by reason.")]
    rejections: Annotated[dict[str, int], Field(description="Refused by sales, by reason.")]
    conversions: Conversions
    times: Times
    handoffs: Handoffs
    won: Won
    sources: Annotated[
        dict[str, SourceFigures], Field(description="By the source of the first touch.")
    ]
    channels: Annotated[
        dict[str, ChannelFigures],
        Field(description="By the channel of the first touch: the default channel group's names."),
    ] = {}
    sql_causes: Annotated[
        dict[str, int],
        Field(description="Moves into sql, by cause: `accepted`, or the model's own."),
    ] = {}


class KpiReportedMessage(CloudEvent):
    """The CloudEvent of a report that was made."""

    type: Literal["warmlead.kpi.reported.v1"] = "warmlead.kpi.reported.v1"
    subject: Annotated[str, Field(min_length=1, description="The period.")]
    time: Annotated[datetime, Field(description="When the period ended, UTC.")]
    data: KpiReport


# --- the schemas, as docs/messages publishes them --------------------------------------------

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PLACE = "https://raw.githubusercontent.com/warmlead/warmlead/main/docs/messages/"

_PUBLISHED: tuple[type[BaseModel], ...] = (
    StageEnteredMessage,
    StepDueMessage,
    OfferedMessage,
    ReminderMessage,
    BreachedMessage,
    LeadAlertedMessage,
    LeadUpdatedMessage,
    KpiReportedMessage,
)

MESSAGES: Mapping[str, type[BaseModel]] = {
    str(message.model_fields["type"].default): message for message in _PUBLISHED
}
"""Every message that automation tools may receive, by the ``type`` of its CloudEvent."""


def file_name(kind: str) -> str:
    """The file in which the schema of this type of message is published."""
    return f"{kind}.schema.json"


def example_name(kind: str) -> str:
    """The file in which an example of this type of message is published."""
    return f"{kind}.example.json"


def message_schema(kind: str) -> dict[str, Any]:
    """The schema of the messages of this type; raises ``KeyError`` if there are none.

    It names every field that a message has today, and allows others: a later release may add some
    to the same type.
    """
    schema = MESSAGES[kind].model_json_schema(mode="serialization")
    return {"$schema": DIALECT, "$id": f"{PLACE}{file_name(kind)}", **_open(schema)}


def _open(part: Any) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The part of a schema without the refusal of fields that it does not name."""
    if isinstance(part, dict):
        kept = {k: v for k, v in part.items() if (k, v) != ("additionalProperties", False)}
        return {name: _open(value) for name, value in kept.items()}
    return [_open(value) for value in part] if isinstance(part, list) else part
