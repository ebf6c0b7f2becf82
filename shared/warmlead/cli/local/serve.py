"""``warmlead serve``: all functions in one process on one SQLite file, or each in its own.

Each in a process of its own they run on Google's emulators (``--backend gcp``).
"""

import asyncio
import logging
import os
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket
from typing import Annotated, Literal

import typer
import uvicorn
from rich.markup import escape

from warmlead.buses.topology import SUBSCRIPTIONS, Subscription
from warmlead.cli.environment import as_exports, path_to_command, place_of, variables
from warmlead.cli.local.emulators import (
    LOCAL_PROJECT,
    VARIABLES,
    Cloud,
    EndedError,
    Ports,
    Process,
    answers,
    cloud,
    demand_answers,
    ended_by_sigterm,
    free_port,
    running,
    until_one_ends,
    wait_until_it_answers,
)
from warmlead.cli.local.site import (
    KEEP_ALIVE_S,
    MAX_HEAD_BYTES,
    NEEDED,
    SERVED,
    Connections,
    Front,
    LimitedProtocol,
    LocalSite,
    Outside,
    load_function,
    most_connections,
    source_of,
)
from warmlead.cli.local.supervision import Watchdog, keep_serving, listen
from warmlead.cli.local.worker import FOLLOW_UP_EVERY_S, Retention, Worker
from warmlead.cli.output import console, count_of, errors, fail
from warmlead.cli.rebuild import needs_replay, remember_model
from warmlead.dashboard.access import opening_link
from warmlead.domain.errors import ConfigurationError
from warmlead.runtime import backends, functions, table
from warmlead.runtime.runs import run_context
from warmlead.settings import LOCAL_WRITE_KEY, Settings
from warmlead.web.logging import configure_logging

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
    if settings.shadow_model:
        console.print(f"  shadow     {escape(settings.shadow_model)}; warmlead model shadow")
    for line in _addresses(settings, base):
        console.print(line, soft_wrap=True)
    for name in table.names(table.private()):
        console.print(f"  {name:<10} {escape(opening_link(settings, base))}", soft_wrap=True)
    commands = ", ".join(f"[bold]{command}[/]" for command in watch)
    console.print(f"  watch      {commands}\n             in another terminal, after these lines:")
    for line in [*path_to_command(), *as_exports({**there, **variables(settings)})]:
        console.print(f"    {escape(line)}", soft_wrap=True)
    if not settings.production and host not in LOOPBACK:
        known = ": the key is known to all" if LOCAL_WRITE_KEY in settings.write_keys else ""
        console.print(
            f"[yellow]Whoever can reach this address may send events{known}. "
            "For more than your own machine set WARMLEAD_ENV=production.[/]"
        )


def _posts(function: table.Function, settings: Settings, base: str) -> Iterator[str]:
    """Where the configured senders of a function post; of one that has many paths the first."""
    label = "a form" if function is table.FORMS else function.name
    for sender in functions.senders(function, settings).all():
        for path in sender.paths[:MOST_FORMS]:
            yield f"  {label:<10} POST {base}{path}"
        if (more := len(sender.paths) - MOST_FORMS) > 0:
            yield f"             and {more} more forms"
        if not sender.paths:
            yield "  a form     none: in production each is named in the file of WARMLEAD_FORMS"


