"""What differs between the demo's backends: how it is served, and where a tool hears of triggers.

Each leaves nothing behind, and touches nothing that was there before.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from warmlead.cli.cloud import LOCAL_PROJECT, Cloud, cloud
from warmlead.cli.triggers import TriggerRow, triggers_so_far
from warmlead.domain.trigger import Topic

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
        """The triggers that were heard."""
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
