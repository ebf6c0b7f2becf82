"""How commands speak: tables and sentences for people, stable JSON for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console

from warmlead.domain.errors import UnreadableError

Json = Annotated[bool, typer.Option("--json", help="Print JSON of a stable shape instead.")]

EXIT_WRONG = 1
"""The thing asked about is wrong: a faulty model, a lead that is not there."""

EXIT_MISUSE = 2
"""The command was used wrongly."""

UNREADABLE_HINT = (
    "If a newer release wrote it, install that one; if it is damaged, bring the data back from a "
    "backup, or erase it by its id: warmlead lead erase ID"
)

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


def print_json(value: object) -> None:
    """One JSON document on standard output, in UTF-8, indented."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_json_line(value: object) -> None:
    """One JSON document on a line of its own."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value


def count_of(number: int, thing: str) -> str:
    """``1 lead``, ``2 leads``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def fail(message: str, *, hint: str = "", code: int = EXIT_WRONG) -> typer.Exit:
    """An error for standard error, to be raised; ``hint`` says what to do next."""
    errors.print(f"[bold red]error:[/] {_escaped(message)}")
    if hint:
        errors.print(f"[dim]{_escaped(hint)}[/]")
    return typer.Exit(code)


def unreadable(error: UnreadableError) -> typer.Exit:
    """Tells of leads that cannot be read, once all else is done; to be raised."""
    return fail(f"{error.message}.", hint=f"All else is done. {UNREADABLE_HINT}", code=EXIT_WRONG)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
