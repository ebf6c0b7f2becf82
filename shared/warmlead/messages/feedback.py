"""What a report says of the answers of sales: which leads it took, and which it refused."""

from typing import Annotated

from pydantic import BaseModel, Field

from warmlead.messages.published import PUBLISHED


class AnswerFigures(BaseModel):
    """Answers of sales about leads that have something in common."""

    model_config = PUBLISHED

    accepted: Annotated[int, Field(ge=0, description="How often sales took such a lead.")]
    rejected: Annotated[int, Field(ge=0, description="How often it refused one.")]


class Feedback(BaseModel):
    """What sales made of leads, by what the model had said of them when sales answered."""

    model_config = PUBLISHED

    by_score: Annotated[
        dict[str, AnswerFigures],
        Field(description="By the score, in bands of 25 points: `50-74`; below 0: `-`."),
    ]
    by_signal: Annotated[
        dict[str, AnswerFigures],
        Field(description="By each signal that the lead had by then, whatever it was worth."),
    ]
    by_channel: Annotated[
        dict[str, AnswerFigures], Field(description="By the channel of the first touch.")
    ]
    by_source: Annotated[
        dict[str, AnswerFigures], Field(description="By the source of the first touch.")
    ]
