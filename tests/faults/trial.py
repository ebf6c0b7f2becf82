"""One trial of one fault: what it is given, and what comes out."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from faults.backends import Backend

Slice = str
"""How much is tried: ``full``, or ``ci``, a little of everything."""


@dataclass(frozen=True)
class Trial:
    """A trial in a folder of its own; ``size`` says how much one trial does: ``full`` or ``ci``."""

    backend: Backend
    seed: int
    folder: Path
    size: Slice = "full"

    def many(self, full: int, ci: int) -> int:
        """A number of things that depends on the size of the trial."""
        return full if self.size == "full" else ci


@dataclass
class Outcome:
    """What a trial found: every broken promise in words, and what it has done to find it."""

    violations: list[str] = field(default_factory=list)
    kills: int = 0
    sites: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    """The answers that were lost on the network, by service."""
    told: str = ""
    """What was measured, in words."""


class Fault(NamedTuple):
    """A way in which things go wrong: how one trial of it runs, and how many there are.

    ``trials`` are the numbers of trials by slice and backend; a backend that is not there is
    not tried.
    """

    name: str
    says: str
    run: Callable[[Trial], Outcome]
    trials: Mapping[Slice, Mapping[str, int]]
