"""One thing that a person did, normalized: every sender's payload is translated to it.

It has no vendor's fields, and no rule about points.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Literal, Self, TypeAlias

from msgspec import Meta, Struct, convert, json
from msgspec.structs import force_setattr

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.text import cleaned, without_marks

MAX_CLOCK_AHEAD = timedelta(minutes=5)
"""A sender's clock may run ahead by this much; later times are taken as the time of receipt."""

MAX_AGE = timedelta(days=5 * 366)
"""Events may be imported from the last five years; older times are rejected as mistakes."""

CRM_ID = "crm:"
"""Prefix of the ids of a CRM's records.

They are easily guessed: only signed events may have them.
"""

SALES_EVENTS = frozenset(
    f"sales_{said}"
    for said in (
        *("identified", "touched", "accepted", "rejected", "opportunity", "won", "lost"),
        "qualified",
    )
)
"""Prefix of the names of statements of sales. Only signed events may have such names."""

OF_RECORDS = frozenset(("sales_qualified",))
"""Those of them that state what a lead was by imported records, which no sender does."""

ID_OF_CONTENT = "content-"
"""Prefix of the ids of events that came without one: made of content and day of receipt."""

LANDING_PAGE = "landing_page"
"""The name, in an attribution, of the path of the first page of a visit."""

CHANNEL = "channel"
"""The name, in an attribution, of the channel, if records of a CRM state it; no visitor can."""

_AGAIN = ":"

MAX_NOTES = 20
"""Limit of notes of an event, and of an identifier, which keeps the latest ones."""

MAX_NOTE_LENGTH = 160

Scalar: TypeAlias = str | int | float | bool | None
Property: TypeAlias = Scalar | list[Scalar]

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(text: str) -> str:
    """``"Demo Requested"``, ``"demoRequested"`` and ``"demo-requested"`` are ``demo_requested``.

    Accents are dropped (``"Größe"`` is ``grosse``, ``"Størrelse"`` ``storrelse``), and so are
    letters of other scripts than Latin: the empty string is returned when nothing usable is left.
    """
    split = _CAMEL.sub("_", text)
    if not split.isascii():
        folded = split.casefold()
        split = folded.translate({ord(letter): without_marks(letter) for letter in set(folded)})
    return _NOT_WORD.sub("_", split.lower()).strip("_")


class Trust(StrEnum):
    """How an event came to us: ``signed`` by a secret, or with a ``public`` write key."""

    SIGNED = "signed"
    PUBLIC = "public"

    @property
    def rank(self) -> int:
        """What orders facts by trust: 1 signed, 0 public."""
        return 1 if self is Trust.SIGNED else 0


class Automation(StrEnum):
    """The kind of program that a request declares, or that is found by what came besides."""

    ROBOT = "robot"  # crawlers, feed readers, scanners
    PREVIEW = "preview"  # link previews of messengers and networks
    HEADLESS = "headless"  # a browser that a program drives
    MONITOR = "monitor"  # availability checks
    PREFETCH = "prefetch"  # a browser that fetches ahead, or draws a page that may never be seen
    HEAD = "head"  # the head of an answer alone was asked for
    SCAN = "scan"  # a link of a mail, opened at the mail's delivery (domain/mail_scans.py)
    BURST = "burst"  # several links of a mail, opened at one moment


AUTOMATED_EVENTS: Mapping[Automation, str] = MappingProxyType(
    {automation: f"{automation}_request" for automation in Automation}
)
"""The names under which such requests are kept, instead of their own."""


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time is before the year 1 or after 9999 in UTC") from error


