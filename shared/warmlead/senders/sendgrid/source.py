"""SendGrid's event webhook: what became of mails, many events a request."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from warmlead.domain.event import Automation
from warmlead.parsing.key_pairs import KeyPairScheme
from warmlead.senders.machines import of_reader
from warmlead.senders.mail import (
    TEST,
    MailSender,
    MailSettings,
    SignedWithKeyPair,
    fact_id,
    first_text,
    kind_of_bounce,
)
from warmlead.senders.proofs import Proof
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, text

_TEST_MESSAGE = "14c5d75ce93.dfd.64b469."
"""How the message of all events of *Test Your Integration* is called."""

_TAKEN_BY = re.compile(r"\.(?:recvd|filter)")

_ALL = {"unsubscribe": "global"}
"""The name of SendGrid's list of all mail: to join a group again does not take it back."""

_BOUNCES = {"bounce": "hard", "blocked": "soft"}


class SendGridSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the verification keys that SendGrid shows: public keys."""


class SendGridSource(MailSender):
    """Events of mails (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event)."""

    name = "sendgrid"
    path = "sendgrid"
    proof: ClassVar[Proof] = SignedWithKeyPair(
        KeyPairScheme(
            header="X-Twilio-Email-Event-Webhook-Signature",
            time_header="X-Twilio-Email-Event-Webhook-Timestamp",
            tolerance=timedelta(hours=25),
        )
    )
    meanings: ClassVar = {
        "processed": None,
        "deferred": None,
        "delivered": "email_delivered",
        "open": "email_opened",
        "click": "email_clicked",
        "bounce": "email_bounced",
        "dropped": "email_dropped",
        "spamreport": "email_marked_spam",
        "unsubscribe": "email_unsubscribed",
        "group_unsubscribe": "email_unsubscribed",
        "group_resubscribe": "email_subscribed",
        TEST: None,
    }
    once = "`sg_event_id`"
    retries = "for 24 hours after anything but 2xx"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event. Unique arguments stand among its own fields, so they are not read."""
        kind, message = text(item.get("event")), text(item.get("sg_message_id"))
        if message.startswith(_TEST_MESSAGE):
            yield Said(TEST)
            return
        is_group = kind.startswith("group_")
        yield Said(
            kind,
            Fact(
                id=text(item.get("sg_event_id"))
                or fact_id(message, kind, item.get("timestamp"), item.get("url")),
                time=item.get("timestamp"),
                email=item.get("email"),
                properties={
                    "message_id": _message(message),
                    "campaign": text(item.get("marketing_campaign_name"))
                    or text(item.get("singlesend_name"))
                    or first_text(item.get("category")),
                    "url": None if is_group else item.get("url"),
                    "kind": _kind(item) if kind == "bounce" else None,
                    "reason": item.get("reason"),
                    "mailing_list": text(item.get("asm_group_id")) if is_group else _ALL.get(kind),
                },
                automated=_machine(item),
            ),
        )


def _message(id_: str) -> str:
    """The id of the message: what follows it names the server that took it, and the attempt."""
    return _TAKEN_BY.split(id_, maxsplit=1)[0]


def _kind(item: Mapping[str, Any]) -> str:
    known = _BOUNCES.get(text(item.get("type")))
    status, reason = text(item.get("status")), text(item.get("reason"))
    return known or kind_of_bounce(status=status, reason=reason)


def _machine(item: Mapping[str, Any]) -> Automation | None:
    if item.get("sg_machine_open") is True:
        return Automation.PREFETCH
    return of_reader(text(item.get("useragent")))
