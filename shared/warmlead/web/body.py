"""Reads and unpacks a request's body: never more than the limit, whatever its headers claim."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from warmlead.domain.errors import Reason, RejectedError

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 31  # zlib's way to say: gzip with the largest window
_MAX_GZIP_MEMBERS = 64
_LINGER_S = 2.0


def _too_large(limit_bytes: int, what: str = "The body") -> RejectedError:
    return RejectedError(Reason.BODY_TOO_LARGE, f"{what} is larger than {limit_bytes} bytes.")


async def read_body(
    chunks: AsyncIterator[bytes],
    *,
    limit_bytes: int,
    timeout_s: float,
    declared_bytes: int | None = None,
) -> bytes:
    """The whole body. Raises ``RejectedError`` as soon as it is known to exceed the limit.

    ``declared_bytes`` may lie: a declared length above the limit is refused, any other is not
    believed. A body that is not there after ``timeout_s`` is refused too.
    """
    if declared_bytes is not None and declared_bytes > limit_bytes:
        raise _too_large(limit_bytes)
    received: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in chunks:
                size += len(chunk)
                if size > limit_bytes:
                    raise _too_large(limit_bytes)
                received.append(chunk)
    except TimeoutError as error:
        raise RejectedError(
            Reason.BODY_TIMEOUT, f"The body did not arrive within {timeout_s:g} seconds."
        ) from error
    return b"".join(received)


async def discard(chunks: AsyncIterator[bytes], *, most_bytes: int) -> None:
    """Throws away what still comes of a refused body, within a limit and two seconds.

    A client that is still sending when the connection closes never reads why it was refused.
    """
    left = most_bytes
    try:
        async with asyncio.timeout(_LINGER_S):
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, RejectedError):  # it has been refused already
        return


def unpack(body: bytes, content_encoding: str, *, limit_bytes: int) -> bytes:
    """The body with its gzip undone, be it declared or merely evident.

    Some clients send gzip without saying so. Raises ``RejectedError`` for other encodings, for
    damaged gzip, and for what unpacks to more than the limit, having unpacked no more than that.
    """
    encoding = content_encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise RejectedError(
            Reason.ENCODING_UNSUPPORTED, "Send the body as it is, or with Content-Encoding: gzip."
        )
    if body and (encoding in ("gzip", "x-gzip") or body.startswith(_GZIP_MAGIC)):
        return _gunzip(body, limit_bytes)
    return body


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    unpacked: list[bytes] = []
    left = limit_bytes
    for _ in range(_MAX_GZIP_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        try:
            part = member.decompress(body, left + 1)
        except zlib.error as error:
            raise _damaged("is not gzip") from error
        left -= len(part)
        if left < 0:
            raise _too_large(limit_bytes, "The unpacked body")
        if not member.eof:
            raise _damaged("ends too early")
        unpacked.append(part)
        body = member.unused_data.lstrip(b"\0")  # gzip files may be padded with zeros
        if not body:
            return b"".join(unpacked)
    raise _damaged("has too many parts")


def _damaged(fault: str) -> RejectedError:
    return RejectedError(Reason.ENCODING_INVALID, f"The gzip of the body {fault}.")
