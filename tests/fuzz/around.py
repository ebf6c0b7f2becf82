"""Mutations of what is around a body: head, compression, charset, chunks, lengths."""

import gzip
import zlib
from collections.abc import Callable, Sequence
from random import Random

from fuzz import odd
from fuzz.corpus import ascii_target
from fuzz.in_bytes import mutated
from fuzz.sent import Sent

MOST_HEADER_BYTES = 9_000
MOST_TARGET_BYTES = 20_000
_OWN_FAULTS = bytes.maketrans(b"\r\n\0", b"   ")  # no header can have them

Mutation = Callable[[Sent, Random], Sent]


def with_mutated_head(sent: Sent, random: Random, _: Sequence[Sent] = ()) -> Sent:
    """Another type, header, method or target, or one header less, or a damaged one."""
    return random.choice(_OF_HEADS)(sent, random)


def wrapped(sent: Sent, random: Random, _: Sequence[Sent] = ()) -> Sent:
    """Compressed, declared or not; in another charset; in other chunks; cut off on the way."""
    return random.choice(_WRAPPINGS)(sent, random)


def _retyped(sent: Sent, random: Random) -> Sent:
    return sent.with_header(b"content-type", random.choice(odd.CONTENT_TYPES))


def _with_one_header_less(sent: Sent, random: Random) -> Sent:
    return sent.with_header(random.choice(sent.headers)[0], None) if sent.headers else sent


def _with_a_damaged_header(sent: Sent, random: Random) -> Sent:
    if not sent.headers:
        return sent
    name, value = random.choice(sent.headers)
    damaged = mutated(value, random)[:MOST_HEADER_BYTES].translate(_OWN_FAULTS).strip()
    return sent.with_header(name, damaged)


def _with_an_odd_header(sent: Sent, random: Random) -> Sent:
    return sent._replace(headers=(*sent.headers, random.choice(odd.HEADERS)))


def _with_another_method(sent: Sent, random: Random) -> Sent:
    return sent._replace(method=random.choice(odd.METHODS))


def _elsewhere(sent: Sent, random: Random) -> Sent:
    return sent._replace(target=random.choice(odd.TARGETS[sent.function]))


def _with_a_damaged_target(sent: Sent, random: Random) -> Sent:
    damaged = mutated(sent.target, random)[:MOST_TARGET_BYTES]
    return sent._replace(target=ascii_target(damaged))


_OF_HEADS: tuple[Mutation, ...] = (
    _retyped,
    _with_one_header_less,
    _with_a_damaged_header,
    _with_an_odd_header,
    _with_another_method,
    _elsewhere,
    _with_a_damaged_target,
)


def _compressed(sent: Sent, _: Random) -> Sent:
    packed = sent.with_body(gzip.compress(sent.body, 1, mtime=0))
    return packed.with_header(b"content-encoding", b"gzip")


def _compressed_oddly(sent: Sent, random: Random) -> Sent:
    """In gzip that nobody declares, in many members, or cut off."""
    packed = gzip.compress(sent.body, 1, mtime=0) * random.choice((1, 1, 2, 70))
    return sent.with_body(packed[: random.choice((len(packed), random.randrange(len(packed))))])


def _compressed_wrongly(sent: Sent, random: Random) -> Sent:
    """In another format than is declared, or to far less than it is."""
    packed = (zlib.compress(sent.body), gzip.compress(bytes(900_000) + sent.body, 1, mtime=0))
    return sent.with_body(random.choice(packed)).with_header(b"content-encoding", b"gzip")


def _in_another_charset(sent: Sent, random: Random) -> Sent:
    text = sent.body.decode("utf-8", "replace")
    charset = random.choice(("utf-16", "latin-1", "utf-7", "cp1252", "utf-8-sig"))
    return sent.with_body(text.encode(charset, "replace"))


def _in_chunks(sent: Sent, random: Random) -> Sent:
    body, size = sent.body, random.choice((1, 2, 7, 1_000))
    pieces = [body[i : i + size] for i in range(0, min(len(body), 200 * size), size)]
    return sent._replace(chunks=(*pieces, b"", body[200 * size :]))


def _cut_off(sent: Sent, random: Random) -> Sent:
    part = sent.body[: random.randrange(len(sent.body) + 1)]
    return sent._replace(chunks=(part,), whole=False)


def _of_another_length(sent: Sent, random: Random) -> Sent:
    length = random.choice((0, 1, len(sent.body) + 1, 10**6, 10**12))
    return sent.with_header(b"content-length", str(length).encode())


_WRAPPINGS: tuple[Mutation, ...] = (
    _compressed,
    _compressed_oddly,
    _compressed_wrongly,
    _in_another_charset,
    _in_chunks,
    _cut_off,
    _of_another_length,
)
