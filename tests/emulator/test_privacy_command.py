"""``warmlead lead export`` and ``erase`` on Firestore: they say what is left to do elsewhere."""

import asyncio
import json
import uuid

import pytest
from typer.testing import CliRunner, Result

from builders import an_event
from warmlead.application.apply import Scoring, apply
from warmlead.cli.main import app
from warmlead.runtime import backends
from warmlead.settings import read_settings


@pytest.fixture
def settings(
    firestore_emulator: str, pubsub_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
    project = f"p{uuid.uuid4().hex[:12]}"
    return {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": project}


def run(settings: dict[str, str], *arguments: str) -> Result:
    backends.settings.cache_clear()
    done = CliRunner().invoke(app, ["lead", *arguments], env=settings)
    backends.settings.cache_clear()
    return done


async def count(settings: dict[str, str]) -> None:
    async with backends.opened(read_settings(settings)) as system:
        scoring = Scoring(system.model.rules, system.ids)
        known = {"email": "ada@example.com", "user_id": "u-42"}
        now = system.clock.now()
        event = an_event(**known, name="identified", occurred_at=now, received_at=now)
        store, bus = system.store, system.bus
        await apply([event], store=store, bus=bus, scoring=scoring, clock=system.clock)


def test_both_commands_list_data_kept_elsewhere(settings: dict[str, str]) -> None:
    asyncio.run(count(settings))
    document = json.loads(run(settings, "export", "ADA@example.com").stdout)
    assert document["archive"] is None
    assert document["lead"]["user_id"] == "u-42"
    ids = [each["id"] for each in document["lead"]["identifiers"]]
    assert document["elsewhere"][0] == "there is no archive beside Google's emulators"
    erased = run(settings, "erase", "u-42", "--yes")
    assert "there is no archive beside Google's emulators" in erased.stdout
    assert "score-dead" in erased.stdout
    assert run(settings, "export", "u-42").exit_code == 1
    again = json.loads(run(settings, "erase", "ada@example.com", "--yes", "--json").stdout)
    assert (again["leads"], again["ids"]) == ([], ids)
    assert "score-dead" in "".join(again["left_to_do"])
