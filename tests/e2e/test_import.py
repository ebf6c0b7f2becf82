"""``warmlead import`` by the command: the same on both backends, and after kills."""

import asyncio
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from builders import StandingClock, an_event
from commands import command
from patience import PATIENCE_S
from warmlead.application.apply import Scoring, apply
from warmlead.buses.topology import create_topology
from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition
from warmlead.runtime import backends
from warmlead.settings import read_settings

pytestmark = pytest.mark.slow

MAPPING = Path(__file__).parents[2] / "docs/import/mapping.yaml"
FIRST_DAY = date(2025, 1, 1)
DAYS = 150
WEEKS = 20
ALIVE = "person-4@made.example"
"""Somebody who is a lead before the import."""


class History(NamedTuple):
    """Made-up exports in a folder, and how the command that imports them is typed."""

    folder: Path

    @property
    def typed(self) -> tuple[str, ...]:
        files = (str(self.folder / f"{name}.csv") for name in ("leads", "deals", "spend"))
        return ("import", "run", *files, "--mapping", str(self.folder / "mapping.yaml"))


def made_up(folder: Path, persons: int) -> History:
    """A CRM's leads, a third of them with a deal, and the spend of each week.

    One row in fifty is of a person who has another one, and one in a hundred cannot be read.
    """
    chance = Random(persons)
    leads = ["Lead ID,Email,First Name,Company,Country,Created,MQL since,Source"]
    deals = ["Deal ID,Lead ID,Opened,Closed,Stage,Amount"]
    for number in range(persons):
        created = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
        later = [created + timedelta(days=days) for days in (2, 9, 30)]
        whose = number - 1 if number % 50 == 49 else number
        wrong = "on Monday" if number % 100 == 77 else created
        country, source = chance.choice(["US", "DE", "GB"]), chance.choice(["google", "newsletter"])
        mql = later[0] if chance.random() < 0.5 else ""
        row = (f"L-{number}", f"person-{whose}@made.example", f"P{number}", "Made", country)
        leads.append(",".join(map(str, (*row, wrong, mql, source))))
        if number % 3 == 0:
            closed, amount = chance.choice([("Won", 900), ("Lost", ""), ("Open", "")])
            deals.append(f"D-{number},L-{number},{later[1]},{later[2]},{closed},{amount}")
    spend = ["Day,Source,Campaign,Cost"]
    weeks = [FIRST_DAY + timedelta(days=7 * week) for week in range(WEEKS)]
    spend += [f"{day},google,brand,{day.day}.50" for day in weeks]
    folder.mkdir()
    for name, rows in (("leads", leads), ("deals", deals), ("spend", spend)):
        (folder / f"{name}.csv").write_text("\n".join([*rows, ""]))
    shutil.copy(MAPPING, folder / "mapping.yaml")
    return History(folder)


class Kept:
    """What one backend keeps, and the command on it."""

    def __init__(self, folder: Path, **variables: str) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
        self.folder = folder
        self.environment = {**clean, "WARMLEAD_DATA": str(folder / "data"), **variables}

    def json(self, *arguments: str) -> Any:
        done = command([*arguments, "--json"], self.environment, self.folder)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    async def live(self, at: datetime) -> None:
        """Somebody has asked for a demo, and sales was told."""
        async with backends.opened(
            read_settings(self.environment), patience_s=PATIENCE_S
        ) as system:
            event = an_event(name="demo_requested", email=ALIVE, occurred_at=at, received_at=at)
            scoring, store = Scoring(system.model.rules, system.ids), system.store
            clock = StandingClock(at)
            await apply([event], store=store, bus=system.bus, scoring=scoring, clock=clock)

    async def leads(self) -> dict[str, Any]:
        """Each lead with all that an import may change, but for when the import ran."""
        async with backends.opened(
            read_settings(self.environment), patience_s=PATIENCE_S
        ) as system:
            return {
                lead.id: _told(lead, await system.store.transitions(lead.id))
                async for lead in system.store.leads()
            }

    def imports(self) -> list[dict[str, Any]]:
        """The list of imports, but for when they ran."""
        listed: list[dict[str, Any]] = self.json("import", "list")
        for each in listed:
            assert each.pop("began_at") <= each.pop("ended_at")
        return listed

    def reports(self) -> list[Any]:
        """What became of the leads by month."""
        asked = ("run", "report", "--period", "month", "--as-of")
        return [self.json(*asked, f"2025-{month:02}-01") for month in (2, 3, 6, 7)]


def _told(lead: Lead, moves: Sequence[Transition]) -> dict[str, Any]:
    """A lead without the time of the import."""
    return {
        "trails": lead.trails,
        "progress": replace(lead.progress, learnt=None, rest=None, moved=None),
        "rests": lead.progress.rest is not None,
        "created_at": lead.created_at,
        "snapshot": lead.snapshot,
        "sent": (lead.outbox, lead.enrolments, lead.offer, lead.alerted),
        "moves": [replace(move, learnt=None) if move.imported else move for move in moves],
    }


