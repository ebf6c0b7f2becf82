"""Looks at every lead of a store as it was known at its moment; says what was left out, and why."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec import structs

from warmlead.domain.attribution import origin_facts
from warmlead.domain.errors import UnreadableError
from warmlead.domain.evaluation import Evaluation, evaluation_of
from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS
from warmlead.domain.history import Counts
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import MICRO
from warmlead.learning.cases import (
    Case,
    LeftOut,
    Turn,
    TurnOut,
    case_of,
    is_asked_for,
    is_confirmed,
    known_since,
    outcome_of,
    stated_later,
    turn_of,
)
from warmlead.learning.observations import Observation, Question, Worth
from warmlead.ports import LeadStore
from warmlead.ports.reporting import ReportStore
from warmlead.reporting.statistics import nearest_rank

RIPE_PERCENT = 90
"""The horizon is the time within which this share of those who reached the outcome did."""

RECENT_DAYS = 30

DERIVED = ("email", "email_domain", "free_mailbox", "title_level")
"""The facts that follow from the address and the title."""

_NOT_THEIRS = SALES_EVENTS | frozenset(AUTOMATED_EVENTS.values())
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


NO_SOURCE = "no source"
OTHER_SOURCES = "other sources"
MOST_SOURCES = 1000
"""How many sources are counted apart: anybody can make up any number of them."""


class PublicLeads(NamedTuple):
    """Ripe leads that anybody can have made up, and how many of them won: unpacked."""

    leads: int
    won: int


@dataclass(slots=True)
class Observed:
    """What was observed: it grows while leads are read, and is complete behind the last of them.

    ``horizon`` is the time within which the outcome counts; ``None``: nobody has reached it yet,
    so no lead is ripe. ``stated_later`` has of each trait in how many ripe leads only a statement
    of after the moment is known. ``public`` has the ripe leads of whom nobody but the public has
    said who they are, by the source of their first visit.
    """

    horizon: timedelta | None = None
    ripe: int = 0
    won: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    stated_later: Counter[str] = field(default_factory=Counter)
    public: dict[str, PublicLeads] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> int:
        """How many leads were looked at."""
        return self.ripe + self.left_out.total()

    def add_public(self, case: Case) -> None:
        """Counts a lead of which nobody but the public has said who it is."""
        source = origin_facts(case.lead).get("first.source") or NO_SOURCE
        if source not in self.public and len(self.public) >= MOST_SOURCES:
            source = OTHER_SOURCES
        before = self.public.get(source, PublicLeads(0, 0))
        self.public[source] = PublicLeads(before.leads + 1, before.won + case.won)


async def cases(
    store: LeadStore,
    reports: ReportStore,
    question: Question,
    now: datetime,
    observed: Observed,
) -> AsyncIterator[Case]:
    """Every ripe lead of a question, as it was known at its moment, in order of id.

    All moves are read first, and then all leads; ``observed`` is told what became of them. Raises
    ``UnavailableError``. Leads that cannot be read are left out, and named in ``observed``.
    """
    turns = await _turns(reports, now)
    if question.within is None:
        question = structs.replace(question, within=horizon_of(turns.values(), question))
    observed.horizon = question.within
    try:
        async for lead in store.leads():
            if lead.created_at > now:
                continue
            if question.within is None:
                observed.left_out[LeftOut.OPEN if lead.identified else LeftOut.ANONYMOUS] += 1
                continue
            own = [turn for id_ in lead.ids for turn in turns.get(id_, ())]
            case = case_of(lead, own, question, now)
            if isinstance(case, LeftOut):
                observed.left_out[case] += 1
                continue
            observed.ripe += 1
            observed.won += case.won
            observed.stated_later.update(stated_later(lead, case))
            if not is_confirmed(lead, own):
                observed.add_public(case)
            yield case
    except UnreadableError as error:  # raised behind all others
        observed.unreadable.update(error.problems)
        observed.left_out[LeftOut.UNREADABLE] += len(error.problems)


async def _turns(reports: ReportStore, now: datetime) -> dict[str, list[Turn]]:
    """The moves of all leads until now, by the ids under which they were recorded."""
    found: dict[str, list[Turn]] = {}
    async for lead_id, move in reports.moves(_BEFORE_ALL, now + timedelta(microseconds=1)):
        found.setdefault(lead_id, []).append(turn_of(move))
    return found


def horizon_of(lives: Iterable[Sequence[Turn]], question: Question) -> timedelta | None:
    """The time within which nine of ten of those who reached the outcome did, in whole days.

    ``None`` if nobody has. ``lives`` are the moves of persons.
    """
    waits = sorted(wait for turns in lives if (wait := _wait_ms(turns, question)) is not None)
    wait_ms = nearest_rank(waits, RIPE_PERCENT)
    return None if wait_ms is None else timedelta(days=-(-wait_ms // _DAY_MS))


_DAY_MS = 86_400_000


def _wait_ms(turns: Sequence[Turn], question: Question) -> int | None:
    """How long it took a person to reach the outcome, if the question is about such a person."""
    known_ms = known_since(turns)
    if known_ms is None or not is_asked_for(known_ms, question):
        return None
    outcome = outcome_of(turns, question.outcome, known_ms)
    if not isinstance(outcome, TurnOut) or outcome.decided_ms is None:
        return None
    wait_ms = outcome.decided_ms - known_ms
    return wait_ms if wait_ms > 0 else None


async def observe(
    store: LeadStore,
    reports: ReportStore,
    rules: Rules,
    question: Question,
    *,
    now: datetime,
    observed: Observed | None = None,
) -> AsyncIterator[Observation]:
    """Every ripe lead of a question with its score, and what made it, of then; see ``cases``."""
    told = Observed() if observed is None else observed
    async for case in cases(store, reports, question, now, told):
        yield observation_of(case, rules)


def evaluated(case: Case, rules: Rules) -> Evaluation:
    """The lead's score and facts at its moment, by what was known then, under a model."""
    return evaluation_of(case.lead, rules, case.at, known_at=case.at)


