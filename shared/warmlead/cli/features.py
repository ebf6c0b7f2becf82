"""``warmlead model features``: what was known of past leads, as a table for a data scientist."""

import asyncio
import csv
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import typer
from rich.markup import escape

from warmlead.cli.output import EXIT_MISUSE, Json, console, count_of, fail, print_json
from warmlead.cli.questions import (
    IN_USE,
    After,
    LeadsSeen,
    Outcome,
    Since,
    Trusted,
    TrustedLeads,
    Until,
    Within,
    model_named,
    over_leads,
    print_left_out,
    question_of,
)
from warmlead.dashboard.csv_file import inert
from warmlead.learning.backtest import public_of
from warmlead.learning.matrix import Column, Matrix, MatrixBuilder
from warmlead.learning.observing import Observed, observe
from warmlead.settings import why_unreadable


def features(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to write: .csv or .parquet.")],
    *,
    outcome: Outcome = "customer",
    model: Annotated[
        str,
        typer.Option(
            metavar="MODEL",
            help=f"A model file, the name of a ready-made model, or {IN_USE}.",
        ),
    ] = IN_USE,
    since: Since = None,
    until: Until = None,
    after: After = "7d",
    within: Within = None,
    trust: Trusted = TrustedLeads.ANY,
    as_json: Json = False,
) -> None:
    """Write what was known of past leads, and what became of them, as a table.

    One row is one lead that is ripe, as it was known some days after it became known, or before it
    was won. Nothing that was learnt later is in it, and no personal data but the lead's id. The
    columns are in docs/features.md. Parquet needs pip install 'warmlead[parquet]'.

    ```text
    warmlead model features leads.csv
    warmlead model features leads.parquet --outcome sql --within 60d
    warmlead model features leads.csv --model model.yaml
    ```
    """
    question = question_of(outcome, since, until, after, within, trust=trust)
    write = _writer(file)
    chosen = model_named(model)

    async def looked_at(leads: LeadsSeen) -> Matrix:
        now = leads.system.clock.now()
        builder = MatrixBuilder(chosen.rules, now)
        seen = observe(
            leads.system.store,
            leads.system.reports,
            chosen.rules,
            question,
            now=now,
            observed=leads.observed,
        )
        async for each in seen:
            builder.add(each)
            leads.progress(leads.observed.seen)
        return builder.build()

    matrix, observed = asyncio.run(over_leads(question, looked_at, is_told=not as_json))
    with _whole(file) as partial:
        write(matrix, partial)
    _tell(file, matrix, observed, as_json=as_json)


Write: TypeAlias = Callable[[Matrix, Path], None]


_FIRST = "lead_id"
"""The first column of a table of ours: see ``Matrix.columns``."""


def _demand_ours(file: Path) -> None:
    """Ends the command if something else than such a table is there: an export, for instance."""
    if not file.exists():
        return
    try:
        with file.open("rb") as there:
            is_ours = there.read(len(_FIRST) + 1) == f"{_FIRST},".encode()
        if file.suffix == ".parquet" and find_spec("pyarrow"):
            from pyarrow.parquet import read_schema  # noqa: PLC0415  # 100 MB that few need

            is_ours = read_schema(file).names[:1] == [_FIRST]
    except (OSError, ValueError):
        is_ours = False
    if not is_ours:
        text = f"{file}: it is there, and is not a table of features: choose another name."
        raise fail(text, code=EXIT_MISUSE)


def _writer(file: Path) -> Write:
    """What writes such a file; ends the command if nothing can, or if something else is there."""
    if file.suffix in (".csv", ".parquet"):
        _demand_ours(file)
    if file.suffix == ".csv":
        return write_csv
    if file.suffix != ".parquet":
        raise fail(f"{file}: write .csv or .parquet at the end.", code=EXIT_MISUSE)
    if find_spec("pyarrow") is None:  # asked before the work
        hint = "pip install 'warmlead[parquet]', or write a .csv"
        raise fail("Parquet needs one more package.", hint=hint, code=EXIT_MISUSE)
    return write_parquet


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """Another path to write to, which is renamed at the end: the file is whole or not there."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        yield partial
        partial.replace(file)
    except OSError as error:
        raise fail(f"{file}: {why_unreadable(error)}.", code=EXIT_MISUSE) from error
    finally:
        partial.unlink(missing_ok=True)


def write_csv(matrix: Matrix, path: Path) -> None:
    """Writes CSV in UTF-8, without formulas; a number that is not known is an empty cell."""
    columns = matrix.columns
    cells = [_cells(column) for column in columns.values()]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*cells, strict=True))


def _cells(column: Column) -> Iterator[object]:
    if not isinstance(column, np.ndarray):
        return map(_cell, column)
    if column.dtype == np.bool_:
        return map(int, column.tolist())
    return ("" if math.isnan(each) else f"{each:.7g}" for each in column.tolist())


def _cell(value: str | datetime) -> object:
    return inert(value) if isinstance(value, str) else value.isoformat()


def write_parquet(matrix: Matrix, path: Path) -> None:
    """Writes Parquet; a number or text that is not known is null."""
    import pyarrow as pa  # noqa: PLC0415  # 100 MB that few need
    from pyarrow import parquet  # noqa: PLC0415  # as above

    arrays = {}
    for name, column in matrix.columns.items():
        if isinstance(column, np.ndarray):
            arrays[name] = pa.array(column, from_pandas=True)  # nan is null
        else:
            arrays[name] = pa.array([each or None for each in column])
    parquet.write_table(pa.table(arrays), path)


def _tell(file: Path, matrix: Matrix, observed: Observed, *, as_json: bool) -> None:
    if as_json:
        within = observed.horizon
        print_json(
            {
                "file": str(file),
                "leads": len(matrix),
                "won": int(matrix.won.sum()),
                "columns": list(matrix.columns),
                "within_days": None if within is None else within.total_seconds() / 86_400,
                "left_out": {str(why): count for why, count in observed.left_out.items()},
                "public": public_of(observed),
                "stated_later": dict(observed.stated_later.most_common()),
                "forgotten": list(matrix.forgotten),
            }
        )
        return
    console.print(
        f"{escape(str(file))}: {count_of(len(matrix), 'lead')}, {int(matrix.won.sum())} of them "
        f"won, {count_of(len(matrix.columns), 'column')}.",
        soft_wrap=True,
    )
    print_left_out(observed)
    for name, leads in observed.stated_later.most_common(_MOST_TOLD):
        console.print(
            f"[dim]unknown for {count_of(leads, 'lead')}, stated again or first later: "
            f"{escape(name)}[/]"
        )
    if matrix.forgotten:
        names = escape(", ".join(matrix.forgotten))
        console.print(f"[dim]left out, since nobody knows it any more: {names}[/]", soft_wrap=True)


_MOST_TOLD = 10
