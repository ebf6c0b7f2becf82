"""The messages that automation tools receive: CloudEvents 1.0 in JSON, one JSON Schema a type.

Personal data is in ``data.lead`` of a message about a lead, and nowhere else; in a report of
KPIs there is none. What each number of a report means is defined in ``docs/kpis.md``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from warmlead.domain.consent import Cause, Consent, Status
from warmlead.domain.event import Property, Trust
from warmlead.messages.kpis import KpiReport
from warmlead.messages.published import PUBLISHED
from warmlead.messages.watch import MonthlyLook


class _Published(BaseModel):
    model_config = PUBLISHED


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


class ProbabilityInMessage(_Published):
    """What the score has meant so far: the share of such leads that reached a stage."""

    outcome: Annotated[str, Field(description="The stage that counts as the outcome.")]
    of_100: Annotated[
        int, Field(ge=0, le=100, description="How many of 100 leads with this score reached it.")
    ]
    within_days: Annotated[
        int, Field(ge=1, description="Within how many days since they became known.")
    ]
    leads: Annotated[int, Field(ge=0, description="Of how many leads this was learned.")]
    text: Annotated[str, Field(description="The same in words.")]


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
    """Where the lead came from first and last: UTM parameters, click ids, referrer, landing page.

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
    probability: Annotated[
        ProbabilityInMessage | None,
        Field(description="What the score has meant so far; null if the model is not calibrated."),
    ] = None


class StageEntered(_AboutLead):
    """A lead moved from one stage to another, and why."""

    stage: Annotated[str, Field(description="The stage that was entered.")]
    from_stage: Annotated[str, Field(description="The stage that was left.")]
    cycle: Annotated[int, Field(ge=1, description="How often the lead has entered this stage.")]
    reason: Annotated[str, Field(description="Why it moved, in words.")]
    effective_at: Annotated[
        datetime,
        Field(description="Since when it is so, UTC; `time` is when it was learnt."),
    ]


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


class KpiReportedMessage(CloudEvent):
    """The CloudEvent of a report that was made."""

    type: Literal["warmlead.kpi.reported.v1"] = "warmlead.kpi.reported.v1"
    subject: Annotated[str, Field(min_length=1, description="The period.")]
    time: Annotated[datetime, Field(description="When the period ended, UTC.")]
    data: KpiReport


class ModelDriftedMessage(CloudEvent):
    """The CloudEvent of a look at a month in which scores or outcomes drift from the reference."""

    type: Literal["warmlead.model.drifted.v1"] = "warmlead.model.drifted.v1"
    subject: Annotated[str, Field(min_length=1, description="The month and the model's version.")]
    time: Annotated[datetime, Field(description="When the month could be judged, UTC.")]
    data: MonthlyLook


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
    ModelDriftedMessage,
)

MESSAGES: Mapping[str, type[BaseModel]] = {
    str(message.model_fields["type"].default): message for message in _PUBLISHED
}
"""Every message that automation tools may receive, by the ``type`` of its CloudEvent."""

ABOUT_LEADS = tuple(
    kind
    for kind, message in MESSAGES.items()
    if "lead" in getattr(message.model_fields["data"].annotation, "model_fields", ())
)
"""The types of messages that are about a lead."""


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
