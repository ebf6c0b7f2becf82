"""Cal.com's webhooks: booked, moved, cancelled, held and missed meetings, and routing forms."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.meetings import minutes_between
from warmlead.senders.person import short_hash
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

_BOOKED = "BOOKING_CREATED"
_MOVED = "BOOKING_RESCHEDULED"
_CANCELLED = "BOOKING_CANCELLED"
_ENDED = "MEETING_ENDED"
_MARKED = "BOOKING_NO_SHOW_UPDATED"
_UNMARKED = "BOOKING_NO_SHOW_UPDATED (taken back)"
_NOT_JOINED = "AFTER_GUESTS_CAL_VIDEO_NO_SHOW"
_HOST_MISSING = "AFTER_HOSTS_CAL_VIDEO_NO_SHOW"
_FORM = "FORM_SUBMITTED"

_OWN_FIELDS = frozenset(
    (
        *("name", "email", "attendeePhoneNumber", "smsReminderNumber", "location", "title"),
        *("guests", "notes", "rescheduleReason"),
    )
)
"""The fields of a booking that Cal.com itself asks for, by their names."""


class CalComSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those of the webhooks.

    Forms are named by the ids of event types and of routing forms.
    """


class CalComSource(WebhookSender):
    """Bookings (https://cal.com/docs/developing/guides/automation/webhooks).

    Webhooks about the start and the end of a meeting have no ``payload``: its fields stand beside
    the name of the event.
    """

    name = "cal_com"
    path = "cal-com"
    proof: ClassVar[Proof] = Signed(WebhookScheme(header="X-Cal-Signature-256"))
    meanings: ClassVar = {
        _BOOKED: "meeting_booked",
        _MOVED: "meeting_rescheduled",
        _CANCELLED: "meeting_cancelled",
        _ENDED: "meeting_held",
        _MARKED: "meeting_missed",
        _UNMARKED: None,
        _NOT_JOINED: "meeting_missed",
        _FORM: FORM_SUBMITTED,
        **dict.fromkeys(
            (
                *("PING", "BOOKING_REQUESTED", "BOOKING_REJECTED", "BOOKING_PAID"),
                *("BOOKING_PAYMENT_INITIATED", "MEETING_STARTED", "FORM_SUBMITTED_NO_EVENT"),
                *(_HOST_MISSING, "RECORDING_READY", "OOO_CREATED"),
            )
        ),
    }
    once = "the event, the `uid` of the booking, and its attendee"
    retries = "not at all"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What became of a meeting for whoever booked it; whoever missed it; a routing form."""
        kind = text(item.get("triggerEvent"))
        payload = group(item, "payload") or item
        if kind in (_MARKED, _NOT_JOINED):
            yield from _missed(kind, payload, item)
        elif kind == _ENDED and payload.get("noShowHost") is True:
            yield Said(_HOST_MISSING)
        elif kind == _ENDED and any(_is_missing(one) for one in _attendees(payload)[:1]):
            yield from _missed(_MARKED, payload, item)
        elif kind == _FORM:
            yield _routed(payload, item)
        elif kind in (_BOOKED, _MOVED, _CANCELLED, _ENDED):
            yield _meeting(kind, payload, item)
        else:
            yield Said(kind)


def _attendees(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Whoever booked, and the guests that they named."""
    return records(payload.get("attendees"))


def _is_missing(attendee: Mapping[str, Any]) -> bool:
    return attendee.get("noShow") is True


def _meeting(kind: str, payload: Mapping[str, Any], item: Mapping[str, Any]) -> Said:
    booker = next(iter(_attendees(payload)), {})
    answers = group(payload, "responses")
    email = booker.get("email") or part(answers, "email", "value")
    start, end = payload.get("startTime"), payload.get("endTime")
    properties: dict[str, Any] = {"meeting": payload.get("eventTitle") or payload.get("title")}
    stated = end if kind == _ENDED else item.get("createdAt")
    if kind == _CANCELLED:
        reason = payload.get("cancellationReason")
        properties |= {"reason": reason, "cancelled_by": _canceller(payload, email)}
    else:
        properties |= {"minutes": minutes_between(start, end), "starts_at": start}
    is_new = kind == _BOOKED
    if is_new:
        properties["message"] = part(answers, "notes", "value")
    fact = Fact(
        id=_id(kind, text(payload.get("uid")), text(email)),
        time=stated,
        form=text(payload.get("eventTypeId")),
        email=email,
        traits=_traits(booker, answers) if is_new else {},
        properties=properties,
    )
    return Said(kind, fact, list(_asked(answers)) if is_new else ())


def _canceller(payload: Mapping[str, Any], email: Any) -> str | None:  # noqa: ANN401  # whatever JSON holds
    """``invitee`` or ``host``, by the address of who cancelled; ``None`` if it is neither's."""
    who = text(payload.get("cancelledBy")).lower()
    if who and who == text(email).lower():
        return "invitee"
    host = text(part(payload, "organizer", "email")).lower()
    return "host" if who and who == host else None


def _traits(booker: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    phones = (part(answers, name, "value") for name in ("attendeePhoneNumber", "smsReminderNumber"))
    return {
        "name": booker.get("name"),
        "first_name": booker.get("firstName"),
        "last_name": booker.get("lastName"),
        "phone": booker.get("phoneNumber") or next(filter(None, phones), None),
        "time_zone": booker.get("timeZone"),
        "language": part(booker, "language", "locale"),
    }


def _asked(answers: Mapping[str, Any]) -> Iterator[Asked]:
    """The questions of one's own on the page of a booking, each by its label and its name."""
    for name, answer in answers.items():
        if name not in _OWN_FIELDS and isinstance(answer, dict):
            yield Asked((text(answer.get("label")), name), answer.get("value"))


def _missed(kind: str, payload: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[Said]:
    """Whoever is marked as missing. A mark and an empty video room are one fact."""
    uid = text(payload.get("bookingUid")) or text(payload.get("uid"))
    stated = payload.get("endTime") if text(item.get("triggerEvent")) == _ENDED else None
    missing = [one for one in _attendees(payload) if _is_missing(one)]
    for one in missing:
        fact = Fact(
            id=_id(_MARKED, uid, text(one.get("email"))),
            time=stated or item.get("createdAt"),
            email=one.get("email"),
            properties={"meeting": payload.get("title")},
        )
        yield Said(kind, fact)
    if not missing:
        yield Said(_UNMARKED)


def _routed(payload: Mapping[str, Any], item: Mapping[str, Any]) -> Said:
    asked = [
        Asked((label,), answer.get("value"))
        for label, answer in group(payload, "responses").items()
        if isinstance(answer, dict)
    ]
    fact = Fact(
        time=item.get("createdAt"),
        form=text(payload.get("formId")),
        properties={"form_title": payload.get("formName")},
    )
    return Said(_FORM, fact, asked)


def _id(kind: str, uid: str, email: str) -> str | None:
    """The id of a fact: seats of one booking differ by the address alone, which no id shows."""
    return f"{kind}:{uid}:{short_hash(uid + email.lower())}" if uid else None
