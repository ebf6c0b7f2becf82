"""Pipedrive's webhooks, version 2: settings, and webhooks as events."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.parsing.strict_json import parse
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
    known_by,
    of_own_change,
    statements,
)
from warmlead.senders.statement_parts import crm_id, email_in, value_text, word_for


class PipedriveSettings(CrmSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user and password are those of the webhook, which Pipedrive sends with each.

    ``own_users`` are the users with whose tokens Warmlead itself writes to Pipedrive.
    """

    user: Annotated[str, Meta(min_length=1, pattern=r"\A[^:]*\Z")]
    passwords: Secrets
    companies: Annotated[tuple[int, ...], Meta(min_length=1)]
    amount: str = "value"
    reason: str | None = "lost_reason"
    own_users: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"PipedriveSettings(user={self.user!r}, companies={self.companies!r})"


class ChangeMeta(Struct, frozen=True):
    """What happened, where and when. Ids are numbers in some webhooks and texts in others."""

    action: str
    entity: str
    version: str = ""
    company_id: int | str | None = None
    entity_id: int | str | None = None
    id: int | str | None = None
    timestamp: int | str | None = None
    user_id: int | str | None = None
    change_source: str | None = None

    def is_by(self, users: Sequence[int]) -> bool:
        """Whether one of these users made the change with a token, not by hand."""
        return self.change_source == "api" and str(self.user_id) in map(str, users)


class Webhook(Struct, frozen=True):
    """One webhook of version 2."""

    meta: ChangeMeta
    data: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None


def flat(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """An object's fields by name, with the custom ones, which Pipedrive keeps apart, by key."""
    own = dict(fields or {})
    custom = own.pop("custom_fields", None)
    for name, value in (custom if isinstance(custom, dict) else {}).items():
        own.setdefault(
            name, value.get("value", value.get("id")) if isinstance(value, dict) else value
        )
    return own


def primary_email(fields: Mapping[str, Any]) -> str | None:
    """A person's primary address, else the first one."""
    emails = fields.get("emails")
    listed = [one for one in emails if isinstance(one, dict)] if isinstance(emails, list) else []
    by_rank = sorted(listed, key=lambda one: one.get("primary") is not True)
    given = (one.get("value") for one in by_rank)
    return next((value for value in given if isinstance(value, str) and value.strip()), None)


NAME = "pipedrive"

DELETED = Ignored("deleted", "What sales said of the lead stays, though the record is gone.")

_DEALS = ("deal", "lead")
_PEOPLE = ("person_id", "deal_id", "emails")


def translate_webhook(
    item: dict[str, Any], request: RawRequest, settings: PipedriveSettings
) -> list[Event | Ignored]:
    """One webhook as events; raises ``RejectedError`` if it cannot be understood."""
    webhook = as_wire(item, Webhook)
    meta = webhook.meta
    if not meta.version.startswith("2"):
        message = "This is not a webhook of version 2: create it with version 2.0."
        raise RejectedError(Reason.EVENT_INVALID, message)
    if str(meta.company_id) not in map(str, settings.companies):
        message = "The company is not configured."
        raise RejectedError(Reason.ACCOUNT_UNKNOWN, message)
    if meta.action == "delete" or webhook.data is None:
        return [DELETED]
    fields = flat(webhook.data)
    who = _who(webhook, fields, settings)
    if not who:
        return [NOT_ABOUT_SALES]
    worth = fields if meta.entity == "deal" else {**fields, settings.amount: None}
    parts = (meta.company_id, meta.entity, meta.entity_id, meta.id, meta.timestamp)
    record = Record(
        properties=fields,
        who=who,
        id="-".join("" if part is None else str(part) for part in parts),
        source=NAME,
        received_at=request.received_at,
        at=parse_time(meta.timestamp, "meta.timestamp"),
        deal=deal_of(worth, settings),
    )
    names = _changed(webhook, fields, settings)
    of_people = {*_PEOPLE, *settings.email, settings.user_id}
    ties = not of_people.isdisjoint(names)
    if meta.is_by(settings.own_users):
        return of_own_change(record, settings, ties=ties)
    return statements(record, settings, names=names, ties=ties)


def _changed(webhook: Webhook, fields: dict[str, Any], settings: PipedriveSettings) -> list[str]:
    """The properties that this webhook is about.

    A deal whose value changes states its stage once more, so that the new value is kept.
    """
    if webhook.meta.action == "create":
        return list(fields)
    changed = flat(webhook.previous)
    if changed.keys().isdisjoint((settings.amount, settings.amount_currency)):
        return list(changed)
    selling = ("opportunity", "won")
    stages = settings.stages
    again = [name for name in stages if word_for(stages, name, fields.get(name)) in selling]
    return [*changed, *again]


def _who(webhook: Webhook, fields: dict[str, Any], settings: PipedriveSettings) -> CrmIdentity:
    company, entity = webhook.meta.company_id, webhook.meta.entity
    own = value_text(fields.get("id"))
    person = own if entity == "person" else value_text(fields.get("person_id"))
    deal = own if entity in _DEALS else value_text(fields.get("deal_id"))
    kind = entity if entity in _DEALS else "deal"
    who = known_by(
        fields,
        settings,
        person=crm_id(NAME, company, "person", person) if person else None,
        deal=crm_id(NAME, company, kind, deal) if deal else None,
    )
    if entity == "person" and not who.email:
        return structs.replace(who, email=email_in(primary_email(fields)))
    return who


class PipedriveSource(SalesSender[PipedriveSettings]):
    """Webhooks of version 2, one object each, at ``/pipedrive``."""

    name = NAME
    path = "/pipedrive"
    profile = Profile(
        proof="a user and a password",
        once="company, record, `meta.id` and its time",
        retries="3 times",
        events=OF_CRMS,
    )

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless it has the webhook's user and password."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise RejectedError(Reason.UNAUTHORIZED, "The request has no user and password.")
        try:
            offered = base64.b64decode(credentials.strip(), validate=True)
        except (binascii.Error, ValueError):
            offered = b""
        valid = False
        for password in self._settings.passwords:  # to the end: constant time
            valid |= hmac.compare_digest(offered, self._credentials(password))
        if not valid:
            raise RejectedError(Reason.UNAUTHORIZED, "The user or the password is wrong.")

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The user and the first password, unless the request bears others."""
        if "authorization" in request.headers:
            return {}
        known = base64.b64encode(self._credentials(self._settings.passwords[0]))
        return {"Authorization": f"Basic {known.decode()}"}

    def _credentials(self, password: str) -> bytes:
        return f"{self._settings.user}:{password}".encode()

    def read(self, request: RawRequest) -> Items:
        """The one object."""
        document = parse(request.body)
        if not isinstance(document.value, dict):
            raise RejectedError(Reason.EVENT_INVALID, "A webhook must be one JSON object.")
        return Items([document.value], document.suspect)

    def events_of(
        self,
        item: dict[str, Any],
        index: int,  # noqa: ARG002  # a webhook holds one
        request: RawRequest,
    ) -> list[Event | Ignored]:
        """The events of an object."""
        return translate_webhook(item, request, self._settings)
