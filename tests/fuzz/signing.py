"""Signs requests as their senders would, so that what is in them is looked at.

Signed as of now, when they are sent: the same request, made of the same seed.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from fuzz.corpus import forms
from fuzz.sent import Sent
from senders.configured import file_of
from warmlead.domain.errors import RejectedError
from warmlead.ports import RawRequest
from warmlead.runtime.table import FORMS, public
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


def signed(sent: Sent) -> Sent:
    """The request with the signature that its sender would give it."""
    path, _, query = sent.target.partition(b"?")
    below = unquote(path.decode("ascii")).removeprefix(f"/{sent.function}")
    senders = _SENDERS.get(sent.function)
    sender = senders.at(below) if senders else None
    if sender is None or sent.header(_OF_ATTACKS):
        return sent
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent.headers
    }
    request = RawRequest(
        sent.method, below, query.decode("ascii"), headers, sent.body, datetime.now(UTC), "fuzzed"
    )
    try:
        proof = sender.sign(request)
    except RejectedError:  # there is no such form
        return sent
    if not all(value.isascii() for value in proof.values()):
        return sent
    for name, value in proof.items():
        sent = sent.with_header(name.lower().encode(), value.encode())
    return sent
