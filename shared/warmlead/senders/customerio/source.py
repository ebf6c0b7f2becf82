"""Customer.io's reporting webhooks: what became of mails, and what people chose to receive."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Automation
from warmlead.parsing.signatures import WebhookScheme
from warmlead.parsing.strict_json import parse
from warmlead.senders.machines import of_reader
from warmlead.senders.mail import MailSender, MailSettings, kind_of_bounce
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, group, text

MAX_TOPICS = 100
_CHOSEN = "cio_subscription_preferences_changed"
_MAILINGS = ("campaign", "broadcast", "newsletter", "transactional_message")


class CustomerIoSettings(MailSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the signing keys of the reporting webhooks."""


class CustomerIoSource(MailSender):
    """Events of messages and people (https://docs.customer.io/api/webhooks)."""

    name = "customerio"
    path = "customerio"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(
            header="X-CIO-Signature",
            text="v0:{time}:{body}",
            time_header="X-CIO-Timestamp",
            tolerance_s=7 * 86_400 + 3_600,
        )
    )
    meanings: ClassVar = {
        "email.drafted": None,
        "email.attempted": None,
        "email.sent": None,
        "email.deferred": None,
        "email.failed": None,
        "email.converted": None,
        "email.delivered": "email_delivered",
        "email.opened": "email_opened",
        "email.clicked": "email_clicked",
        "email.bounced": "email_bounced",
        "email.dropped": "email_dropped",
        "email.undeliverable": "email_dropped",
        "email.spammed": "email_marked_spam",
        "email.unsubscribed": "email_unsubscribed",
        "customer.unsubscribed": "email_unsubscribed",
        "customer.subscribed": None,
        "topic.left": "email_unsubscribed",
        "topic.chosen": None,
        f"customer.{_CHOSEN}": None,
    }
    once = "`event_id`"
    retries = "for 7 days after anything but 2xx within 4 seconds; later events wait"
    statuses: ClassVar = {400: 200}

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event; a change of topics is one for each topic."""
        kind = f"{text(item.get('object_type'))}.{text(item.get('metric'))}"
        data = group(item, "data")
        if text(item.get("metric")) == _CHOSEN:
            yield from _of_topics(item, data)
            return
        failure = text(data.get("failure_message")) or text(data.get("reason"))
        yield Said(
            kind,
            _fact(
                item,
                data,
                id=text(item.get("event_id")) or None,
                properties={
                    "message_id": data.get("delivery_id"),
                    "campaign": _campaign(data),
                    "subject": data.get("subject"),
                    "url": data.get("href"),
                    "kind": _kind(kind, failure),
                    "reason": failure,
                },
                automated=_machine(data),
            ),
        )


def _fact(
    item: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    id: str | None,  # noqa: A002  # the field's name
    properties: Mapping[str, Any],
    automated: Automation | None = None,
) -> Fact:
    """What all events share: the person, the time and the mailing."""
    known = group(data, "identifiers")
    email = data.get("recipient") or data.get("email_address") or known.get("email")
    own_id = text(known.get("id")) or text(data.get("customer_id"))
    cio_id = text(known.get("cio_id"))
    return Fact(
        id=id,
        time=item.get("timestamp"),
        email=email,
        user_id=own_id if own_id and "@" not in own_id else None,
        anonymous_id=f"customerio:{cio_id}" if cio_id else None,
        properties=properties,
        automated=automated,
    )


def _kind(kind: str, failure: str) -> str | None:
    """The kind of a bounce; what is dropped is on a list of addresses that are not written to."""
    if kind == "email.bounced":
        return kind_of_bounce(reason=failure)
    return "suppressed" if kind == "email.dropped" else None


def _campaign(data: Mapping[str, Any]) -> str:
    """What sent the mail, by its number: ``broadcast 9``."""
    numbered = ((name, text(data.get(f"{name}_id"))) for name in _MAILINGS)
    return next((f"{name} {number}" for name, number in numbered if number), "")


def _of_topics(item: Mapping[str, Any], data: Mapping[str, Any]) -> Iterator[Said]:
    """Which topics, or that no mail at all, the person has chosen: JSON in a text."""
    try:
        chosen = parse(text(data.get("content")).encode(errors="replace")).value
    except RejectedError:
        chosen = {}
    topics = {name: is_on for name, is_on in group(chosen, "topics").items() if name}
    if group(chosen, "channels").get("email") is False:
        topics = {"": False}
    for name, is_on in list(topics.items())[:MAX_TOPICS]:
        if isinstance(is_on, bool):
            id_ = f"{text(item.get('event_id'))}:{name}"
            fact = _fact(item, data, id=id_, properties={"mailing_list": name})
            yield Said("topic.chosen" if is_on else "topic.left", fact)
    if not topics:
        yield Said(f"customer.{_CHOSEN}")


def _machine(data: Mapping[str, Any]) -> Automation | None:
    """Prefetched says Customer.io; a proxy alone (``proxied``) fetches for a reader."""
    if data.get("prefetched") is True:
        return Automation.PREFETCH
    return of_reader(text(data.get("user_agent")))
