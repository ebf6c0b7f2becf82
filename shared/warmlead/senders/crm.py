"""The common part of senders of sales: settings, statements, records, answers."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, Literal, Self, TypeAlias, TypeVar, get_args

from msgspec import Struct, ValidationError, convert, structs

from warmlead.domain.consent_fields import says_no
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import (
    MAX_AGE,
    OF_RECORDS,
    SALES_EVENTS,
    Event,
    Property,
    Trust,
    settle_time,
)
from warmlead.domain.money import Numbers, currency_code
from warmlead.domain.sales import BANT, EVENT_PREFIX, IDENTIFIED, Refusal, SalesStatus
from warmlead.parsing.strict_json import fault_in, text_of
from warmlead.parsing.times import occurred_at
from warmlead.ports import Accepted, Ignored, RawRequest, Refused, Translation
from warmlead.senders.base import PlainAnswers, Profile, SenderSettings, refused_items
from warmlead.senders.person import event_id, person_id
from warmlead.senders.statement_parts import (
    NO_DETAILS,
    CrmDeal,
    TraitName,
    deal_value,
    details_of,
    email_in,
    traits_of,
    value_text,
    word_for,
)
from warmlead.settings import SettingFault, Settings
from warmlead.web.answers import Answer

Word: TypeAlias = Literal[
    "touched",
    "accepted",
    "not_ready",
    "bad_fit",
    "bad_data",
    "duplicate",
    "unreachable",
    "opportunity",
    "won",
    "lost",
    "nothing",
]
"""What a stage or status of a CRM means for a lead; a rejection is named by its reason."""

WORDS: tuple[str, ...] = get_args(Word)

Detail: TypeAlias = Literal["budget", "authority", "need", "timing", "note"]
"""What sales tells besides its word: see ``domain.sales.DETAILS``."""

NOTHING = "nothing"

OURS = "warmlead_"
"""The properties that Warmlead writes itself begin so, in small letters."""

UNSUBSCRIBED = "email_unsubscribed"
OF_CRMS = tuple(sorted({*SALES_EVENTS, UNSUBSCRIBED} - OF_RECORDS))
"""The events that what a CRM's records state can become."""

Stages: TypeAlias = Mapping[str, Mapping[str, Word]]
"""Property of a CRM's record → its value → the word for it."""

MAX_REASON = 100
"""The longest reason for a loss, in characters; a longer one is cut."""


class CrmIdentity(Struct, frozen=True):
    """The identifiers of a lead; at least one of them."""

    email: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def count(self) -> int:
        """How many of the three are there."""
        return sum(map(bool, structs.astuple(self)))


class CrmOrigin(Struct, frozen=True):
    """Which sender sent a statement, when it was received, and the sender's id and time of it."""

    source: str
    received_at: datetime
    id: str
    at: datetime | None


def statement(
    origin: CrmOrigin,
    who: CrmIdentity,
    word: str,
    deal: CrmDeal = CrmDeal(),  # noqa: B008  # it is frozen
    details: Mapping[str, Property] = NO_DETAILS,
) -> Event:
    """The event by which sales states a word of ``WORDS`` about a lead.

    ``details`` are those of ``domain.sales.DETAILS``: those of ``BANT`` are traits of the lead too.
    """
    refused = word in set(Refusal)
    status = SalesStatus.REJECTED if refused else SalesStatus(word)
    properties: dict[str, Property] = {}
    if refused:
        properties["reason"] = word
    elif status is SalesStatus.LOST and deal.reason:
        properties["reason"] = deal.reason[:MAX_REASON]
    if deal.value_cents is not None:
        properties |= {"value_cents": deal.value_cents, "currency": deal.currency}
    traits = {name: value for name, value in details.items() if name in BANT}
    return _event(origin, who, f"{EVENT_PREFIX}{status}", {**properties, **details}, traits=traits)


def identification(
    origin: CrmOrigin,
    who: CrmIdentity,
    *,
    merged_user_id: str | None = None,
    traits: Mapping[str, Property] = NO_DETAILS,
) -> Event:
    """The event that only ties the identifiers of one lead, and says who it is.

    Those of a merged record are among the identifiers.
    """
    return _event(origin, who, IDENTIFIED, {}, merged_user_id, traits=traits)


