"""Postmark's API: one template to one person.

https://postmarkapp.com/developer/api/templates-api#email-with-template
"""

import re
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, json

from warmlead.destinations.base import retry_after_s
from warmlead.destinations.mail import (
    MESSAGE_ID,
    MailDestination,
    MailToolSettings,
    OutgoingMail,
    Request,
    Told,
    judged_by_status,
    sent_as,
)
from warmlead.domain.dispatch import AttemptResult, Postponed, Skipped
from warmlead.ports.dispatching import Outbound, OutboundAnswer

_ADDRESS = "https://api.postmarkapp.com"
_TEMPLATE = re.compile(r"[0-9]{1,18}|[A-Za-z][A-Za-z0-9._-]{0,99}")

INACTIVE = 406
"""The address bounced, complained or unsubscribed at Postmark."""

_OF_A_PERSON = frozenset((10, 400, 401, 405, 412, 413))
"""Codes about the token, the sender signature and the account."""

_MAINTENANCE = 100
_TOO_FAST = 429
"""https://postmarkapp.com/developer/api/overview#error-codes"""


class PostmarkMailSettings(MailToolSettings, frozen=True, kw_only=True):
    """``tokens`` are of a server. ``stream`` is the id of one of its message streams."""

    stream: Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9-]{0,29}\Z")] = "broadcast"

    @classmethod
    def template_problem(cls, template: str | int) -> str:
        """See ``MailToolSettings``."""
        is_id = _TEMPLATE.fullmatch(str(template))
        return "" if is_id else "must be the alias or the id of a template"


class PostmarkDestination(MailDestination):
    """Sends by ``/email/withTemplate``, which knows no repeats."""

    def __init__(self, name: str, settings: PostmarkMailSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    def request(self, mail: OutgoingMail) -> Request:
        """See ``MailDestination``."""
        own, template = self._settings, str(mail.template)
        body: dict[str, Any] = {
            "From": own.from_.in_header,
            "To": mail.to,
            "TemplateModel": mail.variables,
            "MessageStream": own.stream,
            "Tag": next(iter(mail.tags), ""),
            "Metadata": {MESSAGE_ID: mail.id[:80]},
        }
        if template.isdigit():
            body["TemplateId"] = int(template)
        else:
            body["TemplateAlias"] = template
        if own.reply_to:
            body["ReplyTo"] = own.reply_to
        return Request(
            url=f"{own.address or _ADDRESS}/email/withTemplate",
            headers={
                "X-Postmark-Server-Token": own.tokens[0],
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            body=json.encode(body),
        )

    def judged(self, answer: OutboundAnswer, told: Told, now: datetime) -> AttemptResult:
        """See ``MailDestination``: an error has a code of Postmark's own beside the status."""
        code = told.fields.get("ErrorCode")
        if answer.is_success and code == 0:
            return sent_as(told.id("MessageID"))
        if answer.is_success and code is None:
            return Postponed("what it answered is not Postmark's", is_certain=False)
        words = told.words(code, told.fields.get("Message"))
        if code == INACTIVE:
            return Skipped("Postmark does not write to the address: it is suppressed there")
        if code in _OF_A_PERSON:
            return Postponed(f"it answered {words}; a person has to look at the token and account")
        if code in (_MAINTENANCE, _TOO_FAST):
            return Postponed(f"it answered {words}", after_s=retry_after_s(answer, now))
        return judged_by_status(answer, now, words=words)