def observation_of(case: Case, rules: Rules) -> Observation:
    """The case under a model: its score, and everything that could have made it."""
    seen = evaluated(case, rules)
    today, tally = seen.day, seen.tally
    lead, totals = case.lead, seen.totals
    stated = {name for trail in lead.trails.values() for name in trail.traits} & rules.traits
    known = {name: seen.facts[name] for name in (*stated, *DERIVED) if name in seen.facts}
    names = {name: days for name, days in tally.names.items() if name not in _NOT_THEIRS}
    signals = {name: days for name, days in tally.signals.items() if name in rules.scoring.signals}
    return Observation(
        lead_id=lead.id,
        known_at=case.known_at,
        at=case.at,
        won=case.won,
        reached_at=case.reached_at,
        score=totals.score,
        engagement=totals.engagement,
        fit=totals.fit,
        days_inactive=totals.days_inactive,
        worths=_worths(seen, signals, rules),
        counts={name: sum(days.values()) for name, days in names.items()},
        recent=_recent(names, today),
        signals={name: sum(days.values()) for name, days in signals.items()},
        recent_signals=_recent(signals, today),
        facts={**known, **origin_facts(lead)},  # type: ignore[dict-item]  # as conditions see them
    )


def _worths(seen: Evaluation, signals: Counts, rules: Rules) -> Mapping[str, Worth]:
    worths: dict[str, Worth] = {}
    for name, days in signals.items():
        policy = rules.scoring.signals[name]
        kept = sum(
            count * policy.keep_micro(max(0, seen.day - day))
            for day, count in policy.counted(days).items()
        )
        if kept:
            worths[f"signal:{name}"] = kept / MICRO
    worths |= {f"bonus:{rule.name}": 1.0 for rule in seen.bonuses}
    worths |= {f"fit:{rule.name}": 1.0 for rule in seen.fit}
    return worths


def _recent(counts: Counts, today: int) -> dict[str, int]:
    """Of each label the number in the last 30 days, as ``last_30d`` counts them."""
    after = today - RECENT_DAYS
    found = {
        label: sum(count for day, count in days.items() if after < day <= today)
        for label, days in counts.items()
    }
    return {label: count for label, count in found.items() if count}
