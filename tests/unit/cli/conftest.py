"""A folder with leads in it, and the command run on it in this process."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from builders import StandingClock, an_event
from commands import command
from unit.learning import years
from unit.learning.crowds import HAND, crowd, live
from warmlead.application.accept import by_lead
from warmlead.application.apply import Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.cli.main import app
from warmlead.domain.event import Event
from warmlead.domain.trigger import Topic
from warmlead.runtime import backends
from warmlead.settings import read_settings
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

DAY = timedelta(days=1)

TURNED = """\
base: 20
signals:
  demo_requested: {on: demo_requested, points: -10, title: "<b>Demo</b> & [red]more"}
stages:
  mql: {enter: score >= 20}
"""
NEW = """\
signals:
  read: {on: page_viewed, points: 5}
stages:
  mql: {enter: score >= 5}
"""


class Ran(NamedTuple):
    code: int
    out: str
    err: str


class Workspace:
    """A folder of its own: settings, data, and what is typed there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.settings = {"WARMLEAD_DATA": str(self.data)}

    def run(self, *arguments: str, stdin: bytes = b"") -> Ran:
        backends.settings.cache_clear()
        done = CliRunner().invoke(app, list(arguments), env=self.settings, input=stdin)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def take(self, *events: Event) -> None:
        """Archives the events and counts them, as the functions do."""
        asyncio.run(self._take(events))

    async def _take(self, events: Sequence[Event]) -> None:
        async with backends.embedded(read_settings(self.settings)) as system:
            await system.bus.publish(Topic.LEAD_EVENTS, by_lead(events, system.ids))
            scoring = Scoring(system.model.rules, system.ids)
            store, bus = system.store, system.bus
            await apply(events, store=store, bus=bus, scoring=scoring, clock=system.clock)


def happened(name: str, days_ago: int = 0, /, **fields: Any) -> Event:
    """An event that was received the moment it happened, some days before now."""
    at = datetime.now(UTC) - days_ago * DAY
    return an_event(**{"name": name, "occurred_at": at, "received_at": at, **fields})


def command_in(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own, in a folder, with these settings only."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WARMLEAD_")}
    return command(arguments, {**clean, **settings}, folder)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("WARMLEAD_")]:
        monkeypatch.delenv(name)
    yield Workspace(tmp_path)
    backends.settings.cache_clear()


@pytest.fixture(scope="module")
def what_ada_did(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data after it: for a module, so that no midnight lies between it and most tests."""
    workspace = Workspace(tmp_path_factory.mktemp("ada"))
    traits = {"company": "Analytical Engines", "employees": 80, "country": "US", "title": "CEO"}
    pricing = {"path": "/pricing"}
    origin = {"utm_source": "google"}
    browser = {"anonymous_id": "browser-1"}
    workspace.take(
        happened("page_viewed", 9, id="1", properties=pricing, attribution=origin, **browser),
        happened("page_viewed", 9, id="2", properties=pricing, **browser),
        happened("content_downloaded", 4, id="3", properties={"kind": "ebook"}, **browser),
    )
    known = {"email": "ada@example.com", "user_id": "u-42"}
    workspace.take(happened("identified", 2, id="4", traits=traits, **known, **browser))
    workspace.take(happened("demo_requested", 1, id="5", **known))
    return workspace.data


@pytest.fixture
def ada(workspace: Workspace, what_ada_did: Path) -> Workspace:
    """Ada has read, downloaded, told who she is, and asked for a demo: an MQL."""
    shutil.copytree(what_ada_did, workspace.data)
    return workspace


@pytest.fixture(scope="session")
def crowded_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the crowd has lived until now."""
    folder = tmp_path_factory.mktemp("crowded")
    asyncio.run(live(folder / "warmlead.sqlite3", crowd(datetime.now(UTC))))
    return folder


@pytest.fixture
def crowded(workspace: Workspace, crowded_data: Path) -> Workspace:
    shutil.copytree(crowded_data, workspace.data)
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("hand.yaml", HAND))
    workspace.write("turned.yaml", TURNED)
    workspace.write("new.yaml", NEW)
    return workspace


@pytest.fixture(scope="session")
def year_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which some months of a year have been lived, and August otherwise."""
    folder = tmp_path_factory.mktemp("year")
    asyncio.run(_lived(folder / "warmlead.sqlite3"))
    return folder


async def _lived(path: Path) -> None:
    async with SqliteFile(path, durable=False) as file:
        clock = StandingClock()
        store = SqliteLeadStore(file, clock)
        bus = SqliteBus(file, clock, topics_of_subscriptions())
        for number in (1, 3):
            await years.live(number, store, bus, clock)
        await years.live(8, store, bus, clock, kinds=(1, 1, 1, 1, 5))


@pytest.fixture
def year(workspace: Workspace, year_data: Path) -> Workspace:
    """The year under a model that was calibrated before."""
    shutil.copytree(year_data, workspace.data)
    model = workspace.write("watched.yaml", years.MODEL + years.STATED)
    workspace.settings["WARMLEAD_MODEL"] = str(model)
    return workspace
