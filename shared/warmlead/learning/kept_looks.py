"""The monthly looks as they are kept beside the reports, and the last year of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct
from pydantic import ValidationError

from warmlead.messages.watch import MonthlyLook, OutcomeCheck
from warmlead.ports.reporting import ReportStore
from warmlead.reporting.periods import Period, Span, last_period
from warmlead.reporting.tables import BLANK, Cell, ReportTable, TableRow, number, text

MOST_LOOKS = 20
"""Limit of looks at one month that are kept, by versions of the model; the latest ones stay."""

MONTHS = 12
"""How many months are shown beside each other."""


class KeptLook(Struct, frozen=True):
    """A look as it is kept: its JSON, and whether its alarm was published, or it has none."""

    model_version: str
    look: str
    is_told: bool


class WatchedMonth(Struct, frozen=True):
    """A month as it was looked at, and what became of its leads, if that is ripe.

    ``look`` is that of the model in force, or else of the last one that was in force.
    """

    name: str
    look: MonthlyLook
    outcome: OutcomeCheck | None


async def kept_of(reports: ReportStore, month: Period) -> list[KeptLook]:
    """The looks at a month that were kept, one a version of the model; the latest last."""
    kept = await reports.report(_key(month))
    return msgspec.json.decode(kept, type=list[KeptLook]) if kept else []


async def keep_look(reports: ReportStore, month: Period, made: KeptLook) -> None:
    """Keeps a look, in the place of the one before of the same version."""
    others = [e for e in await kept_of(reports, month) if e.model_version != made.model_version]
    await reports.keep(_key(month), msgspec.json.encode([*others, made][-MOST_LOOKS:]).decode())


def _key(month: Period) -> str:
    return f"looks-{month.name}"


async def looks_of(reports: ReportStore, month: Period) -> list[MonthlyLook]:
    """The looks at a month that were kept, one a version of the model; the latest last.

    One that a newer release kept in another form is left out.
    """
    found = []
    for kept in await kept_of(reports, month):
        with suppress(ValidationError):
            found.append(MonthlyLook.model_validate_json(kept.look))
    return found


async def watched_months(
    reports: ReportStore, version: str, last: Period, count: int = MONTHS
) -> list[WatchedMonth]:
    """The last months until a month, the latest first, as far as they were looked at.

    ``version`` is that of the model in force. Costs one read a month.
    """
    months = [last]
    while len(months) < count:
        months.append(last_period(Span.MONTH, months[-1].start))
    kept = await asyncio.gather(*(looks_of(reports, each) for each in months))
    chosen = [_chosen(looks, version) for looks in kept]
    ripened = {each.month: each for look in chosen if look for each in look.outcomes}
    return [
        WatchedMonth(month.name, look, ripened.get(month.name))
        for month, look in zip(months, chosen, strict=True)
        if look
    ]


def _chosen(looks: Sequence[MonthlyLook], version: str) -> MonthlyLook | None:
    own = [look for look in looks if look.model_version == version]
    return next(iter([*own, *reversed(looks)]), None)


def table_of(months: Sequence[WatchedMonth]) -> ReportTable:
    """The months as a table of a report, the latest first; without rows if there are none."""
    columns = ("leads", "PSI", "limit", "won", "expected", "")
    notes = [
        "PSI: how far the scores have shifted. Won: who reached the outcome; … not ripe yet.",
        "Expected: by the scores, as the model learned them.",
    ]
    rows = [TableRow(month.name, _cells(month)) for month in months]
    return ReportTable("Does the model still hold?", columns, rows, notes)


def _cells(month: WatchedMonth) -> list[Cell]:
    scores, outcome = month.look.scores, month.outcome
    is_alarm = bool(scores and scores.is_alarm) or bool(outcome and outcome.is_alarm)
    return [
        number(month.look.became_known),
        Cell(f"{scores.psi:.2f}", scores.psi) if scores else BLANK,
        Cell(f"{scores.limit:.2f}", scores.limit) if scores else BLANK,
        Cell(f"{outcome.won} of {outcome.leads}", outcome.won) if outcome else Cell("…"),
        Cell(f"{outcome.expected:.0f}", outcome.expected) if outcome else Cell("…"),
        text("alarm" if is_alarm else ""),
    ]
