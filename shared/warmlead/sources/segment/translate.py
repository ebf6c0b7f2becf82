"""Calls of Segment's API as events. Pure; the rules are in the README beside this file.

A call needs a name and one usable identity: all else is kept, cut or left out, and told.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_CLOCK_AHEAD, Automation, Event, Property, Trust
from warmlead.sources.attribution import Visit, path_of, visit_of
from warmlead.sources.automation import is_of_mailbox, is_statement, of_visitor
from warmlead.sources.fields import email_of, event_id, event_name, flatten
from warmlead.sources.notes import Notes
from warmlead.sources.times import parse_time
from warmlead.sources.traits import as_traits, company_traits, standard_name

NAME = "segment"

_LONGEST_DELAY = timedelta(days=31)
_PAGE_FIELDS = ("path", "url", "title", "referrer", "search")
_MAILED_TO = ("email", "email_address", "recipient", "recipient_email")
_EVENTS = {
    "identify": "identified",
    "page": "page_viewed",
    "screen": "screen_viewed",
    "group": "grouped",
    "alias": "aliased",
}


class Envelope(NamedTuple):
    """What the calls of one request have in common."""

    trust: Trust
    received_at: datetime
    request_id: str
    context: Mapping[str, Any]
    sent_at: datetime | None
    automated: Automation | None = None
    own_hosts: frozenset[str] = frozenset()


class _Person(NamedTuple):
    email: str | None
    user_id: str | None
    anonymous_id: str | None
    traits: dict[str, Property]


def translate_call(
    kind: str, call: Mapping[str, Any], envelope: Envelope, index: int, notes: Notes
) -> Event:
    """One call as an event; raises ``RejectedError`` if it cannot be one."""
    context = {**envelope.context, **_object(call, "context", notes)}
    page = _object(context, "page", notes)
    person = _person(kind, call, context, envelope.trust, notes)
    properties = _properties(kind, call, page, notes)
    name = _EVENTS.get(kind) or _track_name(call.get("event"))
    if is_of_mailbox(name, envelope.trust):
        person = person._replace(email=_mailed_to(properties) or person.email)
    claimed = _claimed_time(call, envelope, notes)
    visit = _visit(page, properties, _object(context, "campaign", notes), envelope)
    own_id = notes.attempt("messageId", event_id, call.get("messageId"), "messageId")
    return Event.checked(
        id=own_id or f"{envelope.request_id}-{index}",
        source=NAME,
        trust=envelope.trust,
        name=name,
        occurred_at=notes.settled(claimed, envelope.received_at, "timestamp"),
        received_at=envelope.received_at,
        email=person.email,
        user_id=person.user_id,
        anonymous_id=person.anonymous_id,
        traits=person.traits,
        properties=properties,
        attribution=visit.attribution,
        direct=visit.direct,
        automated=_automated(name, context, envelope),
        notes=notes.told,
    )


def _mailed_to(properties: Mapping[str, Property]) -> str | None:
    """The address of which a mail system speaks, which need not be the one in use."""
    found = (email_of(properties.get(name)) for name in _MAILED_TO)
    return next(filter(None, found), None)


def _automated(name: str, context: Mapping[str, Any], envelope: Envelope) -> Automation | None:
    if is_statement(name, envelope.trust):
        return None
    return envelope.automated or of_visitor(context)


def _visit(
    page: Mapping[str, Any],
    properties: Mapping[str, Property],
    campaign: Mapping[str, Any],
    envelope: Envelope,
) -> Visit:
    referrer = page.get("referrer") or properties.get("referrer")
    return visit_of(
        url=page.get("url") or properties.get("url"),
        referrer=page.get("referrer") if referrer is None else referrer,
        campaign=campaign,
        own_hosts=envelope.own_hosts,
    )


def sent_at(value: object) -> datetime | None:
    """The time of sending, which only serves to correct others: a wrong one is no error."""
    try:
        return parse_time(value, "sentAt")
    except RejectedError:
        return None


def _object(parent: Mapping[str, Any], name: str, notes: Notes) -> Mapping[str, Any]:
    """The object of a name. PHP and others send an empty map as ``[]``, ``""`` or ``false``."""
    value = parent.get(name)
    if isinstance(value, dict):
        return value
    if value not in (None, [], "", False):
        notes.tell(name, "was left out: it is not an object")
    return {}


def _track_name(value: object) -> str:
    if value is None or value == "":
        raise RejectedError(Reason.EVENT_NAME_MISSING, "A track call needs an event.")
    if not isinstance(value, str) or not value.strip():
        raise RejectedError(Reason.EVENT_NAME_INVALID, "event is not a text with letters.")
    return event_name(value)


def _person(
    kind: str, call: Mapping[str, Any], context: Mapping[str, Any], trust: Trust, notes: Notes
) -> _Person:
    user_id = notes.person_id(call.get("userId"), "userId", trust, is_user=True)
    earlier = "previousId" if kind == "alias" else "anonymousId"
    anonymous_id = notes.person_id(call.get(earlier), earlier, trust)
    if kind == "alias" and not (user_id and anonymous_id):
        missing = "An alias needs a userId and a previousId."
        raise notes.error or RejectedError(Reason.IDENTITY_MISSING, missing)
    traits = _traits(kind, call, context, trust, notes)
    claimed = traits.pop("email", None)
    email = email_of(claimed)
    if claimed and email is None:
        why = "traits.email is not a valid e-mail address."
        notes.refuse("email", RejectedError(Reason.EMAIL_INVALID, why))
    if email is None and user_id and "@" in user_id:
        email = email_of(user_id)
    if not (email or user_id or anonymous_id):
        missing = "A call needs a userId or an anonymousId."
        raise notes.error or RejectedError(Reason.IDENTITY_MISSING, missing)
    return _Person(email, user_id, anonymous_id, traits)


def _traits(
    kind: str, call: Mapping[str, Any], context: Mapping[str, Any], trust: Trust, notes: Notes
) -> dict[str, Property]:
    # RudderStack's clients send an identify's traits in the context.
    traits = as_traits(_flat(context, "traits", notes))
    if kind == "group":
        traits.update(company_traits(_flat(call, "traits", notes)))
        group_id = notes.person_id(call.get("groupId"), "groupId", trust)
        traits.update({"company_id": group_id} if group_id else {})
    elif kind == "identify":
        traits.update(as_traits(_flat(call, "traits", notes)))
    return traits


def _flat(parent: Mapping[str, Any], name: str, notes: Notes) -> dict[str, Property]:
    return flatten(_object(parent, name, notes), notes.tell, matters=standard_name)


def _properties(
    kind: str, call: Mapping[str, Any], page: Mapping[str, Any], notes: Notes
) -> dict[str, Property]:
    if kind in ("identify", "alias"):
        return {}
    properties: dict[str, Property] = {
        name: value for name, value in _flat(call, "properties", notes).items() if value is not None
    }
    if kind in ("page", "screen"):
        named = {"title": call.get("name"), "category": call.get("category")}
        seen = {name: page.get(name) for name in _PAGE_FIELDS} if kind == "page" else {}
        for name, value in (*seen.items(), *named.items()):
            if isinstance(value, str) and value:
                properties.setdefault(name, value)
        url = properties.get("url")
        if kind == "page" and isinstance(url, str):
            properties.setdefault("path", path_of(url))
    return properties


def _claimed_time(call: Mapping[str, Any], envelope: Envelope, notes: Notes) -> datetime | None:
    """When the sender says it happened, by our clock if theirs is wrong.

    ``sentAt`` shows how wrong: what was sent five minutes or more from when we received it was
    sent by a wrong clock, and only the time between the event and its sending is believed.
    https://segment.com/docs/connections/spec/common/#timestamps
    """
    stamp, original = (
        notes.attempt(name, parse_time, call.get(name), name)
        for name in ("timestamp", "originalTimestamp")
    )
    original = original or stamp
    sent = sent_at(call["sentAt"]) if call.get("sentAt") else envelope.sent_at
    if original is None or sent is None:
        return stamp or original
    delay = sent - original
    is_wrong = abs(envelope.received_at - sent) > MAX_CLOCK_AHEAD
    if is_wrong and timedelta(0) <= delay <= _LONGEST_DELAY:
        return envelope.received_at - delay
    return stamp or original
