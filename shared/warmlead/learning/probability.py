"""The probability of the outcome beside a score, from one variable: Platt's scaling."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log

_MOST_STEPS = 100


@dataclass(frozen=True)
class Platt:
    """The log-odds of winning as a line over the score, learned from ``n`` leads."""

    intercept: float
    slope: float
    n: int
    won: int

    def of(self, score: float) -> float:
        """The probability, from 0 to 1, of the outcome at this score."""
        return _sigmoid(self.intercept + self.slope * score)


def platt(scores: Sequence[float], won: Iterable[float]) -> Platt:
    """Learns the line by Newton, with Platt's targets, which keep it finite at few leads.

    A winner counts as (w + 1) / (w + 2) of one, another as 1 / (l + 2) (Platt 1999; Lin, Lin and
    Weng 2007). Leads of one score are counted together, so that the work grows with the scores.

    Raises:
        ValueError: one of the outcomes is missing.
    """
    counted = Counter(zip(map(float, scores), (each > 0 for each in won), strict=True))
    wins = sum(n for (_, win), n in counted.items() if win)
    losses = sum(counted.values()) - wins
    if not wins or not losses:
        raise ValueError("a probability is learned from leads of both outcomes")
    targets = {True: (wins + 1) / (wins + 2), False: 1 / (losses + 2)}
    # centred and scaled, so that the two steps of Newton do not depend on the unit of the score
    middle = sum(score * n for (score, _), n in counted.items()) / (wins + losses)
    size = max(abs(score - middle) for score, _ in counted) or 1.0
    cells = [((score - middle) / size, targets[win], n) for (score, win), n in counted.items()]
    a, b = _line(cells, log((wins + 1) / (losses + 1)))
    return Platt(a - b * middle / size, b / size, wins + losses, wins)


def _line(cells: Sequence[tuple[float, float, int]], start: float) -> tuple[float, float]:
    """The intercept and the slope with the least loss."""
    a, b = start, 0.0
    loss = _loss(cells, a, b)
    for _ in range(_MOST_STEPS):
        (ga, gb), (haa, hbb, hab) = _bend(cells, a, b)
        determinant = haa * hbb - hab * hab
        step_a, step_b = (hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant
        share = 1.0
        while (new := _loss(cells, a - share * step_a, b - share * step_b)) > loss + 1e-12 * loss:
            share /= 2
            if share < 1e-9:  # noqa: PLR2004  # floats end there
                break
        a, b, loss = a - share * step_a, b - share * step_b, new
        if abs(ga * step_a + gb * step_b) < 1e-12:  # noqa: PLR2004  # floats end there
            break
    return a, b


def _bend(
    cells: Sequence[tuple[float, float, int]], a: float, b: float
) -> tuple[tuple[float, float], tuple[float, float, float]]:
    """Gradient and curvature of the loss. A trace of ridge keeps a single score solvable."""
    ga = gb = hab = 0.0
    haa = hbb = 1e-9
    for score, target, n in cells:
        chance = _sigmoid(a + b * score)
        over, bend = n * (chance - target), n * chance * (1 - chance)
        ga, gb = ga + over, gb + over * score
        haa, hbb, hab = haa + bend, hbb + bend * score * score, hab + bend * score
    return (ga, gb), (haa, hbb, hab)


def _loss(cells: Sequence[tuple[float, float, int]], a: float, b: float) -> float:
    """Cross-entropy of the targets, in nats."""
    total = 0.0
    for score, target, n in cells:
        log_odds = a + b * score
        total += n * (_softplus(log_odds) - target * log_odds)
    return total


def _softplus(log_odds: float) -> float:
    return max(log_odds, 0.0) + log(1 + exp(-abs(log_odds)))


def _sigmoid(log_odds: float) -> float:
    small = exp(-abs(log_odds))
    return (1.0 if log_odds >= 0 else small) / (1 + small)
