"""A project of Google's cloud on this machine: emulators with Warmlead's topics in them.

Nothing here speaks to Google, and no credentials are asked for. Functions are run elsewhere.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from warmlead.buses.pubsub_admin import Push, create_topology
from warmlead.cli.another_shell import as_exports
from warmlead.cli.emulators import VARIABLES, Ports, Service, emulators
from warmlead.cli.output import console, fail
from warmlead.cli.processes import EndedError, Process

LOCAL_PROJECT = "warmlead-local"
WATCH_EVERY_S = 0.25


class Cloud(NamedTuple):
    """A project in emulators: the host:port of each, and the processes of those we started."""

    project: str
    hosts: Mapping[Service, str]
    processes: Sequence[Process]

    def variables(self) -> dict[str, str]:
        """What a process must find in its environment to use it."""
        hosts = {VARIABLES[service]: host for service, host in self.hosts.items()}
        return {**hosts, "WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": self.project}

    def push_to(self, score_url: str) -> None:
        """Makes topics and subscriptions, and has events pushed to ``score``.

        Without an address they wait in its subscription.
        """
        create_topology(self.project, {"score": Push(score_url)}, emulator=self.hosts["pubsub"])


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