Note: TypeAlias = Annotated[str, Meta(min_length=1, max_length=MAX_NOTE_LENGTH)]
Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that one person did, at ``occurred_at`` (UTC), received at ``received_at``.

    ``id`` is the sender's own id of the event, stable over its retries: with ``source`` and
    ``trust`` it makes the ``key`` by which the event is counted once. At least one of ``email``
    (normalised), ``user_id`` and ``anonymous_id`` is given. ``merged_user_id`` is another user id
    of the same person, from a CRM that merged two records; only signed events have one.
    ``automated`` is the kind of program that made the request, if the request declared one.
    ``direct`` says that the visitor's page is known and has no referrer; then there is no
    ``attribution``. ``notes`` say what of the input was cut or left out: by the names of fields,
    never their values. Input from outside goes through ``checked``, or is decoded as an ``Event``:
    the constructor does not check types, lengths and names.
    """

    v: Literal[1] = 1
    id: Id
    source: Annotated[str, Meta(min_length=1, max_length=64)]
    trust: Trust
    name: Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_]{0,63}\Z")]
    occurred_at: datetime
    received_at: datetime
    email: Annotated[str, Meta(max_length=254)] | None = None
    user_id: Id | None = None
    anonymous_id: Id | None = None
    traits: dict[str, Property] = {}
    properties: dict[str, Property] = {}
    attribution: dict[str, str] = {}
    automated: Automation | None = None
    merged_user_id: Id | None = None
    notes: Annotated[tuple[Note, ...], Meta(max_length=MAX_NOTES)] = ()
    direct: bool = False

    def __post_init__(self) -> None:
        force_setattr(self, "occurred_at", _utc(self.occurred_at))
        force_setattr(self, "received_at", _utc(self.received_at))
        if not (self.email or self.user_id or self.anonymous_id):
            raise ValueError("an event needs an email, a user id or an anonymous id")

    @classmethod
    def checked(cls, **fields: object) -> Self:
        """The event of these fields; raises ``RejectedError`` unless each is as declared here.

        Characters that may not leave (see ``domain.text``) are taken out of the texts first.
        """
        for named in ("traits", "properties", "attribution"):
            if isinstance(held := fields.get(named), dict):
                fields[named] = cleaned(held)
        try:
            event = convert(fields, cls)
            json.encode(event)  # fails for half of a surrogate pair, which nothing can store
        except ValueError:
            message = "This makes no valid event."
            raise RejectedError(Reason.EVENT_INVALID, message) from None  # it may quote a value
        if event.trust is Trust.PUBLIC:
            _refuse_what_only_signed_events_say(event)
        return event

    @property
    def key(self) -> str:
        """The key by which the event is counted once: 16 characters, the same for every retry.

        Trust is part of it, so that a public client cannot use up the id of a signed event; and
        automation, so that a robot that fetches a pixel first cannot use up the person's view.
        """
        return _key_of(self.source, self.trust, self.id, self.automated)

    @property
    def statement_key(self) -> str:
        """The key of the event's statements; it begins with the event's key (``event_stating``).

        A repeat of the event states nothing new. But an event without an id may be a repeat or not:
        a person may come back on the same day and fill in the same form. So each minute of receipt
        makes a statement of its own.
        """
        if not self.id.startswith(ID_OF_CONTENT):
            return self.key
        return f"{self.key}{_AGAIN}{self.received_at:%y%m%d%H%M}"


@lru_cache(maxsize=256)  # a key is asked for eight times while an event is applied
def _key_of(source: str, trust: Trust, id_: str, automated: str | None) -> str:
    text = f"{source}\n{trust}\n{id_}"
    if automated:
        text = f"{text}\n{automated}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def id_of_content(digest: str) -> str:
    """The id of an event that came without one, of a hash of its content and day of receipt."""
    return f"{ID_OF_CONTENT}{digest}"


def event_stating(statement_key: str) -> str:
    """The key of the event in which something was stated."""
    return statement_key.partition(_AGAIN)[0]


def _refuse_what_only_signed_events_say(event: Event) -> None:
    if any(id_ and id_.startswith(CRM_ID) for id_ in (event.user_id, event.anonymous_id)):
        message = f"Only a signed event may bear an id with {CRM_ID}."
        raise RejectedError(Reason.IDENTITY_INVALID, message)
    if event.merged_user_id:
        message = "Only a signed event may say that two user ids are one person's."
        raise RejectedError(Reason.IDENTITY_INVALID, message)
    if event.name in SALES_EVENTS:
        message = "Only a signed event may say what sales says."
        raise RejectedError(Reason.EVENT_INVALID, message)


def settle_time(claimed: datetime | None, received_at: datetime) -> datetime | None:
    """The time at which an event counts, from what its sender claims; ``None`` if it is too old.

    A missing time, and one more than five minutes ahead of us, is the time of receipt.
    """
    if claimed is None or claimed > received_at + MAX_CLOCK_AHEAD:
        return received_at
    return claimed if claimed >= received_at - MAX_AGE else None
