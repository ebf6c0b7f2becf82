"""The commands by name: where each is, and its line in ``warmlead --help``.

A command's module is imported when the command is used: all of them cost a second of processor
time, and ``warmlead --help`` needs none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from textwrap import indent
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is: a module of this package, and its function or ``Typer``."""

    module: str
    name: str
    line: str
    """Its line in ``warmlead --help``: the first sentence of its own help."""


COMMANDS: Mapping[str, Place] = {
    "serve": Place("local.serve", "serve", "Serve all functions on this machine, at one address."),
    "emulators": Place(
        "local.emulators",
        "run_emulators",
        "Run Google's emulators of Firestore and Pub/Sub, for Warmlead.",
    ),
    "demo": Place(
        "demo",
        "demo",
        "Take a lead to an MQL over HTTP, explain it, and tell a tool.",
    ),
    "lead": Place("lead", "app", "List leads, show one, and explain its score."),
    "triggers": Place("triggers", "app", "Show the published triggers, the oldest first."),
    "model": Place("model", "app", "Check, simulate and apply the model file."),
    "report": Place("report", "report", "Report the KPIs of any period, with cohorts that ripen."),
    "run": Place("run", "app", "Run a scheduled function now, or as of another time."),
    "send": Place("send", "send", "Send a request from a file as its sender would, signed."),
    "source": Place("source", "app", "Look at what tools post, and at what it becomes."),
    "quarantine": Place(
        "quarantine", "app", "List input that could not be counted, and try it again."
    ),
    "destination": Place(
        "destination", "app", "Show, try and repair the tools that messages are sent to."
    ),
    "import": Place("imports", "app", "Import history from files, as of its own time."),
    "replay": Place(
        "rebuild", "replay", "Rebuild every lead from the archive, under the model in use."
    ),
    "backup": Place("backup", "backup", "Copy all data of this machine into one file."),
    "restore": Place("backup", "restore", "Put a backup in the place of this machine's data."),
}

OF_LEAD: Mapping[str, Place] = {
    "erase": Place("privacy", "erase", "Erase all that is kept about one person, for good."),
    "erased": Place("erasures", "erased", "List the erasures, for a store that forgot them."),
    "erase-again": Place(
        "erasures", "erase_again", "Erase whom a restored store forgot to have erased."
    ),
    "export": Place(
        "privacy", "export", "Print all that is kept about one person, as one JSON document."
    ),
    "respell": Place(
        "rebuild", "respell", "Put leads under the ids of today, and merge those that meet."
    ),
}

OF_MODEL: Mapping[str, Place] = {
    "backtest": Place(
        "backtest", "backtest", "Judge models by what became of past leads, as known at the time."
    ),
    "features": Place(
        "features", "features", "Write what was known of past leads as a table, to learn from it."
    ),
    "calibrate": Place(
        "calibrate", "calibrate", "Learn a model's points from what became of past leads."
    ),
    "threshold": Place(
        "threshold", "threshold", "Show where the bar of a model could be, and what that brings."
    ),
    "review": Place(
        "review",
        "review",
        "Review a month: what passed, what came back, what to change.",
    ),
    "watch": Place("watch", "watch", "Show whether the model still holds, month by month."),
    "shadow": Place("shadow", "shadow", "Compare the model in force with the one in its shadow."),
}
"""What outcomes teach, and what a second model would do."""


class LazyGroup(TyperGroup):
    """A group that imports those of its commands that are in ``places`` when they are used."""

    places: ClassVar[Mapping[str, Place]] = {}

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # typer's own
        options["help"] = laid_out(options.get("help") or "")
        named = {
            name: TyperCommand(name, help=place.line, rich_markup_mode=None)
            for name, place in self.places.items()
        }
        super().__init__(**{**options, "commands": {**options["commands"], **named}})

    def resolve_command(
        self,
        ctx: Any,  # noqa: ANN401  # typer keeps the type of its contexts to itself
        args: list[str],
    ) -> Any:  # noqa: ANN401  # and that of its commands
        """The command that the arguments name, imported now."""
        name, command, rest = super().resolve_command(ctx, args)
        if name and name in self.places:
            command = loaded(self.places[name], name)
        return name, command, rest


class Commands(LazyGroup):
    """All commands."""

    places = COMMANDS

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # as above
        """The command; of one that is written without its group the error names the group."""
        if args and args[0] not in self.commands and (group := _group_of(args[0])):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{group} {args[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # as above
        """Runs a command; the error about an option's value is without pydantic's own words."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


def _group_of(name: str) -> str:
    """The command that has a command of this name below it; empty if none has."""
    below = {
        group: getattr(loaded(place, group), "commands", {}) for group, place in COMMANDS.items()
    }
    return next((group for group, commands in below.items() if name in commands), "")


class LeadCommands(LazyGroup):
    """The commands of ``warmlead lead`` that are modules of their own."""

    places = OF_LEAD


class ModelCommands(LazyGroup):
    """The commands of ``warmlead model`` that are modules of their own."""

    places = OF_MODEL


@cache
def loaded(place: Place, name: str) -> Any:  # noqa: ANN401  # as above
    """The whole command, under its name."""
    found = getattr(import_module(f"warmlead.cli.{place.module}"), place.name)
    alone = typer.Typer(rich_markup_mode=None)  # rich's help costs more than most commands
    alone.callback()(_nothing)  # so that one command alone is a group's too
    if isinstance(found, typer.Typer):
        alone.add_typer(found, name=name)
    else:
        alone.command(name)(found)
    command = get_group(alone).commands[name]
    _lay_out(command)
    return command


def _lay_out(command: Any) -> None:  # noqa: ANN401  # as above
    """Has the help of a command, and of those below it, keep the lines of its examples."""
    command.help = laid_out(command.help or "")
    for below in getattr(command, "commands", {}).values():
        _lay_out(below)


def laid_out(text: str) -> str:
    """The help with its examples, which stand between lines of three backticks, as written.

    Lines of others are filled anew to the width of the terminal.
    """
    parts = text.split("```")
    parts[1::2] = [_as_written(part) for part in parts[1::2]]
    return "".join(parts)


def _as_written(part: str) -> str:
    """A paragraph that click leaves alone: it begins with the sign for that (a backspace)."""
    _, _, lines = part.partition("\n")  # behind the backticks stands the language
    return "\b\n" + indent(lines.rstrip(), "  ")


def _nothing() -> None:
    pass
