"""``warmlead demo``: one visitor's journey over real HTTP, from anonymous to a tool that hears."""

import asyncio
import base64
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import typer

from warmlead.application.explain import LeadView, view
from warmlead.cli import lead as lead_commands
from warmlead.cli.local.emulators import (
    LOCAL_PROJECT,
    Cloud,
    EndedError,
    Process,
    cloud,
    ended_by_sigterm,
    free_port,
    running,
    wait_until_it_answers,
)
from warmlead.cli.local.receiver import SECRET
from warmlead.cli.output import console, fail
from warmlead.cli.triggers import TriggerRow, print_trigger, triggers_so_far
from warmlead.cli.visitor import EMAIL, VISITOR, JourneyStep, journey
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.trigger import Topic
from warmlead.runtime import backends
from warmlead.senders.base import Sender
from warmlead.senders.registry import by_name, section_name, senders_in
from warmlead.settings import Settings


def _configured(name: str, folder: Path) -> Sender:
    """A sender with a secret of its own, with which the server of the demo is configured too."""
    registration = by_name(name)
    function, section = registration.function, section_name(registration)
    content = {section: {"secrets": [secrets.token_urlsafe(32)]}}
    file = folder / f"{function}.json"
    file.write_text(json.dumps(content))
    os.environ[f"WARMLEAD_{function.upper()}"] = str(file)
    return senders_in(function, content, Settings()).by_path[registration.path]


if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient

SUBSCRIPTION = "demo"
PULL_WITHIN_S = 30.0


@contextmanager
def _own_folder() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="warmlead-demo-") as folder:
        os.environ["WARMLEAD_DATA"] = folder
        yield


class DemoBackend(Protocol):
    """Where the demo's story takes place; ``open`` makes it, ``subscribe`` when it serves."""

    serves_on: str
    triggers_from: str
    options: Sequence[str]

    def open(self) -> AbstractContextManager[None]:
        """Makes the place, and sets this process's environment to it, while the block runs."""
        ...

    def subscribe(self) -> None:
        """Listens for triggers from now on."""
        ...

    def triggers(self) -> Sequence[TriggerRow]:
        """The triggers that were received."""
        ...


class OnSqlite:
    """All in one process, on one file in a folder of its own."""

    serves_on = "on one SQLite file"
    triggers_from = "warmlead triggers"
    options: Sequence[str] = ()

    @contextmanager
    def open(self) -> Iterator[None]:
        """See ``DemoBackend``."""
        with _own_folder():
            os.environ["WARMLEAD_BACKEND"] = "sqlite"
            yield

    def subscribe(self) -> None:
        """Nothing to do: the archive has them all."""

    def triggers(self) -> Sequence[TriggerRow]:
        """See ``DemoBackend``."""
        return [row for row in asyncio.run(triggers_so_far()) if row.topic == Topic.MQL]


class OnEmulators:
    """Every function a process of its own, on emulators of its own; Google's client listens."""

    serves_on = "on Google's emulators, every function a process of its own"
    triggers_from = "pulled from a subscription of topic mql"
    options: Sequence[str] = ("--backend", "gcp")

    _ours: Cloud

    @contextmanager
    def open(self) -> Iterator[None]:
        """See ``DemoBackend``."""
        os.environ["WARMLEAD_PROJECT"] = LOCAL_PROJECT
        with _own_folder(), cloud({"firestore": None, "pubsub": None}) as self._ours:
            os.environ |= self._ours.variables()
            yield

    def subscribe(self) -> None:
        """See ``DemoBackend``."""
        with self._client() as client:
            request = {
                "name": client.subscription_path(self._ours.project, SUBSCRIPTION),
                "topic": f"projects/{self._ours.project}/topics/{Topic.MQL}",
            }
            client.create_subscription(request=request)

    def triggers(self) -> Sequence[TriggerRow]:
        """See ``DemoBackend``; waits for the first."""
        deadline = time.monotonic() + PULL_WITHIN_S
        with self._client() as client:
            path = client.subscription_path(self._ours.project, SUBSCRIPTION)
            request = {"subscription": path, "max_messages": 10}
            while time.monotonic() < deadline:
                if received := client.pull(request=request, timeout=5).received_messages:
                    break
            return [
                TriggerRow(
                    topic=Topic.MQL,
                    published_at=one.message.publish_time.isoformat(),
                    attributes=dict(one.message.attributes),
                    event=json.loads(one.message.data),
                )
                for one in received
            ]

    def _client(self) -> "SubscriberClient":
        """Google's own, which finds the emulator by itself: as a tool would listen."""
        from google.cloud.pubsub_v1 import SubscriberClient  # noqa: PLC0415  # heavy

        return SubscriberClient()


PATIENCE_S = 30.0
LOOK_EVERY_S = 0.1
GRACE_S = 10.0
"""How long the server may take to end, with all that it started."""

POINTS_A_BLOCK = 15
"""How many points of the score a block of its bar stands for."""

