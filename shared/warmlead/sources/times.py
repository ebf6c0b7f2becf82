"""Times as senders write them: ISO 8601 in its many forms, and seconds or milliseconds."""

import re
from datetime import UTC, datetime
from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import settle_time

_EPOCH = re.compile(r"[0-9]{9,10}(\.[0-9]+)?|[0-9]{12,13}")
_UNPADDED = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(.*)", re.DOTALL)
_MILLISECONDS_FROM = 10**11  # as seconds, the year 5138


def parse_time(value: Any, field: str) -> datetime | None:  # noqa: ANN401  # whatever JSON holds
    """The moment, in aware UTC; ``None`` for null and the empty text. No zone means UTC.

    Numbers are seconds since 1970, or milliseconds from 10¹¹ on. Raises ``RejectedError``.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            text = value.strip()
            return _epoch(float(text)) if _EPOCH.fullmatch(text) else _iso(text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _epoch(value)
    except (ValueError, OverflowError, OSError):
        pass
    raise RejectedError(Reason.TIME_INVALID, f"{field} is no time in ISO 8601.")


def occurred_at(claimed: datetime | None, received_at: datetime, field: str) -> datetime:
    """The time at which an event counts; raises ``RejectedError`` if that is too long ago."""
    settled = settle_time(claimed, received_at)
    if settled is None:
        raise RejectedError(Reason.TIME_OUT_OF_RANGE, f"{field} is more than five years ago.")
    return settled


def _iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        unpadded = _UNPADDED.fullmatch(text)
        if not unpadded:
            raise
        year, month, day, rest = unpadded.groups()
        moment = datetime.fromisoformat(f"{year}-{month:>02}-{day:>02}{rest}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _epoch(number: float) -> datetime:
    seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
    return datetime.fromtimestamp(seconds, UTC)
