"""The values that stand in a model file, as types: names, durations, shares, days and points."""

import re
from datetime import time, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from warmlead.model.calendar import (
    MiswrittenError,
    check_days,
    check_zone,
    check_zone_of_hours,
    parse_time,
)
from warmlead.model.vocabulary import RESERVED

_DURATION = re.compile(r"(\d{1,5})(d|h|m)")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)%")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def parse_duration(value: object) -> timedelta:
    """``30d``, ``24h`` or ``90m`` as a length of time."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a duration is a whole number and a unit, such as 30d, 24h or 90m")
    return int(found[1]) * _UNITS[found[2]]


def _positive(value: object) -> timedelta:
    length = parse_duration(value)
    if not length:
        raise ValueError("this duration must be longer than 0")
    return length


def _whole_days(value: object) -> timedelta:
    length = _positive(value)
    if length % timedelta(days=1):
        raise ValueError("this duration must be whole days, such as 14d: scores change by the day")
    return length


def _percent(value: object) -> int:
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    percent = float(found[1]) if found else 0.0
    if not 0 < percent <= 100:  # noqa: PLR2004  # per cent
        raise ValueError("a share is a percentage above 0% and up to 100%, such as 10%")
    return round(percent * 10_000)


DURATION_JSON = WithJsonSchema(
    {"type": "string", "pattern": r"^\d{1,5}[dhm]$", "examples": ["30d", "24h", "90m"]}
)
_DAYS_JSON = WithJsonSchema({"type": "string", "pattern": r"^\d{1,5}[dhm]$", "examples": ["14d"]})
_PERCENT_JSON = WithJsonSchema(
    {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,4})?%$", "examples": ["10%"]}
)
_IN_SECONDS = PlainSerializer(lambda length: int(length.total_seconds()), return_type=int)

Duration: TypeAlias = Annotated[
    timedelta, BeforeValidator(parse_duration), _IN_SECONDS, DURATION_JSON
]
Positive: TypeAlias = Annotated[timedelta, BeforeValidator(_positive), _IN_SECONDS, DURATION_JSON]
WholeDays: TypeAlias = Annotated[timedelta, BeforeValidator(_whole_days), _IN_SECONDS, _DAYS_JSON]
ShareInPpm: TypeAlias = Annotated[int, BeforeValidator(_percent), _PERCENT_JSON]

LONGEST_NAME = 64
"""The most characters of a name."""

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
LABEL_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"

Name: TypeAlias = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name that conditions may use: snake_case."""

Label: TypeAlias = Annotated[str, StringConstraints(pattern=LABEL_PATTERN)]
"""A name that stands in texts and messages; it may have hyphens."""

NAME_KEYS: JsonDict = {"propertyNames": {"pattern": NAME_PATTERN, "not": {"enum": [*RESERVED]}}}
LABEL_KEYS: JsonDict = {"propertyNames": {"pattern": LABEL_PATTERN}}
# Keys are held to their pattern by ``naming``, after which checking goes on into what they name.


def listed(value: object) -> object:
    """A single text as a list of one."""
    return [value] if isinstance(value, str) else value


def _one_or_several(pattern: str) -> WithJsonSchema:
    """The JSON Schema of a text with a pattern, or of a list of them."""
    one: JsonDict = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})


Labels: TypeAlias = Annotated[
    list[Label],
    BeforeValidator(listed),
    Field(min_length=1),
    _one_or_several(LABEL_PATTERN),
]
"""One label, or several."""

Names: TypeAlias = Annotated[
    list[Name],
    BeforeValidator(listed),
    Field(min_length=1),
    _one_or_several(NAME_PATTERN),
]
"""One event's name, or a list of them."""

NEVER = "never"


def _shown(value: object) -> object:
    return [] if value == NEVER else _named(value)


def _named(value: object) -> object:
    if value == []:
        raise MiswrittenError("names nothing", f"name a property, or write {NEVER}")
    return listed(value)


Shown: TypeAlias = Annotated[
    list[Name],
    BeforeValidator(_shown),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": NEVER},
                {"type": "string", "pattern": NAME_PATTERN},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "string", "pattern": NAME_PATTERN},
                },
            ]
        }
    ),
]
"""One property's name, or a list of them; ``never`` is an empty list."""

_DAYS_PATTERN = r"^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$"
_DAY_JSON: JsonDict = {"type": "string", "pattern": _DAYS_PATTERN}

Days: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(check_days)]],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [_DAY_JSON, {"type": "array", "minItems": 1, "items": _DAY_JSON}]}),
]
"""A weekday or a range of them, such as ``mon-fri``, or a list of such."""

TimeOfDay: TypeAlias = Annotated[
    time,
    BeforeValidator(parse_time),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(([01]?\d|2[0-3]):[0-5]\d|24:00)$", "examples": ["09:00"]}
    ),
]
TimeZone: TypeAlias = Annotated[
    str,
    AfterValidator(check_zone),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["Europe/Berlin"]}),
]
ZoneOfHours: TypeAlias = Annotated[
    str,
    AfterValidator(check_zone_of_hours),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "examples": ["Europe/Berlin", "lead or Europe/Berlin"]}
    ),
]
OWNER_PATTERN = r"^\S([^\r\n]{0,98}\S)?$"

Owner: TypeAlias = Annotated[str, StringConstraints(pattern=OWNER_PATTERN)]
"""A person or a team, as the CRM names it: an address, an id, a name."""

Expression: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
"""A condition in CEL."""

HolidayNames: TypeAlias = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=100)]],
    BeforeValidator(listed),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["US", "DE-BY", "12-24", "2026-12-24"]},
                {"type": "array", "minItems": 1, "items": {"type": "string"}},
            ]
        }
    ),
]
"""Countries or parts of them, whose public holidays are meant, and dates."""

Title: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Points: TypeAlias = Annotated[int, Field(ge=-1000, le=1000)]
Robots: TypeAlias = Literal["ignore", "count"]
"""What is done with requests that say of themselves that nobody looked."""

TypeName: TypeAlias = Literal["string", "integer", "number", "boolean", "list"]
