"""What commands print: tables and sentences for people, stable JSON for programs."""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from textwrap import indent
from typing import Annotated

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from warmlead.domain.errors import UnreadableError
from warmlead.domain.text import printable, swept

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead; its shape is stable.")]

EXIT_WRONG = 1
"""What was asked about is wrong or missing: a faulty model, an unknown lead."""

EXIT_MISUSE = 2
"""The command was used wrongly."""


class _SafeConsole(Console):
    """A console on which nothing that a sender sent can steer the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The pieces that are printed; only those that rich makes itself control anything."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else piece._replace(text=printable(piece.text))

    def on_broken_pipe(self) -> None:
        """Nobody reads what is printed: ends the command as any other writing would."""
        self.quiet = True
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


console = _SafeConsole(highlight=False)
errors = _SafeConsole(stderr=True, highlight=False)
UNREADABLE_HINT = (
    "If a newer release wrote it, install that one; if it is damaged, bring the data back from a "
    "backup, or erase it by its id: warmlead lead erase ID"
)


def groups_that_fit(widths: Sequence[int], room: int) -> Iterator[Sequence[int]]:
    """The places of columns, as many at a time as fit into a room; at least one.

    Widths are in letters, each with the space after the column.
    """
    group: list[int] = []
    left = room
    for place, needed in enumerate(widths):
        if group and needed > left:
            yield group
            group, left = [], room
        group.append(place)
        left -= needed
    yield group


def print_json(value: object) -> None:
    """One JSON document on standard output, in UTF-8, indented."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_json_line(value: object) -> None:
    """One JSON document on a line of its own."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def json_list() -> Iterator[Callable[[Sequence[object]], None]]:
    """A JSON list on standard output, of as many items as are added, some at a time."""
    count = 0

    def add(items: Sequence[object]) -> None:
        nonlocal count
        for item in items:
            text = json.dumps(_plain(item), indent=2, ensure_ascii=False)
            sys.stdout.write(("," if count else "[") + indent("\n" + text, "  "))
            count += 1

    yield add
    sys.stdout.write("\n]\n" if count else "[]\n")
    sys.stdout.flush()


def _plain(value: object) -> object:
    from pydantic import BaseModel  # noqa: PLC0415  # 50 ms that only JSON needs

    if isinstance(value, BaseModel):
        return swept(value.model_dump(mode="json"))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        value = {name: _plain(item) for name, item in value.items()}
    return swept(value)


def count_of(number: int, thing: str) -> str:
    """``1 lead``, ``2 leads``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def fail(message: str, *, hint: str = "", code: int = EXIT_WRONG) -> typer.Exit:
    """An error for standard error, to be raised; ``hint`` says what to do next.

    Lines are left to the terminal to break: commands and paths in them are copied whole.
    """
    errors.print(f"[bold red]error:[/] {_escaped(message)}", soft_wrap=True)
    if hint:
        errors.print(f"[dim]{_escaped(hint)}[/]", soft_wrap=True)
    return typer.Exit(code)


def end_with_failures(count: int, failures: Sequence[tuple[str, Exception]]) -> None:
    """Ends the command with exit code 1 if there are leads on which it could not work.

    ``failures`` are the ids of the first of them, and what was wrong.
    """
    unread = [error for _, error in failures if isinstance(error, UnreadableError)]
    if unread and len(unread) == count:
        raise unreadable(UnreadableError({i: p for e in unread for i, p in e.problems.items()}))
    if count:
        told = "\n".join(f"{lead_id}: {type(error).__name__}" for lead_id, error in failures)
        more = f"\nand {count - len(failures)} more" if count > len(failures) else ""
        raise fail(f"{count_of(count, 'lead')} could not be re-evaluated.", hint=f"{told}{more}")


def unreadable_ids(failures: Sequence[tuple[str, Exception]]) -> list[str]:
    """The ids of leads that cannot be read, of some failures."""
    unread = (error for _, error in failures if isinstance(error, UnreadableError))
    return [id_ for error in unread for id_ in error.problems]


def unreadable(error: UnreadableError) -> typer.Exit:
    """The error about unreadable leads, to be raised after all other work."""
    return fail(f"{error.message}.", hint=f"All else is done. {UNREADABLE_HINT}", code=EXIT_WRONG)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def moment(text: str | None) -> datetime | None:
    """A time that a person typed; a bare date means the end of that day."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-03-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        typed = datetime.fromisoformat(text)
        return typed.astimezone(UTC) if typed.tzinfo else typed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise fail(
            f"{text!r} is not a time.",
            hint="Write a date (2026-03-31) or a time (2026-03-31T09:00Z).",
            code=EXIT_MISUSE,
        ) from None
