"""Puts leads under the ids of today, and joins those that turn out to be one person.

An earlier release kept ``josé`` in two forms, and with an invisible character, as several people.
And all leads get other ids when the secret of ids is rotated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec import Struct

from warmlead.application.apply import Scoring
from warmlead.application.evaluate import evaluate, refuse_if_full
from warmlead.application.send import send
from warmlead.domain.errors import UnreadableError
from warmlead.domain.identity_resolution import (
    Misspelt,
    is_nobody,
    misspelt,
    owner_id_today,
    owners_elsewhere,
    resolve_identities,
    respelt_leads,
    respelt_trails,
)
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import Trigger
from warmlead.ports import Clock, Commit, EventBus, LeadStore, Loaded, Need, Tombstone

LEADS_TOGETHER = 100
"""How many leads are moved at the same time."""


class MisspeltLead(Struct, frozen=True):
    """A lead with identifiers in an old spelling, or under ids of the secret before; its new place.

    ``joins`` are the leads that turn out to be the same person. ``erased`` are identifiers that
    were erased under today's id: the lead stays as it is, for a person to decide.
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
    """Puts every lead under the ids of today, one commit each; joins those that meet.

    A rehearsal writes nothing. Safe to stop and to run again, beside live traffic: finished leads
    are not touched again. ``found`` is called for each such lead, ``progress`` with the number of
    leads read.
    """
    done = Respelt()
    changes: list[Respelling] = []
    async for lead in store.leads():
        done = replace(done, leads=done.leads + 1)
        progress(done.leads)
        if is_nobody(lead):
            done = replace(done, nobodies=(*done.nobodies, lead.id))
        if misspelt(lead, scoring.ids):
            changes.append(Respelling(lead.id, scoring, clock, is_rehearsal=is_rehearsal))
        if len(changes) == LEADS_TOGETHER:
            done = await _respell_some(changes, done, store=store, bus=bus, found=found)
            changes = []
    return await _respell_some(changes, done, store=store, bus=bus, found=found)


async def _respell_some(
    changes: "Sequence[Respelling]",
    before: Respelt,
    *,
    store: LeadStore,
    bus: EventBus,
    found: Callable[[MisspeltLead], None],
) -> Respelt:
    """Moves some leads at the same time, since each waits for its store."""
    done = before
    outcomes = await store.update_each([([each.lead_id], each) for each in changes])
    for outcome in outcomes:
        if isinstance(outcome, UnreadableError):  # of another lead; the end of all leads names it
            done = replace(done, left=done.left + 1)
            continue
        if isinstance(outcome, Exception):
            raise outcome
        await send(outcome.triggers, store=store, bus=bus)
        if outcome.identifiers or outcome.erased:
            found(outcome)
        done = replace(
            done,
            renamed=done.renamed + bool(outcome.identifiers),
            joined=done.joined + len(outcome.joins),
            left=done.left + bool(outcome.erased),
        )
    return done


class Respelling:
    """The change that puts a lead under today's ids; a repeat changes nothing."""

    def __init__(
        self, lead_id: str, scoring: Scoring, clock: Clock, *, is_rehearsal: bool = False
    ) -> None:
        self.lead_id = lead_id
        self._scoring = scoring
        self._now = clock.now()
        self._is_rehearsal = is_rehearsal

    def __call__(self, loaded: Loaded) -> Commit[MisspeltLead] | Need:
        """What to write, or which leads must be read first: those at today's ids."""
        lead = loaded[self.lead_id]
        moved = misspelt(lead, self._scoring.ids) if isinstance(lead, Lead) else []
        if not isinstance(lead, Lead) or not moved:
            return Commit(MisspeltLead(self.lead_id))
        if unseen := frozenset(each.new_id for each in moved) - loaded.keys():
            return Need(unseen)
        erased = [each for each in moved if isinstance(loaded[each.new_id], Tombstone)]
        if erased:
            return Commit(MisspeltLead(lead.id, erased=erased))
        at_new = [loaded[each.new_id] for each in moved]
        others = {o.id: o for o in at_new if isinstance(o, Lead) and o.id != lead.id}
        if self._is_rehearsal:
            return Commit(MisspeltLead(lead.id, moved, tuple(others)))
        leads = [lead, *others.values()]
        owners = owners_elsewhere(leads)
        if unseen := owners - loaded.keys():
            return Need(unseen)
        elsewhere = {
            owner: owner_id_today(owner, found, self._scoring.ids)
            for owner in owners
            if isinstance(found := loaded[owner], Lead)
        }
        return self._commit(lead, leads, moved, elsewhere)

    def _commit(
        self,
        lead: Lead,
        leads: Sequence[Lead],
        moved: Sequence[Misspelt],
        elsewhere: Mapping[str, str],
    ) -> Commit[MisspeltLead]:
        scoring, now = self._scoring, self._now
        refuse_if_full(leads, scoring.rules)
        trails = respelt_trails(leads, moved, scoring.rules.traits, elsewhere)
        before = {each.id: each for each in leads}
        evaluated: list[Lead] = []
        aliases: dict[str, str] = {}
        transitions: list[tuple[str, Transition]] = []
        nurtured: list[tuple[str, NurtureRecord]] = []
        triggers: list[tuple[str, Trigger]] = []
        for person in resolve_identities(respelt_leads(leads, moved), trails, scoring.rules, now):
            result = evaluate(person, scoring.rules, now)
            id_ = person.id
            evaluated.append(result.lead)
            had = before[id_].ids if id_ in before else frozenset[str]()
            aliases |= dict.fromkeys(person.ids - had - {id_}, id_)
            transitions += [(id_, transition) for transition in result.transitions]
            nurtured += result.records
            triggers += [(id_, trigger) for trigger in result.triggers]
        outcome = MisspeltLead(lead.id, moved, tuple(before.keys() - {lead.id}), triggers=triggers)
        return Commit(outcome, evaluated, aliases, transitions, nurtured=nurtured)
