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
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_to_bytes

Wasted = Callable[..., None]


class Slowness(NamedTuple):
    """What is wasted, before which function; whose requests of which size are to show it."""

    says: str
    module: str
    name: str
    wasted: Wasted
    functions: Sequence[str]
    most: int = 100_000


def plant(name: str) -> None:
    """Plants a slowness into this process, wherever its function is known by name."""
    slowness = PLANTED[name]
    original = getattr(importlib.import_module(slowness.module), slowness.name)

    def slow(*given: Any, **named: Any) -> Any:
        slowness.wasted(*given, **named)
        return original(*given, **named)

    for module in [*sys.modules.values()]:
        if getattr(module, "__name__", "").partition(".")[0] == "warmlead":
            for attribute, value in [*vars(module).items()]:
                if value is original:
                    setattr(module, attribute, slow)
    if name == "pattern-of-tomorrow":  # as if it stood in the module
        vars(sys.modules[slowness.module])["_LEGAL_FORM"] = _LEGAL_FORM


_AFTER = re.compile(
    r"[-+]?\d+\s*(?:\+|or\s+more|(?:[-–—]|to)\s*\d[\d.,' ]*)?\s*(?:employees?|people|users?)?\s*"
)
_LEGAL_FORM = re.compile(r"(?:[A-Za-z]+[ -]?)+(?:GmbH|Ltd|Inc)\.?")


def _number(value: object, *_: object) -> None:
    if isinstance(value, str):
        _AFTER.fullmatch(value.strip())


def _lines(body: bytes, *_: object) -> None:
    pairs: list[tuple[str, str]] = []
    for line in body.decode("utf-8", "replace").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            pairs.append((name, value))
        elif pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\n{line}")


def _idna(text: str, *_: object) -> None:
    with suppress(UnicodeError):
        text.strip().lower().rpartition("@")[2].encode("idna")


def _marks(text: str, *_: object) -> None:
    apart = unicodedata.normalize("NFKD", text.casefold())
    "".join(letter for letter in apart if not unicodedata.combining(letter))


def _pairs(body: bytes, *_: object) -> None:
    raw = [part.partition(b"=") for part in body.replace(b"+", b" ").split(b"&")]
    [(unquote_to_bytes(name).decode("latin-1"), unquote_to_bytes(value)) for name, _, value in raw]


def _flattened(payload: object, *_: object) -> None:
    if isinstance(payload, dict):
        for key, value in payload.items():
            re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()).strip("_")
            unicodedata.normalize("NFKD", json.dumps([key, value]))
            _flattened(value)


class _Told(str):
    __slots__ = ()


def _duplicates(body: bytes, *_: object) -> None:
    """An object that has a key twice is written down again by each object around it."""

    def told(pairs: list[tuple[str, object]]) -> object:
        if len(dict(pairs)) == len(pairs) and not any(isinstance(v, _Told) for _, v in pairs):
            return dict(pairs)
        return _Told("".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs))

    with suppress(ValueError, RecursionError):
        json.loads(body, object_pairs_hook=told)


def _parameters(header: str, *_: object) -> None:
    while ";" in header:
        header = header.partition(";")[2].strip()


def _unquoted(*_: object, url: object = None, **__: object) -> None:
    text = str(url)
    while (mended := unquote(text)) != text:
        text = mended


def _without_doubles(value: object, *_: object) -> None:
    if isinstance(value, list):
        [each for place, each in enumerate(value) if each not in value[:place]]


def _legal_form(_: str, value: object) -> None:
    if isinstance(value, str):
        _LEGAL_FORM.fullmatch(value.strip())


PLANTED = {
    "number-pattern": Slowness(
        "a number is matched by a pattern with several blanks side by side: cubic",
        "warmlead.model.coercion", "coerce", _number, ("forms", "track"),
    ),
    "lines-added-up": Slowness(
        "each line of a plain text is added to the text before it: quadratic",
        "warmlead.web.form_data", "parse_text_plain", _lines, ("forms",),
    ),
    "idna-before-the-limit": Slowness(
        "an address is brought to ASCII before its length is looked at",
        "warmlead.domain.identity", "normalise_email", _idna, ("forms", "track"),
    ),
    "marks-before-the-cut": Slowness(
        "a name is decomposed before it is cut: quadratic in alternating marks",
        "warmlead.domain.event", "snake_case", _marks, ("track",),
    ),
    "split-before-counting": Slowness(
        "fields of a form are split and unquoted before they are counted",
        "warmlead.web.form_data", "parse_urlencoded", _pairs, ("forms",),
    ),
    "flattened-before-counting": Slowness(
        "fields of JSON are flattened before they are counted",
        "warmlead.sources.fields", "flatten", _flattened, ("forms", "track"),
    ),
    "duplicates-told-again": Slowness(
        "what has a key twice is written down again at every level around it: quadratic",
        "warmlead.web.strict_json", "parse", _duplicates, ("forms", "track", "sales"),
    ),
    "parameters-cut-off": Slowness(
        "a header's parameters are cut off one by one: quadratic",
        "warmlead.web.form_data", "parameter_of", _parameters, ("forms",),
    ),
    "unquoted-until-nothing-changes": Slowness(
        "a URL is unquoted for as long as that changes it: quadratic",
        "warmlead.sources.attribution", "attribution_of", _unquoted, ("track",),
    ),
    "doubles-searched-in-stored-lists": Slowness(
        "doubles of a stored list are searched with each event: quadratic, paid again",
        "warmlead.model.coercion", "coerce", _without_doubles, ("score",),
    ),
    "pattern-of-tomorrow": Slowness(
        "a pattern that nobody told the campaign of: exponential",
        "warmlead.sources.traits", "trait_value", _legal_form, ("forms", "track"),
    ),
}  # fmt: skip
