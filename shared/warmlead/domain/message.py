"""The messages that automation tools receive: CloudEvents 1.0 in JSON, one schema a type.

Personal data is in ``data.lead`` and nowhere else.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from warmlead.domain.event import Property


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
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


class Touches(_Message):
    """Where the lead came from first and last: UTM parameters, click ids, referrer."""

    first: Annotated[dict[str, str], Field(description="Of the earliest event with any.")] = {}
    last: Annotated[dict[str, str], Field(description="Of the latest event with any.")] = {}


class StageEntered(_Message):
    """A lead moved from one stage to another, and why."""

    lead: LeadInMessage
    stage: Annotated[str, Field(description="The stage that was entered.")]
    from_stage: Annotated[str, Field(description="The stage that was left.")]
    cycle: Annotated[int, Field(ge=1, description="How often the lead has entered this stage.")]
    reason: Annotated[str, Field(description="Why it moved, in words.")]
    score: Annotated[int, Field(ge=0, description="engagement + fit, never below 0.")]
    engagement: Annotated[int, Field(description="The points for what the lead did.")]
    fit: Annotated[int, Field(description="The points for what the lead is.")]
    reasons: Annotated[list[str], Field(description="What made the score, the weightiest first.")]
    attribution: Touches
    model_version: Annotated[str, Field(description="The hash of the model that decided.")]


class StageEnteredMessage(_Message):
    """The CloudEvent of a stage that was entered."""

    specversion: Literal["1.0"] = "1.0"
    id: Annotated[
        str,
        Field(
            min_length=1, description="The same for every repeat, of the same bytes: dedupe by it."
        ),
    ]
    source: Literal["/warmlead"] = "/warmlead"
    type: Literal["warmlead.lead.stage_entered.v1"] = "warmlead.lead.stage_entered.v1"
    subject: Annotated[str, Field(min_length=1, description="The lead's id.")]
    time: Annotated[datetime, Field(description="When the lead moved, UTC.")]
    datacontenttype: Literal["application/json"] = "application/json"
    data: StageEntered
