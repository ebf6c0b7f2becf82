"""JSON with local faults, made usable: what cannot be kept is left out or replaced, and told.

``strict_json`` finds the faults. Here nothing is refused: one bad field does not cost the others.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from warmlead.domain.errors import Reason
from warmlead.web.charsets import UTF_8, Tell, decode
from warmlead.web.strict_json import MAX_DEPTH, Fault

MAX_DIGITS = 200
"""The longest integer beyond 64 bits, in digits, that is kept as text."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_LEFT_OUT = object()
_EMPTY = ("", None)

KeepAll = Callable[[str], bool]
"""Whether all values of a key that is there twice are wanted, as a list."""


def mended(value: Any, tell: Tell, keep_all: KeepAll) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The value without faults; ``None`` if nothing of it is left. Linear in its size.

    Numbers that are none are left out, and so is what is nested deeper than 32 levels. Integers
    beyond 64 bits become texts, half surrogate pairs U+FFFD. Of a key that is there twice the
    last value that is not empty is kept, or all if the key is one of ``keep_all``.
    """
    found = _Mending(tell, keep_all).value(value, "", 1)
    return None if found is _LEFT_OUT else found


class _Mending:
    def __init__(self, tell: Tell, keep_all: KeepAll) -> None:
        self._tell = tell
        self._keep_all = keep_all

    def value(self, value: Any, key: str, depth: int) -> Any:  # noqa: ANN401  # whatever JSON holds
        """What can be kept of a value that stands under a key."""
        if isinstance(value, str):
            return value if value.isascii() else self._text(value, key)
        if isinstance(value, Fault) and value.pairs is None:
            return self._number(value, key)
        if not isinstance(value, dict | list | Fault):
            return value
        if depth > MAX_DEPTH:
            self._tell(key, f"was left out: it is nested deeper than {MAX_DEPTH} levels")
            return _LEFT_OUT
        return self._group(value, key, depth)

    def _group(self, group: Any, key: str, depth: int) -> Any:  # noqa: ANN401  # whatever JSON holds
        if isinstance(group, list):
            kept = (self.value(each, key, depth + 1) for each in group)
            return [each for each in kept if each is not _LEFT_OUT]
        if isinstance(group, Fault):
            return self._repeated(group.pairs or (), depth)
        return self._object(group.items(), depth)

    def _object(self, pairs: Iterable[tuple[str, Any]], depth: int) -> dict[str, Any]:
        found = {}
        for key, value in pairs:
            kept = self.value(value, key, depth + 1)
            if kept is not _LEFT_OUT:
                found[self._text(key, "")] = kept
        return found

    def _repeated(self, pairs: Iterable[tuple[str, Any]], depth: int) -> dict[str, Any]:
        values: dict[str, list[Any]] = {}
        for key, value in pairs:
            kept = self.value(value, key, depth + 1)
            of_key = values.setdefault(self._text(key, ""), [])
            if kept is not _LEFT_OUT:
                of_key.append(kept)
        return {key: self._one_of(key, found) for key, found in values.items() if found}

    def _one_of(self, key: str, values: list[Any]) -> Any:  # noqa: ANN401  # whatever JSON holds
        filled = [value for value in values if value not in _EMPTY]
        if not filled or all(value == filled[0] for value in filled):
            return filled[0] if filled else values[0]
        if self._keep_all(key):
            return filled
        self._tell(key, "was there several times; the last value was kept")
        return filled[-1]

    def _number(self, fault: Fault, key: str) -> Any:  # noqa: ANN401  # a text, or what says that there is none
        if fault.reason is Reason.JSON_INTEGER_TOO_LARGE and len(fault.text) <= MAX_DIGITS:
            self._tell(key, "is larger than 64 bits; it was kept as text")
            return fault.text
        self._tell(key, "was left out: it is no number that can be kept")
        return _LEFT_OUT

    def _text(self, text: str, key: str) -> str:
        """The text without half surrogate pairs, and without what stands for undecodable bytes."""
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
        try:
            raw = text.encode(UTF_8, "surrogateescape")
        except UnicodeEncodeError:
            self._tell(key, "half a surrogate pair was replaced")
            return _SURROGATES.sub("\ufffd", text)
        return decode(raw, UTF_8, self._tell, key)
