"""Where to set the bar of a score: four views of one curve."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from warmlead.learning.algebra import vector
from warmlead.learning.judging import Estimate, share
from warmlead.reporting.statistics import wilson

DRAWS = 200
"""How often leads are drawn anew to see how certain a bar is."""

_MOST_BARS = 10_000


@dataclass(frozen=True)
class BarInterval:
    """Where 19 of 20 bars lie that other leads of the same kind would have led to.

    ``reached`` is the share of the draws, from 0 to 1, that led to a bar at all.
    """

    low: int
    high: int
    reached: float


@dataclass(frozen=True)
class ChosenBar:
    """A bar, why it is that one, and what it lets through.

    ``bar`` is ``None`` if no bar does what is asked. ``nearest`` is then the bar that comes
    nearest, else the bar itself; all other figures are those of ``nearest``.
    """

    bar: int | None
    nearest: int
    why: str
    passed: int
    won: int
    precision: Estimate | None
    recall: Estimate | None
    mqls_a_week: float
    value_a_week: float | None
    interval: BarInterval | None


@dataclass(frozen=True, eq=False)
class Curve:
    """What passes each bar, the highest first; bars are the scores that leads have.

    ``passed`` and ``won`` count those at the bar or above. All of them are leads of ``weeks``.
    """

    bars: NDArray[np.int64]
    passed: NDArray[np.int64]
    won: NDArray[np.int64]
    weeks: float

    def at(self, bar: int) -> ChosenBar:
        """What a given bar lets through; it has no interval, since it is given."""
        return self._told(bar, bar, "the given bar", None, None)

    def capacity(self, mqls_a_week: float) -> ChosenBar:
        """The lowest bar that lets through no more than sales can call in a week, on average."""
        most = mqls_a_week * self.weeks

        def pick(curve: Curve) -> int | None:
            fits = int(np.searchsorted(curve.passed, most, side="right"))
            return int(curve.bars[fits - 1]) if fits else None

        bar, top = pick(self), int(self.bars[0])
        if bar is None:
            why = f"even at {top} more than {mqls_a_week:g} pass in a week"
        else:
            why = f"the lowest bar that at most {mqls_a_week:g} pass in a week"
        return self._told(bar, top if bar is None else bar, why, None, self._drawn(pick, bar))

    def target(self, rate: float) -> ChosenBar:
        """The lowest bar whose rate of winners is at least the target, with certainty.

        The lower end of Wilson's interval of the rate has to reach the target, not the rate alone.
        """

        def pick(curve: Curve) -> int | None:
            # from the lowest bar on; the rate itself is looked at first, since it is at hand
            for place in np.flatnonzero(curve.won >= rate * curve.passed)[::-1].tolist():
                if wilson(int(curve.won[place]), int(curve.passed[place])).low >= rate:
                    return int(curve.bars[place])
            return None

        bar = pick(self)
        if bar is not None:
            why = f"the lowest bar whose rate is at least {rate:.0%}, with certainty"
            return self._told(bar, bar, why, None, self._drawn(pick, bar))
        pairs = zip(self.won.tolist(), self.passed.tolist(), strict=True)
        lows = [wilson(won, passed).low for won, passed in pairs]
        best = int(np.argmax(lows))
        nearest = int(self.bars[best])
        why = f"not reachable: at best {lows[best]:.0%} is certain, at {nearest}"
        return self._told(None, nearest, why, None, self._drawn(pick, bar))

    def value(self, contact_cost: float, deal_value: float) -> ChosenBar:
        """The bar at which the deals of those who pass, less their contacts, are worth most."""

        def worth(curve: Curve) -> NDArray[np.float64]:
            return curve.won * float(deal_value) - curve.passed * float(contact_cost)

        def pick(curve: Curve) -> int | None:
            best = int(np.argmax(worth(curve)))
            return int(curve.bars[best]) if worth(curve)[best] > 0 else None

        bar, best = pick(self), int(np.argmax(worth(self)))
        nearest = int(self.bars[best])
        why = "the bar at which deals less contacts are worth most"
        if bar is None:
            why = f"no bar is worth its contacts; {nearest} loses least"
        earned = float(worth(self)[best]) / self.weeks
        return self._told(bar, nearest, why, earned, self._drawn(pick, bar))

    def _told(
        self, bar: int | None, nearest: int, why: str, value: float | None, sure: BarInterval | None
    ) -> ChosenBar:
        place = int(np.searchsorted(-self.bars, -nearest, side="right")) - 1
        passed, won = (int(self.passed[place]), int(self.won[place])) if place >= 0 else (0, 0)
        every, winners = share(won, passed), share(won, int(self.won[-1]))
        a_week = passed / self.weeks
        return ChosenBar(bar, nearest, why, passed, won, every, winners, a_week, value, sure)

    def _drawn(self, pick: Callable[["Curve"], int | None], bar: int | None) -> BarInterval | None:
        """The bars of leads that are drawn anew from these; as many, with repetition."""
        won = np.diff(self.won, prepend=0)
        cells = np.concatenate([won, np.diff(self.passed, prepend=0) - won])
        leads, chance = int(cells.sum()), np.random.default_rng(0)
        picked: list[int] = []
        for _ in range(DRAWS if bar is not None else 0):
            drawn = chance.multinomial(leads, cells / leads).astype(np.int64)
            wins, losses = drawn[: len(won)], drawn[len(won) :]
            there = np.flatnonzero(wins + losses)
            passed = np.cumsum(wins + losses)[there]
            chosen = pick(Curve(self.bars[there], passed, np.cumsum(wins)[there], self.weeks))
            picked += [] if chosen is None else [chosen]
        if not picked:
            return None
        low, high = np.quantile(picked, (0.025, 0.975), method="nearest").tolist()
        return BarInterval(int(low), int(high), len(picked) / DRAWS)


def curve(scores: ArrayLike, won: ArrayLike, *, weeks: float) -> Curve:
    """Counts what passes each bar; ``weeks`` is the time in which these leads became known.

    Raises:
        ValueError: there are no leads, the time is not positive, or scores are not whole numbers.
    """
    values, wins = vector(scores), vector(won) > 0
    if not len(values) or len(values) != len(wins) or not weeks > 0:
        raise ValueError("a curve needs leads, one outcome for each, and the weeks of their coming")
    if (values != np.rint(values)).any() or np.abs(values).max() > 2**53:
        raise ValueError("scores are whole numbers")
    bars, place = np.unique(-values, return_inverse=True)
    if len(bars) > _MOST_BARS:
        raise ValueError(f"a score has at most {_MOST_BARS:,} values")
    passed = np.cumsum(np.bincount(place, minlength=len(bars)))
    winners = np.cumsum(np.bincount(place[wins], minlength=len(bars)))
    return Curve((-bars).astype(np.int64), passed, winners, weeks)
