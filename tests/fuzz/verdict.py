"""What an answer must be like, whatever was sent: the promises, as one function."""

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote

from fuzz import odd
from fuzz.sent import Sent
from warmlead.domain.errors import Reason

REASONS = frozenset(Reason)
_REDIRECT_HOST = "https://shop.example/"
_FRAMEWORKS_OWN = {405: b"Method Not Allowed", 404: b"Not Found", 307: b""}


_SOAP = "text/xml; charset=utf-8"
_FAULT = re.compile("<faultstring>(.*)</faultstring>", re.DOTALL)


class Answer(NamedTuple):
    """An answer; its header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def told(self) -> str:
        """What it says; of a SOAP fault, as Salesforce wants one, what stands in it."""
        text = self.body.decode("utf-8", "replace")
        fault = _FAULT.search(text) if self.headers.get("content-type") == _SOAP else None
        return unescape(fault[1]) if fault else text

    @property
    def code(self) -> str:
        """Its status, or why it was refused."""
        try:
            told = json.loads(self.told)
        except ValueError:
            return str(self.status)
        return str(told.get("code", self.status)) if isinstance(told, dict) else str(self.status)


def fault_of(sent: Sent, answer: Answer) -> str | None:
    """Which promise the answer breaks; ``None`` if it keeps them all."""
    status = answer.status
    if status >= 500:
        return f"answered with {status}"
    if _is_the_frameworks_own(sent, answer):
        return None
    if status >= 400 and not _is_page(sent, answer):
        return _fault_of_refusal(answer)
    if status == 303:
        there = answer.headers.get("location", "")
        return None if there.startswith(_REDIRECT_HOST) else "redirects to where it must not"
    return (
        None
        if status in (200, 204, 304) or status >= 400
        else f"answered with {status}, which clients repeat"
    )


def _is_page(sent: Sent, answer: Answer) -> bool:
    """Whether it is a page for a person, whose browser has posted a form."""
    mode = sent.header(b"sec-fetch-mode")
    wants_page = mode == b"navigate" if mode else b"text/html" in (sent.header(b"accept") or b"")
    is_page = answer.headers.get("content-type") == "text/html; charset=utf-8"
    return sent.function == "forms" and wants_page and is_page and b"<script" not in answer.body


def _fault_of_refusal(answer: Answer) -> str | None:
    try:
        told = json.loads(answer.told)
    except ValueError:
        return "a refusal that is not JSON"
    if not isinstance(told, dict) or told.keys() != {"code", "message"}:
        return "a refusal without exactly code and message"
    if answer.headers.get("content-type") not in ("application/json", _SOAP):
        return "a refusal that is not called JSON"
    return None if told["code"] in REASONS and told["message"] else "a refusal without a reason"


def _is_the_frameworks_own(sent: Sent, answer: Answer) -> bool:
    """Whether functions-framework answered it before our code was asked.

    It takes seven methods, keeps two paths to itself, and its routes match one line only.
    """
    path = unquote(sent.target.partition(b"?")[0].decode())
    ours = sent.method in odd.METHODS and "\n" not in path
    reserved = path in ("/robots.txt", "/favicon.ico")
    said = _FRAMEWORKS_OWN.get(answer.status)
    return (not ours or reserved) and said is not None and answer.body in (said, b"")
