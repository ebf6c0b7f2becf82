"""Puts what an import says of a person beside what is known already: one commit a person.

A lead never gets worse by it, nothing is sent, and doing it twice is doing it once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from warmlead.application.evaluate import Evaluated, evaluate
from warmlead.application.history.living import (
    Lived,
    Living,
    first_contact_of,
    is_of_deal,
)
from warmlead.application.passages import Passage
from warmlead.application.privacy.erase import begun_anew, came_too_late, erasures_in
from warmlead.application.rest import rest_of
from warmlead.domain.clock_skew import brought_back
from warmlead.domain.event import Event
from warmlead.domain.history import to_ms
from warmlead.domain.identity import LeadIds, identifiers_of
from warmlead.domain.identity_resolution import folded, resolve_identities
from warmlead.domain.imports import as_layer, layers_of, says_as_much, united, with_layer
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.merged_progress import merge_progress, most_entered
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.rules import Rules
from warmlead.domain.sales import verdict
from warmlead.domain.stages import Progress, Transition
from warmlead.ports import Commit, Loaded, Need


@dataclass(frozen=True, slots=True)
class Importing:
    """What taking in needs besides the events: the import's ``name``, and when it runs (UTC)."""

    name: str
    rules: Rules
    ids: LeadIds
    living: Living
    now: datetime


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of the events of one person.

    ``known``: the import said all of it before. ``early``: a deal is older than the first contact.
    """

    leads: int = 0
    moves: int = 0
    known: int = 0
    erased: int = 0
    refused: int = 0
    early: int = 0


@dataclass(frozen=True, slots=True)
class _Layer:
    """What is to be put on a lead: the imported lead, its layer, and what is new in it."""

    lived: Lead
    id: str
    trail: Trail
    moves: tuple[Transition, ...] | None
    """The moves as of then; ``None``: the lead was imported before, and moves on from there."""


_Made: TypeAlias = tuple[Lead, str, Trail]
"""An imported lead, the id of its layer, and the layer."""


class TakingIn:
    """The change that the events of one person in an import make; pure, may run again."""

    def __init__(self, events: Sequence[Event], importing: Importing) -> None:
        self._events = events
        self._importing = importing
        self._ids = {i: importing.ids.of(i) for e in events for i in identifiers_of(e)}
        self._lived: dict[int, list[tuple[Lived, _Made]]] = {}

    @property
    def ids(self) -> list[str]:
        """The ids that are read: those of the person's identifiers, and of the import's layer."""
        made = {id_ for _, each in self._made(self._events) for id_ in (*each[0].trails, each[1])}
        return sorted(made.union(self._ids.values()))

    @property
    def lead_ids(self) -> list[str]:
        """An id of each lead that the events make; whoever has it now is that lead."""
        return [lead.id for _, (lead, _, _) in self._made(self._events)]

    def __call__(self, loaded: Loaded) -> Commit[TakenIn] | Need:
        """What to write, or which leads must be read first."""
        erased_at = erasures_in(loaded)
        events = [e for e in self._events if not came_too_late(e, self._ids, erased_at)]
        erased = len(self._events) - len(events)
        if not events:
            return Commit(TakenIn(erased=erased))
        made = self._made(events)
        named = {id_ for _, (lead, layer_id, _) in made for id_ in (*lead.trails, layer_id)}
        if unseen := frozenset(named - loaded.keys()):
            return Need(unseen)
        layers = [self._layer(lived, each, loaded) for lived, each in made]
        new = [each for each in layers if each is not None]
        taken = TakenIn(
            known=len(layers) - len(new),
            erased=erased,
            refused=made[0][0].refused,
            early=_is_early(events),
        )
        return self._commit(new, loaded, erased_at, taken) if new else Commit(taken)

    def _made(self, events: Sequence[Event]) -> list[tuple[Lived, _Made]]:
        """The leads that the events make as of now, each with its layer."""
        using = self._importing
        if len(events) not in self._lived:
            lived = using.living.lived(events, using.now)
            made = []
            for lead in lived.leads:
                id_, trail = as_layer(lead, using.name, using.ids, using.rules.traits)
                made.append((lived, (lead, id_, folded(trail, to_ms(using.now), using.rules))))
            self._lived[len(events)] = made
        return self._lived[len(events)]

    def _layer(self, lived: Lived, made: _Made, loaded: Loaded) -> _Layer | None:
        """What is new on a lead; ``None``: the import has said all of it before."""
        using = self._importing
        lead, id_, trail = made
        known = using.rules.traits
        before = self._before(lead, loaded)
        if before is not None and says_as_much(before, trail, known):
            return None
        if before is not None and not says_as_much(trail, before, known):
            return _Layer(lead, id_, united(trail, before, known), None)
        moves = tuple(
            replace(move, imported=using.name, learnt=using.now)
            for lead_id, move in lived.moves
            if lead_id in lead.trails
        )
        return _Layer(lead, id_, trail, moves)

    def _before(self, lead: Lead, loaded: Loaded) -> Trail | None:
        """What the import has said of the lead before, as it is kept now."""
        using = self._importing
        found: Trail | None = None
        for held in _leads_in(loaded, lead.trails):
            for _, trail in sorted(layers_of(held.trails, using.name).items()):
                kept = folded(trail, to_ms(using.now), using.rules)
                kept = replace(kept, identifier=trail.identifier)
                found = kept if found is None else united(found, kept, using.rules.traits)
        return found

    def _commit(
        self,
        layers: Sequence[_Layer],
        loaded: Loaded,
        erased_at: Mapping[str, datetime],
        taken: TakenIn,
    ) -> Commit[TakenIn]:
        using = self._importing
        named = {id_ for each in layers for id_ in each.lived.trails}
        before = {lead.id: brought_back(lead, using.now) for lead in _leads_in(loaded, named)}
        trails = {id_: trail for lead in before.values() for id_, trail in lead.trails.items()}
        retracted: set[tuple[str, str]] = set()
        for each in layers:
            trails = self._with(trails, each)
        trails = dict(begun_anew(trails, erased_at))
        leads, aliases, moves = [], dict[str, str](), list[tuple[str, Transition]]()
        nurtured: list[tuple[str, NurtureRecord]] = []
        for lead in resolve_identities(list(before.values()), trails, using.rules, using.now):
            own = [each for each in layers if each.id in lead.trails]
            sources = [held for held in before.values() if held.id in lead.trails]
            after, told = self._told(lead, own, is_new=not sources)
            leads.append(after.lead)
            nurtured += after.records
            moves += [(lead.id, move) for move in told]
            if all(each.moves is not None for each in own):
                retracted |= {(id_, using.name) for held in sources for id_ in held.ids}
            had = frozenset[str]().union(*(held.ids for held in sources))
            aliases.update(dict.fromkeys(lead.ids - had - {lead.id}, lead.id))
            aliases.update({held.id: lead.id for held in sources if held.id != lead.id})
        taken = replace(taken, leads=len(leads), moves=len(moves))
        gone = sorted(retracted)
        return Commit(taken, leads, aliases, moves, retracted=gone, nurtured=nurtured)

    def _with(self, trails: Mapping[str, Trail], layer: _Layer) -> dict[str, Trail]:
        """The trails with a layer in the place of those that the import has made before."""
        name, lived = self._importing.name, layer.lived
        linked = {id_ for id_, t in layers_of(trails, name).items() if t.links & layer.trail.links}
        kept = {
            id_: replace(trail, links=trail.links - linked) if trail.links & linked else trail
            for id_, trail in trails.items()
            if id_ not in linked
        }
        return with_layer(kept, lived, layer.id, layer.trail, name)

    def _told(
        self, lead: Lead, layers: Sequence[_Layer], *, is_new: bool
    ) -> tuple[Evaluated, list[Transition]]:
        """The lead as of now, and its moves of the import."""
        using = self._importing
        moves = [move for each in layers for move in each.moves or ()]
        for each in layers:
            if each.moves is not None:
                lead = self._standing(lead, each.lived, each.moves, is_new=is_new)
        happened = [e.occurred_at for e in self._events]
        passage = Passage(min(happened), max(happened), is_old=True, is_imported=True)
        rules = using.living.rules if is_new else replace(using.rules, updates=None)
        evaluated = evaluate(lead, rules, using.now, passage=passage)
        later = [replace(m, imported=using.name, learnt=using.now) for m in evaluated.transitions]
        return evaluated, [*moves, *later]

    def _standing(
        self, lead: Lead, lived: Lead, moves: Sequence[Transition], *, is_new: bool
    ) -> Lead:
        """The lead where it stands by what it was: never further back than it is."""
        using, created = self._importing, min(lead.created_at, lived.created_at)
        if is_new:
            progress = replace(lived.progress, learnt=using.now)
            rest = rest_of(moves, using.rules, using.now)
            progress = replace(progress, rest=rest, moved=None)
            return replace(lead, progress=progress, created_at=created)
        progress = _furthest(lead, lived, using.rules)
        return replace(lead, progress=progress, created_at=created)


def _furthest(lead: Lead, lived: Lead, rules: Rules) -> Progress:
    """Where the lead stands by both; the last word of sales goes before the furthest stage."""
    both = [lead.progress, lived.progress]
    said = verdict(lead.statements)
    is_of_live = said is not None and said.key == lead.progress.verdict
    merged = lead.progress if is_of_live else merge_progress(rules.stage_order, both)
    return replace(
        merged,
        entered=most_entered(both),
        peak_score=max(each.peak_score for each in both),
        verdict=said.key if said else "",
        rest=lead.progress.rest,
    )


def _leads_in(loaded: Loaded, ids: Mapping[str, Trail] | set[str]) -> list[Lead]:
    found = (loaded.get(id_) for id_ in sorted(ids))
    return list({lead.id: lead for lead in found if isinstance(lead, Lead)}.values())


def _is_early(events: Sequence[Event]) -> int:
    """1 if sales speaks of a deal before the person is first seen, or 0."""
    first = first_contact_of(events)
    deals = [event.occurred_at for event in events if is_of_deal(event)]
    return int(first is not None and any(at < first for at in deals))
