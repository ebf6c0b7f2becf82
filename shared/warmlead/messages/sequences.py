"""What a report says of nurture sequences: who was enrolled, what was sent, and how runs ended."""

from typing import Annotated

from pydantic import BaseModel, Field

from warmlead.messages.cohorts import Ripening
from warmlead.messages.published import PUBLISHED

_AFTERWARDS = (
    "`of` are persons who have had 60 days since they were first sent it in the period; `reached` "
    "are those who came to"
)


class StepFigures(BaseModel):
    """One step of a sequence: how often it was sent in the period, and what came afterwards."""

    model_config = PUBLISHED

    step: Annotated[int, Field(ge=1, description="The number of the step, from 1.")]
    message: Annotated[str, Field(description="Its message, as the model named it by then.")]
    sent: Annotated[int, Field(ge=0, description="Messages that went out, or still wait to.")]
    persons: Annotated[int, Field(ge=0, description="Persons who were sent it.")]
    to_mql: Annotated[
        Ripening, Field(description=f"{_AFTERWARDS} a stage of the model within these days.")
    ]
    to_sql: Annotated[Ripening, Field(description="The same: `sql`.")]
    to_customer: Annotated[Ripening, Field(description="The same: `customer`.")]


class SequenceFigures(BaseModel):
    """Runs of one sequence; each run of a person counts once."""

    model_config = PUBLISHED

    enrolled: Annotated[int, Field(ge=0, description="Runs that began in the period.")]
    running: Annotated[
        int, Field(ge=0, description="Of these: runs that had not ended when the period did.")
    ]
    ended: Annotated[
        dict[str, int],
        Field(
            description="Runs that ended in the period, by `finished`, `goal`, `stopped`, "
            "`suppressed`, `removed` or `parted`; some began before it."
        ),
    ]
    steps: Annotated[list[StepFigures], Field(description="Those that were sent in the period.")]
