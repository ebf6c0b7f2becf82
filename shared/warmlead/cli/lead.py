"""``warmlead lead``: lists leads, shows one, and explains its score."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import date, datetime
from typing import Annotated, TypeAlias

import typer
from rich.markup import escape
from rich.table import Table

from warmlead.application.explain import (
    ENTER_HOLDS,
    LEAVE_HOLDS,
    ExplainedContribution,
    Explanation,
    LeadView,
    as_it_stood,
    explain,
    view,
)
from warmlead.application.listing import LeadRow, find_lead, known_as, row_of, shortened
from warmlead.cli.commands import LeadCommands
from warmlead.cli.environment import place_of
from warmlead.cli.handoff import offer_in_words
from warmlead.cli.journey import journey_lines, sales_lines
from warmlead.cli.lead_lines import (
    consent_lines,
    graded,
    known_since_line,
    late_line,
    share_line,
    since,
)
from warmlead.cli.output import EXIT_MISUSE, Json, console, fail, json_list, print_json, unreadable
from warmlead.cli.output import moment as _moment
from warmlead.domain.errors import NamedOtherwiseError, UnreadableError
from warmlead.domain.event import AUTOMATED_EVENTS
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.text import one_line
from warmlead.messages.wording import unseen
from warmlead.ports import Unreadable
from warmlead.ports.listing import LeadQuery
from warmlead.runtime import backends

app = typer.Typer(
    cls=LeadCommands,
    no_args_is_help=True,
    help="""List leads, show one, and explain its score.

```text
warmlead lead list
warmlead lead explain ada@example.com
warmlead lead show ada@example.com --as-of 2026-03-31
```
""",
)

Who = Annotated[
    str, typer.Argument(metavar="WHO", help="An email, a lead id, a user id or an anonymous id.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="T",
        help="The state at this time, past or future: 2026-03-31 or 2026-03-31T09:00Z (UTC).",
    ),
]


_INITIALS = ("mql", "sql", "pql")
_AN = ("mql", "sql")  # as they are spoken
_HOW = ("anonymous", "recycled", "disqualified")

PAGE_ROWS = 100
"""How many leads of a list are read and shown together."""

MOST_NAMES = 20
"""How many traits, or names of events, a person sees, if the model does not know more."""

MOST_SHOWN = 60
"""How many characters a person sees of a value that was not understood."""

MOST_OF_VALUE = 200
"""The same of any other value."""


@app.command("list")
def list_leads(
    stage: Annotated[
        str | None, typer.Option(metavar="STAGE", help="Only leads in this stage.")
    ] = None,
    most: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="How many leads to list, those with the highest score first."
        ),
    ] = 50,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List leads with their present score, the highest first.

    The scores are computed now. The order comes from the stored scores, which may be up to five
    points off. --as-of computes the score of every lead, which takes a while if there are many.

    ```text
    warmlead lead list --stage mql --most 10
    warmlead lead list --json | jq -r '.[].email'
    ```
    """
    pages = _pages(stage, most, _moment(as_of))
    unread = asyncio.run(_printed(pages, stage, as_json=as_json))
    if unread:
        raise unreadable(UnreadableError(unread))


Pages: TypeAlias = AsyncGenerator[tuple[list[LeadRow], Mapping[str, str]]]
"""Rows of a list, some at a time; and the errors of unreadable leads, by id."""


async def _printed(pages: Pages, stage: str | None, *, as_json: bool) -> Mapping[str, str]:
    """Prints all pages; nothing stays open if the reader stops."""
    async with aclosing(pages):
        return await (_print_json_rows(pages) if as_json else _print(pages, stage))


async def _print_json_rows(pages: Pages) -> Mapping[str, str]:
    unread: dict[str, str] = {}
    with json_list() as add:
        async for rows, problems in pages:
            add(rows)
            unread |= problems
    return unread


async def _print(pages: Pages, stage: str | None) -> Mapping[str, str]:
    shown, unread = 0, dict[str, str]()
    known: dict[str, date] = {}
    learned = ""
    async for rows, problems in pages:
        for row in rows:
            learned = share_line(row.probability) if row.probability else learned
            known |= {n: max(day, known.get(n, day)) for n, day in row.known_since.items()}
        if rows:
            console.print(_table(rows, with_header=not shown))
        shown += len(rows)
        unread |= problems
    if line := known_since_line(known):
        console.print(line)
    if learned:
        console.print(f"[dim]{learned}[/]")
    if shown or unread:
        return unread
    if stage is None:
        place = escape(place_of(backends.settings()))
        console.print(f"No leads yet in {place}.", soft_wrap=True)
        console.print("Send an event: [bold]warmlead send --help[/]")
    else:
        console.print(f"No lead is in the stage {escape(stage)}.")
    return unread


