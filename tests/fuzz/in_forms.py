"""Forms as fields and values, and written again: urlencoded, and multipart with its boundary."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from fuzz.shapes import encoded

_PART = re.compile(rb'name="([^"\r\n]*)"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL)


def multipart_pairs(body: bytes) -> dict[str, str]:
    """The fields of a multipart form."""
    return {name.decode(): value.decode() for name, value in _PART.findall(body)}


def multipart_of(original: bytes, pairs: Sequence[tuple[str, str]]) -> bytes:
    """A multipart form with these fields, and with the boundary of another one."""
    boundary = original.partition(b"\r\n")[0]
    parts = [
        boundary
        + b'\r\nContent-Disposition: form-data; name="'
        + encoded(name)
        + b'"\r\n\r\n'
        + encoded(value)
        + b"\r\n"
        for name, value in pairs
    ]
    return b"".join((*parts, boundary, b"--\r\n"))


def urlencoded_of(pairs: Sequence[tuple[str, str]]) -> bytes:
    """An urlencoded form with these fields."""
    return urlencode([(encoded(name), encoded(value)) for name, value in pairs]).encode()
