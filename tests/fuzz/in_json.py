"""Mutations of JSON that stays JSON, or nearly: values, keys, parts of other requests."""

import gzip
import json
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any

from fuzz import odd
from fuzz.in_bytes import with_mutated_bytes
from fuzz.sent import Sent

_RAW = "@@raw@@"
"""Stands in the tree where text is put that the JSON library would not write."""


def with_mutated_json(sent: Sent, random: Random, corpus: Sequence[Sent]) -> Sent:
    """One to three places of the JSON changed; what is no JSON has its bytes mutated."""
    root = _json_of(sent)
    if not isinstance(root, dict | list) or not root:
        return with_mutated_bytes(sent, random, corpus)
    raws = [random.choice(odd.JSON_VALUES) for _ in range(random.choice((1, 1, 2, 3)))]
    for number in range(len(raws)):
        _change(root, f"{_RAW}{number}", random, corpus)
    text = json.dumps(root, ensure_ascii=random.random() < 0.5)
    for number, raw in enumerate(raws):
        text = text.replace(json.dumps(f"{_RAW}{number}"), raw)
    plain = sent.with_header(b"content-encoding", None)
    return plain.with_body(text.encode("utf-8", "surrogatepass"))


def _change(root: Any, raw: str, random: Random, corpus: Sequence[Sent]) -> None:
    """Changes one place: most often it becomes what ``raw`` stands for."""
    parent, key = random.choice(_places(root))
    how = random.randrange(6)
    if how == 0:
        del parent[key]
    elif how == 1 and isinstance(parent, dict):
        parent[random.choice(odd.KEYS)] = parent.pop(key)
    elif how == 2:
        parent[key] = _a_part(_json_of(random.choice(corpus)), random)
    elif how == 3 and isinstance(parent, list):
        parent.extend([parent[key]] * random.choice((1, 2, 20, 101)))
    elif how == 4 and isinstance(parent, dict):
        parent[random.choice(odd.KEYS)] = raw
    else:
        parent[key] = raw


def _json_of(sent: Sent) -> Any:
    body = sent.body
    try:
        return json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    except (ValueError, OSError, EOFError, zlib.error):
        return None


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Every place in the tree, as its container and its key there."""
    places: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting:
        part = waiting.pop()
        inside = part.items() if isinstance(part, dict) else enumerate(part)
        for key, value in inside:
            places.append((part, key))
            if isinstance(value, dict | list):
                waiting.append(value)
    return places or [([None], 0)]


def _a_part(root: Any, random: Random) -> Any:
    if not isinstance(root, dict | list):
        return root
    parent, key = random.choice(_places(root))
    return json.loads(json.dumps(parent[key]))
