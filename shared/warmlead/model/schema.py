"""The model file as data: what may stand where, of which type and in which range."""

import re
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Literal, TypeAlias

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
from warmlead.model.calendar import check_days, check_zone, check_zone_of_hours, parse_time
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

Title: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Points: TypeAlias = Annotated[int, Field(ge=-1000, le=1000)]
Robots: TypeAlias = Literal["ignore", "count"]
"""What is done with requests that say of themselves that nobody looked."""

TypeName: TypeAlias = Literal["string", "integer", "number", "boolean", "list"]


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


class Inactivity(_Part):
    """The share of its engagement that an inactive lead loses, again and again."""

    after: WholeDays
    lose: ShareInPpm
    every: WholeDays
    passive: list[Name] | None = Field(
        None, description="Events that are not the lead's doing; replaces the default list."
    )


class Bypass(_Part):
    """A signal that opens a stage at once: always, or as long as a condition holds."""

    signal: Name
    when: Expression | None = Field(None, description="A CEL condition; without one: always.")
    trust: Literal["signed"] | None = Field(
        None, description="signed: only if the event came signed by a secret."
    )


def _as_bypass(value: object) -> object:
    return {"signal": value} if isinstance(value, str) else value


def _bypass_in_short(bypass: Bypass) -> object:
    """What the file may say in one word; a model's version is made of it."""
    if bypass.when is None and bypass.trust is None:
        return bypass.signal
    return bypass.model_dump(exclude_none=True)


_BYPASS_JSON: JsonDict = {
    "anyOf": [
        {"type": "string", "pattern": NAME_PATTERN},
        {
            "type": "object",
            "properties": {
                "signal": {"type": "string", "pattern": NAME_PATTERN},
                "when": {"type": "string", "minLength": 1, "maxLength": 4000},
                "trust": {"const": "signed", "type": "string"},
            },
            "required": ["signal"],
            "additionalProperties": False,
        },
    ]
}


Bypasses: TypeAlias = Annotated[
    list[Annotated[Bypass, BeforeValidator(_as_bypass), PlainSerializer(_bypass_in_short)]],
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": NAME_PATTERN},
                {"type": "array", "items": _BYPASS_JSON},
            ]
        }
    ),
]
"""Signals that open a stage, each in short or with its terms."""


class Stage(_Part):
    """A stage of the model: which leads enter and leave it."""

    enter: Expression
    leave: Expression | None = None
    cooldown: Duration = Field(
        timedelta(0), description="How long the stage stays closed after sales rejected the lead."
    )
    bypass: Bypasses = Field([], description="Signals that open the stage at once.")
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
    when: Expression | None = Field(
        None, description="The step is left out if this does not hold when it is due."
    )


class Hours(_Part):
    """When the messages of a sequence may go out; over midnight if they end before they begin."""

    days: Days = Field(["mon-fri"], description="Weekdays: mon-fri, or a list.")
    opens: TimeOfDay = Field(alias="from")
    closes: TimeOfDay = Field(alias="to")
    time_zone: ZoneOfHours = Field(
        description="A name of the IANA database, or `lead or` one: that of the lead if known."
    )


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
