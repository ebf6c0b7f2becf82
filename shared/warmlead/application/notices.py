"""Makes the messages of alerts and updates, and says what tools mirror of a lead."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from warmlead.domain.alerts import DueAlert
from warmlead.domain.evaluation import Evaluation
from warmlead.domain.handoff import Offer
from warmlead.domain.lead import Lead
from warmlead.domain.mirror import ID, Mirrored, Refreshed, UpdatePolicy, refreshed, without_update
from warmlead.domain.trigger import Trigger
from warmlead.messages.wording import title_of

if TYPE_CHECKING:  # pydantic's models take longer to import than a lead takes to evaluate
    from warmlead.messages.contract import CloudEvent

About: TypeAlias = Mapping[str, Any]
"""What every message says of its lead."""

AT_ONCE = timedelta(0)


ALERT = "alert"
"""The attribute that names the alert of a message."""

UPDATED = "warmlead.lead.updated.v1"
"""The type of the message of an update."""


def waiting_alerts(triggers: Iterable[Trigger]) -> frozenset[str]:
    """The names of the alerts among messages."""
    return frozenset(name for each in triggers if (name := dict(each.attributes).get(ALERT)))


def has_update(triggers: Iterable[Trigger]) -> bool:
    """Whether an update is among messages."""
    return any(dict(each.attributes).get("type") == UPDATED for each in triggers)


class Notice(Struct, frozen=True):
    """A message on ``lifecycle``: what its id is made of, its attributes, and what makes it.

    ``message`` takes what every message says of its lead, and then the CloudEvent's own fields.
    """

    kind: str
    cycle: int
    attributes: Mapping[str, str]
    message: Callable[[About], "Callable[..., CloudEvent]"]


def alert_notice(
    alert: DueAlert, owner: str, promised: Mapping[str, Any], titles: Mapping[str, str]
) -> Notice:
    """The message about what a lead did; ``promised`` are the fields of the offer that is open."""
    policy = alert.policy

    def message(about: About) -> "Callable[..., CloudEvent]":
        from warmlead.messages.contract import (  # noqa: PLC0415  # heavy
            ActInMessage,
            LeadAlerted,
            LeadAlertedMessage,
        )

        acts = [
            ActInMessage(name=a.name, title=title_of(a.name, titles), at=a.at, times=a.times)
            for a in alert.acts
        ]
        data = LeadAlerted(
            **about,
            alert=policy.name,
            title=policy.title or title_of(policy.name, {}),
            count=alert.count,
            acts=acts,
            owner=owner,
            offer=promised.get("offer"),
            touch_by=promised.get("touch_by"),
            accept_by=promised.get("accept_by"),
        )
        return lambda **fields: LeadAlertedMessage(data=data, **fields)

    attributes = {ALERT: policy.name, "count": str(alert.count), "owner": owner}
    return Notice(f"alert:{policy.name}", alert.count, attributes, message)


def update_notice(refresh: Refreshed, owner: str) -> Notice:
    """The message that tells tools what has changed of a lead."""
    count = refresh.mirror.count

    def message(about: About) -> "Callable[..., CloudEvent]":
        from warmlead.messages.contract import LeadUpdated, LeadUpdatedMessage  # noqa: PLC0415  # heavy

        changed = list(refresh.changed)
        data = LeadUpdated(**about, count=count, changed=changed, owner=owner)
        return lambda **fields: LeadUpdatedMessage(data=data, **fields)

    return Notice("updated", count, {"count": str(count), "owner": owner}, message)


def refreshed_mirror(
    lead: Lead,
    offer: Offer | None,
    evaluation: Evaluation,
    policy: UpdatePolicy | None,
    now: datetime,
    *,
    at_once: bool,
    is_held: bool = False,
) -> Refreshed:
    """What tools know of the lead as of now; ``at_once``: an event has caused the evaluation.

    Nothing is sent while it ``is_held``, because the last update could not be sent yet.
    An anonymous lead is not mirrored, and neither is one that rests and that no tool knows yet.
    """
    is_unknown = not lead.identified or (lead.progress.rest and not lead.mirror.count)
    if policy is None or is_unknown:
        return Refreshed(without_update(lead.mirror))
    consent = evaluation.consent
    cause = consent.decided_by.cause if consent.decided_by else ""
    values: dict[str, object] = {
        ID: lead.id,
        Mirrored.SCORE: evaluation.totals.score,
        Mirrored.GRADE: evaluation.grade,
        Mirrored.STAGE: lead.progress.stage,
        Mirrored.TRAITS: lead.traits if Mirrored.TRAITS in policy.fields else {},
        Mirrored.CONSENT: [consent.status, consent.may_be_mailed, cause],
        Mirrored.OWNER: offer.owner if offer else "",
    }
    wait = AT_ONCE if at_once else policy.wait(lead.id)
    return refreshed(policy, lead.mirror, values, now, wait=wait, is_held=is_held)
