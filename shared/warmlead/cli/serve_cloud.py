"""``warmlead serve --backend gcp``: every function a process of its own, on Google's emulators.

What Google does in the cloud is done here: Pub/Sub's emulator pushes, a clock calls ``decay``,
``followup`` and ``report``, and one address leads to the functions that senders may reach.
"""

import asyncio
import os
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.markup import escape

from warmlead import backends
from warmlead.cli.cloud import LOCAL_PROJECT, Cloud, cloud, print_exports, until_one_ends
from warmlead.cli.emulators import VARIABLES, Ports
from warmlead.cli.front import MAX_HEAD_BYTES, Front
from warmlead.cli.functions import environments, functions
from warmlead.cli.output import EXIT_MISUSE, console, errors, fail
from warmlead.cli.processes import EndedError, Process, answers, ended_by_sigterm, is_taken
from warmlead.cli.welcome import welcome

PUBLIC = ("forms", "track", "sales")
"""The functions that senders may reach; the others are called by Google alone."""

EVERY_S = {"followup": 60.0, "decay": 300.0, "report": 86_400.0}
"""How often Cloud Scheduler calls which function; a minute is its shortest interval."""

PATIENCE_S = 120.0
"""A call works for most of a minute if there is much to do."""


def serve_cloud(host: str, port: int, *, follow_up_every_s: float | None = None) -> None:
    """Serves until Ctrl-C; exits with 1, and says why, if a function or an emulator ends."""
    every_s = {**EVERY_S, "followup": follow_up_every_s or EVERY_S["followup"]}
    os.environ.setdefault("WARMLEAD_PROJECT", LOCAL_PROJECT)
    logs = backends.settings().data / "logs" / str(port)
    backends.model()  # faults of settings and model are told now, not in a function's log
    if is_taken(port):
        raise fail(f"Something listens on port {port} already.", code=EXIT_MISUSE)
    ports: Ports = {service: None for service, name in VARIABLES.items() if name not in os.environ}
    try:
        with suppress(KeyboardInterrupt), ended_by_sigterm(), cloud(ports) as ours:
            _serve(ours, _made(logs), host, port, every_s)
    except EndedError as error:
        raise fail(str(error), hint=f"All logs are in {logs}.") from error


def _made(logs: Path) -> Path:
    backends.make_data_folder(backends.settings())
    logs.mkdir(parents=True, exist_ok=True)
    return logs


def _serve(ours: Cloud, logs: Path, host: str, port: int, every_s: Mapping[str, float]) -> None:
    each = environments(ours.variables(), database=VARIABLES["firestore"])
    with functions(each, logs=logs) as started, _pushed(ours, started["score"]):
        welcome(
            host,
            port,
            on="every function a process of its own",
            watch="[bold]warmlead lead list[/], in another terminal with these variables:",
        )
        print_exports(ours.variables())
        console.print(f"  logs       {escape(str(logs))}", soft_wrap=True)
        asyncio.run(_front(ours, started, host, port, every_s))


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
    ours: Cloud,
    started: Mapping[str, Process],
    host: str,
    port: int,
    every_s: Mapping[str, float],
) -> None:
    front = Front({name: started[name].address for name in PUBLIC})
    try:
        server = await asyncio.start_server(front, host, port, limit=MAX_HEAD_BYTES)
    except OSError as error:
        raise fail(f"{host} cannot be listened on: {error}", code=EXIT_MISUSE) from error
    async with server:
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
