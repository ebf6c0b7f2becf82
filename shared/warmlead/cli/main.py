"""The ``warmlead`` command; exit codes are 0 done, 1 wrong thing, 2 wrong use.

And 141 if the reader of its output stops, as ``head`` does: the code of Unix tools for that.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from warmlead import RELEASE
from warmlead.cli.commands import Commands
from warmlead.domain.errors import ConfigurationError, UnavailableError, UnreadableError

EXIT_NOT_READ = 141
"""128 and the number of SIGPIPE, which ends tools of Unix when nobody reads what they write."""

_EMULATORS = ("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST")

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="""One live score per lead, explained. Begin with a demo, or serve and send:

```text
warmlead demo
warmlead serve
curl http://127.0.0.1:8080/forms/generic -d email=ada@example.com
warmlead lead list
warmlead lead explain ada@example.com
```

Settings are WARMLEAD_* variables, or lines of a file .env in this folder.
""",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"warmlead {RELEASE}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of all commands."""
    from warmlead.cli.environment import read_env_file  # noqa: PLC0415  # help needs no settings

    read_env_file(Path(".env"))


def main() -> None:
    """Runs the command; prints faults of settings, model or store as sentences, not as traces."""
    try:
        _run()
    except (SystemExit, BrokenPipeError) as ended:
        if not _is_unread(ended):
            raise
        _write_to_nobody()
        sys.exit(EXIT_NOT_READ)


def _run() -> None:
    """Runs the command to its exit, and flushes its output."""
    try:
        app()
    except (ConfigurationError, UnavailableError) as error:
        sys.exit(_told(error))
    finally:
        if sys.stdout:  # none if it was closed from the beginning
            sys.stdout.flush()


def _is_unread(ended: BaseException) -> bool:
    """Whether it ended because nobody reads its output: typer makes an exit of the error."""
    return isinstance(ended, BrokenPipeError) or isinstance(ended.__context__, BrokenPipeError)


def _write_to_nobody() -> None:
    """Discards the rest of the output, because Python writes it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else 1)


def _told(error: ConfigurationError | UnavailableError) -> int:
    """Prints the error; returns the exit code."""
    from warmlead.cli.output import EXIT_MISUSE, EXIT_WRONG, UNREADABLE_HINT, fail  # noqa: PLC0415  # as above

    if isinstance(error, ConfigurationError):
        return fail(str(error), code=EXIT_MISUSE).exit_code
    if isinstance(error, UnreadableError):
        return fail(f"{error.message}.", hint=UNREADABLE_HINT, code=EXIT_WRONG).exit_code
    named = [f"{name}={host}" for name in _EMULATORS if (host := os.environ.get(name))]
    emulators = f" Do the emulators run: {', '.join(named)}?" if named else ""
    hint = f"It may work in a moment.{emulators}"
    return fail(error.message, hint=hint, code=EXIT_WRONG).exit_code


if __name__ == "__main__":
    main()
