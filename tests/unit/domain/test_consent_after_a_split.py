"""A refusal holds on both sides when who was one person turns out to be two."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest

from unit.domain.worlds import NOON, World, event_of, rules_of
from warmlead.domain.consent import Cause, Consent, Status, SuppressionPolicy, Whose
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import MAX_CLAIMS, Claim, Identifier, Kind, best_claims

RITA, EVE = "rita@example.com", "eve@example.com"
SIGNED, PUBLIC = Trust.SIGNED, Trust.PUBLIC
NO, SPAM = "email_unsubscribed", "email_marked_spam"


def said(
    minute: int,
    name: str = "signed_up",
    trust: Trust = PUBLIC,
    *,
    email: str | None = None,
    user: str | None = None,
    browser: str | None = None,
) -> Event:
    at = NOON + minute * timedelta(minutes=1)
    return event_of(
        str(minute), at, name=name, trust=trust, email=email, user_id=user, anonymous_id=browser
    )


def consent_of_all(
    events: Sequence[Event], email: str, policy: SuppressionPolicy | None = None
) -> Consent:
    """The consent of an address; the same in whatever order the events come."""
    outcomes = []
    for order in permutations(events):
        world = World(rules_of())
        for event in order:
            world.apply([event], NOON)
        lead = world.lead_of(Identifier(Kind.EMAIL, email))
        outcomes.append(lead.consent(policy or SuppressionPolicy()))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    return outcomes[0]


STORIES = {
    "a signed event takes the user id away": [
        said(1, user="4713", email=RITA),
        said(2, NO, user="4713"),
        said(3, "order_completed", SIGNED, user="4713"),
    ],
    "a signed event takes the browser away": [
        said(1, browser="b", email=RITA),
        said(2, NO, browser="b"),
        said(3, "order_completed", SIGNED, browser="b"),
    ],
    "a signed event gives the browser to another": [
        said(1, browser="b", email=RITA),
        said(2, NO, browser="b"),
        said(3, "order_completed", SIGNED, browser="b", email=EVE),
    ],
    "a mail tool knows the user id only": [
        said(1, NO, SIGNED, user="4712"),
        said(2, user="4712", email=RITA),
    ],
    "a mail tool reports spam of the user id only": [
        said(1, SPAM, SIGNED, user="4712"),
        said(2, user="4712", email=RITA),
    ],
    "a browser is hers by way of a user id": [
        said(1, browser="b", user="4713"),
        said(2, user="4713", email=RITA),
        said(3, NO, browser="b"),
        said(4, "order_completed", SIGNED, user="4713"),
    ],
    "another claimed the browser before": [
        said(1, browser="b", email=EVE),
        said(2, browser="b", email=RITA),
        said(3, NO, browser="b"),
    ],
}


@pytest.mark.parametrize("story", STORIES)
def test_a_refusal_stays_with_the_person_who_claimed_the_browser(story: str) -> None:
    assert consent_of_all(STORIES[story], RITA).status is Status.UNSUBSCRIBED


def test_a_person_who_is_split_off_keeps_the_refusal() -> None:
    events = STORIES["a signed event takes the user id away"]
    world = World(rules_of())
    world.apply(events, NOON)
    lead = world.lead_of(Identifier(Kind.USER, "4713"))
    assert lead.email is None
    assert lead.consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED


def test_a_refusal_reaches_its_person_but_not_the_owner_of_the_browser() -> None:
    shared = [
        said(1, "login", SIGNED, browser="b", email=RITA),
        said(2, browser="b", email=EVE),
        said(3, NO, browser="b", email=EVE),
    ]
    assert consent_of_all(shared, RITA).status is Status.UNKNOWN
    assert consent_of_all(shared, EVE).status is Status.UNSUBSCRIBED


def test_a_public_claim_can_at_most_unsubscribe_in_public() -> None:
    strangers = [
        said(1, NO, SIGNED, user="eve"),
        said(2, SPAM, SIGNED, user="eve"),
        said(3, user="eve", email=RITA),
    ]
    only_signed = SuppressionPolicy(unsubscribed=Whose.SIGNED)
    assert consent_of_all(strangers, RITA, only_signed).may_be_mailed
    back = [*strangers, said(4, "newsletter_subscribed", email=RITA)]
    assert consent_of_all(back, RITA).status is Status.SUBSCRIBED


def test_a_signed_claim_passes_a_refusal_on_unchanged() -> None:
    events = [said(1, SPAM, SIGNED, browser="b"), said(2, "login", SIGNED, browser="b", email=RITA)]
    consent = consent_of_all(events, RITA)
    assert consent.decided_by
    assert (consent.decided_by.cause, consent.decided_by.trust) == (Cause.COMPLAINED, SIGNED)


def test_the_strongest_claims_are_kept_in_any_order_of_arrival() -> None:
    claims = [Claim(1, minute, "key", f"owner-{minute % 15}") for minute in range(45)]
    kept: tuple[Claim, ...] = ()
    for claim in reversed(claims):
        kept = best_claims([*kept, claim])
    assert kept == best_claims(claims) == tuple(claims[:MAX_CLAIMS])
