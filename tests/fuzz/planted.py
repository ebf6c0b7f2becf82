"""Slownesses that are planted into the functions, to see that the campaign finds each.

Each wraps a function of the product, at run time, with work that grows faster than what it is
given; the function itself goes on as it is. So a slowness stays planted however the product is
rewritten, as long as there is a function of that name that is given that text.
"""

import importlib
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from fuzz import on_forms, on_sales, on_track
from fuzz.attacks import in_header, many_values, nested
from fuzz.long import BLANKS, MARKS
from fuzz.shapes import Attack

Wasted = Callable[..., None]


class Slowness(NamedTuple):
    """What is wasted, before which function; and which attacks are to show it."""

    says: str
    module: str
    name: str
    wasted: Wasted
    shapes: Sequence[tuple[Attack, int]]
    units: Sequence[str] = ()
    most: int = 1_000_000


def plant(name: str) -> None:
    """Plants a slowness into this process, wherever its function is known by name."""
    slowness = PLANTED[name]
    module = importlib.import_module(slowness.module)
    *inside, last = slowness.name.split(".")
    holder = reduce(getattr, inside, module)
    original = getattr(holder, last)

    def slow(*given: Any, **named: Any) -> Any:
        slowness.wasted(*given, **named)
        return original(*given, **named)

    setattr(holder, last, slow)
    for other in [*sys.modules.values()]:
        if getattr(other, "__name__", "").partition(".")[0] == "warmlead":
            for attribute, value in [*vars(other).items()]:
                if value is original:
                    setattr(other, attribute, slow)
    if name == "pattern-of-tomorrow":  # as if it stood in the module
        vars(module)["_LEGAL_FORM"] = _LEGAL_FORM


_AFTER = re.compile(
    r"[-+]?\d+\s*(?:\+|or\s+more|(?:[-–—]|to)\s*\d[\d.,' ]*)?\s*(?:employees?|people|users?)?\s*"
)
_LEGAL_FORM = re.compile(r"(?:[A-Za-z]+[ -]?)+(?:GmbH|Ltd|Inc)\.?")


def _number(value: object, *_: object, **__: object) -> None:
    if isinstance(value, str):
        _AFTER.fullmatch(value.strip())


def _lines(body: bytes, *_: object, **__: object) -> None:
    pairs: list[tuple[str, str]] = []
    for line in body.decode("utf-8", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            pairs.append((name, value))
        elif pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\n{line}")


def _idna(text: str, *_: object, **__: object) -> None:
    with suppress(UnicodeError):
        text.strip().lower().rpartition("@")[2].encode("idna")


def _marks(text: str, *_: object, **__: object) -> None:
    apart = unicodedata.normalize("NFKD", text.casefold())
    "".join(letter for letter in apart if not unicodedata.combining(letter))


def _pairs(body: bytes, *_: object, **__: object) -> None:
    for part in body.replace(b"+", b" ").split(b"&"):
        name, _equals, value = part.partition(b"=")
        _named(unquote_to_bytes(name).decode("latin-1"), unquote_to_bytes(value).decode("latin-1"))


def _named(name: str, value: object) -> None:
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())
    standard = re.sub(r"(?:(?:contact|lead|data|fields)_)+", "", words.strip("_"))
    unicodedata.normalize("NFKD", json.dumps([standard, str(value).strip()]))


def _flattened(payload: object) -> None:
    parts = payload.items() if isinstance(payload, dict) else ()
    for key, value in parts:
        _named(key, value)
        _flattened(value)


def _all_flattened(body: bytes, *_: object, **__: object) -> None:
    with suppress(ValueError, RecursionError):
        payload = json.loads(body)
        _flattened(payload)  # for the names
        _flattened(payload)  # and for the values


class _Told(str):
    __slots__ = ()


def _written(value: object) -> str:
    return value if isinstance(value, _Told) else json.dumps(value)


