"""Mandrill's webhooks: what became of each mail, in a form that holds a list of events."""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, cast
from urllib.parse import parse_qsl

from msgspec import Meta, Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.parsing.strict_json import JsonDocument, parse
from warmlead.ports import RawRequest
from warmlead.senders.machines import of_reader
from warmlead.senders.mail import TEST, MailSender, MailSettings, fact_id, first_text
from warmlead.senders.proofs import Document, Proof
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSettings, group, part, text
from warmlead.web.answers import Answer

_EVENTS = "mandrill_events"
_BOUNCES = {"hard_bounce": "hard", "soft_bounce": "soft"}
_REJECTS = {
    "hard-bounce": "hard",
    "invalid": "hard",
    "soft-bounce": "soft",
    "custom": "suppressed",
    "unsub": "unsubscribed",
    "spam": "complained",
}
_OF_THE_ACCOUNT = ("invalid-sender", "test-mode-limit", "unsigned", "rule")
"""Why Mandrill does not send although nothing is wrong with the address."""

_NOT_SENT = "reject.of_the_account"
_TEST_MESSAGE = "exampleaaaaaaaa"
"""How the ids of all messages begin that *Send test* tells of."""


class MandrillSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the keys of webhooks; ``url`` is their address as Mandrill knows it."""

    url: Annotated[str, Meta(pattern=r"\Ahttps?://[^\s?#]+(\?[^\s#]*)?\Z")]


class SignedForm(Struct, frozen=True):
    """An HMAC of the address and of each field of the form, in the order of their names."""

    header: str = "X-Mandrill-Signature"
    covers_body: bool = True
    covers_time: bool = False
    in_words: str = "`X-Mandrill-Signature`, HMAC-SHA1 of the address and the form"

    def is_claimed(self, request: RawRequest) -> bool:
        """Whether the header is there."""
        return self.header.lower() in request.headers

    def verify(self, request: RawRequest, secrets: Sequence[str], document: Document) -> None:
        """Never valid: nothing is signed without an address."""
        self.verify_at("", request, secrets, document)

    def sign(self, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The header with the signature of the form alone."""
        return self.sign_at("", request, secret)

    def verify_at(
        self,
        url: str,
        request: RawRequest,
        secrets: Sequence[str],
        document: Document,  # noqa: ARG002  # the fields count
    ) -> None:
        """Raises ``RejectedError`` unless one of the secrets signed the form for this address."""
        given = request.headers.get(self.header.lower(), "").strip()[:_MAX_SIGNATURE]
        if not given:
            raise RejectedError(Reason.SIGNATURE_MISSING, f"The header {self.header} is missing.")
        valid = False
        for secret in secrets:
            expected = self.sign_at(url, request, secret)[self.header]
            valid |= hmac.compare_digest(given.encode(), expected.encode())
        if not (valid and url):
            message = "The signature does not match the address and the form."
            raise RejectedError(Reason.SIGNATURE_INVALID, message)

    def sign_at(self, url: str, request: RawRequest, secret: str) -> Mapping[str, str]:
        """The header with the signature of the form for this address."""
        fields = sorted(dict(_fields(request.body)).items())
        signed = url + "".join(name + value for name, value in fields)
        digest = hmac.new(secret.encode(), signed.encode(errors="replace"), hashlib.sha1).digest()
        return {self.header: base64.b64encode(digest).decode()}


_MAX_SIGNATURE = 200
_SIGNED_FORM = SignedForm()


class MandrillSource(MailSender):
    """Events of mails (https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/)."""

    name = "mandrill"
    path = "mandrill"
    proof: ClassVar[Proof] = _SIGNED_FORM
    meanings: ClassVar = {
        "send": None,
        "deferral": None,
        "delivered": "email_delivered",
        "open": "email_opened",
        "click": "email_clicked",
        "hard_bounce": "email_bounced",
        "soft_bounce": "email_bounced",
        "reject": "email_dropped",
        _NOT_SENT: None,
        "spam": "email_marked_spam",
        "unsub": "email_unsubscribed",
        "inbound": None,
        "blacklist": None,
        "whitelist": None,
        TEST: None,
    }
    once = "`_id` of the mail, what happened, its time and the link"
    retries = "not published"
    tries_address = "`HEAD`"

    def __init__(self, settings: WebhookSettings, *, own_hosts: frozenset[str]) -> None:
        super().__init__(settings, own_hosts=own_hosts)
        self._url = cast("MandrillSettings", settings).url  # as the registry says

    def handshake(self, request: RawRequest) -> Answer | None:
        """Success for the HEAD by which Mandrill tries an address, before it makes a key."""
        return Answer(200, b"") if request.method == "HEAD" else None

    def check(self, request: RawRequest) -> Trust:
        """Signed; ``RejectedError`` for anybody else's request."""
        secrets = self._settings.secrets
        _SIGNED_FORM.verify_at(self._url, request, secrets, lambda: self._document(request))
        return Trust.SIGNED

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The header by which Mandrill proves that the request is its own."""
        return _SIGNED_FORM.sign_at(self._url, request, self._settings.secrets[0])

    def document_of(self, request: RawRequest) -> JsonDocument:
        """The events in the form; one that was set aside is JSON itself."""
        if request.body[:1] == b"{":
            return super().document_of(request)
        events = dict(_fields(request.body)).get(_EVENTS)
        if events is None:
            raise RejectedError(Reason.FORM_INVALID, f"The form has no field {_EVENTS}.")
        return parse(events.encode(errors="replace"))

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event of one mail."""
        kind, mail = text(item.get("event")) or text(item.get("type")), group(item, "msg")
        id_ = text(item.get("_id")) or text(mail.get("_id"))
        if id_.startswith(_TEST_MESSAGE):
            yield Said(TEST)
            return
        link, reason = text(item.get("url")), text(part(mail, "reject", "reason"))
        if kind == "reject" and reason in _OF_THE_ACCOUNT:
            yield Said(_NOT_SENT)
            return
        yield Said(
            kind,
            Fact(
                id=fact_id(id_, kind, item.get("ts"), link),
                time=item.get("ts"),
                email=mail.get("email"),
                properties={
                    "message_id": id_,
                    "campaign": first_text(mail.get("tags")),
                    "subject": mail.get("subject"),
                    "url": link,
                    "kind": _BOUNCES.get(kind) or _REJECTS.get(reason),
                    "reason": text(mail.get("diag"))
                    or text(mail.get("bounce_description"))
                    or reason,
                },
                automated=of_reader(text(item.get("user_agent"))),
            ),
        )


@lru_cache(maxsize=1)  # asked for by each secret, and for the events
def _fields(body: bytes) -> Sequence[tuple[str, str]]:
    """The fields of the form, with empty ones; of a body with very many the first ones."""
    text_ = body.decode(errors="replace")
    if text_.count("&") >= _MAX_FIELDS:
        text_ = "&".join(text_.split("&", _MAX_FIELDS)[:_MAX_FIELDS])
    return parse_qsl(text_, keep_blank_values=True)


_MAX_FIELDS = 20
