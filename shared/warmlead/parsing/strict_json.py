"""Strict JSON: finds, names and mends what Python's parser accepts and storage would refuse."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, groupby
from typing import Any

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import UTF_8, Tell, decode

MAX_DEPTH = 32
"""Limit of nesting of an item; a whole body may be a little deeper, since batches wrap items."""

MAX_FAULTS = 5_000
"""A body with more faults is rejected as a whole: correcting each would cost more than the rest."""

MAX_CONTAINERS = 125_000
"""The most lists and objects of a body: fifty in each event of the largest batch."""

_PARSED_DEPTH = 200  # far below the parser's own limit; what is deeper is not even read
_MAX_INTEGER_DIGITS = 19
_MAX_INTEGER = 2**63

# Escapes that are complete: anything but \u, pairs of surrogates, and \u that is not a surrogate.
_SOUND_ESCAPE = re.compile(
    rb"\\(?:[^u]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u(?![dD][89a-fA-F]))"
)
_COMPACT = json.JSONEncoder(check_circular=False, separators=(",", ":"))
_STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]+|[\]}]+', re.DOTALL)
_QUOTES_AND_BRACKETS = b'"[]{}'
_OTHERS = bytes(set(range(256)) - set(_QUOTES_AND_BRACKETS))
_AS_PARENTHESES = bytes.maketrans(b"[]{}", b"()()")
_AS_STEPS = bytes.maketrans(b"()", b"\x01\xff")  # one level down, or up: 1 or -1 as a signed byte
_PASSES = 6


class JsonFault(Struct, frozen=True):
    """Stands in a parsed value where something cannot be used.

    ``text`` is what stood there, or, of an object with a key that is there twice, ``pairs`` are
    its keys and values.
    """

    reason: Reason
    message: str
    text: str = ""
    pairs: list[tuple[str, object]] | None = None


class JsonDocument(Struct, frozen=True):
    """A parsed body. Only the items of a ``suspect`` body can hold faults."""

    value: object
    suspect: bool


def parse(body: bytes) -> JsonDocument:
    """Reads JSON in UTF-8, leaving local faults in place; raises if it cannot be read at all."""
    if not body or body.isspace():
        raise RejectedError(Reason.BODY_EMPTY, "The body is empty; JSON was expected.")
    text, suspect = _decode(body)
    sound = _SOUND_ESCAPE.sub(b"", body) if b"\\" in body else body
    brackets = _brackets(sound)
    if len(brackets) > 2 * MAX_CONTAINERS:
        raise RejectedError(
            Reason.BODY_TOO_LARGE, f"The body holds more than {MAX_CONTAINERS} lists and objects."
        )
    depth = _depth(brackets)
    if depth > _PARSED_DEPTH:
        text = _without_depths(text)
    reader = _Reader()
    try:
        value = reader.decoder.decode(text)
    except json.JSONDecodeError as error:
        raise RejectedError(
            Reason.JSON_INVALID, f"The body is not JSON: {error.msg} at character {error.pos}."
        ) from None  # the original holds the whole body
    except RecursionError as error:
        raise _too_deep() from error
    return JsonDocument(
        value, suspect or b"\\u" in sound or depth > MAX_DEPTH or reader.has_found_faults
    )


def loads(body: bytes) -> object:
    """Reads JSON in UTF-8 and raises ``RejectedError`` for any fault anywhere in it."""
    document = parse(body)
    fault = fault_in(document.value) if document.suspect else None
    if fault:
        raise fault
    return document.value


def fault_in(value: object) -> RejectedError | None:
    """A fault in the value, as an error for its rejection; ``None`` if it has none."""
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, JsonFault):
            return RejectedError(part.reason, part.message)
        if isinstance(part, str):
            if not part.isascii() and (fault := _fault_in_text(part)):
                return fault
        elif isinstance(part, dict | list):
            if depth > MAX_DEPTH:
                return _too_deep()
            if isinstance(part, dict):
                waiting.extend((key, depth) for key in part)
                part = part.values()  # the keys went with the line above
            waiting.extend((child, depth + 1) for child in part)
    return None


def text_of(value: object) -> str:
    """JSON text of a parsed value, its faults as they were sent; in ASCII, so it can be stored."""
    try:
        return _COMPACT.encode(value)  # in C, unless there is a fault
    except TypeError:
        holders: set[int] = set()
        _note_holders(value, holders)
        return _text_with_faults(value, holders)


def _note_holders(value: object, holders: set[int]) -> bool:
    """Whether there is a fault in a value; notes the ``id`` of each part in which there is one."""
    parts: Iterable[object] = ()
    if isinstance(value, JsonFault):
        parts = [child for _, child in value.pairs or ()]
    elif isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list):
        parts = value
    holds = isinstance(value, JsonFault)
    for part in parts:
        if isinstance(part, dict | list | JsonFault) and _note_holders(part, holders):
            holds = True
    if holds:
        holders.add(id(value))
    return holds


def _text_with_faults(value: object, holders: set[int]) -> str:
    if id(value) not in holders:
        return _COMPACT.encode(value)
    if isinstance(value, list):
        return f"[{','.join(_elements(value, holders))}]"
    if isinstance(value, dict):
        return f"{{{','.join(_members(value.items(), holders))}}}"
    if isinstance(value, JsonFault) and value.pairs is not None:
        return f"{{{','.join(_members(value.pairs, holders))}}}"
    return value.text if isinstance(value, JsonFault) else ""


def _elements(values: Iterable[object], holders: set[int]) -> Iterator[str]:
    """The texts of elements; those without a fault that follow each other are written as one."""
    for holds, some in groupby(values, key=lambda value: id(value) in holders):
        if holds:
            yield from (_text_with_faults(value, holders) for value in some)
        else:
            yield _COMPACT.encode(list(some))[1:-1]


def _members(pairs: Iterable[tuple[str, object]], holders: set[int]) -> Iterator[str]:
    """The texts of an object's members, in the same way; a key may be there more than once."""
    sound: dict[str, object] = {}
    for key, value in pairs:
        if sound and (key in sound or id(value) in holders):
            yield _COMPACT.encode(sound)[1:-1]
            sound = {}
        if id(value) in holders:
            yield f"{_COMPACT.encode(key)}:{_text_with_faults(value, holders)}"
        else:
            sound[key] = value
    if sound:
        yield _COMPACT.encode(sound)[1:-1]


