"""Mutations of bytes: flips, cuts, repeats, foreign pieces; whatever they mean."""

from collections.abc import Sequence
from random import Random

from fuzz import odd
from fuzz.corpus import ascii_target
from fuzz.sent import Sent


def with_mutated_bytes(sent: Sent, random: Random, _: Sequence[Sent]) -> Sent:
    """One to five mutations of the body or, where there is none, of the query."""
    text = sent.body or sent.target.partition(b"?")[2]
    for _once in range(random.choice((1, 1, 2, 3, 5))):
        text = mutated(text, random)
    if sent.body:
        return sent.with_body(text)
    return sent._replace(target=ascii_target(sent.target.partition(b"?")[0] + b"?" + text))


def spliced(sent: Sent, random: Random, corpus: Sequence[Sent]) -> Sent:
    """The beginning of this body and the end of another."""
    other = random.choice(corpus).body
    head = sent.body[: random.randrange(len(sent.body) + 1)]
    return sent.with_body(head + other[random.randrange(len(other) + 1) :])


def mutated(text: bytes, random: Random) -> bytes:
    """The text with one mutation."""
    changed = bytearray(text)
    random.choice(_MUTATIONS)(changed, random)
    return bytes(changed)


def _flip(text: bytearray, random: Random) -> None:
    if text:
        text[random.randrange(len(text))] ^= 1 << random.randrange(8)


def _truncate(text: bytearray, random: Random) -> None:
    del text[random.randrange(len(text) + 1) :]


def _cut_out(text: bytearray, random: Random) -> None:
    start, end = _range(text, random)
    del text[start:end]


def _repeat(text: bytearray, random: Random) -> None:
    start, end = _range(text, random)
    text[start:start] = bytes(text[start:end]) * random.choice((1, 2, 50))


def _insert(text: bytearray, random: Random) -> None:
    at = random.randrange(len(text) + 1)
    text[at:at] = random.choice(odd.TOKENS)


def _overwrite(text: bytearray, random: Random) -> None:
    start, end = _range(text, random)
    text[start:end] = random.choice((random.randbytes(4), random.choice(odd.TOKENS)))


def _range(text: bytearray, random: Random) -> tuple[int, int]:
    start = random.randrange(len(text) + 1)
    return start, min(len(text), start + random.choice((1, 2, 8, 40, 300)))


_MUTATIONS = (_flip, _flip, _truncate, _cut_out, _repeat, _insert, _overwrite)