def _table(rows: Sequence[LeadRow], *, with_header: bool) -> Table:
    table = Table(box=None, header_style="bold", show_header=with_header)
    table.add_column("score", justify="right", min_width=5)
    with_shares = any(row.probability for row in rows)
    if with_shares:
        table.add_column("of 100", justify="right", min_width=6)
    table.add_column("stage", min_width=9)
    table.add_column("who", overflow="fold")
    table.add_column("last active", style="dim", min_width=11)
    table.add_column("id", style="dim", no_wrap=True)
    for row in rows:
        idle = "never" if row.days_inactive is None else f"{row.days_inactive} d ago"
        table.add_row(
            escape(f"{row.score} {row.grade}".rstrip()),
            *([str(row.probability.of_100) if row.probability else ""] if with_shares else []),
            row.stage,
            escape(known_as(row)) or "(anonymous)",
            "today" if row.days_inactive == 0 else idle,
            row.id,
        )
    return table


async def _pages(stage: str | None, most: int, moment: datetime | None) -> Pages:
    """The rows of a list, some at a time: no more of them are in memory than are shown together."""
    async with backends.opened() as system:
        if moment is not None:
            yield await _as_of_rows(system, stage, most, moment)
            return
        left, last, asked = most, None, LeadQuery(stage=stage or "")
        now, rules = system.clock.now(), system.model.rules
        while left:
            page = await system.store.listed(asked, most=min(left, PAGE_ROWS), after=last)
            if not page:
                _demand_known(stage if left == most else None, system.model.rules)
                return
            leads = [each.lead for each in page]
            rows = [row_of(view(lead, rules, now)) for lead in leads if isinstance(lead, Lead)]
            unread = {lead.id: lead.problem for lead in leads if isinstance(lead, Unreadable)}
            yield sorted(rows, key=_warmest_first), unread
            left, last = left - len(page), page[-1].place


def _demand_known(stage: str | None, rules: Rules) -> None:
    """Ends the command if nobody is in a stage that the model does not know either."""
    if stage is not None and stage not in rules.stage_order:
        known = f"The stages are {', '.join(rules.stage_order)}."
        raise fail(f"There is no stage {stage!r}.", hint=known, code=EXIT_MISUSE)


async def _as_of_rows(
    system: backends.System, stage: str | None, most: int, moment: datetime
) -> tuple[list[LeadRow], Mapping[str, str]]:
    """The rows as of another time: the store knows no order of then, so every lead is scored."""
    rows: list[LeadRow] = []
    unread: Mapping[str, str] = {}
    try:
        async for lead in system.store.leads():
            if lead.created_at > moment:
                continue
            stood = await _as_of(system, lead, moment)
            row = row_of(view(stood, system.model.rules, moment, known_at=moment))
            if stage in (None, row.stage):
                rows.append(row)
            if len(rows) >= 2 * most + PAGE_ROWS:
                rows = heapq.nsmallest(most, rows, key=_warmest_first)
    except UnreadableError as error:  # raised behind all others
        unread = error.problems
    _demand_known(None if rows else stage, system.model.rules)
    return heapq.nsmallest(most, rows, key=_warmest_first), unread


def _warmest_first(row: LeadRow) -> tuple[int, str]:
    return -row.score, row.id


