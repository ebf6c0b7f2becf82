"""``warmlead serve --backend gcp``: every function a process of its own, on Google's emulators.

What Google does in the cloud is done here: Pub/Sub's emulator pushes, a clock calls ``decay``,
``followup`` and ``report``, and one address leads to the functions that senders may reach.
"""

import asyncio
import os
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from socket import socket
from typing import NamedTuple

from rich.markup import escape

from warmlead import backends, wiring
from warmlead.cli.cloud import LOCAL_PROJECT, Cloud, cloud, until_one_ends
from warmlead.cli.connections import Connections, most_connections
from warmlead.cli.emulators import VARIABLES, Ports, demand_answers
from warmlead.cli.front import MAX_HEAD_BYTES, Front
from warmlead.cli.functions import environments, functions
from warmlead.cli.listening import listen
from warmlead.cli.output import console, errors, fail
from warmlead.cli.outside import Outside
from warmlead.cli.processes import EndedError, Process, answers, ended_by_sigterm
from warmlead.cli.site import NEEDED, PUBLIC
from warmlead.cli.welcome import welcome
from warmlead.domain.errors import ConfigurationError
from warmlead.stores.firestore import FirestoreLeadStore
from warmlead.web.json_logging import configure_logging

EVERY_S = {"followup": 60.0, "decay": 300.0, "report": 86_400.0}
"""How often Cloud Scheduler calls which function; a minute is its shortest interval."""

PATIENCE_S = 120.0
"""A call works for most of a minute if there is much to do."""


class Address(NamedTuple):
    """Where it is served: as it was asked for, and the sockets that listen there."""

    host: str
    port: int
    sockets: Sequence[socket]


def serve_cloud(host: str, port: int, *, follow_up_every_s: float | None = None) -> None:
    """Serves until Ctrl-C; exits with 1, and says why, if a function or an emulator ends."""
    every_s = {**EVERY_S, "followup": follow_up_every_s or EVERY_S["followup"]}
    os.environ.setdefault("WARMLEAD_PROJECT", LOCAL_PROJECT)
    backends.start(NEEDED, *wiring.FILES)  # faults are told now, not in a function's log
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
    with functions(each, logs=logs) as started, _pushed(ours, started["score"]):
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
    functions = {name: started[name].address for name in PUBLIC}
    front = Front(functions, outside, Connections(most_connections() // 2))  # each needs two
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
