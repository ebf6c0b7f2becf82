"""Pipedrive's webhooks as events. Pure; the rules are in the README beside this file."""

from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.ports import RawRequest
from warmlead.sources.pipedrive.payload import Webhook, flat, primary_email
from warmlead.sources.pipedrive.settings import PipedriveSettings
from warmlead.sources.records import NOT_ABOUT_SALES, Record, known_by, sayings
from warmlead.sources.sales_sender import Ignored, as_wire
from warmlead.sources.saying import Who, crm_id, email_in, value_text, word_for, worth
from warmlead.sources.times import parse_time

NAME = "pipedrive"

DELETED = Ignored("deleted", "What sales said of the lead stays, though the record is gone.")

_DEALS = ("deal", "lead")
_WORTH = ("value", "currency")
_PEOPLE = ("person_id", "deal_id", "emails")


def translate_webhook(
    item: dict[str, Any], request: RawRequest, settings: PipedriveSettings
) -> list[Event | Ignored]:
    """One webhook as events; raises ``RejectedError`` if it cannot be understood."""
    webhook = as_wire(item, Webhook)
    meta = webhook.meta
    if not meta.version.startswith("2"):
        message = "This is no webhook of version 2: create it with version 2.0."
        raise RejectedError(Reason.EVENT_INVALID, message)
    if str(meta.company_id) not in map(str, settings.companies):
        message = "The company is none of those that are configured."
        raise RejectedError(Reason.ACCOUNT_UNKNOWN, message)
    if meta.action == "delete" or webhook.data is None:
        return [DELETED]
    fields = flat(webhook.data)
    who = _who(webhook, fields, settings)
    if not who:
        return [NOT_ABOUT_SALES]
    parts = (meta.company_id, meta.entity, meta.entity_id, meta.id, meta.timestamp)
    record = Record(
        properties=fields,
        who=who,
        id="-".join("" if part is None else str(part) for part in parts),
        source=NAME,
        received_at=request.received_at,
        at=parse_time(meta.timestamp, "meta.timestamp"),
        deal=worth(
            fields.get("value") if meta.entity == "deal" else None,
            fields.get("currency"),
            otherwise=settings.currency,
            numbers=settings.numbers,
            reason=value_text(fields.get(settings.reason)),
        ),
    )
    names = _changed(webhook, fields, settings)
    of_people = {*_PEOPLE, *settings.email, settings.user_id}
    return sayings(record, settings, names=names, ties=not of_people.isdisjoint(names))


def _changed(webhook: Webhook, fields: dict[str, Any], settings: PipedriveSettings) -> list[str]:
    """The properties that this webhook is about.

    A deal whose value changes says its stage once more: that is how a value is kept.
    """
    if webhook.meta.action == "create":
        return list(fields)
    changed = flat(webhook.previous)
    if not any(name in changed for name in _WORTH):
        return list(changed)
    selling = ("opportunity", "won")
    stages = settings.stages
    again = [name for name in stages if word_for(stages, name, fields.get(name)) in selling]
    return [*changed, *again]


def _who(webhook: Webhook, fields: dict[str, Any], settings: PipedriveSettings) -> Who:
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
        return who._replace(email=email_in(primary_email(fields)))
    return who
