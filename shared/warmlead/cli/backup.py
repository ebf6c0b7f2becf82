"""``warmlead backup`` and ``warmlead restore``: all data of one machine, in one file."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from warmlead.application.privacy.erase_again import erase_again, known_erasures
from warmlead.cli.output import Json, console, count_of, errors, fail, print_json
from warmlead.cli.rebuild import CLASSIFIED_BY
from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.runtime import backends
from warmlead.settings import Settings
from warmlead.stores.sqlite_backup import (
    Contents,
    carry_over_ended,
    close_for_others,
    contents_of,
    copy_whole,
    knows_its_leads,
    take_beside,
)

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file of the backup.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Move the present data aside, and take the backup.")
]

_LOGS = ("-wal", "-shm")
"""Files of SQLite beside a data file: left beside another one, they would damage it."""


def backup(file: BackupFile, as_json: Json = False) -> None:
    """Copy all data of this machine into one file.

    Leads, messages and the archive as they are at one moment. You may run it beside `serve`.
    Only you can read the file. It overwrites none. Keep WARMLEAD_ID_SECRET too, elsewhere:
    without it no lead in the backup is found.

    ```text
    warmlead backup warmlead-2026-11-30.sqlite3
    ```
    """
    using = _on_one_machine()
    source = backends.data_file(using)
    if not source.exists():
        raise fail(f"There is no data in {using.data.absolute()}.", hint="Is WARMLEAD_DATA set?")
    model = using.data / CLASSIFIED_BY
    beside = {CLASSIFIED_BY: model.read_text(encoding="utf-8")} if model.exists() else {}
    with _progress("copying …") as told:
        copy_whole(source, file, beside=beside, told=told)
    contents, fits = contents_of(file), knows_its_leads(file, backends.lead_ids(using))
    if as_json:
        print_json({"file": str(file.absolute()), **_as_json(contents), "secret_fits": fits})
        return
    size = f"{contents.size_bytes / 1_000_000:,.1f} MB"
    console.print(f"Backed up into {escape(str(file))}, {size}:", soft_wrap=True)
    _print_contents(contents)
    if fits is False:
        console.print(f"[yellow]{_OTHER_SECRET}[/] Back up the right one.", soft_wrap=True)
    else:
        console.print("Keep WARMLEAD_ID_SECRET too, elsewhere: without it no lead is found.")


def restore(file: BackupFile, replace: Replace = False, as_json: Json = False) -> None:
    """Put a backup in the place of this machine's data.

    Stop `serve` first. Present data is replaced only with --replace, and moved aside then.
    The restored data learns from it who was erased and what tools got since. What came since
    the backup is not in it: if senders repeat their requests it comes again, and counts once.

    ```text
    warmlead restore warmlead-2026-11-30.sqlite3
    warmlead restore warmlead-2026-11-30.sqlite3 --replace
    ```
    """
    using = _on_one_machine()
    contents = contents_of(file)
    if knows_its_leads(file, backends.lead_ids(using)) is False:
        raise fail(f"{file}: {_OTHER_SECRET}", hint="Set the one that was in use when it was made.")
    backends.make_data_folder(using)
    target = backends.data_file(using)
    if target.exists() and not replace:
        raise fail(
            f"There is data in {using.data.absolute()}.",
            hint="--replace moves it aside. Or set WARMLEAD_DATA to another folder.",
        )
    aside, carried = _put_in_place(file, target, using)
    if as_json:
        told = {"data": str(target.absolute()), "replaced": str(aside) if aside else None}
        known = {"erased_again": carried and carried.erasures, "sent": carried and carried.sent}
        print_json({**told, **known, **_as_json(contents)})
        return
    console.print(f"Restored into {escape(str(target.absolute()))}:", soft_wrap=True)
    _print_contents(contents)
    if carried and carried.erasures:
        console.print(f"Erased again: {count_of(carried.erasures, 'erasure')} since the backup.")
    if carried and carried.sent:
        sent = count_of(carried.sent, "message")
        console.print(f"Not to be sent again: {sent} that ended at tools since the backup.")
    if aside:
        kept = f"The data that was there is {escape(str(aside))}: delete it when all is well."
        console.print(kept, soft_wrap=True)


class _Carried(NamedTuple):
    """What the restored data was told of the time since the backup: numbers; unpacked."""

    erasures: int
    sent: int


def _put_in_place(file: Path, target: Path, using: Settings) -> tuple[Path | None, _Carried | None]:
    """Where the present data is now, and what was taken from it; ``None``: it cannot be read."""
    if target.exists():
        close_for_others(target)
    fresh = target.with_name(f"{target.name}.restoring")
    fresh.unlink(missing_ok=True)  # of a restore that was killed
    with _progress("copying …") as told:
        copy_whole(file, fresh, told=told)
    for name, text in take_beside(fresh).items():
        if name == CLASSIFIED_BY:
            (using.data / CLASSIFIED_BY).write_text(text, encoding="utf-8")
    carried = _carried_over(target, fresh, using) if target.exists() else _Carried(0, 0)
    for each in (fresh, target):
        if each.exists():
            close_for_others(each)
    aside = _moved_aside(target)
    fresh.replace(target)
    return aside, carried


def _carried_over(present: Path, fresh: Path, using: Settings) -> _Carried | None:
    """Tells the fresh data who was erased, and what tools got, since the backup.

    ``None``, with a warning, if the present data cannot be read.
    """
    try:
        erasures = asyncio.run(_erase_again(present, fresh, using))
        return _Carried(erasures, carry_over_ended(present, fresh))
    except (ConfigurationError, UnavailableError):
        errors.print(
            "[yellow]The present data cannot be read. Erase again by hand whom you have erased "
            "since the backup. Tools may get again what they have got since.[/]",
            soft_wrap=True,
        )
        return None


async def _erase_again(present: Path, fresh: Path, using: Settings) -> int:
    """Erases in the fresh data whom the present data knows as erased; returns how often."""
    ids, count = backends.lead_ids(using), 0
    async with backends.kept_in(fresh) as restored, backends.kept_in(present) as before:
        async for erasure in known_erasures(before.store):
            count += await erase_again(
                erasure,
                store=restored.store,
                archive=restored.bus,
                dispatches=restored.dispatches,
                of=ids,
            )
    return count


def _moved_aside(target: Path) -> Path | None:
    """Gives the present data, if there is any, another name; at its own place it stays for now."""
    aside = target.with_name(f"{target.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    if target.exists():
        os.link(target, aside)  # so that there is data there at every moment
    for log in _LOGS:  # of damaged data, or of data that somebody has deleted
        with suppress(FileNotFoundError):
            Path(f"{target}{log}").rename(f"{aside}{log}")
    return aside.absolute() if aside.exists() else None


_OTHER_SECRET = "The leads have ids of another WARMLEAD_ID_SECRET than the present one."  # noqa: S105  # a sentence


def _on_one_machine() -> Settings:
    using = backends.settings()
    if using.backend != "sqlite":
        instead = "Firestore has backups of its own, see docs/operate.md"
        raise ConfigurationError.one(f"WARMLEAD_BACKEND is {using.backend}:", instead)
    using.demand("id_secret")
    return using


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[float], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    is_seen = errors.is_terminal  # elsewhere the end of the bar would be an empty line
    with Progress(*columns, console=errors, transient=True, disable=not is_seen) as bar:
        task = bar.add_task(doing, total=1.0)
        yield lambda part: bar.update(task, completed=part)


def _print_contents(contents: Contents) -> None:
    until = f", until {contents.until:%Y-%m-%d %H:%M:%S} UTC" if contents.until else ""
    console.print(
        f"  {count_of(contents.leads, 'lead')}, {contents.unsent} with unsent triggers\n"
        f"  {count_of(contents.erasures, 'tombstone')} of erased people\n"
        f"  {count_of(contents.messages, 'message')} in the archive{until}\n"
        f"  {contents.waiting} yet to be worked on, {contents.given_up} given up\n"
        f"  {contents.to_tools} on the way to tools"
    )


def _as_json(contents: Contents) -> dict[str, object]:
    until = contents.until.isoformat() if contents.until else None
    return {
        "bytes": contents.size_bytes,
        "leads": contents.leads,
        "unsent": contents.unsent,
        "erasures": contents.erasures,
        "messages": contents.messages,
        "waiting": contents.waiting,
        "given_up": contents.given_up,
        "to_tools": contents.to_tools,
        "until": until,
    }
