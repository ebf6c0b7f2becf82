"""``warmlead serve``: all functions in one process, on one SQLite file."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated, Literal

import typer
import uvicorn

from warmlead import backends, wiring
from warmlead.cli.another_shell import place_of
from warmlead.cli.classification import needs_replay, remember_model
from warmlead.cli.connections import (
    KEEP_ALIVE_S,
    Connections,
    LimitedProtocol,
    most_connections,
)
from warmlead.cli.listening import listen
from warmlead.cli.output import console
from warmlead.cli.outside import Outside
from warmlead.cli.site import NEEDED, PUBLIC, Site, load_function
from warmlead.cli.supervision import keep_serving
from warmlead.cli.watchdog import Watchdog
from warmlead.cli.welcome import welcome
from warmlead.cli.worker import FOLLOW_UP_EVERY_S, Retention, Worker


def serve(
    host: Annotated[
        str, typer.Option(metavar="HOST", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65_535, help="The port to listen on.")
    ] = 8080,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder of the SQLite file; .warmlead by default."),
    ] = None,
    backend: Annotated[
        Literal["sqlite", "gcp"] | None,
        typer.Option(
            show_default=False,
            help="sqlite; or gcp: Google's emulators of Firestore and Pub/Sub, never Google "
            "itself. WARMLEAD_BACKEND by default, which is sqlite if it is not set.",
        ),
    ] = None,
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
    """Serve all functions on this machine, at one address.

    The very entry points that are deployed answer at /forms, /track and /sales; what SDKs
    expect at the root is there too (/v1/batch). Events are applied as they come. Several may
    serve one folder at once. Ctrl-C ends it; nothing that was accepted is lost.

    It is for one machine, and speaks plain HTTP: for the internet put a reverse proxy in front.

    With --backend gcp every function is a process of its own, on Google's emulators: on those
    that FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST name, otherwise on its own, which end
    with it and all that is in them. Needs gcloud and Java, and no account.

    ```text
    warmlead serve --port 8081 --data ~/leads
    warmlead serve --backend gcp
    ```
    """
    if backend is not None:
        os.environ["WARMLEAD_BACKEND"] = backend  # the functions read their settings from there
    if data is not None:
        os.environ["WARMLEAD_DATA"] = str(data)
    if os.environ.get("WARMLEAD_BACKEND") == "gcp":
        from warmlead.cli.serve_cloud import serve_cloud  # noqa: PLC0415  # most have no emulators

        serve_cloud(host, port, follow_up_every_s=follow_up_every)
        return
    _let_score_be_pushed_here()
    backends.start(NEEDED, *wiring.FILES)
    sockets = listen(host, port)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it repeats what is said already
    keep_serving()  # while the parent holds the sockets, who connects waits for the next server
    told = partial(_tell, host, port)
    asyncio.run(_serve(sockets, told, follow_up_every or FOLLOW_UP_EVERY_S))


def _let_score_be_pushed_here() -> None:
    """Only the bus in this process reaches ``score``, which has no address: it signs nothing."""
    for name in ("WARMLEAD_PUSH_AUDIENCE", "WARMLEAD_PUSH_ACCOUNT"):
        os.environ.pop(name, None)
    os.environ["WARMLEAD_PUSH_AUTH"] = "iam"


def _tell(host: str, port: int) -> None:
    settings = backends.settings()
    reclassified = needs_replay(backends.model(), settings)
    if not reclassified:
        remember_model(settings)
    welcome(
        host,
        port,
        on=f"data in {place_of(settings)}",
        watch=("warmlead triggers --follow", "warmlead lead list"),
        there={},
    )
    if reclassified:
        console.print(
            f"[yellow]The model takes {', '.join(reclassified)} for other events than before: run "
            "[bold]warmlead replay[/], so that past events count too.[/]"
        )


class _Server(uvicorn.Server):
    """Ends when it is told to, and leaves ending the process to those who have work to finish."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listens until the process ends; uvicorn's own would raise the signal once more."""
        loop = asyncio.get_running_loop()
        for told in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(told, self.handle_exit, told, None)
        yield


async def _serve(
    sockets: Sequence[socket], told: Callable[[], None], follow_up_every_s: float
) -> None:
    using = backends.settings()
    watchdog, bus, store = Watchdog(), backends.embedded_bus(), backends.store()
    async with backends.file() as file:
        await file.check()
        outside = Outside(store, body_bytes=using.form_bytes, timeout_s=using.body_timeout_s)
        site = Site({name: load_function(name) for name in PUBLIC}, outside)
        worker = Worker(
            load_function("score"),
            bus=bus,
            settling=wiring.settling(using)(),
            follow_up_every_s=follow_up_every_s,
            reporting=wiring.reporting(using)(),
            watchdog=watchdog,
            retention=Retention(using.archive_days, using.quarantine_days),
        )
        config = uvicorn.Config(
            site,
            # not httptools, which sets no limit to headers; in the cloud Google's front end does
            http=partial(LimitedProtocol, among=Connections(most_connections())),  # type: ignore[arg-type]  # as good as a class
            log_config=None,
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            lifespan="off",
            ws="none",
        )
        told()
        async with watchdog, worker:
            await _Server(config).serve(list(sockets))
