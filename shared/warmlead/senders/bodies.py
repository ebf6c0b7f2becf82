"""Bodies that forms and form builders post: JSON, urlencoded, multipart or plain text."""

from typing import Any

from msgspec import structs

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
from warmlead.senders.forms import Submissions, in_envelopes

MAX_SUBMISSIONS = 100

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_TEXT = "text/plain"
_JSON = "application/json"
_SAYS_NOTHING = ("", "application/octet-stream", _JSON)
"""Types that clients set although they post a form; in truth such a body may be one."""


def read_submissions(request: RawRequest, tell: Tell, is_needed: IsNeeded) -> Submissions:
    """The submissions in the body; raises ``RejectedError`` if they cannot be separated.

    A body that begins like JSON is JSON: ``curl -d``, beacons and scripts label it wrongly.
    Of a form with too many fields the needed ones are kept.
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
    return structs.replace(found, items=in_envelopes(found.items, request.headers))


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
    """Whether it is a multipart form with a wrong ``Content-Type``, or without one."""
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
