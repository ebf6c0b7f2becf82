"""Answers to HTTP requests: the status of each outcome, and whether a browser shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from warmlead.domain.errors import Reason, RejectedError, UnavailableError, UnreadableError

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``facts`` are for the log line only: reason, source, counts."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str | int] = field(default_factory=dict)


STATUS = MappingProxyType(
    {
        Reason.UNAUTHORIZED: 401,
        Reason.SIGNATURE_MISSING: 401,
        Reason.SIGNATURE_INVALID: 401,
        Reason.SIGNATURE_EXPIRED: 401,
        Reason.FORBIDDEN: 403,
        Reason.CAPTCHA_MISSING: 400,
        Reason.CAPTCHA_FAILED: 403,
        Reason.CAPTCHA_UNCHECKED: 403,
        Reason.NOT_FOUND: 404,
        Reason.METHOD_NOT_ALLOWED: 405,
        Reason.BODY_TOO_LARGE: 413,
        Reason.BODY_TIMEOUT: 408,
        Reason.BODY_EMPTY: 400,
        Reason.BODY_INCOMPLETE: 400,
        Reason.ENCODING_UNSUPPORTED: 415,
        Reason.ENCODING_INVALID: 400,
        Reason.MEDIA_TYPE_UNSUPPORTED: 415,
        Reason.CHARSET_INVALID: 400,
        Reason.QUERY_INVALID: 400,
        Reason.JSON_INVALID: 400,
        Reason.JSON_TOO_DEEP: 400,
        Reason.JSON_DUPLICATE_KEY: 400,
        Reason.JSON_NOT_A_NUMBER: 400,
        Reason.JSON_INTEGER_TOO_LARGE: 400,
        Reason.JSON_SURROGATE: 400,
        Reason.FORM_INVALID: 400,
        Reason.FORM_TOO_MANY_FIELDS: 400,
        Reason.REDIRECT_NOT_ALLOWED: 400,
        Reason.EVENT_INVALID: 400,
        Reason.EVENT_TOO_LARGE: 400,  # Segment's own answer; its clients do not send it again
        Reason.EVENT_NAME_MISSING: 400,
        Reason.EVENT_NAME_INVALID: 400,
        Reason.EVENT_TYPE_UNKNOWN: 400,
        Reason.EVENT_ID_INVALID: 400,
        Reason.TOO_MANY_EVENTS: 400,
        Reason.TOO_MANY_FIELDS: 400,
        Reason.FIELD_INVALID: 400,
        Reason.IDENTITY_MISSING: 400,
        Reason.IDENTITY_INVALID: 400,
        Reason.EMAIL_INVALID: 400,
        Reason.TIME_INVALID: 400,
        Reason.TIME_OUT_OF_RANGE: 400,
        Reason.ACCOUNT_UNKNOWN: 403,
        Reason.XML_INVALID: 400,
        Reason.SAID_UNKNOWN: 400,
        Reason.REASON_INVALID: 400,
        Reason.VALUE_INVALID: 400,
        Reason.CURRENCY_UNKNOWN: 400,
        Reason.ERASURE_ASKED: 400,
        Reason.LEAD_FLOODED: 400,
        Reason.RECEIVED_TOO_LONG_AGO: 400,
        Reason.MESSAGE_INVALID: 400,
    }
)
"""Every reason and its HTTP status; a test checks that none is missing."""

_HEADERS = {
    # The rest of the body is not read: the connection cannot be used again.
    Reason.BODY_TOO_LARGE: {"Connection": "close"},
    Reason.BODY_TIMEOUT: {"Connection": "close"},
    Reason.METHOD_NOT_ALLOWED: {"Allow": "POST, OPTIONS"},
}


def answer_error(error: Exception) -> Answer:
    """The answer to a request that failed; an unexpected error becomes a 500 without detail."""
    if isinstance(error, RejectedError):
        headers = _HEADERS.get(error.reason, {})
        return _answer(STATUS[error.reason], str(error.reason), error.message, headers)
    if isinstance(error, UnreadableError):  # only score reads leads, and only the bus calls it
        return _answer(503, "lead_unreadable", error.message, {})
    if isinstance(error, UnavailableError):
        retry = {"Retry-After": str(error.retry_after_s)}
        return _answer(503, "unavailable", "Try again later; nothing was accepted.", retry)
    return _answer(500, "internal_error", "This is our fault, not yours.", {})


def _answer(status: int, code: str, message: str, headers: dict[str, str]) -> Answer:
    body = json.dumps({"code": code, "message": message}).encode()
    return Answer(status, body, headers=headers, facts={"reason": code})


_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "")


def navigates(headers: Mapping[str, str]) -> bool:
    """Whether a person sees the answer as a page; header names are in lower case.

    Browsers say so (https://www.w3.org/TR/fetch-metadata/#sec-fetch-mode-header); for those that
    do not, it is a request of a form that accepts HTML and is not marked as a script's.
    """
    if mode := headers.get("sec-fetch-mode"):
        return mode == "navigate"
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return (
        "text/html" in headers.get("accept", "")
        and media_type in _FORMS
        and "x-requested-with" not in headers
    )


def is_web_url(text: str) -> bool:
    """Whether a text is a plain http(s) URL that every browser reads as Python does.

    Spaces, controls, backslashes, letters beyond ASCII and user names are refused, because they can
    make a browser go to another host.
    """
    if not text.isascii() or not text.isprintable() or any(sign in text for sign in ' \\"<>'):
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and parts.port != 0  # reading the port checks it
        )
    except ValueError:
        return False