def _addresses(settings: Settings, base: str) -> Iterator[str]:
    """The addresses of senders: in production only configured ones, elsewhere any form."""
    for function in table.public():
        if function is not table.TRACK:
            yield from _posts(function, settings, f"{base}/{function.name}")
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
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder of the SQLite file. WARMLEAD_DATA by default, which is .warmlead if "
            "it is not set.",
            show_default=False,
        ),
    ] = None,
    backend: Annotated[
        Literal["sqlite", "gcp"] | None,
        typer.Option(
            show_default=False,
            help="sqlite; or gcp: Google's emulators of Firestore and Pub/Sub, never Google "
            "itself. WARMLEAD_BACKEND by default, which is sqlite if it is not set.",
        ),
    ] = None,
    shadow: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            show_default=False,
            help="A second model, a file or a ready-made one, that runs beside the one in force: "
            "nothing is sent because of it. WARMLEAD_SHADOW_MODEL by default.",
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

    The server runs the same functions as the cloud, each below its name: /forms, /track and so
    on. It also has the addresses that SDKs expect at the root (/v1/batch). It applies events as
    they arrive. Several servers may use one folder. Ctrl-C ends the server; no accepted event is
    lost.

    It is for one machine, and speaks plain HTTP: for the internet put a reverse proxy in front.

    With --backend gcp every function is a process of its own, on Google's emulators. The server
    uses the emulators that FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST name. Otherwise it
    starts its own emulators, and ends them with all their data. Needs gcloud and Java, and no
    account.

    ```text
    warmlead serve --port 8081 --data ~/leads
    warmlead serve --backend gcp
    ```
    """
    if backend is not None:
        os.environ["WARMLEAD_BACKEND"] = backend  # the functions read their settings from there
    if data is not None:
        os.environ["WARMLEAD_DATA"] = str(data)
    if shadow is not None:
        os.environ["WARMLEAD_SHADOW_MODEL"] = shadow
    if os.environ.get("WARMLEAD_BACKEND") == "gcp":
        serve_cloud(host, port, follow_up_every_s=follow_up_every)
        return
    _let_functions_be_pushed_here()
    backends.start(NEEDED, *functions.FILES)
    sockets = listen(host, port)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it repeats what is said already
    keep_serving()  # while the parent holds the sockets, new connections wait for the next server
    told = partial(_tell, host, port)
    asyncio.run(_serve(sockets, told, follow_up_every or FOLLOW_UP_EVERY_S))


def _let_functions_be_pushed_here() -> None:
    """Lets the bus of this process push to functions without signing; nobody else reaches them."""
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


def reaches_out(subscription: Subscription) -> bool:
    """Whether the function of a subscription waits for tools of others."""
    return any(each.name == subscription.pushes_to and each.reaches_out for each in table.TABLE)


class _Server(uvicorn.Server):
    """Stops at a signal, and lets the rest of the process finish its work."""

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
        site = LocalSite({name: load_function(name) for name in SERVED}, outside)
        worker = Worker(
            {each.name: load_function(each.pushes_to) for each in SUBSCRIPTIONS if each.pushes_to},
            bus=bus,
            outside=[each.name for each in SUBSCRIPTIONS if reaches_out(each)],
            context=run_context(using)(),
            follow_up_every_s=follow_up_every_s,
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


# --- each function in a process of its own, on Google's emulators ---------------------------

_NOT_INHERITED = (*VARIABLES.values(), "WARMLEAD_PUSH_AUDIENCE", "WARMLEAD_PUSH_ACCOUNT")
"""Variables that a function does not inherit: where the database is, and that pushes are signed."""

GRACE_S = 3.0
"""Seconds for a function to finish its work; messages that it does not finish are pushed again."""


@contextmanager
def running_functions(
    environments: Mapping[str, Mapping[str, str]], *, logs: Path
) -> Iterator[Mapping[str, Process]]:
    """Runs functions while the block runs, started side by side; each answers at its address.

    Raises ``EndedError`` if one does not start.
    """
    with ExitStack() as stack:
        with errors.status(f"Starting {count_of(len(environments), 'function')} …"):
            started = {
                name: stack.enter_context(_started(name, environment, logs / f"{name}.log"))
                for name, environment in environments.items()
            }
            for process in started.values():
                wait_until_it_answers(process)
        try:
            yield started
        finally:
            for process in started.values():  # side by side
                process.ask_to_end()


def environments(shared: Mapping[str, str], *, database: str) -> dict[str, dict[str, str]]:
    """The environment of each function: this process's and ``shared``.

    The variable ``database`` is only in that of a function which needs the database.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    unsigned = {"WARMLEAD_PUSH_AUTH": "iam"}  # on this machine nobody else reaches a function
    whole = {**inherited, **shared, **unsigned, "FUNCTION_USE_ASGI": "1"}
    without = {name: value for name, value in whole.items() if name != database}
    return {each.name: whole if each.needs_database else without for each in table.TABLE}


def _started(
    name: str, environment: Mapping[str, str], log: Path
) -> AbstractContextManager[Process]:
    port = str(free_port())
    options = ["--target", name, "--source", source_of(name), "--host", "127.0.0.1", "--port", port]
    return running(
        f"The function {name}",
        [sys.executable, "-m", "functions_framework", *options],
        address=f"127.0.0.1:{port}",
        environment=environment,
        log=log,
        grace_s=GRACE_S,
    )


