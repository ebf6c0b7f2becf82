"""What is Pub/Sub's alone; what every bus promises is in ``tests/contract``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest

from patience import PATIENCE_S, soon
from pubsub_server import OK, Code, Publisher, serving
from warmlead.buses.pubsub import MOST_BYTES, TRANSIENT, PubSubBus
from warmlead.domain.errors import UnavailableError
from warmlead.ports import Message

pytestmark = pytest.mark.slow  # starts servers

FINAL = [code for code in Code if code not in TRANSIENT and code is not OK]
A, B = Message(b"a", {"type": "x"}), Message(b"b", {})


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    async with serving(Publisher()) as publisher:
        yield publisher


@pytest.fixture
async def bus(publisher: Publisher) -> AsyncIterator[PubSubBus]:
    async with opened(publisher) as bus:
        yield bus


@asynccontextmanager
async def opened(
    publisher: Publisher, budget_s: float = PATIENCE_S, attempt_s: float = PATIENCE_S
) -> AsyncIterator[PubSubBus]:
    bus = PubSubBus("p", emulator=publisher.address, budget_s=budget_s, attempt_s=attempt_s)
    yield bus
    await bus.close()


def sent(publisher: Publisher) -> list[list[bytes]]:
    """The bodies in each request."""
    return [[message.data for message in request.messages] for request in publisher.requests]


def code_of(error: BaseException) -> Code:
    assert isinstance(error.__cause__, grpc.aio.AioRpcError)
    return error.__cause__.code()


async def test_it_publishes_to_the_topic_of_its_project(
    publisher: Publisher, bus: PubSubBus
) -> None:
    assert await bus.publish("news", [A, B]) == ["1-0", "1-1"]
    (request,) = publisher.requests
    assert request.topic == "projects/p/topics/news"
    assert [dict(message.attributes) for message in request.messages] == [{"type": "x"}, {}]
    routing = publisher.metadata[0]["x-goog-request-params"]
    assert routing == "topic=projects/p/topics/news"


async def test_nothing_to_publish_is_no_request(publisher: Publisher, bus: PubSubBus) -> None:
    assert await bus.publish("news", []) == []
    assert publisher.requests == []


# --- attempts ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for code in Code if code in TRANSIENT])
async def test_a_temporary_failure_is_retried(
    publisher: Publisher, bus: PubSubBus, code: Code
) -> None:
    publisher.codes = [code, code]
    assert await bus.publish("news", [A, B]) == ["3-0", "3-1"]
    assert sent(publisher) == [[b"a", b"b"]] * 3


@pytest.mark.parametrize("code", FINAL)
async def test_a_permanent_failure_is_raised_at_once(
    publisher: Publisher, bus: PubSubBus, code: Code
) -> None:
    publisher.codes = [code]
    with pytest.raises(UnavailableError) as caught:
        await bus.publish("news", [A])
    assert code_of(caught.value) is code
    assert len(publisher.requests) == 1


async def test_the_budget_ends_all_attempts(publisher: Publisher) -> None:
    publisher.codes = [Code.UNAVAILABLE] * 1_000
    async with opened(publisher, budget_s=2.0) as bus:
        with pytest.raises(UnavailableError) as caught:
            await soon(bus.publish("news", [A]))
    assert code_of(caught.value) is Code.UNAVAILABLE
    assert 2 <= len(publisher.requests) <= 30
    assert all(each < 2.5 for each in publisher.remaining_s)
    assert publisher.remaining_s[-1] < publisher.remaining_s[0]


async def test_a_server_that_never_answers_is_tried_again_and_given_up_in_time(
    publisher: Publisher,
) -> None:
    publisher.before = asyncio.Event().wait
    async with opened(publisher, budget_s=2.0, attempt_s=0.4) as bus:
        with pytest.raises(UnavailableError) as caught:
            await soon(bus.publish("news", [A]))
    assert code_of(caught.value) is Code.DEADLINE_EXCEEDED
    assert len(publisher.requests) >= 2
    assert all(each < 0.9 for each in publisher.remaining_s)


async def test_one_request_that_hangs_is_not_the_last(publisher: Publisher) -> None:
    async def hang_at_first() -> None:
        if len(publisher.requests) == 1:
            await asyncio.Event().wait()

    publisher.before = hang_at_first
    async with opened(publisher, attempt_s=1.0) as bus:
        (id_,) = await bus.publish("news", [A])
    assert id_ == f"{len(publisher.requests)}-0"
    assert len(publisher.requests) >= 2


async def test_an_unreachable_server_is_reported_in_time() -> None:
    async with opened(Publisher(), budget_s=1.0) as bus:
        with pytest.raises(UnavailableError) as caught:
            await soon(bus.publish("news", [A]))
    assert code_of(caught.value) is Code.UNAVAILABLE


async def test_a_server_that_recovers_in_time_gets_the_message() -> None:
    publisher = Publisher()
    async with opened(publisher) as bus:
        with pytest.raises(UnavailableError):
            async with opened(publisher, budget_s=0.2) as hasty:
                await hasty.publish("news", [A])
        publishing = asyncio.create_task(bus.publish("news", [A]))
        async with serving(publisher):
            assert await publishing == ["1-0"]
    assert sent(publisher) == [[b"a"]]


async def test_a_connection_that_breaks_between_two_publications_is_made_anew() -> None:
    publisher = Publisher()
    async with opened(publisher) as bus:
        async with serving(publisher):
            assert await bus.publish("news", [A]) == ["1-0"]
        async with serving(publisher):
            assert await bus.publish("news", [B]) == ["2-0"]
    assert sent(publisher) == [[b"a"], [b"b"]]


async def test_a_publisher_that_is_cancelled_stops(publisher: Publisher, bus: PubSubBus) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    publisher.before = hang
    publishing = asyncio.create_task(bus.publish("news", [A]))
    await begun.wait()
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    assert len(publisher.requests) == 1


# --- nothing is lost ---------------------------------------------------------------------


async def test_a_successful_publication_has_an_id_for_every_message(
    publisher: Publisher, bus: PubSubBus
) -> None:
    publisher.ids_too_many = -1
    with pytest.raises(UnavailableError):
        await bus.publish("news", [A, B])


async def test_a_part_that_is_not_accepted_fails_the_whole(
    publisher: Publisher, bus: PubSubBus
) -> None:
    publisher.codes = [OK, Code.NOT_FOUND]
    with pytest.raises(UnavailableError):
        await bus.publish("news", [A] * 1_001)


async def test_only_the_part_that_failed_is_published_again(
    publisher: Publisher, bus: PubSubBus
) -> None:
    publisher.codes = [OK, Code.ABORTED]
    ids = await bus.publish("news", [A] * 1_000 + [B])
    assert ids == [*(f"1-{i}" for i in range(1_000)), "3-0"]
    assert sent(publisher)[1:] == [[b"b"], [b"b"]]


async def test_publishers_at_the_same_time_are_each_told_their_own_outcome(
    publisher: Publisher, bus: PubSubBus
) -> None:
    publisher.codes = [OK, Code.NOT_FOUND, Code.UNAVAILABLE] * 20
    messages = [Message(str(i).encode(), {}) for i in range(60)]
    outcomes = await asyncio.gather(
        *(bus.publish("news", [message]) for message in messages), return_exceptions=True
    )
    accepted = {
        request.messages[0].data
        for request, code in zip(publisher.requests, publisher.codes + [OK] * 60, strict=False)
        if code is OK
    }
    told = {
        message.body
        for message, outcome in zip(messages, outcomes, strict=True)
        if isinstance(outcome, list)
    }
    assert told == accepted
    assert all(isinstance(each, list | UnavailableError) for each in outcomes)


# --- limits of one request ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("messages", "sizes"),
    [
        ([A] * 1_000, [1_000]),
        ([A] * 2_500, [1_000, 1_000, 500]),
        ([Message(b"x" * 4_000_000, {})] * 5, [2, 2, 1]),
        ([Message(b"x" * 9_100_000, {}), A, A], [1, 2]),
        ([A, Message(b"x" * 9_100_000, {}), A], [1, 1, 1]),
        ([Message(b"", {"k" * 256: "v" * 1_024})] * 1_100, [1_000, 100]),
        ([Message(b"", {f"{i}": "v" * 1_024 for i in range(100)})] * 100, [87, 13]),
    ],
    ids=["as-many-as-may-be", "too-many", "too-large", "one-alone", "in-between", "many", "long"],
)
async def test_a_publication_beyond_one_request_is_split(
    publisher: Publisher, bus: PubSubBus, messages: list[Message], sizes: list[int]
) -> None:
    ids = await bus.publish("news", messages)
    assert len(set(ids)) == len(messages)
    assert [len(request.messages) for request in publisher.requests] == sizes
    assert [body for bodies in sent(publisher) for body in bodies] == [m.body for m in messages]
    for request in publisher.requests:
        assert len(request.messages) == 1 or request.ByteSize() <= MOST_BYTES + 100
