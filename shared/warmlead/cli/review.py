"""``warmlead model review``: one page about a month, for marketing and sales to sit down with."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from msgspec import structs
from rich.markup import escape
from rich.table import Table

from warmlead.application.report import add_up
from warmlead.cli.learned_forms import (
    as_page,
    demand_folder,
    per_cent,
    spread,
    told_of_public,
    written,
)
from warmlead.cli.output import (
    EXIT_MISUSE,
    Json,
    console,
    count_of,
    fail,
    print_json,
    unreadable,
)
from warmlead.cli.questions import LeadsSeen, Page, over_leads
from warmlead.cli.watch import print_look
from warmlead.domain.errors import UnreadableError
from warmlead.learning.calibrating import Wish, calibrated, usual_limits
from warmlead.learning.calibration_report import report_of
from warmlead.learning.gates import TooFewLeadsError
from warmlead.learning.gathering import gathered
from warmlead.learning.kept_looks import looks_of
from warmlead.learning.month_review import (
    SAYS_NOTHING,
    MonthReview,
    SuggestedChange,
    answered_of,
    answers_of,
    passed_of,
    suggestion_of,
)
from warmlead.learning.monthly_look import due
from warmlead.learning.observations import Question
from warmlead.learning.watching import look_at, question_of
from warmlead.messages.watch import MonthlyLook
from warmlead.reporting.periods import Period, Span, last_period, read_period, span_of
from warmlead.runtime import backends
from warmlead.runtime.runs import reporting_of


def review(
    month: Annotated[
        str, typer.Option(metavar="MONTH", help="2026-11; by default the last month.")
    ] = "last-month",
    outcome: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE",
            help="What counts as won: customer, sql, another stage, or accepted (by sales).",
        ),
    ] = None,
    page: Page = None,
    as_json: Json = False,
) -> None:
    """Review a month: what passed, what came back, what to change.

    Shows the MQLs of the month by their score and how far they came, why sales refused leads and
    which ones, whether the model still holds, and which points calibration would change by all
    outcomes that are known today. Keeps and changes nothing.

    ```text
    warmlead model review
    warmlead model review --month 2026-10 --page review.html
    ```
    """
    demand_folder(page)
    problems: dict[str, str] = {}

    async def reviewed(leads: LeadsSeen) -> MonthReview:
        return await _review(leads, month, outcome, problems)

    asked = Question(outcome=outcome or "customer")
    made, _ = asyncio.run(over_leads(asked, reviewed, is_told=not as_json))
    if page is not None:
        written(page, as_page("review.html.j2", made, says_nothing=SAYS_NOTHING))
    if as_json:
        print_json(made)
    else:
        _print(made)
        if page is not None:
            console.print(f"\nThe page is {escape(str(page))}.", soft_wrap=True)
    if problems:
        raise unreadable(UnreadableError(problems))


async def _review(
    leads: LeadsSeen, typed: str, outcome: str | None, problems: dict[str, str]
) -> MonthReview:
    system = leads.system
    now, rules = system.clock.now(), system.model.rules
    month = _month(typed, now)
    reporting = reporting_of(system, lambda error: problems.update(error.problems))
    report = await add_up(reporting, month, now)
    question = question_of(rules.probability)
    if outcome is not None and outcome != question.outcome:
        question = structs.replace(question, outcome=outcome, within=None)
    look_from = due(month, question_of(rules.probability))
    look = await _look(leads, month, now) if look_from <= now else None
    suggested, missing = await _suggested(leads, question, now)
    accepted, _ = answered_of(report)
    return MonthReview(
        month=month.name,
        model=system.model.name,
        version=rules.version,
        as_of=now,
        became_known=report.became_known,
        mqls=report.cohort.mql_to_sql.ever.of if report.cohort else 0,
        accepted=accepted,
        rejected=sum(report.rejections.values()),
        passed=passed_of(report),
        reasons=dict(sorted(report.rejections.items(), key=lambda each: -each[1])),
        unused=sum(report.rejections.get(reason, 0) for reason in SAYS_NOTHING),
        answers=answers_of(report, rules.titles),
        look=look,
        look_from=None if look else look_from,
        suggested=suggested,
        missing=missing,
    )


def _month(typed: str, now: datetime) -> Period:
    """The month that was typed; ends the command if it is none, or not over."""
    try:
        month = read_period(typed, now)
    except ValueError:
        month = None
    if month is None or span_of(month) is not Span.MONTH:
        hint = "Write one such as 2026-11, or last-month."
        raise fail(f"{typed!r} is not a month.", hint=hint, code=EXIT_MISUSE)
    if month.end > now:
        hint = f"The last one is {last_period(Span.MONTH, now).name}."
        raise fail(f"{month.name} is not over.", hint=hint, code=EXIT_MISUSE)
    return month


async def _look(leads: LeadsSeen, month: Period, now: datetime) -> MonthlyLook:
    """The look that was kept under the model in use, or one made now."""
    system = leads.system
    kept = await looks_of(system.reports, month)
    own = [each for each in kept if each.model_version == system.model.version]
    return own[0] if own else await look_at(reporting_of(system, lambda _: None), month, now)


async def _suggested(
    leads: LeadsSeen, question: Question, now: datetime
) -> tuple[SuggestedChange | None, str]:
    """What calibration would change, or what it lacks."""
    system, model = leads.system, leads.system.model
    evidence = await gathered(
        system.store,
        system.reports,
        model,
        question,
        now=now,
        observed=leads.observed,
        progress=leads.progress,
    )
    asked = structs.replace(question, within=question.within or leads.observed.horizon)
    try:
        made = calibrated(
            backends.model_text(system.settings.model),
            model,
            evidence,
            Wish(usual_limits(model), candidates=False),
            question=asked,
            stated_later=leads.observed.stated_later,
        )
    except TooFewLeadsError as error:
        told = str(error)
        return None, f"{told[:1].upper()}{told[1:]}."
    return suggestion_of(report_of(made, model, asked, leads.observed, now)), ""


# --- the terminal --------------------------------------------------------------------------


def _print(made: MonthReview) -> None:
    console.print(
        f"[bold]{made.month}[/]: {count_of(made.became_known, 'lead')} became known, {made.mqls} "
        f"became MQLs; sales accepted {made.accepted} and sent {made.rejected} back."
    )
    if made.passed:
        console.print("\n[bold]What the bar let through[/]")
        shown = _table("score", "MQLs", "SQLs", "customers")
        for band in made.passed:
            shown.add_row(band.band, *map(str, (band.mqls, band.sqls, band.customers)))
        console.print(shown)
    _print_answers(made)
    console.print("\n[bold]Does the model still hold?[/]")
    if made.look:
        print_look(made.look)
    elif made.look_from:
        console.print(f"The leads of {made.month} can be judged from {made.look_from:%Y-%m-%d} on.")
    console.print("\n[bold]What the data would change[/]")
    _print_changes(made)


def _table(*columns: str) -> Table:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, column in enumerate(columns):
        shown.add_column(column, justify="right" if place else "left", overflow="fold")
    return shown


def _print_answers(made: MonthReview) -> None:
    if made.reasons:
        console.print("\n[bold]Why sales sent leads back[/]")
        shown = _table("reason", "leads")
        for reason, leads in made.reasons.items():
            shown.add_row(escape(reason.replace("_", " ")), str(leads))
        console.print(shown)
    if made.answers:
        console.print("\n[bold]Which leads sales sent back[/]")
        shown = _table("", "accepted", "rejected", "share accepted", "")
        for row in made.answers:
            mark = "[yellow]below the others[/]" if row.is_worse else ""
            cells = (str(row.accepted), str(row.rejected), spread(row.share), mark)
            style = "dim" if row.is_small and not row.is_worse else ""
            shown.add_row(escape(f"{row.facet} {row.name}"), *cells, style=style)
        console.print(shown)


def _print_changes(made: MonthReview) -> None:
    found = made.suggested
    if found is None:
        console.print(escape(made.missing), soft_wrap=True)
        return
    sure = "That is certain, 19 times in 20." if found.is_better else "That may be chance."
    console.print(
        f"By {count_of(found.leads, 'lead')}, of which {found.won} "
        f"({per_cent(found.won / found.leads)}) became "
        f"{escape(found.outcome)}: AUC {spread(found.auc_before, shape='.3f')} would become "
        f"{spread(found.auc_after, shape='.3f')}. {sure}",
        soft_wrap=True,
    )
    if told := told_of_public(found.public):
        console.print(f"[yellow]{escape(told)}[/]", soft_wrap=True)
    shown = _table("condition", "points", "learned", "leads", "won")
    for line in found.changes:
        before = "new" if line.before is None else f"{line.before:+d}"
        cells = (before, f"{line.after:+d}", f"{line.leads:,}", spread(line.rate))
        shown.add_row(escape(line.title), *cells)
    console.print(shown)
    console.print("To look at it as a change of the file: warmlead model calibrate", style="dim")
