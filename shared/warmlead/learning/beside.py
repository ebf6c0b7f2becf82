"""Compares the model in force with the second one beside it, on the leads that both have seen."""

import asyncio
from bisect import insort
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from warmlead.application.explain import Shape
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import Score
from warmlead.domain.shadow import Shadow, ShadowMove
from warmlead.domain.shadow_rules import in_shadow
from warmlead.domain.stages import MODEL, SALES_STAGES, Transition
from warmlead.learning.backtest_report import Likely
from warmlead.messages.wording import reasons
from warmlead.ports import LeadStore
from warmlead.reporting.statistics import wilson

MOST_EXAMPLES = 10
"""How many leads are shown of those that only one of the models has let pass."""

LEADS_TOGETHER = 50
"""Of how many leads the moves are read side by side."""

_FORWARD = SALES_STAGES[:3]
"""The stages of a sale in their order."""


class ShadowQuestion(Shape):
    """What is compared: who enters a stage of the models, and who then reaches an outcome.

    Whoever entered the stage longer ago than ``within`` is ripe.
    """

    stage: str
    outcome: str
    within: timedelta


class LetPass(Shape):
    """The leads that one of the models has let into the stage since both see them.

    Those ``at_start`` were known before, and entered as soon as both saw them: they are not in what
    it lets pass ``a_week``, which is not known in the first week. ``precision`` is the share of the
    ripe ones that reached the outcome in time.
    """

    leads: int
    at_start: int
    a_week: float | None
    ripe: int
    won: int
    precision: Likely


class SeenByBoth(Shape):
    """A lead as one of the models sees it now: its score, its stage, and what made the score."""

    score: int
    stage: str
    reasons: list[str]


class PassedByOne(Shape):
    """A lead that only one of the models has let pass: when, why, and where it stands by now."""

    id: str
    entered_at: datetime
    because: str
    in_force: SeenByBoth
    shadow: SeenByBoth


class ShadowReport(Shape):
    """The comparison. ``stages`` count leads by their stages under both models as of now.

    Of each row of it ``in_force`` is the stage under the model in force. ``both`` to ``neither``
    count leads by which model has let them pass since both see them.
    """

    in_force: str
    shadow: str
    stage: str
    outcome: str
    within_days: float
    as_of: datetime
    since: datetime | None
    weeks: float
    leads: int
    not_seen: int
    by_in_force: LetPass
    by_shadow: LetPass
    both: int
    only_in_force: int
    only_shadow: int
    neither: int
    stages: list["StagePair"]
    examples_in_force: list[PassedByOne]
    examples_shadow: list[PassedByOne]


class StagePair(Shape):
    """How many leads are in a stage under the model in force, and in one under the second."""

    in_force: str
    shadow: str
    leads: int


@dataclass(slots=True)
class _Side:
    """What is added up of one of the models."""

    leads: int = 0
    at_start: int = 0
    ripe: int = 0
    won: int = 0

    def add(self, *, reached: bool, is_ripe: bool, at_start: bool) -> None:
        self.leads += 1
        if is_ripe:
            self.ripe += 1
            self.won += reached
        self.at_start += at_start

    def figures(self, weeks: float) -> LetPass:
        low, high = wilson(self.won, self.ripe)
        found = Likely(value=self.won / self.ripe, low=low, high=high) if self.ripe else Likely()
        later = self.leads - self.at_start
        return LetPass(
            leads=self.leads,
            at_start=self.at_start,
            a_week=round(later / weeks, 2) if weeks >= 1 else None,
            ripe=self.ripe,
            won=self.won,
            precision=found,
        )


@dataclass(slots=True)
class _Sums:
    """What is added up of all leads; of the examples the latest are kept."""

    in_force: _Side = field(default_factory=_Side)
    shadow: _Side = field(default_factory=_Side)
    both: int = 0
    leads: int = 0
    not_seen: int = 0
    since: datetime | None = None
    stages: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[bool, list[tuple[datetime, str, str, Lead]]] = field(
        default_factory=lambda: {True: [], False: []}
    )

    def keep(self, entered_at: datetime, because: str, lead: Lead, *, by_shadow: bool) -> None:
        some = self.examples[by_shadow]
        insort(some, (entered_at, lead.id, because, lead), key=lambda each: each[:2])
        del some[:-MOST_EXAMPLES]


