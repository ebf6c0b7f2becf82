"""``warmlead triggers``: shows the messages that automation tools get, and their schemas."""

import asyncio
import json
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, JsonValue
from rich.markup import escape

from warmlead.cli.environment import place_of
from warmlead.cli.output import EXIT_MISUSE, Json, console, fail, print_json, print_json_line
from warmlead.domain.text import one_line
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.messages.contract import MESSAGES, message_schema
from warmlead.ports import Published
from warmlead.runtime import backends

POLL_S = 0.5
INSTEAD = (
    "triggers are read from a subscription of your own, as tools read them: "
    "gcloud pubsub subscriptions create my-mql --topic=mql, "
    "and then: gcloud pubsub subscriptions pull my-mql --auto-ack"
)


class TriggerRow(BaseModel):
    """One trigger: where and when it was published, and the CloudEvent itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    published_at: str
    attributes: dict[str, str]
    event: dict[str, JsonValue]


app = typer.Typer(invoke_without_command=True)


@app.callback()
def triggers(
    context: typer.Context,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing new ones (Ctrl-C ends it).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the published triggers, the oldest first.

    A trigger is a message about an MQL, another stage move, a nurture step or an offer to sales.
    --json prints one array; --json --follow prints one JSON document a line.

    ```text
    warmlead triggers --follow
    warmlead triggers --json --follow | jq .event.data.lead.email
    ```
    """
    if context.invoked_subcommand:
        return
    try:
        asyncio.run(_run(follow=follow, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def schema(
    kind: Annotated[str | None, typer.Argument(metavar="TYPE", help="The type of trigger.")] = None,
) -> None:
    """Print the JSON Schema of a type of trigger.

    Without a type, it lists all types.

    ```text
    warmlead triggers schema
    warmlead triggers schema warmlead.lead.stage_entered.v1
    ```
    """
    if kind is None:
        typer.echo("\n".join(MESSAGES))
        return
    if kind not in MESSAGES:
        known = f"The types are: {', '.join(MESSAGES)}"
        raise fail(f"{kind} is not a type of trigger.", hint=known, code=EXIT_MISUSE)
    print_json(message_schema(kind))


async def _run(*, follow: bool, as_json: bool) -> None:
    async with backends.embedded(instead=INSTEAD) as system:
        seen: dict[str, int] = {}
        rows = await _new(system, seen)
        if as_json and not follow:
            print_json([_row(published) for published in rows])
            return
        if not rows and not follow:
            place = escape(place_of(system.settings))
            console.print(f"No triggers yet in {place}.", soft_wrap=True)
            console.print("No lead has moved yet to a stage that has a trigger.")
        while True:
            for published in rows:
                if as_json:
                    print_json_line(_row(published))
                else:
                    print_trigger(_row(published))
            if not follow:
                return
            await asyncio.sleep(POLL_S)
            rows = await _new(system, seen)


async def triggers_so_far() -> list[TriggerRow]:
    """All that were published, the oldest first."""
    async with backends.embedded(instead=INSTEAD) as system:
        return [_row(published) for published in await _new(system, {})]


async def _new(system: backends.Embedded, seen: dict[str, int]) -> list[Published]:
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


def print_trigger(row: TriggerRow) -> None:
    """One trigger for a person: what became of whom, and why."""
    data = row.event.get("data")
    data = data if isinstance(data, dict) else {}
    lead = data.get("lead")
    known = lead if isinstance(lead, dict) else {}
    names = (known.get(name) for name in ("email", "user_id", "id"))
    who = one_line(str(next(filter(None, names), "?")))
    console.print(
        f"[dim]{row.published_at[:19]}[/] [bold]{row.topic}[/] {escape(who)}: "
        f"{_in_words(str(row.event.get('type')), data)}"
    )
    reasons = data.get("reasons")
    for reason in reasons if isinstance(reasons, list) else []:
        console.print(f"    {escape(str(reason))}")


def _in_words(kind: str, data: dict[str, JsonValue]) -> str:
    """What a trigger of a type says, for a person."""
    said = {name: escape(str(value)) for name, value in data.items()}
    owner, touch_by = said.get("owner") or "sales", _to_the_minute(said.get("touch_by", ""))
    match kind.removeprefix("warmlead.").rpartition(".v")[0]:
        case "nurture.step_due":
            which = f"message {said['step']} of {said['steps']} of {said['sequence']}"
            return f"[bold]{said['message']}[/] is due, {which}"
        case "handoff.offered":
            before = f", in place of offer {said['supersedes']}" if data.get("supersedes") else ""
            return f"offered to {owner} with {said['score']} points, touch by {touch_by}{before}"
        case "handoff.reminder":
            return f"{owner} is reminded: touch by {touch_by}"
        case "handoff.breached":
            return f"{owner} has missed the deadline for {said['promise'].replace('_', ' ')}"
    return (
        f"{said.get('from_stage')} → [bold]{said.get('stage')}[/] "
        f"with {said.get('score')} points, {said.get('reason')}"
    )


def _to_the_minute(time: str) -> str:
    """A time of a message for a person: ``2026-03-10 14:00 UTC``."""
    return f"{time[:16].replace('T', ' ')} UTC"