def refusals(record: "Record", names: Iterable[str]) -> list[Event]:
    """The opt-out from mail that the record's fields state, such as ``hs_email_optout``."""
    found = []
    for name in names:
        value = record.properties.get(name)
        if not isinstance(value, str | int | float):
            continue
        stated = _event(origin_in(record, name), record.who, IDENTIFIED, {name: value})
        if says_no(stated):
            found.append(_event(origin_in(record, name), record.who, UNSUBSCRIBED, {}))
    return found[:1]


def _event(
    origin: CrmOrigin,
    who: CrmIdentity,
    name: str,
    properties: dict[str, Property],
    merged_user_id: str | None = None,
    *,
    traits: Mapping[str, Property] = NO_DETAILS,
) -> Event:
    return Event.checked(
        id=origin.id,
        source=origin.source,
        trust=Trust.SIGNED,
        name=name,
        occurred_at=_time(origin, name),
        received_at=origin.received_at,
        email=who.email,
        user_id=who.user_id,
        anonymous_id=who.anonymous_id,
        traits=dict(traits),
        properties=properties,
        merged_user_id=merged_user_id,
    )


def _time(origin: CrmOrigin, name: str) -> datetime:
    """When it was so. Whose a record is, and who wants no mail, counts however long it is so.

    Raises ``RejectedError`` for a word of sales that is more than five years old.
    """
    if name in (IDENTIFIED, UNSUBSCRIBED):
        settled = settle_time(origin.at, origin.received_at)
        return settled or origin.received_at - MAX_AGE
    return occurred_at(origin.at, origin.received_at, "The time")


