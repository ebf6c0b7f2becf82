"""Mutants of the bodies that one sender posts: their proof stays whole, all else may be odd.

Values at any place, of any type; long runs of awkward characters; thousands of items, fields and
answers; deep nesting; huge numbers; keys that are there twice; halves of surrogates.
"""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from fuzz import odd
from fuzz.corpus import ascii_target, fixtures
from fuzz.in_bytes import mutated
from fuzz.in_forms import multipart_of, multipart_pairs, urlencoded_of
from fuzz.long import a_text
from fuzz.mutation import of_person
from fuzz.sent import Sent
from fuzz.shapes import any_wrap, encoded, within

LEAST_BYTES = 200
MOST_BYTES = 1_000_000
USUAL_BYTES = 100_000
LARGE = 0.1
"""The share of the bodies made to a size that may be as large as any; the others are usual."""

PEOPLE = 40
"""A sender's bodies are about so many people."""

AGAIN = 0.2
"""The share of bodies that are changed once more, in any other way."""

STOPS = 0.2
"""How likely a group is changed as a whole, and not what is in it."""

_RAW = "@@raw%d@@"
"""Stands in the tree where text is put that the JSON library would not write."""

_HALVES = ("\ud800", "\udfff", "\ud83d", "\ude00\ud83d", "\udc00\udc00")
_HUGE = ("9" * 30, "9" * 5_000, "-" + "9" * 400, "1e308", "1e999", "1e-999", "-0.0", "1" + "0" * 19)
_DEPTHS = (5, 20, 31, 32, 33, 120, 190, 199, 201, 900)
_COUNTS = (99, 101, 1_000, 1_001, 3_000, 10_000, 30_000)


# --- bodies as trees -----------------------------------------------------------------------


