"""The lead: one person, one aggregate. How events change it, and which lead a typed text means."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from msgspec import structs

from warmlead.domain.alerts import Alerted
from warmlead.domain.consent import (
    Consent,
    ConsentFact,
    SuppressionPolicy,
    consent_of,
    known_by,
    refusals_in,
    statements_in,
    together,
    with_facts,
)
from warmlead.domain.event import (
    AUTOMATED_EVENTS,
    CRM_ID,
    LANDING_PAGE,
    MAX_NOTES,
    Event,
    Property,
    Trust,
)
from warmlead.domain.handoff import Offer
from warmlead.domain.history import History, Tally, day_of, tally, to_ms
from warmlead.domain.identity import (
    Claim,
    Identifier,
    Kind,
    Ties,
    best_claims,
    identifiers_of,
    naming_only,
    ties_of,
)
from warmlead.domain.journey import NotableStep, kept_steps, repeats, step_of
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.mail_scans import ARE_WORTHLESS, MachinePolicy, mark_of, may_be_a_scan
from warmlead.domain.mirror import NOT_MIRRORED, Mirror
from warmlead.domain.nurture import Enrolments
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.readings import (
    NO_READINGS,
    Readings,
    facts_as_of,
    joined_readings,
    readings_of,
    readings_within,
)
from warmlead.domain.recording import record
from warmlead.domain.rules import Rules
from warmlead.domain.sales import Statement, in_order, with_statement
from warmlead.domain.shadow import Shadow
from warmlead.domain.snapshot import Snapshot
from warmlead.domain.stages import Progress
from warmlead.domain.traits import TraitFact, values_of, with_traits
from warmlead.domain.trigger import Trigger
from warmlead.domain.unjudged import Unjudged, UnjudgedByKey, joined_unjudged

MAX_TRAILS = 200
"""Limit of identifiers of one person; no more are tied to a lead that has reached it."""


class Touch(NamedTuple):
    """Where a visit came from; touches are ordered by time."""

    at_ms: int
    key: str
    attribution: tuple[tuple[str, str], ...]


class NoteFact(NamedTuple):
    """A note on what of an event's input was cut or left out; ordered by the event's time."""

    at_ms: int
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Trail:
    """The data and the events of one identifier.

    ``claims`` are the best of each owner, the best first. ``is_signed`` is whether a signed source
    has ever named the identifier. ``former_ids`` are its ids in earlier spellings. ``consent`` are
    the statements about mailing, the earliest first. ``told`` is when a signed event first and last
    named the address as this person's. ``erased_ms`` is the time up to which its data was erased,
    if it was: nothing from before may come back. ``direct`` is whether some visit is known to have
    had no referrer. ``last_landing`` is the latest touch that names its landing page: later ones
    belong to the same visit. ``steps`` are the last notable things that were done, latest first.
    ``readings`` are what the model's meters have read of the events. ``unjudged`` are steps and
    readings of clicks, by their keys, of which it is not known for good who clicked.
    """

    identifier: Identifier
    links: frozenset[str] = frozenset()
    claims: tuple[Claim, ...] = ()
    history: History = field(default_factory=History)
    traits: Mapping[str, TraitFact] = field(default_factory=dict)
    first_touch: Touch | None = None
    last_touch: Touch | None = None
    last_landing: Touch | None = None
    direct: bool = False
    statements: Mapping[str, Statement] = field(default_factory=dict)
    notes: tuple[NoteFact, ...] = ()
    erased_ms: int | None = None
    is_signed: bool = False
    former_ids: frozenset[str] = frozenset()
    consent: tuple[ConsentFact, ...] = ()
    told: tuple[int, int] | None = None
    steps: tuple[NotableStep, ...] = ()
    readings: Readings = NO_READINGS
    unjudged: UnjudgedByKey = field(default_factory=dict)

    @property
    def claim(self) -> Claim | None:
        """The claim that wins, if any is made."""
        return self.claims[0] if self.claims else None

    @property
    def ties(self) -> Ties:
        """What the trail says about whose it is."""
        return Ties(self.identifier.kind, self.links, self.claim, self.is_signed)


@dataclass(frozen=True, slots=True)
class Lead:
    """One person. ``id`` is that of the strongest identifier, a key of ``trails``.

    ``decay_on`` is the UTC day number of its next review without an event, ``due_at`` the time of
    its next step or deadline; ``None``: never.
    """

    id: str
    trails: Mapping[str, Trail]
    progress: Progress
    created_at: datetime
    snapshot: Snapshot | None = None
    outbox: tuple[Trigger, ...] = ()
    enrolments: Enrolments = field(default_factory=dict)
    offer: Offer | None = None
    alerted: Alerted = field(default_factory=dict)
    mirror: Mirror = NOT_MIRRORED
    decay_on: int | None = None
    due_at: datetime | None = None
    knowledge: Knowledge | None = None
    shadow: Shadow | None = None

    @property
    def statements(self) -> list[Statement]:
        """The statements of sales about the lead, the earliest first."""
        return in_order(trail.statements for trail in self.trails.values())

    @property
    def ids(self) -> frozenset[str]:
        """The ids of its identifiers, former ones among them."""
        return frozenset(self.trails).union(*(t.former_ids for t in self.trails.values()))

    @property
    def identified(self) -> bool:
        """Whether the person has an email or a user id."""
        return any(t.identifier.kind < Kind.ANONYMOUS for t in self.trails.values())

    @property
    def kept_events(self) -> int:
        """How many events are kept one by one."""
        return sum(trail.history.count for trail in self.trails.values())

    @property
    def email(self) -> str | None:
        """The address in use: of several the one that a signed sender named last as the person's.

        If none was named so, it is the one of the lead's id.
        """
        used = self._address_in_use()
        return used.identifier.value if used else None

    @property
    def user_id(self) -> str | None:
        """The user id by which the lead is known."""
        return self._value_of(Kind.USER)

    def _value_of(self, kind: Kind) -> str | None:
        found = [
            (t.identifier.value.startswith(CRM_ID), id_, t.identifier.value)  # ours before a CRM's
            for id_, t in self.trails.items()
            if t.identifier.kind is kind
        ]
        return min(found)[2] if found else None

    def _address_in_use(self) -> Trail | None:
        addresses = [
            (-trail.told[1] if trail.told else 0, id_)
            for id_, trail in self.trails.items()
            if trail.identifier.kind is Kind.EMAIL
        ]
        return self.trails[min(addresses)[1]] if addresses else None

    @property
    def consent_facts(self) -> tuple[ConsentFact, ...]:
        """The statements about mailing the person, under any identifier, the earliest first."""
        return together(trail.consent for trail in self.trails.values())

    def consent(self, suppression: SuppressionPolicy, known_at: datetime | None = None) -> Consent:
        """Whether the person may be written to; by what was known at a past time, if given."""
        said = self.consent_facts
        if not said:
            return consent_of(suppression, (), ())
        used = self._address_in_use()
        addresses = sum(t.identifier.kind is Kind.EMAIL for t in self.trails.values())
        since = used.told[0] if used and used.told and addresses > 1 else None
        of_mailbox = together(_about_address(trail, used, since) for trail in self.trails.values())
        known_ms = None if known_at is None else to_ms(known_at)
        return consent_of(suppression, known_by(said, known_ms), known_by(of_mailbox, known_ms))

    @property
    def traits(self) -> dict[str, Property]:
        """The value of each known trait: signed before public, then the latest."""
        return values_of(self._best_traits)

    @property
    def _best_traits(self) -> dict[str, TraitFact]:
        best: dict[str, TraitFact] = {}
        for trail in self.trails.values():
            for name, fact in trail.traits.items():
                best[name] = max(fact, best.get(name, fact))
        return best

    def traits_as_of(self, day: int) -> dict[str, Property]:
        """The traits as they had been stated by the end of a UTC day number.

        Of those whose past the model does not ask for only what is stated last is known: they are
        as they are now.
        """
        return values_of(self.facts_by_day()(day))

    def facts_by_day(self) -> Callable[[int], Mapping[str, TraitFact]]:
        """What finds the facts of ``traits_as_of`` on a day; worth keeping if several are asked."""
        return partial(facts_as_of, self._best_traits, self.readings())

    def learnt_since(self, at_ms: int) -> bool:
        """Whether a trait was stated after a moment."""
        facts = (fact for trail in self.trails.values() for fact in trail.traits.values())
        return any(fact.at_ms > at_ms for fact in facts)

    @property
    def first_touch(self) -> Touch | None:
        """The earliest visit with an origin."""
        return min((t.first_touch for t in self.trails.values() if t.first_touch), default=None)

    @property
    def last_touch(self) -> Touch | None:
        """The latest visit with an origin."""
        return max((t.last_touch for t in self.trails.values() if t.last_touch), default=None)

    @property
    def last_landing(self) -> Touch | None:
        """The latest visit with an origin of which the landing page is known."""
        return max((t.last_landing for t in self.trails.values() if t.last_landing), default=None)

    @property
    def notes(self) -> tuple[NoteFact, ...]:
        """The latest notes on the lead's input, in order of time."""
        return latest_notes(note for trail in self.trails.values() for note in trail.notes)

    @property
    def steps(self) -> tuple[NotableStep, ...]:
        """The last notable things that were done, the latest first."""
        return kept_steps(step for trail in self.trails.values() for step in trail.steps)

    @property
    def direct(self) -> bool:
        """Whether some visit is known to have had no referrer."""
        return any(trail.direct for trail in self.trails.values())

    def readings(self, known_at: datetime | None = None) -> Readings:
        """What meters have read of all events; of those until the day of a past time, if given."""
        read = NO_READINGS
        for trail in self.trails.values():
            read = joined_readings(read, trail.readings)
        last = None if known_at is None else day_of(to_ms(known_at))
        return read if last is None else readings_within(read, lambda day: day <= last)

    def tally(
        self, known_at: datetime | None = None, machines: MachinePolicy = ARE_WORTHLESS
    ) -> Tally:
        """The counts of signals and events by day; as they were known at a past time, if given."""
        histories = [trail.history for trail in self.trails.values()]
        known_ms = None if known_at is None else to_ms(known_at)
        return tally(histories, known_at_ms=known_ms, machines=machines)


