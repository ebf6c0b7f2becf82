"""The sender itself: who may post, and what a post says."""

from typing import Any

from warmlead.domain.event import Event
from warmlead.ports import RawRequest
from warmlead.sources.sales.settings import GenericSalesSettings
from warmlead.sources.sales.translate import NAME, translate_posted
from warmlead.sources.sales_sender import Ignored, Items, SalesSender
from warmlead.sources.signing import claims_signature, verify_signature
from warmlead.web.charsets import in_utf8
from warmlead.web.form_data import parameter_of
from warmlead.web.strict_json import parse

_MAX_HEADER = 1_000


def _to_nobody(_field: str, _what: str) -> None:
    """Sales is told of no replaced bytes: its texts are reasons and names of stages."""


class GenericSalesSource(SalesSender):
    """Statements in our own words, at ``/generic``: one, or a list of them."""

    name = NAME
    path = "/generic"
    keeps_refused = False  # whoever posts in our words can mend them

    def __init__(self, settings: GenericSalesSettings) -> None:
        self._settings = settings

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless the post is signed, or need not be."""
        signature = self._settings.signature
        if signature is None:
            return  # allow_unsigned, or there would be no such settings
        if self._settings.allow_unsigned and not claims_signature(request, signature):
            return
        verify_signature(request, signature)

    def read(self, request: RawRequest) -> Items:
        """The statements in the body."""
        label = parameter_of(request.headers.get("content-type", "")[:_MAX_HEADER], "charset")
        document = parse(in_utf8(request.body, label, _to_nobody))
        values = document.value if isinstance(document.value, list) else [document.value]
        return Items(values, document.suspect)

    def said(self, item: dict[str, Any], index: int, request: RawRequest) -> list[Event | Ignored]:
        """The one statement of an item."""
        return [translate_posted(item, index, request, self._settings.numbers)]
