"""Brings together the leads of one person whose identifiers were spelt in several ways.

An earlier release kept ``josé`` in two forms, and with an invisible character, as several people.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from warmlead.application.apply import Scoring
from warmlead.application.evaluate import evaluate
from warmlead.application.send import send
from warmlead.domain.identity_resolution import (
    Misspelt,
    is_nobody,
    misspelt,
    resolve_identities,
    respelt_leads,
    respelt_trails,
)
from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Trigger
from warmlead.ports import Clock, Commit, EventBus, LeadStore, Loaded, Need, Tombstone


class MisspeltLead(Struct, frozen=True):
    """A lead with identifiers in an old spelling, and its new place.

    ``joins`` are the leads that turn out to be the same person. ``erased`` are identifiers that
    were erased in today's spelling: the lead stays as it is, for a person to decide.
    """

    lead_id: str
    identifiers: Sequence[Misspelt] = ()
    joins: Sequence[str] = ()
    erased: Sequence[Misspelt] = ()
    triggers: Sequence[tuple[str, Trigger]] = ()


@dataclass(frozen=True, slots=True)
class Respelt:
    """The numbers of leads that were read, got another id, joined others, or were left alone.

    ``nobodies`` are the ids of leads whose identifiers no longer count as such.
    """

    leads: int = 0
    renamed: int = 0
    joined: int = 0
    left: int = 0
    nobodies: tuple[str, ...] = ()


async def respell(
    *,
    store: LeadStore,
    bus: EventBus,
    scoring: Scoring,
    clock: Clock,
    is_rehearsal: bool,
    found: Callable[[MisspeltLead], None],
    progress: Callable[[int], None],
) -> Respelt:
    """Puts every lead under the ids of today's spelling, one commit each; joins those that meet.

    A rehearsal writes nothing. Safe to stop and to run again, beside live traffic: finished leads
    are not touched again. ``found`` is called for each such lead, ``progress`` with the number of
    leads read.
    """
    seen = renamed = joined = left = 0
    nobodies: list[str] = []
    async for lead in store.leads():
        seen += 1
        progress(seen)
        if is_nobody(lead):
            nobodies.append(lead.id)
        if not misspelt(lead, scoring.ids):
            continue
        change = Respelling(lead.id, scoring, clock, is_rehearsal=is_rehearsal)
        outcome = await store.update([lead.id], change)
        await send(outcome.triggers, store=store, bus=bus)
        if outcome.identifiers or outcome.erased:
            found(outcome)
        renamed += bool(outcome.identifiers)
        joined += len(outcome.joins)
        left += bool(outcome.erased)
    return Respelt(seen, renamed, joined, left, tuple(nobodies))


class Respelling:
    """The change that puts a lead under today's ids; a repeat changes nothing."""

    def __init__(
        self, lead_id: str, scoring: Scoring, clock: Clock, *, is_rehearsal: bool = False
    ) -> None:
        self._lead_id = lead_id
        self._scoring = scoring
        self._now = clock.now()
        self._is_rehearsal = is_rehearsal

    def __call__(self, loaded: Loaded) -> Commit[MisspeltLead] | Need:
        """What to write, or which leads must be read first: those at today's ids."""
        lead = loaded[self._lead_id]
        moved = misspelt(lead, self._scoring.ids) if isinstance(lead, Lead) else []
        if not isinstance(lead, Lead) or not moved:
            return Commit(MisspeltLead(self._lead_id))
        if unseen := frozenset(each.new_id for each in moved) - loaded.keys():
            return Need(unseen)
        erased = [each for each in moved if isinstance(loaded[each.new_id], Tombstone)]
        if erased:
            return Commit(MisspeltLead(lead.id, erased=erased))
        at_new = [loaded[each.new_id] for each in moved]
        others = {o.id: o for o in at_new if isinstance(o, Lead) and o.id != lead.id}
        if self._is_rehearsal:
            return Commit(MisspeltLead(lead.id, moved, tuple(others)))
        return self._commit(lead, [lead, *others.values()], moved)

    def _commit(
        self, lead: Lead, leads: Sequence[Lead], moved: Sequence[Misspelt]
    ) -> Commit[MisspeltLead]:
        scoring, now = self._scoring, self._now
        trails = respelt_trails(leads, moved, scoring.rules.traits)
        before = {each.id: each for each in leads}
        evaluated: list[Lead] = []
        aliases: dict[str, str] = {}
        transitions: list[tuple[str, Transition]] = []
        triggers: list[tuple[str, Trigger]] = []
        for person in resolve_identities(respelt_leads(leads, moved), trails, scoring.rules, now):
            result = evaluate(person, scoring.rules, now)
            id_ = person.id
            evaluated.append(result.lead)
            had = before[id_].ids if id_ in before else frozenset[str]()
            aliases |= dict.fromkeys(person.ids - had - {id_}, id_)
            transitions += [(id_, transition) for transition in result.transitions]
            triggers += [(id_, trigger) for trigger in result.triggers]
        outcome = MisspeltLead(lead.id, moved, tuple(before.keys() - {lead.id}), triggers=triggers)
        return Commit(outcome, evaluated, aliases, transitions)
