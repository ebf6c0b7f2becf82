"""``replay``, ``lead export``, ``lead erase`` and ``model unmatched`` with the archive in BigQuery.

Firestore and Pub/Sub are the emulators, which cannot write BigQuery: the test writes what the
subscriptions would.
"""

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bigquery_server import BigQueryServer
from builders import an_event
from destinations.crm_server import Said, Trouble, running
from warmlead.application.accept import by_lead
from warmlead.application.apply import Scoring, apply
from warmlead.cli.main import app
from warmlead.domain.errors import ConfigurationError, UnavailableError
from warmlead.domain.event import Event
from warmlead.ports import Message
from warmlead.runtime import backends
from warmlead.settings import read_settings

pytestmark = pytest.mark.emulator

MODEL = """
signals:
  pricing: {on: page_viewed, when: path.startsWith("%s"), points: 10, half_life: 30d}
stages:
  mql: {enter: score >= 1000, leave: score < 35}
"""


class Cloud:
    """A project on the emulators, with an archive."""

    def __init__(self, folder: Path, server: BigQueryServer) -> None:
        self.archive = server
        self.folder = folder
        self.settings = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": server.project}
        self.use_model("/pricing")

    def use_model(self, path: str) -> None:
        file = self.folder / "model.yaml"
        file.write_text(MODEL % path, encoding="utf-8")
        self.settings["WARMLEAD_MODEL"] = str(file)
        backends._loaded.cache_clear()  # noqa: SLF001  # another process would read the file anew

    def run(self, *arguments: str) -> Result:
        backends.settings.cache_clear()
        done = CliRunner().invoke(app, list(arguments), env=self.settings)
        backends.settings.cache_clear()
        return done

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    def take(self, *events: Event) -> None:
        """Archives the events, each message twice, and counts them, as the functions do."""
        asyncio.run(self._take(events))

    async def _take(self, events: tuple[Event, ...]) -> None:
        async with backends.opened(read_settings(self.settings)) as system:
            for event in events:
                messages = by_lead([event], system.ids)
                self.archive.write("lead_events", messages, event.received_at, copies=2)
            await apply(
                events,
                store=system.store,
                bus=system.bus,
                scoring=Scoring(system.model.rules, system.ids),
                clock=system.clock,
            )


@pytest.fixture
def cloud(
    firestore_emulator: str,
    pubsub_emulator: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Cloud]:
    project, tables = f"p{uuid.uuid4().hex[:12]}", ["lead_events", "lifecycle", "mql"]
    with running(BigQueryServer(project, "warmlead_archive", tables)) as server:
        server.now = datetime.now(UTC)
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.address)
        yield Cloud(tmp_path, server)


def seen(path: str, days_ago: float = 0, **who: str) -> Event:
    at = datetime.now(UTC) - timedelta(days=days_ago, seconds=1)
    return an_event(
        id=uuid.uuid4().hex,
        name="page_viewed",
        occurred_at=at,
        received_at=at,
        properties={"path": path},
        **(who or {"email": "ada@example.com"}),
    )


def known_twice() -> Event:
    """It makes one lead of an address and a user id."""
    at = datetime.now(UTC) - timedelta(days=3)
    known = {"email": "ada@example.com", "user_id": "u-42"}
    return an_event(id="both", name="identified", occurred_at=at, received_at=at, **known)


def test_an_export_has_the_messages_of_all_ids_of_the_lead_each_once(cloud: Cloud) -> None:
    cloud.take(
        known_twice(), seen("/a", 2, user_id="u-42"), seen("/b", 1), seen("/c", email="b@b.org")
    )
    document = json.loads(cloud.run("lead", "export", "u-42").stdout)
    told = [each["content"]["events"][0]["name"] for each in document["archive"]]
    assert told == ["identified", "page_viewed", "page_viewed"]
    assert len({each["attributes"]["lead_id"] for each in document["archive"]}) == 2
    assert not any("BigQuery" in each for each in document["elsewhere"])


def test_an_erasure_deletes_the_rows_of_all_ids_from_all_tables(cloud: Cloud) -> None:
    cloud.take(known_twice(), seen("/a", 2, user_id="u-42"), seen("/c", email="bob@example.com"))
    lead = json.loads(cloud.run("lead", "show", "u-42", "--json").stdout)
    at = datetime.now(UTC) - timedelta(days=1)
    body = json.dumps({"time": at.isoformat()}).encode()
    cloud.archive.write("mql", [Message(body, {"lead_id": lead["id"]})], at)
    erased = cloud.json("lead", "erase", "ada@example.com", "--yes")
    assert (erased["archive"], erased["postponed"]) == ({"lead-events": 2, "mql": 1}, 0)
    assert not any("BigQuery" in each for each in erased["left_to_do"])
    assert [cloud.archive.count(table) for table in cloud.archive.tables] == [2, 0, 0]
    again = cloud.json("lead", "erase", "u-42", "--yes")
    assert (again["archive"], again["leads"]) == ({}, [])
    assert cloud.run("lead", "export", "ada@example.com").exit_code == 1