STAGE_STYLES = {"anonymous": "bright_black", "lead": "yellow", "mql": "bold green"}


def demo(
    backend: Annotated[
        Literal["sqlite", "gcp"],
        typer.Option(help="Where: on one SQLite file, or on Google's emulators (gcloud, Java)."),
    ] = "sqlite",
) -> None:
    """Take a lead to an MQL over HTTP, explain it, and tell a tool.

    Uses a temporary place, and removes it at the end. Does not touch your data.

    ```text
    warmlead demo
    warmlead demo --backend gcp
    ```
    """
    os.environ["WARMLEAD_MODEL"] = "b2b-saas"
    os.environ.pop("WARMLEAD_ENV", None)
    place: DemoBackend = OnEmulators() if backend == "gcp" else OnSqlite()
    try:
        with ended_by_sigterm(), place.open(), tempfile.TemporaryDirectory() as folder:
            _serve_and_walk(place, Path(folder))
    except EndedError as error:
        raise fail(str(error)) from error


def _serve_and_walk(place: DemoBackend, folder: Path) -> None:
    steps = journey(_configured("intercom", folder), _configured("calendly", folder))
    port = free_port()
    address = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", str(port)]
    with (
        _receiver(folder) as receiver,
        running(
            "The server",
            [*command, *place.options],
            address=address,
            log=folder / "serve.log",
            grace_s=GRACE_S,
        ) as server,
    ):
        wait_until_it_answers(server)
        wait_until_it_answers(receiver)
        place.subscribe()
        _walk(f"http://{address}", steps, place)
        _show_triggers(place)
        _show_webhook(receiver)
        _explain()


@contextmanager
def _receiver(folder: Path) -> Iterator[Process]:
    """A tool, in a process of its own, which the server of the demo sends MQLs to."""
    os.environ[SECRET] = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    port = free_port()
    section = {
        "to": "webhook",
        "url": f"http://localhost:{port}/",
        "allow_local": True,
        "secrets": [f"env:{SECRET}"],
        "messages": ["lead.stage_entered"],
        "when": 'stage == "mql"',
    }
    file = folder / "destinations.json"
    file.write_text(json.dumps({"tool": section}))
    os.environ["WARMLEAD_DESTINATIONS"] = str(file)
    command = [sys.executable, "-m", "warmlead.cli.local.receiver", str(port)]
    address, log = f"127.0.0.1:{port}", folder / "receiver.log"
    with running("The receiver", command, address=address, log=log) as process:
        yield process


def _show_webhook(receiver: Process) -> None:
    """Shows what the receiver says that it has verified."""
    deadline = time.monotonic() + PATIENCE_S
    while not (lines := receiver.log.read_text(encoding="utf-8").splitlines()):
        if receiver.popen.poll() is not None or time.monotonic() > deadline:
            raise EndedError(receiver)
        time.sleep(LOOK_EVERY_S)
    messages = [json.loads(line) for line in lines]
    where = f"http://{receiver.address}, process {messages[0]['process']}"
    console.print(f"\n[bold cyan]The webhook that arrived[/] ({where})")
    for each in messages:
        console.print(f"{each['type']}, id {each['id']}: the signature is verified")


def _walk(base: str, steps: Sequence[JourneyStep], place: DemoBackend) -> None:
    console.print(f"Serving {base} {place.serves_on}; a visitor comes by.\n", style="dim")
    expected = 0
    for step in steps:
        step.act(base)
        expected += step.events
        seen = _wait_for_events(expected)
        style = STAGE_STYLES.get(seen.stage, "default")
        bar = "▇" * max(1, round(seen.score / POINTS_A_BLOCK))
        console.print(
            f"{step.words:<50}[{style}]{bar:<14}[/] [bold]{seen.score:>3}[/]  "
            f"[{style}]{seen.stage}[/]"
        )


def _show_triggers(place: DemoBackend) -> None:
    """Shows what was sent to automation tools."""
    console.print(f"\n[bold cyan]The trigger that went out[/] ({place.triggers_from})")
    for trigger in place.triggers():
        print_trigger(trigger)


def _explain() -> None:
    """Shows every point of the score."""
    console.print(f"\n[bold cyan]Why[/] (warmlead lead explain {EMAIL})")
    lead_commands.explain_score(EMAIL, as_of=None, as_json=False)


def _wait_for_events(expected: int) -> LeadView:
    """The visitor's lead, as soon as this number of events is counted on it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = asyncio.run(_visitor())
        if seen is not None and sum(seen.events.values()) >= expected:
            return seen
        if time.monotonic() > deadline:
            counted = f"{expected} events were sent, but not counted within {PATIENCE_S:.0f} s."
            raise fail(counted)
        time.sleep(LOOK_EVERY_S)


async def _visitor() -> LeadView | None:
    async with backends.opened() as system:
        lead = await system.store.get(system.ids.of(Identifier(Kind.ANONYMOUS, VISITOR)))
        return view(lead, system.model.rules, system.clock.now()) if lead else None
