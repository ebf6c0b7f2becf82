"""Firestore and Pub/Sub, on Google's emulators: each trial has a project of its own.

The trial hands messages to ``score`` itself, as Pub/Sub's push would, and keeps its own record of
what was answered with 2xx. So nobody waits for a lease of the emulator's to end.
"""

import asyncio
import base64
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.empty_pb2 import Empty

from builders import NOW, StandingClock
from faults.backends import Installed
from faults.sites import Switches
from faults.zygote import in_a_process
from warmlead.buses.pubsub import PubSubBus
from warmlead.domain.trigger import Topic
from warmlead.google_api import GoogleApi, Interceptors, message_types
from warmlead.ports import Delivery, Message, Published
from warmlead.stores.firestore.codec import CommitRequest, CommitResponse, Database, Write
from warmlead.stores.firestore.dispatches import FirestoreDispatchStore
from warmlead.stores.firestore.imports import FirestoreImportStore
from warmlead.stores.firestore.store import FirestoreLeadStore

MAX_ATTEMPTS = 5
TOPICS = tuple(Topic)
AUDIT = "audit"
"""A second subscription of ``lead-events``, from which only the end of a trial reads."""

_pubsub = message_types("google.pubsub_v1", "pubsub")


class Watching(grpc.aio.UnaryUnaryClientInterceptor):
    """A site before each call of a method, and one when its answer is there but nobody knows."""

    def __init__(self, switches: Switches) -> None:
        self._visit = switches.visit

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        path = client_call_details.method
        method = (path.decode() if isinstance(path, bytes) else path).rpartition("/")[2]
        self._visit(f"rpc.{method}.before")
        call = await continuation(client_call_details, request)
        await call.code()
        self._visit(f"rpc.{method}.answered")
        return call


class GcpBackend:
    """Both emulators, at ``FIRESTORE_EMULATOR_HOST`` and ``PUBSUB_EMULATOR_HOST``.

    The product may go through other addresses, of proxies; the campaign itself never does.
    """

    name = "gcp"
    sites: Mapping[str, int] = {
        "rpc.GetDocument.before": 12,
        "rpc.GetDocument.answered": 12,
        "rpc.Commit.before": 14,
        "rpc.Commit.answered": 14,
        "rpc.Publish.before": 14,
        "rpc.Publish.answered": 14,
    }
    trial_ms = 500

    def __init__(self, *, firestore: str = "", pubsub: str = "") -> None:
        self._through = (firestore, pubsub)

    @asynccontextmanager
    async def open(
        self, folder: Path, clock: StandingClock, switches: Switches
    ) -> AsyncIterator[Installed]:
        del clock
        file = folder / "project"
        first = not file.exists()
        project = f"faults-{os.urandom(8).hex()}" if first else file.read_text()
        installed = InProject(project, folder, [Watching(switches)], *self._through)
        if first:
            await installed.create_topics()
            new = folder / "project.new"  # a kill in between must not leave half a name
            new.write_text(project)
            new.rename(file)
        try:
            yield installed
        finally:
            await installed.close()

    def forget(self, folder: Path) -> None:
        """Ends the subscriptions: the emulator keeps a thread for each."""
        if (folder / "project").exists():
            in_a_process(lambda: asyncio.run(self._forget(folder)))

    async def _forget(self, folder: Path) -> None:
        installed = InProject((folder / "project").read_text(), folder, [])
        await installed.delete_subscriptions()
        await installed.close()


