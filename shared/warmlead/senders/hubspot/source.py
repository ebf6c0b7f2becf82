"""HubSpot: its settings, its signature (version 3), and its changes and records as events."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field, structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.parsing.signatures import TOLERANCE_S
from warmlead.parsing.strict_json import parse, text_of
from warmlead.parsing.times import parse_time
from warmlead.ports import Ignored, RawRequest
from warmlead.senders.base import Profile, Secrets
from warmlead.senders.crm import (
    NOT_ABOUT_SALES,
    OF_CRMS,
    CrmIdentity,
    CrmSettings,
    Items,
    Record,
    SalesSender,
    as_wire,
    deal_of,
    identification,
    known_by,
    of_own_change,
    origin_in,
    statements,
)
from warmlead.senders.person import event_id, long_hash
from warmlead.senders.statement_parts import crm_id, email_in, value_text


class HubSpotSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url`` is our public address as HubSpot knows it: its signature covers it.

    ``own_apps`` are the ids of the apps by which Warmlead itself writes to HubSpot.
    """

    secrets: Secrets
    url: str
    portals: Annotated[tuple[int, ...], Meta(min_length=1)]
    email: tuple[str, ...] = ("email",)
    amount: str = "amount"
    amount_currency: str = "deal_currency_code"
    reason: str | None = "closed_lost_reason"
    time: str | None = None
    own_apps: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = urlsplit(self.url)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.query:
            raise ValueError("url must be the whole address without a query, https://…/hubspot")

    def __repr__(self) -> str:
        return f"HubSpotSettings(url={self.url!r}, portals={self.portals!r})"


OBJECT_TYPES = {"0-1": "contact", "0-3": "deal", "0-136": "lead"}
"""The objects that are about a lead, by HubSpot's ids of their types."""


class Change(Struct, frozen=True, rename="camel"):
    """One change in a batch; older batches call ``subscription_type`` ``eventType``."""

    portal_id: int
    occurred_at: int
    subscription_type: str = ""
    event_type: str = ""
    event_id: int | str = ""
    subscription_id: int | str = ""
    object_id: int | str | None = None
    object_type_id: str = ""
    property_name: str = ""
    property_value: Any = None
    from_object_id: int | str | None = None
    to_object_id: int | str | None = None
    from_object_type_id: str = ""
    to_object_type_id: str = ""
    association_type: str = ""
    association_removed: bool = False
    primary_object_id: int | str | None = None
    merged_object_ids: list[int | str] = []
    new_object_id: int | str | None = None
    change_source: str = ""
    source_id: int | str = ""

    @property
    def kind(self) -> str:
        """What was changed: contact, deal, lead … ."""
        named = self._type.partition(".")[0]
        return OBJECT_TYPES.get(self.object_type_id, "") if named == "object" else named

    @property
    def action(self) -> str:
        """What happened to it: propertyChange, associationChange … ."""
        return self._type.partition(".")[2]

    @property
    def ends(self) -> tuple[str, str]:
        """The two associated records."""
        first, _, second = self.association_type.lower().partition("_to_")
        return (
            OBJECT_TYPES.get(self.from_object_type_id) or first,
            OBJECT_TYPES.get(self.to_object_type_id) or second.removeprefix("primary_"),
        )

    def is_by(self, apps: Sequence[int]) -> bool:
        """Whether one of these apps made the change; HubSpot names it 90210 or appId:90210."""
        app = str(self.source_id).rpartition(":")[2]
        return self.change_source == "INTEGRATION" and app in map(str, apps)

    @property
    def _type(self) -> str:
        return self.subscription_type or self.event_type


def is_change(item: dict[str, Any]) -> bool:
    """Whether an item is a change; otherwise it is a record that a workflow sent."""
    return "subscriptionType" in item or "eventType" in item


