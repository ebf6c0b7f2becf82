"""Applies events to leads: one read, one decision, one commit; then the triggers are sent."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from warmlead.application.accept import Quarantined, and_more, to_quarantine
from warmlead.application.evaluate import evaluate, refuse_if_full
from warmlead.application.intake import Intake, Taken
from warmlead.application.passages import (
    StopsBetween,
    only_raise,
    passage_of,
    passed_through,
)
from warmlead.application.privacy.erase import begun_anew, came_too_late, erasures_in
from warmlead.application.send import send
from warmlead.application.shadow import passed_in_shadow
from warmlead.domain.capacity import (
    MAX_IDENTIFIER_BYTES,
    MAX_JOINED_BYTES,
    MAX_JOINED_NAMES,
    Capacity,
    Weighed,
    bytes_of,
)
from warmlead.domain.clock_skew import brought_back, received_by
from warmlead.domain.errors import Reason, UnavailableError, UnsentError
from warmlead.domain.event import Event, Trust
from warmlead.domain.event_names import in_our_words
from warmlead.domain.history import EXACT_DAYS
from warmlead.domain.identity import (
    Identifier,
    LeadIds,
    former_ids_of,
    identifiers_of,
    in_todays_spelling,
    naming_only,
)
from warmlead.domain.identity_resolution import (
    resolve_changed,
    still_to_be_told,
    with_refusals_shared,
)
from warmlead.domain.lead import MAX_TRAILS, Lead, Trail
from warmlead.domain.news import news_of
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.rules import Rules
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Topic, Trigger
from warmlead.ports import Change, Clock, Commit, EventBus, JointChange, LeadStore, Loaded, Need

MAX_REFUSALS = MAX_TRAILS
"""The limit of leads without room that are read for the identifiers of one update."""


class Room:
    """How many more identifiers fit on the lead of some events, which are asked for in order."""

    def __init__(
        self, loaded: Loaded, ids: Mapping[Identifier, str], rules: Rules, weighed: Weighed
    ) -> None:
        self._loaded = loaded
        self._ids = ids
        self._rules = rules
        self._new: set[str] = set()
        self._trails: dict[str, Trail] = {}
        self._taken = dict.fromkeys(Trust, NO_TIES)
        self._refused: set[tuple[str, Trust]] = set()  # a later attempt has no more room
        self._too_large: set[tuple[str, Trust]] = set()
        self._ties_of: dict[tuple[str, Trust], _Ties] = {}
        self._weighed = weighed
        self._refusals = Counter[Trust]()
        self._passed_over: dict[str, None] = {}
        self._capacity: Capacity | None = None
        self.held: set[str] = set()
        """The ids of the identifiers that these leads have already."""

    @property
    def next_to_see(self) -> Iterable[str]:
        """The ids to be read besides the necessary ones: there is room for them at least."""
        return islice((id_ for id_ in self._passed_over if id_ not in self._loaded), MAX_REFUSALS)

    def tied(self, event: Event) -> Event:
        """The event without those weaker identifiers for which the lead has no room."""
        strongest, *weaker = identifiers_of(event)
        self._open(self._ids[strongest])
        kept = [strongest, *(i for i in weaker if self._takes(i, event.trust))]
        return naming_only(event, kept) if len(kept) <= len(weaker) else event

    def _open(self, home: str) -> None:
        """Counts the lead at an id, with all of its identifiers, among those that are here."""
        found = self._loaded.get(home)
        if isinstance(found, Lead) and home not in self.held:
            self._add(found)
        self._new.add(home)

    def _takes(self, identifier: Identifier, trust: Trust) -> bool:
        """Whether there is room for the identifier, with all that belong to it; uses it if so."""
        id_ = self._ids[identifier]
        if id_ in self.held or id_ in self._new:
            return True
        if (id_, trust) in self._refused:
            return False
        if self._may_look_at(id_, trust) and self._has_room(identifier, trust):
            return True
        self._refused.add((id_, trust))
        return False

    def _may_look_at(self, id_: str, trust: Trust) -> bool:
        """Whether the lead of a named identifier may still be read: one costs milliseconds."""
        return id_ in self._loaded or self._refusals[trust] < MAX_REFUSALS

    def _has_room(self, identifier: Identifier, trust: Trust) -> bool:
        id_ = self._ids[identifier]
        found = self._loaded.get(id_)
        needed = _Ties(1, bytes_of(identifier.value))
        if isinstance(found, Lead):
            needed = max(needed, self._ties(found, trust))
        taken = self._taken[trust].and_(needed)
        if taken.number > MAX_TRAILS or taken.size_bytes > MAX_IDENTIFIER_BYTES:
            self._refusals[trust] += isinstance(found, Lead)
            self._passed_over[id_] = None
            return False
        if isinstance(found, Lead):
            if not self._can_join(found, trust):
                self._refusals[trust] += 1
                return False
            self._add(found)
        else:
            self._taken[trust] = taken
            self._new.add(id_)
        return True

    def _can_join(self, lead: Lead, trust: Trust) -> bool:
        """Whether the lead fits beside those that are here."""
        if not self.held:
            return True
        if (lead.id, trust) in self._too_large:
            return False
        if self._capacity is None:
            self._capacity = Capacity(self._trails, self._rules)
        names, size = self._capacity.joined_with(self._weighed.capacity_of(lead))
        if names <= MAX_JOINED_NAMES[trust] and size <= MAX_JOINED_BYTES[trust]:
            return True
        self._too_large.add((lead.id, trust))
        return False

    def _ties(self, lead: Lead, trust: Trust) -> "_Ties":
        """The identifiers of a lead that are signed, or are not; counted once."""
        if (lead.id, trust) not in self._ties_of:
            self._ties_of[lead.id, trust] = _ties_of(lead, trust)
        return self._ties_of[lead.id, trust]

    def _add(self, lead: Lead) -> None:
        for trust in Trust:
            self._taken[trust] = self._taken[trust].and_(self._ties(lead, trust))
        self._trails.update(lead.trails)
        if self._capacity is not None:
            self._capacity.keep(lead.trails, lead.trails)
        self.held.update(lead.trails)


class _Ties(NamedTuple):
    """How many identifiers, and how many bytes they take; ordered by number, then bytes."""

    number: int
    size_bytes: int

    def and_(self, others: "_Ties") -> "_Ties":
        """The sum."""
        return _Ties(self.number + others.number, self.size_bytes + others.size_bytes)


NO_TIES = _Ties(0, 0)


def _ties_of(lead: Lead, trust: Trust) -> _Ties:
    """The identifiers of a lead that are signed, or are not."""
    is_signed = trust is Trust.SIGNED
    values = [t.identifier.value for t in lead.trails.values() if t.is_signed is is_signed]
    return _Ties(len(values), sum(map(bytes_of, values)))


MAX_OF_FLOOD = 20
"""The limit of a request's events that are set aside whole as a flood; others are counted."""

