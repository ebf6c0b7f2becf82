"""The offer of a lead to sales, in words for a person."""

from datetime import datetime

from warmlead.application.explain import OfferView


def offer_in_words(offer: OfferView, now: datetime) -> str:
    """To whom the lead is offered, by when sales has promised what, or what became of it."""
    to = f"to {offer.owner} " if offer.owner else ""
    text = f"offer {offer.cycle} {to}as {offer.stage} on {_minute(offer.at)}"
    if offer.closed_at is not None:
        return f"{text}: {offer.answer} on {_minute(offer.closed_at)}"
    if offer.touched_at is not None:
        touched = f"touched on {_minute(offer.touched_at)}"
    else:
        touched = f"touch by {_minute(offer.touch_by)}{_late(offer.touch_by, now)}"
    accept = f"accept by {_minute(offer.accept_by)}{_late(offer.accept_by, now)}"
    return f"{text}: {touched}, {accept}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _late(due: datetime, now: datetime) -> str:
    return " (passed)" if due <= now else ""
