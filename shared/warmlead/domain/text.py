r"""Text that may leave: without the characters that steer a terminal, a page or a reader's eye.

Removed are control characters (C0 but for tab and line feed, DEL, C1), what turns the direction
of text around (``U+200E``, ``U+200F``, ``U+061C``, ``U+202A``–``U+202E``, ``U+2066``–``U+2069``),
halves of surrogate pairs, noncharacters, the byte order mark, interlinear annotations and
invisible tags. Letters of every script stay, and what joins them: ``U+200C`` in Persian, ``U+200D``
in emoji, the tags in the flags of England, Scotland and Wales.

After https://www.unicode.org/reports/tr36/ (section 2.10) and https://trojansource.codes/
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

_Scalar: TypeAlias = str | int | float | bool | None
_Value: TypeAlias = _Scalar | list[_Scalar]

_NONCHARACTERS = "".join(chr((plane << 16) + low) for plane in range(17) for low in (65534, 65535))
_FORMATS = (
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"  # directions, annotations
    f"\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}\U000e0000-\U000e007f"
)
_REMOVED = f"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f{_FORMATS}"
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
_LINE_ENDS = ("\r\n", "\r", "\x85", "\u2028", "\u2029")

_UNWANTED = re.compile(f"[{_REMOVED}]+")
_UNWANTED_BUT_FLAGS = re.compile(f"({_FLAGS})|[{_REMOVED}]+")

UNPRINTABLE = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029{_FORMATS}]")
"""A character that no single line of text may have."""


def printable(text: str) -> str:
    """The text without what may not leave; other ends of lines than line feeds become such."""
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text  # nearly every text: found out in a hundredth of the time
    for line_end in _LINE_ENDS:
        text = text.replace(line_end, "\n")
    if "\U0001f3f4" in text:
        return _UNWANTED_BUT_FLAGS.sub(r"\1", text)
    return _UNWANTED.sub("", text)  # in half the time


def one_line(text: str) -> str:
    """The same on one line: each run of white space is a space."""
    return text if text.isprintable() else " ".join(printable(text).split())


def cleaned(fields: Mapping[str, _Value]) -> dict[str, _Value]:
    """Fields by name, their texts ``printable``; one of which nothing is left is left out."""
    kept: dict[str, _Value] = {}
    for name, value in fields.items():
        if isinstance(value, list):
            kept[name] = [printable(one) if isinstance(one, str) else one for one in value]
        elif not isinstance(value, str) or value.isprintable():
            kept[name] = value
        elif text := printable(value):
            kept[name] = text
    return kept


def swept(value: object) -> object:
    """A value of JSON, its texts ``printable``, and so the names of its fields."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {swept(name): swept(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [swept(inner) for inner in value]
    return value