async def compared(
    store: LeadStore,
    rules: Rules,
    question: ShadowQuestion,
    now: datetime,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> ShadowReport:
    """Both models on the leads that both have seen; raises ``ValueError`` without a second one.

    ``progress`` is told how many leads were looked at. Leads that cannot be read are left out:
    ``UnreadableError`` is raised behind all others, as the store does.
    """
    second = rules.shadow
    if second is None:
        raise ValueError("no second model runs beside the one in force")
    sums = _Sums()
    async for leads in _groups(store):
        seen = [(lead, lead.shadow) for lead in leads if _is_seen(lead, second)]
        sums.not_seen += len(leads) - len(seen)
        moves = await asyncio.gather(*(_moves(store, lead, question) for lead, _ in seen))
        for (lead, shadow), own in zip(seen, moves, strict=True):
            if shadow is not None:
                _add(sums, lead, shadow, own, question, now=now)
        progress(sums.leads + sums.not_seen)
    return _report(sums, rules, second, question, now)


def _is_seen(lead: Lead, second: Rules) -> bool:
    return lead.shadow is not None and lead.shadow.version == second.version


async def _groups(store: LeadStore) -> AsyncIterator[list[Lead]]:
    some: list[Lead] = []
    async for lead in store.leads():
        some.append(lead)
        if len(some) == LEADS_TOGETHER:
            yield some
            some = []
    yield some


async def _moves(store: LeadStore, lead: Lead, question: ShadowQuestion) -> Sequence[Transition]:
    """The recorded moves of a lead, if one of the models has ever let it pass."""
    shadow, stage = lead.shadow, question.stage
    passed = shadow is not None and _entry(shadow.moves, stage, shadow.since) is not None
    if not passed and stage not in lead.progress.entered:
        return ()
    return await store.transitions(lead.id)


class _Entry(NamedTuple):
    """When a lead entered the stage, when that was learnt, and why; unpacked."""

    at: datetime
    learnt_at: datetime
    because: str


def _entry(moves: Iterable[ShadowMove | Transition], stage: str, since: datetime) -> _Entry | None:
    """The first entry into the stage of which was learnt since a moment."""
    for move in moves:
        if move.to_stage == stage and move.learnt_at >= since:
            return _Entry(move.at, move.learnt_at, move.reason)
    return None


def _add(
    sums: _Sums,
    lead: Lead,
    shadow: Shadow,
    moves: Sequence[Transition],
    question: ShadowQuestion,
    *,
    now: datetime,
) -> None:
    """Adds what became of one lead under both models."""
    sums.leads += 1
    sums.since = min(shadow.since, sums.since or shadow.since)
    sums.stages[lead.progress.stage, shadow.progress.stage] += 1
    own = [m for m in moves if m.is_move and m.source == MODEL and not m.imported]
    by_first = _entry(own, question.stage, shadow.since)
    by_second = _entry(shadow.moves, question.stage, shadow.since)
    for side, entry in ((sums.in_force, by_first), (sums.shadow, by_second)):
        if entry is not None:
            until = entry.at + question.within
            side.add(
                reached=_reached(moves, question.outcome, entry.at, until),
                is_ripe=until <= now,
                at_start=entry.learnt_at == shadow.since > lead.created_at,
            )
    if by_first and by_second:
        sums.both += 1
    elif one := by_first or by_second:
        sums.keep(one.at, one.because, lead, by_shadow=by_first is None)


def _reached(moves: Sequence[Transition], outcome: str, since: datetime, until: datetime) -> bool:
    """Whether a lead reached the outcome, or what lies behind it in a sale, in some time."""
    found = {outcome}
    if outcome in _FORWARD:
        found = {*_FORWARD[_FORWARD.index(outcome) :]}
    return any(move.to_stage in found and since <= move.at <= until for move in moves)


def _report(
    sums: _Sums, rules: Rules, second: Rules, question: ShadowQuestion, now: datetime
) -> ShadowReport:
    weeks = (now - sums.since) / timedelta(days=7) if sums.since else 0.0
    only_first = sums.in_force.leads - sums.both
    only_second = sums.shadow.leads - sums.both
    return ShadowReport(
        in_force=rules.version,
        shadow=second.version,
        stage=question.stage,
        outcome=question.outcome,
        within_days=question.within / timedelta(days=1),
        as_of=now,
        since=sums.since,
        weeks=round(weeks, 2),
        leads=sums.leads,
        not_seen=sums.not_seen,
        by_in_force=sums.in_force.figures(weeks),
        by_shadow=sums.shadow.figures(weeks),
        both=sums.both,
        only_in_force=only_first,
        only_shadow=only_second,
        neither=sums.leads - sums.both - only_first - only_second,
        stages=[
            StagePair(in_force=one, shadow=other, leads=leads)
            for (one, other), leads in sorted(sums.stages.items())
        ],
        examples_in_force=_examples(sums.examples[False], rules, second, now),
        examples_shadow=_examples(sums.examples[True], rules, second, now),
    )


def _examples(
    some: Sequence[tuple[datetime, str, str, Lead]], rules: Rules, second: Rules, now: datetime
) -> list[PassedByOne]:
    """The examples as both models see them now, the latest first."""
    found = []
    for entered_at, id_, because, lead in reversed(some):
        shadow = lead.shadow
        if shadow is None:
            continue
        first = evaluation_of(lead, rules, now).score
        other = evaluation_of(in_shadow(lead, shadow), second, now).score
        found.append(
            PassedByOne(
                id=id_,
                entered_at=entered_at,
                because=because,
                in_force=_seen(first, lead.progress.stage, rules),
                shadow=_seen(other, shadow.progress.stage, second),
            )
        )
    return found


def _seen(score: Score, stage: str, rules: Rules) -> SeenByBoth:
    words = list(reasons(score, rules.titles, rules.shown))
    return SeenByBoth(score=score.score, stage=stage, reasons=words)
