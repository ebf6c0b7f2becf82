"""``warmlead replay``: rebuilds leads from the archive."""

import asyncio

from rich.progress import Progress, SpinnerColumn, TextColumn

from warmlead import backends
from warmlead.application.apply import Scoring
from warmlead.application.replay import Replayed
from warmlead.application.replay import replay as rebuild
from warmlead.cli.classification import remember_model
from warmlead.cli.output import (
    Json,
    console,
    count_of,
    end_with_failures,
    errors,
    print_json,
    unreadable_ids,
)

INSTEAD = (
    "events are archived by a BigQuery subscription of lead-events, and a replay from there is not "
    "built yet; a change of points, caps or stages needs none: warmlead model apply"
)


def replay(as_json: Json = False) -> None:
    """Rebuild every lead from the archive, under the present model.

    Needed when a model changes what an event is (a signal's `on` or `when`). Stages, the record
    of moves and sent triggers stay. It may run beside `serve`, and be stopped and run again.

    ```text
    WARMLEAD_MODEL=model.yaml warmlead replay
    ```
    """
    outcome = asyncio.run(_run())
    if as_json:
        print_json(
            {
                "events": outcome.events,
                "unreadable": outcome.unreadable,
                "leads": outcome.leads,
                "moved": outcome.moved,
                "failed": outcome.failed,
                "unreadable_leads": unreadable_ids(outcome.failures),
            }
        )
        end_with_failures(outcome.failed, outcome.failures)
        return
    console.print(
        f"{count_of(outcome.events, 'event')} read again, {count_of(outcome.leads, 'lead')} "
        f"rebuilt, another stage for {outcome.moved}."
    )
    if outcome.unreadable:
        console.print(f"{outcome.unreadable} archived messages could not be read and were skipped.")
    end_with_failures(outcome.failed, outcome.failures)


async def _run() -> Replayed:
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("reading the archive …")

        def told(events: int) -> None:
            bar.update(task, description=f"{events} events read again")

        async with (
            backends.embedded(instead=INSTEAD) as system,
            backends.scratch_store() as scratch,
        ):
            model = system.model
            outcome = await rebuild(
                archive=system.bus,
                scratch=scratch,
                store=system.store,
                bus=system.bus,
                scoring=Scoring(model.rules, model.titles, system.ids),
                clock=system.clock,
                progress=told,
            )
            remember_model(system.settings)
            return outcome
