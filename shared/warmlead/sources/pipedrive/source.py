"""The sender itself: whether Pipedrive sent it, and what is in it."""

import base64
import binascii
import hmac
from typing import Any

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.ports import RawRequest
from warmlead.sources.pipedrive.settings import PipedriveSettings
from warmlead.sources.pipedrive.translate import NAME, translate_webhook
from warmlead.sources.sales_sender import Ignored, Items, SalesSender
from warmlead.web.strict_json import parse


class PipedriveSource(SalesSender):
    """Webhooks of version 2, one object each, at ``/pipedrive``."""

    name = NAME
    path = "/pipedrive"

    def __init__(self, settings: PipedriveSettings) -> None:
        self._settings = settings

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless it bears the webhook's user and password."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            raise RejectedError(Reason.UNAUTHORIZED, "The webhook has no user and password.")
        try:
            offered = base64.b64decode(credentials.strip(), validate=True)
        except (binascii.Error, ValueError):
            offered = b""
        valid = False
        for password in self._settings.passwords:  # to the end, so that its time tells nothing
            valid |= hmac.compare_digest(offered, f"{self._settings.user}:{password}".encode())
        if not valid:
            raise RejectedError(Reason.UNAUTHORIZED, "The user or the password is not ours.")

    def read(self, request: RawRequest) -> Items:
        """The one object."""
        document = parse(request.body)
        if not isinstance(document.value, dict):
            raise RejectedError(Reason.EVENT_INVALID, "A webhook is one JSON object.")
        return Items([document.value], document.suspect)

    def said(self, item: dict[str, Any], index: int, request: RawRequest) -> list[Event | Ignored]:  # noqa: ARG002  # a webhook holds one
        """What an object says."""
        return translate_webhook(item, request, self._settings)
