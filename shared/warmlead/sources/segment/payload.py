"""The wire: which paths there are, and how a request's body or query becomes calls.

After https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/ and
https://segment.com/docs/connections/sources/catalog/libraries/server/pixel-tracking-api/,
and RudderStack's https://www.rudderstack.com/docs/api/http-api/.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest
from warmlead.sources.notes import Notes
from warmlead.sources.traits import standard_name
from warmlead.web.charsets import in_utf8
from warmlead.web.form_data import parameter_of
from warmlead.web.json_mending import mended
from warmlead.web.strict_json import Document, loads, parse

MAX_CALLS = 2_500
MAX_QUERY_FIELDS = 100
MAX_HEADER = 1_000

BATCH = "batch"
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
}
_RAW_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,64}\+[A-Za-z0-9._-]{1,64}@[A-Za-z0-9.-]{3,255}")
_API = re.compile(r"/(?:beacon/)?(?:v1/)?([a-z]+)/?")
_PIXEL = re.compile(r"/(?:v1/pixel|pixel/v1|pixel)/([a-z]+)/?")


class Route(NamedTuple):
    """What a path asks for: a kind of call, or a batch; ``pixel`` if an image is expected."""

    kind: str
    pixel: bool


class Calls(NamedTuple):
    """The calls in a request, with what they share; those of a ``suspect`` body are mended."""

    items: Sequence[Any]
    suspect: bool
    context: Mapping[str, Any] = {}
    sent_at: Any = None
    notes: tuple[str, ...] = ()


def route_of(request: RawRequest) -> Route:
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
    return Route(kind, pixel is not None)


def kind_at(path: str) -> str | None:
    """The kind of call that is sent to a path; ``None`` if there is no such path."""
    found = _PIXEL.fullmatch(path) or _API.fullmatch(path)
    return _KINDS.get(found[1]) if found else None


class Body(NamedTuple):
    """A request's body, and in words what had to be made of it."""

    document: Document
    told: tuple[str, ...]


def read(request: RawRequest) -> Body:
    """The request's body, in the charset that its sender names.

    Raises ``RejectedError`` if it cannot be read.
    """
    notes = Notes()
    label = parameter_of(request.headers.get("content-type", "")[:MAX_HEADER], "charset")
    return Body(parse(in_utf8(request.body, label, notes.tell)), notes.told)


def calls_of(request: RawRequest, route: Route, body: Body | None = None) -> Calls:
    """The calls in the request; raises ``RejectedError`` if they cannot be told apart.

    Takes apart its ``body``, if that has been read.
    """
    if route.pixel:
        return Calls([_pixel_call(request.query)], suspect=False)
    document, told = body or read(request)
    if route.kind != BATCH:
        return Calls([document.value], document.suspect, notes=told)
    notes = Notes(told)
    root = _object(document, notes)
    items = root.pop("batch", None)
    if document.suspect:
        root = sound(root, notes)
    if not isinstance(items, list):
        raise RejectedError(Reason.EVENT_INVALID, "batch is not a list.")
    if len(items) > MAX_CALLS:
        raise RejectedError(Reason.TOO_MANY_EVENTS, f"A batch has {MAX_CALLS} events at most.")
    context = root.get("context")
    shared = context if isinstance(context, dict) else {}
    return Calls(items, document.suspect, shared, root.get("sentAt"), notes.told)


def sound(item: Any, notes: Notes) -> Any:  # noqa: ANN401  # whatever JSON holds
    """A part of a suspect body without its faults; of an address that is there twice, all."""
    return mended(item, notes.tell, lambda key: standard_name(key.lower()) == "email")


def write_key_in_body(body: Body) -> str | None:
    """The write key at the top of a body, where clients put it that cannot set headers."""
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
    """A value as it was meant: in an address of which nothing was encoded a ``+`` is one."""
    return unquote(value) if _RAW_ADDRESS.fullmatch(value) else unquote_plus(value)


def _object(document: Document, notes: Notes) -> dict[str, Any]:
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
