"""The sender itself: whether HubSpot sent it, and what is in it."""

from typing import Any

from warmlead.domain.event import Event
from warmlead.ports import RawRequest
from warmlead.sources.hubspot.settings import HubSpotSettings
from warmlead.sources.hubspot.signature import verify
from warmlead.sources.hubspot.translate import NAME, translate_item
from warmlead.sources.sales_sender import Ignored, Items, SalesSender
from warmlead.web.strict_json import parse


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
        """What a change or a record says."""
        return translate_item(item, request, self._settings)
