"""The options of all commands that learn from outcomes: which leads, and what counts as won."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from warmlead.cli.learned_forms import TO_KNOW_IT, told_of_public, told_of_unknown
from warmlead.cli.output import EXIT_MISUSE, console, count_of, errors, fail
from warmlead.domain.rules import Rules
from warmlead.learning.backtest import public_of
from warmlead.learning.cases import LeftOut
from warmlead.learning.gates import TooFewLeadsError
from warmlead.learning.observations import ACCEPTED, Question
from warmlead.learning.observing import Observed
from warmlead.model.loading import Model
from warmlead.model.values import parse_duration
from warmlead.runtime import backends

Outcome = Annotated[
    str,
    typer.Option(
        metavar="STAGE",
        help=f"What counts as won: customer, sql, another stage, or {ACCEPTED} (by sales).",
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="Only leads that became known from then on (UTC)."),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="DATE", help="Only leads that became known before then (UTC)."),
]
After = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="How long after it became known a lead is judged; earlier, if it was won earlier.",
    ),
]
Within = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="The time in which a lead can be won, since it became known; by default the time "
        "that nine of ten winners took.",
    ),
]
AsIfNone = Annotated[
    bool,
    typer.Option(
        "--as-if-none",
        help="Judge leads too of whom the model counts what their history does not know.",
    ),
]


class TrustedLeads(StrEnum):
    """Which leads are learned from: any, or those that the public alone cannot have made up."""

    ANY = "any"
    SIGNED = "signed"


Trusted = Annotated[
    TrustedLeads,
    typer.Option(
        "--trust",
        help="signed: leave out leads that anybody can have made up, because only the public has "
        "said who they are.",
    ),
]

Page = Annotated[
    Path | None, typer.Option(metavar="PAGE.html", help="Write a page that can be printed.")
]

IN_USE = "in-use"
"""The name that stands for the model in the settings."""

TOO_FEW_HINT = (
    "Ask for a longer time or an earlier outcome: --from, --to, --within 30d, --outcome sql."
)


def question_of(
    outcome: str,
    since: str | None,
    until: str | None,
    after: str,
    within: str | None,
    *,
    trust: TrustedLeads = TrustedLeads.ANY,
) -> Question:
    """The question that was typed; ends the command if it cannot be understood."""
    return Question(
        outcome=outcome,
        since=_day("--from", since),
        until=_day("--to", until),
        after=read_time("--after", after),
        within=None if within is None else read_time("--within", within),
        confirmed=trust is TrustedLeads.SIGNED,
    )


def model_named(name: str) -> Model:
    """The model in use, a ready-made one, or that of a file."""
    return backends.model() if name == IN_USE else backends.load_model(name)


def demand_known(outcome: str, rules: Rules) -> None:
    """Ends the command if no lead can ever reach the outcome."""
    if outcome != ACCEPTED and outcome not in rules.stage_order:
        known = f"The stages are {', '.join(rules.stage_order)}; or write {ACCEPTED}."
        raise fail(f"There is no stage {outcome!r}.", hint=known, code=EXIT_MISUSE)


def _day(option: str, typed: str | None) -> datetime | None:
    if typed is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(typed), time(), UTC)
    except ValueError:
        hint = "Write one such as 2026-03-31."
        raise fail(f"{option}: {typed!r} is not a date.", hint=hint, code=EXIT_MISUSE) from None


def read_time(option: str, typed: str) -> timedelta:
    """The time that an option states; ends the command if it states none."""
    try:
        length = parse_duration(typed)
    except ValueError as error:
        raise fail(f"{option}: {error}.", code=EXIT_MISUSE) from None
    if not length:
        raise fail(f"{option} must be longer than 0.", code=EXIT_MISUSE)
    return length


@dataclass(frozen=True)
class LeadsSeen:
    """The leads of a command that looks at all of them: where they are, and what is seen of them.

    Whoever looks tells ``progress`` how many it has seen.
    """

    system: backends.System
    observed: Observed
    progress: Callable[[int], None]


T = TypeVar("T")


async def over_leads(
    question: Question, look: Callable[[LeadsSeen], Awaitable[T]], *, is_told: bool
) -> tuple[T, Observed]:
    """What is found by looking at all leads, with what was seen of them.

    Ends the command if there are too few; ``is_told``: with what was left out.
    """
    observed = Observed()
    with looking() as bar:
        task = bar.add_task("looking at leads", total=None)

        def progress(leads: int) -> None:
            bar.update(task, description=f"looking at leads … {leads:,}")

        async with backends.opened() as system:
            demand_known(question.outcome, system.model.rules)
            try:
                return await look(LeadsSeen(system, observed, progress)), observed
            except TooFewLeadsError as error:
                bar.stop()
                if is_told:
                    print_left_out(observed)
                raise fail(f"{error}.", hint=_hint(error, question, observed)) from error


def _hint(error: TooFewLeadsError, question: Question, observed: Observed) -> str:
    if error.unknown:
        return f"{TO_KNOW_IT} {_OR_AS_IF_NONE}"
    if observed.seen and observed.horizon is None:
        return (
            f"Nobody has reached {question.outcome} yet, so nobody knows how long that takes. Name "
            "an earlier outcome, such as --outcome sql, or the time that a lead has: --within 90d."
        )
    return TOO_FEW_HINT


_OR_AS_IF_NONE = "Or judge them as if they had done nothing of it: --as-if-none."


def looking() -> Progress:
    """The bar of a command that looks at every lead; on a terminal alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def print_left_out(observed: Observed) -> None:
    """Says which leads are not judged, and why."""
    for why, leads in sorted(observed.left_out.items(), key=lambda item: -item[1]):
        console.print(f"[dim]left out: {count_of(leads, 'lead')}, {escape(LeftOut(why).words)}[/]")
    if told := told_of_public(public_of(observed)):
        console.print(f"[yellow]{escape(told)}[/]", soft_wrap=True)


def print_unknown(gaps: Mapping[str, Mapping[str, int]], left: int) -> None:
    """Says loudly what histories do not know of models, by their names, and what to do about it.

    ``left`` leads are left out for that; if none are, what is not known counts as none.
    """
    for model, unknown in gaps.items():
        if unknown:
            told = f"Not known of the past, for {model}: {told_of_unknown(unknown)}."
            console.print(f"[bold yellow]{escape(told)}[/]", soft_wrap=True)
    if left:
        what = f"{count_of(left, 'lead')} left out for that."
        console.print(f"[bold yellow]{what}[/] {TO_KNOW_IT} {_OR_AS_IF_NONE}", soft_wrap=True)
    elif any(gaps.values()):
        console.print(f"[yellow]It counts as none here.[/] {TO_KNOW_IT}", soft_wrap=True)