class Property(Struct, frozen=True):
    """A property with its earlier values, the latest first."""

    value: Any = None
    timestamp: int | None = None
    versions: list[dict[str, Any]] = []

    @property
    def since_ms(self) -> int | None:
        """The time since which it has its value, in milliseconds, if HubSpot states it."""
        first = self.versions[0].get("timestamp") if self.versions else None
        found = self.timestamp if self.timestamp is not None else first
        return found if isinstance(found, int) and not isinstance(found, bool) else None


class WorkflowRecord(Struct, frozen=True):
    """A record as a workflow sends it: all of its properties, or chosen ones."""

    properties: dict[str, Any]
    portal_id: int | None
    kind: str
    id: str
    contacts: list[int]
    since_ms: dict[str, int]
    """Since when a property has its value, where it is known."""


class _Whole(Struct, frozen=True):
    """A record with all of its properties; contacts and deals name their ids differently."""

    properties: dict[str, Property]
    vid: int | None = None
    deal_id: int | None = field(default=None, name="dealId")
    object_id: int | None = field(default=None, name="objectId")
    portal: int | None = field(default=None, name="portalId")
    portal_of_contact: int | None = field(default=None, name="portal-id")
    associations: dict[str, Any] = {}


def workflow_record(item: dict[str, Any]) -> WorkflowRecord:
    """The record in a workflow's webhook; raises ``RejectedError`` if it holds no record."""
    if not isinstance(item.get("properties"), dict):
        chosen = {name: value for name, value in item.items() if not isinstance(value, dict | list)}
        return WorkflowRecord(chosen, None, "", "", [], {})
    whole = as_wire(item, _Whole)
    found = whole.vid or whole.deal_id or whole.object_id
    is_contact = whole.vid is not None or "email" in whole.properties
    contacts = whole.associations.get("associatedVids")
    return WorkflowRecord(
        {name: one.value for name, one in whole.properties.items()},
        whole.portal or whole.portal_of_contact,
        "contact" if is_contact else "deal",
        str(found) if found else "",
        [id_ for id_ in contacts if isinstance(id_, int)] if isinstance(contacts, list) else [],
        {name: one.since_ms for name, one in whole.properties.items() if one.since_ms is not None},
    )


NAME = "hubspot"

NO_LONGER = Ignored("association_removed", "What was said before stays with whom it was said of.")
MERGED_NOTHING = Ignored("merged_nothing", "The merge names no second contact.")
NO_ADDRESS = Ignored("email_removed", "The contact has no address any more; its lead keeps it.")

_ABOUT_A_LEAD = ("contact", "deal", "lead")


def translate_item(
    item: dict[str, Any], request: RawRequest, settings: HubSpotSettings
) -> list[Event | Ignored]:
    """One item as events; raises ``RejectedError`` if it cannot be understood."""
    if is_change(item):
        return _changed(as_wire(item, Change), request, settings)
    return _recorded(workflow_record(item), request, settings)


# --- changes that a subscription reports ---------------------------------------------------


def _changed(
    change: Change, request: RawRequest, settings: HubSpotSettings
) -> list[Event | Ignored]:
    portal = _known(change.portal_id, settings)
    if change.action == "associationChange":
        return _associated(change, request)
    if change.kind == "contact" and change.action == "merge":
        return _merged(change, request)
    if change.kind == "contact" and change.action == "privacyDeletion":
        raise _to_be_erased(portal, value_text(change.object_id))
    if change.action != "propertyChange" or change.kind not in _ABOUT_A_LEAD:
        return [NOT_ABOUT_SALES]
    name, value = change.property_name, change.property_value
    who = _who(portal, change.kind, value_text(change.object_id))
    record = _record(change, request, who, {name: value})
    if change.kind == "contact" and name in settings.email:
        email = email_in(value)
        known = structs.replace(who, email=email)
        return [identification(origin_in(record, name), known)] if email else [NO_ADDRESS]
    if change.is_by(settings.own_apps):
        return of_own_change(record, settings, ties=False)
    return statements(record, settings, names=[name])


