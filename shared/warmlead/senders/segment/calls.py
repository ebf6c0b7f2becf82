"""Segment's API: its paths, the calls of a request, and the events that they become."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, unquote_plus

from msgspec import Struct, structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import MAX_CLOCK_AHEAD, Automation, Event, Property, Trust
from warmlead.parsing.charsets import in_utf8
from warmlead.parsing.form_bodies import parameter_of
from warmlead.parsing.strict_json import JsonDocument, loads, mended, parse
from warmlead.parsing.times import parse_time
from warmlead.ports import RawRequest
from warmlead.senders.attribution import Visit, path_of, visit_of
from warmlead.senders.automation import is_of_mailbox, is_statement, of_visitor
from warmlead.senders.person import (
    Notes,
    as_traits,
    company_traits,
    email_of,
    event_id,
    event_name,
    flatten,
    standard_name,
)

MAX_CALLS = 2_500
MAX_QUERY_FIELDS = 100
MAX_HEADER = 1_000
_MAX_ZONE = 64

BATCH = "batch"
WEBHOOK = "webhook"
"""The calls say of what kind they are: one, or a list, as webhook destinations send them."""

_KINDS = {
    **{kind: kind for kind in ("track", "identify", "page", "screen", "group", "alias", BATCH)},
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": BATCH,
    "import": BATCH,
    WEBHOOK: WEBHOOK,
}
_RAW_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,64}\+[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.-]{3,255}")
_API = re.compile(r"/(?:beacon/|api/s/(?:s2s/)?)?(?:v1/)?([a-z]+)/?")
_PIXEL = re.compile(r"/(?:v1/pixel|pixel/v1|pixel)/([a-z]+)/?")


class CallRoute(Struct, frozen=True):
    """What a path asks for: a kind of call, or a batch; ``pixel`` if an image is expected."""

    kind: str
    pixel: bool


class Calls(Struct, frozen=True):
    """The calls in a request, with what they share; those of a ``suspect`` body are mended."""

    items: Sequence[Any]
    suspect: bool
    context: Mapping[str, Any] = {}
    sent_at: Any = None
    notes: tuple[str, ...] = ()


def route_of(request: RawRequest) -> CallRoute:
    """What the request's path means; raises ``RejectedError`` for unknown paths and methods."""
    pixel = _PIXEL.fullmatch(request.path)
    kind = kind_at(request.path)
    if kind is None or (pixel and kind == BATCH):
        raise RejectedError(
            Reason.NOT_FOUND, "There are /v1/track, identify, page, screen, group, alias and batch."
        )
    if request.method not in (("GET", "HEAD") if pixel else ("POST",)):
        raise RejectedError(
            Reason.METHOD_NOT_ALLOWED, f"Use {'GET' if pixel else 'POST'} for this path."
        )
    return CallRoute(kind, pixel is not None)


def kind_at(path: str) -> str | None:
    """The kind of call that is sent to a path; ``None`` if there is no such path."""
    found = _PIXEL.fullmatch(path) or _API.fullmatch(path)
    return _KINDS.get(found[1]) if found else None


class Body(Struct, frozen=True):
    """A request's body, or the call in a pixel's query, with notes of what was changed."""

    document: JsonDocument
    told: tuple[str, ...]


def read(request: RawRequest, route: CallRoute) -> Body:
    """The request's body, in the charset that its sender names; of a pixel the call in its query.

    Raises ``RejectedError`` if it cannot be read.
    """
    if route.pixel:
        return Body(JsonDocument(_pixel_call(request.query), suspect=False), ())
    notes = Notes()
    label = parameter_of(request.headers.get("content-type", "")[:MAX_HEADER], "charset")
    return Body(parse(in_utf8(request.body, label, notes.tell)), notes.told)


def calls_of(body: Body, route: CallRoute) -> Calls:
    """The calls in a body, which is taken apart; raises ``RejectedError`` if there are none."""
    document, told = body.document, body.told
    if route.kind == WEBHOOK and isinstance(document.value, list):
        return Calls(_at_most(document.value), document.suspect, notes=told)
    if route.kind != BATCH:
        return Calls([document.value], document.suspect, notes=told)
    notes = Notes(told)
    root = _object(document, notes)
    items = root.pop("batch", None)
    if document.suspect:
        root = sound(root, notes)
    if isinstance(items, dict) and items and all(key.isdecimal() for key in items):
        items = list(items.values())  # what PHP makes of a list from which it took an item
    if not isinstance(items, list):
        raise RejectedError(Reason.EVENT_INVALID, "batch must be a list.")
    context = root.get("context")
    shared = context if isinstance(context, dict) else {}
    return Calls(_at_most(items), document.suspect, shared, root.get("sentAt"), notes.told)


def _at_most(items: list[Any]) -> list[Any]:
    if len(items) > MAX_CALLS:
        raise RejectedError(Reason.TOO_MANY_EVENTS, f"A batch has {MAX_CALLS} events at most.")
    return items


def sound(item: Any, notes: Notes) -> Any:  # noqa: ANN401  # whatever JSON holds
    """A part of a suspect body without its faults; a repeated address keeps all of its values."""
    return mended(item, notes.tell, lambda key: standard_name(key.lower()) == "email")


def write_key_in_body(body: Body) -> str | None:
    """The write key at the top of a body, for clients that cannot set headers."""
    key = _object(body.document, Notes()).get("writeKey")
    return key if isinstance(key, str) else None


