"""``warmlead lead``: who the leads are, and why each has its score."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict
from rich.markup import escape
from rich.table import Table

from warmlead import backends
from warmlead.application.explain import (
    ExplainedContribution,
    Explanation,
    LeadView,
    as_it_stood,
    explain,
    view,
)
from warmlead.cli.as_of import moment as _moment
from warmlead.cli.output import Json, console, fail, print_json
from warmlead.domain.identity import Identifier, Kind, normalise_email
from warmlead.domain.lead import Lead

app = typer.Typer(no_args_is_help=True, help="Who the leads are, and why each has its score.")

Who = Annotated[
    str, typer.Argument(metavar="WHO", help="An e-mail, a lead id, a user id or an anonymous id.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="T",
        help="As it was, or will be, at this time: 2026-03-31 or 2026-03-31T09:00Z (UTC).",
    ),
]


class LeadRow(BaseModel):
    """One lead in a list."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    email: str | None
    name: str | None
    stage: str
    score: int
    engagement: int
    fit: int
    days_inactive: int | None


@app.command("list")
def list_leads(
    stage: Annotated[str | None, typer.Option(help="Only leads in this stage.")] = None,
    most: Annotated[int, typer.Option(min=1, help="At most so many, the warmest first.")] = 50,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """List leads with their score as of now, the warmest first."""
    rows = asyncio.run(_rows(stage, _moment(as_of)))[:most]
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print("No leads yet. Send an event: [bold]warmlead send --help[/]")
        return
    table = Table(box=None, header_style="bold")
    table.add_column("score", justify="right")
    table.add_column("stage")
    table.add_column("who", overflow="fold")
    table.add_column("last active", style="dim")
    table.add_column("id", style="dim", no_wrap=True)
    for row in rows:
        who = " ".join(escape(part) for part in (row.name, row.email and f"<{row.email}>") if part)
        idle = "never" if row.days_inactive is None else f"{row.days_inactive} d ago"
        table.add_row(
            str(row.score),
            row.stage,
            who or "(anonymous)",
            "today" if row.days_inactive == 0 else idle,
            row.id,
        )
    console.print(table)


async def _rows(stage: str | None, moment: datetime | None) -> list[LeadRow]:
    async with backends.opened() as system:
        now = moment or system.clock.now()
        rules = system.model.rules
        leads = [lead async for lead in system.store.leads() if lead.created_at <= now]
        views = [
            view(await _as_of(system, lead, moment), rules, now, known_at=moment) for lead in leads
        ]
    chosen = [seen for seen in views if stage in (None, seen.stage)]
    chosen.sort(key=lambda seen: (-seen.score, seen.id))
    return [
        LeadRow(
            id=seen.id,
            email=seen.email,
            name=_name(seen),
            stage=seen.stage,
            score=seen.score,
            engagement=seen.engagement,
            fit=seen.fit,
            days_inactive=seen.days_inactive,
        )
        for seen in chosen
    ]


def _name(seen: LeadView) -> str | None:
    parts = [seen.traits.get("first_name"), seen.traits.get("last_name")]
    full = " ".join(str(part) for part in parts if part)
    name = seen.traits.get("name") or full
    return str(name) if name else None


@app.command()
def show(who: Who, as_of: AsOf = None, as_json: Json = False) -> None:
    """Show what is known of one lead: score, stage, traits, what it did."""
    seen = asyncio.run(_view(who, _moment(as_of)))
    if as_json:
        print_json(seen)
        return
    console.print(f"[bold]{escape(_title(seen))}[/]  {seen.id}")
    console.print(
        f"score [bold]{seen.score}[/] ({seen.engagement} did + {seen.fit} is), "
        f"stage [bold]{seen.stage}[/] since {seen.stage_since:%Y-%m-%d %H:%M} UTC"
    )
    if seen.flooding:
        console.print("[yellow]flooding: further public events go to quarantine[/]")
    for note in seen.notes:
        console.print(f"[dim]note[/]  {escape(note)}")
    if seen.moves:
        console.print(f"[dim]moves[/]  {escape(_journey(seen))}")
    _print_pairs("traits", seen.traits)
    _print_pairs("signals", seen.signals)
    _print_pairs("events", seen.events)
    _print_pairs("first touch", seen.first_touch)
    console.print(f"[dim]why this score: warmlead lead explain {escape(seen.email or seen.id)}[/]")


def _title(seen: LeadView) -> str:
    email = f"<{seen.email}>" if seen.email else None
    return " ".join(p for p in (_name(seen), email or seen.user_id) if p) or "An anonymous visitor"


def _journey(seen: LeadView) -> str:
    """The stages in which the lead was, and how often it went back or came again."""
    path = " → ".join([seen.moves[0].from_stage, *(move.to_stage for move in seen.moves)])
    again = [f"{stage} {n - 1} more" for stage, n in sorted(seen.entered.items()) if n > 1]
    times = ([f"{seen.moved_back} back"] if seen.moved_back else []) + again
    return f"{path} ({', '.join(times)})" if times else path


def _print_pairs(heading: str, pairs: object) -> None:
    if isinstance(pairs, dict) and pairs:
        shown = ", ".join(f"{name} {_shown(value)}" for name, value in pairs.items())
        console.print(f"[dim]{heading}[/]  {escape(shown)}")


def _shown(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)


@app.command("explain")
def explain_score(who: Who, as_of: AsOf = None, as_json: Json = False) -> None:
    """Explain a score: every contribution, what was taken, and what the next stage lacks."""
    moment = _moment(as_of)
    seen, explained = asyncio.run(_explained(who, moment))
    if as_json:
        print_json(explained)
        return
    article = "an" if explained.stage[0] in "aeiou" or explained.stage in {"mql", "sql"} else "a"
    stage = explained.stage.upper() if explained.stage in {"mql", "sql", "pql"} else explained.stage
    console.print(
        f"[bold]{escape(_title(seen))}[/] is {article} [bold]{stage}[/] with a score of "
        f"[bold]{explained.score}[/]: {explained.engagement} for what they did, "
        f"{explained.fit} for what they are."
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
    console.print(_outlook(explained))


def _for_people(line: ExplainedContribution) -> tuple[int, int]:
    """What was done, then its limits, then what the lead is; the weightiest first."""
    kinds = ["signal", "group_limit", "inactivity", "fit", "floor"]
    return kinds.index(line.kind), -abs(line.points)


def _outlook(explained: Explanation) -> str:
    ahead = explained.next_stage
    if ahead is None:
        return "[dim]There is no further stage that a score decides.[/]"
    if not ahead.missing:
        return f"Nothing is missing for [bold]{ahead.name}[/]: it is entered at the next event."
    missing = "\n".join(f"  - {escape(text)}" for text in ahead.missing)
    return f"Missing for [bold]{ahead.name}[/]:\n{missing}"


async def _view(who: str, moment: datetime | None) -> LeadView:
    async with backends.opened() as system:
        lead = await _as_of(system, await _find(system, who), moment)
        now = moment or system.clock.now()
        moves = [m for m in await system.store.transitions(lead.id) if m.at <= now]
        return view(lead, system.model.rules, now, moves=moves, known_at=moment)


async def _explained(who: str, moment: datetime | None) -> tuple[LeadView, Explanation]:
    async with backends.opened() as system:
        lead = await _as_of(system, await _find(system, who), moment)
        now = moment or system.clock.now()
        rules, titles = system.model.rules, system.model.titles
        seen = view(lead, rules, now, known_at=moment)
        return seen, explain(lead, rules, titles, now, known_at=moment)


async def _as_of(system: backends.System, lead: Lead, moment: datetime | None) -> Lead:
    if moment is None:
        return lead
    return as_it_stood(lead, await system.store.transitions(lead.id), moment)


async def _find(system: backends.System, who: str) -> Lead:
    for lead_id in _candidates(who, system):
        if lead := await system.store.get(lead_id):
            return lead
    raise fail(f"There is no lead {who!r}.", hint="warmlead lead list shows who there is.")


def _candidates(who: str, system: backends.System) -> Sequence[str]:
    named = [Identifier(kind, who) for kind in (Kind.USER, Kind.ANONYMOUS)]
    if email := normalise_email(who):
        named.insert(0, Identifier(Kind.EMAIL, email))
    return [*map(system.ids.of, named), who.lower()]
