"""Google's own emulators of Firestore and Pub/Sub, started with gcloud and ended for certain.

What is in them is gone when they end. Others make what is in them.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

from warmlead.cli.output import errors
from warmlead.cli.processes import (
    LOOK_EVERY_S,
    EndedError,
    Process,
    answers,
    ended_by_sigterm,
    free_port,
    is_taken,
    running,
    wait_until_it_answers,
)
from warmlead.domain.errors import ConfigurationError

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
"""So long an emulator that a variable names may take to answer."""

_CANNOT = "Google's emulators cannot be started:"
_INSTALL = (
    "they need the gcloud command line (https://cloud.google.com/sdk/docs/install), Java 11 or "
    "newer, and: gcloud components install beta cloud-firestore-emulator pubsub-emulator (where "
    "gcloud came from apt: apt-get install google-cloud-cli-firestore-emulator "
    "google-cloud-cli-pubsub-emulator)"
)


def missing() -> str:
    """What this machine lacks to start an emulator, and how to install it; empty if nothing."""
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

    Any free port is taken where none is given. Raises ``ConfigurationError`` if this machine
    cannot start one, or it does not start. Whatever ends the block, SIGTERM too, ends them.
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
