"""The sender itself: whether Salesforce sent it, what is in it, and what it is answered."""

import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event
from warmlead.ports import Accepted, RawRequest
from warmlead.sources.sales_sender import Ignored, Items, SalesSender
from warmlead.sources.salesforce.settings import SalesforceSettings
from warmlead.sources.salesforce.soap import ACK, fault, read_outbound
from warmlead.sources.salesforce.translate import NAME, full_id, translate_record
from warmlead.sources.signing import verify_signature
from warmlead.web.answer import Answer
from warmlead.web.strict_json import parse

XML = "text/xml; charset=utf-8"


class SalesforceSource(SalesSender):
    """Outbound messages, and records as JSON, at ``/salesforce``."""

    name = NAME
    path = "/salesforce"

    def __init__(self, settings: SalesforceSettings) -> None:
        self._settings = settings
        self._organizations = [full_id(id_) or id_ for id_ in settings.organizations]

    def check(self, request: RawRequest) -> None:
        """Raises ``RejectedError`` unless it bears a token of ours, or is signed."""
        offered = _token(request)
        if offered is not None:
            valid = False
            for token in self._settings.tokens:  # to the end, so that its time tells nothing
                valid |= hmac.compare_digest(offered.encode(), token.encode())
            if not valid:
                raise RejectedError(Reason.UNAUTHORIZED, "The token is none of ours.")
            return
        if self._settings.signature is None:
            raise RejectedError(Reason.UNAUTHORIZED, "The token is missing.")
        verify_signature(request, self._settings.signature)

    def read(self, request: RawRequest) -> Items:
        """The records of an outbound message, or those in JSON."""
        if not _is_xml(request):
            document = parse(request.body)
            values = document.value if isinstance(document.value, list) else [document.value]
            return Items(values, document.suspect)
        message = read_outbound(request.body)
        if full_id(message.organization) not in self._organizations:
            text = "The organisation is none of those that are configured."
            raise RejectedError(Reason.ACCOUNT_UNKNOWN, text)
        return Items(message.records)

    def said(self, item: dict[str, Any], index: int, request: RawRequest) -> list[Event | Ignored]:
        """What a record says."""
        return translate_record(item, index, request, self._settings)

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:
        """JSON for JSON; an outbound message is acknowledged, or it would come again for a day."""
        answer = super().answer(request, accepted)
        return replace(answer, body=ACK, content_type=XML) if _is_xml(request) else answer

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:
        """The failure; for an outbound message as a SOAP fault."""
        if not _is_xml(request):
            return failure
        told = failure.body.decode("utf-8", "replace")
        return replace(failure, body=fault(told), content_type=XML)


def _is_xml(request: RawRequest) -> bool:
    start = request.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start == b"<" or "xml" in request.headers.get("content-type", "").lower()


def _token(request: RawRequest) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    try:
        given = parse_qs(request.query, max_num_fields=20, errors="replace").get("token")
    except ValueError:
        return None
    return given[0] if given else None