PATIENCE_S = 120.0
"""Seconds for a call, which may work for most of a minute."""


@dataclass(frozen=True, slots=True)
class Address:
    """The host and port to serve at, and the sockets that listen there."""

    host: str
    port: int
    sockets: Sequence[socket]


def serve_cloud(host: str, port: int, *, follow_up_every_s: float | None = None) -> None:
    """Serves until Ctrl-C. Exits with 1 and the reason if a function or an emulator ends."""
    every_s = table.intervals_s()
    if follow_up_every_s:
        every_s[table.FOLLOWUP.name] = follow_up_every_s
    os.environ.setdefault("WARMLEAD_PROJECT", LOCAL_PROJECT)
    backends.start(NEEDED, *functions.FILES)  # faults are printed now, not in a function's log
    demand_answers(os.environ)
    sockets = listen(host, port)
    logs = _made(backends.settings().data / "logs" / str(port))
    ports: Ports = {service: None for service, name in VARIABLES.items() if name not in os.environ}
    try:
        with suppress(KeyboardInterrupt), ended_by_sigterm(), cloud(ports) as ours:
            _serve_processes(ours, logs, Address(host, port, sockets), every_s)
    except EndedError as error:
        raise fail(str(error), hint=f"All logs are in {logs}.") from error


def _made(logs: Path) -> Path:
    backends.make_data_folder(backends.settings())
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"the logs cannot be written there: {error.strerror}"
        raise ConfigurationError.one(f"WARMLEAD_DATA {logs}", problem) from error
    return logs


def _serve_processes(ours: Cloud, logs: Path, at: Address, every_s: Mapping[str, float]) -> None:
    each = environments(ours.variables(), database=VARIABLES["firestore"])
    with running_functions(each, logs=logs) as started, _pushed(ours, started):
        welcome(
            at.host,
            at.port,
            on="every function a process of its own",
            watch=("warmlead lead list",),
            there=ours.variables(),
        )
        console.print(f"  logs       {escape(str(logs))}", soft_wrap=True)
        asyncio.run(_front(ours, started, at, every_s))


@contextmanager
def _pushed(ours: Cloud, started: Mapping[str, Process]) -> Iterator[None]:
    """Has messages pushed while the block runs; afterwards they wait, if the emulators run on."""
    ours.push_to({name: f"http://{process.address}/" for name, process in started.items()})
    try:
        yield
    finally:
        if not ours.processes and answers(f"http://{ours.hosts['pubsub']}/"):
            ours.push_to({})


async def _front(
    ours: Cloud, started: Mapping[str, Process], at: Address, every_s: Mapping[str, float]
) -> None:
    from warmlead.stores.firestore.store import FirestoreLeadStore  # noqa: PLC0415  # heavy

    using = backends.settings()
    configure_logging(human=not using.production)
    store = FirestoreLeadStore(using.project, using.database, emulator=ours.hosts["firestore"])
    outside = Outside(store, body_bytes=using.form_bytes, timeout_s=using.body_timeout_s)
    addresses = {name: started[name].address for name in SERVED}
    front = Front(addresses, outside, Connections(most_connections() // 2))  # each needs two
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        for each in at.sockets:
            server = await asyncio.start_server(front, sock=each, limit=MAX_HEAD_BYTES)
            await stack.enter_async_context(server)
        await asyncio.gather(
            until_one_ends([*ours.processes, *started.values()]),
            *(_call_regularly(name, started[name], seconds) for name, seconds in every_s.items()),
        )


async def _call_regularly(name: str, function: Process, every_s: float) -> None:
    """Calls a function as Cloud Scheduler does; a call that fails does not stop the next one."""
    while True:
        try:
            await asyncio.to_thread(_post, f"http://{function.address}/")
        except OSError as error:
            errors.print(f"[yellow]{name} was called in vain: {escape(str(error))}[/]")
        await asyncio.sleep(every_s)


def _post(url: str) -> None:
    with urllib.request.urlopen(url, b"{}", timeout=PATIENCE_S) as answer:  # noqa: S310  # a function of ours
        answer.read()
