"""Bytes of forms as text, in the charsets of the WHATWG Encoding standard.

A wrong byte becomes U+FFFD, and a note says so; the rest of the text is kept.
https://encoding.spec.whatwg.org/
"""

import codecs
import re
from collections.abc import Callable
from typing import TypeAlias

Tell: TypeAlias = Callable[[str, str], None]
"""Takes note, in words, of what was done to a field; the name is empty for the whole form."""

UTF_8 = "utf-8"
BROWSER_DEFAULT = "cp1252"
"""The default charset of browsers: windows-1252."""

MAX_LABEL = 40
REPLACED = "\ufffd"

_WITHOUT_TABLES = ("", "utf-8", "utf8")
_BETTER = {"gbk": "gb18030"}  # its decoder in the standard
_NONE = ("replacement", "x-user-defined")
_WIDE = ("utf-16-le", "utf-16-be")
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_ENTITY = re.compile(r"&#([0-9]{1,7});")
_ESCAPE = b"\x1b"
_REPLACED_BYTES = "bytes that are not in the declared charset were replaced"
_LAST_CODE_POINT = 0x10FFFF


def codec_of(label: str) -> str | None:
    """Python's codec for a label that browsers know; ``None`` for others. No label means UTF-8."""
    label = label.strip().strip("\"'").lower()
    if label in _WITHOUT_TABLES:
        return UTF_8
    if len(label) > MAX_LABEL or not label.isascii():
        return None
    # Hardly any form needs it, and it takes milliseconds of a cold start.
    import webencodings  # noqa: PLC0415  # see above

    found = webencodings.lookup(label)
    if found is None or found.name in _NONE:
        return None
    codec = str(found.codec_info.name)
    return _BETTER.get(codec, codec)


def codec_or_default(label: str, tell: Tell) -> str:
    """The codec of a label. For an unknown one it is UTF-8, as a first guess, with a note."""
    codec = codec_of(label)
    if codec is None:
        tell("", "the charset is unknown; it was read as UTF-8 or windows-1252")
    return codec or UTF_8


def unwidened(body: bytes, label: str) -> bytes:
    """A body in UTF-8, if it is marked or declared as UTF-16; any other body as it is."""
    codec = _MARKS.get(body[:2])
    if codec is None and b"\0" in body[:4]:
        declared = codec_of(label) if "16" in label else None
        codec = declared if declared in _WIDE else _WIDE[body[:1] == b"\0"]
    if codec is None:
        return body
    return body.decode(codec, "replace").removeprefix("\ufeff").encode(errors="replace")


def in_utf8(body: bytes, label: str, tell: Tell) -> bytes:
    """The bytes of JSON in UTF-8, from the charset that is declared; without one as they are.

    Valid UTF-8 stays as it is, whatever is declared: the standard of JSON demands UTF-8, and
    clients declare the default of their language.
    """
    body = unwidened(body, label)
    codec = codec_of(label)
    if codec is None or codec == UTF_8 or codec in _WIDE or _is_utf_8(body):
        return body
    text = body.decode(codec, "replace")
    if REPLACED in text:
        tell("", _REPLACED_BYTES)
    return text.encode(errors="replace")


def _is_utf_8(body: bytes) -> bool:
    """Whether it can be UTF-8; bytes that switch to other letters (ISO-2022-JP) rule it out."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return _ESCAPE not in body


def decode(raw: bytes, codec: str, tell: Tell, field: str = "") -> str:
    """The text of some bytes; those that should be UTF-8 and are not are read as windows-1252."""
    if codec == UTF_8:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return _guessed(raw, tell, field)
    text = raw.decode(codec, "replace")
    if REPLACED in text:
        tell(field, _REPLACED_BYTES)
    # Browsers write what the charset lacks as numeric entities.
    return _ENTITY.sub(_character, text) if "&#" in text else text


def _guessed(raw: bytes, tell: Tell, field: str) -> str:
    """Text that is not quite UTF-8: with a damaged character, or in the default of browsers."""
    text = raw.decode(errors="replace")
    damaged = text.count(REPLACED)
    sound = sum(not letter.isascii() for letter in text) - damaged
    if sound >= damaged:
        tell(field, "bytes that are not in UTF-8 were replaced")
        return text
    tell(field, "is not in UTF-8; it was read as windows-1252")
    return raw.decode(BROWSER_DEFAULT, "replace")


def _character(entity: re.Match[str]) -> str:
    code = int(entity[1])
    is_surrogate = 0xD800 <= code <= 0xDFFF  # noqa: PLR2004  # the range of surrogates
    return entity[0] if is_surrogate or not 0 < code <= _LAST_CODE_POINT else chr(code)
