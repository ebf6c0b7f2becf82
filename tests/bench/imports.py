"""What each staged function imports at its start, and what the command costs to start."""

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench.deployed import NOOP
from bench.report import heading, table
from bench.run import Run
from warmlead.runtime.table import FORMS, SCORE, TRACK, names

ROUNDS, QUICK_ROUNDS, COMMAND_ROUNDS = 7, 3, 10
FUNCTIONS = names((FORMS, TRACK, SCORE))

_IMPORT = """
import sys, time
start = time.perf_counter()
{statement}
ms = (time.perf_counter() - start) * 1000
status = open("/proc/self/status").read()
peak_kb = status.partition("VmHWM:")[2].split()[0]  # getrusage's begins with the parent's
print(ms, int(peak_kb) / 1024, len(sys.modules))
"""
_FRAMEWORK = "import functions_framework.aio"
_OURS = (
    "{framework}; from warmlead.runtime import backends, functions; "
    "functions.{function}(); backends.{adapter}()"
)

_COMMAND = ("-m", "warmlead.cli.main")
ALONE = "import typer, rich"
COMMANDS = {
    ALONE: ("-c", ALONE),
    "warmlead --help": (*_COMMAND, "--help"),
    "warmlead lead --help": (*_COMMAND, "lead", "--help"),
    "warmlead lead list": (*_COMMAND, "lead", "list"),
}


class Cost(NamedTuple):
    """Of importing something, at best."""

    ms: float
    mb: float
    modules: float


def measure(run: Run) -> None:
    """Prints what each function adds to the framework, its adapters of Google's APIs included."""
    rounds = QUICK_ROUNDS if run.quick else ROUNDS
    heading(f"Imports of each function in a fresh process (minimum of {rounds} rounds, in turns)")
    imports = _imports(run)
    costs: dict[str, list[Cost]] = {name: [] for name, _, _ in imports}
    for _ in range(rounds):
        for name, folder, statement in imports:
            costs[name].append(_import(folder, statement))
    bare = _best(costs["functions-framework alone"])
    rows = [_row(name, _best(each), bare) for name, each in costs.items()]
    table(["", "ms", "x", "MB", "x", "modules"], rows)
    measure_commands(run)


def measure_commands(run: Run) -> None:
    """Prints the processor time of starting the command, beside importing typer and rich alone."""
    rounds = QUICK_ROUNDS if run.quick else COMMAND_ROUNDS
    heading(f"Starting the command (processor time, median of {rounds} rounds, in turns)")
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with TemporaryDirectory() as folder:
        for _ in range(rounds + 1):
            for name, arguments in COMMANDS.items():
                spent[name].append(_cpu_ms([sys.executable, *arguments], Path(folder)))
    medians = {name: median(each[1:]) for name, each in spent.items()}  # the first one compiles
    bare = medians[ALONE]
    table(["", "CPU ms", "x"], [(n, f"{ms:.0f}", f"{ms / bare:.2f}") for n, ms in medians.items()])


def _cpu_ms(command: list[str], folder: Path) -> float:
    """The processor time of a process, its system calls included."""
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment = {**variables, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _imports(run: Run) -> list[tuple[str, Path, str]]:
    """What to import, and in which folder."""
    found = [("functions-framework alone", NOOP.folder, _FRAMEWORK)]
    for function in FUNCTIONS:
        adapter = "store" if function == "score" else "bus"
        statement = _OURS.format(framework=_FRAMEWORK, function=function, adapter=adapter)
        found.append((function, run.staged[function].folder, statement))
    clients = ("google.cloud.pubsub_v1", "google.cloud.firestore")
    return found + [(client, NOOP.folder, f"{_FRAMEWORK}; import {client}") for client in clients]


def _best(costs: list[Cost]) -> Cost:
    return Cost(*map(min, zip(*costs, strict=True)))


def _row(name: str, cost: Cost, bare: Cost) -> tuple[str, ...]:
    return (
        name,
        f"{cost.ms:.0f}",
        f"{cost.ms / bare.ms:.2f}",
        f"{cost.mb:.0f}",
        f"{cost.mb / bare.mb:.2f}",
        f"{cost.modules:.0f}",
    )


def _import(folder: Path, statement: str) -> Cost:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT.format(statement=statement)],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=NOOP.environment({"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "bench"}),
    )
    return Cost(*map(float, done.stdout.split()))
