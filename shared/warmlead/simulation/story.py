"""A story that a model's author wrote: its file, checked, and the events that it makes."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from msgspec import structs
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import LANDING_PAGE, Event, Property, Trust
from warmlead.domain.event_names import our_name
from warmlead.domain.sales import DETAILS
from warmlead.model.advice import in_words
from warmlead.model.document import (
    Finding,
    Path,
    Severity,
    YamlDocument,
    did_you_mean,
    path_text,
    read,
)
from warmlead.model.misread import Position
from warmlead.model.values import NAME_PATTERN
from warmlead.model.vocabulary import STANDARD_EVENTS
from warmlead.parsing.times import parse_time
from warmlead.ports import RawRequest
from warmlead.senders.attribution import PARAMETERS, visit_of
from warmlead.senders.crm import (
    CrmIdentity,
)
from warmlead.senders.person import as_traits, flatten, person_id
from warmlead.senders.sales.source import translate_posted
from warmlead.senders.statement_parts import email_in

NAME = "story"
FIRST_DAY = date(2026, 1, 5)
"""Day 1 of a story that does not say when it begins: a Monday."""

AFTERWARDS_DAYS = 14
"""How many days a story goes on after its last event, unless it has ``days``."""

MAX_DAYS = 400

_RELATIVE = re.compile(r"day +(\d{1,4}) +(\d{1,2}:\d{2})")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StoryPerson(_Part):
    """The lead of the story: its identity and traits."""

    email: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    traits: dict[str, Any] = {}


class Happening(_Part):
    """One thing that the lead did, or that sales states about the lead.

    It was so ``at`` a time; with ``learnt``, Warmlead learns of it later.
    """

    at: str
    learnt: str | None = None
    event: Annotated[str, StringConstraints(pattern=NAME_PATTERN)] | None = None
    times: Annotated[int, Field(ge=1, le=20)] = 1
    anonymous: bool = False
    trust: Literal["signed", "public"] = "signed"
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    attribution: dict[str, Any] = {}
    sales: str | None = None
    reason: str | None = None
    value: int | float | str | None = None
    currency: str | None = None
    budget: int | float | str | None = None
    authority: str | None = None
    need: str | None = None
    timing: str | None = None
    by: str | None = None
    note: str | None = None


class StoryFile(_Part):
    """The whole file."""

    about: str | None = None
    start: str | None = None
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None
    lead: StoryPerson
    events: list[Happening] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True)
class StoryFault:
    """The fault of a value of the file, and its place."""

    path: tuple[str | int, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Script:
    """The events of a story in order, from the beginning of day 1 to the end."""

    about: str
    begins: datetime
    ends: datetime
    events: Sequence[Event]


_OF_SALES = ("reason", "value", "currency", *DETAILS)
"""The fields of what sales states."""

_FIELDS = {
    Reason.SAID_UNKNOWN: "sales",
    Reason.REASON_INVALID: "reason",
    Reason.VALUE_INVALID: "value",
    Reason.CURRENCY_UNKNOWN: "currency",
}


def script_of(file: StoryFile) -> tuple[Script, Sequence[StoryFault]]:
    """The script that the file states, and every fault in the file; faulty events are left out."""
    builder = _ScriptBuilder(file)
    begins = builder.first_day()
    events = list(builder.events(begins))
    if file.days is not None:
        days = file.days
    else:
        days = (max((event.received_at for event in events), default=begins) - begins).days
        days += 1 + AFTERWARDS_DAYS
    script = Script(file.about or "", begins, begins + timedelta(days=days), events)
    return script, builder.faults


class _ScriptBuilder:
    """Makes events of a story file, and collects its faults."""

    def __init__(self, file: StoryFile) -> None:
        self.faults: list[StoryFault] = []
        self._file = file
        self._introduced = False
        self._who = self._read_person(file.lead)

    def first_day(self) -> datetime:
        """Midnight before the story, UTC."""
        day = FIRST_DAY
        try:
            if self._file.start is not None:
                day = date.fromisoformat(self._file.start)
            elif not _RELATIVE.fullmatch(first := _heard(self._file.events[0])):
                at = parse_time(first, "at")
                day = at.date() if at else day
        except ValueError:
            self._fault(("start",), "is not a date: write one such as 2026-03-02")
        except RejectedError:
            pass  # reported where that event is read
        return datetime.combine(day, time(), UTC)

    def events(self, begins: datetime) -> Iterator[Event]:
        """The events that can be read."""
        before = begins
        for i, item in enumerate(self._file.events):
            path = ("events", i)
            at = self._when(item.at, begins, (*path, "at"))
            field = "at" if item.learnt is None else "learnt"
            heard = self._when(_heard(item), begins, (*path, field)) if item.learnt else at
            if at is None or heard is None:
                continue
            if heard < at:
                self._fault((*path, "learnt"), "is earlier than at: nothing is learnt before it is")
                continue
            if heard < before:
                what = "the one above" if before > begins else "the first day"
                self._fault((*path, field), f"is earlier than {what}: write the events in order")
                continue
            before = heard
            try:
                yield from self._one(item, i, at, heard)
            except RejectedError as error:
                wrong = _FIELDS.get(error.reason)
                self._fault((*path, wrong) if wrong else path, error.message)

    def _fault(self, path: tuple[str | int, ...], message: str) -> None:
        self.faults.append(StoryFault(path, message))

    def _read_person(self, lead: StoryPerson) -> CrmIdentity:
        try:
            email = email_in(lead.email)
            user, visitor = (
                person_id(lead.user_id, "user_id", is_user=True),
                person_id(lead.anonymous_id, "anonymous_id"),
            )
        except RejectedError as error:
            wrong = "email" if error.reason is Reason.EMAIL_INVALID else "user_id"
            self._fault(("lead", wrong), error.message)
            return CrmIdentity(anonymous_id="stand-in")
        if not (email or user or visitor):
            self._fault(("lead",), "has no identity: give an email, a user_id or an anonymous_id")
        return CrmIdentity(email, user, visitor)

    def _when(self, text: str, begins: datetime, path: tuple[str | int, ...]) -> datetime | None:
        try:
            if found := _RELATIVE.fullmatch(text):
                clock = time.fromisoformat(found[2].zfill(5))
                day = begins + timedelta(days=int(found[1]) - 1)
                return datetime.combine(day, clock, UTC)
            if len(text) > len("2026-03-02"):
                return parse_time(text, "at")
        except (ValueError, RejectedError):
            pass
        self._fault(path, "is not a time: write day 3 10:15 or 2026-03-04T10:15 (UTC)")
        return None

    def _one(self, item: Happening, i: int, at: datetime, heard: datetime) -> list[Event]:
        if (item.event is None) == (item.sales is None):
            message = "must have either event: (what happened) or sales: (what sales stated)"
            self._fault(("events", i), message)
            return []
        if item.sales is not None:
            return [self._said(item, i, at, heard)]
        return self._done(item, i, at, heard)

    def _said(self, item: Happening, i: int, at: datetime, heard: datetime) -> Event:
        """The statement of sales, in the format of its posts."""
        given = {"said": item.sales, **item.model_dump(include={*_OF_SALES})}
        posted = {**given, **structs.asdict(self._who), "occurred_at": at.isoformat(), "id": _id(i)}
        return translate_posted(posted, i, RawRequest("POST", "", "", {}, b"", heard, ""))

    def _done(self, item: Happening, i: int, at: datetime, heard: datetime) -> list[Event]:
        """The lead's event, repeated as often as the story says."""
        path = ("events", i)
        for extra in _OF_SALES:
            if getattr(item, extra) is not None:
                self._fault((*path, extra), "is only for what sales states: add sales:")
        who = CrmIdentity(anonymous_id=self._who.anonymous_id) if item.anonymous else self._who
        if not who:
            self._fault((*path, "anonymous"), "the lead has no anonymous_id: add one to lead:")
            return []
        fields = {
            "source": NAME,
            "trust": Trust(item.trust),
            "name": item.event,
            "occurred_at": at,
            "received_at": heard,
            **structs.asdict(who),
            "traits": self._traits(item),
            "properties": flatten(item.properties, _refuse),
            "attribution": self._origin(item.attribution, (*path, "attribution")),
        }
        return [Event.checked(**fields, id=_id(i, copy)) for copy in range(item.times)]

    def _origin(self, stated: Mapping[str, Any], path: tuple[str | int, ...]) -> Mapping[str, str]:
        """Where the visitor came from, and the page on which the visit began."""
        for name in stated.keys() - PARAMETERS - {"referrer", LANDING_PAGE}:
            self._fault(
                (*path, name), "is not a UTM parameter, a click id, referrer or landing_page"
            )
        visit = visit_of(
            fields=stated,
            referrer=stated.get("referrer"),
            landing_page=stated.get(LANDING_PAGE),
        )
        if LANDING_PAGE in stated and not visit.landing_page:
            self._fault(
                (*path, LANDING_PAGE),
                "is a path or an address, beside a parameter or a referrer",
            )
        return visit.touch

    def _traits(self, item: Happening) -> Mapping[str, Property]:
        """The data of the lead in the event; the first event that names the lead has all of it."""
        known = {} if item.anonymous or self._introduced else self._file.lead.traits
        self._introduced = self._introduced or not item.anonymous
        return as_traits(flatten({**known, **item.traits}, _refuse))


