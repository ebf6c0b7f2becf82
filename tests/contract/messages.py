"""Messages that mean nothing, and how tests name them."""

from collections.abc import Sequence

from warmlead.ports import Delivery, Message, Published
from warmlead.ports.archiving import MessageLog


def a_message(text: str = "hello") -> Message:
    return Message(text.encode(), {"type": "greeting"})


def bodies(found: Sequence[Delivery] | Sequence[Published]) -> list[str]:
    published = [each.published if isinstance(each, Delivery) else each for each in found]
    return [each.message.body.decode() for each in published]


async def log_of(log: MessageLog, topic: str) -> list[Published]:
    return [published async for published in log.read(topic)]
