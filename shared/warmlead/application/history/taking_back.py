"""Takes an import back: each lead is as if it had never come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from warmlead.application.evaluate import Evaluated, evaluate
from warmlead.application.history.living import quiet
from warmlead.application.passages import Passage
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.imports import layers_of, without_layers
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.rules import Rules
from warmlead.domain.sales import verdict
from warmlead.domain.stages import ANONYMOUS, MoveCause, Progress, Transition
from warmlead.ports import Commit, LeadStore, Loaded

LEADS_TOGETHER = 100
"""How many leads are changed together."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """How many leads an import was taken back from, and how many of them are gone with it."""

    leads: int = 0
    removed: int = 0


class TakingBack:
    """The change that takes an import back from one lead; pure, may run again.

    ``moves`` are those of the lead that other causes than the import made.
    """

    def __init__(
        self, lead_id: str, name: str, moves: Sequence[Transition], rules: Rules, now: datetime
    ) -> None:
        self._lead_id = lead_id
        self._name = name
        self._moves = moves
        self._rules = rules
        self._now = now

    def __call__(self, loaded: Loaded) -> Commit[TakenBack]:
        """The lead without the import; without anything else known of it, no lead."""
        lead = loaded[self._lead_id]
        if not isinstance(lead, Lead) or not layers_of(lead.trails, self._name):
            return Commit(TakenBack())
        trails = without_layers(lead.trails, self._name)
        retracted = [(id_, self._name) for id_ in sorted(lead.ids)]
        gone = lead.ids - trails.keys()
        if not trails:
            return Commit(TakenBack(1, 1), retracted=retracted, removed=sorted(gone))
        stays = lead.id if lead.id in trails else _strongest(trails)
        people = resolve_identities([replace(lead, id=stays)], trails, self._rules, self._now)
        evaluated = [
            self._evaluated(self._as_before(each) if each.id == stays else each) for each in people
        ]
        leads = [each.lead for each in evaluated]
        moves = [(each.lead.id, move) for each in evaluated for move in each.transitions]
        aliases = {id_: each.id for each in leads for id_ in each.ids if id_ != each.id}
        removed = sorted(gone - aliases.keys() - {each.id for each in leads})
        return Commit(
            TakenBack(1, 0),
            leads,
            aliases,
            moves,
            retracted=retracted,
            removed=removed,
            nurtured=[record for each in evaluated for record in each.records],
        )

    def _as_before(self, lead: Lead) -> Lead:
        """The lead where it stood by its other moves; one without any begins anew."""
        if not self._moves:
            progress = Progress(ANONYMOUS, self._now)
            return replace(lead, progress=progress, created_at=self._now, shadow=None)
        last, said = self._moves[-1], verdict(lead.statements)
        entered: dict[str, int] = {}
        for move in self._moves:
            entered[move.to_stage] = max(move.cycle, entered.get(move.to_stage, 0))
        progress = Progress(
            last.to_stage,
            last.at,
            entered,
            max(move.score for move in self._moves),
            verdict=said.key if said else "",
            learnt=last.learnt_at if last.learnt_at != last.at else None,
            rest=lead.progress.rest,
            held=last.cause is MoveCause.QUALIFIED,
        )
        created = max(lead.created_at, min(move.learnt_at for move in self._moves))
        return replace(lead, progress=progress, created_at=created, shadow=None)

    def _evaluated(self, lead: Lead) -> Evaluated:
        """The lead as of now; nobody is told of it."""
        passage = Passage(self._now, self._now, is_old=True, is_imported=True)
        rules = replace(self._rules, updates=None) if self._moves else quiet(self._rules)
        return evaluate(lead, rules, self._now, passage=passage)


def _strongest(trails: Mapping[str, Trail]) -> str:
    """The id of the strongest identifier: only the import knew the one of the lead's id."""
    return min((trail.identifier, id_) for id_, trail in trails.items())[1]


async def take_back(
    name: str,
    *,
    store: LeadStore,
    rules: Rules,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> TakenBack:
    """Takes an import back from every lead; ``progress`` is told how many were looked at.

    Safe to stop and to repeat. Raises ``UnavailableError`` if it should be repeated, and then
    ``UnreadableError`` for leads that cannot be read.
    """
    total, seen = TakenBack(), 0
    async for leads in _some(store.leads()):
        seen += len(leads)
        own = [lead for lead in leads if layers_of(lead.trails, name)]
        pasts = await asyncio.gather(*(_past(lead, name, store) for lead in own))
        changes = [
            TakingBack(lead.id, name, past, rules, now)
            for lead, past in zip(own, pasts, strict=True)
        ]
        updates = [([lead.id], change) for lead, change in zip(own, changes, strict=True)]
        for outcome in await store.update_each(updates):
            if isinstance(outcome, Exception):
                raise outcome
            total = TakenBack(total.leads + outcome.leads, total.removed + outcome.removed)
        progress(seen)
    return total


async def _past(lead: Lead, name: str, store: LeadStore) -> list[Transition]:
    """The moves of a lead by other causes, if anything is left of it without the import."""
    if not without_layers(lead.trails, name):
        return []
    return [move for move in await store.transitions(lead.id) if move.imported != name]


async def _some(leads: AsyncIterator[Lead]) -> AsyncIterator[list[Lead]]:
    some: list[Lead] = []
    async for lead in leads:
        some.append(lead)
        if len(some) == LEADS_TOGETHER:
            yield some
            some = []
    if some:
        yield some
