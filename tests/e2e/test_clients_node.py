"""The unmodified Node SDK against a running server: every event counts once, nothing is re-sent."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from e2e.ledger import drain
from e2e.node_clients import install_node_clients
from e2e.recording import Recorder, recording
from served import Served

EVENTS = {
    "page_viewed": 1,
    "content_downloaded": 1,
    "identified": 1,
    "screen_viewed": 1,
    "grouped": 1,
    "webinar_attended": 1,
    "video_watched": 1,
    "aliased": 1,
}


@pytest.fixture(scope="module")
def clients() -> Path:
    return install_node_clients()


def run_node(clients: Path, recorder: Recorder, who: str, count: int) -> None:
    command = ["node", "segment-node.mjs", recorder.base, who, str(count)]
    done = subprocess.run(
        command, cwd=clients, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("burst", [0, 250])  # of 300 unknown names is told apart
def test_every_call_counts_once_on_the_right_lead(
    server: Served, clients: Path, burst: int
) -> None:
    who = f"node-{burst}"
    with recording(server.base) as recorder:
        run_node(clients, recorder, who, burst)
        assert recorder.statuses == {200}
        assert set(recorder.times_sent.values()) == {1}
        assert len(recorder.times_sent) == len(EVENTS) + burst
    drain(server)

    lead = server.lead(f"{who}@example.com")

    assert lead
    assert lead["events"] == {**EVENTS, **{f"burst_{i}": 1 for i in range(burst)}}
    traits = lead["traits"]
    assert traits.pop("created_at").startswith("20")
    assert traits == {
        "name": "Zoë Müller — 東京 🚀",
        "company": "Ünïcode Works",
        "employees": 120,
        "industry": "Software",
        "company_id": "acct-7",
    }
    assert {kind: set(values) for kind, values in lead["identifiers"].items()} == {
        "email": {f"{who}@example.com"},
        "user": {f"{who}-user"},
        "anonymous": {f"{who}-visitor", f"{who}-app"},
    }
    assert lead["first_touch"] == {
        "utm_source": "google",
        "landing_page": "/pricing",
        "channel": "Organic Search",
        "source": "google",
    }
    assert (lead["signals"]["pricing_page_viewed"], lead["signals"]["half_video_watched"]) == (1, 1)


def test_an_old_timestamp_is_the_day_on_which_it_counts(server: Served, clients: Path) -> None:
    with recording(server.base) as recorder:
        run_node(clients, recorder, "node-past", 0)
    drain(server)

    explained = server.json("lead", "explain", "node-past@example.com")

    [line] = [c for c in explained["contributions"] if c["name"] == "webinar_attended"]
    days_ago = datetime.now(UTC).date() - timedelta(days=60)
    assert line["first_day"] == days_ago.isoformat()
