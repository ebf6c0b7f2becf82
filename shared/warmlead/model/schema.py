"""The model file as data: what may stand where, of which type and in which range."""

import re
from collections.abc import Iterable, Mapping
from datetime import time, timedelta
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from warmlead.domain.consent import MAX_OF_CAUSE
from warmlead.domain.history import MAX_PER_DAY
from warmlead.model.document import did_you_mean
from warmlead.model.vocabulary import RESERVED

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
            short = word.strip().lower()[:3]
            meant = text.replace(word, short) if short in DAYS else ""
            raise MiswrittenError(
                f'"{word}" is not a weekday: write {", ".join(DAYS)}, or a range such as mon-fri',
                f"write {meant}" if meant else "",
            )
    return text


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


def check_zone(name: str) -> str:
    """The name of a time zone that this machine knows; otherwise raises ``MiswrittenError``."""
    if name == "UTC" or (_is_known(name) and not name.startswith(_NOT_A_PLACE)):
        return name
    zones = {zone for zone in available_timezones() if not zone.startswith(_REVERSED)}
    if not zones:
        raise MiswrittenError("this machine has no database of time zones", "install tzdata")
    city = name.strip().replace(" ", "_").casefold()
    meant = min((zone for zone in zones if zone.casefold().split("/")[-1] == city), default="")
    guess = f'did you mean "{meant}"?' if meant else did_you_mean(name, zones)
    message = f'"{name}" is not a time zone: write a name such as Europe/Berlin'
    raise MiswrittenError(message, guess)


def _is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found; a folder; no name of a file
        return False
    return True


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


_DURATION_JSON = WithJsonSchema(
    {"type": "string", "pattern": r"^\d{1,5}[dhm]$", "examples": ["30d", "24h", "90m"]}
)
_DAYS_JSON = WithJsonSchema({"type": "string", "pattern": r"^\d{1,5}[dhm]$", "examples": ["14d"]})
_PERCENT_JSON = WithJsonSchema(
    {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,4})?%$", "examples": ["10%"]}
)
_IN_SECONDS = PlainSerializer(lambda length: int(length.total_seconds()), return_type=int)

Duration: TypeAlias = Annotated[
    timedelta, BeforeValidator(parse_duration), _IN_SECONDS, _DURATION_JSON
]
Positive: TypeAlias = Annotated[timedelta, BeforeValidator(_positive), _IN_SECONDS, _DURATION_JSON]
WholeDays: TypeAlias = Annotated[timedelta, BeforeValidator(_whole_days), _IN_SECONDS, _DAYS_JSON]
ShareInPpm: TypeAlias = Annotated[int, BeforeValidator(_percent), _PERCENT_JSON]

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"
LABEL_PATTERN = r"^[a-z][a-z0-9_-]{0,63}$"

GRADE_PATTERN = r"^[A-Za-z][A-Za-z0-9+_-]{0,15}$"
"""A grade: a letter such as ``A``, ``B+``, or a short word."""

Name: TypeAlias = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A name that conditions may use: snake_case."""

Label: TypeAlias = Annotated[str, StringConstraints(pattern=LABEL_PATTERN)]
"""A name that stands in texts and messages; it may have hyphens."""

_NAME_KEYS: JsonDict = {"propertyNames": {"pattern": NAME_PATTERN, "not": {"enum": [*RESERVED]}}}
_LABEL_KEYS: JsonDict = {"propertyNames": {"pattern": LABEL_PATTERN}}
# Keys are held to their pattern by ``naming``, after which checking goes on into what they name.


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names: TypeAlias = Annotated[
    list[Name],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
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
"""One event's name, or a list of them."""

_DAYS_PATTERN = r"^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$"
_DAY_JSON: JsonDict = {"type": "string", "pattern": _DAYS_PATTERN}

