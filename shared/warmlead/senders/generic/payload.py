"""The body of a post as submissions, with any ``Content-Type``."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import unquote

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import Tell, in_utf8, unwidened
from warmlead.parsing.form_bodies import (
    Fields,
    IsNeeded,
    parameter_of,
    parse_multipart,
    parse_text_plain,
    parse_urlencoded,
)
from warmlead.parsing.strict_json import parse
from warmlead.ports import RawRequest
from warmlead.senders.person import MAX_TEXT_BYTES, event_id

Mend: TypeAlias = Callable[[Any], Any]
"""Corrects a value whose JSON has local faults."""

_REQUIRED = ("specversion", "id", "source", "type")
_DATA = ("data", "data_base64")


class Opened(NamedTuple):
    """A submission out of its envelope; without one it has neither id nor time."""

    fields: Any
    id: str | None = None
    time: Any = None


def in_envelopes(items: Sequence[Any], headers: Mapping[str, str]) -> Sequence[Any]:
    """The submissions of a request in binary mode, each in an envelope; any others as they are."""
    if "ce-specversion" not in headers or not headers.get("ce-id"):
        return items
    names = (*_REQUIRED, "time")
    said = {name: unquote(headers.get(f"ce-{name}", ""))[:MAX_TEXT_BYTES] for name in names}
    return [
        {**said, "id": f"{said['id']}-{index}" if index else said["id"], "data": item}
        for index, item in enumerate(items)
    ]


def opened(item: Any, mend: Mend) -> Opened:  # noqa: ANN401  # whatever JSON holds
    """A submission out of its envelope, if it is in one; ``mend`` does so to data in base64."""
    if not is_envelope(item):
        return Opened(item)
    data = item["data"] if "data" in item else _decoded(item["data_base64"], mend)
    # Two sources may give the same id: it counts only with its source.
    id_ = " ".join(str(item[name]) for name in ("source", "id") if item[name])
    try:
        return Opened(data, event_id(id_, "The id"), item.get("time"))
    except RejectedError:
        return Opened(data, None, item.get("time"))


def is_envelope(item: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    """Whether it is a CloudEvent in JSON, with data."""
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in _REQUIRED)
        and any(name in item for name in _DATA)
    )


def _decoded(encoded: Any, mend: Mend) -> Any:  # noqa: ANN401  # whatever JSON holds
    try:
        document = parse(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError, TypeError, RejectedError):
        return None
    return mend(document.value) if document.suspect else document.value


MAX_SUBMISSIONS = 100

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_TEXT = "text/plain"
_JSON = "application/json"
_SAYS_NOTHING = ("", "application/octet-stream", _JSON)
"""Types that clients set although they post a form; in truth such a body may be one."""


class Submissions(NamedTuple):
    """What was posted: one submission, or several in a JSON list.

    Those of a ``suspect`` body are mended before they are used.
    """

    items: Sequence[Any]
    suspect: bool


def read_submissions(request: RawRequest, tell: Tell, is_needed: IsNeeded) -> Submissions:
    """The submissions in the body; raises ``RejectedError`` if it cannot be split into submissions.

    A body that begins like JSON is JSON: ``curl -d``, beacons and scripts label it wrongly. If a
    form has too many fields, the needed ones are kept.
    """
    content_type = request.headers.get("content-type", "")[:1_000]
    body = unwidened(request.body, parameter_of(content_type, "charset"))
    media_type = content_type.partition(";")[0].strip().lower()
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        raise RejectedError(Reason.BODY_EMPTY, "The body is empty.")
    if start in (b"{", b"[") or media_type == _JSON or media_type.endswith("+json"):
        found = _json_or_form(body, media_type, content_type, tell, is_needed)
    else:
        found = _one(_form(body, media_type, content_type, tell, is_needed))
    return found._replace(items=in_envelopes(found.items, request.headers))


def _json_or_form(
    body: bytes, media_type: str, content_type: str, tell: Tell, is_needed: IsNeeded
) -> Submissions:
    try:
        return _from_json(in_utf8(body, parameter_of(content_type, "charset"), tell))
    except RejectedError as error:
        could_be_a_form = media_type in (_FORM, _TEXT, _JSON) and b"=" in body
        if error.reason is not Reason.JSON_INVALID or not could_be_a_form:
            raise
    return _one(_form(body, media_type, content_type, tell, is_needed))


def _form(
    body: bytes, media_type: str, content_type: str, tell: Tell, is_needed: IsNeeded
) -> Fields:
    """The fields of a body that is not JSON."""
    if media_type == _MULTIPART or _is_multipart(body):
        return parse_multipart(body, content_type, tell, is_needed)
    is_one_line = b"\n" not in body.strip() and b"&" in body
    if media_type == _TEXT and not is_one_line:
        return parse_text_plain(body, content_type, tell, is_needed)
    if media_type in (_FORM, _TEXT) or (media_type in _SAYS_NOTHING and b"=" in body):
        return parse_urlencoded(body, content_type, tell, is_needed)
    raise RejectedError(
        Reason.MEDIA_TYPE_UNSUPPORTED, "Send JSON or a form, urlencoded or multipart."
    )


def _is_multipart(body: bytes) -> bool:
    """Whether it is a multipart form that its client has labelled wrongly, or not at all."""
    start = body[:2_000].lstrip().lower()
    return start.startswith(b"--") and b"content-disposition: form-data" in start


def _one(fields: Any) -> Submissions:  # noqa: ANN401  # a form's fields are like a JSON object's
    return Submissions([fields], suspect=False)


def _from_json(body: bytes) -> Submissions:
    document = parse(body)
    if not isinstance(document.value, list):
        return Submissions([document.value], document.suspect)
    if not document.value:
        raise RejectedError(Reason.BODY_EMPTY, "The list is empty.")
    if len(document.value) > MAX_SUBMISSIONS:
        raise RejectedError(
            Reason.TOO_MANY_EVENTS, f"A list has {MAX_SUBMISSIONS} submissions at most."
        )
    return Submissions(document.value, document.suspect)
