"""The messages that automation tools receive: CloudEvents 1.0 in JSON, one schema a type.

Personal data is in ``data.lead`` and nowhere else.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from warmlead.domain.consent import Cause, Consent, Status
from warmlead.domain.event import Property, Trust


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class ConsentInMessage(_Message):
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


class LeadInMessage(_Message):
    """The person: everything a tool needs to act, and all the personal data in the message."""

    id: Annotated[str, Field(description="The lead's id: a keyed hash, stable while known so.")]
    email: Annotated[str | None, Field(description="Normalised; null if none is known.")]
    user_id: Annotated[str | None, Field(description="The id in your own system, if it is known.")]
    traits: Annotated[
        dict[str, Property],
        Field(description="What is known of the person and the company, by snake_case name."),
    ]
    consent: ConsentInMessage


class Touches(_Message):
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


class _AboutLead(_Message):
    """What every message says of its lead."""

    lead: LeadInMessage
    stage: Annotated[str, Field(description="The stage in which the lead is now.")]
    score: Annotated[int, Field(ge=0, description="engagement + fit, never below 0.")]
    engagement: Annotated[int, Field(description="The points for what the lead did.")]
    fit: Annotated[int, Field(description="The points for what the lead is.")]
    reasons: Annotated[list[str], Field(description="What made the score, the weightiest first.")]
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


class CloudEvent(_Message):
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
    data: Offered


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
