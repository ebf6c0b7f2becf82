"""The model file as data: what may stand where, of which type and in which range."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from warmlead.domain.alerts import ACTS_WITHIN
from warmlead.domain.consent import MAX_OF_CAUSE
from warmlead.domain.history import MAX_PER_DAY
from warmlead.model.calendar import MiswrittenError
from warmlead.model.probable import WrittenProbability
from warmlead.model.values import (
    LABEL_KEYS,
    NAME_KEYS,
    NAME_PATTERN,
    Days,
    Duration,
    Expression,
    HolidayNames,
    Label,
    Labels,
    Name,
    Names,
    Owner,
    Points,
    Positive,
    Robots,
    ShareInPpm,
    Shown,
    TimeOfDay,
    TimeZone,
    Title,
    TypeName,
    WholeDays,
    ZoneOfHours,
    listed,
)

GRADE_PATTERN = r"^[A-Za-z][A-Za-z0-9+_-]{0,15}$"
"""A grade: a letter such as ``A``, ``B+``, or a short word."""

LOWEST_FLOOR = -100_000


def _floor(value: object) -> int | None:
    if value == "none":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not LOWEST_FLOOR <= value <= 0:
        raise MiswrittenError(
            f"the floor is a whole number from {LOWEST_FLOOR} to 0, or none",
            "write none",
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
    show: Shown | None = Field(
        None, description="Properties that sales reads in the lead's journey; never: no step."
    )
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
    BeforeValidator(listed),
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
    time_zone: TimeZone | None = Field(
        None, description="Where these owners work, if not where handoff.hours are."
    )
    holidays: HolidayNames | None = Field(
        None, description="The holidays of these owners, instead of those of handoff.hours."
    )

    @property
    def all_owners(self) -> list[str]:
        """Its owners, one or several."""
        return self.owners or ([self.owner] if self.owner else [])


class HandoffHours(_Part):
    """When sales is at work: promises count this time only."""

    days: Days = Field(["mon-fri"], description="Weekdays: mon-fri, or a list.")
    opens: TimeOfDay = Field(alias="from")
    closes: TimeOfDay = Field(alias="to")
    time_zone: TimeZone
    holidays: HolidayNames = Field(
        [], description="Countries, parts of them, and dates: US, DE-BY, 12-24, 2026-12-24."
    )


class StageHandoff(_Part):
    """What is promised and who gets which lead at one stage; what is left out is as for all."""

    first_touch_within: Positive | None = None
    accept_within: Positive | None = None
    remind_after: Positive | None = None
    routes: list[Route] | None = Field(None, min_length=1, max_length=100)


NO_OFFERS = StageHandoff()
"""A stage that is not offered: ``none`` in the file."""


def _or_none(value: object) -> object:
    if value == "none":
        return NO_OFFERS
    if not isinstance(value, dict | StageHandoff):
        raise MiswrittenError("a stage has promises of its own, or makes no offers", "write none")
    return value


class Handoff(_Part):
    """What sales promised for an offered lead, and who gets which."""

    first_touch_within: Positive
    accept_within: Positive
    remind_after: Positive | None = Field(
        None, description="When sales is reminded; by default after half of first_touch_within."
    )
    routes: list[Route] = Field(
        [],
        min_length=1,
        max_length=100,
        description="The first that holds says whose a lead is.",
    )
    hours: HandoffHours | None = Field(None, description="Without them promises run day and night.")
    stages: Mapping[
        str,
        Annotated[
            StageHandoff,
            BeforeValidator(_or_none, json_schema_input_type=StageHandoff | Literal["none"]),
        ],
    ] = Field(
        {},
        description="What is different for single stages; none: no offers.",
        json_schema_extra=LABEL_KEYS,
    )

    @property
    def reminded_after(self) -> timedelta:
        """When sales is reminded of a lead to which nobody has spoken."""
        return self.remind_after or self.first_touch_within / 2

    def at(self, stage: str) -> "Handoff | None":
        """What is promised at one stage; ``None`` if it makes no offers."""
        own = self.stages.get(stage)
        if own is NO_OFFERS:
            return None
        stated = {name: value for name, value in own or () if value is not None}
        if "first_touch_within" in stated:
            stated.setdefault("remind_after", None)
        return self.model_copy(update={**stated, "stages": {}})

    @property
    def all_routes(self) -> Iterator[tuple[tuple[str | int, ...], Route]]:
        """All routes, each with its path."""
        for i, route in enumerate(self.routes):
            yield ("handoff", "routes", i), route
        for stage, own in self.stages.items():
            for i, route in enumerate(own.routes or ()):
                yield ("handoff", "stages", stage, "routes", i), route


class Alert(_Part):
    """What sales hears of at once, whatever the stage of the lead."""

    on: Names | None = Field(
        None, description="The signals; without any, whatever the lead does, as long as when holds."
    )
    when: Expression | None = Field(None, description="A CEL condition over the lead.")
    stages: Labels | None = Field(
        None,
        description="The stages, one or a list; by default all but anonymous and disqualified.",
    )
    again_after: Positive = Field(
        timedelta(hours=1), description="How long after an alert there is no other."
    )
    restart_clock: bool = Field(
        False, description="true: the promises for an open offer are counted anew."
    )
    title: Title | None = None


class Updates(_Part):
    """What tools mirror of a lead, and how soon they are sent what has changed."""

    fields: list[Literal["score", "grade", "stage", "traits", "consent", "owner"]] = Field(
        ["score", "grade", "stage", "traits", "consent", "owner"],
        min_length=1,
        description="Whose changes are sent; by default all of these.",
    )
    at_most_every: Positive = Field(
        timedelta(minutes=10), description="The shortest time between two updates of a lead."
    )
    spread: Duration = Field(
        timedelta(hours=1),
        description="Over how long changes are distributed that no event has caused.",
    )


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
    steps: list[Step] = Field(max_length=100)
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


_Count: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000)]


class Targets(_Part):
    """What the company wants to reach; reports show it beside what was reached."""

    mql: _Count | None = Field(None, description="Persons who become MQLs in a month.")
    sql: _Count | None = Field(None, description="Persons who become SQLs in a month.")
    customers: _Count | None = Field(None, description="Persons who become customers in a month.")
    mql_to_sql: ShareInPpm | None = Field(None, description="MQLs that become SQLs.")
    sql_to_customer: ShareInPpm | None = Field(None, description="SQLs that become customers.")
    lead_to_customer: ShareInPpm | None = Field(
        None, description="Known leads that become customers."
    )
    first_touch: ShareInPpm | None = Field(
        None, description="Leads to whom sales speaks as soon as it promised."
    )


class ModelFile(_Part):
    """A model: what is worth how much, who fits, when a lead is ready, what follows."""

    signals: Mapping[str, Signal] = Field(
        min_length=1, max_length=1_000, json_schema_extra=NAME_KEYS
    )
    groups: Mapping[str, Group] = Field({}, max_length=100, json_schema_extra=LABEL_KEYS)
    fit: Mapping[str, FitRule] = Field({}, max_length=500, json_schema_extra=LABEL_KEYS)
    bonuses: Mapping[str, Bonus] = Field({}, max_length=500, json_schema_extra=LABEL_KEYS)
    base: Points = Field(0, description="The points with which every lead begins.")
    floor: Floor = Field(
        0, description="No score is below this number; none: a score may be below 0."
    )
    grades: Mapping[str, Annotated[int, Field(ge=-100_000, le=100_000)]] = Field(
        {},
        max_length=50,
        description="How many points for fit each grade takes: {A: 40, B: 25, C: 10, D: 0}.",
        json_schema_extra={"propertyNames": {"pattern": GRADE_PATTERN}},
    )
    inactivity: Inactivity | None = None
    stages: Mapping[str, Stage] = Field({}, max_length=50, json_schema_extra=LABEL_KEYS)
    handoff: Handoff | None = None
    alerts: Mapping[str, Alert] = Field({}, json_schema_extra=LABEL_KEYS)
    updates: Updates | None = None
    sequences: Mapping[str, Sequence] = Field({}, max_length=100, json_schema_extra=LABEL_KEYS)
    robots: Robots = Field(
        "ignore", description="count: robots, previews and prefetches count as people do."
    )
    suppression: Suppression = Suppression()
    acts_within: Positive = Field(
        ACTS_WITHIN,
        description="How old a fact may be, when it is learnt, and still be acted upon.",
    )
    targets: Targets | None = None
    probability: WrittenProbability | None = None
    traits: Mapping[str, TypeName] = Field({}, max_length=1_000, json_schema_extra=NAME_KEYS)
    properties: Mapping[str, TypeName] = Field({}, max_length=1_000, json_schema_extra=NAME_KEYS)
