"""What a report says: the KPIs of a period, and the CloudEvent that carries them.

No personal data is in it. What each number means exactly is told in ``docs/kpis.md``.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from warmlead.messages.contract import CloudEvent


class _Figures(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class StageFigures(_Figures):
    """Moves into one stage, and who stood in it at the end."""

    at_end: Annotated[int, Field(ge=0, description="Leads in the stage when the period ended.")]
    entered: Annotated[int, Field(ge=0, description="Moves into the stage.")]
    first_time: Annotated[int, Field(ge=0, description="Of these: of leads never there before.")]
    again: Annotated[int, Field(ge=0, description="Of these: of leads that had been there.")]


class Conversion(_Figures):
    """How many of those who entered a stage reached another in the same period."""

    of: Annotated[int, Field(ge=0, description="Persons who entered the first stage.")]
    reached: Annotated[int, Field(ge=0, description="Of these: who then reached the second.")]
    per_mille: Annotated[
        int | None, Field(description="reached in thousandths of `of`; null if `of` is 0.")
    ]


class Conversions(_Figures):
    """The funnel, step by step."""

    lead_to_mql: Conversion
    mql_to_sql: Conversion
    sql_to_opportunity: Conversion
    opportunity_to_customer: Conversion
    mql_to_customer: Conversion


class Waits(_Figures):
    """How long it took, in minutes: nearest ranks, null if there is nothing to measure."""

    count: Annotated[int, Field(ge=0, description="How many were measured.")]
    median_minutes: Annotated[int | None, Field(description="Half of them took no longer.")]
    p90_minutes: Annotated[int | None, Field(description="Nine in ten took no longer.")]


class Times(_Figures):
    """How fast sales is."""

    mql_to_first_touch: Waits
    mql_to_sql: Waits


class Promise(_Figures):
    """What became of the promises that fell due in the period."""

    due: Annotated[int, Field(ge=0, description="kept, breached and lapsed together.")]
    kept: Annotated[int, Field(ge=0, description="Sales did it in time.")]
    breached: Annotated[int, Field(ge=0, description="Sales did not do it in time.")]
    lapsed: Annotated[int, Field(ge=0, description="The lead was withdrawn before it was due.")]


class Handoffs(_Figures):
    """Offers to sales, and what sales promised of them."""

    offers: Annotated[int, Field(ge=0, description="Offers made in the period.")]
    first_touch: Promise
    acceptance: Promise


class Value(_Figures):
    """The deals in one currency."""

    deals: Annotated[int, Field(ge=1, description="Won deals with a value in it.")]
    smallest_units: Annotated[int, Field(ge=0, description="Their sum in cents, yen, fils …")]


class Won(_Figures):
    """Deals won: leads that became customers."""

    deals: Annotated[int, Field(ge=0, description="All of them.")]
    without_value: Annotated[int, Field(ge=0, description="Of these: whose value is not known.")]
    values: Annotated[dict[str, Value], Field(description="The others, by ISO 4217 code.")]


class SourceFigures(_Figures):
    """Persons whose first touch was of one origin."""

    mql: Annotated[int, Field(ge=0, description="Who entered a stage of the model.")]
    sql: Annotated[int, Field(ge=0, description="Who reached sql, opportunity or customer.")]
    customer: Annotated[int, Field(ge=0, description="Who became customers.")]


class ChannelFigures(SourceFigures):
    """Persons whose first touch was by one channel, and their sources."""

    sources: Annotated[dict[str, SourceFigures], Field(description="The channel's, by source.")]


class KpiReport(_Figures):
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


class KpiReportedMessage(CloudEvent):
    """The CloudEvent of a report that was made."""

    type: Literal["warmlead.kpi.reported.v1"] = "warmlead.kpi.reported.v1"
    subject: Annotated[str, Field(min_length=1, description="The period.")]
    time: Annotated[datetime, Field(description="When the period ended, UTC.")]
    data: KpiReport
