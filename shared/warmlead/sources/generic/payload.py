"""Reads a post's body as submissions, whatever its ``Content-Type`` says it is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest
from warmlead.web.form_data import parse_text_plain, parse_urlencoded
from warmlead.web.multipart import parse_multipart
from warmlead.web.strict_json import parse

MAX_SUBMISSIONS = 100

_FORM = "application/x-www-form-urlencoded"


class Submissions(NamedTuple):
    """What was posted: one submission, or several in a JSON list; each asked for faults."""

    items: Sequence[Any]
    suspect: bool


def read_submissions(request: RawRequest) -> Submissions:
    """The submissions in the body; raises ``RejectedError`` if they cannot be told apart.

    A body that begins like JSON is JSON: ``curl -d``, beacons and scripts label it wrongly.
    """
    body = request.body
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        raise RejectedError(Reason.BODY_EMPTY, "The body is empty.")
    if media_type == "multipart/form-data":
        return _one(parse_multipart(body, content_type))
    if start in (b"{", b"[") or media_type == "application/json" or media_type.endswith("+json"):
        return _from_json(body)
    is_one_line = b"\n" not in body.strip() and b"&" in body
    if media_type == _FORM or (media_type in ("", "text/plain") and is_one_line):
        return _one(parse_urlencoded(body, content_type))
    if media_type == "text/plain":
        return _one(parse_text_plain(body, content_type))
    if not media_type and b"=" in body:
        return _one(parse_urlencoded(body, content_type))
    raise RejectedError(
        Reason.MEDIA_TYPE_UNSUPPORTED, "Send JSON or a form, urlencoded or multipart."
    )


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
