"""The fault campaign: breaks Warmlead in every way it can think of, and checks its promises.

Exit code 0: every promise was kept, and every planted bug was caught. 1: not so. 2: misuse.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from faults import planted
from faults.campaign import Row, jobs_of, run_jobs, say, table
from faults.registry import BACKENDS, FAULTS
from warmlead.cli.local.emulators import VARIABLES, emulators, missing

PLANTED = "planted"


def main(arguments: Sequence[str]) -> int:
    """Runs what was asked for and tells of it; the exit code."""
    options = _options(arguments)
    only = PLANTED if options.bug else options.only
    backends = [*BACKENDS] if options.backend == "all" else [options.backend]
    chosen = [
        (fault, backend)
        for fault in FAULTS.values()
        for backend in backends
        if only in (None, fault.name) and backend in fault.trials[options.slice]
    ]
    bugs = only in (None, PLANTED) and not options.without_planted
    with ExitStack() as stack:
        if "gcp" in backends:
            _emulators(stack)
        rows = []
        for fault, backend in chosen:
            jobs = jobs_of(
                fault.name, backend, options.slice, seed=options.seed, trials=options.trials
            )
            say(f"{fault.name} on {backend}: {fault.says}")
            rows.append(run_jobs(jobs, until_violation=options.until_violation))
        if rows:
            say(f"\n{table(rows)}")
            _say_sites(rows)
        uncaught = planted.hunt(backends, options.bug) if bugs else 0
    return 1 if uncaught or any(row.violations for row in rows) else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make faults",
        usage='make faults [OPTIONS="options"]\n       PYTHONPATH=tests python -m faults [options]',
        description=__doc__,
    )
    names = ", ".join([*FAULTS, PLANTED])
    parser.add_argument(
        "--only", choices=[*FAULTS, PLANTED], metavar="FAULT", help=f"one alone: {names}"
    )
    parser.add_argument(
        "--backend", choices=[*BACKENDS, "all"], default="all", help="on which (%(default)s)"
    )
    parser.add_argument(
        "--slice",
        choices=["full", "ci"],
        default="full",
        help="how much; ci is a little of each (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the first trial (%(default)s)")
    parser.add_argument("--trials", type=int, metavar="N", help="how many of each fault")
    parser.add_argument("--until-violation", action="store_true", help="stop at the first")
    parser.add_argument(
        "--bug",
        choices=[bug.name for bug in planted.read_bugs()],
        metavar="NAME",
        help="one planted bug alone, by the name of its file in tests/faults/planted",
    )
    parser.add_argument("--without-planted", action="store_true", help="plant no bugs")
    options = parser.parse_args(arguments)
    if options.backend != "sqlite" and not _are_running() and missing():
        parser.error(f"{missing()}. Or leave them out: --backend sqlite")
    return options


def _are_running() -> bool:
    return all(os.environ.get(variable) for variable in VARIABLES.values())


def _emulators(stack: ExitStack) -> None:
    """Starts those that the environment does not name."""
    if _are_running():
        return
    started = stack.enter_context(emulators(dict.fromkeys(VARIABLES)))
    for service, process in started.items():
        os.environ[VARIABLES[service]] = process.address


def _say_sites(rows: Sequence[Row]) -> None:
    for row in rows:
        if row.sites:
            each = ", ".join(f"{site} {n}" for site, n in sorted(row.sites.items()))
            say(f"\nkills on {row.backend}, {len(row.sites)} sites: {each}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
