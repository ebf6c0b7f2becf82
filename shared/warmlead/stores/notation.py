"""How times, pairs and texts are written down: microseconds since 1970, compact JSON."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""Names and values, as JSON has them: lists of two."""

_COMPACT = json.JSONEncoder(separators=(",", ":"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_to_us(moment: datetime | None) -> int | None:
    """Microseconds since 1970, of a time if there is one."""
    return None if moment is None else to_us(moment)


def maybe_from_us(moment_us: int | None) -> datetime | None:
    """The time of microseconds since 1970, if there are any."""
    return None if moment_us is None else from_us(moment_us)


def from_us(moment_us: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=moment_us)


def pairs(lists: Pairs) -> tuple[tuple[str, str], ...]:
    """The pairs of JSON's lists."""
    return tuple((name, value) for name, value in lists)


def dump(document: object) -> str:
    """A document as one JSON text in ASCII, without spaces."""
    return _COMPACT.encode(document)
