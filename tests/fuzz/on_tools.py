"""Attacks on functions to which tools post: what each sender sends, with a long text in it."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from random import Random
from typing import Any

from fuzz.corpus import fixtures
from fuzz.long import Text
from fuzz.sent import Sent
from fuzz.shapes import any_wrap, in_json, within


def told_by(function: str) -> Callable[[Random, Text, int], Sent]:
    """Makes what a sender of the function sends, with a text for any value, or for a name."""

    def told(random: Random, text: Text, size: int) -> Sent:
        sent = random.choice(_in_json(function))
        value = json.loads(sent.body)
        container, place = random.choice(list(_places(value)))
        long = within(any_wrap(random, text), max(8, size - len(sent.body)))
        if isinstance(container, dict) and random.random() < 0.1:
            container[long] = container.pop(place)
        else:
            container[place] = long
        return sent.with_body(in_json(value))

    return told


@cache
def _in_json(function: str) -> Sequence[Sent]:
    """The requests of the function's senders whose bodies are JSON."""
    return [one for one in fixtures() if one.function == function and one.body[:1] in (b"{", b"[")]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each of its names or numbers."""
    for place in list(value if isinstance(value, dict) else range(len(value))):
        yield value, place
        if isinstance(value[place], dict | list):
            yield from _places(value[place])
