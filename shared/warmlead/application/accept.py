"""Accepts a sender's request: verified, translated, published. Needs no database."""

from collections.abc import Sequence

from warmlead.application.messages import Quarantined, and_more, by_lead, to_quarantine
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.domain.identity import LeadIds
from warmlead.domain.trigger import Topic
from warmlead.ports import Accepted, EventBus, Message, RawRequest, Refused, Source, Translation

MAX_SET_ASIDE_BYTES = 256 * 1024
"""The most that is kept of an item that is set aside: what is larger is cut."""


MAX_SET_ASIDE = 100
"""So many items of a public request are set aside; of further ones the number."""

_KEPT_NOWHERE = f"of a public request {MAX_SET_ASIDE} are kept, those with an address first"


async def accept(request: RawRequest, source: Source, *, bus: EventBus, ids: LeadIds) -> Accepted:
    """Publishes the request's events, one message a lead, and sets unusable items aside.

    When it returns, all is durable. Raises ``RejectedError``, with no effect at all, if the
    request is not to be trusted, cannot be read, or holds nothing but unusable items that its
    source does not keep; and ``UnavailableError`` if the sender should try again.
    """
    trust = source.verify(request)
    translation = source.translate(request, trust)
    if translation.refused and not translation.events and not translation.keeps_refused:
        raise _only_refused(translation.refused)
    events = [event for _, event in translation.events]
    if events:
        await bus.publish(Topic.LEAD_EVENTS, by_lead(events, ids))
    if translation.refused:
        await bus.publish(Topic.QUARANTINE, _set_aside(request, source, trust, translation))
    return translation.accepted


def _only_refused(refused: Sequence[Refused]) -> RejectedError:
    first = refused[0].error
    if len(refused) == 1:
        return first
    return RejectedError(
        Reason(first.reason),
        f"none of the {len(refused)} items can be used; the first: {first.message}",
    )


def _set_aside(
    request: RawRequest, source: Source, trust: Trust, translation: Translation
) -> list[Message]:
    most = MAX_SET_ASIDE if trust is Trust.PUBLIC else len(translation.refused)
    ranked = sorted(
        translation.refused, key=lambda item: b"@" not in item.raw
    )  # who may become a lead first
    kept, more = sorted(ranked[:most], key=lambda item: item.index), ranked[most:]
    entries = [
        Quarantined(
            reason=item.error.reason,
            message=item.error.message,
            source=source.name,
            received_at=request.received_at,
            raw=item.raw[:MAX_SET_ASIDE_BYTES].decode("utf-8", "replace"),
            path=request.path,
            automated=item.automated,
            trust=trust,
        )
        for item in kept
    ]
    if more:
        reason, now = Reason(more[0].error.reason), request.received_at
        entries.append(and_more(len(more), reason, source.name, now, _KEPT_NOWHERE))
    return [to_quarantine(entry) for entry in entries]
