"""Framer's webhooks: the submission of a form, signed together with its id."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.charsets import Tell
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import RawRequest
from warmlead.senders.forms import Submissions
from warmlead.senders.proofs import Document, Proof
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, text

_SIGNED = WebhookScheme(header="Framer-Signature", prefix="sha256=")
_ID = "Framer-Webhook-Submission-Id"
_FORM = "Form in the address"
"""With the id, what an item holds beside the fields of the form."""


class _SignedWithId(Struct, frozen=True):
    """A keyed hash of the body and, right behind it, of the id in another header."""

    covers_body: bool = True
    covers_time: bool = False
    in_words: str = f"`{_SIGNED.header}`, HMAC-SHA256"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether the header is there."""
        return _SIGNED.header.lower() in request.headers

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the bytes count
        """Raises ``RejectedError`` unless one of the secrets signed the body and the id."""
        id_ = _id_of(request)
        if not id_:
            raise RejectedError(Reason.SIGNATURE_MISSING, f"The header {_ID} is missing.")
        signed = request.body + id_.encode(errors="replace")
        _SIGNED.verify(request.headers, signed, secrets=secrets, now=request.received_at)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The id, by default that of the request, and the signature."""
        id_ = _id_of(request) or request.request_id
        signed = request.body + id_.encode(errors="replace")
        return {_ID: id_, **_SIGNED.sign(signed, at=request.received_at, secret=secret)}


class FramerSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those of the webhooks. Forms are named by the end of their addresses."""


class FramerSource(WebhookSender):
    """Submissions of forms (https://www.framer.com/help/articles/framer-form-webhook-setup).

    The body holds the fields of a form and nothing else: the id is in a header, and the address
    names the form. What is set aside holds both.
    """

    name = "framer"
    path = "framer"
    is_known_by_body = False  # any object may be the fields of a form
    proof: ClassVar[Proof] = _SignedWithId()
    meanings: ClassVar = {"submission": FORM_SUBMITTED}
    once = f"`{_ID}`"
    retries = "up to 5 times, after any answer but 2xx"

    def items(self, value: Any) -> Sequence[Any]:  # noqa: ANN401  # whatever JSON holds
        """The submission: a request has one, since it has one id."""
        return [value]

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:
        """The submission, with its id and the form that the address names."""
        found = super().read(request, settings, tell)
        given = {_ID: _id_of(request), _FORM: self.form_of(request)[0]}
        own = {name: value for name, value in given.items() if value}
        items = [{**one, **own} if isinstance(one, dict) else one for one in found.items]
        return Submissions(items, found.suspect)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The submission: its fields have the names that they have in the form."""
        fields = {name: value for name, value in item.items() if name not in (_ID, _FORM)}
        id_, form = text(item.get(_ID)) or None, text(item.get(_FORM))
        yield Said("submission", Fact(fields=fields, id=id_, form=form))


def _id_of(request: RawRequest) -> str:
    return request.headers.get(_ID.lower(), "").strip()