def _decode(body: bytes) -> tuple[str, bool]:
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        # Bytes that are not UTF-8 become U+DC80 to U+DCFF, and cost only the item they are in.
        return body.decode(errors="surrogateescape"), True


def _fault_in_text(text: str) -> RejectedError | None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if "\udc80" <= text[error.start] <= "\udcff":
            return RejectedError(Reason.CHARSET_INVALID, "A text is not in UTF-8.")
        return RejectedError(Reason.JSON_SURROGATE, "A text holds half of a surrogate pair.")
    return None


def _brackets(sound: bytes) -> bytes:
    """The brackets outside of strings, as parentheses."""
    outside_strings = sound.translate(None, _OTHERS).split(b'"')[::2]
    return b"".join(outside_strings).translate(_AS_PARENTHESES)


def _depth(brackets: bytes) -> int:
    """How deep the brackets nest; of what is not JSON at least the depth up to its first fault.

    Pairs that hold nothing are taken away: a few passes in C, after which most bodies have no
    brackets left. What is left had as many levels more as there were passes.
    """
    for depth in range(_PASSES):
        if not brackets:
            return depth
        brackets = brackets.replace(b"()", b"")
    steps = memoryview(brackets.translate(_AS_STEPS)).cast("b")
    return max(accumulate(steps), default=0) + _PASSES


def _without_depths(text: str) -> str:
    """The text with ``null`` for each value that is nested deeper than is parsed, in one pass.

    What is around such a value is deeper than is allowed, so it is found as a local fault.
    Raises ``RejectedError`` if one does not end.
    """
    kept: list[str] = []
    depth = since = 0
    for found in _STRUCTURE.finditer(text):  # a string, or brackets of one kind in a row
        count = found.end() - found.start()
        match text[found.start()]:
            case "[" | "{":
                if depth <= _PARSED_DEPTH < depth + count:
                    kept.append(text[since : found.start() + _PARSED_DEPTH - depth])
                depth += count
            case "]" | "}":
                if depth > _PARSED_DEPTH >= depth - count:
                    kept.append("null")
                    since = found.start() + depth - _PARSED_DEPTH
                depth -= count
    if depth > _PARSED_DEPTH:
        raise _too_deep()
    return "".join((*kept, text[since:]))


