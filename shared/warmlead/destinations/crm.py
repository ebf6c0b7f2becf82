"""What destinations that are CRMs share: their settings, what a message says for a CRM, the order.

A CRM holds one record of a person. We write fields of our own there, whose names begin with
warmlead; those that are the CRM's own are written only while they are empty.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from msgspec import Struct

from warmlead.destinations.base import DestinationSettings, SelectingDestination
from warmlead.destinations.calls import StoppedError
from warmlead.destinations.selection import kinds_of
from warmlead.domain.dispatch import AttemptResult, Sent, Skipped
from warmlead.domain.errors import ConfigurationError
from warmlead.messages.contract import OfferedMessage, StepDueMessage
from warmlead.ports.dispatching import Outbound, OutgoingMessage
from warmlead.settings import SettingFault
from warmlead.web.outbound import url_problem

OFFERED = str(OfferedMessage.model_fields["type"].default)
_STEP_DUE = str(StepDueMessage.model_fields["type"].default)

MAX_TEXT = 255
"""Characters of a short text: the least limit of these CRMs."""

MAX_REASONS = 3_000
"""Characters of the reasons together."""

MAX_OWNERS = 1_000
"""Owners whose ids in the CRM one process remembers."""

Value: TypeAlias = str | int | datetime


# --- settings ------------------------------------------------------------------------------


class CrmDestinationSettings(DestinationSettings, frozen=True, kw_only=True):
    """The settings of every CRM.

    ``owners`` maps our names of owners to the CRM's ids of users; an owner that is an email
    address needs no entry if the CRM's user has the same. With ``tasks`` each offer to sales
    makes a task. ``address`` stands in for the CRM's own, on one's own machine only.
    """

    owners: Mapping[str, str | int] = {}
    tasks: bool = True
    address: str = ""

    @classmethod
    def default_messages(cls) -> tuple[str, ...]:
        """All about leads but the steps of sequences, which tell a CRM nothing."""
        return tuple(kind for kind in kinds_of(()) if kind != _STEP_DUE)

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        return super().faults(given, where) or list(_address_faults(given, where))

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """See ``DestinationSettings``."""
        yield from super().unsafe(given, where)
        if given.get("address"):
            yield SettingFault((*where, "address"), "is only for one's own machine")


def _address_faults(given: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # a section
    address = given.get("address") or ""
    if not address:
        return
    if problem := url_problem(address, allow_local=bool(given.get("allow_local"))):
        yield SettingFault((*where, "address"), problem)


# --- what a message says for a CRM ---------------------------------------------------------


class FieldKind(StrEnum):
    """What a field of ours holds."""

    NUMBER = "number"
    TEXT = "text"
    LONG_TEXT = "long_text"
    TIME = "time"


class CrmField(Struct, frozen=True):
    """A field of ours in a CRM."""

    name: str
    label: str
    kind: FieldKind
    help: str


UPDATED_AT = "updated_at"

FIELDS = (
    CrmField("score", "Warmlead score", FieldKind.NUMBER, "The lead's score."),
    CrmField("grade", "Warmlead grade", FieldKind.TEXT, "How well the lead fits."),
    CrmField("stage", "Warmlead stage", FieldKind.TEXT, "The stage in which the lead is."),
    CrmField("reasons", "Warmlead reasons", FieldKind.LONG_TEXT, "What made the score."),
    CrmField("first_channel", "Warmlead first channel", FieldKind.TEXT, "Of the first visit."),
    CrmField("first_source", "Warmlead first source", FieldKind.TEXT, "Of the first visit."),
    CrmField("last_channel", "Warmlead last channel", FieldKind.TEXT, "Of the last visit."),
    CrmField("last_source", "Warmlead last source", FieldKind.TEXT, "Of the last visit."),
    CrmField("touch_by", "Warmlead touch by", FieldKind.TIME, "When sales should have spoken."),
    CrmField("accept_by", "Warmlead accept by", FieldKind.TIME, "When sales should have answered."),
    CrmField("message_id", "Warmlead message", FieldKind.TEXT, "The last message about it."),
    CrmField(UPDATED_AT, "Warmlead updated at", FieldKind.TIME, "When that came about."),
)
"""The fields of ours that a person's record has, in every CRM."""


