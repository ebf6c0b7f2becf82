"""What a score has meant so far: how likely a lead with it reaches an outcome, as learned."""

import math
from datetime import timedelta

from msgspec import Struct

LARGEST_EXPONENT = 700.0
"""Beyond this a logarithm of odds is certain in effect, and a float cannot hold its power."""


class ScoreBand(Struct, frozen=True):
    """The leads whose scores were below a number, and not in the band before; the last has none."""

    leads: int
    won: int
    below: int | None = None


class Probability(Struct, frozen=True):
    """How a score becomes the share of such leads that reach a stage, the ``outcome``.

    It was learned from a number of ``leads``, of which some ``won``: each was judged ``after`` it
    had become known, and won if it reached the outcome ``within`` a time since then. The share is
    that of Platt (1999): 1 / (1 + e^−(intercept + slope · score)). ``bands`` are the same leads by
    their scores, the lowest first.
    """

    outcome: str
    after: timedelta
    within: timedelta
    intercept: float
    slope: float
    leads: int
    won: int
    bands: tuple[ScoreBand, ...] = ()

    def of(self, score: int) -> float:
        """The share of leads with a score that reach the outcome, from 0 to 1."""
        odds = self.intercept + self.slope * score
        return 1 / (1 + math.exp(-max(-LARGEST_EXPONENT, min(LARGEST_EXPONENT, odds))))

    def of_100(self, score: int) -> int:
        """How many of 100 leads with a score reach the outcome, rounded."""
        return round(100 * self.of(score))
