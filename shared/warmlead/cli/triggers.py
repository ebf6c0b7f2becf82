"""``warmlead triggers``: what automation tools were told."""

import asyncio
import json
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, JsonValue
from rich.markup import escape

from warmlead import wiring
from warmlead.cli.output import Json, console, print_json, print_json_line
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.ports import Published

POLL_S = 0.5


class TriggerRow(BaseModel):
    """One trigger: where and when it was published, and the CloudEvent itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    published_at: str
    attributes: dict[str, str]
    event: dict[str, JsonValue]


def triggers(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing new ones (Ctrl-C ends it).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the triggers that were published: MQLs, and moves between stages.

    With --json one array; with --json --follow one JSON document a line.
    """
    try:
        asyncio.run(_run(follow=follow, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _run(*, follow: bool, as_json: bool) -> None:
    async with wiring.embedded() as system:
        seen: dict[str, int] = {}
        rows = await _new(system, seen)
        if as_json and not follow:
            print_json([_row(published) for published in rows])
            return
        if not rows and not follow:
            console.print("No triggers yet: no lead has moved to a stage that tools are told of.")
        while True:
            for published in rows:
                if as_json:
                    print_json_line(_row(published))
                else:
                    _print(_row(published))
            if not follow:
                return
            await asyncio.sleep(POLL_S)
            rows = await _new(system, seen)


async def _new(system: wiring.Embedded, seen: dict[str, int]) -> list[Published]:
    """The triggers published since the last call, over all topics, in their order."""
    found: list[Published] = []
    for topic in TRIGGER_TOPICS:
        async for published in system.bus.read(topic, after=seen.get(topic, 0)):
            found.append(published)
            seen[topic] = published.number
    return sorted(found, key=lambda published: published.number)


def _row(published: Published) -> TriggerRow:
    return TriggerRow(
        topic=published.topic,
        published_at=published.at.isoformat(),
        attributes=dict(published.message.attributes),
        event=json.loads(published.message.body),
    )


def _print(row: TriggerRow) -> None:
    data = row.event.get("data")
    data = data if isinstance(data, dict) else {}
    lead = data.get("lead")
    who = (lead.get("email") or lead.get("id")) if isinstance(lead, dict) else "?"
    console.print(
        f"[dim]{row.published_at[:19]}[/] [bold]{row.topic}[/] {escape(str(who))}: "
        f"{data.get('from_stage')} → [bold]{data.get('stage')}[/] with {data.get('score')} points, "
        f"{escape(str(data.get('reason')))}"
    )
    reasons = data.get("reasons")
    for reason in reasons if isinstance(reasons, list) else []:
        console.print(f"    {escape(str(reason))}")
