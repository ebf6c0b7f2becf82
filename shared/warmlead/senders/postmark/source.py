"""Postmark's webhooks: what became of a mail, or a mail that came in; one a request."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.senders.machines import of_reader
from warmlead.senders.mail import TEST, MailSender, MailSettings, fact_id
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.replies import REPLIES, Mail, first_words, headers_of, said_by
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, group, records, text

_TEST_MESSAGE = "00000000-0000-0000-0000-000000000000"
_HARD = ("HardBounce", "BadEmailAddress", "ManuallyDeactivated")
_NO_BOUNCES = {
    "SpamComplaint": "SpamComplaint",
    "Unsubscribe": "Bounce.unsubscribed",
    **dict.fromkeys(("Subscribe", "AutoResponder", "AddressChange"), "Bounce.other"),
    **dict.fromkeys(("TemplateRenderingFailed", "SMTPApiError"), "Bounce.other"),
    **dict.fromkeys(("InboundError", "DMARCPolicy", "OpenRelayTest"), "Bounce.other"),
}
"""Types of bounce that say something else than that a mailbox did not take a mail.

The last five are faults of whoever sent it: five of them would else suppress an address.
"""
_SUPPRESSIONS = {
    "ManualSuppression": "SubscriptionChange.unsubscribed",
    "HardBounce": "SubscriptionChange.bounced",
    "SpamComplaint": "SubscriptionChange.complained",
}
_ONE_FACT = {
    "SubscriptionChange.bounced": "Bounce.hard",
    "SubscriptionChange.complained": "SpamComplaint",
    "SubscriptionChange.unsubscribed": "Bounce.unsubscribed",
}
"""What Postmark tells twice, under two names: it has one id."""


class PostmarkSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those that stand in the address, or as password of the basic auth."""


class PostmarkSource(MailSender):
    """Events of mails (https://postmarkapp.com/developer/webhooks/webhooks-overview)."""

    name = "postmark"
    path = "postmark"
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = {
        "Delivery": "email_delivered",
        "Open": "email_opened",
        "Click": "email_clicked",
        "Bounce.hard": "email_bounced",
        "Bounce.soft": "email_bounced",
        "Bounce.unsubscribed": "email_unsubscribed",
        "Bounce.other": None,
        "SpamComplaint": "email_marked_spam",
        "SubscriptionChange.unsubscribed": "email_unsubscribed",
        "SubscriptionChange.bounced": "email_bounced",
        "SubscriptionChange.complained": "email_marked_spam",
        "SubscriptionChange.resubscribed": "email_subscribed",
        "SubscriptionChange.other": None,
        **REPLIES,
        TEST: None,
    }
    once = "`MessageID`, with what happened, its time and the link"
    retries = "for 15 minutes, or 10.5 hours for bounces, until it is told 200 or 403"
    statuses: ClassVar = {400: 403, 413: 403, 415: 403}

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event; which kind it is follows from ``RecordType`` and the kind of bounce."""
        if text(item.get("MessageID")) == _TEST_MESSAGE:
            yield Said(TEST)
            return
        record = text(item.get("RecordType"))
        if record == "Inbound" or (not record and "MessageID" in item):
            yield said_by(_mail(item), self._own_hosts)
            return
        kind = _kind(item)
        names = ("DeliveredAt", "ReceivedAt", "BouncedAt", "ChangedAt")
        time = next((item[name] for name in names if item.get(name)), None)
        link = text(item.get("OriginalLink"))
        told, bounce = _ONE_FACT.get(kind, kind), _bounce(kind)
        is_repeatable = told in ("Open", "Click") or told.endswith("subscribed")
        yield Said(
            kind,
            Fact(
                id=fact_id(item.get("MessageID"), told, time if is_repeatable else "", link),
                time=time,
                email=item.get("Recipient") or item.get("Email"),
                properties={
                    "message_id": item.get("MessageID"),
                    "campaign": item.get("Tag"),
                    "subject": item.get("Subject"),
                    "url": link,
                    "kind": bounce,
                    "reason": item.get("Details") if bounce else None,
                    "mailing_list": item.get("MessageStream")
                    if told.endswith("subscribed")
                    else None,
                },
                automated=of_reader(text(item.get("UserAgent"))),
            ),
        )


def _mail(item: Mapping[str, Any]) -> Mail:
    """A mail that came in (https://postmarkapp.com/developer/webhooks/inbound-webhook)."""
    headers = ((one.get("Name"), one.get("Value")) for one in records(item.get("Headers")))
    sender = group(item, "FromFull")
    address = text(sender.get("Email")) or text(item.get("From"))
    return Mail(
        sender=f"{text(sender.get('Name'))} <{address}>" if "<" not in address else address,
        headers={"date": text(item.get("Date")), **headers_of(headers)},
        subject=text(item.get("Subject")),
        words=first_words(item, "StrippedTextReply", "TextBody"),
        id=text(item.get("MessageID")),
    )


def _kind(item: Mapping[str, Any]) -> str:
    """What happened: the type of the record, and what tells records of one type apart."""
    record = text(item.get("RecordType"))
    if record == "Bounce":
        type_ = text(item.get("Type"))
        # an address that Postmark has given up is a bad one, whatever the mail server said
        is_hard = type_ in _HARD or item.get("Inactive") is True
        return _NO_BOUNCES.get(type_) or f"Bounce.{'hard' if is_hard else 'soft'}"
    if record != "SubscriptionChange":
        return record
    if item.get("SuppressSending") is True:
        reason = text(item.get("SuppressionReason"))
        return _SUPPRESSIONS.get(reason, "SubscriptionChange.unsubscribed")
    # what a customer's own people reactivate is not the person's word
    by_recipient = text(item.get("Origin")) == "Recipient"
    return f"SubscriptionChange.{'resubscribed' if by_recipient else 'other'}"


def _bounce(kind: str) -> str | None:
    if kind in ("Bounce.hard", "SubscriptionChange.bounced"):
        return "hard"
    return "soft" if kind == "Bounce.soft" else None
