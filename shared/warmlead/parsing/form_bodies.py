"""Bodies of HTML forms as nested fields: urlencoded, ``text/plain`` and ``multipart/form-data``."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import UTF_8, Tell, codec_or_default, decode

FIRST_FIELDS = 400
LAST_FIELDS = 100
MAX_BETWEEN = 100
"""Limit of fields between the first and the last ones that are kept, if they are needed."""

FIRST_LINES = 16_000
LAST_LINES = 4_000
MAX_NESTING = 5
MAX_NEEDED = 1_000
"""The bytes of a name, and of a value, that tell whether the field is needed."""

MAX_BRACKETED = 400
"""The longest name, in characters, that is looked at for brackets."""

FormValue: TypeAlias = "str | list[FormValue] | dict[str, FormValue]"
Fields: TypeAlias = dict[str, FormValue]
Pairs: TypeAlias = list[tuple[str, str]]
IsNeeded: TypeAlias = Callable[[bytes, bytes], bool]
"""Whether a field, by its name and value, is kept wherever it stands. It takes constant time."""


def nothing_is_needed(_name: bytes, _value: bytes) -> bool:
    """For forms without fields that matter more than others."""
    return False


CHARSET_FIELD = b"_charset_"
MAX_CHARSET_FIELD_BYTES = 100
_BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_RAW_ADDRESS = re.compile(
    rb"[^=+@]{1,200}=[A-Za-z0-9._-]{1,64}\+[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.-]{3,255}"
)
_SEVERAL_SEPARATORS = re.compile(rb"&&+")


def parse_urlencoded(
    body: bytes, content_type: str, tell: Tell, is_needed: IsNeeded = nothing_is_needed
) -> Fields:
    """The fields of a form in the default encoding of browsers.

    The charset is that of a field ``_charset_``, else of the header, else UTF-8. Percent signs that
    do not begin an escape stay as they are. Never raises; notes report what could not be read as
    sent.
    """
    if body.count(b"&") > FIRST_FIELDS:
        body = _SEVERAL_SEPARATORS.sub(b"&", body)

    def needs(part: bytes) -> bool:
        name, _, value = part.partition(b"=")
        return is_needed(unquote_to_bytes(name[:MAX_NEEDED]), value[:MAX_NEEDED])

    parts = first_and_last(body, b"&", tell, needs)
    raw = [
        (unquote_to_bytes(name), unquote_to_bytes(value))
        for name, _, value in (_with_blanks(part).partition(b"=") for part in parts if part)
    ]
    label = declared_in(raw) or parameter_of(content_type, "charset")
    codec = codec_or_default(label, tell)
    # Browsers send the forms of pages in UTF-16 in UTF-8 (HTML, "get an output encoding").
    return nest(decoded(raw, UTF_8 if codec.startswith("utf-16") else codec, tell))


def _with_blanks(part: bytes) -> bytes:
    """A field with its ``+`` as blanks; but for an address of which its sender encoded nothing."""
    if b"+" not in part or (b"@" in part and _RAW_ADDRESS.fullmatch(part)):
        return part
    return part.replace(b"+", b" ")


def parse_text_plain(
    body: bytes, content_type: str, tell: Tell, is_needed: IsNeeded = nothing_is_needed
) -> Fields:
    """The fields of ``enctype="text/plain"``: lines of ``name=value``, which is ambiguous.

    A line without ``=`` continues the value before it. Raises ``RejectedError`` if there is no
    field at all.
    """
    codec = codec_or_default(parameter_of(content_type, "charset"), tell)
    text = decode(body, codec, tell).replace("\r\n", "\n").replace("\r", "\n")
    named: list[tuple[str, list[str]]] = []
    for line in _lines(text, tell):
        name, equals, value = line.partition("=") if "=" in line else (line, "", "")
        if equals and (name := name.strip()):
            named.append((name, [value]))
        elif named:
            named[-1][1].append(line)
    if not named:
        raise RejectedError(Reason.FORM_INVALID, "No line of the body has the form name=value.")
    if len(named) > FIRST_FIELDS + LAST_FIELDS:
        named = _some(named, tell, is_needed)
    pairs = [(name, "\n".join(lines)) for name, lines in named]
    pairs[-1] = (pairs[-1][0], pairs[-1][1].rstrip("\n"))
    return nest(pairs)


def _some(
    named: list[tuple[str, list[str]]], tell: Tell, is_needed: IsNeeded
) -> list[tuple[str, list[str]]]:
    needed = (
        (name, lines)
        for name, lines in named[FIRST_FIELDS:-LAST_FIELDS]
        if is_needed(_start(name), _start(lines[0]))
    )
    between = list(islice(needed, MAX_BETWEEN))
    _tell_of(len(named) - FIRST_FIELDS - LAST_FIELDS - len(between), tell)
    return [*named[:FIRST_FIELDS], *between, *named[-LAST_FIELDS:]]


def _start(text: str) -> bytes:
    return text[:MAX_NEEDED].encode(errors="replace")


def _lines(text: str, tell: Tell) -> list[str]:
    """The lines of a text; of very many the first and the last ones."""
    lines = text.split("\n")
    if (excess := len(lines) - FIRST_LINES - LAST_LINES) <= 0:
        return lines
    if any(lines[FIRST_LINES:-LAST_LINES]):
        tell("", f"lines left out: {excess}; at most {FIRST_LINES + LAST_LINES} are read")
    return [*lines[:FIRST_LINES], *lines[-LAST_LINES:]]


def first_and_last(
    body: bytes, separator: bytes, tell: Tell, needs: Callable[[bytes], bool]
) -> list[bytes]:
    """The parts of a body: all, or the first 400, the last 100 and those that it ``needs``."""
    count = body.count(separator) + 1
    if count <= FIRST_FIELDS + LAST_FIELDS:
        return body.split(separator)
    *first, rest = body.split(separator, FIRST_FIELDS)
    others, *last = rest.rsplit(separator, LAST_FIELDS)
    between = list(islice(filter(needs, others.split(separator)), MAX_BETWEEN))
    _tell_of(count - FIRST_FIELDS - LAST_FIELDS - len(between), tell)
    return [*first, *between, *last]


def _tell_of(excess: int, tell: Tell) -> None:
    if excess:
        tell("", f"fields left out: {excess}; at most {FIRST_FIELDS + LAST_FIELDS} are read")


def declared_in(raw: Sequence[tuple[bytes, bytes]]) -> str:
    """The charset that the form itself names, as browsers fill it in; empty if it does not."""
    named = next((value for name, value in raw if name == CHARSET_FIELD and value), b"")
    return named[:MAX_CHARSET_FIELD_BYTES].decode("latin-1")


def decoded(raw: Sequence[tuple[bytes, bytes]], codec: str, tell: Tell) -> Pairs:
    """Names and values as texts."""
    pairs: Pairs = []
    for raw_name, value in raw:
        name = decode(raw_name, codec, tell)
        pairs.append((name, decode(value, codec, tell, name)))
    return pairs


def nest(pairs: Sequence[tuple[str, str]]) -> Fields:
    """Pairs as nested fields: ``a[b]=1`` is ``{"a": {"b": "1"}}``.

    ``a[]``, ``a[0]`` and repeats are lists.
    A name that fits neither way, or contradicts an earlier one, is taken literally; a plain
    value where there is a group already joins it as ``value``.
    """
    fields: Fields = {}
    for name, value in pairs:
        path, is_list = _path(name)
        if path is None or not _put(fields, path, value, is_list=is_list):
            _put(fields, [name], value, is_list=False)
    return _with_lists(fields)


def _with_lists(fields: Fields) -> Fields:
    """The fields with ``a[0]=1``, ``a[1]=2`` as the list that PHP and others make of it."""
    made: Fields = {}
    for name, value in fields.items():
        if not isinstance(value, dict):
            made[name] = value
        elif all(_is_place(key) and isinstance(each, str) for key, each in value.items()):
            made[name] = list(value.values())
        else:
            made[name] = _with_lists(value)
    return made


def _is_place(key: str) -> bool:
    return key.isascii() and key.isdigit()


def parameter_of(header: str, name: str) -> str:
    """A parameter of a header such as ``Content-Type``; empty if it is not there."""
    for part in header.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def _path(name: str) -> tuple[list[str] | None, bool]:
    bracketed = _BRACKETED.fullmatch(name) if len(name) <= MAX_BRACKETED else None
    if not bracketed:
        return [name], False
    steps = bracketed[2][1:-1].split("][")
    is_list = steps[-1] == ""
    path = [bracketed[1], *(steps[:-1] if is_list else steps)]
    return (None if "" in path or len(path) > MAX_NESTING else path), is_list


def _put(fields: Fields, path: Sequence[str], value: str, *, is_list: bool) -> bool:
    """Puts a value where the path leads; false if something else is in the way."""
    inner = fields
    for step in path[:-1]:
        found = inner.setdefault(step, {})
        if not isinstance(found, dict):
            return False
        inner = found
    there = inner.get(path[-1])
    if isinstance(there, dict):
        return _put(there, ["value"], value, is_list=is_list)
    if isinstance(there, list):
        there.append(value)
    elif there is not None:
        inner[path[-1]] = [there, value]
    else:
        inner[path[-1]] = [value] if is_list else value
    return True


MAX_BOUNDARY_BYTES = 200
"""Standards allow 70."""

MAX_HEAD_BYTES = 2_000
"""The largest head of a part that is looked at."""

_NAME = re.compile(rb'[; ]name="?([^"\r\n;]*)')


class _Part(Struct, frozen=True):
    name: bytes
    value: bytes
    charset: str


def parse_multipart(
    body: bytes, content_type: str, tell: Tell, is_needed: IsNeeded = nothing_is_needed
) -> Fields:
    """The fields of the form; raises ``RejectedError`` if no part of it can be read.

    A part that the body breaks off in is left out: half an address is another address.
    """
    # One starts as if a line had gone before, so that every boundary begins a line.
    body = b"\r\n" + (body if b"\r\n" in body else body.replace(b"\n", b"\r\n"))
    delimiter = b"\r\n--" + _boundary(body, content_type)
    if delimiter not in body:
        raise RejectedError(Reason.FORM_INVALID, "The multipart body has no boundary.")

    def needs(piece: bytes) -> bool:
        head, _, value = piece[: MAX_HEAD_BYTES + MAX_NEEDED].partition(b"\r\n\r\n")
        name = _NAME.search(head)
        return name is not None and is_needed(name[1], value[:MAX_NEEDED])

    parts = list(_parts(first_and_last(body, delimiter, tell, needs), tell))
    if not parts:
        raise RejectedError(Reason.FORM_INVALID, "No part of the multipart body can be read.")
    declared = declared_in([(part.name, part.value) for part in parts])
    codec = codec_or_default(declared or parameter_of(content_type, "charset"), tell)
    return nest([_decoded(part, codec, tell) for part in parts])


def _boundary(body: bytes, content_type: str) -> bytes:
    """The boundary that the header names, or else the one with which the body begins."""
    named = parameter_of(content_type, "boundary").encode("latin-1", "replace")
    if 0 < len(named) <= MAX_BOUNDARY_BYTES and b"\r\n--" + named in body:
        return named
    first = body.lstrip(b"\r\n")[: MAX_BOUNDARY_BYTES + 2].partition(b"\r\n")[0].rstrip()
    if first.startswith(b"--") and len(first) > len(b"--"):
        return first[2:]
    raise RejectedError(
        Reason.FORM_INVALID, "Name the boundary of the multipart body in the Content-Type."
    )


def _parts(pieces: Sequence[bytes], tell: Tell) -> Iterator[_Part]:
    """The parts between the boundaries that can be read; notes report what is left out."""
    _, *after = pieces
    for number, piece in enumerate(after, start=1):
        if piece.startswith(b"--"):
            return
        if number == len(after):
            if piece.strip():
                tell("", "the multipart body breaks off; its last part was left out")
            return
        part = _part(piece)
        if part is None:
            tell("", "a part of the multipart body that has no name was left out")
        else:
            yield part


def _part(piece: bytes) -> _Part | None:
    head, end, value = piece.partition(b"\r\n\r\n")
    if not end or len(head) > MAX_HEAD_BYTES:
        return None
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    headers = {name.strip().lower(): text.strip() for name, _, text in lines}
    options = _options(headers.get(b"content-disposition", b""))
    if b"name" not in options:
        return None
    if b"filename" in options:
        return _Part(options[b"name"], options[b"filename"], "")
    charset = parameter_of(headers.get(b"content-type", b"").decode("latin-1"), "charset")
    return _Part(options[b"name"], value, charset)


def _options(header: bytes) -> dict[bytes, bytes]:
    # Of all functions only forms has this package, so nothing else may need it at import.
    from python_multipart.multipart import parse_options_header  # noqa: PLC0415  # see above

    return parse_options_header(header)[1]


def _decoded(part: _Part, codec: str, tell: Tell) -> tuple[str, str]:
    name = decode(part.name, codec, tell)
    own = codec_or_default(part.charset, tell) if part.charset else codec
    return name, decode(part.value, own, tell, name)