def query_fields(query: str) -> dict[str, str]:
    """A query's fields by name, the first of each; raises ``RejectedError`` for too many."""
    parts = [part for part in query.split("&") if part]
    if len(parts) > MAX_QUERY_FIELDS:
        raise RejectedError(Reason.QUERY_INVALID, f"A query has {MAX_QUERY_FIELDS} fields at most.")
    fields: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        fields.setdefault(unquote_plus(name), _unquoted(value))
    return fields


def _unquoted(value: str) -> str:
    """A decoded value; in an address that is not encoded a ``+`` stays."""
    return unquote(value) if _RAW_ADDRESS.fullmatch(value) else unquote_plus(value)


def _object(document: JsonDocument, notes: Notes) -> dict[str, Any]:
    value = document.value
    if document.suspect and not isinstance(value, dict):  # one that has a key twice
        value = sound(value, notes)
    if isinstance(value, dict):
        return value
    raise RejectedError(Reason.EVENT_INVALID, "The body is not a JSON object.")


def _pixel_call(query: str) -> dict[str, Any]:
    fields = query_fields(query)
    if "data" not in fields:
        return _undotted(fields)
    encoded = fields["data"].replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise RejectedError(Reason.QUERY_INVALID, "data is not base64.") from error
    call = loads(decoded)
    if not isinstance(call, dict):
        raise RejectedError(Reason.EVENT_INVALID, "data is not a JSON object.")
    return call


def _undotted(fields: Mapping[str, str]) -> dict[str, Any]:
    """``properties.plan=a`` as ``{"properties": {"plan": "a"}}``."""
    call: dict[str, Any] = {}
    for name, value in fields.items():
        *groups, last = name.split(".")[:5]
        inner: Any = call
        for group in groups:
            inner = inner.setdefault(group, {})
            if not isinstance(inner, dict):
                break
        else:
            inner.setdefault(last, value.strip('"'))  # RudderStack's pixel quotes its values
    return call


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


class Envelope(Struct, frozen=True):
    """The common data of the calls of one request."""

    trust: Trust
    received_at: datetime
    request_id: str
    context: Mapping[str, Any]
    sent_at: datetime | None
    automated: Automation | None = None
    own_hosts: frozenset[str] = frozenset()


class _Person(Struct, frozen=True):
    email: str | None
    user_id: str | None
    anonymous_id: str | None
    traits: dict[str, Property]


def translate_call(
    kind: str, call: Mapping[str, Any], envelope: Envelope, index: int, notes: Notes
) -> Event:
    """One call as an event; raises ``RejectedError`` if it cannot be one."""
    context = {**envelope.context, **_translate_object(call, "context", notes)}
    page = _translate_object(context, "page", notes)
    person = _person(kind, call, context, envelope.trust, notes)
    properties = _properties(kind, call, page, notes)
    name = _EVENTS.get(kind) or _track_name(call.get("event"))
    if is_of_mailbox(name, envelope.trust):
        person = structs.replace(person, email=_mailed_to(properties) or person.email)
    claimed = _claimed_time(call, envelope, notes)
    visit = _visit(page, properties, _translate_object(context, "campaign", notes), envelope)
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
        attribution=visit.touch,
        direct=visit.direct,
        automated=_automated(name, context, envelope),
        notes=notes.told,
    )


def _mailed_to(properties: Mapping[str, Property]) -> str | None:
    """The address of a mail system's report, which may be another than the person's present one."""
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
    """The time of sending. It only corrects other times, so a wrong one is not an error."""
    try:
        return parse_time(value, "sentAt")
    except RejectedError:
        return None


def _translate_object(parent: Mapping[str, Any], name: str, notes: Notes) -> Mapping[str, Any]:
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
        raise RejectedError(Reason.EVENT_NAME_INVALID, "event must be a text with letters.")
    return event_name(value)


def _person(
    kind: str, call: Mapping[str, Any], context: Mapping[str, Any], trust: Trust, notes: Notes
) -> _Person:
    user_id = notes.person_id(call.get("userId"), "userId", trust, is_user=True)
    # analytics.js, after it has identified somebody, says that a user is that same user
    is_same = kind == "alias" and call.get("userId") and call["userId"] == call.get("previousId")
    earlier = "previousId" if kind == "alias" and not is_same else "anonymousId"
    anonymous_id = notes.person_id(call.get(earlier), earlier, trust)
    if earlier == "previousId" and not (user_id and anonymous_id):
        missing = "An alias needs a userId and a previousId."
        raise notes.error or RejectedError(Reason.IDENTITY_MISSING, missing)
    traits = _traits(kind, call, context, trust, notes)
    claimed = traits.pop("email", None)
    email = email_of(claimed)
    if claimed and email is None:
        why = "traits.email is not a valid email address."
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
        zone = context.get("timezone")  # that of the browser or phone
        if isinstance(zone, str) and 0 < len(zone) <= _MAX_ZONE:
            traits.setdefault("time_zone", zone)
    return traits


def _flat(parent: Mapping[str, Any], name: str, notes: Notes) -> dict[str, Property]:
    return flatten(_translate_object(parent, name, notes), notes.tell, matters=standard_name)


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
    """The event's time as its sender states it, corrected by our clock if theirs is wrong.

    ``sentAt`` shows how wrong: if it differs by five minutes or more from the time of receipt, the
    sender's clock is wrong, and only the time between the event and its sending counts.
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
