"""A served Warmlead hands a message to a tool, which verifies it, fails first, and gets it once."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from standardwebhooks import Webhook

from e2e.ledger import drain
from patience import until
from receiver import Receiver, receiving
from served import Served, serving

DEMO = "demo_requested"
SECRET = "whsec_c2VjcmV0IG9mIGFuIGVuZC10by1lbmQgdGVzdA=="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def server(tmp_path: Path, receiver: Receiver) -> Iterator[Served]:
    common = {"to": "webhook", "allow_local": True, "secrets": ["env:ZAPIER_SECRET"]}
    file = tmp_path / "destinations.json"
    sections = {
        "zapier": {**common, "url": f"{receiver.url}/zapier", "messages": ["handoff.offered"]},
        "nobody": {**common, "url": "http://localhost:1/", "messages": ["handoff.offered"]},
    }
    file.write_text(json.dumps(sections))
    with serving(
        tmp_path / "data", WARMLEAD_DESTINATIONS=str(file), ZAPIER_SECRET=SECRET
    ) as served:
        yield served


def asks_for_a_demo(server: Served, email: str) -> int:
    who = {"email": email, "company": "Acme", "employees": "200", "country": "US", "title": "CEO"}
    return server.post("/forms/generic/demo", urlencode({**who, "event": DEMO}).encode())[0]


def test_a_message_arrives_signed_and_once_though_the_tool_fails_first(
    server: Served, receiver: Receiver
) -> None:
    receiver.answers = [503]
    assert asks_for_a_demo(server, "ada@example.com") == 200
    drain(server)

    first, second = receiver.wait_for(2)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    event = Webhook(SECRET).verify(second.body, dict(second.headers))
    assert event["type"] == "warmlead.handoff.offered.v1"
    assert event["data"]["lead"]["email"] == "ada@example.com"

    def told() -> dict[str, dict[str, object]]:
        rows = {row["name"]: row for row in server.json("destination", "list")}
        return rows if rows["zapier"]["sent"] else {}

    rows = until(told)
    assert (rows["zapier"]["waiting"], rows["zapier"]["state"]) == (0, "enabled")
    assert (rows["nobody"]["sent"], rows["nobody"]["waiting"]) == (0, 1)
    assert "no connection" in str(rows["nobody"]["why"])
    assert len(receiver.requests) == 2

    done = server.command("destination", "test", "zapier")
    assert (done.returncode, "has taken an example" in done.stdout) == (0, True)
    refused = server.command("destination", "test", "nobody")
    assert (refused.returncode, "no connection" in refused.stderr) == (1, True)


def test_a_tool_that_is_gone_is_disabled_and_enabled_by_hand(
    server: Served, receiver: Receiver
) -> None:
    receiver.answers = [410]
    assert asks_for_a_demo(server, "bob@example.com") == 200
    drain(server)
    receiver.wait_for(1)

    def disabled() -> bool:
        [row] = [r for r in server.json("destination", "list") if r["name"] == "zapier"]
        return str(row["state"]).startswith("disabled") and row["dead"] == 1

    until(disabled)
    [dead] = server.json("destination", "dead", "zapier")
    assert dead["why"] == "it answered 410"
    assert server.command("destination", "enable", "zapier").returncode == 0
    assert server.command("destination", "replay", "zapier", dead["id"]).returncode == 0
    _, again = receiver.wait_for(2)
    assert again.headers["webhook-id"] == dead["id"]