def _about_address(
    trail: Trail, used: Trail | None, since_ms: int | None
) -> tuple[ConsentFact, ...]:
    """What a trail states about the address in use; without an address, from ``since_ms`` on."""
    if trail.identifier.kind is Kind.EMAIL:
        return trail.consent if trail is used else ()
    if since_ms is None:
        return trail.consent
    return tuple(fact for fact in trail.consent if fact.at_ms >= since_ms)


def latest_notes(notes: Iterable[NoteFact]) -> tuple[NoteFact, ...]:
    """The latest notes in their order; the result does not depend on the order of arrival."""
    return tuple(sorted(set(notes))[-MAX_NOTES:])


class Touched(NamedTuple):
    """The trails after an event but for their histories, and what the one at ``home`` keeps of it.

    All but histories is cheap to make anew with every event. Unpacked where it is used.
    """

    trails: dict[str, Trail]
    home: str
    kept: KeptEvent


def touch_trails(
    trails: Mapping[str, Trail], event: Event, ids: Mapping[Identifier, str], rules: Rules
) -> dict[str, Trail]:
    """The trails after one event: kept under its strongest identifier, tied to the others.

    Applying an event twice is applying it once, and order does not matter.
    """
    before = trails.get(ids[identifiers_of(event)[0]])
    is_repeat = before is not None and repeats(before.history.find(event.key), event)
    after, home, kept = touched(trails, event, ids, rules, as_step=not is_repeat)
    trail = after[home]
    after[home] = replace(trail, history=record(trail.history, [kept]))
    return after


