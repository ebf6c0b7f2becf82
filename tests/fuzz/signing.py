"""Signs requests as their senders would, so that what is in them is looked at.

Signed as of now, when they are sent: the same request, made of the same seed.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from fuzz.corpus import forms
from fuzz.sent import Sent
from senders.configured import file_of
from warmlead.domain.errors import RejectedError
from warmlead.ports import RawRequest
from warmlead.runtime.table import FORMS, public
from warmlead.senders.base import Sender
from warmlead.senders.registry import senders_in
from warmlead.settings import Settings

FILES: Mapping[str, Mapping[str, Any]] = {
    function.name: forms() if function is FORMS else file_of(function.name)
    for function in public()
    if function.files
}
"""The settings file of each function that has one: those of the fixtures, and a signed form."""

_SENDERS = {function: senders_in(function, file, Settings()) for function, file in FILES.items()}
_OF_ATTACKS = b"x-signature"
"""A form's signature that a request has already is what is tried with it."""

_TOKEN = re.compile(rb'"signature": ?(\{[^{}]*\})')


def signed(sent: Sent) -> Sent:
    """The request with the signature that its sender would give it."""
    path, _, query = sent.target.partition(b"?")
    whole = unquote(path.decode("ascii"))
    first, _, rest = whole.removeprefix("/").partition("/")
    below = f"/{rest}" if first == sent.function else whole  # /mailgun is not below /mail
    senders = _SENDERS.get(sent.function)
    sender = senders.at(below) if senders else None
    is_tried = sent.function == FORMS.name and sent.header(_OF_ATTACKS)
    if sender is None or is_tried:
        return sent
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent.headers
    }
    own_id = hashlib.blake2b(sent.body, digest_size=8).hexdigest()  # a token of its own
    request = RawRequest(
        sent.method, below, query.decode("ascii"), headers, sent.body, datetime.now(UTC), own_id
    )
    try:
        request = _anew(sender, request)
        proof = sender.sign(request)
    except RejectedError:  # there is no such form
        return sent
    if not all(value.isascii() for value in proof.values()):
        return sent
    if request.body != sent.body:
        sent = sent.with_body(request.body)
    for name, value in proof.items():
        sent = sent.with_header(name.lower().encode(), value.encode())
    return sent


def _anew(sender: Sender, request: RawRequest) -> RawRequest:
    """The request with a new token in its body, where one stands; no other byte of it differs.

    Who reads the body and writes it again would mend what is odd in it.
    """
    old = _TOKEN.search(request.body)
    new = _TOKEN.search(sender.sent_anew(replace(request, body=b"{}")).body) if old else None
    if not (old and new):
        return sender.sent_anew(request)
    body = request.body[: old.start(1)] + new[1] + request.body[old.end(1) :]
    return replace(request, body=body)
