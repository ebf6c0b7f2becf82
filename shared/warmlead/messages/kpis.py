"""The KPIs of a period, as the message about them has them; docs/kpis.md defines each number."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from warmlead.messages.cohorts import Cohort
from warmlead.messages.feedback import Feedback
from warmlead.messages.published import PUBLISHED
from warmlead.messages.revenue import ContactTimes, MqlFigures, SpendFigures, Won
from warmlead.messages.sequences import SequenceFigures


class Figures(BaseModel):
    """The base of all parts of a report."""

    model_config = PUBLISHED


class StageFigures(Figures):
    """Moves into one stage, and who stood in it at the end."""

    at_end: Annotated[int, Field(ge=0, description="Leads in the stage when the period ended.")]
    entered: Annotated[int, Field(ge=0, description="Moves into the stage.")]
    first_time: Annotated[int, Field(ge=0, description="Of these: of leads never there before.")]
    again: Annotated[int, Field(ge=0, description="Of these: of leads that had been there.")]


class Conversion(Figures):
    """How many of those who entered a stage reached another in the same period."""

    of: Annotated[int, Field(ge=0, description="Persons who entered the first stage.")]
    reached: Annotated[int, Field(ge=0, description="Of these: who then reached the second.")]
    per_mille: Annotated[
        int | None, Field(description="reached in thousandths of `of`; null if `of` is 0.")
    ]


class Conversions(Figures):
    """The funnel, step by step."""

    lead_to_mql: Conversion
    mql_to_sql: Conversion
    sql_to_opportunity: Conversion
    opportunity_to_customer: Conversion
    mql_to_customer: Conversion
    sql_to_customer: Conversion


class Waits(Figures):
    """How long it took, in minutes: nearest ranks, null if there is nothing to measure."""

    count: Annotated[int, Field(ge=0, description="How many were measured.")]
    median_minutes: Annotated[int | None, Field(description="Half of them took no longer.")]
    p90_minutes: Annotated[int | None, Field(description="Nine in ten took no longer.")]
    mean_minutes: Annotated[
        int | None, Field(description="The mean; null in reports of earlier releases.")
    ] = None


NO_WAITS = Waits(count=0, median_minutes=None, p90_minutes=None)


class Times(Figures):
    """How fast sales is."""

    mql_to_first_touch: Waits
    mql_to_sql: Waits
    lead_to_mql: Annotated[Waits, Field(description="Of those who first became MQLs.")] = NO_WAITS
    sql_to_customer: Annotated[
        Waits, Field(description="Of those who first became customers; so the next two.")
    ] = NO_WAITS
    mql_to_customer: Waits = NO_WAITS
    lead_to_customer: Annotated[Waits, Field(description="The whole cycle.")] = NO_WAITS


class Promise(Figures):
    """What became of the promises that fell due in the period."""

    due: Annotated[int, Field(ge=0, description="kept, breached and lapsed together.")]
    kept: Annotated[int, Field(ge=0, description="Sales did it in time.")]
    breached: Annotated[int, Field(ge=0, description="Sales did not do it in time.")]
    lapsed: Annotated[int, Field(ge=0, description="The lead was withdrawn before it was due.")]


class Handoffs(Figures):
    """Offers to sales, and what sales promised of them."""

    offers: Annotated[int, Field(ge=0, description="Offers made in the period.")]
    first_touch: Promise
    acceptance: Promise


class SourceFigures(Figures):
    """Persons whose first touch was of one origin."""

    mql: Annotated[int, Field(ge=0, description="Who entered a stage of the model.")]
    sql: Annotated[int, Field(ge=0, description="Who reached sql, opportunity or customer.")]
    customer: Annotated[int, Field(ge=0, description="Who became customers.")]


class ChannelFigures(SourceFigures):
    """Persons whose first touch was by one channel, and their sources."""

    sources: Annotated[dict[str, SourceFigures], Field(description="The channel's, by source.")]


class BantFigures(Figures):
    """Answers of sales in the period, and of how many sales had told what by then."""

    answers: Annotated[int, Field(ge=0, description="All of them.")]
    budget: Annotated[int, Field(ge=0, description="Of these: the budget was told.")]
    authority: Annotated[int, Field(ge=0, description="Who decides was told.")]
    need: Annotated[int, Field(ge=0, description="The need was told.")]
    timing: Annotated[int, Field(ge=0, description="The timing was told.")]
    all_four: Annotated[int, Field(ge=0, description="All four were told.")]


class KpiReport(Figures):
    """The KPIs of a period."""

    period: Annotated[
        str,
        Field(
            description="2026-11-21, 2026-W47, 2026-11, 2026-Q4, 2026, "
            "2026-01-15..2026-03-31 or all."
        ),
    ]
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
    bant: Annotated[
        dict[str, BantFigures],
        Field(description="What sales had told of leads, by its answer: `accepted`, `rejected`."),
    ] = {}
    feedback: Annotated[
        Feedback, Field(description="Answers of sales, by what was known of the leads.")
    ]
    cohort: Annotated[
        Cohort | None,
        Field(description="Who made a step in the period; null in reports of earlier releases."),
    ] = None
    cohorts: Annotated[
        dict[str, Cohort], Field(description="The same by month, if the period has several.")
    ] = {}
    breakdowns: Annotated[
        dict[str, dict[str, MqlFigures]],
        Field(
            description="MQLs of the period and its deals, by `channel`, `source`, `campaign` and "
            "`landing_page` of the first touch, by `owner`, and by the `score` of the MQL."
        ),
    ] = {}
    spend: Annotated[
        SpendFigures | None, Field(description="What was spent; null if none was entered.")
    ] = None
    won_by_last_touch: Annotated[
        dict[str, Won], Field(description="Deals won, by the channel of the last touch before.")
    ] = {}
    contact_times: Annotated[
        ContactTimes | None,
        Field(description="How fast sales was; null in reports of earlier releases."),
    ] = None
    first_touch_by_owner: Annotated[
        dict[str, Promise], Field(description="The promises of first touch, by owner.")
    ] = {}
    nurture: Annotated[
        dict[str, SequenceFigures],
        Field(description="Nurture sequences by name, those of which anything became."),
    ] = {}
    revision: Annotated[
        int,
        Field(ge=1, description="Grows when the report is made again and has changed."),
    ] = 1
