"""What browsers do: they show the answer of a request that leaves the page, and follow URLs."""

from collections.abc import Mapping
from urllib.parse import urlsplit

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "")


def navigates(headers: Mapping[str, str]) -> bool:
    """Whether a person sees the answer as a page; header names are in lower case.

    Browsers say so (https://www.w3.org/TR/fetch-metadata/#sec-fetch-mode-header); of those that
    do not yet, whoever wants HTML for a form, and is no script that says what it is.
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
    """Whether a text is a plain http(s) URL that every browser reads as we do.

    No spaces, controls or backslashes, no letters beyond ASCII, no user name: what makes a
    browser go to another host than the one we saw.
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
