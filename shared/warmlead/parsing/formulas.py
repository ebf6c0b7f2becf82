"""Texts that a spreadsheet takes for formulas (https://owasp.org/www-community/attacks/CSV_Injection)."""

import re

STARTS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""The signs with which a formula begins, as a regular expression has them between brackets."""

_GUARDED = re.compile(rf"'+\s*[{STARTS}]")
_FORMULA = re.compile(rf"'*\s*[{STARTS}]")
_NUMBER = re.compile(r"[-+]?[\d.,()\s/-]*")


def guarded(text: str) -> str:
    """The text with an apostrophe before it, if it could be a formula; no number is one."""
    could_be = _FORMULA.match(text) and not _NUMBER.fullmatch(text.lstrip())
    return f"'{text}" if could_be else text


def unguarded(text: str) -> str:
    """The text that was ``guarded``."""
    return text[1:] if _GUARDED.match(text) else text
