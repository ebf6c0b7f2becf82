"""What a report says of deals, of where they came from, and of how fast sales was."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, Field

from warmlead.messages.published import PUBLISHED


class Value(BaseModel):
    """The deals in one currency."""

    model_config = PUBLISHED

    deals: Annotated[int, Field(ge=1, description="Won deals with a value in it.")]
    smallest_units: Annotated[int, Field(ge=0, description="Their sum in cents, yen, fils …")]
    largest: Annotated[
        int, Field(ge=0, description="The largest of them; 0 in reports of earlier releases.")
    ] = 0


class Won(BaseModel):
    """Deals won: leads that became customers."""

    model_config = PUBLISHED

    deals: Annotated[int, Field(ge=0, description="All of them.")]
    without_value: Annotated[int, Field(ge=0, description="Of these: whose value is not known.")]
    values: Annotated[dict[str, Value], Field(description="The others, by ISO 4217 code.")]


class MqlFigures(BaseModel):
    """Persons who became MQLs in the period and have something in common, and their deals."""

    model_config = PUBLISHED

    mql: Annotated[int, Field(ge=0, description="Who first entered a stage of the model.")]
    became_sql: Annotated[int, Field(ge=0, description="Of these: who are or were SQLs, so far.")]
    became_customer: Annotated[int, Field(ge=0, description="Of these: who are customers, so far.")]
    won: Annotated[Won, Field(description="Deals won in the period, whenever the MQL was.")]


Amounts: TypeAlias = dict[str, int]
"""Amounts in the smallest unit, by ISO 4217 code."""


class SpendFigures(BaseModel):
    """What was spent in the period, by what it was spent on as whoever entered it names it."""

    model_config = PUBLISHED

    total: Annotated[Amounts, Field(description="All of it, in cents, yen, fils, by currency.")]
    channel: Annotated[dict[str, Amounts], Field(description="By channel, as far as it is named.")]
    source: Annotated[dict[str, Amounts], Field(description="By source.")]
    campaign: Annotated[dict[str, Amounts], Field(description="By campaign.")]


class ContactTimes(BaseModel):
    """How long leads waited for sales that had had 24 hours of working time in the period."""

    model_config = PUBLISHED

    offers: Annotated[int, Field(ge=0, description="Offers whose 24 hours ended in the period.")]
    within_1_hour: Annotated[int, Field(ge=0, description="Sales spoke to the lead by then.")]
    within_24_hours: Annotated[int, Field(ge=0, description="By then; the former among them.")]
    later: Annotated[int, Field(ge=0, description="Later, but before the end of the period.")]
    never: Annotated[int, Field(ge=0, description="Not before the end of the period.")]
