"""The ``warmlead`` command, put together; exit codes are 0 done, 1 wrong thing, 2 wrong use."""

import sys
from typing import Annotated

import typer
from dotenv import load_dotenv

from warmlead.cli import (
    cloud,
    demo,
    lead,
    model,
    privacy,
    quarantine,
    replay,
    respell,
    run,
    send,
    serve,
    triggers,
)
from warmlead.cli.output import EXIT_MISUSE, EXIT_WRONG, fail
from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.wiring import RELEASE

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="One living, explained score per lead. Begin with: warmlead serve",
)
app.command("serve")(serve.serve)
app.command("emulators")(cloud.run_emulators)
app.command("demo")(demo.demo)
app.add_typer(lead.app, name="lead")
lead.app.command("erase")(privacy.erase)
lead.app.command("export")(privacy.export)
lead.app.command("respell")(respell.respell)
app.add_typer(triggers.app, name="triggers")
app.add_typer(model.app, name="model")
app.add_typer(run.app, name="run")
app.command("send")(send.send)
app.add_typer(quarantine.app, name="quarantine")
app.command("replay")(replay.replay)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"warmlead {RELEASE}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Settings are WARMLEAD_* variables, or lines of a file .env in this folder."""
    load_dotenv(".env")


def main() -> None:
    """Runs the command; faults of settings, model or store are told in words, not traces."""
    try:
        app()
    except ConfigurationError as error:
        sys.exit(fail(str(error), code=EXIT_MISUSE).exit_code)
    except UnavailableError as error:
        sys.exit(fail(error.message, hint="It may work in a moment.", code=EXIT_WRONG).exit_code)


if __name__ == "__main__":
    main()
