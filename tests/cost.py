"""What work costs in processor time, apart from the machine's pace and from what else is in memory.

A busy or slower machine, and a heap that thousands of tests have filled, make nothing dearer here.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time

_LOOPS = 100_000
_PACE_S = 0.0035
"""What the loop of ``pace`` takes on the machine for which limits are meant, at its best."""


class Spent:
    """The processor seconds of a block, once it has ended."""

    seconds = float("nan")


def pace() -> float:
    """How many times slower than the limits' machine this one is just now; at least 1."""
    began = process_time()
    total = 0
    for number in range(_LOOPS):
        total += number & 7
    return max(1.0, (process_time() - began) / _PACE_S)


@contextmanager
def measured() -> Iterator[Spent]:
    """Measures the block; the collector of garbage looks only at what the block itself makes.

    A collection beforehand would take a fifth of a second each time, and change nothing.
    """
    spent = Spent()
    slower = pace()
    gc.freeze()
    began = process_time()
    try:
        yield spent
    finally:
        spent.seconds = (process_time() - began) / slower
        gc.unfreeze()


def least_cpu_s(work: Callable[[], object], tries: int = 3) -> float:
    """The processor seconds that the work takes if nothing disturbs it: the least of some tries."""
    return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    with measured() as spent:
        work()
    return spent.seconds
