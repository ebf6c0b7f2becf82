"""What work costs in processor time, apart from the machine's pace and from what else is in memory.

A busy or slower machine, and a heap that thousands of tests have filled, make nothing dearer here.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time

_LOOPS, _LOOPS_S = 100_000, 0.0035
"""Rounds of counting, and what they take at best on the machine for which limits are meant."""

_RECORDS, _RECORDS_S = 10_000, 0.0022
"""Records that are made and kept, and what they take at best on the same machine."""


class Spent:
    """The processor seconds of a block, once it has ended."""

    seconds = float("nan")


def pace() -> float:
    """How many times slower than the limits' machine this one is just now; at least 1.

    Neighbours on a core and in its memory slow counting and the making of records differently;
    work on texts does both, so their mean decides.
    """
    return max(1.0, (_cpu_s(_count) / _LOOPS_S + _cpu_s(_records) / _RECORDS_S) / 2)


def _cpu_s(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def _count() -> int:
    total = 0
    for number in range(_LOOPS):
        total += number & 7
    return total


def _records() -> list[object]:
    return [{"name": str(number), "value": (number,)} for number in range(_RECORDS)]


@contextmanager
def measured() -> Iterator[Spent]:
    """Measures the block; the collector of garbage looks only at what the block itself makes.

    A collection beforehand would take a fifth of a second each time, and change nothing.
    """
    spent = Spent()
    gc.freeze()
    before = pace()
    began = process_time()
    try:
        yield spent
    finally:
        used = process_time() - began
        spent.seconds = used / ((before + pace()) / 2)
        gc.unfreeze()


def least_cpu_s(work: Callable[[], object], enough_s: float = 0.0, most_tries: int = 3) -> float:
    """The processor seconds that the work takes if nothing disturbs it: the least of some tries.

    A try that takes less than ``enough_s`` is the last: where that is the limit, and neighbours
    come and go, many tries cost nothing.
    """
    least = float("inf")
    for _ in range(most_tries):
        with measured() as spent:
            work()
        least = min(least, spent.seconds)
        if least < enough_s:
            break
    return least


def assert_within(limit_s: float, work: Callable[[], object]) -> None:
    """Asserts that the work costs at most twice its budget, at best of up to nine tries.

    The fuzz campaign and the benchmark hold work to the budget itself. Here, on a machine that
    others share, only what grows faster than its input has to be told from it.
    """
    cpu_s = least_cpu_s(work, enough_s=2 * limit_s, most_tries=9)
    assert cpu_s < 2 * limit_s, f"{cpu_s:.4f} s; the budget is {limit_s:.4f} s"


def assert_linear(few: Callable[[], object], many: Callable[[], object]) -> None:
    """Asserts that work on four times as much costs at most eight times as much.

    What grows with the square costs sixteen times as much. Both are measured side by side, up to
    five times, because neighbours come and go.
    """
    pairs = []
    for _ in range(5):
        small, large = least_cpu_s(few), least_cpu_s(many)
        if large < 8 * small + 0.005:
            return
        pairs.append((small, large))
    raise AssertionError(f"not linear: {pairs}")
