import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from patience import PATIENCE_S
from warmlead.domain.errors import Reason, RejectedError
from warmlead.web.edge import discard, read_body, unpack


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def never_ending(chunk: bytes, counter: list[int]) -> AsyncIterator[bytes]:
    while True:
        counter.append(len(chunk))
        yield chunk


async def stalled() -> AsyncIterator[bytes]:
    yield b"a"
    await asyncio.Event().wait()


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert await read_body(chunks_of(b"ab", b"c"), limit_bytes=3, timeout_s=PATIENCE_S) == b"abc"


async def test_an_empty_body_is_empty() -> None:
    assert await read_body(chunks_of(), limit_bytes=3, timeout_s=PATIENCE_S) == b""


async def test_one_byte_over_the_limit_is_refused_without_reading_on() -> None:
    read: list[int] = []

    with pytest.raises(RejectedError) as refusal:
        await read_body(never_ending(b"x" * 10, read), limit_bytes=100, timeout_s=PATIENCE_S)

    assert refusal.value.reason is Reason.BODY_TOO_LARGE
    assert sum(read) == 110


async def test_a_declared_length_above_the_limit_is_refused_unread() -> None:
    read: list[int] = []

    with pytest.raises(RejectedError) as refusal:
        await read_body(
            never_ending(b"x", read), limit_bytes=100, timeout_s=PATIENCE_S, declared_bytes=10**15
        )

    assert refusal.value.reason is Reason.BODY_TOO_LARGE
    assert read == []


async def test_a_declared_length_that_is_too_small_is_not_believed() -> None:
    with pytest.raises(RejectedError, match="body_too_large"):
        await read_body(
            chunks_of(b"x" * 101), limit_bytes=100, timeout_s=PATIENCE_S, declared_bytes=5
        )


async def test_a_body_that_does_not_come_is_refused_at_the_deadline() -> None:
    with pytest.raises(RejectedError) as refusal:
        await read_body(stalled(), limit_bytes=100, timeout_s=0.02)

    assert refusal.value.reason is Reason.BODY_TIMEOUT


async def test_the_rest_of_a_refused_body_is_discarded_within_a_limit() -> None:
    read: list[int] = []

    await discard(never_ending(b"x" * 10, read), most_bytes=95)

    assert sum(read) == 100


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_stays_as_it_is(encoding: str) -> None:
    assert unpack(b'{"a": 1}', encoding, limit_bytes=100) == b'{"a": 1}'


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "", "identity"])
def test_gzip_is_undone_whatever_the_label(encoding: str) -> None:
    assert unpack(gzip.compress(b"hello"), encoding, limit_bytes=5) == b"hello"


def test_gzip_of_several_members_and_padding_is_one_body() -> None:
    packed = gzip.compress(b"hello ") + gzip.compress(b"world") + b"\0" * 7

    assert unpack(packed, "gzip", limit_bytes=100) == b"hello world"


def test_an_empty_body_labelled_gzip_is_empty() -> None:
    assert unpack(b"", "gzip", limit_bytes=100) == b""


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "*"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        unpack(b"abc", encoding, limit_bytes=100)

    assert refusal.value.reason is Reason.ENCODING_UNSUPPORTED


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param(b"plain", id="not gzip"),
        pytest.param(gzip.compress(b"hello")[:-3], id="truncated"),
        pytest.param(gzip.compress(b"hello")[:5], id="only a header"),
        pytest.param(gzip.compress(b"hello") + b"junk", id="junk after it"),
        pytest.param(gzip.compress(b"hello")[:-8] + b"\0" * 8, id="wrong checksum"),
        pytest.param(gzip.compress(b"") * 100, id="a hundred members"),
    ],
)
def test_damaged_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        unpack(packed, "gzip", limit_bytes=1000)

    assert refusal.value.reason is Reason.ENCODING_INVALID


@pytest.mark.slow
def test_a_bomb_is_refused_without_unpacking_it() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(200)) + packer.flush()

    tracemalloc.start()
    with pytest.raises(RejectedError) as refusal:
        unpack(bomb, "gzip", limit_bytes=100_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refusal.value.reason is Reason.BODY_TOO_LARGE
    assert peak < 2_000_000
