"""What is printed: tables, goals, and the noise of the machine."""

import statistics
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

NOISE_ROUNDS = 25


class Goal(NamedTuple):
    """Something that is claimed, and whether this run bears it out."""

    claim: str
    measured: str
    met: bool


class Latency(NamedTuple):
    """Milliseconds that half of the requests, and all but one in a hundred, stayed below."""

    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.p50_ms:.2f} / {self.p99_ms:.2f}"


def latency_of(seconds: Sequence[float]) -> Latency:
    """Of as many requests as there are."""
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Latency(statistics.median(ordered) * 1e3, p99 * 1e3)


def heading(text: str) -> None:
    """Begins a section."""
    print(f"\n\033[1m{text}\033[0m" if _is_terminal() else f"\n{text}", flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table: the first column to the left, the others to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *texts]) for i in range(len(columns))]
    for line in [list(columns), *texts]:
        first, *others = line
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  " + "  ".join(cells).rstrip(), flush=True)


def note(text: str) -> None:
    """Says something about the table above."""
    print(f"  {text}", flush=True)


def print_goals(goals: Sequence[Goal]) -> None:
    """One line a goal."""
    heading("Goals")
    table(
        ["", "measured", ""],
        [(goal.claim, goal.measured, "met" if goal.met else "NOT MET") for goal in goals],
    )


def noise_ms() -> tuple[float, float]:
    """The best and worst of some rounds of a fixed amount of work: how far to trust a run."""
    rounds = []
    for _ in range(NOISE_ROUNDS):
        start = time.perf_counter()
        sum(i * i for i in range(300_000))
        rounds.append((time.perf_counter() - start) * 1e3)
    return min(rounds), max(rounds)


def _is_terminal() -> bool:
    return sys.stdout.isatty()