@app.command()
def show(who: Who, as_of: AsOf = None, as_json: Json = False) -> None:
    """Show what is known about one lead.

    Its score and stage, whether it may get mail, its journey, traits, events, where it came from.

    ```text
    warmlead lead show ada@example.com
    warmlead lead show u-42 --json
    ```
    """
    seen = asyncio.run(_view(who, _moment(as_of)))
    if as_json:
        print_json(seen)
        return
    console.print(f"[bold]{escape(_title(seen))}[/]  {seen.id}")
    base = f"{seen.base} base + " if seen.base else ""
    console.print(
        f"score [bold]{seen.score}[/] ({base}{seen.engagement} engagement + {seen.fit} fit"
        f"{graded(seen.grade)}), "
        f"stage [bold]{seen.stage}[/] {since(seen)}"
    )
    _print_lines("so far", [seen.probability.text] if seen.probability else [])
    if seen.flooding:
        console.print("[yellow]flooding: further public events go to quarantine[/]")
    for line in consent_lines(seen.consent):
        console.print(line)
    if seen.offer:
        offered = escape(offer_in_words(seen.offer, seen.as_of))
        console.print(f"[dim]sales[/]  {offered}", soft_wrap=True)
    for note in seen.notes:
        console.print(f"[dim]note[/]  {escape(note)}")
    if seen.moves:
        console.print(f"[dim]moves[/]  {escape(_path(seen))}")
    _print_pairs("alerts", seen.alerts)
    _print_lines("journey", journey_lines(seen.journey))
    _print_lines("sales", sales_lines(seen.statements))
    rules = backends.model().rules
    _print_pairs("traits", seen.traits, known=rules.traits)
    _print_not_understood(seen)
    if line := known_since_line(seen.known_since):
        console.print(line)
    _print_pairs("signals", seen.signals)
    _print_pairs("events", _seen_by_people(seen), known=rules.names)
    if seen.automated:
        console.print(f"[dim]worth nothing[/]  {unseen(seen.automated)}")
    _print_pairs("first touch", seen.first_touch)
    if seen.last_touch != seen.first_touch:
        _print_pairs("last touch", seen.last_touch)
    console.print(f"[dim]why this score: warmlead lead explain {escape(seen.email or seen.id)}[/]")