Days: TypeAlias = Annotated[
    list[Annotated[str, AfterValidator(check_days)]],
    BeforeValidator(_listed),
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
OWNER_PATTERN = r"^\S([^\r\n]{0,98}\S)?$"

Owner: TypeAlias = Annotated[str, StringConstraints(pattern=OWNER_PATTERN)]
"""A person or a team, as the CRM names it: an address, an id, a name."""

Expression: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
"""A condition in CEL."""

Title: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Points: TypeAlias = Annotated[int, Field(ge=-1000, le=1000)]
Robots: TypeAlias = Literal["ignore", "count"]
"""What is done with requests that say of themselves that nobody looked."""

TypeName: TypeAlias = Literal["string", "integer", "number", "boolean", "list"]


LOWEST_FLOOR = -100_000


def _floor(value: object) -> int | None:
    if value == "none":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not LOWEST_FLOOR <= value <= 0:
        raise MiswrittenError(
            f"the floor is a whole number from {LOWEST_FLOOR} to 0, or none",
            "write floor: none",
        )
    return value


Floor: TypeAlias = Annotated[
    int | None,
    BeforeValidator(_floor),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": LOWEST_FLOOR, "maximum": 0}, {"const": "none"}]}
    ),
]
"""The least that a score can be; ``None``: it may be anything."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Signal(_Part):
    """An event that brings points: which event, how many points, and for how long."""

    on: Names = Field(description="The event's name, or several: any of them is the signal.")
    when: Expression | None = Field(None, description="A CEL condition over its properties.")
    trust: Literal["signed"] | None = Field(
        None, description="signed: counts only if the event came signed by a secret."
    )
    robots: Robots | None = Field(
        None, description="count: what robots and previews do is the signal too."
    )
    points: Points = Field(description="What one event is worth.")
    per_day: Annotated[int, Field(ge=1, le=MAX_PER_DAY)] = Field(
        MAX_PER_DAY, description="How many of them count in one UTC day, at most."
    )
    max_count: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="How many of them count in all: the latest. 1: once ever."
    )
    half_life: Positive | None = Field(
        None, description="The time after which half of the points are left."
    )
    expires_after: WholeDays | None = Field(
        None, description="The age at which no points are left."
    )
    decay: Literal["never"] | None = Field(None, description="never: the points stay.")
    group: Label | None = Field(None, description="The group whose limits apply to it.")
    title: Title | None = Field(None, description="The text that people read.")

    def counts_robots(self, model: Robots) -> bool:
        """Whether what robots do is the signal, where its model says this of all."""
        return (self.robots or model) == "count"


class Group(_Part):
    """Signals that together count no less than ``min`` and no more than ``max`` points."""

    min: Annotated[int, Field(ge=-100_000, le=0)] | None = None
    max: Annotated[int, Field(ge=0, le=100_000)] | None = None
    title: Title | None = None


class FitRule(_Part):
    """Points for what is known of a lead; they never fade."""

    when: Expression = Field(description="A CEL condition over traits and present consent.")
    points: Points
    title: Title | None = None


class Bonus(_Part):
    """Points for what a lead did as a whole: a number of visits, a combination."""

    when: Expression = Field(
        description="A CEL condition over counts, signals, traits, consent and fit."
    )
    points: Points
    title: Title | None = None


class Inactivity(_Part):
    """The share of its engagement that an inactive lead loses, again and again."""

    after: WholeDays
    lose: ShareInPpm
    every: WholeDays
    passive: list[Name] | None = Field(
        None, description="Events that are not the lead's doing; replaces the default list."
    )


class Stage(_Part):
    """A stage of the model: which leads enter and leave it."""

    enter: Expression
    leave: Expression | None = None
    cooldown: Duration = Field(
        timedelta(0), description="How long the stage stays closed after sales rejected the lead."
    )
    bypass: list[Name] = Field([], description="Signals that open the stage at once.")
    title: Title | None = None


class Route(_Part):
    """Who is offered which leads: all of them, or those for which a condition holds."""

    when: Expression | None = Field(None, description="A CEL condition; without one: all leads.")
    owner: Owner | None = Field(None, description="A person or a team, as your CRM names it.")
    owners: list[Owner] | None = Field(
        None, min_length=1, description="Several people or teams, who get equal shares."
    )

    @property
    def all_owners(self) -> list[str]:
        """Its owners, one or several."""
        return self.owners or ([self.owner] if self.owner else [])


class Handoff(_Part):
    """What sales promised for an offered lead, and who gets which."""

    first_touch_within: Positive
    accept_within: Positive
    remind_after: Positive | None = Field(
        None, description="When sales is reminded; by default after half of first_touch_within."
    )
    routes: list[Route] = Field(
        [], min_length=1, description="The first that holds says whose a lead is."
    )

    @property
    def reminded_after(self) -> timedelta:
        """When sales is reminded of a lead to which nobody has spoken."""
        return self.remind_after or self.first_touch_within / 2


class Step(_Part):
    """One message of a sequence, and how long after the start it is sent."""

    after: Duration
    message: Label
    title: Title | None = None


class Hours(_Part):
    """When the messages of a sequence may go out."""

    days: Days = Field(["mon-fri"], description="Weekdays: mon-fri, or a list.")
    opens: TimeOfDay = Field(alias="from")
    closes: TimeOfDay = Field(alias="to")
    time_zone: TimeZone


class Sequence(_Part):
    """A nurture sequence: who enters, what ends it early, and what is sent when."""

    start: Expression
    stop: Expression
    goal: Expression | None = Field(
        None, description="The purpose of the sequence; reaching it ends the sequence."
    )
    steps: list[Step]
    hours: Hours | None = Field(None, description="Without them messages go out at any time.")
    late: Literal["shift", "skip"] = Field(
        "shift", description="After an outage: shift what is left, or skip what was missed."
    )
    again_after: Positive | None = Field(
        None, description="How long after its end it may start again; without it, it runs once."
    )
    alongside: bool = Field(
        False, description="true: runs beside others; of the rest a lead is in one at a time."
    )
    title: Title | None = None


class Suppression(_Part):
    """What keeps a lead from being written to, and what lifts it."""

    unsubscribed: Literal["anyone", "signed"] = Field(
        "anyone", description="Whose word that the person has unsubscribed counts."
    )
    complained: Literal["anyone", "signed"] = Field(
        "signed", description="Whose word that the person has reported a mail as spam counts."
    )
    hard_bounce: Literal["anyone", "signed", "never"] = Field(
        "signed", description="Whose word that the address in use does not exist counts."
    )
    soft_bounces: Annotated[int, Field(ge=0, le=MAX_OF_CAUSE)] = Field(
        5,
        description="How many soft bounces without a delivery suppress a lead; 0: none does.",
    )
    resubscribed: Literal["equal", "anyone", "signed"] = Field(
        "equal",
        description=(
            "Whose later subscription lifts a refusal; equal: of a sender that is trusted as much "
            "as the one that said no."
        ),
    )


class ModelFile(_Part):
    """A model: what is worth how much, who fits, when a lead is ready, what follows."""

    signals: Mapping[str, Signal] = Field(min_length=1, json_schema_extra=_NAME_KEYS)
    groups: Mapping[str, Group] = Field({}, json_schema_extra=_LABEL_KEYS)
    fit: Mapping[str, FitRule] = Field({}, json_schema_extra=_LABEL_KEYS)
    bonuses: Mapping[str, Bonus] = Field({}, json_schema_extra=_LABEL_KEYS)
    base: Points = Field(0, description="The points with which every lead begins.")
    floor: Floor = Field(
        0, description="No score is below this number; none: a score may be below 0."
    )
    grades: Mapping[str, Annotated[int, Field(ge=-100_000, le=100_000)]] = Field(
        {},
        description="How many points for fit each grade takes: {A: 40, B: 25, C: 10, D: 0}.",
        json_schema_extra={"propertyNames": {"pattern": GRADE_PATTERN}},
    )
    inactivity: Inactivity | None = None
    stages: Mapping[str, Stage] = Field({}, json_schema_extra=_LABEL_KEYS)
    handoff: Handoff | None = None
    sequences: Mapping[str, Sequence] = Field({}, json_schema_extra=_LABEL_KEYS)
    robots: Robots = Field(
        "ignore", description="count: robots, previews and prefetches count as people do."
    )
    suppression: Suppression = Suppression()
    traits: Mapping[str, TypeName] = Field({}, json_schema_extra=_NAME_KEYS)
    properties: Mapping[str, TypeName] = Field({}, json_schema_extra=_NAME_KEYS)
