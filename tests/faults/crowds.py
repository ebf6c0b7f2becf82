"""Many people at once who do one thing each, for faults that concern all of them."""

import asyncio
import json
from collections.abc import Awaitable, Iterable

from builders import NOW
from faults.lives import Life
from faults.people import stamp
from faults.workload import Request, Workload, basic
from warmlead.ports import Delivery

AT_ONCE = 32


def demos(count: int) -> Workload:
    """As many people, who ask for a demo each: as many crossings."""
    return Workload([], [_demo(number) for number in range(count)], [], 1)


def email_of(number: int) -> str:
    """Who sends the request of this number."""
    return f"person-{number}@example.com"


def _demo(number: int) -> Request:
    call = {
        "type": "track",
        "event": "Demo Requested",
        "messageId": f"demo-{number}",
        "userId": email_of(number),
        "timestamp": stamp(NOW),
    }
    return Request("/v1/track", basic("server"), json.dumps(call).encode())


async def all_of(work: Iterable[Awaitable[object]]) -> None:
    """Does all of it, so much at once as one instance is given to do."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[object]) -> None:
        async with places:
            await each

    await asyncio.gather(*(one(each) for each in work))


async def deliver_all(life: Life) -> int:
    """Hands out everything that is due, once; how many messages that was."""
    due: list[Delivery] = list(await life.installed.due(life.clock.now(), 100_000))
    await all_of(life.hand_out(delivery) for delivery in due)
    return len(due)
