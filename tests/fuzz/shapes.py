"""What requests that attack are made of: texts to a size, at a place, in a body."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from fuzz.corpus import BASIC
from fuzz.long import WRAPS, Text, wrapped, wraps_for
from fuzz.sent import Sent

TEXT_BYTES = 8_000
EVENT_BYTES = 32_000

TRAITS = (
    *("email", "employees", "country", "company", "title", "annual_revenue", "phone", "website"),
    *(
        "first_name",
        "name",
        "industry",
        "consent",
        "plan",
        "Company Size",
        "E-Mail-Adresse",
        "seats",
    ),
)

Attack = Callable[[Random, Text, int], Sent]
"""Makes a request of a text, and of about so many bytes."""


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def within(make: Text, size: int) -> str:
    """A text of at most so many bytes as JSON, whatever its characters take; its end is kept."""
    text = make(size)
    if (taken := _size(text)) > size:
        text = make(max(1, (size - 16) * size // taken))
    return text if _size(text) <= size else text[: max(1, size // 6)]


def _size(text: str) -> int:
    return len(encoded(json.dumps(text, ensure_ascii=False)))


def any_wrap(random: Random, text: Text, name: str = "") -> Text:
    return wrapped(text, random.choice(WRAPS if random.random() < 0.3 else wraps_for(name)))


def in_json(value: object) -> bytes:
    return encoded(json.dumps(value, ensure_ascii=False))


def posted(function: str, target: bytes, body: bytes, content_type: str) -> Sent:
    headers = ((b"content-type", content_type.encode("latin-1")), (b"authorization", BASIC))
    return Sent(function, "POST", target, headers, (body,))


def put(root: dict[str, Any], path: Sequence[str], value: object) -> None:
    for step in path[:-1]:
        root = root.setdefault(step, {})
    root[path[-1]] = value
