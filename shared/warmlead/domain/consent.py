"""Consent: whether a person may be written to, by their own statements and their mailbox.

Every statement is a fact with its time, sender and trust. A few of each cause are kept on the trail
of the identifier under which it was made, so the same statements in any order, made any number of
times, give the same consent. The last word counts.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

from warmlead.domain.consent_fields import (
    Bounce,
    bounce_in,
    leaves_subscription_open,
    reason_of_drop,
    says_no,
)
from warmlead.domain.event import Event, Trust
from warmlead.domain.history import day_of, from_ms, to_ms
from warmlead.domain.packed_history import DAY_MS

MAX_OF_CAUSE = 20
"""Soft bounces, subscriptions and refusals kept of each identifier and trust.

A model may ask for no more soft bounces.
"""

MAX_LIST_NAME = 200
"""Characters kept of a mailing list's name."""


class Cause(StrEnum):
    """The kinds of statement about a person or address, the one with most weight last.

    The weight decides between two statements of the same moment and trust.
    """

    DELIVERED = "delivered"  # delivered, opened, clicked, replied: the address works
    SUBSCRIBED = "subscribed"
    SOFT_BOUNCE = "soft_bounce"
    HARD_BOUNCE = "hard_bounce"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


class Status(StrEnum):
    """The consent of a person."""

    UNKNOWN = "unknown"
    SUBSCRIBED = "subscribed"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


class Whose(StrEnum):
    """Whose statement suppresses a lead."""

    ANYONE = "anyone"
    SIGNED = "signed"
    NEVER = "never"


class Lifting(StrEnum):
    """Whose later subscription lifts a refusal."""

    EQUAL = "equal"  # of a sender with at least the trust of the refusal's sender
    ANYONE = "anyone"
    SIGNED = "signed"


class ConsentFact(NamedTuple):
    """One statement, true from ``at_ms`` on; ordered by its fields from first to last.

    ``rank`` is 1 for a signed statement and 0 for a public one. The empty ``key`` marks what an
    earlier release kept by the day only.
    """

    at_ms: int
    rank: int
    weight: int
    key: str
    cause: Cause
    source: str
    mailing_list: str
    received_ms: int

    @classmethod
    def of(
        cls,
        cause: Cause,
        *,
        at_ms: int,
        rank: int,
        key: str = "",
        source: str = "",
        mailing_list: str = "",
        received_ms: int,
    ) -> Self:
        """The fact of these fields."""
        weight = _WEIGHTS[cause]
        return cls(at_ms, rank, weight, key, cause, source, mailing_list, received_ms)

    @property
    def at(self) -> datetime:
        """When it became so."""
        return from_ms(self.at_ms)

    @property
    def counts(self) -> "tuple[int, ConsentFact]":
        """The time from which it counts, in milliseconds, and itself: the order of statements.

        A signed sender's time is taken as stated. A public one may state any, so doubt suppresses:
        its refusal counts from the later of that time and its receipt, its subscription from the
        earlier.
        """
        if not self.rank and self.cause in REFUSALS:
            return max(self.at_ms, self.received_ms), self
        if not self.rank and self.cause is Cause.SUBSCRIBED:
            return min(self.at_ms, self.received_ms), self
        return self.at_ms, self

    @property
    def trust(self) -> Trust:
        """The trust of its sender."""
        return Trust.SIGNED if self.rank else Trust.PUBLIC


