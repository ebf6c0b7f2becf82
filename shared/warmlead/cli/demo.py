"""``warmlead demo``: one visitor's journey over real HTTP, from anonymous to MQL.

Nothing is simulated but what the visitor does: a server is started as a user would start it,
Segment's own Python SDK sends the tracking calls, and a browser's form post the form.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from warmlead import backends
from warmlead.application.explain import LeadView, view
from warmlead.cli import lead as lead_commands
from warmlead.cli.demo_backends import DemoBackend, OnEmulators, OnSqlite
from warmlead.cli.journey import EMAIL, VISITOR, journey
from warmlead.cli.output import console, fail
from warmlead.cli.processes import (
    EndedError,
    ended_by_sigterm,
    free_port,
    running,
    wait_until_it_answers,
)
from warmlead.cli.triggers import print_trigger
from warmlead.domain.identity import Identifier, Kind

PATIENCE_S = 30.0
LOOK_EVERY_S = 0.1
GRACE_S = 10.0
"""So long the server may take to end, with all that it started."""


def demo(
    backend: Annotated[
        Literal["sqlite", "gcp"],
        typer.Option(help="Where: on one SQLite file, or on Google's emulators (gcloud, Java)."),
    ] = "sqlite",
) -> None:
    """Warm up a lead from anonymous to MQL over HTTP, and show why.

    Uses a place of its own that is gone at the end; your data is not touched.

    ```text
    warmlead demo
    warmlead demo --backend gcp
    ```
    """
    os.environ["WARMLEAD_MODEL"] = "b2b-saas"
    os.environ.pop("WARMLEAD_ENV", None)
    place: DemoBackend = OnEmulators() if backend == "gcp" else OnSqlite()
    try:
        with ended_by_sigterm(), place.open(), tempfile.TemporaryDirectory() as folder:
            _serve_and_walk(place, Path(folder, "serve.log"))
    except EndedError as error:
        raise fail(str(error)) from error


def _serve_and_walk(place: DemoBackend, log: Path) -> None:
    port = free_port()
    address, base = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", str(port)]
    with running(
        "The server", [*command, *place.options], address=address, log=log, grace_s=GRACE_S
    ) as server:
        wait_until_it_answers(server)
        place.subscribe()
        _walk(base, place)


def _walk(base: str, place: DemoBackend) -> None:
    console.print(f"Serving {base} {place.serves_on}; a visitor comes by.\n", style="dim")
    expected = 0
    for step in journey():
        step.act(base)
        expected += step.events
        seen = _wait_for_events(expected)
        score = f"[bold]{seen.score:>3}[/]"
        console.print(f"{step.words:<58} {score}  {seen.stage}")
    console.print(f"\n[bold]The trigger that went out[/] ({place.triggers_from})")
    for trigger in place.triggers():
        print_trigger(trigger)
    console.print(f"\n[bold]Why[/] (warmlead lead explain {EMAIL})")
    lead_commands.explain_score(EMAIL, as_of=None, as_json=False)


def _wait_for_events(expected: int) -> LeadView:
    """The visitor's lead, as soon as so many events are counted on it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = asyncio.run(_visitor())
        if seen is not None and sum(seen.events.values()) >= expected:
            return seen
        if time.monotonic() > deadline:
            counted = f"{expected} events were sent, but not counted within {PATIENCE_S:.0f} s."
            raise fail(counted)
        time.sleep(LOOK_EVERY_S)


async def _visitor() -> LeadView | None:
    async with backends.opened() as system:
        lead = await system.store.get(system.ids.of(Identifier(Kind.ANONYMOUS, VISITOR)))
        return view(lead, system.model.rules, system.clock.now()) if lead else None