def _associated(change: Change, request: RawRequest) -> list[Event | Ignored]:
    ends = dict(zip(change.ends, (change.from_object_id, change.to_object_id), strict=True))
    other = next((kind for kind in ("deal", "lead") if kind in ends), "")
    if "contact" not in ends or not other:
        return [NOT_ABOUT_SALES]
    if change.association_removed:
        return [NO_LONGER]
    portal = change.portal_id
    contact = _who(portal, "contact", value_text(ends["contact"]))
    who = structs.replace(
        contact, anonymous_id=_who(portal, other, value_text(ends[other])).anonymous_id
    )
    record = _record(change, request, who, {})
    return [identification(origin_in(record, "who"), who)]


def _merged(change: Change, request: RawRequest) -> list[Event | Ignored]:
    """One event for each contact that was merged into the first, or into a new contact."""
    named = (change.primary_object_id or change.object_id, change.new_object_id)
    ids = [value_text(id_) for id_ in (*named, *change.merged_object_ids)]
    first, *others = dict.fromkeys(id_ for id_ in ids if id_) or [""]
    if not others:
        return [MERGED_NOTHING]
    portal = change.portal_id
    who = _who(portal, "contact", first)
    record = _record(change, request, who, {})
    return [
        identification(
            origin_in(record, f"merged-{id_}"),
            who,
            merged_user_id=_who(portal, "contact", id_).user_id,
        )
        for id_ in others
    ]


def _to_be_erased(portal: int, contact: str) -> RejectedError:
    """The error that sets a deletion aside for a person: an erasure cannot be undone."""
    whom = _who(portal, "contact", contact).user_id
    message = (
        "HubSpot deleted this contact for reasons of privacy. Erase the lead here too, within a"
        f" month: warmlead lead erase {whom}"
    )
    return RejectedError(Reason.ERASURE_ASKED, message)


def _record(
    change: Change, request: RawRequest, who: CrmIdentity, properties: dict[str, Any]
) -> Record:
    # HubSpot does not promise that an event's id is unique.
    parts = (
        *(change.portal_id, change.subscription_id, change.object_id or change.from_object_id),
        *(change.to_object_id or "", change.occurred_at, change.event_id),
    )
    at = parse_time(change.occurred_at, "occurredAt")
    id_ = "-".join(map(str, parts))
    return Record(properties, who, id_, NAME, request.received_at, at)


# --- records that a workflow sends ---------------------------------------------------------


def _recorded(
    found: WorkflowRecord, request: RawRequest, settings: HubSpotSettings
) -> list[Event | Ignored]:
    properties = found.properties
    portal = found.portal_id
    if portal is None and len(settings.portals) == 1:
        portal = settings.portals[0]
    who = _who_of(found, _known(portal, settings) if portal is not None else None, settings)
    if not who:
        message = "The record names no email; let the workflow send it."
        raise RejectedError(Reason.IDENTITY_MISSING, message)
    deal = deal_of(properties, settings)
    at = parse_time(properties.get(settings.time), settings.time) if settings.time else None
    # The same on one UTC day counts once, unless the record says when it became so.
    day = "" if at or found.since_ms else request.received_at.date().isoformat()
    content = text_of([day, *sorted(map(list, properties.items()), key=text_of)])
    record = Record(
        properties, who, f"hash-{long_hash(content)}", NAME, request.received_at, at, deal
    )
    return statements(
        record,
        settings,
        at_of=lambda name: parse_time(found.since_ms.get(name), "timestamp"),
    )


def _who_of(found: WorkflowRecord, portal: int | None, settings: HubSpotSettings) -> CrmIdentity:
    person = deal = None
    if portal is not None and found.id:
        own = _who(portal, found.kind, found.id)
        contact = (
            _who(portal, "contact", str(found.contacts[0])) if found.contacts else CrmIdentity()
        )
        person, deal = own.user_id or contact.user_id, own.anonymous_id
    return known_by(found.properties, settings, person=person, deal=deal)


# --- what both have in common --------------------------------------------------------------


