"""``warmlead destination``: shows, tries and repairs the tools that messages are sent to."""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

import warmlead
from warmlead.application.deliver import outgoing_of
from warmlead.application.explain import Shape
from warmlead.application.redeliver import dispatches_in, revive
from warmlead.cli.output import EXIT_MISUSE, Json, console, count_of, fail, print_json
from warmlead.destinations.selection import kinds_of, short_kind
from warmlead.domain.dispatch import (
    AttemptResult,
    Circuit,
    Declined,
    DispatchState,
    Gone,
    Postponed,
    Sent,
    Skipped,
)
from warmlead.messages.contract import MESSAGES, example_name
from warmlead.ports.dispatching import (
    Destination,
    DispatchStore,
    KeptDispatch,
    OutgoingMessage,
    UnansweredError,
    UnreachedError,
    UnreadableDispatch,
)
from warmlead.runtime import backends
from warmlead.runtime.runs import read_destinations
from warmlead.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""Show, try and repair the tools that messages are sent to.

They are the sections of the file of WARMLEAD_DESTINATIONS.

```text
warmlead destination check destinations.yaml
warmlead destination test zapier
warmlead destination list
```
""",
)

MOST_SHOWN = 100
"""How many dead messages a table shows."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="The destination's name in the file.")]


class DestinationRow(Shape):
    """How one destination fares."""

    name: str
    state: str
    sent: int
    waiting: int
    skipped: int
    dead: int
    unreadable: int
    why: str


class DeadRow(Shape):
    """A message that was given up; ``id`` is what ``replay`` takes.

    Of one that cannot be read only the id and the problem are known.
    """

    id: str
    kind: str
    lead_id: str
    attempts: int
    ended_at: str
    why: str


