"""Signs requests where their sender must, so that what is in them is looked at.

Signed as of now, when they are sent: the same request, made of the same seed.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from fuzz.corpus import FIXTURES, SIGNED_FORM_SECRET
from fuzz.sent import Sent
from warmlead.parsing.signatures import HmacScheme, sign_standard_webhooks
from warmlead.senders.hubspot import source as hubspot

SALES: Mapping[str, Any] = json.loads((FIXTURES / "sales.json").read_text())
"""The senders of ``sales``: those of the fixtures."""


def signed(sent: Sent) -> Sent:
    """The request with the signature that its sender would give it."""
    for (function, path), sign in _SIGNERS.items():
        if sent.function == function and sent.target.startswith(path):
            for name, value in sign(sent).items():
                sent = sent.with_header(name.lower().encode(), value.encode())
            return sent
    return sent


def _form(sent: Sent) -> Mapping[str, str]:
    if sent.header(b"x-signature"):
        return {}
    return {"X-Signature": HmacScheme().sign(sent.body, SIGNED_FORM_SECRET)}


def _generic(sent: Sent) -> Mapping[str, str]:
    (secret,) = SALES["generic"]["signature"]["secrets"]
    id_ = (sent.header(b"webhook-id") or b"").decode("latin-1")
    if not id_.isascii():
        return {}
    return sign_standard_webhooks(sent.body, message_id=id_, at=datetime.now(UTC), secret=secret)


def _hubspot(sent: Sent) -> Mapping[str, str]:
    query = sent.target.partition(b"?")[2].decode("ascii")
    url = SALES["hubspot"]["url"] + (f"?{query}" if query else "")
    at = str(int(datetime.now(UTC).timestamp() * 1_000))
    (secret,) = SALES["hubspot"]["secrets"]
    signature = hubspot.sign(sent.method, url, sent.body, at, secret)
    return {hubspot.TIMESTAMP: at, hubspot.SIGNATURE: signature}


def _salesforce(sent: Sent) -> Mapping[str, str]:
    if not sent.header(b"x-warmlead-signature"):  # the others name a token
        return {}
    signature = SALES["salesforce"]["signature"]
    scheme = HmacScheme(**signature["hmac"])
    return {scheme.header: scheme.sign(sent.body, signature["secrets"][0])}


_SIGNERS: Mapping[tuple[str, bytes], Callable[[Sent], Mapping[str, str]]] = {
    ("forms", b"/generic/signed"): _form,
    ("sales", b"/generic"): _generic,
    ("sales", b"/hubspot"): _hubspot,
    ("sales", b"/salesforce"): _salesforce,
}
