"""What a report says of cohorts: persons who made a step in a month, and how far they came."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from warmlead.messages.published import PUBLISHED

_LIKELY = "Of the range in which the true rate is 19 times in 20 (Wilson); null if `of` is 0."


class Reached(BaseModel):
    """How many of some persons made another step, and what that says of the rate."""

    model_config = PUBLISHED

    of: Annotated[int, Field(ge=0, description="Persons who made the first step.")]
    reached: Annotated[int, Field(ge=0, description="Of these: who made the second.")]
    per_mille: Annotated[
        int | None, Field(description="reached in thousandths of `of`; null if `of` is 0.")
    ]
    low_per_mille: Annotated[int | None, Field(description=f"The lower end. {_LIKELY}")]
    high_per_mille: Annotated[int | None, Field(description=f"The upper end. {_LIKELY}")]


class Ripening(Reached):
    """The same within an age, of those alone who have had the time."""

    is_finished: Annotated[bool, Field(description="All persons of the cohort have had the time.")]


class CohortConversion(BaseModel):
    """How many of a cohort made another step: within an age, and so far."""

    model_config = PUBLISHED

    within_30_days: Ripening
    within_60_days: Ripening
    within_90_days: Ripening
    ever: Annotated[Reached, Field(description="So far, of all persons of the cohort.")]
    before: Annotated[
        int, Field(ge=0, description="Of these: who made the second step before the first.")
    ]
    first_at: Annotated[
        datetime | None,
        Field(description="When the first of them made the second step; null if nobody has."),
    ]


class Cohort(BaseModel):
    """Persons who made a step of the funnel for the first time in a month, each counted once."""

    model_config = PUBLISHED

    start: Annotated[datetime, Field(description="When the month, or its part, began, UTC.")]
    end: Annotated[datetime, Field(description="Before when it ended, UTC.")]
    lead_to_mql: CohortConversion
    lead_to_customer: CohortConversion
    mql_to_sql: CohortConversion
    mql_to_customer: CohortConversion
    sql_to_customer: CohortConversion
    customers: Annotated[
        int, Field(ge=0, description="Who became customers for the first time in the month.")
    ]
    without_opportunity: Annotated[
        int,
        Field(ge=0, description="Of sql_to_customer, ever: who never were an opportunity."),
    ]