@app.command()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The file; by default that of WARMLEAD_DESTINATIONS.",
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Check a file of destinations, and say what each will get.

    Secrets stand in it as env:NAME; their variables must be set.

    ```text
    warmlead destination check destinations.yaml
    ```
    """
    from msgspec.structs import replace  # noqa: PLC0415  # only here

    using = backends.settings()
    if file is not None:
        using = replace(using, destinations=file)
    made = _configured(using)
    table = Table(box=None, header_style="bold")
    for heading in ("destination", "messages", "only if"):
        table.add_column(heading)
    for name, each in made.items():
        wanted = [short_kind(kind) for kind in MESSAGES if kind in each.kinds]
        table.add_row(escape(name), ", ".join(wanted), escape(each.condition))
    console.print(table)
    console.print("[dim]The file is valid. To try one: warmlead destination test NAME[/]")


@app.command("list")
def list_destinations(as_json: Json = False) -> None:
    """List the destinations, and how each fares.

    open: messages are sent. resting: it has failed, and is tried again later. disabled: it said
    that it wants no more. removed: the file has it no longer; after three days what waits for it
    is given up. dead messages were given up, and wait for a person.

    ```text
    warmlead destination list
    ```
    """
    rows = asyncio.run(_rows())
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, header_style="bold")
    for heading in ("destination", "state", "sent", "waiting", "skipped", "dead", "last error"):
        table.add_column(heading)
    for row in rows:
        numbers = map(str, (row.sent, row.waiting, row.skipped, row.dead + row.unreadable))
        table.add_row(escape(row.name), row.state, *numbers, escape(row.why))
    console.print(table)
    if any(row.dead or row.unreadable for row in rows):
        console.print("[dim]to see the dead: warmlead destination dead NAME[/]")


async def _rows() -> list[DestinationRow]:
    made = _configured(backends.settings())
    async with backends.opened() as system:
        store, now = system.dispatches, system.clock.now()
        removed = [name for name in await store.destinations() if name not in made]
        rows = [await _row(name, store, now) for name in made]
        return rows + [await _row(name, store, now, removed=True) for name in removed]


async def _row(
    name: str, store: DispatchStore, now: datetime, *, removed: bool = False
) -> DestinationRow:
    circuit, counts = await store.circuit(name), await store.counts(name)
    return DestinationRow(
        name=name,
        state="removed" if removed else _state(circuit, now),
        sent=counts[DispatchState.SENT],
        waiting=counts[DispatchState.WAITING] + counts[DispatchState.SENDING],
        skipped=counts[DispatchState.SKIPPED],
        dead=counts[DispatchState.DEAD],
        unreadable=counts[DispatchState.UNREADABLE],
        why=circuit.why,
    )


def _state(circuit: Circuit, now: datetime) -> str:
    if circuit.disabled_at:
        return f"disabled since {circuit.disabled_at:%Y-%m-%d %H:%M}"
    if until := circuit.rests_until(now):
        return f"resting until {until:%Y-%m-%d %H:%M}"
    return "enabled"


@app.command()
def dead(name: Name, as_json: Json = False) -> None:
    """List the messages for a destination that were given up.

    Also those that cannot be read, and those for a destination that was removed from the file.

    ```text
    warmlead destination dead zapier
    ```
    """
    rows = [_dead_row(each) for each in asyncio.run(_dead(name))]
    if as_json:
        print_json(rows)
        return
    if not rows:
        console.print(f"No message for {escape(name)} was given up.")
        return
    table = Table(box=None, header_style="bold")
    for heading in ("id", "message", "lead", "attempts", "given up", "why"):
        table.add_column(heading)
    for row in rows[:MOST_SHOWN]:
        shown = (row.id, short_kind(row.kind), row.lead_id, str(row.attempts), row.ended_at[:19])
        table.add_row(*map(escape, (*shown, row.why)))
    console.print(table)
    if more := len(rows[MOST_SHOWN:]):
        console.print(f"{more} more are not shown; --json prints all {len(rows)}.")
    console.print(f"[dim]once the cause is mended: warmlead destination replay {escape(name)}[/]")


async def _dead(name: str) -> list[KeptDispatch]:
    made = _configured(backends.settings())
    async with backends.opened() as system:
        store = system.dispatches
        if name not in {*made, *await store.destinations()}:
            _demand(name)
        states = (DispatchState.DEAD, DispatchState.UNREADABLE)
        return [each for state in states async for each in dispatches_in(name, state, store)]


def _dead_row(dispatch: KeptDispatch) -> DeadRow:
    if isinstance(dispatch, UnreadableDispatch):
        why = f"it cannot be read: {dispatch.problem}"
        return DeadRow(id=dispatch.id, kind="", lead_id="", attempts=0, ended_at="", why=why)
    return DeadRow(
        id=dispatch.id,
        kind=dispatch.kind,
        lead_id=dispatch.lead_id,
        attempts=dispatch.attempts,
        ended_at=dispatch.ended_at.isoformat() if dispatch.ended_at else "",
        why=dispatch.why,
    )


@app.command()
def replay(
    name: Name,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="The messages' ids; by default all that were given up."),
    ] = None,
) -> None:
    """Send messages again that were given up, with the same ids.

    First mend the cause. They are sent by serve within seconds, in the cloud by redeliver within a
    minute.

    ```text
    warmlead destination replay zapier
    warmlead destination replay zapier 7a1f4b0c2d3e4f50
    ```
    """
    revived = asyncio.run(_revive(name, ids or None))
    console.print(f"{count_of(revived, 'message')} will be sent again.")
    if ids and revived < len(set(ids)):
        raise fail("Not all of the ids were those of messages that were given up.")


async def _revive(name: str, ids: Sequence[str] | None) -> int:
    _demand(name)
    async with backends.opened() as system:
        return await revive(name, ids, system.dispatches, system.clock.now())


@app.command()
def enable(name: Name) -> None:
    """Enable a destination that said it wants no more, or that rests.

    What was given up meanwhile stays so: replay sends it again.

    ```text
    warmlead destination enable zapier
    warmlead destination replay zapier
    ```
    """
    dead_count = asyncio.run(_enable(name))
    console.print(f"{escape(name)} is enabled.")
    if dead_count:
        count = count_of(dead_count, "message")
        hint = f"to send them again: warmlead destination replay {escape(name)}"
        console.print(f"{count} had been given up. [dim]{hint}[/]")


async def _enable(name: str) -> int:
    _demand(name)
    async with backends.opened() as system:
        store = system.dispatches
        await store.change_circuit(name, lambda circuit: circuit.enabled())
        return (await store.counts(name))[DispatchState.DEAD]


@app.command("test")
def try_it(
    name: Name,
    message: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Which message, such as lead.alerted; by default one that it wants.",
        ),
    ] = None,
) -> None:
    """Send an example to a destination, once, and say what became of it.

    The example is about Ada Lovelace, ada@example.com, who does not exist. Nothing is kept of it,
    and it is not repeated.

    ```text
    warmlead destination test zapier
    warmlead destination test zapier --message handoff.offered
    ```
    """
    destination = _demand(name)
    example = _chosen(destination, message)
    result, problem = asyncio.run(_try(destination, example))
    kind = short_kind(example.kind)
    if problem:
        raise fail(f"{name} was not reached: {problem}.")
    match result:
        case Sent():
            made = f" It is {result.reference} there." if result.reference else ""
            console.print(f"{escape(name)} has taken an example of {kind}.{escape(made)}")
        case Skipped(why=why):
            console.print(f"{escape(name)} had nothing to do with an example of {kind}: {why}.")
        case Postponed(why=why):
            raise fail(f"{name} did not take it: {why}.", hint="A real one would be sent again.")
        case Declined(why=why) | Gone(why=why):
            raise fail(f"{name} refuses an example of {kind}: {why}.")


async def _try(
    destination: Destination, message: OutgoingMessage
) -> tuple[AttemptResult | None, str]:
    try:
        return await destination.send(message, datetime.now(UTC)), ""
    except (UnreachedError, UnansweredError) as error:
        return None, error.message


def _chosen(destination: Destination, named: str | None) -> OutgoingMessage:
    """An example of the kind that is named, or of the first that the destination wants."""
    if named:
        try:
            (kind,) = kinds_of([named])
        except KeyError:
            known = ", ".join(map(short_kind, MESSAGES))
            raise fail(f"{named} is no message; there are {known}.", code=EXIT_MISUSE) from None
        return _example(kind)
    examples = map(_example, MESSAGES)
    wanted = next((each for each in examples if destination.wants(each)), None)
    if wanted is None:
        hint = "Name one with --message, to try all the same."
        raise fail("The destination wants none of the examples.", hint=hint)
    return wanted


@app.command()
def setup(name: Name) -> None:
    """Create what a destination needs, such as a CRM's fields.

    ```text
    warmlead destination setup hubspot
    ```
    """
    created = asyncio.run(_demand(name).setup())
    for each in created:
        console.print(f"created {escape(each)}")
    if not created:
        console.print(f"{escape(name)} needs nothing, or has it already.")


def _configured(using: Settings) -> Mapping[str, Destination]:
    """The destinations; ends the command if there are none."""
    made = read_destinations(using)
    if not made:
        hint = "WARMLEAD_DESTINATIONS names the file; docs/destinations.md says what is in it."
        raise fail("There are no destinations.", hint=hint)
    return made


def _demand(name: str) -> Destination:
    """The destination of this name; ends the command if there is none."""
    made = _configured(backends.settings())
    if name not in made:
        raise fail(f"There is no destination {name}.", hint=f"The file has {', '.join(made)}.")
    return made[name]


def _example(kind: str) -> OutgoingMessage:
    """The example of a kind of message, with a fresh id, so that no tool takes it for a repeat."""
    found = json.loads((_examples() / example_name(kind)).read_text(encoding="utf-8"))
    found["id"] = f"test-{uuid.uuid4().hex}"
    return outgoing_of(json.dumps(found, ensure_ascii=False).encode())


def _examples() -> Path:
    """The folder of examples: in the package when installed, in the docs of a checkout."""
    package = Path(warmlead.__file__).parent
    installed = package / "messages" / "published"
    return installed if installed.exists() else package.parent.parent / "docs" / "messages"
