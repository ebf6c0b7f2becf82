"""Every function a process of its own, on Google's emulators, from an SDK to a subscriber."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from segment.analytics.client import Client

from builders import a_lead_named, a_trigger, keeping
from commands import command
from e2e.cloud_processes import CloudServed, serving_cloud
from e2e.lacking import skip_or_fail
from patience import PATIENCE_S, until
from warmlead.cli.local.emulators import missing
from warmlead.domain.nurture import Enrolment
from warmlead.messages.contract import message_schema
from warmlead.model.loading import ready_text
from warmlead.runtime.table import names, with_database
from warmlead.stores.firestore.store import FirestoreLeadStore

FUNCTIONS = names()
"""Well under the minute after which it would be called without the option."""

# What a tool of somebody else would be: it knows Google's client, a topic, and nothing of ours.
SUBSCRIBER = """
import json, sys
from google.cloud import pubsub_v1

project, topic = sys.argv[1:]
subscriber = pubsub_v1.SubscriberClient()
path = subscriber.subscription_path(project, f"tool-{topic}")
subscriber.create_subscription(name=path, topic=f"projects/{project}/topics/{topic}")

def heard(message):
    print(json.dumps([dict(message.attributes), json.loads(message.data)]), flush=True)
    message.ack()

listening = subscriber.subscribe(path, heard)
print("[]", flush=True)
listening.result()
"""

PUBLISHER = """
import sys
from google.cloud import pubsub_v1

project, body = sys.argv[1:]
publisher = pubsub_v1.PublisherClient()
topic = publisher.topic_path(project, "lead-events")
publisher.publish(topic, body.encode(), type="warmlead.lead_events.v1").result(timeout=120)
"""


@pytest.fixture
def variables(firestore_emulator: str, pubsub_emulator: str) -> dict[str, str]:
    """The emulators of this run, with a project that nobody else uses."""
    return {
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "PUBSUB_EMULATOR_HOST": pubsub_emulator,
        "WARMLEAD_PROJECT": f"p-{uuid.uuid4().hex[:12]}",
    }


@contextmanager
def subscribed(variables: dict[str, str], folder: Path, topic: str = "mql") -> Iterator[Path]:
    """The file to which a subscriber's process writes what it hears, once it listens."""
    heard = folder / f"heard-{topic}.jsonl"
    with (
        heard.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-c", SUBSCRIBER, variables["WARMLEAD_PROJECT"], topic],
            env={**os.environ, **variables},
            stdout=output,
        ) as subscriber,
    ):
        try:
            until(lambda: heard.read_text() or subscriber.poll() is not None)
            assert subscriber.poll() is None
            yield heard
        finally:
            subscriber.terminate()


def said(heard: Path) -> list[tuple[dict[str, str], dict[str, Any]]]:
    return [tuple(json.loads(line)) for line in heard.read_text().splitlines()[1:]]


def counted(cloud: CloudServed, who: str, events: dict[str, int]) -> None:
    """Waits until the lead has just these events."""

    def has_them() -> bool:
        lead = cloud.served.lead(who)
        return lead is not None and lead["events"] == events

    until(has_them)


