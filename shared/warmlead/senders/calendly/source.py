"""Calendly's webhooks: booked, moved, cancelled and missed meetings, and routing forms."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.meetings import last_part, minutes_between
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import (
    Asked,
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    records,
    text,
)

_BOOKED = "invitee.created"
_MOVED = "invitee.created (rescheduled)"
_CANCELLED = "invitee.canceled"
_MOVED_AWAY = "invitee.canceled (rescheduled)"
_MISSED = "invitee_no_show.created"
_ROUTED = "routing_form_submission.created"


class CalendlySettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are signing keys. Forms are named by the ids of event types and routing forms."""


class CalendlySource(WebhookSender):
    """Invitees of meetings, and routing forms (https://developer.calendly.com/docs/webhooks).

    A meeting that is moved makes two webhooks: the old invitee is cancelled, the new one created.
    The second tells it, so the first says nothing.
    """

    name = "calendly"
    path = "calendly"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(header="Calendly-Webhook-Signature", text="{time}.{body}", pairs=("t", "v1"))
    )
    meanings: ClassVar = {
        _BOOKED: "meeting_booked",
        _MOVED: "meeting_rescheduled",
        _CANCELLED: "meeting_cancelled",
        _MOVED_AWAY: None,
        _MISSED: "meeting_missed",
        "invitee_no_show.deleted": None,
        _ROUTED: FORM_SUBMITTED,
    }
    once = "the event, and the `uri` of the invitee"
    retries = "for 24 hours, ever more slowly, after any answer but 2xx; 410 deletes the webhook"
    statuses: ClassVar = {410: 400}

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What became of one invitee's meeting; or a routing form that was sent."""
        kind, payload = text(item.get("event")), group(item, "payload")
        if kind == _BOOKED and payload.get("old_invitee"):
            kind = _MOVED
        elif kind == _CANCELLED and payload.get("rescheduled") is True:
            kind = _MOVED_AWAY
        if kind == _ROUTED:
            yield _routed(payload)
        else:
            yield _invited(kind, payload, item)


def _invited(kind: str, payload: Mapping[str, Any], item: Mapping[str, Any]) -> Said:
    meeting = group(payload, "scheduled_event")
    stated = item.get("created_at")
    properties: dict[str, Any] = {"meeting": meeting.get("name")}
    if kind == _CANCELLED:
        why = group(payload, "cancellation")
        stated = why.get("created_at") or stated
        properties |= {"reason": why.get("reason"), "cancelled_by": why.get("canceler_type")}
    elif kind == _MISSED:
        stated = part(payload, "no_show", "created_at") or stated
    else:
        start = meeting.get("start_time")
        minutes = minutes_between(start, meeting.get("end_time"))
        properties |= {"minutes": minutes, "starts_at": start}
    invitee = last_part(payload.get("uri"))
    # All webhooks repeat what was said and known at the booking: it was so then, and not again.
    is_new = kind == _BOOKED
    fact = Fact(
        fields=dict(group(payload, "tracking")) if is_new else {},
        id=f"{kind}:{invitee}" if invitee else None,
        time=stated,
        form=last_part(meeting.get("event_type")),
        email=payload.get("email"),
        traits=_traits(payload) if is_new else {},
        properties=properties,
    )
    return Said(kind, fact, _asked(payload) if is_new else ())


def _traits(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": payload.get("name"),
        "first_name": payload.get("first_name"),
        "last_name": payload.get("last_name"),
        "phone": payload.get("text_reminder_number"),
        "time_zone": payload.get("timezone"),
    }


def _routed(payload: Mapping[str, Any]) -> Said:
    return Said(
        _ROUTED,
        Fact(
            fields=dict(group(payload, "tracking")),
            id=last_part(payload.get("uri")) or None,
            time=payload.get("created_at"),
            form=last_part(payload.get("routing_form")),
        ),
        _asked(payload),
    )


def _asked(payload: Mapping[str, Any]) -> list[Asked]:
    return [
        Asked((text(one.get("question")), text(one.get("question_uuid"))), one.get("answer"))
        for one in records(payload.get("questions_and_answers"))
    ]
