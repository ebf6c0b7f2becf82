"""Plays a web server's log through the product, in two orders, and tells what robots make of it.

::

    PYTHONPATH=tests python -m weblog LOG       # any log in the combined format
    PYTHONPATH=tests python -m weblog --made    # 10,000 made lines with real names of agents

Ends with 1 if a robot-like visitor with points is among the first, or if a lead differs.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from weblog.lines import Visit, visits_in
from weblog.made import made_log
from weblog.play import Standing, played, shuffled

FIRST = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays the log that the command line names."""
    chosen, visits = _arguments(arguments)
    robots = {visit.visitor: visit.agent for visit in visits if visit.is_robot_like}
    _tell_of(visits, robots)
    now = datetime.now(UTC)  # one for all, since days are counted from it
    with tempfile.TemporaryDirectory() as folder:
        counted = _play(visits, Path(folder, "counted"), "count", now)
        ignored = _play(visits, Path(folder, "ignored"), "ignore", now)
        again = _play(shuffled(visits, chosen.seed), Path(folder, "again"), "ignore", now)
    before, left = (
        _robots_among_the_first(counted, robots),
        _robots_among_the_first(ignored, robots),
    )
    differing = sum(ignored.get(id_) != again.get(id_) for id_ in {*ignored, *again})
    print(f"robot-like among the first {FIRST} by score, robots counted: {len(before)}")
    print(f"robot-like among the first {FIRST} by score, robots ignored: {len(left)}")
    for agent in left:
        print(f"    {agent[:200]!a}")
    print(f"leads that differ in another order, three in ten lines twice: {differing}")
    return 1 if left or differing else 0


def _play(visits: Sequence[Visit], folder: Path, robots: str, now: datetime) -> dict[str, Standing]:
    folder.mkdir()
    return asyncio.run(played(visits, folder, now=now, robots=robots))


def _robots_among_the_first(leads: Mapping[str, Standing], robots: Mapping[str, str]) -> list[str]:
    """The agents of those among the first by score that have any."""
    ranked = sorted(leads.values(), key=lambda lead: (-lead.score, lead.visitor))
    first = [lead for lead in ranked[:FIRST] if lead.score > 0]
    return [robots[lead.visitor] for lead in first if lead.visitor in robots]


def _tell_of(visits: Sequence[Visit], robots: Mapping[str, str]) -> None:
    visitors = len({visit.visitor for visit in visits})
    lines = sum(visit.is_robot_like for visit in visits)
    print(f"{len(visits)} lines of {visitors} visitors; robot-like: {lines} of {len(robots)}")


def _arguments(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Sequence[Visit]]:
    """What the command line says, and the visits in the log that it names: one at least."""
    parser = argparse.ArgumentParser(
        prog="python -m weblog",
        description=__doc__.replace("::\n\n", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("log", type=Path, nargs="?", help="a log in the combined format")
    which.add_argument("--made", action="store_true", help="a made one instead")
    parser.add_argument("--lines", type=int, default=10_000, help="of the made log (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the second order (%(default)s)")
    chosen = parser.parse_args(arguments)
    try:
        lines = made_log(chosen.lines) if chosen.made else _lines_of(chosen.log)
    except OSError as error:
        parser.error(f"{chosen.log} cannot be read: {error.strerror}")
    visits = list(visits_in(lines))
    if not visits:
        parser.error("there is no line in it of the combined format of Apache and nginx")
    return chosen, visits


def _lines_of(log: Path) -> list[str]:
    return log.read_text("latin-1").splitlines()


if __name__ == "__main__":
    sys.exit(main())
