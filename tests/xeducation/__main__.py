"""Imports X Education's leads, sees each as it was known after a week, and tells what came of it.

::

    PYTHONPATH=tests python -m xeducation FILE                # the table of leads, 9,240 rows
    PYTHONPATH=tests python -m xeducation --made 300          # a made one
    PYTHONPATH=tests python -m xeducation FILE --keep FOLDER  # and keeps the store and the model

With --keep, other commands go on: the last line says under which settings. What a folder has kept
is looked at again, and not imported again. Ends with 1 if a lead is missing, or if something that
sales typed later is seen.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from warmlead.learning.cases import LeftOut
from warmlead.learning.judging import auc
from warmlead.learning.observations import Observation, Question
from warmlead.learning.observing import Observed, observe
from warmlead.runtime import backends
from warmlead.settings import survey
from xeducation.files import rows_of, write_files
from xeducation.made import write_made

HERE = Path(__file__).parent
SEVENTEEN = HERE / "seventeen.yaml"
TYPED_BY_SALES = frozenset({"tag", "lead_quality", "lead_profile", "activity_score"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Imports the table that the command line names, and reports."""
    chosen = _arguments(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        table = write_made(folder / "made.csv", chosen.made) if chosen.made else chosen.file
        rows = rows_of(table)
        settings = _settings(folder, _model(chosen.model, folder))
        if not Path(settings["WARMLEAD_DATA"]).exists():
            now = datetime.now(UTC)
            files = write_files(rows, folder, now=now, days=chosen.days, leaky=chosen.leaky)
            _warmlead(settings, "import", "run", *files, "--mapping", HERE / "mapping.yaml")
        seen, told = asyncio.run(_observed(settings))
        _report(seen, told)
        if chosen.keep:
            print("go on with", *(f"{name}={value}" for name, value in settings.items()))
    typed = {name for each in seen for name in each.facts} & TYPED_BY_SALES
    if typed and not chosen.leaky:
        print("seen although it was typed later:", ", ".join(sorted(typed)))
    return 1 if len(seen) != len(rows) or (typed and not chosen.leaky) else 0


def _model(named: str, folder: Path) -> str:
    """The model: a ready-made one by name, or a copy of a file."""
    path = SEVENTEEN if named == "seventeen" else Path(named)
    if not path.exists():
        return named
    kept = folder / path.name
    if kept.resolve() != path.resolve():
        kept.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return str(kept)


def _settings(folder: Path, model: str) -> dict[str, str]:
    return {
        "WARMLEAD_BACKEND": "sqlite",
        "WARMLEAD_DATA": str(folder / "data"),
        "WARMLEAD_MODEL": model,
        "WARMLEAD_ID_SECRET": "nobody real is in this table",
    }


def _warmlead(settings: Mapping[str, str], *arguments: object) -> None:
    """Runs the command, as a user does."""
    command = [sys.executable, "-m", "warmlead.cli.main", *map(str, arguments)]
    subprocess.run(command, check=True, env={**os.environ, **settings})


async def _observed(settings: Mapping[str, str]) -> tuple[list[Observation], Observed]:
    using, _ = survey(settings)
    question = Question(outcome="customer", after=timedelta(days=7), within=timedelta(days=60))
    told = Observed()
    async with backends.opened(using) as system:
        seen = observe(
            system.store,
            system.reports,
            system.model.rules,
            question,
            now=system.clock.now(),
            observed=told,
        )
        return [each async for each in seen], told


def _report(seen: Sequence[Observation], told: Observed) -> None:
    won = [each.won for each in seen]
    print(f"ripe leads {told.ripe}, won {told.won}")
    for why in LeftOut:
        if told.left_out[why]:
            print(f"left out {told.left_out[why]}: {why.words}")
    for name, count in told.stated_later.most_common():
        print(f"stated later, so not seen: {name} of {count}")
    print(f"{'condition':28} {'leads':>6} {'won':>6}")
    holding, winning = Counter[str](), Counter[str]()
    for each in seen:
        holding.update(each.worths.keys())
        winning.update(each.worths.keys() if each.won else ())
    for name, count in holding.most_common():
        print(f"{name:28} {count:6} {winning[name] / count:6.1%}")
    if 0 < told.won < told.ripe:
        judged = auc([each.score for each in seen], won)
        print(f"AUC of the score {judged.value:.4f} ({judged.low:.3f} to {judged.high:.3f})")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m xeducation",
        description=(__doc__ or "").replace("::\n\n", ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("file", type=Path, nargs="?", help="the table of leads")
    which.add_argument("--made", type=int, metavar="N", help="a made table of so many leads")
    parser.add_argument(
        "--model",
        default="seventeen",
        help="a file, or the name of a ready-made model (%(default)s conditions)",
    )
    parser.add_argument("--days", type=int, default=730, help="the span of the leads (%(default)s)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keeps what is made")
    parser.add_argument(
        "--leaky", action="store_true", help="what sales types is known before the week is over"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