@dataclass
class Tree:
    """A body's value, while it is changed; ``kept`` are keys of it that prove its origin."""

    root: Any
    kept: frozenset[str]
    random: Random
    others: Sequence[Any]
    raws: list[str] = field(default_factory=list)

    def raw(self, text: str) -> str:
        """Stands for JSON text that is to be written as it is."""
        self.raws.append(text)
        return _RAW % (len(self.raws) - 1)

    def place(self) -> tuple[Any, Any]:
        """Any place that may be changed: its container, and its key there; one at each depth."""
        container, free = self.root, [key for key in _keys_of(self.root) if key not in self.kept]
        while free:
            key = self.random.choice(free)
            inside = _keys_of(container[key])
            if not inside or self.random.random() < STOPS:
                return container, key
            container, free = container[key], inside
        return [None], 0

    @property
    def places(self) -> Iterator[tuple[Any, Any]]:
        """Every place that may be changed."""
        free = self.root
        if self.kept and isinstance(free, dict):
            free = {key: one for key, one in free.items() if key not in self.kept}
        for container, key in places_in(free):
            yield (self.root if container is free else container), key

    def as_written(self, text: str) -> str:
        """The text with what its stand-ins stand for."""
        for number, raw in reversed(list(enumerate(self.raws))):
            most = max(1, MOST_BYTES // (len(raw) + 1))  # where a copy of it was made often
            text = text.replace(json.dumps(_RAW % number), raw, most)
            text = text.replace(_RAW % number, raw, most)
        return text

    @property
    def size(self) -> int:
        """How many bytes something large has."""
        most = MOST_BYTES if self.random.random() < LARGE else USUAL_BYTES
        return round(math.exp(self.random.uniform(math.log(LEAST_BYTES), math.log(most))))


def _keys_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def places_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each of its keys or numbers."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        inside = part.items() if isinstance(part, dict) else enumerate(part)
        for key, one in inside if isinstance(part, dict | list) else ():
            yield part, key
            if isinstance(one, dict | list):
                waiting.append(one)


# --- changes -------------------------------------------------------------------------------


def odd_values(tree: Tree) -> None:
    """A few places hold something else."""
    for _ in range(tree.random.choice((1, 1, 2, 3, 8))):
        container, key = tree.place()
        container[key] = tree.raw(tree.random.choice(odd.JSON_VALUES))


def odd_keys(tree: Tree) -> None:
    """A few keys are gone, or are others."""
    for _ in range(tree.random.choice((1, 1, 2, 5))):
        container, key = tree.place()
        value = container.pop(key)
        if isinstance(container, dict) and tree.random.random() < 0.5:
            container[tree.random.choice(odd.KEYS)] = value


def wrong_types(tree: Tree) -> None:
    """A few values are of another type."""
    for _ in range(tree.random.choice((1, 2, 5))):
        container, key = tree.place()
        value = container[key]
        told = value if isinstance(value, str) else json.dumps(value)
        others = (told, [value], {"value": value}, [[value]], len(told), bool(value), None, value)
        container[key] = tree.random.choice(others)


def huge_numbers(tree: Tree) -> None:
    """A few values, the numbers first, are numbers that no computer counts with."""
    numbers = [(c, k) for c, k in tree.places if isinstance(c[k], int | float)]
    for _ in range(tree.random.choice((1, 2, 5))):
        container, key = tree.random.choice(numbers) if numbers else tree.place()
        raw = tree.random.choice(_HUGE)
        container[key] = tree.raw(raw if tree.random.random() < 0.7 else f'"{raw}"')


def half_surrogates(tree: Tree) -> None:
    """Texts and keys with a half of a surrogate in them."""
    for _ in range(tree.random.choice((1, 3, 10))):
        container, key = tree.place()
        half, value = tree.random.choice(_HALVES), container[key]
        text = value if isinstance(value, str) else ""
        at = tree.random.randrange(len(text) + 1)
        container[key] = text[:at] + half + text[at:]
        if isinstance(container, dict) and tree.random.random() < 0.2:
            container[key + half] = container.pop(key)


def same_keys(tree: Tree) -> None:
    """An object, below the root where the root proves something, has its keys twice or often."""
    random = tree.random
    objects = [(c, k) for c, k in tree.places if isinstance(c[k], dict) and c[k]]
    whole = isinstance(tree.root, dict) and not tree.kept and random.random() < 0.3
    if not (whole or objects):
        odd_values(tree)
        return
    container, key = ([tree.root], 0) if whole else random.choice(objects)
    inside = [f"{json.dumps(name)}:{json.dumps(one)}" for name, one in container[key].items()]
    one = random.choice(inside)
    often = max(1, min(random.choice((1, 50, 2_000)), tree.size // len(one)))
    again = random.choice((inside, [one] * often))
    raw = tree.raw("{" + ",".join([*inside, *again]) + "}")
    if whole:
        tree.root = raw
    else:
        container[key] = raw


def long_texts(tree: Tree) -> None:
    """A place, or many, or a key, with a long run of something awkward."""
    size, count = tree.size, tree.random.choice((1, 1, 3, 12))
    text = a_text(tree.random)
    for _ in range(count):
        container, key = tree.place()
        long = within(any_wrap(tree.random, text, str(key)), max(8, size // count))
        if isinstance(container, dict) and tree.random.random() < 0.1:
            container[long] = container.pop(key)
        else:
            container[key] = long


def thousands(tree: Tree) -> None:
    """A list with far too many entries, or an object with far too many fields."""
    random = tree.random
    lists = [(c, k) for c, k in tree.places if isinstance(c[k], list) and c[k]]
    if lists and random.random() < 0.6:
        container, key = random.choice(lists)
        unit = random.choice(container[key])
        container[key] = _many(tree, [json.dumps(unit), *map(json.dumps, tree.others[:1])])
        return
    container, key = tree.place()
    if isinstance(container, dict) and random.random() < 0.5:
        value = container[key]
        room = max(1, tree.size // (len(json.dumps(value)) + 12))
        container.update((f"{key}{n}", value) for n in range(min(room, random.choice(_COUNTS))))
    else:
        container[key] = _many(tree, [json.dumps(container[key]), '{"a":1}', "[]", "1", '"a"'])


def _many(tree: Tree, units: Sequence[str]) -> str:
    unit = _slim(tree.random.choice(units), tree.random)
    size = max(tree.size for _ in range(3))
    count = min(max(2, size // (len(unit) + 1)), tree.random.choice(_COUNTS))
    numbered = unit.replace("1", "{}") if "{}" not in unit else unit
    if tree.random.random() < 0.5:  # none is like another
        return tree.raw(
            "[" + ",".join(numbered.replace("{}", str(1 + n)) for n in range(count)) + "]"
        )
    return tree.raw(f"[{','.join([unit] * count)}]")


def _slim(unit: str, random: Random) -> str:
    """The same, or only a few fields of it, so that more of them have room."""
    value = json.loads(unit)
    if not isinstance(value, dict) or len(value) < 3 or random.random() < 0.5:
        return unit
    kept = random.sample(list(value), random.choice((1, 2, 3)))
    return json.dumps({name: one for name, one in value.items() if name in kept})


def many_items(tree: Tree) -> None:
    """The whole body many times, as a list; of a list its items many times."""
    if tree.kept:
        thousands(tree)
        return
    unit = json.dumps(tree.random.choice(tree.root) if isinstance(tree.root, list) else tree.root)
    tree.root = _many(tree, [unit])


def deep(tree: Tree) -> None:
    """A value deep in lists or objects."""
    container, key = tree.place()
    opening, closing = tree.random.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
    depth = tree.random.choice((*_DEPTHS, tree.size // 6))
    container[key] = tree.raw(opening * depth + json.dumps(container[key]) + closing * depth)


def foreign_parts(tree: Tree) -> None:
    """A part of another body of the sender, where it does not belong."""
    for _ in range(tree.random.choice((1, 2, 3))):
        container, key = tree.place()
        other = tree.random.choice(tree.others)
        found = list(places_in(other))
        at, name = tree.random.choice(found) if found else ([other], 0)
        container[key] = json.loads(json.dumps(at[name]))


KINDS: dict[str, tuple[int, Callable[[Tree], None]]] = {
    "odd values": (28, odd_values),
    "odd keys": (10, odd_keys),
    "wrong types": (12, wrong_types),
    "huge numbers": (6, huge_numbers),
    "half surrogates": (6, half_surrogates),
    "same keys": (6, same_keys),
    "long texts": (10, long_texts),
    "thousands": (6, thousands),
    "many items": (4, many_items),
    "deep": (4, deep),
    "foreign parts": (8, foreign_parts),
}
"""How many of a hundred bodies are made how. Of those that are no JSON or form, bytes change."""

ITS_BYTES = "its bytes"
OF_BYTES = 0.08
"""The share of bodies of which bytes change, whatever they mean."""


# --- bodies --------------------------------------------------------------------------------


class Bodies:
    """Makes bodies of one sender's fixtures; ``kept`` is the field that proves them, if one does.

    Raises ``ValueError`` for a sender without a fixture that has a body.
    """

    def __init__(self, name: str, kept: str = "") -> None:
        self._seeds = [
            sent._replace(target=ascii_target(sent.target))
            for sent in fixtures(name=name)
            if sent.body
        ]
        if not self._seeds:
            raise ValueError(f"No fixture of {name} has a body.")
        self._kept = frozenset((kept,)) if kept else frozenset()
        self._values = [value for seed in self._seeds if (value := _value_of(seed)) is not None]
        self._has_json_in_texts = any(
            _holds_json(container[key])
            for value in self._values
            for container, key in places_in(value)
        )

    def mutant(self, random: Random) -> Sent:
        """One request of the sender with another body."""
        sent = of_person(random.choice(self._seeds), random.randrange(PEOPLE))
        value = _value_of(sent)
        if value is None or (not self._kept and random.random() < OF_BYTES):
            return self._with_bytes(sent, random)
        kinds = random.choices(list(KINDS), weights=[weight for weight, _ in KINDS.values()], k=2)
        kinds = kinds[: 1 + (random.random() < AGAIN)]
        tree = Tree(value, self._kept, random, self._values)
        for kind in kinds:
            if isinstance(tree.root, dict | list) and tree.root:
                self._change(tree, kind)
        body = _written(sent, tree)[: MOST_BYTES + 50_000]
        return sent.with_body(body)._replace(made_by=kinds[0])

    def _change(self, tree: Tree, kind: str) -> None:
        """Changes the value, or the JSON that stands as a text in it."""
        _, change = KINDS[kind]
        looks = self._has_json_in_texts and tree.random.random() < 0.5
        inner = [(c, k) for c, k in tree.places if _holds_json(c[k])] if looks else []
        if not inner:
            change(tree)
            return
        container, key = tree.random.choice(inner)
        part = Tree(json.loads(container[key]), frozenset(), tree.random, tree.others)
        change(part)
        container[key] = part.as_written(json.dumps(part.root))

    def _with_bytes(self, sent: Sent, random: Random) -> Sent:
        body = sent.body
        if random.random() < 0.3:
            at = random.randrange(len(body) + 1)
            body = (
                body[:at] + encoded(a_text(random)(random.choice((200, 5_000, 50_000)))) + body[at:]
            )
        for _ in range(random.choice((1, 1, 2, 3, 5))):
            body = mutated(body, random)
        return sent.with_body(body)._replace(made_by=ITS_BYTES)


def _holds_json(value: Any) -> bool:
    if not isinstance(value, str) or value[:1] not in ("{", "[") or len(value) > USUAL_BYTES:
        return False
    try:
        return bool(json.loads(value))
    except (ValueError, RecursionError):
        return False


def _value_of(sent: Sent) -> Any:
    """The body as a tree: its JSON, or the fields of its form; ``None`` for other bodies."""
    content_type = sent.header(b"content-type") or b""
    if sent.body[:1] in (b"{", b"["):
        return json.loads(sent.body)
    if b"multipart" in content_type:
        return multipart_pairs(sent.body) or None
    if b"urlencoded" in content_type:
        return dict(parse_qsl(sent.body.decode(), keep_blank_values=True)) or None
    return None


def _written(sent: Sent, tree: Tree) -> bytes:
    """The tree as the body that it was."""
    if sent.body[:1] in (b"{", b"["):
        text = json.dumps(tree.root, ensure_ascii=tree.random.random() < 0.5)
        return encoded(tree.as_written(text))
    root = tree.root if isinstance(tree.root, dict) else {"a": tree.root}
    pairs = [
        (tree.as_written(name), tree.as_written(one if isinstance(one, str) else json.dumps(one)))
        for name, one in root.items()
    ]
    is_multipart = b"multipart" in (sent.header(b"content-type") or b"")
    return multipart_of(sent.body, pairs) if is_multipart else urlencoded_of(pairs)
