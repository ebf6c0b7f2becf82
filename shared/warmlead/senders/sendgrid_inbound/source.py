"""SendGrid's Inbound Parse: mails that came in, each a form."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.parsing.strict_json import JsonDocument
from warmlead.ports import RawRequest
from warmlead.senders.mail import MailSender, MailSettings
from warmlead.senders.mail_forms import fields_of_mail, is_json
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.replies import REPLIES, Mail, headers_in, said_by
from warmlead.senders.webhooks import Said, text

_READ = ("headers", "email", "from", "subject", "text")


class SendGridInboundSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets stand in the address: ``?key=…``."""


class SendGridInboundSource(MailSender):
    """Mails (https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook).

    It has a section of its own, since what the event webhook calls a key is public.
    """

    name = "sendgrid_inbound"
    path = "sendgrid-inbound"
    is_known_by_body = False  # any form may have these fields
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = REPLIES
    once = "the mail's `Message-ID` and its sender"
    retries = "for 3 days after 5xx"

    def document_of(self, request: RawRequest) -> JsonDocument:
        """The form as JSON; what was set aside is JSON already."""
        if is_json(request.body):
            return super().document_of(request)
        return JsonDocument(fields_of_mail(request, _READ), suspect=False)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The mail: its headers, or the whole of it as it was sent (*Send raw*)."""
        headers = headers_in(text(item.get("headers")) or _head(text(item.get("email"))))
        mail = Mail(
            sender=text(item.get("from")) or headers.get("from", ""),
            headers=headers,
            subject=text(item.get("subject")),
            words=text(item.get("text")),
        )
        yield said_by(mail, self._own_hosts)


def _head(mail: str) -> str:
    """The headers of a whole mail, up to its first empty line."""
    return mail.replace("\r\n", "\n").partition("\n\n")[0]
