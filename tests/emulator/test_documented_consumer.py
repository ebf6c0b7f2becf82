"""The consumer in the documentation, run as it stands there against Pub/Sub's emulator."""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import pytest

from patience import PATIENCE_S

MESSAGES = Path(__file__).parents[2] / "docs/messages"
PAGE = (MESSAGES / "README.md").read_text()
TOPICS = ("mql", "nurture", "lifecycle")
MOST_LINES = 22


def consumer() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


def examples() -> list[Any]:
    found = [json.loads(path.read_text()) for path in sorted(MESSAGES.glob("*.example.json"))]
    return [event for event in found if topic_of(event) in TOPICS]


def topic_of(event: Any) -> str:
    """The topic on which such a message is sent, as the page's table says."""
    (topic,) = re.findall(rf"^\| `(\w+)` \| \[`{re.escape(event['type'])}`\]", PAGE, re.MULTILINE)
    return str(topic)


def again(event: Any, id_: str) -> Any:
    """A later message of the same kind, about somebody else."""
    lead = {**event["data"]["lead"], "email": f"{id_}@example.com"}
    return {**event, "id": id_, "data": {**event["data"], "lead": lead}}


def call(method: str, url: str, body: object) -> Any:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, content, headers, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


class Bus(NamedTuple):
    """A project of a test on Pub/Sub's emulator, spoken to over HTTP."""

    base: str
    project: str

    def publish(self, *events: Any) -> None:
        for event in events:
            data = base64.b64encode(json.dumps(event).encode()).decode()
            message = {"data": data, "attributes": {"type": event["type"]}}
            url = f"{self.base}/topics/{topic_of(event)}:publish"
            call("POST", url, {"messages": [message]})


@pytest.fixture
def bus(pubsub_emulator: str) -> Bus:
    """The topics, and the subscriptions that the page makes."""
    project = f"p-{uuid.uuid4().hex[:12]}"
    base = f"http://{pubsub_emulator}/v1/projects/{project}"
    for topic in TOPICS:
        call("PUT", f"{base}/topics/{topic}", {})
        name = f"projects/{project}/topics/{topic}"
        call("PUT", f"{base}/subscriptions/tool-{topic}", {"topic": name})
    return Bus(base, project)


@contextmanager
def consuming(bus: Bus, folder: Path, emulator: str) -> Iterator["SimpleQueue[str]"]:
    """What the consumer prints, while it runs."""
    script = folder / "consumer.py"
    script.write_text(consumer().replace("my-project", bus.project))
    told: SimpleQueue[str] = SimpleQueue()
    command = [sys.executable, "-W", "error", str(script)]
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": emulator}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:

        def read() -> None:
            for line in process.stdout or ():
                told.put(line.strip())

        reader = Thread(target=read)
        reader.start()
        try:
            yield told
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)
            reader.join()


def test_the_documented_consumer_is_as_short_as_claimed() -> None:
    assert len([line for line in consumer().splitlines() if line.strip()]) <= MOST_LINES


def test_the_consumer_acts_once_on_redelivered_messages_of_every_type(
    bus: Bus, pubsub_emulator: str, tmp_path: Path
) -> None:
    sent = examples()
    later = [again(event, f"later-{number}") for number, event in enumerate(sent)]
    heard: list[str] = []

    with consuming(bus, tmp_path, pubsub_emulator) as told:
        for batch in sent + sent, later:
            bus.publish(*batch)
            heard += [told.get(timeout=PATIENCE_S) for _ in sent]

    with pytest.raises(Empty):
        told.get_nowait()
    assert {topic_of(event) for event in sent} == set(TOPICS)
    (owner,) = {event["data"].get("owner") for event in sent} - {None, ""}
    assert set(heard[: len(sent)]) == {
        f"{owner} is late for ada@example.com: first_touch",
        f"give ada@example.com to {owner}, to call by 2026-03-10T14:00:05Z",
        "move ada@example.com to mql: the mql stage's enter condition holds",
        f"remind {owner} of ada@example.com",
        "call ada@example.com, mql: Asks again",
        "save ada@example.com: 0 points, lead",
        "write welcome-guide to ada@example.com",
    }
    about = [re.findall(r"later-\d", line) for line in heard[len(sent) :]]
    assert sorted(about) == [[f"later-{number}"] for number in range(len(sent))]


def test_the_consumer_ignores_messages_of_later_releases(
    bus: Bus, pubsub_emulator: str, tmp_path: Path
) -> None:
    known = examples()[0]
    unknown = {**known, "id": "new", "type": known["type"].replace(".v1", ".v2")}

    with consuming(bus, tmp_path, pubsub_emulator) as told:
        data = base64.b64encode(json.dumps(unknown).encode()).decode()
        call("POST", f"{bus.base}/topics/lifecycle:publish", {"messages": [{"data": data}]})
        bus.publish(known)
        assert known["data"]["lead"]["email"] in told.get(timeout=PATIENCE_S)

    with pytest.raises(Empty):
        told.get_nowait()
