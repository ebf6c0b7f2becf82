"""What the tools for meetings and webinars have in common: durations, and the ends of links."""

from datetime import datetime, timedelta
from typing import Any

from warmlead.domain.errors import RejectedError
from warmlead.parsing.times import parse_time
from warmlead.senders.webhooks import text

LONGEST = timedelta(days=1)
"""What lasts longer is not a meeting, but a mistake in one of the times."""


def minutes_between(start: Any, end: Any) -> int | None:  # noqa: ANN401  # whatever JSON holds
    """The whole minutes between two times; ``None`` unless both are times within one day."""
    began, ended = _time(start), _time(end)
    if began is None or ended is None or not timedelta() <= ended - began <= LONGEST:
        return None
    return round((ended - began) / timedelta(minutes=1))


def last_part(link: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    """The last part of a link, which is the id of what it leads to; empty without a link."""
    return text(link).rstrip("/").rpartition("/")[2]


def _time(stated: Any) -> datetime | None:  # noqa: ANN401  # whatever JSON holds
    try:
        return parse_time(stated, "The time")
    except RejectedError:
        return None