def _heard(item: Happening) -> str:
    """The time at which it is learnt, as it is written."""
    return item.at if item.learnt is None else item.learnt


def _id(i: int, copy: int = 0) -> str:
    return f"{NAME}-{i + 1}" + (f"-{copy + 1}" if copy else "")


def _refuse(field: str, what: str) -> None:
    """A story is written by hand, so input that would be cut or left out is a fault."""
    raise RejectedError(Reason.FIELD_INVALID, f"{field}: {what}" if field else what)


_MANY = 2  # the parts of the path of an item: events, and its number


@dataclass(frozen=True, slots=True)
class CheckedStory:
    """The script of a story file, unless the file has faults; and what was found in it."""

    script: Script | None
    findings: list[Finding]


def read_story(
    text: str,
    *,
    known_events: Collection[str] = (),
    is_wanted: Callable[[Event], bool] = lambda _: True,
) -> CheckedStory:
    """The story in the text (YAML or JSON); no story if anything in it is wrong.

    ``known_events`` are those that match signals of the model: others get a warning. An event
    that the model does not want, because no condition of its signals holds, gets a note.
    """
    document = read(text)
    if document.faults:
        return CheckedStory(None, list(document.faults))
    if not isinstance(document.value, dict):
        return CheckedStory(
            None, [_at(Position(1, 1), (), "a story is a mapping: lead:, events: …")]
        )
    try:
        file = StoryFile.model_validate(document.value)
    except ValidationError as error:
        return CheckedStory(
            None, [_misshapen(document, each) for each in error.errors(include_url=False)]
        )
    script, faults = script_of(file)
    found = [_at(document.of_value(each.path), each.path, each.message) for each in faults]
    doubts = _doubts(document, file, {*known_events, *STANDARD_EVENTS})
    if not found:
        doubts += _unwanted(document, script, {doubt.path for doubt in doubts}, is_wanted)
    return CheckedStory(None if found else script, found + doubts)


