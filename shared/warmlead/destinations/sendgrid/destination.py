"""SendGrid's v3 API: one dynamic template to one person.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, json

from warmlead.destinations.mail import (
    MESSAGE_ID,
    MailDestination,
    MailToolSettings,
    OutgoingMail,
    Request,
    Told,
    judged_by_status,
    number_in,
    sent_as,
)
from warmlead.domain.dispatch import AttemptResult
from warmlead.ports.dispatching import Outbound, OutboundAnswer

_HOSTS = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}
_TEMPLATE = re.compile(r"d-[A-Za-z0-9]{8,64}")


class SendGridMailSettings(MailToolSettings, frozen=True, kw_only=True):
    """``unsubscribe_group`` is the number of the group whose members are not written to."""

    region: Literal["global", "eu"] = "global"
    unsubscribe_group: Annotated[int, Meta(ge=0)] = 0

    @classmethod
    def template_problem(cls, template: str | int) -> str:
        """See ``MailToolSettings``."""
        is_id = _TEMPLATE.fullmatch(str(template))
        return "" if is_id else "must be the id of a dynamic template, such as d-13b8f94f…"


class SendGridDestination(MailDestination):
    """Sends by ``/v3/mail/send``, which knows no repeats."""

    def __init__(self, name: str, settings: SendGridMailSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    def request(self, mail: OutgoingMail) -> Request:
        """See ``MailDestination``."""
        own = self._settings
        body: dict[str, Any] = {
            "from": own.from_.as_object,
            "personalizations": [
                {
                    "to": [{"email": mail.to}],
                    "dynamic_template_data": mail.variables,
                    "custom_args": {MESSAGE_ID: mail.id},
                }
            ],
            "template_id": mail.template,
            "categories": list(mail.tags),
        }
        if own.reply_to:
            body["reply_to"] = {"email": own.reply_to}
        if own.unsubscribe_group:
            body["asm"] = {"group_id": own.unsubscribe_group}
        return Request(
            url=f"{own.address or _HOSTS[own.region]}/v3/mail/send",
            headers={
                "Authorization": f"Bearer {own.tokens[0]}",
                "Content-Type": "application/json",
            },
            body=json.encode(body),
        )

    def judged(self, answer: OutboundAnswer, told: Told, now: datetime) -> AttemptResult:
        """See ``MailDestination``."""
        if answer.is_success:
            return sent_as(answer.headers.get("x-message-id", ""))
        errors = told.fields.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else {}
        first = first if isinstance(first, dict) else {}
        words = told.words(first.get("field"), first.get("message"))
        reset = number_in(answer, "x-ratelimit-reset")
        after_s = max(0.0, reset - now.timestamp()) if reset else None
        return judged_by_status(answer, now, words=words, after_s=after_s)
