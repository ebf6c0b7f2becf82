"""Calls of Segment's API as events. Pure; the rules are in the README beside this file."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_CLOCK_AHEAD, Event, Property, Trust
from warmlead.domain.identity import normalise_email
from warmlead.sources.attribution import Visit, path_of, visit_of
from warmlead.sources.fields import event_id, event_name, flatten, person_id
from warmlead.sources.times import occurred_at, parse_time
from warmlead.sources.traits import as_traits, company_traits

NAME = "segment"

_LONGEST_DELAY = timedelta(days=31)
_PAGE_FIELDS = ("path", "url", "title", "referrer", "search")
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
    own_hosts: frozenset[str] = frozenset()


class _Person(NamedTuple):
    email: str | None
    user_id: str | None
    anonymous_id: str | None
    traits: dict[str, Property]


def translate_call(kind: str, call: Mapping[str, Any], envelope: Envelope, index: int) -> Event:
    """One call as an event; raises ``RejectedError`` if it cannot be one."""
    context = {**envelope.context, **_object(call, "context")}
    page = _object(context, "page")
    person = _person(kind, call, context)
    properties = _properties(kind, call, page)
    claimed = _claimed_time(call, envelope)
    visit = _visit(context, page, properties, envelope)
    return Event.checked(
        id=event_id(call.get("messageId"), "messageId") or f"{envelope.request_id}-{index}",
        source=NAME,
        trust=envelope.trust,
        name=_EVENTS.get(kind) or _track_name(call.get("event")),
        occurred_at=occurred_at(claimed, envelope.received_at, "timestamp"),
        received_at=envelope.received_at,
        email=person.email,
        user_id=person.user_id,
        anonymous_id=person.anonymous_id,
        traits=person.traits,
        properties=properties,
        attribution=visit.attribution,
        direct=visit.direct,
    )


def _visit(
    context: Mapping[str, Any],
    page: Mapping[str, Any],
    properties: Mapping[str, Property],
    envelope: Envelope,
) -> Visit:
    referrer = page.get("referrer") or properties.get("referrer")
    return visit_of(
        url=page.get("url") or properties.get("url"),
        referrer=page.get("referrer") if referrer is None else referrer,
        campaign=context.get("campaign"),
        own_hosts=envelope.own_hosts,
    )


def sent_at(value: object) -> datetime | None:
    """The time of sending, which only serves to correct others: a wrong one is no error."""
    try:
        return parse_time(value, "sentAt")
    except RejectedError:
        return None


def _object(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RejectedError(Reason.FIELD_INVALID, f"{name} is not an object.")
    return value


def _track_name(value: object) -> str:
    if value is None or value == "":
        raise RejectedError(Reason.EVENT_NAME_MISSING, "A track call needs an event.")
    if not isinstance(value, str) or not value.strip():
        raise RejectedError(Reason.EVENT_NAME_INVALID, "event is not a text with letters.")
    return event_name(value)


def _person(kind: str, call: Mapping[str, Any], context: Mapping[str, Any]) -> _Person:
    user_id = person_id(call.get("userId"), "userId")
    earlier = "previousId" if kind == "alias" else "anonymousId"
    anonymous_id = person_id(call.get(earlier), earlier)
    if kind == "alias" and not (user_id and anonymous_id):
        raise RejectedError(Reason.IDENTITY_MISSING, "An alias needs a userId and a previousId.")
    # RudderStack's clients send an identify's traits in the context.
    traits = as_traits(flatten(_object(context, "traits")))
    if kind == "group":
        traits.update(company_traits(flatten(_object(call, "traits"))))
        group_id = person_id(call.get("groupId"), "groupId")
        traits.update({"company_id": group_id} if group_id else {})
    elif kind == "identify":
        traits.update(as_traits(flatten(_object(call, "traits"))))
    claimed = traits.pop("email", None)
    email = normalise_email(claimed) if isinstance(claimed, str) else None
    if email is None and user_id and "@" in user_id:
        email = normalise_email(user_id)
    if not (email or user_id or anonymous_id):
        if claimed:
            raise RejectedError(Reason.EMAIL_INVALID, "traits.email is no email address.")
        raise RejectedError(Reason.IDENTITY_MISSING, "A call needs a userId or an anonymousId.")
    return _Person(email, user_id, anonymous_id, traits)


def _properties(kind: str, call: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Property]:
    if kind in ("identify", "alias"):
        return {}
    properties: dict[str, Property] = {
        name: value
        for name, value in flatten(_object(call, "properties")).items()
        if value is not None
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


def _claimed_time(call: Mapping[str, Any], envelope: Envelope) -> datetime | None:
    """When the sender says it happened, by our clock if theirs is wrong.

    ``sentAt`` shows how wrong: what was sent five minutes or more from when we received it was
    sent by a wrong clock, and only the time between the event and its sending is believed.
    https://segment.com/docs/connections/spec/common/#timestamps
    """
    stamp = parse_time(call.get("timestamp"), "timestamp")
    original = parse_time(call.get("originalTimestamp"), "originalTimestamp") or stamp
    sent = sent_at(call["sentAt"]) if call.get("sentAt") else envelope.sent_at
    if original is None or sent is None:
        return stamp or original
    delay = sent - original
    is_wrong = abs(envelope.received_at - sent) > MAX_CLOCK_AHEAD
    if is_wrong and timedelta(0) <= delay <= _LONGEST_DELAY:
        return envelope.received_at - delay
    return stamp or original