def _unwanted(
    document: YamlDocument,
    script: Script,
    doubted: Collection[str],
    is_wanted: Callable[[Event], bool],
) -> list[Finding]:
    """Notes events of which no signal's condition holds."""
    found = []
    for event in script.events:
        number = re.fullmatch(rf"{NAME}-(\d+)", event.id)
        path = ("events", int(number[1]) - 1, "event") if number else ()
        if not number or path_text(path) in doubted or is_wanted(event):
            continue
        message = (
            f'no condition of a signal holds for this "{event.name}": it brings no points, and no '
            "count of a signal has it"
        )
        place = document.of_value(path)
        found.append(Finding(Severity.NOTE, *place, path_text(path), message))
    return found


def _at(place: Position, path: Path, message: str, suggestion: str = "") -> Finding:
    return Finding(Severity.ERROR, *place, path_text(path), message, suggestion)


def _misshapen(document: YamlDocument, fault: ErrorDetails) -> Finding:
    """A complaint of the schema, at the key if it is the key that is wrong or lacking."""
    path = _of_file(fault["loc"])
    model = _model_at(path[:-1])
    message, suggestion = in_words({**fault, "loc": path}, model.model_fields if model else ())
    if fault["type"] == "missing":
        place = document.of_key(path[:-1])
    elif fault["type"] == "extra_forbidden":
        place = document.of_key(path)
    else:
        place = document.of_value(path)
    return _at(place, path, message, suggestion)


def _of_file(path: Path) -> Path:
    """The path without the alternatives that the schema has for a value."""
    return path[: _MANY + 1] if path[:1] == ("events",) else path[:_MANY]


def _model_at(path: Path) -> type[BaseModel] | None:
    match path:
        case ():
            return StoryFile
        case ("lead",):
            return StoryPerson
        case ("events", int()):
            return Happening
    return None


def _doubts(document: YamlDocument, file: StoryFile, known: AbstractSet[str]) -> list[Finding]:
    """Warns of events that are not a signal of the model."""
    return [
        Finding(
            Severity.WARNING,
            *document.of_value(("events", i, "event")),
            path_text(("events", i, "event")),
            f'no signal of the model is a "{item.event}": it brings no points',
            did_you_mean(item.event, known),
        )
        for i, item in enumerate(file.events)
        if item.event is not None and not known & {item.event, our_name(item.event)}
    ]
