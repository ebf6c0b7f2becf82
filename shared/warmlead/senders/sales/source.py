"""The generic sender of sales: its settings, and its statements as events."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import OF_RECORDS, SALES_EVENTS, Event
from warmlead.domain.money import Numbers
from warmlead.domain.sales import DETAILS, SAID_BY_SALES, Refusal, SalesStatus
from warmlead.parsing.charsets import in_utf8
from warmlead.parsing.form_bodies import parameter_of
from warmlead.parsing.signatures import SignatureSettings
from warmlead.parsing.strict_json import parse, text_of
from warmlead.parsing.times import parse_time
from warmlead.ports import Ignored, RawRequest
from warmlead.senders.base import MESSAGE_IDS, Profile, SenderSettings, sign_as_configured
from warmlead.senders.crm import (
    CrmIdentity,
    CrmOrigin,
    Items,
    SalesSender,
    statement,
)
from warmlead.senders.person import event_id, long_hash, person_id
from warmlead.senders.statement_parts import deal_value, details_of, email_in
from warmlead.settings import SettingFault


class GenericSalesSettings(SenderSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``allow_unsigned`` accepts the statements of everybody: for one's own machine only.

    ``numbers`` is how values in texts are written.
    """

    signature: SignatureSettings | None = None
    allow_unsigned: bool = False
    numbers: Numbers = "either"

    def __post_init__(self) -> None:
        if self.signature is None and not self.allow_unsigned:
            raise ValueError("give a signature, or say allow_unsigned: true")

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """``allow_unsigned``."""
        if given.get("allow_unsigned"):
            yield SettingFault((*where, "allow_unsigned"), "is only for one's own machine")


class Posted(Struct, frozen=True, forbid_unknown_fields=True):
    """One statement: who, what, and since when. Each field is checked by itself."""

    said: Any = None
    email: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    reason: Any = None
    value: Any = None
    currency: Any = None
    occurred_at: Any = None
    id: Any = None
    budget: Any = None
    authority: Any = None
    need: Any = None
    timing: Any = None
    by: Any = None
    note: Any = None


NAME = "sales"


class _Saying(Struct, frozen=True):
    word: str
    reason: str = ""


def translate_posted(
    item: dict[str, Any], index: int, request: RawRequest, numbers: Numbers = "either"
) -> Event:
    """One statement as an event; raises ``RejectedError`` if it cannot be one."""
    posted = _posted(item)
    saying = _saying(posted)
    who = CrmIdentity(
        email_in(posted.email),
        person_id(posted.user_id, "user_id", is_user=True),
        person_id(posted.anonymous_id, "anonymous_id"),
    )
    if not who:
        message = "Give an email, a user_id or an anonymous_id."
        raise RejectedError(Reason.IDENTITY_MISSING, message)
    deal = deal_value(posted.value, posted.currency, reason=saying.reason, numbers=numbers)
    at = parse_time(posted.occurred_at, "occurred_at")
    id_ = event_id(posted.id, "id") or _id(item, index, request)
    details = details_of({name: getattr(posted, name) for name in DETAILS}, cut=False)
    origin = CrmOrigin(NAME, request.received_at, id_, at)
    return statement(origin, who, saying.word, deal, details)


def _posted(item: dict[str, Any]) -> Posted:
    known = Posted.__struct_fields__
    if not item.keys() <= set(known):
        message = f"Unknown fields. The known ones are {', '.join(known)}."
        raise RejectedError(Reason.FIELD_INVALID, message)
    return structs.replace(Posted(), **item)


def _saying(posted: Posted) -> _Saying:
    if posted.said not in SAID_BY_SALES:
        raise RejectedError(Reason.SAID_UNKNOWN, f"said must be one of {', '.join(SAID_BY_SALES)}.")
    if posted.said == SalesStatus.REJECTED:
        if posted.reason not in list(Refusal):
            message = f"The reason of a rejection must be one of {', '.join(Refusal)}."
            raise RejectedError(Reason.REASON_INVALID, message)
        return _Saying(posted.reason)
    if posted.reason not in (None, "") and posted.said != SalesStatus.LOST:
        raise RejectedError(Reason.REASON_INVALID, "Only `rejected` and `lost` may have a reason.")
    if not isinstance(posted.reason, str | None):
        raise RejectedError(Reason.REASON_INVALID, "The reason must be a text.")
    return _Saying(posted.said, (posted.reason or "").strip())


def _id(item: dict[str, Any], index: int, request: RawRequest) -> str:
    for header in MESSAGE_IDS:
        if found := event_id(request.headers.get(header), header):
            return str(event_id(f"{found}-{index}" if index else found, header))
    # Without an id and a time, the same statement on the same UTC day counts once.
    day = "" if item.get("occurred_at") else request.received_at.date().isoformat()
    return f"hash-{long_hash(text_of([day, dict(sorted(item.items()))]))}"


_MAX_HEADER = 1_000


def _to_nobody(_field: str, _what: str) -> None:
    """Drops notes about replaced bytes: the texts of sales are reasons and names of stages."""


class GenericSalesSource(SalesSender[GenericSalesSettings]):
    """Statements in our own words, at ``/generic``: one, or a list of them."""

    name = NAME
    path = "/generic"
    profile = Profile(
        proof="Standard Webhooks, or an HMAC",
        once="`id`, or the content and the day",
        retries="as its sender does",
        events=tuple(sorted(SALES_EVENTS - OF_RECORDS)),
    )
    keeps_refused = False  # senders of our own format can correct it

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless the post is signed, or may be unsigned."""
        signature = self._settings.signature
        if signature is None:
            return  # allow_unsigned, or there would be no such settings
        if self._settings.allow_unsigned and not signature.is_claimed(request.headers):
            return
        signature.verify(request.headers, request.body, now=request.received_at)

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The signature, if one is configured."""
        signature = self._settings.signature
        return sign_as_configured(signature, request) if signature else {}

    def read(self, request: RawRequest) -> Items:
        """The statements in the body."""
        label = parameter_of(request.headers.get("content-type", "")[:_MAX_HEADER], "charset")
        document = parse(in_utf8(request.body, label, _to_nobody))
        values = document.value if isinstance(document.value, list) else [document.value]
        return Items(values, document.suspect)

    def events_of(
        self, item: dict[str, Any], index: int, request: RawRequest
    ) -> list[Event | Ignored]:
        """The one statement of an item."""
        return [translate_posted(item, index, request, self._settings.numbers)]