class CrmSettings(SenderSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of every CRM. Properties are named as the CRM names them.

    ``stages`` maps values of properties to words about the lead. ``email`` lists the properties
    that may hold the lead's address; the first one with an address counts. ``user_id`` holds our
    user id. ``amount``, ``amount_currency`` and ``reason`` hold a deal's value, its currency, and
    why it was lost. ``currency`` is for values without one. ``numbers`` is how amounts are written
    in texts: APIs of CRMs send plain decimals. ``details`` names the properties that hold what
    sales tells besides: ``budget``, ``authority``, ``need``, ``timing``, ``note``. ``traits`` says
    which trait a property of a person is.
    """

    stages: Stages
    email: tuple[str, ...] = ()
    user_id: str | None = None
    amount: str = "amount"
    amount_currency: str = "currency"
    reason: str | None = None
    currency: str = ""
    numbers: Numbers = "1,234.56"
    details: Mapping[Detail, str] = {}
    traits: Mapping[str, TraitName] = {}

    def __post_init__(self) -> None:
        if self.currency:
            try:
                currency_code(self.currency)
            except RejectedError as error:
                raise ValueError("currency is not a code of ISO 4217, such as EUR") from error

    @classmethod
    def as_meant(cls, given: object) -> object:
        """The section with the values of its stages as texts; YAML reads 3 as a number."""
        if not isinstance(given, dict) or not isinstance(given.get("stages"), dict):
            return given
        stages = {
            str(name): {_as_text(value): word for value, word in words.items()}
            if isinstance(words, dict)
            else words
            for name, words in given["stages"].items()
        }
        return {**given, "stages": stages}

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """The faults of the section; those of its stages are named one by one."""
        of_stages, at = list(_faults_of_stages(given, where)), (*where, "stages")
        found = super().faults(given, where)
        others = [each for each in found if not of_stages or each.where[: len(at)] != at]
        return [*others, *of_stages]


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _faults_of_stages(given: object, where: tuple[str, ...]) -> Iterator[SettingFault]:
    stages = given.get("stages") if isinstance(given, dict) else None
    for name, words in (stages if isinstance(stages, dict) else {}).items():
        at = (*where, "stages", name)
        if not isinstance(words, dict):
            yield SettingFault(at, "must be a mapping of the property's values to what they say")
            continue
        if str(name).lower().startswith(OURS):
            yield SettingFault(at, "is written by Warmlead: it does not tell what sales says")
        for value, word in words.items():
            if word not in WORDS:
                yield SettingFault((*at, value), f"must be one of {', '.join(WORDS)}")


T = TypeVar("T")
S = TypeVar("S", bound=SenderSettings)

MAX_ITEMS = 100
"""The most items of one request; no CRM sends more."""

_PLACE = re.compile(r" - at `(\$[A-Za-z0-9_.\[\]]*)`\Z")
_MISSING = re.compile(r"missing required field `([A-Za-z0-9_]+)`")


class Items(Struct, frozen=True):
    """The items of a request; those of a ``suspect`` body may hold faults."""

    values: Sequence[Any]
    suspect: bool = False


def too_many_items() -> RejectedError:
    """The error for a request of more than ``MAX_ITEMS``."""
    return RejectedError(Reason.TOO_MANY_EVENTS, f"There are more than {MAX_ITEMS} items.")


def as_wire(item: dict[str, Any], type_: type[T]) -> T:
    """The item in its documented type; raises ``RejectedError`` with the place of a fault."""
    try:
        return convert(item, type_)
    except ValidationError as error:
        place = _PLACE.search(str(error)) or _MISSING.search(str(error))
        where = f": the fault is at {place[1]}" if place else ""
        message = f"This does not have the documented format{where}."
        raise RejectedError(Reason.EVENT_INVALID, message) from None  # it may quote a value


class SalesSender(PlainAnswers, ABC, Generic[S]):
    """A sender of statements of sales. Its requests are signed, or refused."""

    name: str
    path: str
    profile: Profile
    keeps_refused = True
    """Whether refused items go to quarantine where the sender cannot mend them."""

    def __init__(self, settings: S) -> None:
        self._settings = settings

    @classmethod
    def from_settings(cls, own: S, _using: Settings) -> Self:
        """The sender as its section of the settings file configures it."""
        return cls(own)

    @property
    def paths(self) -> Sequence[str]:
        """Its one path."""
        return [self.path]

    @abstractmethod
    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The headers by which the sender proves that the request is its own."""

    @abstractmethod
    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless the request is authentic."""

    @abstractmethod
    def read(self, request: RawRequest) -> Items:
        """The items in the body; raises ``RejectedError`` if they cannot be separated."""

    @abstractmethod
    def events_of(
        self, item: dict[str, Any], index: int, request: RawRequest
    ) -> list[Event | Ignored]:
        """The events of one item; raises ``RejectedError`` if it cannot be understood."""

    def verify(self, request: RawRequest) -> Trust:
        """Always signed; ``RejectedError`` for anybody else's request."""
        if request.path.rstrip("/") != self.path:
            raise RejectedError(Reason.NOT_FOUND, "No sender of sales has this path.")
        if request.method != "POST":
            raise RejectedError(Reason.METHOD_NOT_ALLOWED, "Send statements with POST.")
        self.check(request)
        return Trust.SIGNED

    def translate(self, request: RawRequest, trust: Trust) -> Translation:  # noqa: ARG002  # whatever got here was signed
        """The events in the request, each item judged by itself."""
        items = self.read(request)
        if not items.values:
            raise RejectedError(Reason.BODY_EMPTY, "The body holds no item.")
        if len(items.values) > MAX_ITEMS:
            raise too_many_items()
        events: list[tuple[int, Event]] = []
        refused: list[Refused] = []
        ignored: list[tuple[int, Ignored]] = []
        for index, item in enumerate(items.values):
            try:
                found = self._judged(item, index, request, suspect=items.suspect)
            except RejectedError as error:
                refused.append(Refused(error, text_of(item).encode(), index))
                continue
            ignored += [(index, one) for one in found if isinstance(one, Ignored)]
            events += [(index, one) for one in found if isinstance(one, Event)]
        return Translation(events, refused, len(items.values), self.keeps_refused, ignored)

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """A refused item is JSON already, and a request may hold a single one."""
        return path, raw

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:  # noqa: ARG002  # other senders need the request
        """The refused and the ignored items; success, unless all items were refused."""
        told: dict[str, Any] = {"success": len(accepted.refused) < accepted.items}
        if accepted.refused:
            told["refused"] = refused_items(accepted.refused)
        if accepted.ignored:
            told["ignored"] = [
                {"index": index, "code": why.code, "message": why.message}
                for index, why in accepted.ignored
            ]
        facts = {"ignored": len(accepted.ignored)} if accepted.ignored else {}
        return Answer(200, json.dumps(told).encode(), facts=facts)

    def _judged(
        self,
        item: object,
        index: int,
        request: RawRequest,
        *,
        suspect: bool,
    ) -> list[Event | Ignored]:
        if suspect and (fault := fault_in(item)):
            raise fault
        if not isinstance(item, dict):
            raise RejectedError(Reason.EVENT_INVALID, "An item must be a JSON object.")
        return self.events_of(item, index, request)


NOT_ABOUT_SALES = Ignored("not_about_sales", "Nothing in it is among the configured stages.")
STAGE_UNKNOWN = Ignored("stage_unknown", "The configured stages do not say what this value says.")
SO_FOR_LONG = Ignored("so_for_long", "The value has been so for more than five years.")
SAYS_NOTHING = Ignored("says_nothing", "The configured stages say that this value says nothing.")
OWN_CHANGE = Ignored("own_change", "Warmlead made this change itself.")


class Record(Struct, frozen=True):
    """One record: its properties, its lead, and the id and time that its repeats share."""

    properties: Mapping[str, Any]
    who: CrmIdentity
    id: str
    source: str
    received_at: datetime
    at: datetime | None
    deal: CrmDeal = CrmDeal()


def statements(
    record: Record,
    settings: CrmSettings,
    *,
    names: Iterable[str] | None = None,
    ties: bool = True,
    at_of: Callable[[str], datetime | None] | None = None,
) -> list[Event | Ignored]:
    """The statements of a record, and its traits; without them, what ties its identifiers.

    ``names`` are the properties that count, by default all that ``stages`` names. ``ties`` is
    whether the record may hold a new identifier. ``at_of`` is the time since which a property has
    its value, where that is known.
    """
    counted = record.properties.keys() if names is None else dict.fromkeys(names).keys()
    stages = settings.stages
    told = {str(name): record.properties.get(own) for name, own in settings.details.items()}
    details = details_of(told, cut=True)
    found: list[Event | Ignored] = []
    found += refusals(record, counted)
    for name in stages:
        if name not in counted or not value_text(record.properties.get(name)):
            continue
        word = word_for(stages, name, record.properties[name])
        if word is None:
            found.append(STAGE_UNKNOWN)
        elif word == NOTHING:
            found.append(SAYS_NOTHING)
        elif (since := at_of(name) if at_of else None) and not settle_time(
            since, record.received_at
        ):
            found.append(SO_FOR_LONG)
        else:
            origin = structs.replace(origin_in(record, name), at=since or record.at)
            found.append(statement(origin, record.who, word, record.deal, details))
    among = {name: one for name, one in record.properties.items() if name in counted}
    traits = traits_of(among, settings.traits)
    is_tied = any(isinstance(one, Event) for one in found)
    if traits or (ties and record.who.count > 1 and not is_tied):
        found.append(identification(origin_in(record, "who"), record.who, traits=traits))
    return found or [NOT_ABOUT_SALES]


def of_own_change(record: Record, settings: CrmSettings, *, ties: bool) -> list[Event | Ignored]:
    """What a record says that we have written ourselves: nothing but whose it is.

    Sales has stated nothing. But only the tie of the CRM's id and the address makes the lead known
    by this id, in which sales will speak of it.
    """
    found = statements(record, settings, names=(), ties=ties)
    return [OWN_CHANGE if one is NOT_ABOUT_SALES else one for one in found]


def deal_of(fields: Mapping[str, Any], settings: CrmSettings) -> CrmDeal:
    """The deal in a record, from the fields that the settings name.

    Raises ``RejectedError`` as ``deal_value`` does.
    """
    return deal_value(
        fields.get(settings.amount),
        fields.get(settings.amount_currency),
        otherwise=settings.currency,
        numbers=settings.numbers,
        reason=value_text(fields.get(settings.reason)) if settings.reason else "",
    )


def origin_in(record: Record, what: str) -> CrmOrigin:
    """The origin of one statement, ``what``, of a record."""
    id_ = event_id(f"{record.id}-{what}", "The id")
    return CrmOrigin(record.source, record.received_at, str(id_), record.at)


def known_by(
    properties: Mapping[str, Any], settings: CrmSettings, *, person: str | None, deal: str | None
) -> CrmIdentity:
    """The identifiers of a record's lead: address, user id (ours, or else the CRM's), deal."""
    given = (properties.get(name) for name in settings.email)
    email = next((found for value in given if (found := email_in(value))), None)
    ours = properties.get(settings.user_id) if settings.user_id else None
    return CrmIdentity(email, person_id(ours, "The user id", is_user=True) or person, deal)
