"""``warmlead serve --backend gcp``: every function a process of its own, on Google's emulators."""

import asyncio
import os
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager, suppress
from pathlib import Path
from socket import socket
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from warmlead.buses.admin import PushConfig, create_topology
from warmlead.cli.another_shell import as_exports
from warmlead.cli.local.emulators import (
    VARIABLES,
    EndedError,
    Ports,
    Process,
    Service,
    answers,
    demand_answers,
    emulators,
    ended_by_sigterm,
    free_port,
    running,
    wait_until_it_answers,
)
from warmlead.cli.local.front import MAX_HEAD_BYTES, Connections, Front, most_connections
from warmlead.cli.local.serve import welcome
from warmlead.cli.local.site import NEEDED, PUBLIC, Outside, source_of
from warmlead.cli.local.supervision import listen
from warmlead.cli.output import console, count_of, errors, fail
from warmlead.domain.errors import ConfigurationError
from warmlead.runtime import backends, functions, table
from warmlead.stores.firestore.store import FirestoreLeadStore
from warmlead.web.logging import configure_logging

LOCAL_PROJECT = "warmlead-local"
WATCH_EVERY_S = 0.25


class Cloud(NamedTuple):
    """A project in emulators: the host:port of each, and the processes of those we started."""

    project: str
    hosts: Mapping[Service, str]
    processes: Sequence[Process]

    def variables(self) -> dict[str, str]:
        """The environment variables with which a process uses it."""
        hosts = {VARIABLES[service]: host for service, host in self.hosts.items()}
        return {**hosts, "WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": self.project}

    def push_to(self, score_url: str) -> None:
        """Makes topics and subscriptions, and has events pushed to ``score``.

        Without an address they wait in its subscription.
        """
        create_topology(
            self.project, {"score": PushConfig(score_url)}, emulator=self.hosts["pubsub"]
        )


@contextmanager
def cloud(ports: Ports) -> Iterator[Cloud]:
    """The project while the block runs.

    ``ports`` are those of the emulators to start; others are those that the environment names.
    """
    with emulators(ports) as started:
        hosts = {service: os.environ.get(name, "") for service, name in VARIABLES.items()}
        hosts |= {service: process.address for service, process in started.items()}
        project = os.environ.get("WARMLEAD_PROJECT") or LOCAL_PROJECT
        yield Cloud(project, hosts, list(started.values()))


def run_emulators(
    firestore_port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65_535, help="Where Firestore's listens.")
    ] = 8086,
    pubsub_port: Annotated[
        int, typer.Option(metavar="PORT", min=1, max=65_535, help="Where Pub/Sub's listens.")
    ] = 8085,
) -> None:
    """Run Google's emulators of Firestore and Pub/Sub, for Warmlead.

    Warmlead's topics and subscriptions are in them. Prints the variables with which other
    commands use them. Ctrl-C ends them, and all that is in them is gone. Needs gcloud and Java,
    and no account.

    ```text
    warmlead emulators --firestore-port 9086
    ```
    """
    ports: Ports = {"firestore": firestore_port, "pubsub": pubsub_port}
    try:
        with suppress(KeyboardInterrupt), cloud(ports) as ours:
            ours.push_to("")
            console.print("Google's emulators run. In another terminal:\n")
            for line in as_exports(ours.variables()):
                console.print(f"    {escape(line)}", soft_wrap=True)
            console.print(
                "\nand then [bold]warmlead serve --backend gcp[/], [bold]warmlead lead list[/]. "
                "Ctrl-C ends the emulators."
            )
            asyncio.run(until_one_ends(ours.processes))
    except EndedError as error:
        raise fail(str(error)) from error


async def until_one_ends(processes: Sequence[Process]) -> None:
    """Waits, and raises ``EndedError`` as soon as one of them has ended."""
    while True:
        for process in processes:
            if process.popen.poll() is not None:
                raise EndedError(process)
        await asyncio.sleep(WATCH_EVERY_S)


_NOT_INHERITED = (*VARIABLES.values(), "WARMLEAD_PUSH_AUDIENCE", "WARMLEAD_PUSH_ACCOUNT")
"""Where the database is, and that pushes are signed: an emulator does not sign them."""

GRACE_S = 3.0
"""Time limit for a function to finish its work; unfinished messages are pushed again."""


@contextmanager
def running_functions(
    environments: Mapping[str, Mapping[str, str]], *, logs: Path
) -> Iterator[Mapping[str, Process]]:
    """The functions while they run, started side by side; each answers at its address.

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
"""A call works for most of a minute if there is much to do."""


class Address(NamedTuple):
    """Where it is served: as it was asked for, and the sockets that listen there."""

    host: str
    port: int
    sockets: Sequence[socket]


def serve_cloud(host: str, port: int, *, follow_up_every_s: float | None = None) -> None:
    """Serves until Ctrl-C; exits with 1, and says why, if a function or an emulator ends."""
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
            _serve(ours, logs, Address(host, port, sockets), every_s)
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


def _serve(ours: Cloud, logs: Path, at: Address, every_s: Mapping[str, float]) -> None:
    each = environments(ours.variables(), database=VARIABLES["firestore"])
    with running_functions(each, logs=logs) as started, _pushed(ours, started[table.SCORE.name]):
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
def _pushed(ours: Cloud, score: Process) -> Iterator[None]:
    """Has events pushed while the block runs; afterwards they wait, where emulators run on."""
    ours.push_to(f"http://{score.address}/")
    try:
        yield
    finally:
        if not ours.processes and answers(f"http://{ours.hosts['pubsub']}/"):
            ours.push_to("")


async def _front(
    ours: Cloud, started: Mapping[str, Process], at: Address, every_s: Mapping[str, float]
) -> None:
    using = backends.settings()
    configure_logging(human=not using.production)
    store = FirestoreLeadStore(using.project, using.database, emulator=ours.hosts["firestore"])
    outside = Outside(store, body_bytes=using.form_bytes, timeout_s=using.body_timeout_s)
    addresses = {name: started[name].address for name in PUBLIC}
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
    """Calls a function as Cloud Scheduler does: in vain is not the end, the next call comes."""
    while True:
        try:
            await asyncio.to_thread(_post, f"http://{function.address}/")
        except OSError as error:
            errors.print(f"[yellow]{name} was called in vain: {escape(str(error))}[/]")
        await asyncio.sleep(every_s)


def _post(url: str) -> None:
    with urllib.request.urlopen(url, b"{}", timeout=PATIENCE_S) as answer:  # noqa: S310  # a function of ours
        answer.read()
