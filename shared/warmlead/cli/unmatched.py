"""``warmlead model unmatched``: what came, and no signal wanted."""

import asyncio

from rich.markup import escape

from warmlead.application.unmatched import (
    MAX_LEADS,
    SHOWN_VALUES,
    UnmatchedEvent,
    UnmatchedReport,
    unmatched_in_archive,
    unmatched_in_histories,
)
from warmlead.cli.output import Json, console, count_of, errors, print_json
from warmlead.model.wants import wants_of
from warmlead.runtime import backends
from warmlead.runtime.archive import archive_of

SHOWN_EVENTS = 50


def unmatched(as_json: Json = False) -> None:
    """List events and values that no signal wanted.

    The most frequent come first, so that nothing is silently worth nothing. Reads the archive of
    events; where there is none, the histories of the leads. Changes nothing.

    ```text
    warmlead model unmatched
    WARMLEAD_MODEL=model.yaml warmlead model unmatched --json
    ```
    """
    report = asyncio.run(_report())
    if as_json:
        print_json(report)
        return
    _print(report)


async def _report() -> UnmatchedReport:
    async with backends.opened() as system, archive_of(system) as archive:
        wants = wants_of(system.model.plan)
        with errors.status("looking …") as status:
            if archive:
                return await unmatched_in_archive(
                    archive=archive,
                    rules=system.model.rules,
                    wants=wants,
                    ids=system.ids,
                    store=system.store,
                    progress=lambda n: status.update(f"looking … {count_of(n, 'event')}"),
                )
            return await unmatched_in_histories(
                system.store.leads(),
                wants=wants,
                progress=lambda n: status.update(f"looking … {count_of(n, 'lead')}"),
            )


def _print(report: UnmatchedReport) -> None:
    for row in report.unmatched[:SHOWN_EVENTS]:
        for line in _lines(row):
            console.print(escape(line), soft_wrap=True)
    left = len(report.unmatched) - SHOWN_EVENTS
    if left > 0:
        console.print(f"and {count_of(left, 'name')} more: see --json")
    if report.others:
        console.print(f"and {count_of(report.others, 'event')} under further names")
    console.print(_sum(report))


def _lines(row: UnmatchedEvent) -> list[str]:
    leads = count_of(row.leads, "lead") if row.leads < MAX_LEADS else f"{MAX_LEADS} leads or more"
    times = count_of(row.times, "time")
    lines = [f"{row.event}  {times}, {leads}, last on {row.last_seen:%Y-%m-%d}"]
    if row.signals:
        public = f" ({row.public} of them public)" if row.public else ""
        lines.append(f"    conditions do not hold{public}: {', '.join(row.signals)}")
    if row.like:
        lines.append(f"    did you mean {row.like}?")
    for value in row.values[:SHOWN_VALUES]:
        like = f', like "{value.like}"' if value.like else ""
        lines.append(f'    {value.property}: "{value.value}" {count_of(value.times, "time")}{like}')
    if len(row.values) > SHOWN_VALUES:
        lines.append(f"    and {count_of(len(row.values) - SHOWN_VALUES, 'value')} more")
    return lines


def _sum(report: UnmatchedReport) -> str:
    where = "in the archive" if report.source == "archive" else "in the last 31 days"
    text = f"{count_of(report.events, 'event')} {where}, {report.matched} matched"
    if report.automated:
        text += f", {report.automated} of programs"
    times = sum(row.times for row in report.unmatched) + report.others
    text += f", {times} that no signal wanted."
    if report.source == "histories" and times:
        text += " Values are not kept with the leads: the archive has them."
    return text
