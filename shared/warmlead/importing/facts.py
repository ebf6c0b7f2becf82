"""What a row says, by its mapping: events of its person, or what was spent. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from warmlead.domain.attribution import Channel, channel_of, named_channel
from warmlead.domain.errors import ConfigurationError, Reason, RejectedError
from warmlead.domain.event import CHANNEL, OF_RECORDS, SALES_EVENTS, Event, Property, Trust
from warmlead.domain.imports import source_of
from warmlead.domain.sales import EVENT_PREFIX, Refusal, SalesStatus
from warmlead.domain.sites import Category
from warmlead.importing.mapping import FactMapping, FileMapping, ImportMapping, SpendMapping, When
from warmlead.importing.reading import Row, Values, as_text
from warmlead.parsing.strict_json import text_of
from warmlead.parsing.times import parse_time
from warmlead.ports.imports import Spend
from warmlead.senders.attribution import Visit, path_of, visit_of
from warmlead.senders.person import Notes, email_of, event_name, long_hash, person_id, trait_value
from warmlead.senders.statement_parts import NO_CURRENCY, deal_value
from warmlead.senders.tool_ids import is_of_another

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
"""An earlier time is a default of a program, and no time at which somebody did anything."""

MAX_AHEAD = timedelta(minutes=5)
"""A time may be this much later than the import: clocks differ."""

MAX_VALUE = 8_000
"""The longest text of a trait or property that is kept, in characters."""

BY_NUMBERS = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})(.*)", re.DOTALL)
"""A date whose first numbers are day and month, in whichever order, and what stands behind it."""
_ZONED = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2}|UTC|GMT|[A-Z]{3})\)?\Z")
_LONGEST_TIME = 100
OF_A_TOOL = "it is the id of a record in a tool, which rows of visitors do not name"
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class RowContent:
    """What a row says; ``month`` is that of its earliest fact, or of the day of its spend."""

    events: tuple[Event, ...] = ()
    spend: Spend | None = None

    @property
    def month(self) -> str:
        """The month (UTC), such as ``2018-03``; empty if the row says nothing."""
        if self.spend:
            return f"{self.spend.day:%Y-%m}"
        return f"{min(e.occurred_at for e in self.events):%Y-%m}" if self.events else ""


class RowError(Exception):
    """A row that cannot be imported; ``problems`` are all of its faults, by column."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class Reader:
    """Reads the rows of one file; ``now`` is when the import runs.

    Raises ``ConfigurationError`` if the mapping names a time zone that does not exist.
    """

    def __init__(
        self, mapping: ImportMapping, part: FileMapping, *, name: str, now: datetime
    ) -> None:
        self._mapping = mapping
        self._part = part
        self._name = name
        self._now = now
        self._persons = part.persons
        self._origins = [(each.when, each.named()) for each in part.origin]
        self._blank = {plain(text) for text in part.blank} | {""}
        try:
            self._zone = ZoneInfo(mapping.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            problem = "is not a time zone; write one such as Europe/Berlin"
            raise ConfigurationError.one(f"time_zone {mapping.time_zone}:", problem) from error

    def read(self, row: Row) -> RowContent:
        """What the row says; raises ``RowError``."""
        if row.fault:
            raise RowError([row.fault])
        values = {k: v for k, v in row.values.items() if not self._is_blank(v)}
        problems: list[str] = []
        if self._part.spend:
            spend = self._spend(self._part.spend, values, problems)
            said = RowContent(spend=spend)
        else:
            said = RowContent(tuple(self._events(values, problems)))
        if problems:
            raise RowError(list(dict.fromkeys(problems)))
        return said

    def _is_blank(self, value: object) -> bool:
        return value is None or (isinstance(value, str) and plain(value) in self._blank)

    # --- persons -------------------------------------------------------------------------

    def _events(self, values: Values, problems: list[str]) -> Iterator[Event]:
        part = self._part
        person = self._person(values, problems)
        told = []
        for place, fact in enumerate(part.facts):
            is_said = _holds(fact.when, values) and not _has_any(fact.unless, values)
            if is_said and fact.at in values:
                at = self._time(fact.at, values[fact.at], problems)
                told.append((at or self._now, place, fact))
        if told and not any(person.values()) and not problems:
            if part.trust is Trust.PUBLIC:
                return  # a visitor who was not to be recognized
            problems.append(f"{', '.join(self._persons.values())}: nobody is named")
        if problems:
            return
        told.sort(key=lambda each: each[:2])
        for order, (at, _, fact) in enumerate(told):
            try:
                event = self._event(fact, values, at, person, is_first=order == 0)
            except RejectedError as error:
                problems.append(f"{fact.value or fact.at}: {_why_refused(error)}")
            else:
                yield event

    def _person(self, values: Values, problems: list[str]) -> dict[str, str | None]:
        part, found = self._part, dict[str, str | None]()
        if part.email and part.email in values:
            found["email"] = email_of(as_text(values[part.email]))
            if not found["email"]:
                problems.append(f"{part.email}: the email address is not valid")
        for field, column in self._persons.items():
            if field == "email" or column not in values:
                continue
            is_user = field in ("user_id", "merged_user_id")
            several = as_text(values[column]).split(";")
            text = next(filter(None, map(str.strip, several)), "")
            try:
                if person_id(text, column, is_user=is_user):  # no placeholder, such as "null"
                    prefix = "" if field == "anonymous_id" else part.prefix
                    found[field] = id_ = person_id(f"{prefix}{text}", column, is_user=is_user)
                    # A tool that the mapping's author names in the prefix may be named.
                    named = prefix.partition(":")[0]
                    if id_ and part.trust is Trust.PUBLIC and is_of_another(id_, named):
                        problems.append(f"{column}: {OF_A_TOOL}")
            except RejectedError as error:
                problems.append(f"{column}: {error.message}")
        if deal := found.pop("deal_id", None):
            found["anonymous_id"] = deal
        other = found.pop("merged_user_id", None)
        if found.get("user_id") and other != found["user_id"]:
            found["merged_user_id"] = other
        else:
            found["user_id"] = found.get("user_id") or other
        return found

    def _event(
        self,
        fact: FactMapping,
        values: Values,
        at: datetime,
        person: Mapping[str, str | None],
        *,
        is_first: bool,
    ) -> Event:
        name, properties = self._named(fact, values)
        notes = Notes()
        known = dict[str, Property]()
        for column, trait in self._part.traits.items() if is_first else ():
            if column in values:
                known[trait] = trait_value(trait, _kept(values[column]))
        visit = self._visit(values) if is_first else _NO_VISIT
        return Event.checked(
            id=self._id(f"{fact.at}\n{name}", values),
            source=source_of(self._name),
            trust=self._part.trust,
            name=name,
            occurred_at=at,
            received_at=at,
            traits=known,
            properties=properties,
            attribution=visit.touch,
            direct=visit.direct,
            notes=notes.told,
            **person,
        )

    def _named(self, fact: FactMapping, values: Values) -> tuple[str, dict[str, Property]]:
        """The name of a fact's event, and its properties."""
        given = {to: _kept(values[c]) for c, to in fact.properties.items() if c in values}
        if isinstance(url := given.get("url"), str) and url.startswith(("https://", "http://")):
            given.setdefault("path", path_of(url))
        if fact.stage is not None:
            return next(iter(OF_RECORDS)), {"reason": fact.stage}
        if fact.said is not None:
            return self._statement(fact, fact.said, values, given)
        if fact.event is not None:
            return fact.event, given
        column = str(fact.event_from)
        if column not in values:
            raise RejectedError(Reason.EVENT_NAME_MISSING, f"{column} names no event.")
        name = event_name(as_text(values[column]))
        if name in SALES_EVENTS:
            text = f"{name} is no event: a fact with said, or with stage, says it."
            raise RejectedError(Reason.EVENT_INVALID, text)
        return name, given

    def _statement(
        self, fact: FactMapping, said: str, values: Values, given: dict[str, Property]
    ) -> tuple[str, dict[str, Property]]:
        reason = as_text(values.get(str(fact.reason), ""))[:200]
        if said in set(Refusal):
            said, reason = SalesStatus.REJECTED, said
        deal = deal_value(
            values.get(str(fact.value)),
            values.get(str(fact.currency)),
            otherwise=self._mapping.currency or "",
            reason=reason if said in (SalesStatus.LOST, SalesStatus.REJECTED) else "",
            numbers=self._mapping.numbers,
        )
        if deal.reason:
            given["reason"] = deal.reason
        if deal.value_cents is not None:
            given |= {"value_cents": deal.value_cents, "currency": deal.currency}
        return f"{EVENT_PREFIX}{said}", given

    def _visit(self, values: Values) -> Visit:
        """Where the person came from, by the first origin whose condition holds."""
        named = next((named for when, named in self._origins if _holds(when, values)), {})
        told = {name: as_text(values[c]) for name, c in named.items() if c in values}
        word = told.pop("channel", "")
        channel = named_channel(word)
        if word and channel is None:
            told.setdefault("source", word)
        source, medium = (told.get(name, "").strip().lower() for name in ("source", "medium"))
        if (channel or channel_of(Category.OTHER, source, medium, "")) is Channel.DIRECT:
            return Visit({}, direct=True)
        fields = {_PARAMETERS.get(name, name): value for name, value in told.items()}
        visit = visit_of(
            url=told.get("url"),
            referrer=told.get("referrer", "" if "referrer" in named else None),  # it says: none
            fields={k: v for k, v in fields.items() if k not in _PAGES},
            landing_page=told.get("landing_page"),
        )
        if channel in (None, Channel.UNKNOWN):
            return visit
        return Visit({**visit.attribution, CHANNEL: str(channel)}, False, visit.landing_page)

    # --- spend ---------------------------------------------------------------------------

    def _spend(self, part: SpendMapping, values: Values, problems: list[str]) -> Spend | None:
        if not _holds(part.when, values) or part.amount not in values:
            return None
        if part.day not in values:
            problems.append(f"{part.day}: a day is missing")
            return None
        at = self._time(part.day, values[part.day], problems)
        currency = values.get(str(part.currency))
        try:
            amount = deal_value(
                values[part.amount],
                currency,
                otherwise=self._mapping.currency or "",
                numbers=self._mapping.numbers,
            )
        except RejectedError as error:
            problems.append(f"{part.amount}: {_why_refused(error)}")
            return None
        if at is None or amount.value_cents is None:
            return None
        said = {
            name: as_text(values.get(str(getattr(part, name)), ""))[:200]
            for name in ("channel", "source", "medium", "campaign")
        }
        return Spend(
            key=long_hash(f"{self._name}\n{self._id('spend', values)}"),
            day=at.date(),
            amount_cents=amount.value_cents,
            currency=amount.currency,
            imported=self._name,
            **said,
        )

    # --- values --------------------------------------------------------------------------

    def _id(self, fact: str, values: Values) -> str:
        """The id of what a row says: of the row's own id, or of all that the row holds."""
        if self._part.id and self._part.id in values:
            return long_hash(f"{self._part.id}\n{as_text(values[self._part.id])}\n{fact}")
        held = sorted((name, as_text(value)) for name, value in values.items())
        return long_hash(text_of([fact, held]))

    def _time(self, column: str, value: object, problems: list[str]) -> datetime | None:
        try:
            at = self._moment(value, column)
        except RejectedError:
            problems.append(f"{column}: {_why_no_time(value)}")
            return None
        if at is not None and at > self._now + MAX_AHEAD:
            problems.append(f"{column}: the time is in the future")
        elif at is not None and at < EARLIEST:
            problems.append(f"{column}: the time is before 1970")
        else:
            return at
        return None

    def _moment(self, value: object, column: str) -> datetime | None:
        if isinstance(value, datetime):
            value = value.isoformat()
        elif hasattr(value, "isoformat"):
            value = str(value)
        if not isinstance(value, str):
            return parse_time(value, column)
        text = value.strip()
        found = BY_NUMBERS.fullmatch(text) if len(text) <= _LONGEST_TIME else None
        if found and self._mapping.dates:
            one, other = found[1], found[3]
            day, month = (one, other) if self._mapping.dates == "day-first" else (other, one)
            text = f"{found[4]}-{month.zfill(2)}-{day.zfill(2)}{found[5]}"
        at = parse_time(text, column)
        if at is None or text.isdecimal() or _ZONED.search(text):
            return at
        if at.time() == _MIDNIGHT:
            return at  # a day, however it is written: it stays that day, in whatever zone
        return at.replace(tzinfo=self._zone).astimezone(UTC)


_PARAMETERS = {name: f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content")}
_PAGES = ("url", "referrer", "landing_page")
_NO_VISIT = Visit({}, direct=False)


def _why_no_time(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if len(text) <= _LONGEST_TIME and BY_NUMBERS.fullmatch(text):
        return "may be two days; write dates: day-first or month-first in the mapping"
    return "cannot be read as a time; write it as 2026-11-26 or 2026-11-26T19:21:00Z"


def _why_refused(error: RejectedError) -> str:
    if error.message == NO_CURRENCY:
        return "it has no currency; add --currency EUR, or currency: EUR to the mapping"
    return error.message


def plain(text: str) -> str:
    """A value as conditions compare it: without case, and without blanks around it."""
    return text.strip().casefold()


def _kept(value: Any) -> Property:  # noqa: ANN401  # whatever a file holds
    if isinstance(value, str):
        return value.strip()[:MAX_VALUE]
    if isinstance(value, bool | int | float):
        return value
    return as_text(value)[:MAX_VALUE]


def _holds(when: When, values: Values) -> bool:
    """Whether all columns have one of the values that they must have."""
    return all(_is_one_of(values.get(column, ""), wanted) for column, wanted in when.items())


def _has_any(unless: When, values: Values) -> bool:
    """Whether some column has one of the values that it may not have."""
    return any(_is_one_of(values.get(column, ""), refused) for column, refused in unless.items())


def _is_one_of(value: object, words: str | Sequence[str]) -> bool:
    return plain(as_text(value)) in map(plain, [words] if isinstance(words, str) else words)
