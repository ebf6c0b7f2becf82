"""Google's emulators of Firestore and Pub/Sub, ``warmlead emulators``, and processes that end."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn, TypeAlias

import typer
from rich.markup import escape

from warmlead.buses.topology import PushConfig, create_topology
from warmlead.cli.environment import as_exports
from warmlead.cli.output import console, errors, fail
from warmlead.domain.errors import ConfigurationError
from warmlead.runtime import table

PATIENCE_S = 90.0
"""A cold machine with little memory needs half of it."""

LOOK_EVERY_S = 0.1
LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Process:
    """A process that was started, its host:port, and the file with its output."""

    name: str
    address: str
    popen: subprocess.Popen[bytes]
    log: Path

    def ask_to_end(self) -> None:
        """Tells it, and all that it started, to end; does not wait for it."""
        _tell(self.popen, signal.SIGTERM)


class EndedError(Exception):
    """A process ended too early, or did not answer; with the end of its output."""

    def __init__(self, process: Process) -> None:
        code = process.popen.poll()
        how = f"did not answer in {PATIENCE_S:.0f} s" if code is None else f"ended with code {code}"
        said = process.log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = [f"    {line}" for line in said[-LAST_LINES:]] or ["    nothing"]
        super().__init__("\n".join([f"{process.name} {how}. The last that it said:", *last]))


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    *,
    address: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    grace_s: float = 0.0,
) -> Iterator[Process]:
    """A process while the block runs; then it and all that it started are ended.

    It is asked with SIGTERM if there is grace to give, and killed when that is over.
    """
    with log.open("wb") as output:
        popen = subprocess.Popen(  # noqa: S603  # words of our own
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Process(name, address, popen, log)
    finally:
        try:
            if grace_s:
                _tell(popen, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    popen.wait(grace_s)
        finally:  # also if the waiting is interrupted
            _tell(popen, signal.SIGKILL)
            popen.wait()


def _tell(leader: subprocess.Popen[bytes], told: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, told)


def wait_until_it_answers(process: Process) -> None:
    """Returns when the server at its address answers; ``EndedError`` if it ends, or never does."""
    deadline = time.monotonic() + PATIENCE_S
    while not answers(f"http://{process.address}/"):
        if process.popen.poll() is not None or time.monotonic() > deadline:
            raise EndedError(process)
        time.sleep(LOOK_EVERY_S)


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, with any status."""
    request = urllib.request.Request(url, method="OPTIONS")  # noqa: S310  # addresses of ours
    try:
        urllib.request.urlopen(request, timeout=1).close()  # noqa: S310  # the same
    except urllib.error.HTTPError:
        return True
    except (OSError, HTTPException, ValueError):  # nobody, something else, or no address at all
        return False
    return True


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Lets SIGTERM end the block as Ctrl-C does, so that what it started is ended with it.

    Only in a main thread where nobody else listens to it; elsewhere nothing changes.
    """
    try:
        free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        if free:
            signal.signal(signal.SIGTERM, _interrupt)
    except ValueError:  # another thread than the main one
        free = False
    try:
        yield
    finally:
        if free:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(_told: int, _at: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def free_port() -> int:
    """A port of this machine on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


Service: TypeAlias = Literal["firestore", "pubsub"]
Ports: TypeAlias = Mapping[Service, int | None]

VARIABLES: Mapping[Service, str] = {
    "firestore": "FIRESTORE_EMULATOR_HOST",
    "pubsub": "PUBSUB_EMULATOR_HOST",
}
"""Where Google's clients, and ours, look for an emulator's host:port."""

_COMMANDS: Mapping[Service, tuple[str, ...]] = {
    "firestore": ("emulators", "firestore", "start"),
    "pubsub": ("beta", "emulators", "pubsub", "start", "--project=warmlead"),
}
ANSWER_WITHIN_S = 3.0
"""Seconds in which an emulator that a variable names must answer."""

_CANNOT = "Google's emulators cannot be started:"
_INSTALL = (
    "they need the gcloud command line (https://cloud.google.com/sdk/docs/install), Java 11 or "
    "newer, and: gcloud components install beta cloud-firestore-emulator pubsub-emulator (where "
    "gcloud came from apt: apt-get install google-cloud-cli-firestore-emulator "
    "google-cloud-cli-pubsub-emulator)"
)


