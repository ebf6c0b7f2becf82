"""Whose words a fact holds: the tool's that signed it, or a visitor's whom nobody has checked.

A signature proves that the tool sent a request. It does not prove that whoever filled in the form
is the person whose address stands in it. So what visitors claim counts as public.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from msgspec import structs

from warmlead.domain.consent import CONSENT_EVENTS
from warmlead.domain.consent_fields import says_no
from warmlead.domain.event import Event, Property, Trust
from warmlead.senders.person import long_hash


class Claims(StrEnum):
    """What of a fact a visitor claims."""

    NOTHING = "nothing"  # the tool answers for all of it, as for a payment
    TRAITS = "traits"  # a mail tool knows whom it writes to; people fill in its sign-up forms
    PERSON = "person"  # the tool saw what happened; who it was, a visitor has typed
    ALL = "all"  # it is what a visitor has typed: a form, a chat


_SEEN = frozenset(
    (
        *("meeting_booked", "meeting_rescheduled", "meeting_cancelled"),
        *("meeting_held", "meeting_missed"),
        *(
            "webinar_registered",
            "webinar_attended",
            "webinar_left",
            "webinar_missed",
            "webinar_participated",
        ),
        *("video_watched", "email_subscribed", "email_unsubscribed"),
    )
)
"""What a tool sees for itself: its calendar, its webinar, its mailing list."""


def claims_in(meant: str | None, named: str) -> Claims:
    """What a visitor claims of a fact that means one standard event, as another may be ``named``.

    A meeting that the settings name a subscription is still no consent that a tool has seen.
    """
    is_more = named != meant and named in CONSENT_EVENTS
    return Claims.PERSON if meant in _SEEN and not is_more else Claims.ALL


def trust_in(claims: Claims, trust: Trust) -> Trust:
    """How far the words of a fact are trusted that came in a request of this trust."""
    return trust if claims is Claims.NOTHING else Trust.PUBLIC


def told_apart(
    event: Event, claims: Claims, *, trust: Trust, user_id: object, anonymous_id: object
) -> Iterator[Event]:
    """The event, and by itself what a visitor claims of who they are, as a public event.

    ``event`` is as public as its claims. What the tool saw has the ``trust`` of the request. Beside
    the address it has the ``anonymous_id`` that the tool itself gives, and no user id: a page may
    have told the tool any, and a signed event that has both joins them for good. Without an address
    it stays public, but for a mail tool's: an id that is signed could be tied by no visitor's
    public claim, as to the address that they leave in a chat.
    """
    is_of_mail = claims is Claims.TRAITS
    own_user = event.user_id if is_of_mail and not event.email else None
    own_user = own_user if own_user == user_id else None
    own_anonymous = event.anonymous_id if event.anonymous_id == anonymous_id else None
    is_seen = trust is Trust.SIGNED and (is_of_mail or claims is Claims.PERSON)
    is_named = event.email or (is_of_mail and (own_user or own_anonymous))
    if not (is_seen and is_named):
        yield event
        return
    refusals = _refusals(event)
    kept = {name: one for name, one in event.properties.items() if name not in refusals}
    yield structs.replace(
        event,
        trust=trust,
        traits={},
        properties=kept,
        user_id=own_user,
        anonymous_id=own_anonymous,
    )
    # Of each mail there are many reports: none repeats whose address it may be.
    is_tied = is_of_mail or (None, own_anonymous) == (event.user_id, event.anonymous_id)
    if event.traits or refusals or not is_tied:
        yield structs.replace(
            event,
            id=f"person-{long_hash(event.id)}",
            name="identified",
            properties=refusals,
            attribution={},
            direct=False,
            automated=None,
        )


def _refusals(event: Event) -> Mapping[str, Property]:
    """The answers by which a visitor refuses mail; a mailing list's own report keeps them."""
    if event.name in CONSENT_EVENTS:
        return {}
    bare = structs.replace(event, traits={})
    return {
        name: value
        for name, value in event.properties.items()
        if says_no(structs.replace(bare, properties={name: value}))
    }
