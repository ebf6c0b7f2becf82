"""``warmlead model watch``: whether the model still holds, month by month."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from warmlead.cli.output import (
    EXIT_MISUSE,
    Json,
    console,
    count_of,
    errors,
    fail,
    print_json,
    unreadable,
)
from warmlead.domain.errors import UnreadableError
from warmlead.domain.rules import Rules
from warmlead.learning.kept_looks import WatchedMonth, watched_months
from warmlead.learning.monthly_look import due
from warmlead.learning.watching import last_due, look_at, question_of
from warmlead.messages.watch import MonthlyLook, OutcomeCheck, ScoreShift
from warmlead.reporting.periods import Period, Span, read_period, span_of
from warmlead.runtime import backends
from warmlead.runtime.runs import reporting_of

Month = Annotated[
    str | None,
    typer.Option(
        metavar="MONTH", help="2026-11; by default the last one whose leads can all be judged."
    ),
]


def watch(month: Month = None, as_json: Json = False) -> None:
    """Show whether the model still holds, month by month.

    Compares the scores of the leads that became known in a month, and what became of those of the
    months that have ripened since, with what the model file states under `probability`; without
    that, with three earlier months. Keeps and publishes nothing: the function `report` does, once
    a month.

    ```text
    warmlead model watch
    warmlead model watch --month 2026-10 --json
    ```
    """
    look, others, problems = asyncio.run(_looked_at(month))
    if as_json:
        months = [{"month": e.name, "look": e.look, "outcome": e.outcome} for e in others]
        print_json({"look": look, "kept": months})
    else:
        print_look(look)
        _print_months(others)
    if problems:
        raise unreadable(UnreadableError(problems))


async def _looked_at(
    typed: str | None,
) -> tuple[MonthlyLook, Sequence[WatchedMonth], Mapping[str, str]]:
    async with backends.opened() as system:
        now, rules = system.clock.now(), system.model.rules
        month = month_of(typed, rules, now)
        problems: dict[str, str] = {}
        reporting = reporting_of(system, lambda error: problems.update(error.problems))
        with errors.status(f"looking at {month.name} …"):
            look = await look_at(reporting, month, now)
            kept = await watched_months(system.reports, rules.version, month)
        return look, kept, problems


def month_of(typed: str | None, rules: Rules, now: datetime) -> Period:
    """The month that was typed; ends the command if it is none, or its leads are too young."""
    question = question_of(rules.probability)
    if typed is None:
        return last_due(question, now)
    try:
        month = read_period(typed, now)
    except ValueError:
        month = None
    if month is None or span_of(month) is not Span.MONTH:
        hint = "Write one such as 2026-11, or last-month."
        raise fail(f"{typed!r} is not a month.", hint=hint, code=EXIT_MISUSE)
    if due(month, question) > now:
        hint = f"The last one is {last_due(question, now).name}."
        when = f"{due(month, question):%Y-%m-%d}"
        raise fail(f"The leads of {month.name} can be judged from {when} on.", hint=hint)
    return month


# --- the terminal --------------------------------------------------------------------------


def print_look(look: MonthlyLook) -> None:
    """One look in words and numbers."""
    console.print(
        f"[bold]{look.month}[/]: {count_of(look.became_known, 'lead')} became known. Model in use: "
        f"version {look.model_version}."
    )
    if look.reference:
        console.print(
            f"Compared with: {escape(look.reference)}, {count_of(look.reference_leads, 'lead')}, "
            f"of which {look.reference_won} became {escape(look.outcome)} within "
            f"{look.within_days:g} days."
        )
    for told in look.reasons:
        console.print(f"[bold red]Alarm.[/] {escape(told)}")
    if look.scores:
        _print_scores(look.scores)
    for outcome in look.outcomes:
        console.print(f"{outcome.month}: {escape(outcome_in_words(outcome, look.outcome))}")
    for told in look.missing:
        console.print(f"[dim]{escape(told)}[/]")


def _print_scores(scores: ScoreShift) -> None:
    calm = "" if scores.is_alarm else ": no alarm"
    console.print(f"Scores: PSI {scores.psi:.2f}, limit {scores.limit:.2f}{calm}.")
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("score", "reference", "this month"):
        shown.add_column(name, justify="left" if name == "score" else "right")
    of = sum(band.reference for band in scores.bands)
    start: int | None = None
    for band in scores.bands:
        cells = (f"{band.reference / of:.0%}", f"{band.leads / scores.leads:.0%}")
        shown.add_row(band_words(start, band.below), *cells)
        start = band.below
    console.print(shown)


def band_words(start: int | None, below: int | None) -> str:
    """A band of scores: ``below 20``, ``20–34``, ``35 and more``."""
    if start is None:
        return f"below {below}"
    return f"{start} and more" if below is None else f"{start}–{below - 1}"


def outcome_in_words(found: OutcomeCheck, outcome: str) -> str:
    """What became of a month's leads, beside what was expected."""
    return (
        f"{found.won} of {found.leads} leads became {outcome}; {found.expected:.0f} were expected "
        f"({found.low:.0f}–{found.high:.0f})."
    )


def _print_months(months: Sequence[WatchedMonth]) -> None:
    """What the function `report` has seen, month by month."""
    if not months:
        return
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("month", "leads", "PSI", "limit", "won", "expected", ""):
        shown.add_column(name, justify="left" if name == "month" else "right")
    for month in months:
        shown.add_row(*_cells(month))
    console.print("\n[bold]As the function report saw it[/]")
    console.print(shown)


def _cells(month: WatchedMonth) -> list[str]:
    scores, outcome = month.look.scores, month.outcome
    alarms = bool(scores and scores.is_alarm) or bool(outcome and outcome.is_alarm)
    return [
        month.name,
        f"{month.look.became_known:,}",
        f"{scores.psi:.2f}" if scores else "–",
        f"{scores.limit:.2f}" if scores else "–",
        f"{outcome.won} of {outcome.leads}" if outcome else "…",
        f"{outcome.expected:.0f} ({outcome.low:.0f}–{outcome.high:.0f})" if outcome else "…",
        "[red]alarm[/]" if alarms else "",
    ]
