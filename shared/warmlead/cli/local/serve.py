"""``warmlead serve``: all functions in one process, on one SQLite file."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated, Literal

import typer
import uvicorn
from rich.markup import escape

from warmlead.cli.another_shell import as_exports, path_to_command, place_of, variables
from warmlead.cli.local.front import KEEP_ALIVE_S, Connections, LimitedProtocol, most_connections
from warmlead.cli.local.site import NEEDED, PUBLIC, LocalSite, Outside, load_function
from warmlead.cli.local.supervision import Watchdog, keep_serving, listen
from warmlead.cli.local.worker import FOLLOW_UP_EVERY_S, Retention, Worker
from warmlead.cli.output import console
from warmlead.cli.rebuild import needs_replay, remember_model
from warmlead.runtime import backends, functions, table
from warmlead.settings import LOCAL_WRITE_KEY, Settings

MOST_FORMS = 5
"""Limit of forms that are named."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def welcome(
    host: str, port: int, *, on: str, watch: Sequence[str], there: Mapping[str, str]
) -> None:
    """Prints the addresses, the model, and the commands to ``watch``.

    ``there`` are variables, besides those of the settings, with which commands find this server.
    """
    settings = backends.settings()
    base = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    console.print(f"[bold]Warmlead[/] serves [bold]{base}[/], {escape(on)}", soft_wrap=True)
    console.print(f"  model      {escape(settings.model)}, version {backends.model().version}")
    for line in _addresses(settings, base):
        console.print(line, soft_wrap=True)
    commands = ", ".join(f"[bold]{command}[/]" for command in watch)
    console.print(f"  watch      {commands}; in another terminal, after:")
    for line in [*path_to_command(), *as_exports({**there, **variables(settings)})]:
        console.print(f"    {escape(line)}", soft_wrap=True)
    if not settings.production and host not in LOOPBACK:
        known = ": the key is known to all" if LOCAL_WRITE_KEY in settings.write_keys else ""
        console.print(
            f"[yellow]Whoever can reach this address may send events{known}. "
            "For more than your own machine set WARMLEAD_ENV=production.[/]"
        )


def _addresses(settings: Settings, base: str) -> Iterator[str]:
    """The addresses of senders: in production only configured ones, elsewhere any form."""
    forms = sorted(functions.form_settings(settings)) or (
        [] if settings.production else ["generic"]
    )
    for name in forms[:MOST_FORMS]:
        yield f"  a form     POST {base}/forms/generic{'' if name == 'generic' else f'/{name}'}"
    if len(forms) > MOST_FORMS:
        yield f"             and {len(forms) - MOST_FORMS} more forms"
    if not forms:
        yield "  a form     none: in production each is named in the file of WARMLEAD_FORMS"
    for sender in functions.sales_senders(settings):
        yield f"  sales      POST {base}/sales{sender.path}"
    is_local = LOCAL_WRITE_KEY in settings.write_keys
    keys = "write key: local" if is_local else "write keys: WARMLEAD_WRITE_KEYS"
    yield f"  tracking   {base}/v1/batch  ({keys})"
    yield f"  a website  <script async src={base}/track/warmlead.js data-key=…></script>"


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
        from warmlead.cli.local.serve_cloud import serve_cloud  # noqa: PLC0415  # most have no emulators

        serve_cloud(host, port, follow_up_every_s=follow_up_every)
        return
    _let_score_be_pushed_here()
    backends.start(NEEDED, *functions.FILES)
    sockets = listen(host, port)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it repeats what is said already
    keep_serving()  # while the parent holds the sockets, new connections wait for the next server
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
    """Ends on request, and leaves the end of the process to the parts that have work to finish."""

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
        site = LocalSite({name: load_function(name) for name in PUBLIC}, outside)
        worker = Worker(
            load_function(table.SCORE.name),
            bus=bus,
            settling=functions.settling(using)(),
            follow_up_every_s=follow_up_every_s,
            reporting=functions.reporting(using)(),
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
