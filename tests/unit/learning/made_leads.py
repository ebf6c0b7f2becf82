"""Leads that are made: yes/no conditions with planted weights, and outcomes that follow them.

Modelled on what the seventeen conditions of an education company's leads look like: each holds for
2 to 60 % of the leads, and a third to a tenth of the leads win.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warmlead.learning.algebra import Vector, sigmoid


@dataclass(frozen=True, eq=False)
class Made:
    x: NDArray[np.bool_]
    won: Vector
    weights: Vector
    base: float


def leads(n: int, columns: int = 17, seed: int = 0, base: float = -1.5) -> Made:
    chance = np.random.default_rng(seed)
    x = chance.random((n, columns)) < chance.uniform(0.02, 0.6, columns)
    weights = chance.normal(0, 1, columns)
    won = chance.random(n) < sigmoid(x @ weights + base)
    return Made(x, won.astype(np.float64), weights, base)
