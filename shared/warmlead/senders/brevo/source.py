"""Brevo's webhooks, transactional and marketing: what became of a mail, and mails that came in."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from warmlead.domain.event import Automation
from warmlead.senders.machines import of_reader
from warmlead.senders.mail import MailSender, MailSettings, fact_id, first_text
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.replies import REPLIES, Mail, first_words, headers_of, said_by
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, group, part, text

_PROXIES = ("proxy_open", "unique_proxy_open")
_BOUNCES = {"hard_bounce": "hard", "invalid_email": "hard", "soft_bounce": "soft"}
_BLOCKED = "suppressed"
"""The kind of what is blocked: the address is on the list of those that are not written to."""


class BrevoSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets stand in the address, or are the token of Brevo's authentication."""


class BrevoSource(MailSender):
    """Events of mails (https://developers.brevo.com/docs/transactional-webhooks)."""

    name = "brevo"
    path = "brevo"
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = {
        "request": None,
        "deferred": None,
        "error": None,
        "delivered": "email_delivered",
        "opened": "email_opened",
        "unique_opened": None,
        "proxy_open": "email_opened",
        "unique_proxy_open": None,
        "click": "email_clicked",
        "hard_bounce": "email_bounced",
        "soft_bounce": "email_bounced",
        "invalid_email": "email_bounced",
        "blocked": "email_dropped",
        "spam": "email_marked_spam",
        "unsubscribed": "email_unsubscribed",
        "unsubscribe": "email_unsubscribed",
        "list_addition": None,
        "contact_updated": None,
        "contact_deleted": None,
        **REPLIES,
    }
    once = "`message-id` or `camp_id`, the address, what happened, its second and the link"
    retries = "after 10 minutes, 1, 2 and 8 hours, if it is told 429 or nothing; not after 4xx, 5xx"
    statuses: ClassVar = {503: 429}

    def items(self, value: Any) -> Sequence[Any]:  # noqa: ANN401  # whatever JSON holds
        """The mails that came in, or the event."""
        mails = part(value, "items")
        return mails if isinstance(mails, list) else super().items(value)

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event. Counts since 1970 are UTC; texts have the time of somebody's zone."""
        if "event" not in item and "Headers" in item:
            yield said_by(_mail(item), self._own_hosts)
            return
        kind = text(item.get("event"))
        mail = text(item.get("message-id")) or text(item.get("camp_id"))
        second = text(item.get("ts_event")) or text(item.get("ts"))
        link = text(item.get("link")) or text(item.get("URL"))
        told = kind.removeprefix("unique_")
        yield Said(
            kind,
            Fact(
                id=fact_id(mail, item.get("email"), told, second, link),
                time=item.get("ts_epoch") or item.get("ts_event") or item.get("ts"),
                email=item.get("email"),
                properties={
                    "message_id": mail,
                    "campaign": text(item.get("campaign name"))
                    or first_text(item.get("tags"))
                    or text(item.get("tag")),
                    "subject": item.get("subject"),
                    "url": link,
                    "kind": _BLOCKED if kind == "blocked" else _BOUNCES.get(kind),
                    "reason": item.get("reason"),
                    "mailing_list": first_text(item.get("list_id"))
                    if kind == "unsubscribe"
                    else None,
                },
                automated=Automation.PREFETCH
                if kind in _PROXIES
                else of_reader(text(item.get("user_agent"))),
            ),
        )


def _mail(item: Mapping[str, Any]) -> Mail:
    """A mail that came in (https://developers.brevo.com/docs/inbound-parse-webhooks)."""
    sender = group(item, "From")
    told = {"in-reply-to": text(item.get("InReplyTo")), "date": text(item.get("SentAtDate"))}
    return Mail(
        sender=f"{text(sender.get('Name'))} <{text(sender.get('Address'))}>",
        headers=told | headers_of(group(item, "Headers").items()),
        subject=text(item.get("Subject")),
        words=first_words(item, "ExtractedMarkdownMessage", "RawTextBody"),
        id=text(item.get("MessageId")) or first_text(item.get("Uuid")),
    )
