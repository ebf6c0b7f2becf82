"""How much processor time a request may cost: so much for what it unpacks to, and no more.

Processor time, not time on the clock, so that a busy machine makes no findings; and what seems
to cost too much is tried again by itself, so that neither do the first use of a module, the
collector of garbage, or a neighbour in the same cache.
"""

import json
import zlib
from collections.abc import Callable
from statistics import median
from urllib.parse import unquote_to_bytes

from cost import measured
from fuzz.sent import Sent
from warmlead.senders.webhooks import MAX_ITEMS

S_PER_100_KB = 0.050
"""Processor seconds for each 100 KB that a request unpacks to."""

LEAST_S = 0.050
"""What a request may cost however small it is."""

REFUSED_S_PER_100_KB = 0.025
"""What may be refused for its size or number must be so before it is worked on."""

S_PER_EVENT = 0.000_3
"""What scoring an event may cost however small it is: its lead is looked at as a whole."""

S_PER_ITEM = 0.000_12
"""What an event of a batch may cost to accept however small it is.

The smallest calls take 0.07 ms, and the smallest items of a webhook 0.09 ms.
"""

BYTES_FETCHED = 2_000
"""What is fetched for each lead that a request names only by its id, as if it stood in the body."""

NAMES_OF_IDS = (b"leadgen_id", b"leadGenFormResponse")
"""The fields that hold such ids."""

OF_MANDRILL = b"mandrill_events="
"""How a form begins that holds a list of items."""

MOST_ITEMS = 2_500

TRIES = 5

MOST_UNPACKED = 1_000_000
"""No function unpacks more: a body that claims more is refused while it is unpacked."""


def unpacked_bytes(sent: Sent) -> int:
    """The size of a request as it is worked on: head, target, and the body without its gzip."""
    head = len(sent.target) + sum(len(name) + len(value) for name, value in sent.headers)
    return head + max(len(sent.body), len(_unpacked(sent.body)))


def _unpacked(body: bytes) -> bytes:
    """The body without its gzip, as far as that is whole."""
    found: list[bytes] = []
    while body[:2] == b"\x1f\x8b" and sum(map(len, found)) < MOST_UNPACKED:
        member = zlib.decompressobj(31)
        try:
            found.append(member.decompress(body, MOST_UNPACKED - sum(map(len, found))))
        except zlib.error:
            break
        body = member.unused_data.lstrip(b"\0")
    return b"".join(found)


def budget_of(sent: Sent, *, refused: bool) -> float:
    """The processor seconds that a request may cost; less if it is ``refused`` for its size."""
    ids = sum(map(sent.body.count, NAMES_OF_IDS)) if sent.function == "forms" else 0
    fetched = BYTES_FETCHED * ids
    most = budget_s(unpacked_bytes(sent) + fetched, refused=refused)
    return most if refused else max(most, S_PER_ITEM * _items(sent))


def _items(sent: Sent) -> int:
    """How many events a request may hold: the calls of ``track``, or the items of a list."""
    body = _unpacked(sent.body) or sent.body
    if sent.function == "track":
        return min(MOST_ITEMS, body.count(b"{"))
    if body.startswith(OF_MANDRILL):
        body = unquote_to_bytes(body.removeprefix(OF_MANDRILL).replace(b"+", b" "))
    if not body.startswith(b"[") or len(body) < LEAST_S / S_PER_ITEM:
        return 0
    try:
        return min(MAX_ITEMS, len(json.loads(body)))
    except (ValueError, RecursionError):
        return 0


def budget_s(size_bytes: int, *, refused: bool = False, events: int = 0) -> float:
    """The processor seconds that may be spent on so many bytes, and on scoring so many events."""
    rate = REFUSED_S_PER_100_KB if refused else S_PER_100_KB
    return max(LEAST_S, rate * size_bytes / 100_000, S_PER_EVENT * events)


def repeated(work: Callable[[], object], tries: int = TRIES) -> float:
    """The processor seconds that the work takes by itself: the median of several tries."""
    return median(_tried(work) for _ in range(tries))


def _tried(work: Callable[[], object]) -> float:
    with measured() as spent:
        work()
    return spent.seconds


def in_words(seconds: float, allowed: float, size_bytes: int) -> str:
    """What is told of a request that costs too much."""
    return f"{1000 * seconds:.0f} ms for {size_bytes} bytes, of which {1000 * allowed:.0f} may be"