def _too_deep() -> RejectedError:
    return RejectedError(Reason.JSON_TOO_DEEP, f"Nested deeper than {MAX_DEPTH} levels.")


class _Reader:
    """A JSON decoder that remembers whether it left faults in what it read."""

    def __init__(self) -> None:
        self._faults = 0
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )

    @property
    def has_found_faults(self) -> bool:
        return self._faults > 0

    def _fault(
        self,
        reason: Reason,
        message: str,
        text: str = "",
        pairs: list[tuple[str, object]] | None = None,
    ) -> JsonFault:
        self._faults += 1
        if self._faults > MAX_FAULTS:
            raise RejectedError(reason, f"{message} There are more than {MAX_FAULTS} such faults.")
        return JsonFault(reason, message, text, pairs)

    def _object(self, pairs: list[tuple[str, object]]) -> dict[str, object] | JsonFault:
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        # Its text is made when it is asked for: such objects may be nested in each other.
        self._faults += len(pairs) - len(value) - 1  # each value too many is one
        message = "An object has the same key twice."
        return self._fault(Reason.JSON_DUPLICATE_KEY, message, pairs=pairs)

    def _integer(self, text: str) -> int | JsonFault:
        if len(text) <= _MAX_INTEGER_DIGITS + 1:
            value = int(text)
            if -_MAX_INTEGER <= value < _MAX_INTEGER:
                return value
        return self._fault(
            Reason.JSON_INTEGER_TOO_LARGE, "An integer does not fit into 64 bits.", text
        )

    def _float(self, text: str) -> float | JsonFault:
        value = float(text)
        if abs(value) != float("inf"):
            return value
        return self._fault(Reason.JSON_NOT_A_NUMBER, "A number is too large.", text)

    def _constant(self, text: str) -> JsonFault:
        return self._fault(Reason.JSON_NOT_A_NUMBER, "NaN and Infinity are no JSON.", text)


MAX_DIGITS = 200
"""The longest integer beyond 64 bits, in digits, that is kept as text."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_LEFT_OUT = object()
_EMPTY = ("", None)

KeepAll = Callable[[str], bool]
"""Whether all values of a key that is there twice are wanted, as a list."""


def mended(value: Any, tell: Tell, keep_all: KeepAll) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The value without faults; ``None`` if nothing of it is left. Linear in its size.

    ``NaN``, infinities and what is nested deeper than 32 levels are left out. Integers
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
        """The part of a value under a key that can be kept."""
        kind = type(value)
        if kind is str:
            return value if value.isascii() else self._text(value, key)
        if kind is JsonFault and value.pairs is None:
            return self._number(value, key)
        if kind is not list and kind is not dict and kind is not JsonFault:
            return value
        if depth > MAX_DEPTH:
            self._tell(key, f"was left out: it is nested deeper than {MAX_DEPTH} levels")
            return _LEFT_OUT
        if kind is list:
            return self._list(value, key, depth)
        pairs = value.items() if kind is dict else value.pairs
        return self._object(pairs, depth) if kind is dict else self._repeated(pairs, depth)

    def _list(self, values: list[Any], key: str, depth: int) -> list[Any]:
        """The list; with one call for each list in it, as two bytes of a body make one."""
        found = []
        deeper = depth + 1
        for value in values:
            if type(value) is list and depth < MAX_DEPTH:
                found.append(self._list(value, key, deeper))
                continue
            kept = self.value(value, key, deeper)
            if kept is not _LEFT_OUT:
                found.append(kept)
        return found

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

    def _number(self, fault: JsonFault, key: str) -> Any:  # noqa: ANN401  # a text, or what says that there is none
        if fault.reason is Reason.JSON_INTEGER_TOO_LARGE and len(fault.text) <= MAX_DIGITS:
            self._tell(key, "is larger than 64 bits; it was kept as text")
            return fault.text
        self._tell(key, "was left out: its number cannot be kept")
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
