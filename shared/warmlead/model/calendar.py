"""Weekdays, times of day and time zones, as people write them in a model file."""

import re
from collections.abc import Iterable
from datetime import time
from zoneinfo import ZoneInfo, available_timezones

from warmlead.model.document import did_you_mean

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MIDNIGHT = "24:00"
_NOT_A_PLACE = ("posix", "right/", "Factory", "localtime")  # what else lies in the database
_REVERSED = "Etc/"  # Etc/GMT+2 is two hours behind UTC: nothing to be guessed


class MiswrittenError(ValueError):
    """A value that is not allowed at its place, with a suggestion if one is close."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion


def check_days(text: str) -> str:
    """A weekday, or a range such as ``mon-fri``; raises ``MiswrittenError`` for anything else."""
    for word in text.split("-", 1):
        if word not in DAYS:
            meant = _likely_days(text)
            raise MiswrittenError(
                f'"{word}" is not a weekday: write {", ".join(DAYS)}, or a range such as mon-fri',
                f"write {meant}" if meant else "",
            )
    return text


_DAYS_IN_WORDS = {
    "weekdays": "mon-fri",
    "workdays": "mon-fri",
    "weekend": "sat-sun",
} | dict.fromkeys(("daily", "every day", "all", "always"), "mon-sun")


_OTHER_DAYS = {word: day for words, day in zip(
    ("1 mo montag", "2 di dienstag", "3 mi mittwoch", "4 do donnerstag", "5 fr freitag",
     "6 sa samstag", "7 so 0 sonntag"), DAYS, strict=True) for word in words.split()}  # fmt: skip
"""Numbers of weekdays, and what they are called in German; Monday is 1."""


def _likely_days(text: str) -> str:
    """Weekdays as the file writes them, of ``Monday-Friday`` or ``weekdays``; else empty."""
    if in_words := _DAYS_IN_WORDS.get(text.strip().lower()):
        return in_words
    said = [word.strip().lower() for word in text.replace("–", "-").split("-", 1)]
    short = [_OTHER_DAYS.get(word, word[:3]) for word in said]
    return "-".join(short) if all(word in DAYS for word in short) else ""


def weekdays_of(texts: Iterable[str]) -> frozenset[int]:
    """The weekdays in words and ranges, Monday is 0; ``sat-mon`` goes over the week's end."""
    found: set[int] = set()
    for text in texts:
        first, _, last = text.partition("-")
        start = DAYS.index(first)
        end = DAYS.index(last or first)
        found |= {(start + i) % len(DAYS) for i in range((end - start) % len(DAYS) + 1)}
    return frozenset(found)


def parse_time(value: object) -> time:
    """``09:00`` as a time of day; ``24:00`` is the very end of the day."""
    if value == _MIDNIGHT:
        return time.max
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 24  # noqa: PLR2004  # hours of a day
        raise MiswrittenError(
            'a time of day is hours and minutes, such as "09:00", up to "24:00"',
            f'write "{value:02}:00"' if whole else "",
        )
    return time(int(found[1]), int(found[2]))


_OF_LEAD = re.compile(r"lead(?: or (?P<zone>.*))?", re.DOTALL)
_EXAMPLE = "Europe/Berlin"


def check_zone(name: str) -> str:
    """The name of a time zone that this machine knows; otherwise raises ``MiswrittenError``."""
    if name == "UTC" or (_is_known(name) and not name.startswith(_NOT_A_PLACE)):
        return name
    if found := _OF_LEAD.fullmatch(name):
        zone = check_zone(found["zone"] or _EXAMPLE)
        message = "these are hours of sales, whose time zone is not the lead's"
        raise MiswrittenError(message, f"write {zone} for {name}")
    zones = {zone for zone in available_timezones() if not zone.startswith(_REVERSED)}
    if not zones:
        raise MiswrittenError("this machine has no database of time zones", "install tzdata")
    if place := _place_meant(name):
        raise MiswrittenError(
            f'"{name}" is not a time zone: write a place such as {place}', f"write {place}"
        )
    city = name.strip().replace(" ", "_").casefold()
    meant = min((zone for zone in zones if zone.casefold().split("/")[-1] == city), default="")
    guess = f'did you mean "{meant}"?' if meant else did_you_mean(name, zones)
    message = f'"{name}" is not a time zone: write a name such as Europe/Berlin'
    raise MiswrittenError(message, guess)


_PLACES = {
    "America/New_York": "est edt et eastern",
    "America/Chicago": "cst cdt ct central",
    "America/Denver": "mst mdt mt mountain",
    "America/Los_Angeles": "pst pdt pt pacific",
    "Europe/Berlin": "mez mesz cest utc+1 gmt+1 utc+01:00 utc+2 gmt+2 germany",
    "Europe/London": "bst uk",
    "Europe/Helsinki": "eest",
    "Asia/Kolkata": "ist india utc+5:30",
    "Asia/Tokyo": "jst utc+9",
    "Asia/Singapore": "sgt",
    "Australia/Sydney": "aest aedt",
    "UTC": "utc+0 gmt+0 z utc+00:00",
}
WITHOUT_SUMMER_TIME = {"EST": "America/New_York", "MST": "America/Denver"}
"""Names of the database that people use for a place, and that keep winter time all year."""

_PLACE_OF = {other: place for place, others in _PLACES.items() for other in others.split()}
_ADDED = re.compile(r"\(.*\)|\b(?:standard|daylight|time|zone)\b", re.IGNORECASE)
_LONGEST_LABEL = 60  # of open brackets each would be looked at from each other one


def _place_meant(name: str) -> str:
    """The zone that is meant by an abbreviation or a label, ``Eastern Time``; else empty."""
    bare = _ADDED.sub("", name) if len(name) <= _LONGEST_LABEL else name
    return _PLACE_OF.get("".join(bare.split()).casefold(), "")


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found; a folder; no name of a file
        return False
    return True


def zone_and_owner(text: str) -> tuple[str, bool]:
    """The time zone, and whether the lead's own counts before it: ``lead or Europe/Berlin``."""
    found = _OF_LEAD.fullmatch(text)
    return (found["zone"], True) if found else (text, False)


def check_zone_of_hours(text: str) -> str:
    """A time zone, or ``lead or`` one; raises ``MiswrittenError`` for anything else."""
    found = _OF_LEAD.fullmatch(text)
    if found is None:
        return check_zone(text)
    if not found["zone"]:
        raise MiswrittenError(
            'which time zone is for leads whose own is not known? write "lead or" and its name',
            "write lead or Europe/Berlin for lead",
        )
    if _OF_LEAD.fullmatch(found["zone"]):  # lead or lead
        raise MiswrittenError(
            "the lead's own time zone is named twice", f"write lead or {_EXAMPLE} for {text}"
        )
    check_zone(found["zone"])
    return text