class CrmPerson(Struct, frozen=True):
    """The person, as far as a CRM keeps it; a text is empty if nothing is known."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    title: str = ""
    phone: str = ""
    country: str = ""

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.first_name} {self.last_name}".strip()


class SalesTask(Struct, frozen=True):
    """The task that an offer makes: for whom, until when, and what there is to know.

    ``id`` is that of the message, so that the CRM can tell a repeat, and ``at`` its time.
    """

    id: str
    at: datetime
    subject: str
    body: str
    due_at: datetime
    owner: str


class CrmNews(Struct, frozen=True):
    """What a message says: who it is about, our fields by name, the owner, and perhaps a task."""

    id: str
    at: datetime
    lead_id: str
    crm_ids: Mapping[str, str]
    person: CrmPerson
    fields: Mapping[str, Value]
    owner: str
    task: SalesTask | None

    def is_older_than(self, known: object) -> bool:
        """Whether the record holds a later message; ``known`` is its time there, if any."""
        written = read_time(known)
        return written is not None and to_millisecond(self.at) < to_millisecond(written)


def news_of(message: OutgoingMessage) -> CrmNews:
    """What a message about a lead says."""
    data, lead = message.data, message.data["lead"]
    person = _person(lead)
    owner = str(data.get("owner") or "")
    fields: dict[str, Value] = {
        "score": int(data.get("score") or 0),
        "grade": _text(data.get("grade")),
        "stage": _text(data.get("stage")),
        "reasons": "\n".join(map(str, data.get("reasons") or ()))[:MAX_REASONS],
    }
    for which, touch in (data.get("attribution") or {}).items():
        if which in ("first", "last"):
            fields[f"{which}_channel"] = _text(touch.get("channel"))
            fields[f"{which}_source"] = _text(touch.get("source"))
    for name in ("touch_by", "accept_by"):
        if at := read_time(data.get(name)):
            fields[name] = to_millisecond(at)
    fields |= {"message_id": message.id[:MAX_TEXT], UPDATED_AT: to_millisecond(message.at)}
    return CrmNews(
        id=message.id,
        at=message.at,
        lead_id=message.lead_id,
        crm_ids=lead.get("crm_ids") or {},
        person=person,
        fields=fields,
        owner=owner,
        task=_task(message, person, owner) if message.kind == OFFERED else None,
    )


def _person(lead: Mapping[str, Any]) -> CrmPerson:
    traits = lead.get("traits") or {}
    known = {name: _text(traits.get(name)) for name in CrmPerson.__struct_fields__}
    first, last = known["first_name"], known["last_name"]
    if not (first and last):
        whole_first, _, whole_last = _text(traits.get("name")).strip().partition(" ")
        first, last = first or whole_first, last or whole_last.strip()
    email = str(lead.get("email") or "")
    return CrmPerson(**{**known, "email": email, "first_name": first, "last_name": last})


def _task(message: OutgoingMessage, person: CrmPerson, owner: str) -> SalesTask:
    data = message.data
    due_at = read_time(data.get("touch_by")) or message.at
    accept_by = read_time(data.get("accept_by"))
    stage, score = _text(data.get("stage")), data.get("score")
    lines = [
        f"Speak to the lead by {_in_words(due_at)}.",
        *([f"Accept or reject it by {_in_words(accept_by)}."] if accept_by else []),
        f"Stage {stage}, score {score}.",
        *map(str, data.get("reasons") or ()),
    ]
    subject = f"Warmlead: speak to {person.name or 'a new lead'} ({stage}, {score} points)"
    return SalesTask(
        id=message.id,
        at=message.at,
        subject=subject[:MAX_TEXT],
        body="\n".join(lines)[:MAX_REASONS],
        due_at=to_millisecond(due_at),
        owner=owner,
    )


def read_time(value: object) -> datetime | None:
    """A time as we and CRMs write it; ``None`` for anything else."""
    if not isinstance(value, str) or not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def to_millisecond(at: datetime) -> datetime:
    """The time as exact as every one of these CRMs keeps it."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1_000 * 1_000)