@pytest.fixture
def sqlite(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


@pytest.fixture
def cloud(
    tmp_path: Path,
    firestore_emulator: str,
    pubsub_emulator: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Kept:
    """A project of its own on the emulators, with Warmlead's topics."""
    variables = {
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "PUBSUB_EMULATOR_HOST": pubsub_emulator,
        "WARMLEAD_BACKEND": "gcp",
        "WARMLEAD_PROJECT": f"p-{uuid.uuid4().hex[:12]}",
    }
    for name, value in variables.items():
        if name.endswith("_HOST"):
            monkeypatch.setenv(name, value)
    create_topology(variables["WARMLEAD_PROJECT"], {}, emulator=pubsub_emulator, subscriptions=())
    return Kept(tmp_path, **variables)


# --- the same on both --------------------------------------------------------------------------


def test_an_import_and_its_way_back_are_the_same_on_google_as_on_sqlite(
    tmp_path: Path, sqlite: Kept, cloud: Kept
) -> None:
    history, now = made_up(tmp_path / "files", persons=120), datetime.now(UTC)
    before, told = [], []
    for kept in (sqlite, cloud):
        asyncio.run(kept.live(now))
        before.append(asyncio.run(kept.leads()))
        done = kept.json(*history.typed)
        told.append((done, asyncio.run(kept.leads()), kept.imports(), kept.reports()))
    assert told[0] == told[1]
    done, leads, (listed,), _ = told[0]
    assert len(leads) == done["imported"]["leads"] == listed["persons"] > 110
    assert listed["moves"] == done["imported"]["moves"] == _imported(leads)
    (alive,) = before[0]
    assert leads[alive]["sent"] == before[0][alive]["sent"]
    assert not any(any(lead["sent"]) for id_, lead in leads.items() if id_ != alive)

    again = [kept.json(*history.typed)["imported"] for kept in (sqlite, cloud)]
    assert again[0] == again[1]
    assert (again[0]["leads"], again[0]["known"]) == (0, listed["persons"])

    undone = [kept.json("import", "undo", listed["name"]) for kept in (sqlite, cloud)]
    assert undone[0] == undone[1]
    assert undone[0] == {"leads": len(leads), "removed": len(leads) - 1, "spend": WEEKS}
    for kept, was in zip((sqlite, cloud), before, strict=True):
        assert asyncio.run(kept.leads()) == was
    assert [kept.imports() for kept in (sqlite, cloud)] == [[], []]
    months = [kept.reports() for kept in (sqlite, cloud)]
    assert months[0] == months[1]
    assert not any(each["stages"]["mql"]["entered"] for each in months[0])


def _imported(leads: Mapping[str, Mapping[str, Any]]) -> int:
    return sum(bool(move.imported) for lead in leads.values() for move in lead["moves"])


# --- kills -------------------------------------------------------------------------------------

MOST_SHOWN = 20_000
_PROGRESS = re.compile(rb"importing persons[^\r\n]*?(\d+)/(\d+)")


def killed(kept: Kept, typed: Sequence[str], persons: int) -> bool:
    """Runs the command until it shows so many persons done, and kills it; whether it lived so long.

    With none it is killed while it reads the files.
    """
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "warmlead.cli.main", *typed],
        env={**kept.environment, "TERM": "xterm", "COLUMNS": "120"},
        cwd=kept.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        shown, done, deadline = b"", -1, time.monotonic() + PATIENCE_S
        while part := _read(terminal, deadline):
            shown += part
            if (now := _done(shown)) > done:
                done, deadline = now, time.monotonic() + PATIENCE_S
            if done >= persons if persons else b"reading rows" in shown:
                process.kill()
                break
        code = process.wait(PATIENCE_S)
        assert code in (0, -signal.SIGKILL), shown.decode()
        return code != 0
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        os.close(terminal)


def _done(shown: bytes) -> int:
    """How many persons are done by what was shown last; -1 while the files are read."""
    return max((int(each[1]) for each in _PROGRESS.finditer(shown[-MOST_SHOWN:])), default=-1)


def _read(terminal: int, deadline: float) -> bytes:
    """What is shown next; empty at the end."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))
    assert ready, "the command neither shows anything nor ends"
    try:
        return os.read(terminal, 65_536)
    except OSError:  # who wrote to it has ended
        return b""


def undisturbed(tmp_path: Path, history: History, at: datetime) -> Kept:
    """The same import on SQLite that nobody disturbs."""
    (tmp_path / "undisturbed").mkdir()
    kept = Kept(tmp_path / "undisturbed")
    asyncio.run(kept.live(at))
    kept.json(*history.typed)
    return kept


def test_an_import_that_is_killed_again_and_again_is_the_same_in_the_end(
    tmp_path: Path, sqlite: Kept
) -> None:
    history, now = made_up(tmp_path / "files", persons=1_240), datetime.now(UTC)
    points = [0, random.randrange(1, 900), 1_000]
    asyncio.run(sqlite.live(now))
    assert all(killed(sqlite, history.typed, persons) for persons in points), points
    sqlite.json(*history.typed)
    wanted = undisturbed(tmp_path, history, now)
    assert asyncio.run(sqlite.leads()) == asyncio.run(wanted.leads()), points
    assert sqlite.imports() == wanted.imports(), points
    assert sqlite.reports() == wanted.reports(), points
    sent = [[each["event"]["id"] for each in kept.json("triggers")] for kept in (sqlite, wanted)]
    assert sent[0] == sent[1]


def test_an_import_that_is_killed_on_google_is_the_same_in_the_end(
    tmp_path: Path, cloud: Kept
) -> None:
    history, now = made_up(tmp_path / "files", persons=320), datetime.now(UTC)
    asyncio.run(cloud.live(now))
    assert [killed(cloud, history.typed, persons) for persons in (200, 200)] == [True, True]
    cloud.json(*history.typed)
    wanted = undisturbed(tmp_path, history, now)
    assert asyncio.run(cloud.leads()) == asyncio.run(wanted.leads())
    assert cloud.imports() == wanted.imports()
