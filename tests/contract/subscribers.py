"""How a test works on what a bus delivers, whoever delivers it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import grpc
from google.api_core.exceptions import DeadlineExceeded, ServiceUnavailable
from google.cloud.pubsub_v1 import SubscriberClient

from warmlead.ports import Delivery, Message, Subscriptions

MOST = 1_000
WAIT_S = 3.0
"""So long a pull of Pub/Sub waits for messages before it answers that there are none."""

STEP = timedelta(seconds=10)


class Taken(NamedTuple):
    """A message that a subscription handed out, and what it calls this delivery of it."""

    message_id: str
    message: Message
    delivery: Any


class Subscriber(Protocol):
    """Works on a subscription. What it is handed it has to acknowledge, or to return."""

    async def take(self) -> Sequence[Taken]:
        """What is due now or soon; perhaps nothing yet: ask again."""
        ...

    async def acknowledge(self, taken: Sequence[Taken]) -> None:
        """The messages are done with."""
        ...

    async def give_back(self, taken: Sequence[Taken]) -> None:
        """The messages have failed, and shall come again."""
        ...

    async def dead(self) -> Sequence[Message]:
        """The messages that were given up since this was last asked; perhaps not all yet."""
        ...


class SqliteSubscriber:
    """Time goes by whenever nothing is due."""

    def __init__(self, bus: Subscriptions, subscription: str, now: datetime) -> None:
        self._bus = bus
        self._subscription = subscription
        self._now = now

    async def take(self) -> Sequence[Taken]:
        due = await self._bus.pull(self._subscription, most=MOST, now=self._now)
        if not due:
            self._now += STEP
        return [Taken(each.published.message_id, each.published.message, each) for each in due]

    async def acknowledge(self, taken: Sequence[Taken]) -> None:
        await self._bus.acknowledge(_deliveries(taken))

    async def give_back(self, taken: Sequence[Taken]) -> None:
        for delivery in _deliveries(taken):
            await self._bus.retry_later(delivery, why="given back", now=self._now)

    async def dead(self) -> Sequence[Message]:
        return [published.message for published, _ in await self._bus.dead(self._subscription)]


def _deliveries(taken: Sequence[Taken]) -> list[Delivery]:
    return [each.delivery for each in taken]


class PubSubSubscriber:
    """Google's own client, which blocks: each call has a thread."""

    def __init__(self, project: str, subscription: str, emulator: str) -> None:
        options = [("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(emulator, options)
        transport = SubscriberClient.get_transport_class("grpc")(channel=channel)
        self._client = SubscriberClient(transport=transport)
        self._name = f"projects/{project}/subscriptions/{subscription}"

    async def take(self) -> Sequence[Taken]:
        return await asyncio.to_thread(self._pull, self._name)

    async def acknowledge(self, taken: Sequence[Taken]) -> None:
        request = {"subscription": self._name, "ack_ids": [each.delivery for each in taken]}
        await asyncio.to_thread(self._client.acknowledge, request=request)

    async def give_back(self, taken: Sequence[Taken]) -> None:
        ids = [each.delivery for each in taken]
        request = {"subscription": self._name, "ack_ids": ids, "ack_deadline_seconds": 0}
        await asyncio.to_thread(self._client.modify_ack_deadline, request=request)

    async def dead(self) -> Sequence[Message]:
        return [each.message for each in await asyncio.to_thread(self._pull, f"{self._name}-dead")]

    def close(self) -> None:
        self._client.close()

    def _pull(self, name: str) -> list[Taken]:
        request = {"subscription": name, "max_messages": MOST}
        try:
            answer = self._client.pull(request=request, retry=None, timeout=WAIT_S)
        except (DeadlineExceeded, ServiceUnavailable):
            return []
        return [
            Taken(
                each.message.message_id,
                Message(each.message.data, dict(each.message.attributes)),
                each.ack_id,
            )
            for each in answer.received_messages
        ]
