"""``make bench``: measures, and prints one section after the other. Compare ratios.

On a machine that does other things at the same time every figure is worse; so what is compared
takes turns, and the noise of the machine is printed with it.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from bench import (
    cold,
    cost,
    due,
    embedded,
    everyone,
    hot,
    imports,
    large,
    learning,
    pages,
    past_reports,
    path,
    rpcs,
    scoring,
    warm,
)
from bench.cloud import Cloud, cloud
from bench.deployed import Staged, staged
from bench.report import heading, noise_ms, note, print_goals
from bench.run import Run

SECTIONS: Mapping[str, Callable[[Run], None]] = {
    "imports": imports.measure,
    "scoring": scoring.measure,
    "sqlite": embedded.measure,
    "large": large.measure,
    "learning": learning.measure,
    "reports": past_reports.measure,
    "rpcs": rpcs.measure,
    "cold": cold.measure,
    "warm": warm.measure,
    "hot": hot.measure,
    "path": path.measure,
    "due": due.measure,
    "everyone": everyone.measure,
    "pages": pages.measure,
    "cost": cost.measure,
}
NEEDS = {"cost": ("rpcs", "path")}
"""Sections whose figures another one uses: they are measured too."""

ON_EMULATORS = frozenset({"rpcs", "cold", "warm", "hot", "path", "due", "everyone"})
STAGED = frozenset({"imports", "cold", "warm", "path"})
"""Sections that need emulators, and those that need staged functions."""


def main() -> None:
    """Measures what was asked for."""
    options = _options()
    chosen = _chosen(options.only or list(SECTIONS))
    began = time.monotonic()
    noise = [noise_ms()]
    with ExitStack() as stack:
        where = stack.enter_context(cloud()) if ON_EMULATORS & {*chosen} else Cloud("", "")
        functions = stack.enter_context(staged()) if STAGED & {*chosen} else Staged(None)
        run = Run(options.quick, where, functions)
        for name in chosen:
            SECTIONS[name](run)
            noise.append(noise_ms())
    if run.goals:
        print_goals(run.goals)
    _print_noise(noise, time.monotonic() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    help_ = "only this section, and those that it needs; may be given several times"
    parser.add_argument(
        "--only",
        action="append",
        choices=SECTIONS,
        metavar="SECTION",
        help=f"{help_}: {', '.join(SECTIONS)}",
    )
    return parser.parse_args()


def _chosen(names: list[str]) -> list[str]:
    wanted = {*names, *(needed for name in names for needed in NEEDS.get(name, ()))}
    return [name for name in SECTIONS if name in wanted]


def _print_noise(noise: list[tuple[float, float]], elapsed_s: float) -> None:
    best, worst = min(low for low, _ in noise), max(high for _, high in noise)
    heading("The machine")
    note(f"{os.cpu_count()} cores, Python {platform.python_version()}; {elapsed_s:.0f} s in all")
    note(f"noise: a fixed loop took {best:.0f} ms at best and {worst:.0f} ms at worst")


if __name__ == "__main__":
    main()
