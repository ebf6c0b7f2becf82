"""``warmlead serve``: all functions in one process, on one SQLite file."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
import uvicorn

from warmlead import backends, wiring
from warmlead.cli.classification import needs_replay, remember_model
from warmlead.cli.output import console
from warmlead.cli.serve_cloud import serve_cloud
from warmlead.cli.site import Site, load_function
from warmlead.cli.supervision import keep_serving
from warmlead.cli.watchdog import Watchdog
from warmlead.cli.welcome import welcome
from warmlead.cli.worker import FOLLOW_UP_EVERY_S, Retention, Worker
from warmlead.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 8080,
    data: Annotated[
        Path | None, typer.Option(help="The folder of the SQLite file; .warmlead by default.")
    ] = None,
    backend: Annotated[
        Literal["sqlite", "gcp"],
        typer.Option(
            help="sqlite, whatever WARMLEAD_BACKEND says; or gcp: Google's emulators of Firestore "
            "and Pub/Sub, never Google itself."
        ),
    ] = "sqlite",
    follow_up_every: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=1,
            max=3_600,
            show_default=False,
            help="How often to look for what is due; 30, and with gcp 60, as Cloud Scheduler does.",
        ),
    ] = None,
) -> None:
    """Serve all functions in this process: forms, track, sales and score, on one SQLite file.

    The very entry points that are deployed are mounted at /forms, /track and /sales; what SDKs
    expect at the root is there too (/v1/batch). Events are applied as they come. Several may
    serve one folder at once. Ctrl-C ends it; nothing that was accepted is lost.

    With --backend gcp every function is a process of its own, on Google's emulators: on those
    that FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST name, otherwise on its own, which end
    with it and all that is in them. Needs gcloud and Java, and no account.
    """
    os.environ["WARMLEAD_BACKEND"] = backend  # the functions read their settings from there
    if data is not None:
        os.environ["WARMLEAD_DATA"] = str(data)
    if backend == "gcp":
        serve_cloud(host, port, follow_up_every_s=follow_up_every)
        return
    settings = backends.settings()
    settings.demand("write_keys", "id_secret")
    welcome(
        host,
        port,
        on=f"data in {settings.data}",
        watch="[bold]warmlead triggers --follow[/], [bold]warmlead lead list[/]",
    )
    _tell_of_reclassified(settings)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it repeats what was just said
    keep_serving()
    asyncio.run(_serve(host, port, follow_up_every or FOLLOW_UP_EVERY_S))


def _tell_of_reclassified(settings: Settings) -> None:
    if signals := needs_replay(backends.model(), settings):
        console.print(
            f"[yellow]The model takes {', '.join(signals)} for other events than before: run "
            "[bold]warmlead replay[/], so that past events count too.[/]"
        )
    else:
        remember_model(settings)


class _Server(uvicorn.Server):
    """Ends when it is told to, and leaves ending the process to those who have work to finish."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listens until the process ends; uvicorn's own would raise the signal once more."""
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, self.handle_exit, told, None)
        yield


async def _serve(host: str, port: int, follow_up_every_s: float) -> None:
    site = Site({name: load_function(name) for name in ("forms", "track", "sales")})
    watchdog, using = Watchdog(), backends.settings()
    worker = Worker(
        load_function("score"),
        bus=backends.embedded_bus(),
        settling=wiring.settling(backends.settings())(),
        follow_up_every_s=follow_up_every_s,
        reporting=wiring.reporting(backends.settings())(),
        watchdog=watchdog,
        retention=Retention(using.archive_days, using.quarantine_days),
    )
    config = uvicorn.Config(
        site,
        host=host,
        port=port,
        http="h11",  # httptools sets no limit to headers; in the cloud Google's front end does
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
    )
    async with backends.file(), watchdog, worker:
        await _Server(config).serve()
