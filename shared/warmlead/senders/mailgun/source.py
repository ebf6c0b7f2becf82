"""Mailgun's webhooks: what became of a mail, and mails that its routes forward; one a request."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Automation, Trust
from warmlead.parsing.strict_json import JsonDocument, parse
from warmlead.ports import RawRequest
from warmlead.senders.machines import of_reader
from warmlead.senders.mail import (
    TEST,
    MailSender,
    MailSettings,
    SignedToken,
    TokensSeen,
    fact_id,
    first_text,
    kind_of_bounce,
)
from warmlead.senders.mail_forms import fields_of_mail, is_json, is_multipart
from warmlead.senders.replies import REPLIES, Mail, first_words, headers_of, said_by
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSettings, group, part, text

_MAIL = "mail"
_SIGNED = ("timestamp", "token", "signature")
_OF_MAILS = (
    *("from", "sender", "subject", "message-headers", "Message-Id"),
    *("stripped-text", "body-plain"),
)
"""The fields of the form in which a mail comes that are read."""

_IN_DROPS = ("suppress-bounce", "suppress-complaint", "suppress-unsubscribe")


class MailgunSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the *HTTP webhook signing key* of the account, or of several."""


class MailgunSource(MailSender):
    """Events of mails (https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks).

    The signature covers a token and not the event. So each process remembers with which event a
    token came first, and refuses it with any other; a repeat of the same event is good.
    """

    name = "mailgun"
    path = "mailgun"
    proof: ClassVar[SignedToken] = SignedToken("signature")
    meanings: ClassVar = {
        "accepted": None,
        "stored": None,
        "delivered": "email_delivered",
        "opened": "email_opened",
        "clicked": "email_clicked",
        "failed.temporary": None,
        "failed.permanent": "email_bounced",
        "failed.suppressed": "email_dropped",
        "rejected": "email_dropped",
        "unsubscribed": "email_unsubscribed",
        "complained": "email_marked_spam",
        TEST: None,
        **REPLIES,
    }
    once = "`event-data.id`"
    retries = "after 5, 10 and 15 minutes, 1, 2 and 4 hours, unless it is told 200 or 406"
    statuses: ClassVar = {400: 406, 413: 406, 415: 406}

    def __init__(self, settings: WebhookSettings, *, own_hosts: frozenset[str]) -> None:
        super().__init__(settings, own_hosts=own_hosts)
        self._tokens = TokensSeen()

    def check(self, request: RawRequest) -> Trust:
        """Signed; ``RejectedError`` for anybody else's request, and another event's token."""
        trust = super().check(request)
        body = self._document(request).value
        told = [part(body, name) for name in ("event-data", _MAIL)]
        self._tokens.admit(text(part(body, "signature", "token")), told)
        return trust

    def sent_anew(self, request: RawRequest) -> RawRequest:
        """The request with a new token; a form with files stays as it is."""
        if is_json(request.body) or is_multipart(request.body):
            return super().sent_anew(request)
        fields = parse_qsl(request.body.decode(errors="replace"), max_num_fields=None)
        fresh = self.proof.renewed(replace(request, body=b"{}"), self._settings.secrets[0])
        signed = group(parse(fresh.body).value, self.proof.field)
        body = urlencode([*((n, v) for n, v in fields if n not in signed), *signed.items()])
        return replace(request, body=body.encode())

    def document_of(self, request: RawRequest) -> JsonDocument:
        """The body as JSON, also that of a mail that came in, which is a form."""
        if is_json(request.body):
            return super().document_of(request)
        fields = fields_of_mail(request, (*_SIGNED, *_OF_MAILS))
        signed, mail = (
            {name: fields.get(name) for name in names} for names in (_SIGNED, _OF_MAILS)
        )
        return JsonDocument({self.proof.field: signed, _MAIL: mail}, suspect=False)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event below ``event-data``, or the mail."""
        if _MAIL in item:
            yield said_by(_mail(group(item, _MAIL)), self._own_hosts)
            return
        event = group(item, "event-data")
        flags = group(event, "flags")
        if flags.get("is-test-mode") is True or flags.get("is-system-test") is True:
            yield Said(TEST)
            return
        kind, reason = text(event.get("event")), text(event.get("reason"))
        if kind == "failed":
            kind += ".suppressed" if reason in _IN_DROPS else f".{text(event.get('severity'))}"
        headers = group(event, "message", "headers")
        yield Said(
            kind,
            Fact(
                id=text(event.get("id"))
                or fact_id(headers.get("message-id"), kind, event.get("timestamp")),
                time=event.get("timestamp"),
                email=event.get("recipient"),
                properties={
                    "message_id": headers.get("message-id"),
                    "campaign": first_text(event.get("tags")),
                    "subject": headers.get("subject"),
                    "url": event.get("url"),
                    **_failure(event, kind, reason),
                },
                automated=_machine(group(event, "client-info")),
            ),
        )


def _mail(fields: Mapping[str, Any]) -> Mail:
    """A mail that came in (https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http)."""
    return Mail(
        sender=first_words(fields, "from", "sender"),
        headers=headers_of(_headers(text(fields.get("message-headers")))),
        subject=text(fields.get("subject")),
        words=first_words(fields, "stripped-text", "body-plain"),
        id=first_words(fields, "Message-Id"),
    )


def _headers(written: str) -> Iterator[tuple[Any, Any]]:
    """The pairs in the JSON of the headers; none if that cannot be read."""
    try:
        value = parse(written.encode(errors="replace")).value
    except RejectedError:
        return
    for pair in value if isinstance(value, list) else ():
        yield part(pair, 0), part(pair, 1)


def _failure(event: Mapping[str, Any], kind: str, reason: str) -> Mapping[str, Any]:
    """Why a mail did not arrive."""
    if kind == "failed.permanent":
        status = group(event, "delivery-status")
        told = text(status.get("message")) or text(status.get("description"))
        code = text(status.get("code"))
        return {"kind": kind_of_bounce(code=code, reason=told), "reason": told or reason}
    return {"reason": reason} if kind in ("failed.suppressed", "rejected") else {}


def _machine(client: Mapping[str, Any]) -> Automation | None:
    """Of Gmail's programs, the proxy fetches for a reader; the agent tells which one it was."""
    agent, bot = text(client.get("user-agent")), text(client.get("bot"))
    found = of_reader(agent)
    if found or not bot or (bot == "gmail" and agent):
        return found
    return Automation.ROBOT if bot == "generic" else Automation.PREFETCH