class InProject:
    """One life's connections to a project."""

    def __init__(
        self,
        project: str,
        folder: Path,
        interceptors: Interceptors,
        through_firestore: str = "",
        through_pubsub: str = "",
    ) -> None:
        firestore = os.environ["FIRESTORE_EMULATOR_HOST"]
        pubsub = os.environ["PUBSUB_EMULATOR_HOST"]
        self.store = FirestoreLeadStore(
            project, emulator=through_firestore or firestore, interceptors=interceptors
        )
        self.dispatches = FirestoreDispatchStore(
            project, emulator=through_firestore or firestore, interceptors=interceptors
        )
        self.imports = FirestoreImportStore(
            project, emulator=through_firestore or firestore, interceptors=interceptors
        )
        self.bus = PubSubBus(project, emulator=through_pubsub or pubsub, interceptors=interceptors)
        self._project = f"projects/{project}"
        self._database = Database(project, "(default)")
        self._pubsub = GoogleApi("pubsub.googleapis.com", emulator=pubsub)
        self._firestore = GoogleApi("firestore.googleapis.com", emulator=firestore)
        self._folder = folder

    async def close(self) -> None:
        await self.store.close()
        await self.dispatches.close()
        await self.imports.close()
        await self.bus.close()
        await self._pubsub.close()
        await self._firestore.close()

    async def create_topics(self) -> None:
        """Makes the project's topics, and subscriptions that forget nothing."""
        await asyncio.gather(*(self._create_topic(topic) for topic in TOPICS))
        await asyncio.gather(
            *(self._create_subscription(topic, topic) for topic in TOPICS),
            self._create_subscription(AUDIT, Topic.LEAD_EVENTS),
        )

    async def delete_subscriptions(self) -> None:
        """Ends the project's subscriptions."""
        await asyncio.gather(*(self._delete_subscription(name) for name in (*TOPICS, AUDIT)))

    # --- what is due for score -----------------------------------------------------------

    async def due(self, now: datetime, most: int) -> Sequence[Delivery]:
        del now
        await self._fetch(Topic.LEAD_EVENTS, Topic.LEAD_EVENTS, sure=False)
        return self._unfinished()[:most]

    async def done(self, delivery: Delivery) -> None:
        self._note("done", delivery.token)

    async def failed(self, delivery: Delivery, now: datetime) -> None:
        del now
        self._note("failed", delivery.token)

    async def dead(self) -> Sequence[Message]:
        failures = self._failures()
        return [
            message
            for id_, message in self._log(Topic.LEAD_EVENTS).items()
            if failures[id_] >= MAX_ATTEMPTS
        ]

    async def redrive(self, now: datetime) -> int:
        del now
        count = len(await self.dead())
        (self._folder / "failed").unlink(missing_ok=True)
        return count

    async def absolve(self, now: datetime) -> int:
        del now
        return 0  # Pub/Sub does not know during which messages an instance ended

    async def outstanding(self) -> int:
        await self._fetch(AUDIT, Topic.LEAD_EVENTS)
        return len(self._unfinished())

    async def published(self, topic: str) -> Sequence[Message]:
        subscription = AUDIT if topic == Topic.LEAD_EVENTS else topic
        await self._fetch(subscription, topic)
        return list(self._log(topic).values())

    def _unfinished(self) -> list[Delivery]:
        failures, done = self._failures(), set(self._noted("done"))
        return [
            Delivery(id_, Published(0, id_, Topic.LEAD_EVENTS, NOW, message), failures[id_] + 1)
            for id_, message in self._log(Topic.LEAD_EVENTS).items()
            if id_ not in done and failures[id_] < MAX_ATTEMPTS
        ]

    def _failures(self) -> Counter[str]:
        return Counter(self._noted("failed"))

    # --- the trial's own record ----------------------------------------------------------

    def _note(self, name: str, line: str) -> None:
        with (self._folder / name).open("a") as file:
            file.write(f"{line}\n")

    def _noted(self, name: str) -> Iterator[str]:
        path = self._folder / name
        return iter(path.read_text().splitlines() if path.exists() else [])

    def _log(self, topic: str) -> dict[str, Message]:
        """The messages that were fetched of a topic, by id; each once."""
        found: dict[str, Message] = {}
        for line in self._noted(f"{topic}.log"):
            id_, data, attributes = json.loads(line)
            found[id_] = Message(base64.b64decode(data), attributes)
        return found

    async def _fetch(self, subscription: str, topic: str, *, sure: bool = True) -> None:
        """Takes everything out of a subscription and writes it down; to be sure, asks once more."""
        empty = 0
        while empty < 1 + sure:
            request = _pubsub.PullRequest.pb()(
                subscription=f"{self._project}/subscriptions/{subscription}",
                max_messages=1_000,
                return_immediately=True,
            )
            answer = await self._ask("Subscriber/Pull", request, _pubsub.PullResponse.pb())
            empty = 0 if answer.received_messages else empty + 1
            for received in answer.received_messages:
                message = received.message
                data = base64.b64encode(message.data).decode()
                line = [message.message_id, data, dict(message.attributes)]
                self._note(f"{topic}.log", json.dumps(line))

    # --- calls ---------------------------------------------------------------------------

    async def _create_topic(self, topic: str) -> None:
        kind = _pubsub.Topic.pb()
        await self._ask("Publisher/CreateTopic", kind(name=f"{self._project}/topics/{topic}"), kind)

    async def _create_subscription(self, name: str, topic: str) -> None:
        kind = _pubsub.Subscription.pb()
        request = kind(
            name=f"{self._project}/subscriptions/{name}",
            topic=f"{self._project}/topics/{topic}",
            ack_deadline_seconds=600,
        )
        await self._ask("Subscriber/CreateSubscription", request, kind)

    async def _delete_subscription(self, name: str) -> None:
        kind = _pubsub.DeleteSubscriptionRequest.pb()
        request = kind(subscription=f"{self._project}/subscriptions/{name}")
        await self._ask("Subscriber/DeleteSubscription", request, Empty)

    async def _ask(self, method: str, request: Any, answer: Any) -> Any:
        path = f"/google.pubsub.v1.{method}"
        return await self._pubsub.call(path, request, answer, routing={}, timeout_s=120)

    async def spoil(self, lead_id: str) -> None:
        write = Write()
        write.update.name = self._database.lead_name(lead_id)
        write.update.fields["document"].string_value = '{"v": 999}'
        await self._write(write)

    async def mend(self, lead_id: str) -> None:
        await self._write(Write(delete=self._database.lead_name(lead_id)))

    async def _write(self, write: Any) -> None:
        request = CommitRequest(database=self._database.name, writes=[write])
        path = "/google.firestore.v1.Firestore/Commit"
        routing = {"database": self._database.name}  # by it the emulator tells projects apart
        await self._firestore.call(path, request, CommitResponse, routing=routing, timeout_s=120)
