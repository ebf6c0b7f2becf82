"""The consumer in the documentation, run as it stands there against Pub/Sub's emulator."""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs/messages/README.md"
PATIENCE_S = 30.0


def block(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(code)


def call(method: str, url: str, body: object) -> Any:
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, content, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.fixture
def project(pubsub_emulator: str) -> str:
    """A project of this test, with the topic and the subscription that the page names."""
    project = f"projects/p-{uuid.uuid4().hex[:12]}"
    base = f"http://{pubsub_emulator}/v1/{project}"
    call("PUT", f"{base}/topics/mql", {})
    call("PUT", f"{base}/subscriptions/new-mqls", {"topic": f"{project}/topics/mql"})
    return project


def test_it_acts_once_on_a_message_that_comes_twice(
    pubsub_emulator: str, project: str, tmp_path: Path
) -> None:
    event = json.loads(block("json"))
    other = {**event, "id": "another", "data": {**event["data"], "score": 98}}
    sent = [base64.b64encode(json.dumps(one).encode()).decode() for one in (event, event, other)]
    script = tmp_path / "consumer.py"
    script.write_text(block("python").replace("my-project", project.removeprefix("projects/")))
    told: SimpleQueue[str] = SimpleQueue()
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": pubsub_emulator}
    command = [sys.executable, str(script)]

    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as consumer:

        def read() -> None:
            for line in consumer.stdout or ():
                told.put(line.strip())

        reader = Thread(target=read)
        reader.start()
        try:
            heard = []
            for data in sent[:2], sent[2:]:
                messages = [{"data": one, "attributes": {"stage": "mql"}} for one in data]
                publish = f"http://{pubsub_emulator}/v1/{project}/topics/mql:publish"
                call("POST", publish, {"messages": messages})
                heard.append(told.get(timeout=PATIENCE_S))
        finally:
            consumer.terminate()
            consumer.wait(timeout=15)
            reader.join()

    points = [f"ada@example.com is mql, with {score} points" for score in (97, 98)]
    assert heard == points
    with pytest.raises(Empty):
        told.get_nowait()
