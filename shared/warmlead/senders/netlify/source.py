"""Netlify Forms: the notification of a submission, signed with a JSON Web Signature."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.jws import sign_jws, verify_jws
from warmlead.ports import RawRequest
from warmlead.senders.proofs import Document, Proof
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, group, text

_HEADER = "X-Webhook-Signature"
_ISSUER = "netlify"
_OF_THE_REQUEST = ("ip", "user_agent", "referrer", "form-name")
"""What Netlify adds to the fields; ``referrer`` is the page on which the form is."""


class _SignedHash(Struct, frozen=True):
    """A token in a header, in which the hash of the body is signed."""

    covers_body: bool = True
    covers_time: bool = False
    in_words: str = f"`{_HEADER}`, a JWS with HMAC-SHA256"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether the header is there."""
        return _HEADER.lower() in request.headers

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:  # noqa: ARG002  # the bytes count
        """Raises ``RejectedError`` unless one of the secrets signed the body."""
        token = request.headers.get(_HEADER.lower(), "").strip()
        if not token:
            raise RejectedError(Reason.SIGNATURE_MISSING, f"The header {_HEADER} is missing.")
        verify_jws(token, request.body, issuer=_ISSUER, secrets=secrets)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The header with the token."""
        return {_HEADER: sign_jws(request.body, issuer=_ISSUER, secret=secret)}


class NetlifySettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the JWS secret tokens of the notifications. Forms are named by their name."""


class NetlifySource(WebhookSender):
    """Submissions of forms (https://docs.netlify.com/manage/forms/notifications/)."""

    name = "netlify"
    path = "netlify"
    is_known_by_body = False  # any object may be the answers of a form
    proof: ClassVar[Proof] = _SignedHash()
    meanings: ClassVar = {"submission": FORM_SUBMITTED}
    once = "`id`"
    retries = "not published"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The submission: its fields have the names that they have in the form."""
        data = group(item, "data")
        fields = {name: value for name, value in data.items() if name not in _OF_THE_REQUEST}
        if page := text(data.get("referrer")):
            fields.setdefault("page_url", page)
        yield Said(
            "submission",
            Fact(
                fields=fields,
                id=text(item.get("id")) or None,
                time=item.get("created_at"),
                form=text(item.get("form_name")),
            ),
        )