def test_an_erasure_says_when_rows_are_too_young_and_ends_later(cloud: Cloud) -> None:
    cloud.archive.buffers = timedelta(minutes=30)
    cloud.take(seen("/old", 1), seen("/new"))
    done = cloud.run("lead", "erase", "ada@example.com", "--yes")
    assert done.exit_code == 1
    assert "BigQuery cannot delete 1 message yet" in done.stderr
    assert "Run this again after" in done.stderr
    assert cloud.archive.count("lead_events") == 2
    cloud.archive.now += timedelta(hours=1)
    again = cloud.run("lead", "erase", "ada@example.com", "--yes")
    assert (again.exit_code, cloud.archive.count("lead_events")) == (0, 0)


def test_an_erasure_that_may_not_delete_says_that_it_is_to_be_repeated(cloud: Cloud) -> None:
    cloud.take(seen("/a"))
    cloud.archive.rights.edit = False
    done = cloud.run("lead", "erase", "ada@example.com", "--yes")
    assert isinstance(done.exception, ConfigurationError)
    assert "bigquery.dataEditor" in str(done.exception)
    assert "Not all is erased. Run this again" in done.stderr
    cloud.archive.rights.edit = True
    assert cloud.json("lead", "erase", "ada@example.com", "--yes")["archive"] == {"lead-events": 1}
    assert cloud.archive.count("lead_events") == 0


def test_a_replay_counts_what_another_model_asks_for_and_may_be_interrupted(cloud: Cloud) -> None:
    views = [seen(path, days) for days in (1, 2, 3) for path in ("/pricing", "/demo", "/docs")]
    cloud.take(*views, seen("/demo", email="bob@example.com"))
    cloud.archive.page_rows = 4
    before = cloud.json("lead", "explain", "ada@example.com")
    cloud.use_model("/d")
    queries = f"GET /bigquery/v2/projects/{cloud.archive.project}/queries"
    broken = Said(400, {"error": {"message": "broken", "errors": [{"reason": "invalid"}]}})
    cloud.archive.troubles += [
        Trouble(queries, spares=True, times=6),  # the hours, then two pages of rows
        Trouble(queries, broken),
    ]
    assert isinstance(cloud.run("replay").exception, UnavailableError)
    assert cloud.json("lead", "explain", "ada@example.com")["score"] != before["score"] * 2
    done = cloud.json("replay")
    assert (done["events"], done["leads"], done["failed"]) == (10, 2, 0)
    after = cloud.json("lead", "explain", "ada@example.com")
    assert after["score"] > before["score"] * 1.5
    assert cloud.json("replay")["leads"] == 2
    assert cloud.json("lead", "explain", "ada@example.com")["score"] == after["score"]


def test_a_forgotten_secret_makes_no_other_leads(cloud: Cloud) -> None:
    cloud.take(seen("/pricing"))
    cloud.settings["WARMLEAD_ID_SECRET"] = "not that of the deployment"
    for command in ("replay",), ("model", "unmatched"):
        assert "WARMLEAD_ID_SECRET is another one" in str(cloud.run(*command).exception)
    del cloud.settings["WARMLEAD_ID_SECRET"]
    assert len(cloud.json("lead", "list")) == 1


def test_unmatched_events_are_those_of_the_archive(cloud: Cloud) -> None:
    cloud.take(seen("/docs", 2), seen("/pricing", 1), seen("/docs", 20, email="bob@example.com"))
    report = cloud.json("model", "unmatched")
    assert (report["source"], report["events"], report["matched"]) == ("archive", 3, 1)
    assert (report["unmatched"][0]["times"], report["unmatched"][0]["leads"]) == (2, 2)


def test_without_an_archive_each_command_says_so_by_its_name(cloud: Cloud) -> None:
    cloud.take(seen("/docs"))
    cloud.settings["WARMLEAD_ARCHIVE_DATASET"] = "elsewhere"
    named = f"the project {cloud.archive.project} has no dataset elsewhere"
    assert named in str(cloud.run("replay").exception)
    assert cloud.json("model", "unmatched")["source"] == "histories"
    document = json.loads(cloud.run("lead", "export", "ada@example.com").stdout)
    assert (document["archive"], named in document["elsewhere"][0]) == (None, True)
    assert named in cloud.run("lead", "erase", "ada@example.com", "--yes").stdout