def _duplicates(body: bytes, *_: object, **__: object) -> None:
    """An object that has a key twice is written down again by each object around it."""

    def told(pairs: list[tuple[str, object]]) -> object:
        if len(dict(pairs)) == len(pairs) and not any(isinstance(v, _Told) for _, v in pairs):
            return dict(pairs)
        return _Told("".join(f"{json.dumps(name)}:{_written(value)}" for name, value in pairs))

    with suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=told)


def _parameters(headers: Mapping[str, str], **__: object) -> None:
    for header in headers.values():
        left = header.split(";")
        while len(left) > 1:
            left = [part.strip() for part in left[1:]]


def _mended(*_: object, url: object = None, **__: object) -> None:
    text = str(url)
    while "%25" in text:
        text = text.replace("%25", "%", 1)


def _without_doubles(value: object, *_: object, **__: object) -> None:
    if isinstance(value, list):
        [each for place, each in enumerate(value) if each not in value[:place]]


def _legal_form(_: str, value: object, **__: object) -> None:
    if isinstance(value, str):
        _LEGAL_FORM.fullmatch(value.strip())


def _shapes(*makers: Attack, most: int = 1_000_000) -> Sequence[tuple[Attack, int]]:
    return [(make, most) for make in makers]


PLANTED = {
    "number-pattern": Slowness(
        "a number is matched by a pattern with several blanks side by side: cubic",
        "warmlead.model.coercion", "coerce", _number,
        _shapes(on_sales.pushed_event, on_track.one_place_in_each, most=60_000), BLANKS,
    ),
    "lines-added-up": Slowness(
        "each line of a plain text is added to the text before it: quadratic",
        "warmlead.parsing.form_bodies", "parse_text_plain", _lines,
        _shapes(on_forms.many_lines, on_forms.as_text_plain), most=300_000,
    ),
    "idna-before-the-limit": Slowness(
        "an address is brought to ASCII before its length is looked at",
        "warmlead.domain.identity", "normalise_email", _idna,
        _shapes(on_track.one_place_in_each, most=300_000), MARKS,
    ),
    "marks-before-the-cut": Slowness(
        "a name is decomposed before it is cut: quadratic in alternating marks",
        "warmlead.senders.person", "event_name", _marks,
        _shapes(on_track.one_place_in_each, most=300_000), MARKS,
    ),
    "split-before-counting": Slowness(
        "fields of a form are split, unquoted and named before they are counted",
        "warmlead.parsing.form_bodies", "parse_urlencoded", _pairs,
        _shapes(on_forms.many_fields, most=300_000),
    ),
    "flattened-before-counting": Slowness(
        "fields of JSON are flattened before they are counted",
        "warmlead.parsing.strict_json", "parse", _all_flattened,
        _shapes(many_values, most=300_000),
    ),
    "duplicates-told-again": Slowness(
        "what has a key twice is written down again at every level around it: quadratic",
        "warmlead.parsing.strict_json", "parse", _duplicates,
        _shapes(nested, most=300_000),
    ),
    "parameters-cut-off": Slowness(
        "a header's parameters are cut off one by one: quadratic",
        "warmlead.web.edge", "cors_headers", _parameters,
        _shapes(in_header, most=60_000), (";", ";a=", "a;", "; a=b"),
    ),
    "escapes-mended-one-by-one": Slowness(
        "escapes of a URL that were escaped once more are mended one by one: quadratic",
        "warmlead.senders.attribution", "visit_of", _mended,
        _shapes(on_track.one_place_in_each, most=300_000), ("%25",),
    ),
    "doubles-searched-in-stored-lists": Slowness(
        "doubles of a stored list are searched with each event: quadratic, paid again",
        "warmlead.model.coercion", "coerce", _without_doubles,
        _shapes(on_sales.pushed_list, most=100_000),
    ),
    "pattern-of-tomorrow": Slowness(
        "a pattern that nobody told the campaign of: exponential",
        "warmlead.senders.person", "trait_value", _legal_form,
        _shapes(on_forms.as_submissions, most=100_000),
    ),
}  # fmt: skip
