"""The adapter: the settings of HubSpot, and its signature, version 3."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.parsing.signatures import TOLERANCE_S
from warmlead.parsing.strict_json import parse
from warmlead.ports import Ignored, RawRequest
from warmlead.senders.crm import Items, SalesSender
from warmlead.senders.hubspot.translate import NAME, HubSpotSettings, translate_item

SIGNATURE = "x-hubspot-signature-v3"
TIMESTAMP = "x-hubspot-request-timestamp"

_NO_SECRET = "nobody knows this key, so nothing is signed with it"  # noqa: S105  # it is none
_MILLISECONDS = re.compile(r"[0-9]{10,15}")
_ENCODED = re.compile("%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def sign(method: str, url: str, body: bytes, timestamp: str, secret: str) -> str:
    """The signature of a request; of the address only the characters that HubSpot lists decode."""
    decoded = _ENCODED.sub(lambda found: chr(int(found[1], 16)), url)
    signed = f"{method}{decoded}".encode() + body + timestamp.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def verify(request: RawRequest, *, url: str, secrets: Sequence[str]) -> None:
    """Raises ``RejectedError`` unless one of the secrets signed it within five minutes."""
    offered, timestamp = request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP)
    if offered is None or timestamp is None:
        raise RejectedError(
            Reason.SIGNATURE_MISSING,
            "The headers X-HubSpot-Signature-v3 and X-HubSpot-Request-Timestamp are needed.",
        )
    whole = f"{url}?{request.query}" if request.query else url
    valid = False
    for secret in secrets or (_NO_SECRET,):
        expected = sign(request.method, whole, request.body, timestamp, secret)
        valid |= hmac.compare_digest(offered.strip().encode(), expected.encode())
    if not (valid and secrets and all(secrets) and _MILLISECONDS.fullmatch(timestamp)):
        raise RejectedError(Reason.SIGNATURE_INVALID, "The signature does not fit the request.")
    if abs(request.received_at.timestamp() - int(timestamp) / 1000) > TOLERANCE_S:
        raise RejectedError(
            Reason.SIGNATURE_EXPIRED, "The signed time is more than five minutes from ours."
        )


class HubSpotSource(SalesSender):
    """An app's webhooks, in batches, and those of workflows, at ``/hubspot``."""

    name = NAME
    path = "/hubspot"

    def __init__(self, settings: HubSpotSettings) -> None:
        self._settings = settings

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless HubSpot signed the request."""
        verify(request, url=self._settings.url, secrets=self._settings.secrets)

    def read(self, request: RawRequest) -> Items:
        """The changes of a batch, or the one record of a workflow."""
        document = parse(request.body)
        values = document.value if isinstance(document.value, list) else [document.value]
        return Items(values, document.suspect)

    def said(self, item: dict[str, Any], index: int, request: RawRequest) -> list[Event | Ignored]:  # noqa: ARG002  # a change names itself
        """The events of a change or a record."""
        return translate_item(item, request, self._settings)
