"""Which messages share a request, and who hears of what becomes of it."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

import pytest

from patience import PATIENCE_S
from warmlead.buses.pubsub import AT_ONCE, BATCH_BYTES, MOST_TOGETHER, Batcher
from warmlead.domain.errors import UnavailableError
from warmlead.ports import Message


class Requests:
    """Requests that are answered when the gate opens; the bodies in each, as they were sent."""

    def __init__(self) -> None:
        self.sent: list[list[str]] = []
        self.refuse: Callable[[Sequence[str]], Exception | None] = lambda _: None
        self.gate = asyncio.Event()
        self.gathering = Batcher(self._send)

    async def ask(self, *bodies: str, end: float | None = None) -> Sequence[str]:
        messages = [Message(body.encode(), {}) for body in bodies]
        return await self.gathering.send(messages, monotonic() + PATIENCE_S if end is None else end)

    async def begun(self, requests: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.sent) < requests:  # noqa: ASYNC110  # turn by turn
                await asyncio.sleep(0)

    async def _send(self, messages: Sequence[Message], _: float) -> Sequence[str]:
        bodies = [message.body.decode() for message in messages]
        self.sent.append(bodies)
        await self.gate.wait()
        if error := self.refuse(bodies):
            raise error
        return [f"id-{body}" for body in bodies]


@pytest.fixture
async def requests() -> Requests:
    return Requests()


async def busy(requests: Requests) -> list[asyncio.Task[Sequence[str]]]:
    tasks = [asyncio.create_task(requests.ask(f"busy-{n}")) for n in range(AT_ONCE)]
    await requests.begun(AT_ONCE)
    return tasks


async def test_a_single_message_is_sent_at_once(requests: Requests) -> None:
    requests.gate.set()
    assert await requests.ask("a", "b") == ["id-a", "id-b"]
    assert requests.sent == [["a", "b"]]


async def test_messages_that_arrive_during_requests_share_the_next_one(
    requests: Requests,
) -> None:
    tasks = await busy(requests)
    waiting = [asyncio.create_task(requests.ask(*bodies)) for bodies in ("ab", "c", "de")]
    await asyncio.sleep(0)
    assert len(requests.sent) == AT_ONCE
    requests.gate.set()
    assert await asyncio.gather(*waiting) == [["id-a", "id-b"], ["id-c"], ["id-d", "id-e"]]
    assert requests.sent[AT_ONCE:] == [["a", "b", "c", "d", "e"]]
    await asyncio.gather(*tasks)


async def test_no_request_grows_beyond_its_limits(requests: Requests) -> None:
    tasks = await busy(requests)
    large = "x" * (BATCH_BYTES // 2)
    tasks += [asyncio.create_task(requests.ask(large)) for _ in range(5)]
    tasks += [asyncio.create_task(requests.ask("y")) for _ in range(MOST_TOGETHER + 1)]
    await asyncio.sleep(0)
    requests.gate.set()
    await asyncio.gather(*tasks)
    gathered = requests.sent[AT_ONCE:]
    assert max(len("".join(bodies)) for bodies in gathered) <= BATCH_BYTES
    assert max(map(len, gathered)) <= MOST_TOGETHER


async def test_a_refused_message_fails_alone(requests: Requests) -> None:
    requests.refuse = lambda bodies: UnavailableError("refused") if "bad" in bodies else None
    tasks = await busy(requests)
    waiting = [asyncio.create_task(requests.ask(body)) for body in ("a", "bad", "b")]
    await asyncio.sleep(0)
    requests.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["['id-a']", "refused", "['id-b']"]
    await asyncio.gather(*tasks)


async def test_when_the_time_is_over_nothing_is_tried_again(requests: Requests) -> None:
    requests.refuse = lambda bodies: UnavailableError("away") if "a" in bodies else None
    tasks = await busy(requests)
    over = monotonic()
    waiting = [asyncio.create_task(requests.ask(body, end=over)) for body in ("a", "b")]
    await asyncio.sleep(0)
    requests.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["away", "away"]
    assert requests.sent[AT_ONCE:] == [["a", "b"]]
    await asyncio.gather(*tasks)


async def test_a_fault_of_ours_reaches_all_who_wait(requests: Requests) -> None:
    requests.refuse = lambda bodies: ValueError("a fault") if "a" in bodies else None
    tasks = await busy(requests)
    waiting = [asyncio.create_task(requests.ask(body)) for body in ("a", "b")]
    await asyncio.sleep(0)
    requests.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["a fault", "a fault"]
    await asyncio.gather(*tasks)
    requests.refuse = lambda _: None
    assert await requests.ask("c") == ["id-c"]


async def test_a_cancelled_caller_does_not_disturb_others(requests: Requests) -> None:
    tasks = await busy(requests)
    gone = asyncio.create_task(requests.ask("a"))
    stays = asyncio.create_task(requests.ask("b"))
    await asyncio.sleep(0)
    gone.cancel()
    requests.gate.set()
    assert await stays == ["id-b"]
    await asyncio.gather(*tasks)
    await requests.gathering.rest()
