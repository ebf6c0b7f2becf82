"""Bodies of HTML forms as nested fields: the default encoding, and ``text/plain``.

The third encoding, multipart, has its own module. Nothing here knows what a field means.
"""

import re
from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from warmlead.domain.errors import Reason, RejectedError

MAX_FIELDS = 200
MAX_NESTING = 5

FormValue: TypeAlias = "str | list[FormValue] | dict[str, FormValue]"
Fields: TypeAlias = dict[str, FormValue]
Pairs: TypeAlias = list[tuple[str, str]]

_CHARSETS = {
    **dict.fromkeys(("utf-8", "utf8", "us-ascii", "ascii"), "utf-8"),
    # What browsers take these labels to mean (WHATWG Encoding).
    **dict.fromkeys(("windows-1252", "cp1252", "iso-8859-1", "latin1", "latin-1"), "cp1252"),
}
CHARSET_FIELD = b"_charset_"
_ENTITY = re.compile(r"&#([0-9]{1,7});")
_BRACKETED = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_LAST_CODE_POINT = 0x10FFFF


def parse_urlencoded(body: bytes, content_type: str = "") -> Fields:
    """The fields of a form in the encoding that browsers use unless told otherwise.

    The charset is that of a field ``_charset_``, else of the header, else UTF-8. Percent signs
    that begin no escape stay as they are. Raises ``RejectedError``.
    """
    raw = [
        (unquote_to_bytes(name), unquote_to_bytes(value))
        for name, _, value in (
            part.partition(b"=") for part in body.replace(b"+", b" ").split(b"&") if part
        )
    ]
    check_count(len(raw))
    named = next((value for name, value in raw if name == CHARSET_FIELD and value), b"")
    label = named.decode("latin-1") or parameter_of(content_type, "charset") or "utf-8"
    charset = charset_of(label)
    pairs = [(decode_text(name, charset), decode_text(value, charset)) for name, value in raw]
    return nest(pairs)


def parse_text_plain(body: bytes, content_type: str = "") -> Fields:
    """The fields of ``enctype="text/plain"``: lines of ``name=value``, which is ambiguous.

    A line without ``=`` continues the value before it. Raises ``RejectedError``.
    """
    text = decode_text(body, charset_of(parameter_of(content_type, "charset") or "utf-8"))
    pairs: Pairs = []
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip():
            pairs.append((name.strip(), value))
        elif pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\n{line}")
    if not pairs:
        raise RejectedError(Reason.FORM_INVALID, "No line of the body is name=value.")
    check_count(len(pairs))
    return nest(pairs)


def nest(pairs: Sequence[tuple[str, str]]) -> Fields:
    """Pairs as nested fields: ``a[b]=1`` is ``{"a": {"b": "1"}}``, ``a[]`` and repeats are lists.

    A name that fits neither way, or contradicts an earlier one, is taken literally; a plain
    value where there is a group already joins it as ``value``.
    """
    fields: Fields = {}
    for name, value in pairs:
        path, is_list = _path(name)
        if path is None or not _put(fields, path, value, is_list=is_list):
            _put(fields, [name], value, is_list=False)
    return fields


def charset_of(label: str) -> str:
    """Python's name of a charset that forms may be in; raises ``RejectedError`` for others."""
    charset = _CHARSETS.get(label.strip().strip('"').lower())
    if charset is None:
        raise RejectedError(Reason.CHARSET_INVALID, "Send the form in UTF-8 or windows-1252.")
    return charset


def parameter_of(header: str, name: str) -> str:
    """A parameter of a header such as ``Content-Type``; empty if it is not there."""
    for part in header.split(";")[1:]:
        key, _, value = part.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def _path(name: str) -> tuple[list[str] | None, bool]:
    bracketed = _BRACKETED.fullmatch(name)
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


def check_count(count: int) -> None:
    """Raises ``RejectedError`` if a form has too many fields."""
    if count > MAX_FIELDS:
        raise RejectedError(
            Reason.FORM_TOO_MANY_FIELDS, f"A form may have {MAX_FIELDS} fields at most."
        )


def decode_text(raw: bytes, charset: str) -> str:
    """Text of a form in a charset as ``charset_of`` names it; raises ``RejectedError``."""
    try:
        text = raw.decode(charset)
    except UnicodeDecodeError as error:
        raise RejectedError(
            Reason.CHARSET_INVALID, "The form is not in the charset that it claims, or in UTF-8."
        ) from error
    if charset == "utf-8":
        return text
    # Browsers write what the charset lacks as numeric entities.
    return _ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    is_surrogate = 0xD800 <= code <= 0xDFFF  # noqa: PLR2004  # the range of surrogates
    return entity[0] if is_surrogate or not 0 < code <= _LAST_CODE_POINT else chr(code)
