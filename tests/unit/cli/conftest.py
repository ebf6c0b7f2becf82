"""A folder with leads in it, and the command run on it in this process."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from builders import an_event
from patience import PATIENCE_S
from warmlead.application.accept import by_lead
from warmlead.application.apply import Scoring, apply
from warmlead.cli.main import app
from warmlead.domain.event import Event
from warmlead.domain.trigger import Topic
from warmlead.runtime import backends
from warmlead.settings import read_settings

DAY = timedelta(days=1)


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
    return subprocess.run(
        [sys.executable, "-m", "warmlead.cli.main", *arguments],
        cwd=folder,
        env={**clean, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


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
