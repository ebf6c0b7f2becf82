"""The section ``probability`` of a model file: what its scores have meant, as calibration learned.

Warmlead writes it. It decides nothing, so it is no part of a model's version.
"""

from datetime import timedelta
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from warmlead.domain.probability import Probability, ScoreBand
from warmlead.model.values import Label, WholeDays

MOST_LEADS = 1_000_000_000
MOST_BANDS = 20

_Count: TypeAlias = Annotated[int, Field(ge=0, le=MOST_LEADS)]
_Finite = Field(allow_inf_nan=False, ge=-1_000, le=1_000)


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class WrittenBand(_Written):
    """The leads of a band of scores: those below a number and in no band before it."""

    below: Annotated[int, Field(ge=-100_000, le=1_000_000)] | None = Field(
        None, description="The score below which they were; the last band has none."
    )
    leads: _Count
    won: _Count


class WrittenProbability(_Written):
    """What a score means: the share of such leads that reach a stage. Calibration writes it."""

    outcome: Label = Field(description="The stage that counts as the outcome: customer.")
    after: WholeDays = Field(
        timedelta(days=7), description="How long after it became known each lead was judged."
    )
    within: WholeDays = Field(description="Within which time it had to reach the outcome.")
    intercept: Annotated[float, _Finite]
    slope: Annotated[float, _Finite]
    leads: _Count = Field(description="Of how many leads it was learned.")
    won: _Count = Field(description="How many of them reached the outcome.")
    scoring: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")] | None = Field(
        None, description="The hash of the points of which it was learned."
    )
    bands: list[WrittenBand] = Field(
        [], max_length=MOST_BANDS, description="The same leads by their scores, the lowest first."
    )


def probability_of(written: WrittenProbability | None, scoring: str) -> Probability | None:
    """The compiled section; ``None`` if it was learned of other points than the model's own.

    ``scoring`` is the hash of the model's points (``versions.scoring_of``).
    """
    if written is None or written.scoring not in (None, scoring):
        return None
    return Probability(
        outcome=written.outcome,
        after=written.after,
        within=written.within,
        intercept=written.intercept,
        slope=written.slope,
        leads=written.leads,
        won=written.won,
        bands=tuple(ScoreBand(each.leads, each.won, each.below) for each in written.bands),
    )
