"""What ``warmlead import`` prints: counts by month, rows with errors, and what was done."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
from rich.markup import escape
from rich.table import Table

from warmlead.application.history.running import Imported
from warmlead.cli.output import count_of, groups_that_fit
from warmlead.domain.money import DECIMALS
from warmlead.importing.survey import Survey, missing_text
from warmlead.ports.imports import ImportRecord

MOST_MONTHS = 240

_MONTH_WIDTH = len("2026-11")
_BETWEEN = 2


def survey_lines(found: Survey, *, name: str, persons: int, repeated: int) -> Iterator[str]:
    """What was read, a line for each file."""
    yield f"[bold]Import {escape(name)}[/]: {count_of(persons, 'person')}"
    for each in found.files:
        silent = f", {each.silent} say nothing" if each.silent else ""
        wrong = f", [yellow]{count_of(each.errors, 'row')} with errors[/]" if each.errors else ""
        yield f"  {escape(each.path.name)}: {count_of(each.rows, 'row')}{silent}{wrong}"
        if each.missing:
            named = escape(missing_text(each.missing))
            yield f"    [yellow]left out, as the file has no such column:[/] {named}"
        if each.unasked:
            said = ", ".join(f'{c} "{v}" ({n:,})' for (c, v), n in each.unasked.most_common())
            yield f"    no fact asks for: {escape(said)}"
    if repeated:
        yield f"  {repeated} facts stand there twice, and count once."
    for currency, cents in sorted(found.amounts.items()):
        yield f"  won: {cents / 10 ** DECIMALS[currency]:,.2f} {currency}"


def month_tables(found: Survey, *, width: int) -> Iterator[Table]:
    """Counts by month as they were understood; ``3 of 4``: the texts of the file say 4.

    What does not fit into ``width`` letters stands in a further table, with the months again.
    """
    labels = list(dict.fromkeys(label for each in found.files for label, _ in each.read))
    months = found.months[-MOST_MONTHS:]
    columns = [_cells(found, label, months) for label in labels]
    pairs = zip(labels, columns, strict=True)
    widths = [_BETWEEN + max(map(len, (label, *cells))) for label, cells in pairs]
    for group in groups_that_fit(widths, width - _MONTH_WIDTH) if labels else ():
        table = Table(box=None, pad_edge=False)
        table.add_column("month", no_wrap=True)
        for place in group:
            table.add_column(escape(labels[place]), justify="right", no_wrap=True)
        for month, *cells in zip(months, *(columns[place] for place in group), strict=True):
            table.add_row(month, *(f"[yellow]{c}[/]" if " of " in c else c for c in cells))
        yield table


def _cells(found: Survey, label: str, months: Sequence[str]) -> list[str]:
    """What was read in each month; beside what the texts say, if these show months and differ."""
    read = [sum(each.read[label, month] for each in found.files) for month in months]
    own = [sum(each.own[label, month] for each in found.files) for month in months]
    is_told = any(own) and not any(label in each.unseen for each in found.files)
    return [
        f"{one:,} of {other:,}" if is_told and one != other else f"{one:,}"
        for one, other in zip(read, own, strict=True)
    ]


def outcome_lines(done: Imported | None, found: Survey, name: str) -> Iterator[str]:
    """What was done, and what to do about what was not; ``None``: it was only counted."""
    if done is None:
        yield "\nNothing was written. To import, leave out --dry-run; a guess also needs --yes."
        return
    taken = done.taken
    known = f", {taken.known} known already" if taken.known else ""
    yield (
        f"\nImported: {count_of(taken.leads, 'lead')}, {count_of(taken.moves, 'move')}{known}. "
        "Nothing was sent."
    )
    if taken.early:
        yield f"{count_of(taken.early, 'deal')} before the first contact: kept as the files say."
    if taken.erased:
        yield f"{count_of(taken.erased, 'event')} of persons who were erased: left out."
    if taken.refused:
        yield f"{count_of(taken.refused, 'event')} beyond what is kept of one lead: left out."
    for each in found.errors:
        if each.count:
            yield (
                f"[yellow]{count_of(each.count, 'row')} not imported[/]: correct "
                f"{escape(str(each.path))} and run again with all files and this one."
            )
    yield f"To take it back: [bold]warmlead import undo {escape(name)}[/]"
    if found.months:
        year, month = map(int, found.months[-1].split("-"))
        after = f"{year + month // 12}-{month % 12 + 1:02}-01"
        yield f"Its last month in numbers: warmlead run report --period month --as-of {after}"


def as_json_of(value: Survey | Imported | ImportRecord | None) -> Any:  # noqa: ANN401  # JSON
    """The stable shape of a result."""
    if isinstance(value, Survey):
        return {
            "rows": value.rows,
            "files": [
                {
                    "file": each.path.name,
                    "rows": each.rows,
                    "errors": each.errors,
                    "silent": each.silent,
                    "missing": list(each.missing),
                    "unasked": [
                        {"column": column, "value": value, "rows": rows}
                        for (column, value), rows in each.unasked.most_common()
                    ],
                    "months": _months(each.read),
                    "months_in_file": _months(each.own),
                }
                for each in value.files
            ],
            "won_cents": dict(value.amounts),
        }
    if isinstance(value, Imported):
        return {**asdict(value.taken), "persons": value.persons, "failed": value.failed}
    return None if value is None else msgspec.to_builtins(value)


def _months(counts: Any) -> dict[str, dict[str, int]]:  # noqa: ANN401  # a counter of pairs
    found: dict[str, dict[str, int]] = {}
    for (label, month), count in sorted(counts.items()):
        found.setdefault(label, {})[month] = count
    return found
