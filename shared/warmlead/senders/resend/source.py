"""Resend's webhooks: what became of a mail, and contacts that unsubscribed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from warmlead.senders.machines import of_reader
from warmlead.senders.mail import MailSender, MailSettings, fact_id, kind_of_bounce
from warmlead.senders.proofs import Proof, StandardWebhooks
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, group, text

MAX_RECIPIENTS = 50
"""The most recipients of one mail (https://resend.com/docs/api-reference/emails/send-email)."""

_OF_ONE = ("email.opened", "email.clicked")
_BY_ONE_OF_SEVERAL = "email.by_one_of_several"
_LEFT = "contact.updated.unsubscribed"
_SUPPRESSED = "email.suppressed"
_ON_THE_LIST = ("Suppressed", "OnAccountSuppressionList")
"""Kinds of bounces of mails that Resend has not sent: the address is on its list."""


class ResendSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the signing secrets of the webhooks: ``whsec_…``."""


class ResendSource(MailSender):
    """Events of mails and contacts (https://resend.com/docs/webhooks/event-types)."""

    name = "resend"
    path = "resend"
    proof: ClassVar[Proof] = StandardWebhooks()
    meanings: ClassVar = {
        "email.sent": None,
        "email.scheduled": None,
        "email.delivery_delayed": None,
        "email.failed": None,
        "email.received": None,
        _BY_ONE_OF_SEVERAL: None,
        "email.delivered": "email_delivered",
        "email.opened": "email_opened",
        "email.clicked": "email_clicked",
        "email.bounced": "email_bounced",
        _SUPPRESSED: "email_dropped",
        "email.complained": "email_marked_spam",
        _LEFT: "email_unsubscribed",
        "contact.created": None,
        "contact.updated": None,
        "contact.deleted": None,
    }
    once = "`data.email_id`, the recipient, what happened and its time"
    retries = "8 times in about 28 hours, until it is told 2xx"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event for each recipient; what several may have opened or clicked is nobody's."""
        kind, data = text(item.get("type")), group(item, "data")
        if kind.startswith("contact."):
            yield _of_contact(kind, item, data)
            return
        if kind == "email.bounced" and _is_suppressed(group(data, "bounce")):
            kind = _SUPPRESSED
        to = data.get("to")
        recipients = to[:MAX_RECIPIENTS] if isinstance(to, list) else [to]
        if kind in _OF_ONE and len(recipients) > 1:
            yield Said(_BY_ONE_OF_SEVERAL)
            return
        yield from _of_mail(kind, item, data, recipients)


def _of_mail(
    kind: str, item: Mapping[str, Any], data: Mapping[str, Any], recipients: Iterable[Any]
) -> Iterator[Said]:
    click = group(data, "click")
    opened = group(data, "open")
    time = click.get("timestamp") or opened.get("timestamp") or item.get("created_at")
    link = text(click.get("link"))
    bounce = group(data, "bounce") or group(data, "suppressed")
    reason = text(bounce.get("message"))
    for recipient in recipients:
        yield Said(
            kind,
            Fact(
                id=fact_id(data.get("email_id"), recipient, kind, time, link),
                time=time,
                email=recipient,
                properties={
                    "message_id": data.get("email_id"),
                    "campaign": data.get("broadcast_id"),
                    "subject": data.get("subject"),
                    "url": link,
                    "kind": _kind(bounce, reason) if "bounced" in kind else None,
                    "reason": "suppressed" if kind == _SUPPRESSED else reason,
                },
                automated=of_reader(text((click or opened).get("userAgent"))),
            ),
        )


def _is_suppressed(bounce: Mapping[str, Any]) -> bool:
    """Whether a bounce says so; one of the older format has a message alone."""
    kind = text(bounce.get("subType"))
    return kind in _ON_THE_LIST or (not kind and "suppression list" in text(bounce.get("message")))


def _kind(bounce: Mapping[str, Any], reason: str) -> str:
    return kind_of_bounce(kind=text(bounce.get("type")), reason=reason)


def _of_contact(kind: str, item: Mapping[str, Any], data: Mapping[str, Any]) -> Said:
    """A contact that has unsubscribed. To be subscribed is the default, and nobody's tick."""
    if kind == "contact.updated" and data.get("unsubscribed") is True:
        kind = _LEFT
    time = data.get("updated_at") or item.get("created_at")
    return Said(
        kind,
        Fact(
            id=fact_id(data.get("id"), kind, time),
            time=time,
            email=data.get("email"),
            traits={name: data.get(name) for name in ("first_name", "last_name")},
        ),
    )