def touched(
    trails: Mapping[str, Trail],
    event: Event,
    ids: Mapping[Identifier, str],
    rules: Rules,
    *,
    as_step: bool = True,
    in_detail: bool = True,
) -> Touched:
    """As ``touch_trails``, but the event is not recorded in a history yet.

    Without ``in_detail`` it is no step of the journey, and no meter reads it: there is no room for
    that. Without ``as_step`` it is no step, because it is a repeat.
    """
    signals, mark = rules.classify(event), mark_of(event)
    step = step_of(event, signals, rules) if as_step and in_detail and rules.shown else None
    stated = _heard(event, rules)
    event = _as_counted(event, rules)
    reads = in_detail and rules.meters
    read = readings_of(event, signals, reads.values(), rules.values_of) if reads else NO_READINGS
    named = identifiers_of(event)
    after = dict(trails)
    for identifier in named:
        trail = after.setdefault(ids[identifier], Trail(identifier))
        if event.trust is Trust.SIGNED and not trail.is_signed:
            after[ids[identifier]] = replace(trail, is_signed=True)
    claims, links = ties_of(event, ids)
    for id_, claim in claims.items():
        after[id_] = replace(after[id_], claims=best_claims([*after[id_].claims, claim]))
    for one, other in links:
        after[one] = replace(after[one], links=after[one].links | {other})
        after[other] = replace(after[other], links=after[other].links | {one})
    home = ids[named[0]]
    after[home] = _with_event(after[home], event, rules.traits)
    after[home] = _with_traces(after[home], event.key, step, read, mark)
    if stated:
        after[home] = replace(after[home], consent=with_facts(after[home].consent, stated))
    at_ms = to_ms(event.occurred_at)
    if _says_whose_address(event):
        told = told_together(after[home].told, (at_ms, at_ms))
        after[home] = replace(after[home], told=told)
    kept = KeptEvent(at_ms, event.key, to_ms(event.received_at), event.name, signals, mark)
    return Touched(after, home, kept)


