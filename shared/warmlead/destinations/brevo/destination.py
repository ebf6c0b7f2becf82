"""Brevo's API for transactional mail: one template to one person.

https://developers.brevo.com/reference/sendtransacemail
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from msgspec import json

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
from warmlead.domain.dispatch import AttemptResult, Declined
from warmlead.ports.dispatching import (
    Outbound,
    OutboundAnswer,
    UnansweredError,
    UnreachedError,
)

_ADDRESS = "https://api.brevo.com"
_DUPLICATE = "duplicate_parameter"
"""What Brevo answers to a key that it had within the last 30 minutes.

https://developers.brevo.com/docs/heterogenous-versions-batch-emails
"""


class BrevoMailSettings(MailToolSettings, frozen=True, kw_only=True):
    """The templates are numbers."""

    @classmethod
    def template_problem(cls, template: str | int) -> str:
        """See ``MailToolSettings``."""
        text = str(template)
        is_id = text.isascii() and text.isdigit() and int(text[:18]) > 0
        return "" if is_id else "must be the number of a template"


class BrevoDestination(MailDestination):
    """Sends by ``/v3/smtp/email``, with a key by which Brevo knows a repeat for 30 minutes."""

    def __init__(self, name: str, settings: BrevoMailSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    def request(self, mail: OutgoingMail) -> Request:
        """See ``MailDestination``."""
        own = self._settings
        body: dict[str, Any] = {
            "sender": own.from_.as_object,
            "to": [{"email": mail.to}],
            "templateId": int(mail.template),
            "params": mail.variables,
            "tags": list(mail.tags),
            "headers": {
                "idempotencyKey": str(uuid5(NAMESPACE_URL, f"warmlead:{self.name}:{mail.id}")),
                "X-Mailin-custom": f"{MESSAGE_ID}:{mail.id}",
            },
        }
        if own.reply_to:
            body["replyTo"] = {"email": own.reply_to}
        return Request(
            url=f"{own.address or _ADDRESS}/v3/smtp/email",
            headers={
                "api-key": own.tokens[0],
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            body=json.encode(body),
        )

    async def posted(self, request: Request) -> OutboundAnswer:
        """The answer; if it is lost, that to the same request at once once more.

        Brevo forgets the key sooner than we would repeat: later only a person may decide.
        If it knows the key by then, it has taken the first request.
        """
        try:
            return await super().posted(request)
        except UnansweredError:
            try:
                again = await super().posted(request)
            except UnreachedError as error:
                raise UnansweredError(error.message) from error
        return OutboundAnswer(201, {}, b"{}") if _code_in(again) == _DUPLICATE else again

    def judged(self, answer: OutboundAnswer, told: Told, now: datetime) -> AttemptResult:
        """See ``MailDestination``."""
        if answer.is_success:
            return sent_as(told.id("messageId"))
        words = told.words(told.fields.get("code"), told.fields.get("message"))
        if told.fields.get("code") == _DUPLICATE:
            return Declined(f"Brevo had this mail within 30 minutes, and may have sent it: {words}")
        reset = number_in(answer, "x-sib-ratelimit-reset")
        return judged_by_status(answer, now, words=words, after_s=reset)


def _code_in(answer: OutboundAnswer) -> object:
    return Told(answer, ()).fields.get("code")
