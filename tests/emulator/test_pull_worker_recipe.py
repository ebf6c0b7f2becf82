"""The pull worker in the recipes, run as it stands there on Pub/Sub's emulator."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.documented import ROOT, code_of
from emulator.test_documented_consumer import Bus, again, bus, call, examples
from patience import PATIENCE_S, until
from receiver import Receiver, receiving

__all__ = ["bus"]  # a fixture

(WORKER,) = code_of(ROOT / "docs/recipes/pull-worker.md", "python")
(MQL,) = (each for each in examples() if each["type"] == "warmlead.lead.stage_entered.v1")


@pytest.fixture
def tool() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@contextmanager
def working(
    bus: Bus, folder: Path, emulator: str, tool: Receiver, subscription: str = "tool-mql"
) -> Iterator[None]:
    """The worker while it runs, in its folder."""
    script = folder / "worker.py"
    script.write_text(WORKER)
    environment = {
        **os.environ,
        "PUBSUB_EMULATOR_HOST": emulator,
        "SUBSCRIPTION": f"projects/{bus.project}/subscriptions/{subscription}",
        "TOOL": f"{tool.url}/leads",
    }
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", str(script)],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield
        assert process.poll() is None, (folder / "worker.log").read_text()
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def keys(tool: Receiver) -> list[str]:
    return [request.headers["idempotency-key"] for request in tool.requests]


def test_the_tool_gets_each_lead_once_though_it_fails_and_the_worker_is_restarted(
    bus: Bus, pubsub_emulator: str, tmp_path: Path, tool: Receiver
) -> None:
    tool.answers = [503]
    with working(bus, tmp_path, pubsub_emulator, tool):
        bus.publish(MQL)
        failed, taken = tool.wait_for(2)
        assert keys(tool) == [MQL["id"]] * 2
        assert failed.body == taken.body
        assert json.loads(taken.body) == MQL["data"]
        assert "comes again" in until((tmp_path / "worker.log").read_text)
        bus.publish(MQL, again(MQL, "second"))
        tool.wait_for(3)

    # Of a subscription whose reader has ended, the emulator goes on to hand every other message to
    # the reader's closed stream, for minutes. So the worker reads another one now.
    topic = f"projects/{bus.project}/topics/mql"
    call("PUT", f"{bus.base}/subscriptions/tool-mql-again", {"topic": topic})
    bus.publish(MQL, MQL, again(MQL, "third"))
    with working(bus, tmp_path, pubsub_emulator, tool, "tool-mql-again"):
        tool.wait_for(4)
        bus.publish(again(MQL, "last"))
        tool.wait_for(5)

    assert sorted(keys(tool)[3:]) == ["last", "third"]
    assert keys(tool)[:3] == [MQL["id"]] * 2 + ["second"]
