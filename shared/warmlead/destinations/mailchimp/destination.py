"""Mailchimp Transactional, formerly Mandrill: one template to one person.

https://mailchimp.com/developer/transactional/api/messages/send-using-message-template/
"""

from datetime import datetime
from typing import Any

from msgspec import DecodeError, ValidationError, json

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
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed, Skipped
from warmlead.ports.dispatching import Outbound, OutboundAnswer

_ADDRESS = "https://mandrillapp.com/api/1.0"
_MAX_TAG = 50

_TAKEN = frozenset(("sent", "queued", "scheduled"))
_SUPPRESSED = frozenset(("hard-bounce", "soft-bounce", "spam", "unsub", "custom", "rule"))
"""Reasons for which an address is on the list of rejected ones."""

_OF_A_PERSON = frozenset(
    ("Invalid_Key", "PaymentRequired", "Unknown_Subaccount", "PermissionsError")
)
_NEVER = frozenset(("Unknown_Template", "ValidationError", "Invalid_Template"))
_LATER = "ServiceUnavailable"


class MailchimpMailSettings(MailToolSettings, frozen=True, kw_only=True):
    """The templates are the slugs that Mailchimp Transactional gave them."""


class MailchimpDestination(MailDestination):
    """Sends by ``/messages/send-template``, which knows no repeats."""

    def __init__(self, name: str, settings: MailchimpMailSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    def request(self, mail: OutgoingMail) -> Request:
        """See ``MailDestination``."""
        own = self._settings
        message: dict[str, Any] = {
            "from_email": own.from_.email,
            "to": [{"email": mail.to, "type": "to"}],
            "global_merge_vars": [
                {"name": name, "content": value} for name, value in mail.variables.items()
            ],
            "tags": [tag.lstrip("_")[:_MAX_TAG] for tag in mail.tags],  # "_" is Mailchimp's own
            "metadata": {MESSAGE_ID: mail.id},
        }
        if own.from_.name:
            message["from_name"] = own.from_.name
        if own.reply_to:
            message["headers"] = {"Reply-To": own.reply_to}
        body = {
            "key": own.tokens[0],
            "template_name": str(mail.template),
            "template_content": [],
            "message": message,
        }
        return Request(
            url=f"{own.address or _ADDRESS}/messages/send-template",
            headers={"Content-Type": "application/json"},
            body=json.encode(body),
        )

    def judged(self, answer: OutboundAnswer, told: Told, now: datetime) -> AttemptResult:
        """See ``MailDestination``: an error has a name beside the status, which is mostly 500."""
        if answer.is_success:
            return _of_recipient(answer, told)
        name = told.fields.get("name")
        words = told.words(name, told.fields.get("message"))
        if name in _OF_A_PERSON:
            return Postponed(f"it answered {words}; a person has to look at the key and account")
        if name in _NEVER:
            return Declined(f"it answered {words}")
        if name == _LATER:
            return Postponed(f"it answered {words}", after_s=retry_after_s(answer, now))
        return judged_by_status(answer, now, words=words)


def _of_recipient(answer: OutboundAnswer, told: Told) -> AttemptResult:
    """What became of the one recipient: the answer is a list."""
    try:
        (one,) = json.decode(answer.body, type=list[dict[str, Any]])
    except (DecodeError, ValidationError, ValueError):
        return Postponed("what it answered is not Mailchimp's", is_certain=False)
    status, reason = one.get("status"), one.get("reject_reason")
    if status in _TAKEN:
        return sent_as(str(one.get("_id") or ""))
    words = told.words(status, reason)
    if status == "rejected" and reason in _SUPPRESSED:
        return Skipped(f"Mailchimp does not write to the address: {words}")
    if status == "rejected":
        return Postponed(f"it answered {words}; a person has to look at the account")
    return Declined(f"it answered {words}")
