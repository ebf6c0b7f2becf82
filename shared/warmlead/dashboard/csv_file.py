"""A list as CSV that a spreadsheet shows as it is: no cell is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

from warmlead.domain.text import one_line

_STARTS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
"""What makes a formula of a cell: https://owasp.org/www-community/attacks/CSV_Injection"""

_FORMULA = re.compile(rf"(?:^|(?<=;))(?=\s*[{_STARTS}])")
"""Where a formula begins: in front, and behind a semicolon, with which Excel separates cells in
countries that have a decimal comma."""


def inert(value: object) -> str | int | float:
    """The value of a cell; a text on one line, with an apostrophe before each formula."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return "" if value is None else _FORMULA.sub("'", one_line(str(value)))


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The rows in UTF-8, with the mark by which spreadsheets know it (RFC 4180 otherwise)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([inert(value) for value in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()
