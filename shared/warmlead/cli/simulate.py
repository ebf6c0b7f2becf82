"""``warmlead model simulate``: plays one lead's story forward, so that a model's author sees it."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from warmlead import backends
from warmlead.application.apply import Scoring
from warmlead.application.simulate import Story, StoryClock, simulate
from warmlead.cli.findings import print_finding
from warmlead.cli.output import EXIT_MISUSE, EXIT_WRONG, Json, console, errors, fail, print_json
from warmlead.cli.story_drawing import draw
from warmlead.cli.story_report import report_of
from warmlead.configuration import why_unreadable
from warmlead.domain.identity import LeadIds
from warmlead.model.loading import Model
from warmlead.sources.story import MAX_DAYS, Told
from warmlead.sources.story_file import GOLDEN_MONTH, read_story, ready_stories, ready_story

_SECRET = b"nobody real is in a story"


def simulate_story(
    script: Annotated[
        str,
        typer.Argument(
            metavar="SCRIPT", help="A story in YAML or JSON, or the name of a ready-made one."
        ),
    ] = GOLDEN_MONTH,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="A model file or a ready-made one; without it the one in use."
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=MAX_DAYS, help="Go on for so many days in all."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Go on to the end of this UTC day.")
    ] = None,
    *,
    show: Annotated[
        bool, typer.Option("--show", help="Print the story as it is written, and play nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Play one lead's story forward, day by day.

    Shows its scores, stages and messages. Nothing of yours is read or changed but the model: the
    story is played with the code of production on a store of its own, by a clock that stands
    still wherever something is due.

    Begin with the story that comes with Warmlead, and then make it yours:

    ```text
    warmlead model simulate
    warmlead model simulate --show > story.yaml
    warmlead model simulate story.yaml --model model.yaml
    ```

    A story says who the lead is, and what happens when, in times of UTC:

    ```text
    lead: {email: ada@example.com, traits: {employees: 120}}
    events:
      - {at: day 1 10:00, event: page_viewed, properties: {path: /pricing}}
      - {at: day 2 9:30, event: webinar_attended, times: 2}
      - {at: day 3 16:00, sales: rejected, reason: not_ready}
    ```

    Sales says `touched`, `accepted`, `rejected`, `opportunity`, `won` or `lost`, as its posts do.
    Exits with 1 if anything is wrong with the story, and names it by line and column.
    """
    text = _text(script)
    if show:
        typer.echo(text, nl=False)
        return
    chosen = backends.load_model(model or backends.settings().model)
    told = _checked(text, script, chosen)
    ends = _ends(told, days, until)
    story = asyncio.run(_play(told, ends, chosen))
    report = report_of(story, chosen.rules, about=told.about, model=chosen.name)
    if as_json:
        print_json(report)
    else:
        draw(report, console)


def _text(script: str) -> str:
    if script in ready_stories():
        return ready_story(script)
    try:
        return Path(script).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(
            f"{script}: {why_unreadable(error)}.",
            hint=f"A ready-made one to begin with: warmlead model simulate --show > story.yaml; "
            f"there are {', '.join(ready_stories())}.",
            code=EXIT_WRONG,
        ) from error


def _checked(text: str, script: str, model: Model) -> Told:
    """What the story tells; ends the command if it has faults."""
    signals = model.file.signals.values()
    read = read_story(text, known_events={name for signal in signals for name in signal.on})
    for found in read.findings:
        print_finding(found, file=script, on=errors)
    if read.told is None:
        raise typer.Exit(EXIT_WRONG)
    return read.told


def _ends(told: Told, days: int | None, until: str | None) -> datetime:
    if days is not None and until is not None:
        raise fail("--days and --until exclude each other.", code=EXIT_MISUSE)
    if days is not None:
        return told.begins + timedelta(days=days)
    if until is None:
        return told.ends
    try:
        ends = datetime.combine(date.fromisoformat(until), time(), UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        hint = "Write one such as 2026-03-31."
        raise fail(f"{until!r} is no date.", hint=hint, code=EXIT_MISUSE) from None
    if not told.begins < ends <= told.begins + timedelta(days=MAX_DAYS):
        began = f"The story begins on {told.begins:%Y-%m-%d}, and goes on for {MAX_DAYS} days."
        raise fail(f"{until} is not in the story.", hint=began, code=EXIT_MISUSE)
    return ends


async def _play(told: Told, ends: datetime, model: Model) -> Story:
    clock = StoryClock(told.begins)
    scoring = Scoring(model.rules, model.titles, LeadIds(_SECRET))
    async with backends.rehearsal(clock) as (store, bus):
        return await simulate(
            told.events, until=ends, store=store, bus=bus, scoring=scoring, clock=clock
        )