@dataclass(frozen=True, slots=True)
class SuppressionPolicy:
    """The statements that suppress a lead, as the model says.

    ``soft_bounces`` is how many of them do, without a delivery in between; 0: never.
    """

    unsubscribed: Whose = Whose.ANYONE
    complained: Whose = Whose.SIGNED
    hard_bounce: Whose = Whose.SIGNED
    soft_bounces: int = 5
    resubscribed: Lifting = Lifting.EQUAL


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent of a person, and the statement that decided it, if any."""

    status: Status = Status.UNKNOWN
    may_be_mailed: bool = True
    decided_by: ConsentFact | None = None

    @property
    def refused(self) -> bool:
        """Whether the person has refused mail, and has not taken it back."""
        return self.status in (Status.UNSUBSCRIBED, Status.COMPLAINED)


_WEIGHTS = {cause: weight for weight, cause in enumerate(Cause)}
_STATUSES = {
    Cause.SUBSCRIBED: Status.SUBSCRIBED,
    Cause.SOFT_BOUNCE: Status.BOUNCED,
    Cause.HARD_BOUNCE: Status.BOUNCED,
    Cause.UNSUBSCRIBED: Status.UNSUBSCRIBED,
    Cause.COMPLAINED: Status.COMPLAINED,
}
REFUSALS = frozenset((Cause.UNSUBSCRIBED, Cause.COMPLAINED))
"""The statements by which a person refuses mail."""

_OF_MAILBOX = (Cause.HARD_BOUNCE, Cause.SOFT_BOUNCE)
_EVENTS = {
    "email_unsubscribed": Cause.UNSUBSCRIBED,
    "email_marked_spam": Cause.COMPLAINED,
    "newsletter_subscribed": Cause.SUBSCRIBED,
    "email_subscribed": Cause.SUBSCRIBED,
    "email_delivered": Cause.DELIVERED,
    "email_opened": Cause.DELIVERED,
    "email_clicked": Cause.DELIVERED,
    "email_replied": Cause.DELIVERED,
}
_BOUNCES = {
    Bounce.HARD: Cause.HARD_BOUNCE,
    Bounce.SOFT: Cause.SOFT_BOUNCE,
    Bounce.UNSUBSCRIBED: Cause.UNSUBSCRIBED,
    Bounce.COMPLAINED: Cause.COMPLAINED,
}

CONSENT_EVENTS = frozenset((*_EVENTS, "email_bounced", "email_dropped"))
"""Events that may state something of consent."""

SUPPRESSING = ("email_unsubscribed", "email_bounced", "email_marked_spam")
"""Events that may keep a lead from being written to."""


def statements_in(event: Event) -> list[ConsentFact]:
    """The statements about consent in an event; empty for most events."""
    cause = _cause_of(event)
    causes = [] if cause is None else [cause]
    if cause is not Cause.UNSUBSCRIBED and says_no(event):
        causes.append(Cause.UNSUBSCRIBED)
    if not causes:
        return []
    named = event.properties.get("mailing_list")
    mailing_list = "" if named is None or isinstance(named, bool | list) else str(named)
    return [
        ConsentFact.of(
            each,
            at_ms=to_ms(event.occurred_at),
            rank=event.trust.rank,
            key=event.statement_key,
            source=event.source,
            mailing_list=mailing_list[:MAX_LIST_NAME],
            received_ms=to_ms(event.received_at),
        )
        for each in causes
    ]


def refusals_in(event: Event) -> list[ConsentFact]:
    """The refusals of mail in an event."""
    return [fact for fact in statements_in(event) if fact.cause in REFUSALS]


def _cause_of(event: Event) -> Cause | None:
    if event.name == "email_bounced":
        return _BOUNCES[bounce_in(event.properties)]
    if event.name == "email_dropped":
        reason = reason_of_drop(event.properties)
        return _BOUNCES[reason] if reason else None
    cause = _EVENTS.get(event.name)
    if cause is Cause.DELIVERED and event.trust is not Trust.SIGNED:
        return None  # anybody could say that an address works
    if cause is Cause.SUBSCRIBED and leaves_subscription_open(event):
        return None  # a form for a newsletter whose box stayed empty
    return cause


def with_facts(
    facts: Sequence[ConsentFact], stated: Iterable[ConsentFact]
) -> tuple[ConsentFact, ...]:
    """The facts with the statements among them, in order, as many of each cause as are kept.

    Of each cause and trust the 20 latest by their own time are kept, of deliveries and hard bounces
    the last. A repeat has the same time, so its receipt does not change which are kept.
    One event may come with different times, if its sender names none and sends it again. Then
    the latest copy counts, but of a subscription the earliest: a repeat lifts no refusal that
    came in between. The repeat of an event that came without an id is another statement
    (``Event.statement_key``).
    """
    kept: dict[tuple[Cause, int], dict[str, ConsentFact]] = {}
    for fact in _in_best_trust([*facts, *stated]):
        of_cause = kept.setdefault((fact.cause, fact.rank), {})
        known = of_cause.get(fact.key)
        of_cause[fact.key] = fact if known is None else _one_of(fact, known)
    together = [
        fact
        for (cause, _), of_cause in kept.items()
        for fact in sorted(_known_better(of_cause.values()))[-_most_of(cause) :]
    ]
    return tuple(sorted(together))


def _in_best_trust(facts: Sequence[ConsentFact]) -> Iterable[ConsentFact]:
    """The facts, without a public refusal that is known of the same event as a signed one."""
    signed: dict[str, int] = {}
    for fact in facts:
        if fact.rank and fact.cause in REFUSALS:
            signed[fact.key] = max(fact.at_ms, signed.get(fact.key, fact.at_ms))
    if not signed:
        return facts
    return [
        fact
        for fact in facts
        if fact.rank or fact.cause not in REFUSALS or signed.get(fact.key, -1) < fact.at_ms
    ]


def _one_of(one: ConsentFact, other: ConsentFact) -> ConsentFact:
    """The copy of an event that counts."""
    if one.cause is Cause.SUBSCRIBED:
        return min(one, other)
    return max(one, other, key=lambda fact: (fact.at_ms, -fact.received_ms, fact))


def _most_of(cause: Cause) -> int:
    return 1 if cause in (Cause.DELIVERED, Cause.HARD_BOUNCE) else MAX_OF_CAUSE


def _by_word(fact: ConsentFact) -> tuple[int, ConsentFact]:
    return fact.counts


def _known_better(facts: Collection[ConsentFact]) -> Iterable[ConsentFact]:
    """The facts, without one that is kept by the day if the event of that day is known by now."""
    days = {day_of(fact.at_ms) for fact in facts if fact.key}
    return [fact for fact in facts if fact.key or day_of(fact.at_ms) not in days]


def facts_of_days(last_day: Iterable[tuple[str, int]]) -> tuple[ConsentFact, ...]:
    """What is known of consent from the last UTC days of events, as earlier releases kept them.

    Doubts suppress: a refusal counts as signed and as said at the end of its day, a subscription
    as said at the beginning, and a bounce as a hard one.
    """
    stated = []
    for name, day in last_day:
        cause = Cause.HARD_BOUNCE if name == "email_bounced" else _EVENTS.get(name)
        if cause is None or cause is Cause.DELIVERED:
            continue
        at_ms = day * DAY_MS if cause is Cause.SUBSCRIBED else (day + 1) * DAY_MS - 1
        stated.append(ConsentFact.of(cause, at_ms=at_ms, rank=1, received_ms=at_ms))
    return with_facts((), stated)


def consent_of(
    policy: SuppressionPolicy,
    said: Sequence[ConsentFact],
    of_mailbox: Sequence[ConsentFact],
) -> Consent:
    """The consent of a person.

    ``said`` are the statements under all identifiers of the person; ``of_mailbox`` are those about
    the address in use. Refusals follow a person to another address, bounces do not.
    """
    if not said and not of_mailbox:
        return _NOTHING_SAID
    subscribed = [fact for fact in said if fact.cause is Cause.SUBSCRIBED]
    latest = max(subscribed, key=_by_word, default=None)
    works = max((fact for fact in of_mailbox if fact.cause is Cause.DELIVERED), default=None)

    def holds(fact: ConsentFact, *lifting: ConsentFact | None) -> bool:
        only_signed = _needs_signed(fact, policy)
        taking_back = (s for s in subscribed if (s.rank or not only_signed) and _answers(s, fact))
        lifted = any(later and fact.counts < later.counts for later in (*taking_back, *lifting))
        return _counts(fact, policy) and not lifted

    refused = [fact for fact in said if fact.cause in REFUSALS and holds(fact)]
    bounced = [fact for fact in of_mailbox if fact.cause in _OF_MAILBOX and holds(fact, works)]
    soft = [fact for fact in bounced if fact.cause is Cause.SOFT_BOUNCE]
    if len(soft) < policy.soft_bounces:
        bounced = [fact for fact in bounced if fact.cause is Cause.HARD_BOUNCE]
    decided = max(refused or bounced, key=_by_word, default=None)
    if decided:
        return Consent(_STATUSES[decided.cause], may_be_mailed=False, decided_by=decided)
    if subscribed:
        return Consent(Status.SUBSCRIBED, decided_by=latest)
    return _NOTHING_SAID


_NOTHING_SAID = Consent()


def _answers(subscribed: ConsentFact, fact: ConsentFact) -> bool:
    """Whether the subscription is to what was refused; it is not if each names another list."""
    if fact.cause not in REFUSALS or not (fact.mailing_list and subscribed.mailing_list):
        return True
    named, refused = subscribed.mailing_list, fact.mailing_list
    return named.strip().casefold() == refused.strip().casefold()


def _counts(fact: ConsentFact, policy: SuppressionPolicy) -> bool:
    """Whether the statement may suppress."""
    match fact.cause:
        case Cause.UNSUBSCRIBED:
            whose = policy.unsubscribed
        case Cause.COMPLAINED:
            whose = policy.complained
        case Cause.HARD_BOUNCE:
            whose = policy.hard_bounce
        case _:
            if not policy.soft_bounces:
                return False
            anyone = policy.hard_bounce is Whose.ANYONE
            whose = Whose.ANYONE if anyone else Whose.SIGNED
    return whose is Whose.ANYONE or (whose is Whose.SIGNED and fact.rank == 1)


def _needs_signed(refused: ConsentFact, policy: SuppressionPolicy) -> bool:
    """Whether only a signed subscription takes the refusal back."""
    if refused.cause is Cause.COMPLAINED:
        return True  # a spam complaint is lifted only by a signed sender
    match policy.resubscribed:
        case Lifting.ANYONE:
            return False
        case Lifting.SIGNED:
            return True
        case Lifting.EQUAL:
            return refused.rank == 1


def together(parts: Iterable[Sequence[ConsentFact]]) -> tuple[ConsentFact, ...]:
    """What several identifiers of one person keep, an event that is kept twice once."""
    held = [part for part in parts if part]
    if len(held) == 1:
        return tuple(held[0])
    return with_facts((), [fact for part in held for fact in part])


def rebuilt(
    live: Sequence[ConsentFact], from_archive: Sequence[ConsentFact]
) -> tuple[ConsentFact, ...]:
    """The facts of a trail that was rebuilt from the archive, with those that only it has.

    What was kept by the day only yields to the event of that day.
    """
    days = {(fact.cause, day_of(fact.at_ms)) for fact in from_archive}
    days |= {(other, day) for cause, day in days if cause in _OF_MAILBOX for other in _OF_MAILBOX}
    others = [fact for fact in live if fact.key or (fact.cause, day_of(fact.at_ms)) not in days]
    return with_facts(from_archive, others)


def known_by(facts: Sequence[ConsentFact], known_at_ms: int | None) -> Sequence[ConsentFact]:
    """Those that had been received by a time; all of them if none is given."""
    if known_at_ms is None:
        return facts
    return [fact for fact in facts if fact.received_ms <= known_at_ms]
