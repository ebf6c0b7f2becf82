"""One run: what its sections share, and what they leave for each other."""

from dataclasses import dataclass, field

from bench.cloud import Cloud
from bench.deployed import Staged
from bench.report import Goal


@dataclass
class Use:
    """What one ordinary event uses of what Google charges for; ``nan`` if it was not measured."""

    reads: float = float("nan")
    writes: float = float("nan")
    deletes: float = float("nan")
    messages: float = float("nan")
    accept_cpu_s: float = float("nan")
    apply_cpu_s: float = float("nan")


@dataclass
class Run:
    """The options of a run, where it measures, and what it has found out so far."""

    quick: bool
    cloud: Cloud
    staged: Staged
    goals: list[Goal] = field(default_factory=list)
    ours: Use = field(default_factory=Use)
    naive: Use = field(default_factory=Use)