def iso(at: datetime) -> str:
    """A time of UTC with milliseconds: 2026-03-10T13:00:05.000Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_words(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)[:MAX_TEXT]


# --- one attempt ---------------------------------------------------------------------------


class KnownRecord(Struct, frozen=True):
    """A person's record in the CRM, with those of its fields that matter, by the CRM's names."""

    id: str
    fields: Mapping[str, Any]


class CrmSession(ABC):
    """A CRM during one attempt. Each method raises what ``JsonApi.call`` does."""

    updated_at: str
    """The CRM's name of the field with the time of the last message."""

    @abstractmethod
    async def find(self, news: CrmNews) -> KnownRecord | None:
        """The person's record: by its id if the message has it, else by email."""

    @abstractmethod
    async def create(self, news: CrmNews, owner: str) -> KnownRecord:
        """Makes the record, with ``owner`` if that is not empty; or finds one made meanwhile."""

    @abstractmethod
    async def update(self, known: KnownRecord, news: CrmNews, owner: str) -> None:
        """Writes our fields, and of the CRM's own those that are empty."""

    @abstractmethod
    async def ensure_task(self, known: KnownRecord, task: SalesTask, owner: str) -> None:
        """Makes the task unless it is there, whatever has become of it."""

    @abstractmethod
    async def user_by_email(self, email: str) -> str:
        """The id of the CRM's active user with an email address; empty if there is none."""


class CrmDestination(SelectingDestination, ABC):
    """Keeps a person's record up to date, and makes a task of each offer.

    Every step can be repeated: a record is looked for before it is made, and a task bears the
    message's id. A message that is older than what the record holds changes nothing in it.
    """

    may_repeat = True

    def __init__(self, name: str, settings: CrmDestinationSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._crm_settings = settings
        self._turn_of: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._users: dict[str, str] = {}

    @abstractmethod
    def session(self, now: datetime) -> CrmSession:
        """The CRM for one attempt."""

    @abstractmethod
    async def set_up(self, now: datetime) -> list[str]:
        """Makes the fields that are missing; their names. Raises ``StoppedError`` too."""

    async def setup(self) -> list[str]:
        """Makes what we need in the CRM and is missing: a sentence for each.

        Raises ``ConfigurationError`` if a person must do something first, and ``UnavailableError``
        if the CRM cannot be reached.
        """
        try:
            return await self.set_up(datetime.now(UTC))
        except StoppedError as error:
            raise ConfigurationError.one(f"{self.name} cannot be set up:", str(error)) from error

    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        """See ``Destination``. Messages about one lead come one after the other."""
        if not message.lead_id:
            return Skipped("it is about no lead")
        news = news_of(message)
        turn = self._turn_of.setdefault(news.lead_id, asyncio.Lock())
        async with turn:
            try:
                return await self._sent(self.session(now), news)
            except StoppedError as error:
                return error.result

    async def _sent(self, crm: CrmSession, news: CrmNews) -> AttemptResult:
        known = await crm.find(news)
        if known is None and not news.person.email:
            return Skipped("the lead has no email address, and the CRM does not know it")
        owner = await self._owner(crm, news.owner)
        if known is None:
            known = await crm.create(news, owner)
        if not news.is_older_than(known.fields.get(crm.updated_at)):
            await crm.update(known, news, owner)
        if news.task and self._crm_settings.tasks:
            await crm.ensure_task(known, news.task, owner)
        return Sent(known.id)

    async def _owner(self, crm: CrmSession, owner: str) -> str:
        """The CRM's id of an owner of ours; empty if there is none."""
        if owner in self._crm_settings.owners:
            return str(self._crm_settings.owners[owner])
        if not _EMAIL.fullmatch(owner):
            return ""
        if owner not in self._users:
            if not (found := await crm.user_by_email(owner)):
                return ""  # it may be made at any time
            if len(self._users) >= MAX_OWNERS:
                self._users.clear()
            self._users[owner] = found
        return self._users[owner]


_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


GONE = "the record has gone meanwhile"
"""Why a message waits whose record was found and is no more: the next attempt makes another."""


def missing(field: str, name: str) -> str:
    """Why a message waits for a field of ours."""
    return f"the field {field} is missing: run warmlead destination setup {name}"
