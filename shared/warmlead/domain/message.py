"""The messages that automation tools receive: CloudEvents 1.0 in JSON, one schema a type.

Personal data is in ``data.lead`` and nowhere else.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from warmlead.domain.event import Property


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeadInMessage(_Message):
    """The person: everything a tool needs to act, and all the personal data in the message."""

    id: Annotated[str, Field(description="The lead's id: a keyed hash, stable while known so.")]
    email: str | None
    user_id: str | None
    traits: dict[str, Property]


class Touches(_Message):
    """Where the lead came from first and last: UTM parameters, click ids, referrer."""

    first: dict[str, str] = {}
    last: dict[str, str] = {}


class StageEntered(_Message):
    """A lead moved from one stage to another, and why."""

    lead: LeadInMessage
    stage: str
    from_stage: str
    cycle: Annotated[int, Field(ge=1, description="How often the lead has entered this stage.")]
    reason: Annotated[str, Field(description="Why it moved, in words.")]
    score: Annotated[int, Field(ge=0, description="engagement + fit, never below 0.")]
    engagement: int
    fit: int
    reasons: Annotated[list[str], Field(description="What made the score, the weightiest first.")]
    attribution: Touches
    model_version: str


class StageEnteredMessage(_Message):
    """The CloudEvent of a stage that was entered."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: Literal["/warmlead"] = "/warmlead"
    type: Literal["warmlead.lead.stage_entered.v1"] = "warmlead.lead.stage_entered.v1"
    subject: Annotated[str, Field(description="The lead's id.")]
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: StageEntered