_FLOODED = "the lead has more events, or more is known of it, than is kept of one"
_IN_ARCHIVE = f"{_FLOODED}; the archive, where one is kept, has them"


@dataclass(frozen=True, slots=True)
class Scoring:
    """What a decision about a lead needs besides the lead; ``weighed`` is only a cache."""

    rules: Rules
    ids: LeadIds
    weighed: Weighed = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weighed", Weighed(self.rules))


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome for the events: each is counted, was counted before, or is in quarantine.

    Or it is dropped, because its person was ``erased`` after it happened.
    """

    counted: int = 0
    duplicates: int = 0
    erased: int = 0
    quarantined: tuple[tuple[Event, Reason], ...] = ()
    triggers: tuple[tuple[str, Trigger], ...] = ()


async def apply(
    events: Sequence[Event], *, store: LeadStore, bus: EventBus, scoring: Scoring, clock: Clock
) -> list[Applied]:
    """Counts each event once on its lead, and publishes the triggers.

    Safe to repeat after any failure: the key of an event shows that it was counted. Raises
    ``UnavailableError`` if it should be repeated. ``UnsentError`` is raised behind all others, so a
    lead whose messages cannot be sent keeps no other waiting.
    """
    unsent: UnsentError | None = None
    grouped: dict[str, list[Event]] = {}
    for event in (received_by(event, clock.now()) for event in events):
        home = scoring.ids.of(identifiers_of(in_todays_spelling(event))[0])
        grouped.setdefault(home, []).append(event)
    results = []
    for home, group in grouped.items():
        now = clock.now()
        decide = Decision(group, scoring, now)
        try:
            applied = await store.update([home], decide)
        except UnsentError as error:
            unsent = error
            continue
        await _set_aside(applied, scoring.rules, bus, now)
        await send(applied.triggers, store=store, bus=bus)
        results.append(applied)
    if unsent is not None:
        raise unsent
    return results


async def _set_aside(applied: Applied, rules: Rules, bus: EventBus, now: datetime) -> None:
    """Sets each event aside whole; of events that flood a lead only the first, and their number."""

    def entry(event: Event, reason: Reason, message: str) -> Quarantined:
        return Quarantined(
            reason=reason,
            message=message,
            source=event.source,
            received_at=now,
            event=event,
            trust=event.trust,
        )

    late = f"received more than {EXACT_DAYS} days ago, so it may have been counted before"
    entries = [
        entry(event, reason, late)
        for event, reason in applied.quarantined
        if reason is not Reason.LEAD_FLOODED
    ]
    flood = [event for event, reason in applied.quarantined if reason is Reason.LEAD_FLOODED]
    flood.sort(key=lambda event: (event.trust is Trust.PUBLIC, event.name not in rules.names))
    entries += [entry(event, Reason.LEAD_FLOODED, _FLOODED) for event in flood[:MAX_OF_FLOOD]]
    if more := flood[MAX_OF_FLOOD:]:
        entries.append(and_more(len(more), Reason.LEAD_FLOODED, more[0].source, now, _IN_ARCHIVE))
    if entries:
        await bus.publish(Topic.QUARANTINE, [to_quarantine(entry) for entry in entries])


class Decision(JointChange[Applied]):
    """The change that some events make to the leads that they concern; pure, may run again."""

    def __init__(self, events: Sequence[Event], scoring: Scoring, now: datetime) -> None:
        spelt = [in_todays_spelling(event) for event in events]
        named = {i for event in spelt for i in identifiers_of(event)}
        self.events = [in_our_words(event) for event in spelt]
        self.scoring = scoring
        self.now = now
        self.ids: Mapping[Identifier, str] = {i: scoring.ids.of(i) for i in named}
        former = [
            (event.key, former_ids_of(before, event, scoring.ids))
            for before, event in zip(events, spelt, strict=True)
        ]
        self.former_ids: Mapping[str, Sequence[str]] = {key: ids for key, ids in former if ids}

    def __call__(self, loaded: Loaded) -> Commit[Applied] | Need:
        """What to write, or which other leads must be read first.

        Raises ``UnavailableError`` if a lead is yet to be put under its new id.
        """
        decided = _JointDecision([self])(loaded)
        if isinstance(decided, Need):
            return decided
        (applied,) = decided.result
        leads, aliases, moves = decided.leads, decided.aliases, decided.transitions
        return Commit(applied, leads, aliases, moves, nurtured=decided.nurtured)

    def joined_with(self, others: "Sequence[Decision]") -> "Change[Sequence[Applied]]":
        """The change by the events of several requests, with one evaluation for all of them."""
        return _JointDecision([self, *others])


class _JointDecision:
    """The change that the events of one request, or of several that came at once, make."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._requests = [decision.events for decision in decisions]
        self._scoring = decisions[0].scoring
        self._weighed = self._scoring.weighed
        self._now = max(decision.now for decision in decisions)
        self._ids = {i: id_ for decision in decisions for i, id_ in decision.ids.items()}
        self._former_ids = {k: ids for each in decisions for k, ids in each.former_ids.items()}
        of_secret = self._scoring.ids.former_of
        self._before_rotation = {id_ for i in self._ids for id_ in of_secret(i)}

    def __call__(self, loaded: Loaded) -> Commit[Sequence[Applied]] | Need:
        """What to write, or the leads that must be read first; the outcome for each request."""
        erased_at = erasures_in(loaded)
        wanted: set[str] = set()
        former: set[str] = set()
        requests = []
        room = Room(loaded, self._ids, self._scoring.rules, self._weighed)
        for events in self._requests:
            alive = [e for e in map(room.tied, events) if not self._came_too_late(e, erased_at)]
            wanted.update(self._ids[i] for event in alive for i in identifiers_of(event))
            former.update(id_ for event in alive for id_ in self._former_ids.get(event.key, ()))
            requests.append((alive, len(events) - len(alive)))
        if unseen := frozenset((wanted | former) - loaded.keys() - room.held):
            return Need(unseen.union(room.next_to_see))  # else each would take a turn by itself
        self._refuse_unmoved(loaded)
        found = [loaded[id_] for id_ in sorted(wanted & loaded.keys())]
        held = [lead for lead in found if isinstance(lead, Lead)]
        before = {lead.id: brought_back(lead, self._now) for lead in held}
        trails = {id_: t for lead in before.values() for id_, t in lead.trails.items()}
        count = sum(len(alive) for alive, _ in requests)
        intake = self._intake(before, count)
        counted: list[Event] = []
        applied = [
            replace(self._take(alive, intake, counted), erased=erased) for alive, erased in requests
        ]
        taken = intake.trails
        if taken == trails and not self._beyond(intake):
            return Commit(applied)
        told = dict(taken)
        refuse_if_full(before.values(), self._scoring.rules)
        joined = frozenset(before)
        if unseen := self._tell_owners(loaded, before, trails, told):
            return Need(unseen)
        for id_ in before.keys() - joined:
            refuse_if_full([before[id_]], self._scoring.rules)
        after = begun_anew(told, erased_at)
        return self._commit(before, after, applied, counted, known=trails, intake=intake)

    def _intake(self, before: Mapping[str, Lead], events: int) -> Intake:
        return Intake(before.values(), self._ids, self._scoring.rules, self._weighed, events=events)

    def _beyond(self, intake: Intake) -> Mapping[str, Sequence[KeptEvent]]:
        """The new events that are not kept, if an alert may come of them."""
        return intake.beyond if self._scoring.rules.alerts else {}

    def _tell_owners(
        self,
        loaded: Loaded,
        before: dict[str, Lead],
        trails: dict[str, Trail],
        after: dict[str, Trail],
    ) -> frozenset[str]:
        """Adds the leads that a refusal reaches because they claim its identifier.

        Returns the ids of those that must be read first.
        """
        while owners := still_to_be_told(trails, with_refusals_shared(after)):
            if unseen := owners - loaded.keys():
                return unseen
            found = [loaded[id_] for id_ in sorted(owners)]
            new = {lead.id: lead for lead in found if isinstance(lead, Lead)}
            if not new.keys() - before.keys():
                break  # the others were erased
            for id_ in new.keys() - before.keys():
                before[id_] = brought_back(new[id_], self._now)
                trails.update(before[id_].trails)
                after.update(before[id_].trails)
        return frozenset()

    def _refuse_unmoved(self, loaded: Loaded) -> None:
        """Has the events wait while a lead is under an id of the secret before: it has history."""
        for id_ in self._before_rotation & loaded.keys():
            lead = loaded[id_]
            if isinstance(lead, Lead) and id_ in lead.trails:
                raise UnavailableError(f"{lead.id} has an id of the secret before")

    def _came_too_late(self, event: Event, erased_at: Mapping[str, datetime]) -> bool:
        former_ids = self._former_ids.get(event.key, ())
        return came_too_late(event, self._ids, erased_at, former_ids=former_ids)

    def _take(self, events: Sequence[Event], intake: Intake, counted: list[Event]) -> Applied:
        """Adds the events, and those of them that count to ``counted``; returns each outcome."""
        became: Counter[Taken] = Counter()
        refused: list[tuple[Event, Reason]] = []
        oldest = self._now - timedelta(days=EXACT_DAYS)
        for event in sorted(events, key=_by_receipt):  # as they are kept
            if event.received_at < oldest:
                intake.refuse(event)
                refused.append((event, Reason.RECEIVED_TOO_LONG_AGO))
                continue
            taken = intake.take(event)
            became[taken] += 1
            if taken is Taken.COUNTED:
                counted.append(event)
            if taken is Taken.REFUSED:
                refused.append((event, Reason.LEAD_FLOODED))
        return Applied(became[Taken.COUNTED], became[Taken.KNOWN], quarantined=tuple(refused))

    def _commit(
        self,
        before: Mapping[str, Lead],
        trails: Mapping[str, Trail],
        applied: list[Applied],
        counted: Sequence[Event],
        *,
        known: Mapping[str, Trail],
        intake: Intake,
    ) -> Commit[Sequence[Applied]]:
        """Evaluates the leads of the trails that change; the last request reports the triggers.

        A lead without changes is neither evaluated nor written, because many events may name it.
        """
        leads: list[Lead] = []
        aliases: dict[str, str] = {}
        transitions: list[tuple[str, Transition]] = []
        nurtured: list[tuple[str, NurtureRecord]] = []
        triggers: list[tuple[str, Trigger]] = []
        rules, now = self._scoring.rules, self._now
        raising = len(counted) > 1 and only_raise(counted, intake.signals, rules)
        stops = StopsBetween(lambda: self._intake(before, len(counted)), counted)
        beyond = self._beyond(intake)
        changed = resolve_changed(list(before.values()), trails, rules, now)
        for lead in (*changed, *_unchanged(before.values(), changed, beyond)):
            news = news_of(lead, before.values(), rules, now, beyond)
            passage = passage_of(lead, counted, intake.telling, self._ids, rules=rules, now=now)
            passed = lead
            if rules.shadow:
                passed = passed_in_shadow(
                    *(lead, rules.shadow, passage, stops),
                    before=known,
                    counted=counted,
                    labels=intake.signals,
                    now=now,
                )
            passed, passage = passed_through(
                passed, passage, stops, before=known, only_raises=raising, rules=rules, now=now
            )
            evaluated = evaluate(passed, rules, now, news=news, passage=passage)
            if lead is before.get(lead.id) and evaluated.lead == lead:
                continue  # an event that is not kept has changed nothing
            leads.append(evaluated.lead)
            transitions += [(lead.id, transition) for transition in evaluated.transitions]
            nurtured += evaluated.records
            triggers += [(lead.id, trigger) for trigger in evaluated.triggers]
            had = before[lead.id].ids if lead.id in before else frozenset[str]()
            aliases.update(dict.fromkeys(lead.ids - had - {lead.id}, lead.id))
        applied[-1] = replace(applied[-1], triggers=tuple(triggers))
        return Commit(applied, leads, aliases, transitions, nurtured=nurtured)


def _unchanged(
    before: Iterable[Lead], changed: Iterable[Lead], named: Collection[str]
) -> list[Lead]:
    """The leads with one of the ``named`` trails of which nothing changes."""
    gone = {id_ for lead in changed for id_ in lead.trails}
    return [
        lead
        for lead in before
        if gone.isdisjoint(lead.trails) and not lead.trails.keys().isdisjoint(named)
    ]


def _by_receipt(event: Event) -> tuple[datetime, datetime, str]:
    return event.received_at, event.occurred_at, event.key
