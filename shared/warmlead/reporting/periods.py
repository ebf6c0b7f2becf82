"""The periods of reports: UTC days, ISO weeks and months, each with the name it is kept under.

The time is an argument.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple


class Span(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Period(NamedTuple):
    """From ``start`` until before ``end``; named ``2026-11-21``, ``2026-W47`` or ``2026-11``."""

    name: str
    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment is in it."""
        return self.start <= moment < self.end


def last_period(span: Span, now: datetime) -> Period:
    """The last period that was over at a moment; weeks begin on Monday (ISO 8601)."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match span:
        case Span.DAY:
            start, end = today - timedelta(days=1), today
            return Period(f"{start:%Y-%m-%d}", start, end)
        case Span.WEEK:
            end = today - timedelta(days=today.weekday())
            start = end - timedelta(weeks=1)
            year, week, _ = start.isocalendar()
            return Period(f"{year}-W{week:02}", start, end)
        case Span.MONTH:
            end = today.replace(day=1)
            start = (end - timedelta(days=1)).replace(day=1)
            return Period(f"{start:%Y-%m}", start, end)