def _known(portal: int, settings: HubSpotSettings) -> int:
    if portal not in settings.portals:
        message = "The portal is not configured."
        raise RejectedError(Reason.ACCOUNT_UNKNOWN, message)
    return portal


def _who(portal: int, kind: str, id_: str) -> CrmIdentity:
    """The identity of a record by HubSpot's id: a user id for a contact, else an anonymous id."""
    if not id_:
        raise RejectedError(Reason.IDENTITY_MISSING, "The change names no record.")
    own = event_id(crm_id(NAME, portal, kind, id_), "The record's id")
    return CrmIdentity(user_id=own) if kind == "contact" else CrmIdentity(anonymous_id=own)


SIGNATURE = "x-hubspot-signature-v3"
TIMESTAMP = "x-hubspot-request-timestamp"

_NO_SECRET = "nobody knows this key, so nothing is signed with it"  # noqa: S105  # it is none
_MILLISECONDS = re.compile(r"[0-9]{10,15}")
_ENCODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def sign(method: str, url: str, body: bytes, timestamp: str, secret: str) -> str:
    """The signature of a request; in the address the characters that HubSpot lists are decoded."""
    decoded = _ENCODED.sub(lambda found: chr(int(found[1], 16)), url)
    signed = f"{method}{decoded}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def whole_url(url: str, request: RawRequest) -> str:
    """The address of a request as HubSpot knows it, with its query."""
    return f"{url}?{request.query}" if request.query else url


def verify(request: RawRequest, *, url: str, secrets: Sequence[str]) -> None:
    """Raises ``RejectedError`` unless one of the secrets signed it within five minutes."""
    offered, timestamp = request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP)
    if offered is None or timestamp is None:
        raise RejectedError(
            Reason.SIGNATURE_MISSING,
            "The headers X-HubSpot-Signature-v3 and X-HubSpot-Request-Timestamp are needed.",
        )
    whole = whole_url(url, request)
    valid = False
    for secret in secrets or (_NO_SECRET,):
        expected = sign(request.method, whole, request.body, timestamp, secret)
        valid |= hmac.compare_digest(offered.strip().encode(), expected.encode())
    if not (valid and secrets and all(secrets) and _MILLISECONDS.fullmatch(timestamp)):
        raise RejectedError(Reason.SIGNATURE_INVALID, "The signature does not match the request.")
    if abs(request.received_at.timestamp() - int(timestamp) / 1000) > TOLERANCE_S:
        raise RejectedError(
            Reason.SIGNATURE_EXPIRED, "The signed time is more than five minutes from ours."
        )


class HubSpotSource(SalesSender[HubSpotSettings]):
    """An app's webhooks, in batches, and those of workflows, at ``/hubspot``."""

    name = NAME
    path = "/hubspot"
    profile = Profile(
        proof="`X-HubSpot-Signature-v3`, HMAC-SHA256 with a time",
        once="portal, subscription, record, time and `eventId`",
        retries="10 times in 24 hours, after any answer but 2xx",
        events=OF_CRMS,
    )

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless HubSpot signed the request."""
        verify(request, url=self._settings.url, secrets=self._settings.secrets)

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """HubSpot's signature, as of the time of the request."""
        timestamp = str(int(request.received_at.timestamp() * 1_000))
        url, secret = whole_url(self._settings.url, request), self._settings.secrets[0]
        signature = sign(request.method, url, request.body, timestamp, secret)
        return {TIMESTAMP: timestamp, SIGNATURE: signature}

    def read(self, request: RawRequest) -> Items:
        """The changes of a batch, or the one record of a workflow."""
        document = parse(request.body)
        values = document.value if isinstance(document.value, list) else [document.value]
        return Items(values, document.suspect)

    def events_of(
        self,
        item: dict[str, Any],
        index: int,  # noqa: ARG002  # a change names itself
        request: RawRequest,
    ) -> list[Event | Ignored]:
        """The events of a change or a record."""
        return translate_item(item, request, self._settings)
