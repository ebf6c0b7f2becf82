"""The reference of a watch: how many leads had which score once, and what became of them."""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from warmlead.domain.probability import Probability, ScoreBand
from warmlead.learning.drift import band_edges, by_band

MODEL_FILE = "model file"
"""The origin of a reference that the model file states."""


class Judged(NamedTuple):
    """The score of a lead when it was judged, and whether it reached the outcome; unpacked."""

    score: int
    won: bool


class Reference(Struct, frozen=True):
    """What the leads of a month are compared with.

    ``bands`` are in order of the score. ``probability`` says how likely the outcome is at a score;
    without one it is the rate of the score's band.
    """

    origin: str
    bands: tuple[ScoreBand, ...]
    probability: Probability | None = None

    @property
    def leads(self) -> int:
        """How many leads it was made of."""
        return sum(band.leads for band in self.bands)

    @property
    def won(self) -> int:
        """How many of them reached the outcome."""
        return sum(band.won for band in self.bands)

    def counts(self, scores: Sequence[int]) -> Sequence[int]:
        """How many of some scores are in each band."""
        return by_band(scores, [band.below for band in self.bands if band.below is not None])

    def likely(self, scores: Sequence[int]) -> list[float]:
        """How likely the outcome is for each lead with one of these scores; in no certain order."""
        if self.probability:
            return [self.probability.of(score) for score in scores]
        rates = [(band.won + 0.5) / (band.leads + 1) for band in self.bands]  # none is certain
        counts = self.counts(scores)
        return [rate for rate, count in zip(rates, counts, strict=True) for _ in range(count)]


def reference_of(judged: Sequence[Judged], origin: str) -> Reference | None:
    """The reference of leads whose outcomes are ripe; ``None`` if all have about one score."""
    edges = [int(edge) for edge in band_edges(score for score, _ in judged)]
    leads = by_band((score for score, _ in judged), edges)
    won = by_band((score for score, is_won in judged if is_won), edges)
    ends = [*edges, None]
    bands = tuple(ScoreBand(*each) for each in zip(leads, won, ends, strict=True))
    return Reference(origin, bands) if edges else None
