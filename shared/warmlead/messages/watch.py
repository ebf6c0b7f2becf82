"""What a monthly look at the model says: whether scores or outcomes drift from the reference."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from warmlead.messages.published import PUBLISHED

Alarm: TypeAlias = Literal["scores", "outcomes"]
"""What may drift."""


class BandShift(BaseModel):
    """One band of scores: how many leads it had in the reference, and how many in the month."""

    model_config = PUBLISHED

    below: Annotated[int | None, Field(description="Before which score it ends; null: the last.")]
    reference: Annotated[int, Field(ge=0, description="Leads of the reference.")]
    leads: Annotated[int, Field(ge=0, description="Leads of the month.")]


class ScoreShift(BaseModel):
    """How far the scores of a month are from those of the reference."""

    model_config = PUBLISHED

    leads: Annotated[int, Field(ge=0, description="Leads of the month that were looked at.")]
    psi: Annotated[float, Field(description="The population stability index over the bands.")]
    limit: Annotated[float, Field(description="Above it there is an alarm, for so few leads.")]
    is_alarm: Annotated[bool, Field(description="The index is above the limit.")]
    bands: Annotated[list[BandShift], Field(description="The bands, the lowest scores first.")]


class OutcomeCheck(BaseModel):
    """What became of the leads of a month, and what the reference led to expect."""

    model_config = PUBLISHED

    month: Annotated[str, Field(description="When the leads became known: 2026-08.")]
    leads: Annotated[int, Field(ge=0, description="Leads of the month that were looked at.")]
    won: Annotated[int, Field(ge=0, description="Of these: who reached the outcome in time.")]
    expected: Annotated[float, Field(description="How many were expected to, by their scores.")]
    low: Annotated[float, Field(description="From so many on, 19 times in 20 of such months.")]
    high: Annotated[float, Field(description="To so many, 19 times in 20 of such months.")]
    is_alarm: Annotated[
        bool,
        Field(description="More than chance in a year of looks, and a fifth of those expected."),
    ]


class MonthlyLook(BaseModel):
    """A look at a month: the scores of the leads that became known in it, and ripe outcomes."""

    model_config = PUBLISHED

    month: Annotated[str, Field(description="When the leads became known: 2026-11.")]
    model_version: Annotated[str, Field(description="The hash of the model that is looked at.")]
    outcome: Annotated[str, Field(description="The stage that is the outcome.")]
    after_days: Annotated[float, Field(description="How old leads are when they are judged.")]
    within_days: Annotated[float, Field(description="The age within which the outcome counts.")]
    reference: Annotated[
        str, Field(description="Where the reference is from: `model file`, or the months.")
    ]
    reference_leads: Annotated[int, Field(ge=0, description="Leads of the reference.")]
    reference_won: Annotated[int, Field(ge=0, description="Of these: who reached the outcome.")]
    became_known: Annotated[int, Field(ge=0, description="Leads that became known in the month.")]
    alarms: Annotated[list[Alarm], Field(description="What drifts; empty: nothing.")]
    reasons: Annotated[list[str], Field(description="The alarms in words.")]
    scores: Annotated[
        ScoreShift | None, Field(description="null if there are too few leads to tell.")
    ]
    outcomes: Annotated[
        list[OutcomeCheck], Field(description="The months whose outcomes have ripened since.")
    ]
    missing: Annotated[list[str], Field(description="What could not be told, and why.")]
