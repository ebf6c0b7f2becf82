"""A list as CSV that a spreadsheet shows as it is: no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from warmlead.domain.text import one_line

_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a formula of a cell: https://owasp.org/www-community/attacks/CSV_Injection"""


def inert(value: object) -> str | int | float:
    """The value of a cell; a text that would be a formula gets an apostrophe in front."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = "" if value is None else one_line(str(value))
    return f"'{text}" if text.lstrip().startswith(_STARTS) else text


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The rows in UTF-8, with the mark by which spreadsheets know it (RFC 4180 otherwise)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([inert(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
