"""What HubSpot sends as events. Pure; the rules are in the README beside this file."""

from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.ports import RawRequest
from warmlead.sources.fields import event_id, long_hash
from warmlead.sources.hubspot.payload import Change, WorkflowRecord, is_change, workflow_record
from warmlead.sources.hubspot.settings import HubSpotSettings
from warmlead.sources.records import NOT_ABOUT_SALES, Record, known_by, sayings, telling_of
from warmlead.sources.sales_sender import Ignored, as_wire
from warmlead.sources.saying import Who, crm_id, email_in, identification, value_text, worth
from warmlead.sources.times import parse_time
from warmlead.web.strict_json import text_of

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


# --- changes that a subscription tells -----------------------------------------------------


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
        known = who._replace(email=email)
        return [identification(telling_of(record, name), known)] if email else [NO_ADDRESS]
    return sayings(record, settings, names=[name])


def _associated(change: Change, request: RawRequest) -> list[Event | Ignored]:
    ends = dict(zip(change.ends, (change.from_object_id, change.to_object_id), strict=True))
    other = next((kind for kind in ("deal", "lead") if kind in ends), "")
    if "contact" not in ends or not other:
        return [NOT_ABOUT_SALES]
    if change.association_removed:
        return [NO_LONGER]
    portal = change.portal_id
    contact = _who(portal, "contact", value_text(ends["contact"]))
    who = contact._replace(anonymous_id=_who(portal, other, value_text(ends[other])).anonymous_id)
    record = _record(change, request, who, {})
    return [identification(telling_of(record, "who"), who)]


def _merged(change: Change, request: RawRequest) -> list[Event | Ignored]:
    """One event for each contact that is now the same as the first, a new one among them."""
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
            telling_of(record, f"merged-{id_}"),
            who,
            merged_user_id=_who(portal, "contact", id_).user_id,
        )
        for id_ in others
    ]


def _to_be_erased(portal: int, contact: str) -> RejectedError:
    """Sets the deletion aside for a person: an erasure cannot be undone, so no webhook does it."""
    whom = _who(portal, "contact", contact).user_id
    message = (
        "HubSpot deleted this contact for reasons of privacy. Erase the lead here too, within a"
        f" month: warmlead lead erase {whom}"
    )
    return RejectedError(Reason.ERASURE_ASKED, message)


def _record(change: Change, request: RawRequest, who: Who, properties: dict[str, Any]) -> Record:
    # HubSpot does not promise that an event's id is its alone.
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
    deal = worth(
        properties.get(settings.amount),
        properties.get(settings.amount_currency),
        otherwise=settings.currency,
        numbers=settings.numbers,
        reason=value_text(properties.get(settings.reason)),
    )
    at = parse_time(properties.get(settings.time), settings.time) if settings.time else None
    # The same on one UTC day counts once, unless the record says when it became so.
    day = "" if at or found.since_ms else request.received_at.date().isoformat()
    content = text_of([day, *sorted(map(list, properties.items()), key=text_of)])
    record = Record(
        properties, who, f"hash-{long_hash(content)}", NAME, request.received_at, at, deal
    )
    return sayings(
        record,
        settings,
        at_of=lambda name: parse_time(found.since_ms.get(name), "timestamp"),
    )


def _who_of(found: WorkflowRecord, portal: int | None, settings: HubSpotSettings) -> Who:
    person = deal = None
    if portal is not None and found.id:
        own = _who(portal, found.kind, found.id)
        contact = _who(portal, "contact", str(found.contacts[0])) if found.contacts else Who()
        person, deal = own.user_id or contact.user_id, own.anonymous_id
    return known_by(found.properties, settings, person=person, deal=deal)


# --- what both have in common --------------------------------------------------------------


def _known(portal: int, settings: HubSpotSettings) -> int:
    if portal not in settings.portals:
        message = "The portal is none of those that are configured."
        raise RejectedError(Reason.ACCOUNT_UNKNOWN, message)
    return portal


def _who(portal: int, kind: str, id_: str) -> Who:
    """Who a record is by HubSpot's own id: a contact is a user id, what hangs on it another."""
    if not id_:
        raise RejectedError(Reason.IDENTITY_MISSING, "The change names no record.")
    own = event_id(crm_id(NAME, portal, kind, id_), "The record's id")
    return Who(user_id=own) if kind == "contact" else Who(anonymous_id=own)