def _print_lines(heading: str, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        console.print(f"[dim]{' ' * len(heading) if number else heading}[/]  {escape(line)}")


def _title(seen: LeadView) -> str:
    return known_as(row_of(seen)) or "An anonymous visitor"


def _path(seen: LeadView) -> str:
    """The stages in which the lead was, and how often it went back or came again."""
    path = " → ".join([seen.moves[0].from_stage, *(move.to_stage for move in seen.moves)])
    again = [f"{stage} {n - 1} more" for stage, n in sorted(seen.entered.items()) if n > 1]
    times = ([f"{seen.moved_back} back"] if seen.moved_back else []) + again
    return f"{path} ({', '.join(times)})" if times else path


def _seen_by_people(seen: LeadView) -> dict[str, int]:
    unseen_events = {AUTOMATED_EVENTS[why] for why in seen.automated}
    return {name: count for name, count in seen.events.items() if name not in unseen_events}


def _print_pairs(heading: str, pairs: object, known: Collection[str] | None = None) -> None:
    """A line of names and values; with names that are ``known`` all of those, and few others."""
    if isinstance(pairs, dict) and pairs:
        names = list(pairs) if known is None else _most_telling(pairs, known)
        shown = ", ".join(f"{name} {_shown(pairs[name])}" for name in names)
        left = len(pairs) - len(names)
        more = f" [dim]and {left} more (all: --json)[/]" if left else ""
        console.print(f"[dim]{heading}[/]  {escape(shown)}{more}")


def _print_not_understood(seen: LeadView) -> None:
    """A line of the traits that the model could not read, with what stands in them."""
    if seen.not_understood:
        said = (
            f"{name} {_shown(seen.traits[name])[:MOST_SHOWN]!r}" for name in seen.not_understood
        )
        told = escape(", ".join(said))
        console.print(f"[yellow]not understood: {told}; no condition over these holds[/]")


def _most_telling(names: Iterable[str], known: Collection[str]) -> Sequence[str]:
    """The known names, and others where there are few; as they are if all of them are few."""
    every = list(names)
    if len(every) <= MOST_NAMES:
        return every
    recognised = [name for name in every if name in known]
    others = [name for name in every if name not in known]
    return [*recognised, *others[: max(0, MOST_NAMES - len(recognised))]]


def _shown(value: object) -> str:
    text = "/".join(map(str, value)) if isinstance(value, list) else str(value)
    return shortened(one_line(text), MOST_OF_VALUE)


@app.command("explain")
def explain_score(who: Who, as_of: AsOf = None, as_json: Json = False) -> None:
    """Explain a score, point by point.

    Lists every contribution, what age and limits took from it, and what is missing for the next
    stage. With --as-of in the future, shows how the score fades until then.

    ```text
    warmlead lead explain ada@example.com
    warmlead lead explain ada@example.com --as-of 2030-01-01
    ```
    """
    moment = _moment(as_of)
    seen, explained = asyncio.run(_explained(who, moment))
    if as_json:
        print_json(explained)
        return
    base = f"{seen.base} from the start, " if seen.base else ""
    console.print(
        f"[bold]{escape(_title(seen))}[/] is {as_said(explained.stage)} with a score of "
        f"[bold]{explained.score}[/]: {base}"
        f"{explained.engagement} for what they did, "
        f"{explained.fit} for what they are{graded(explained.grade)}."
    )
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(justify="right")
    table.add_column()
    for line in sorted(explained.contributions, key=_for_people):
        lowered = f"  ({line.raw_points:+d} less {', '.join(line.lowered_by)})"
        why = f"{escape(line.because)}[dim]{escape(lowered) if line.lowered_by else ''}[/]"
        table.add_row(f"{line.points:+d}", why)
    table.add_row(f"[bold]{explained.score}[/]", "[bold]score[/]")
    console.print(table)
    if explained.probability:
        told = escape(explained.probability.text)
        within = explained.probability.within_days
        console.print(f"So far, {told} within {within} days.")
    if explained.automated:
        console.print(f"[dim]Worth nothing: {unseen(explained.automated)}.[/]")
    _print_not_understood(seen)
    console.print(late_line(seen), end="")
    if not_known := known_since_line(explained.known_since):
        console.print(not_known)
    if explained.stage_because not in ("", ENTER_HOLDS):
        although = "" if explained.stage_because == LEAVE_HOLDS else " although enter does not hold"
        reason = f"Still {explained.stage}{although}: {explained.stage_because}."
        console.print(escape(reason))
    console.print(_outlook(explained))
    for told in consent_lines(explained.consent):
        console.print(told)


def as_said(stage: str) -> str:
    """A stage in a sentence: ``an MQL``, ``a lead``; an adjective has no article."""
    said = f"[bold]{escape(stage.upper() if stage in _INITIALS else stage)}[/]"
    if stage in _HOW:
        return said
    return f"{'an' if stage[0] in 'aeiou' or stage in _AN else 'a'} {said}"


def _for_people(line: ExplainedContribution) -> tuple[int, int]:
    """Signals, then limits, then fit; the largest first."""
    kinds = ["base", "signal", "group_limit", "bonus", "inactivity", "fit", "floor"]
    return kinds.index(line.kind), -abs(line.points)


def _outlook(explained: Explanation) -> str:
    ahead = explained.next_stage
    if ahead is None:
        return "[dim]No further stage depends on the score.[/]"
    if not ahead.missing:
        return (
            f"Nothing is missing for [bold]{ahead.name}[/]: the lead enters it at its next event."
        )
    missing = "\n".join(f"  - {escape(text)}" for text in ahead.missing)
    also = "".join(f"\n{escape(text)}." for text in ahead.bypasses)
    return f"Missing for [bold]{ahead.name}[/]:\n{missing}{also}"


async def _view(who: str, moment: datetime | None) -> LeadView:
    async with backends.opened() as system:
        lead = await _as_of(system, await _find(system, who), moment)
        now = moment or system.clock.now()
        moves = [m for m in await system.store.transitions(lead.id) if m.learnt_at <= now]
        return view(lead, system.model.rules, now, moves=moves, known_at=moment)


async def _explained(who: str, moment: datetime | None) -> tuple[LeadView, Explanation]:
    async with backends.opened() as system:
        lead = await _as_of(system, await _find(system, who), moment)
        now = moment or system.clock.now()
        rules = system.model.rules
        seen = view(lead, rules, now, known_at=moment)
        return seen, explain(lead, rules, now, known_at=moment)


async def _as_of(system: backends.System, lead: Lead, moment: datetime | None) -> Lead:
    if moment is None:
        return lead
    return as_it_stood(lead, await system.store.transitions(lead.id), moment)


async def _find(system: backends.System, who: str) -> Lead:
    hint = "To see the leads: warmlead lead list"
    try:
        if lead := await find_lead(system.store, system.ids, who):
            return lead
    except NamedOtherwiseError as error:
        hint = (
            f"No lead has this email. As an id of another kind, which anybody can send, it belongs "
            f"to the lead {' and '.join(error.lead_ids)}: give that id to see it."
        )
    raise fail(f"There is no lead {who!r} in {place_of(system.settings)}.", hint=hint)