def test_from_segments_sdk_to_a_subscriber_no_part_shares_a_process(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    with serving_cloud(tmp_path / "data", **variables) as cloud:
        with subscribed(variables, tmp_path) as heard:
            client = Client("local", host=cloud.served.base, sync_mode=True)
            client.identify("ada-1", {"email": "ada@example.com", "firstName": "Ada"})
            counted(cloud, "ada-1", {"identified": 1})
            client.track("ada-1", "Demo Requested")
            counted(cloud, "ada-1", {"identified": 1, "demo_requested": 1})
            until(lambda: said(heard))
            ((attributes, event),) = {json.dumps(one): one for one in said(heard)}.values()

        jsonschema.validate(event, message_schema(event["type"]))
        assert event["specversion"] == "1.0"
        assert event["data"]["stage"] == attributes["stage"] == "mql"
        assert event["data"]["lead"]["email"] == "ada@example.com"
        assert event["id"] == attributes["id"]
        assert "ada" not in json.dumps(attributes)

        (listed,) = cloud.served.json("lead", "list")
        assert (listed["email"], listed["stage"]) == ("ada@example.com", "mql")
        explained = cloud.served.json("lead", "explain", "ada@example.com")
        assert sum(part["points"] for part in explained["contributions"]) == listed["score"]
        assert cloud.served.json("model", "apply") == {
            "leads": 1,
            "changed": 0,
            "moved": 0,
            "failed": 0,
            "unreadable": [],
        }

        assert cloud.served.post("/healthz", b"") == (200, b'{"status": "ok", "store": "ok"}')
        form = b'{"email": "grace@example.com"}'
        for path in ("/forms/generic/contact", "/generic/contact"):
            assert cloud.served.post(path, form) == (200, b'{"success": true}')
        for path in ("/nowhere", "/forms", "/score"):
            status, body = cloud.served.post(path, form)
            assert (status, json.loads(body)["code"]) == (404, "not_found")
    log = cloud.log.read_text()
    assert log.count("function=serve method=POST status=404") == 2  # of /forms the function tells


async def test_due_and_unsent_messages_are_sent_without_an_event(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    model = tmp_path / "model.yaml"  # in which any hour is one to write
    hours = 'days: mon-fri, from: "09:00", to: "17:00"'
    model.write_text(
        ready_text("b2b-saas").replace(hours, 'days: mon-sun, from: "00:00", to: "24:00"')
    )
    settings = {**variables, "WARMLEAD_MODEL": str(model)}
    with (
        serving_cloud(tmp_path / "data", "--follow-up-every", "1", **settings),
        subscribed(variables, tmp_path) as mqls,
        subscribed(variables, tmp_path, "nurture") as steps,
    ):
        # The calls at the start are over: who is due only now is found by a later one.
        now = datetime.now(UTC)
        waiting = Enrolment("mql-education", 1, now, position=1, next_at=now)
        ada = a_lead_named("ada", due_at=now, enrolments={waiting.sequence: waiting})
        left = a_trigger(at=now - timedelta(hours=1))
        project, emulator = variables["WARMLEAD_PROJECT"], variables["FIRESTORE_EMULATOR_HOST"]
        store = FirestoreLeadStore(project, emulator=emulator, patience_s=PATIENCE_S)
        await store.update([], keeping(ada, a_lead_named("bob", outbox=(left,))))
        await store.close()

        ((_, step),) = until(lambda: said(steps))
        ((_, mql),) = until(lambda: said(mqls))

    assert step["data"]["message"] == "case-study"
    assert step["data"]["lead"]["email"] == "ada@example.com"
    assert mql == json.loads(left.body)


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [
        (("triggers",), "gcloud pubsub subscriptions create"),
        (("quarantine", "list"), "gcloud pubsub subscriptions pull quarantine"),
        (("quarantine", "replay"), "gcloud pubsub subscriptions pull quarantine"),
    ],
)
def test_a_command_that_needs_one_machine_says_what_to_do_instead(
    arguments: tuple[str, ...], instead: str, tmp_path: Path
) -> None:
    cloud = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p", "COLUMNS": "500"}
    done = command(arguments, {**os.environ, **cloud}, tmp_path)

    assert done.returncode == 2
    assert instead in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_told_to_end_leaves_no_process(
    told: signal.Signals, tmp_path: Path
) -> None:
    if lacking := missing():
        skip_or_fail(lacking)
    with serving_cloud(tmp_path / "data") as cloud:
        commands = " ".join(cloud.processes().values())
        assert all(f"--target {name} " in commands for name in FUNCTIONS)
        assert "pubsub-emulator" in commands
        assert "firestore-emulator" in commands

        assert cloud.tell_to_end(told) == 0

        assert until(lambda: not cloud.processes())


def test_a_function_that_ends_is_reported_and_ends_everything(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    with serving_cloud(tmp_path / "data", **variables) as cloud:
        (score, *_) = sorted(
            number for number, command in cloud.processes().items() if "--target score " in command
        )
        os.kill(score, signal.SIGKILL)

        assert cloud.served.process.wait(timeout=PATIENCE_S) == 1

        assert "The function score ended" in cloud.log.read_text()
        assert until(lambda: not cloud.processes())


def test_events_published_during_downtime_are_counted_later(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    with serving_cloud(tmp_path / "data", **variables) as cloud:
        cloud.tell_to_end(signal.SIGTERM)
    now = datetime.now(UTC).isoformat()
    event = {
        "id": "e-1",
        "source": "generic",
        "trust": "signed",
        "name": "demo_requested",
        "occurred_at": now,
        "received_at": now,
        "email": "grace@example.com",
    }
    subprocess.run(
        [
            *(sys.executable, "-c", PUBLISHER, variables["WARMLEAD_PROJECT"]),
            json.dumps({"v": 1, "events": [event]}),
        ],
        env={**os.environ, **variables},
        check=True,
        timeout=PATIENCE_S,
    )

    with serving_cloud(tmp_path / "data", **variables) as cloud:
        counted(cloud, "grace@example.com", {"demo_requested": 1})


def test_an_accepting_function_is_not_told_where_the_database_is(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    with serving_cloud(tmp_path / "data", **variables) as cloud:
        told = {
            name: b"FIRESTORE_EMULATOR_HOST=" in Path(f"/proc/{number}/environ").read_bytes()
            for number, command in cloud.processes().items()
            for name in FUNCTIONS
            if f"--target {name} " in command
        }

    assert told == {name: name in names(with_database()) for name in FUNCTIONS}