def missing() -> str:
    """What is missing on this machine for an emulator, and how to install it; empty if nothing."""
    lacking = [command for command in ("gcloud", "java") if shutil.which(command) is None]
    return f"{' and '.join(lacking)} cannot be found; {_INSTALL}" if lacking else ""


def demand_answers(environment: Mapping[str, str]) -> None:
    """Raises ``ConfigurationError`` if a variable names an emulator that does not answer.

    One that is just starting has ``ANSWER_WITHIN_S``; clients of Google's would ask for minutes.
    """
    named = {name: host for name in VARIABLES.values() if (host := environment.get(name))}
    deadline = time.monotonic() + ANSWER_WITHIN_S
    while silent := [f"{name}={host}" for name, host in named.items() if not _is_there(host)]:
        if time.monotonic() < deadline:
            time.sleep(LOOK_EVERY_S)
            continue
        instead = "start them with warmlead emulators, or unset the variables"
        raise ConfigurationError(
            "No emulator answers there:", [f"{each}; {instead}" for each in silent]
        )


def _is_there(host: str) -> bool:
    return answers(f"http://{host}/")


@contextmanager
def emulator(service: Service, port: int | None = None) -> Iterator[str]:
    """One emulator while it runs: its host:port, at which it answers."""
    with emulators({service: port}) as started:
        yield started[service].address


@contextmanager
def emulators(ports: Ports) -> Iterator[Mapping[Service, Process]]:
    """Emulators while they run, started side by side; each answers at its address.

    Without a given port, any free port is used. Raises ``ConfigurationError`` if this machine
    cannot start an emulator, or it does not start. The end of the block ends the emulators, also
    after SIGTERM.
    """
    _refuse_early(ports)
    names = " and ".join(name.capitalize() for name in ports)
    with ended_by_sigterm(), ExitStack() as stack:
        with errors.status(f"Starting Google's emulators of {names} (about 10 seconds) …"):
            started = {
                service: stack.enter_context(_started(service, port or free_port()))
                for service, port in ports.items()
            }
            for process in started.values():
                _wait(process)
        yield started


def _refuse_early(ports: Ports) -> None:
    if ports and (lacking := missing()):
        raise ConfigurationError.one(_CANNOT, lacking)
    taken = [f"something listens on port {p} already" for p in ports.values() if p and is_taken(p)]
    if taken:
        raise ConfigurationError(_CANNOT, taken)


@contextmanager
def _started(service: Service, port: int) -> Iterator[Process]:
    address = f"127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(
        prefix=f"warmlead-{service}-", ignore_cleanup_errors=True
    ) as folder:
        command = ["gcloud", *_COMMANDS[service], f"--host-port={address}"]
        if service == "pubsub":  # without a folder that exists it does not start
            command.append(f"--data-dir={folder}")
        name, log = f"The emulator of {service}", Path(folder, "emulator.log")
        # Without grace: it has nothing to save, and Pub/Sub's would not heed SIGTERM.
        with running(name, command, address=address, log=log) as process:
            yield process


def _wait(process: Process) -> None:
    try:
        wait_until_it_answers(process)
    except EndedError as error:
        raise ConfigurationError(_CANNOT, [_INSTALL, str(error)]) from error


LOCAL_PROJECT = "warmlead-local"
WATCH_EVERY_S = 0.25


@dataclass(frozen=True, slots=True)
class Cloud:
    """A project in emulators: the host:port of each, and the processes of those we started."""

    project: str
    hosts: Mapping[Service, str]
    processes: Sequence[Process]

    def variables(self) -> dict[str, str]:
        """The environment variables with which a process uses it."""
        hosts = {VARIABLES[service]: host for service, host in self.hosts.items()}
        return {**hosts, "WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": self.project}

    def push_to(self, urls: Mapping[str, str]) -> None:
        """Makes topics and subscriptions, and has messages pushed to the URL of each function.

        Those for a function without a URL wait in its subscription.
        """
        push = {each.name: PushConfig(urls.get(each.name, "")) for each in table.pushed()}
        create_topology(self.project, push, emulator=self.hosts["pubsub"])


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
        int,
        typer.Option(metavar="PORT", min=1, max=65_535, help="The port of the Firestore emulator."),
    ] = 8086,
    pubsub_port: Annotated[
        int,
        typer.Option(metavar="PORT", min=1, max=65_535, help="The port of the Pub/Sub emulator."),
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
            ours.push_to({})
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
