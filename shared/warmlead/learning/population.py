"""The leads that became known in a month, judged: found by its moves, without reading others."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from warmlead.application.report import AT_ONCE, Reporting
from warmlead.domain.errors import UnreadableError
from warmlead.domain.stages import ANONYMOUS
from warmlead.learning.cases import LeftOut, case_of, turn_of
from warmlead.learning.observations import Question
from warmlead.learning.observing import evaluated
from warmlead.learning.reference import Judged
from warmlead.ports.reporting import Life
from warmlead.reporting.periods import Period

MOST_JUDGED = 4_000
"""Limit of leads of a month that are judged: with more the answer would be the same."""


class Population(Struct, frozen=True):
    """How many leads became known in a month, and those of them that were judged."""

    known: int
    judged: Sequence[Judged]


async def population(
    reporting: Reporting, month: Period, question: Question, now: datetime
) -> Population:
    """The leads of a month; it costs the month's moves, and at most ``MOST_JUDGED`` leads.

    If there are more, they are those with the first ids: an id is a hash, so they are like all.
    Leads that cannot be read, were erased, or are not ripe are left out. Raises
    ``UnavailableError``.
    """
    ids = await _became_known(reporting, month)
    asked = replace(question, since=month.start, until=month.end)
    judged: list[Judged] = []
    lives: list[Life] = []
    async for life in reporting.reports.lives(ids[:MOST_JUDGED]):
        lives.append(life)
        if len(lives) == AT_ONCE:
            judged += await _judged(reporting, lives, asked, now)
            lives.clear()
    judged += await _judged(reporting, lives, asked, now)
    return Population(len(ids), judged)


async def _became_known(reporting: Reporting, month: Period) -> list[str]:
    """The ids under which leads became known in a month, in order; reads its moves alone."""
    found = {
        lead_id
        async for lead_id, move in reporting.reports.moves(month.start, month.end)
        if move.is_move and move.from_stage == ANONYMOUS
    }
    return sorted(found)


async def _judged(
    reporting: Reporting, lives: Sequence[Life], question: Question, now: datetime
) -> list[Judged]:
    found = await asyncio.gather(*(_one(reporting, life, question, now) for life in lives))
    return [each for each in found if each]


async def _one(
    reporting: Reporting, life: Life, question: Question, now: datetime
) -> Judged | None:
    """One person, judged; ``None`` if there is nobody to judge."""
    try:
        lead = await reporting.leads.get(min(life.ids))
    except UnreadableError as error:
        reporting.on_unreadable(error)
        return None
    if lead is None:
        return None
    case = case_of(lead, [turn_of(move) for move in life.moves], question, now)
    if isinstance(case, LeftOut):
        return None
    return Judged(evaluated(case, reporting.rules).totals.score, case.won)
