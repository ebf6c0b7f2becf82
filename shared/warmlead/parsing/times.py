"""Times as senders write them: ISO 8601, what mail and browsers print, and counts since 1970."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import settle_time

MAX_TEXT = 100
"""The longest text, in characters, that is read as a time; ``Date.toString()`` has about 70."""

_EPOCH = re.compile(
    r"[0-9]{9,10}(?:\.[0-9]{1,9})?|[0-9]{12,13}|[0-9]{15,16}|[0-9]{18,19}", re.ASCII
)
_UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""The least number that counts in a unit, and units a second. 10¹¹ seconds is the year 5138."""

_CLOCK = (
    r"(?:(?:[T ]|, |,? at )(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: Uhr)?"
    r"(?: ?(?P<zone>Z|[A-Z]{2,3}))?(?: ?(?P<offset>[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_WEEKDAY = r"(?:[A-Z][a-z]{2,8},? )?"
_MONTH = r"(?P<month>[A-Z][a-z]{2,8})\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_FORMS = (
    r"(?P<year>[0-9]{4})(?P<sign>[-/.])(?P<month>[0-9]{1,2})(?P=sign)(?P<day>[0-9]{1,2})",
    r"(?P<first>[0-9]{1,2})(?P<sign>[-/.])(?P<other>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4})",
    rf"{_WEEKDAY}{_DAY}[ -]{_MONTH},?[ -](?P<year>[0-9]{{4}})",
    rf"{_WEEKDAY}{_MONTH} {_DAY},? (?P<year>[0-9]{{4}})",
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_ZONES = {"Z": 0, "UT": 0, "UTC": 0, "GMT": 0}
_ZONES |= {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
"""The zones that RFC 2822 names, in hours; other abbreviations stand for several."""


def parse_time(value: Any, field: str) -> datetime | None:  # noqa: ANN401  # whatever JSON holds
    """The moment, in aware UTC; ``None`` for null and the empty text. No zone means UTC.

    Numbers are seconds since 1970, or milliseconds, microseconds and nanoseconds by their size.
    ``03/04/2026`` may be two days, so it is refused like any other unreadable text. Raises
    ``RejectedError``. Formats: ISO 8601, RFC 2822, ECMAScript's ``Date.toString()``.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and len(value) <= MAX_TEXT:
            text = " ".join(value.split())
            return _epoch(text) if _EPOCH.fullmatch(text) else _written(text)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _epoch(value)
    except (ValueError, OverflowError, OSError):
        pass
    message = f"{field} cannot be read as a time. Send ISO 8601, such as 2026-11-26T19:21:00Z."
    raise RejectedError(Reason.TIME_INVALID, message)


def occurred_at(claimed: datetime | None, received_at: datetime, field: str) -> datetime:
    """The time at which an event counts; raises ``RejectedError`` if that is too long ago."""
    settled = settle_time(claimed, received_at)
    if settled is None:
        raise RejectedError(Reason.TIME_OUT_OF_RANGE, f"{field} is more than five years ago.")
    return settled


def _epoch(number: float | str) -> datetime:
    """Whole numbers are split into seconds and the rest, as a float has too few digits."""
    count = float(number) if isinstance(number, float) or "." in str(number) else int(number)
    per_second = next((unit for least, unit in _UNITS if abs(count) >= least), 1)
    if isinstance(count, float):
        return datetime.fromtimestamp(count / per_second, UTC)
    seconds, rest = divmod(count, per_second)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest * 10**6 // per_second)


def _written(text: str) -> datetime:
    """Raises ``ValueError`` for a text that is not a time, or may be two times."""
    iso = _iso(text)
    return _from_words(text) if iso is None else _in_utc(iso)


def _iso(text: str) -> datetime | None:
    if text.isdecimal() and len(text) != len("20261126"):
        return None  # 14 digits: Python takes one of them for the sign between day and hour
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Compiled when the first such time comes: most services only ever see ISO 8601."""
    return tuple(re.compile(form + _CLOCK, re.ASCII) for form in _FORMS)


def _from_words(text: str) -> datetime:
    text = text.partition(" (")[0] if text.endswith(")") else text  # (Central European Time)
    for pattern in _patterns():
        if found := pattern.fullmatch(text):
            return _moment(found, *_month_and_day(found.groupdict()))
    raise ValueError("no time")


def _month_and_day(found: dict[str, str]) -> tuple[int, int]:
    """With dots the day comes first. Otherwise a number above 12, or two equal numbers, decide."""
    if "month" in found:
        month = found["month"]
        return int(month) if month.isdecimal() else _month_named(month), int(found["day"])
    one, other = int(found["first"]), int(found["other"])
    if found["sign"] == "." or one > 12 or one == other:  # noqa: PLR2004  # the months of a year
        return other, one
    if other > 12:  # noqa: PLR2004  # the months of a year
        return one, other
    raise ValueError("the day may be the month")


def _month_named(name: str) -> int:
    known = "sep" if name.lower() == "sept" else name.lower()
    short = len(known) == len("jan")
    return [month[:3] if short else month for month in _MONTHS].index(known) + 1


def _moment(found: re.Match[str], month: int, day: int) -> datetime:
    fraction = (found["fraction"] or "0")[:6].ljust(6, "0")
    naive = datetime(  # noqa: DTZ001  # its zone follows
        int(found["year"]),
        month,
        day,
        _hour(found["hour"] or "0", found["half"]),
        int(found["minute"] or 0),
        int(found["second"] or 0),
        int(fraction),
    )
    return _in_utc(naive.replace(tzinfo=_zone(found["zone"], found["offset"])))


def _hour(hour: str, half: str | None) -> int:
    """The hour of the day; ``12 am`` is midnight."""
    if half is None:
        return int(hour)
    if not 1 <= int(hour) <= 12:  # noqa: PLR2004  # hours of half a day
        raise ValueError("no such hour")
    return int(hour) % 12 + (12 if half in "Pp" else 0)


def _zone(name: str | None, offset: str | None) -> tzinfo:
    if name is not None and name not in _ZONES:
        raise ValueError("the zone may be several")
    if offset is None:
        return timezone(timedelta(hours=_ZONES[name or "Z"]))
    ahead = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-ahead if offset[0] == "-" else ahead)


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