def _with_traces(
    trail: Trail, key: str, step: NotableStep | None, read: Readings, mark: str
) -> Trail:
    """The trail with the step and the readings of an event; those of a click in a mail apart."""
    if may_be_a_scan(mark):
        new = {key: Unjudged(step, read)} if step or read is not NO_READINGS else {}
        unjudged = joined_unjudged(trail.unjudged, new)
        return trail if unjudged is trail.unjudged else replace(trail, unjudged=unjudged)
    if step and (steps := kept_steps((*trail.steps, step))) != trail.steps:
        trail = replace(trail, steps=steps)
    before = trail.readings
    if read is not NO_READINGS and (now := joined_readings(before, read)) is not before:
        trail = replace(trail, readings=now)
    return trail


def _as_counted(event: Event, rules: Rules) -> Event:
    """The event as it counts: a program's event keeps only its name, identifiers and traits.

    It has no origin, and in public it ties no identifiers. See ``_heard`` for its consent.
    """
    if event.automated is None or rules.robots_count:
        return event
    counted = structs.replace(
        event, name=AUTOMATED_EVENTS[event.automated], attribution={}, direct=False
    )
    if event.trust is Trust.SIGNED:
        return counted
    return naming_only(counted, identifiers_of(event)[:1])


def _heard(event: Event, rules: Rules) -> list[ConsentFact]:
    """The statements about consent in the event; of a program's event only refusals."""
    if event.automated is None or rules.robots_count:
        return statements_in(event)
    return refusals_in(event)


def heed_refusal(
    trails: Mapping[str, Trail], event: Event, ids: Mapping[Identifier, str]
) -> Mapping[str, Trail]:
    """The trails with an event's refusal of mail, if nothing else of the event can be kept.

    A refusal needs little room, so it counts even if there is no room for more events.
    """
    refused = [fact._replace(mailing_list="") for fact in refusals_in(event)]
    if not refused:
        return trails
    identifier = identifiers_of(event)[0]
    home = ids[identifier]
    trail = trails.get(home) or Trail(identifier)
    return {**trails, home: replace(trail, consent=with_facts(trail.consent, refused))}


def _says_whose_address(event: Event) -> bool:
    """Whether a signed sender states a person's address, other than as the recipient of a mail."""
    named = event.email and event.user_id and event.trust is Trust.SIGNED
    return bool(named) and not event.name.startswith("email_")


def told_together(*parts: tuple[int, int] | None) -> tuple[int, int] | None:
    """The first and the last of several times at which an address was named as the person's."""
    told = [part for part in parts if part]
    if not told:
        return None
    return min(first for first, _ in told), max(last for _, last in told)


def _with_event(trail: Trail, event: Event, known: frozenset[str]) -> Trail:
    """The trail with the data of an event, without its history."""
    traits = with_traits(trail.traits, event, known) if event.traits else trail.traits
    first, last, landing = trail.first_touch, trail.last_touch, trail.last_landing
    if event.attribution:
        at_ms = to_ms(event.occurred_at)
        touch = Touch(at_ms, event.key, tuple(sorted(event.attribution.items())))
        first = min(touch, first or touch)
        last = max(touch, last or touch)
        if LANDING_PAGE in event.attribution:
            landing = max(touch, landing or touch)
    statements = with_statement(trail.statements, event)
    notes, direct = _with_notes(trail.notes, event), trail.direct or event.direct
    before = (trail.traits, trail.first_touch, trail.last_touch, trail.statements, trail.notes)
    same = (direct, landing) == (trail.direct, trail.last_landing)
    if same and before == (traits, first, last, statements, notes):
        return trail
    return replace(
        trail,
        traits=traits,
        first_touch=first,
        last_touch=last,
        last_landing=landing,
        direct=direct,
        statements=statements,
        notes=notes,
    )


def _with_notes(notes: tuple[NoteFact, ...], event: Event) -> tuple[NoteFact, ...]:
    if not event.notes:
        return notes
    at_ms = to_ms(event.occurred_at)
    return latest_notes([*notes, *(NoteFact(at_ms, event.key, text) for text in event.notes)])
