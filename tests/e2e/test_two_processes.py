"""Two servers on one data folder, under load at the same time: nothing is lost or doubled."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from e2e.ledger import drain, events_by_email, triggers_sent
from e2e.load import expected, hot_visits, send, visits
from served import Served, serving
from warmlead.domain.trigger import Topic

VISITORS = [f"visitor-{i}@example.com" for i in range(40)]
HOT = "hot@example.com"


@pytest.fixture
def two_servers(tmp_path: Path) -> Iterator[list[Served]]:
    data = tmp_path / "data"
    with serving(data) as one, serving(data) as other:
        yield [one, other]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_accepted_event_counts_once(two_servers: list[Served], seed: int) -> None:
    random = Random(seed)
    posts = visits(VISITORS, posts_each=8, random=random) + hot_visits(HOT, 200)
    sent_twice = random.sample(posts, len(posts) // 3)
    load = posts + sent_twice
    random.shuffle(load)

    sent = send(load, [server.base for server in two_servers])

    assert (sent.refused, sent.unanswered) == ([], [])
    server = two_servers[0]
    drain(server)
    assert events_by_email(server) == expected(posts)
    assert server.json("quarantine", "list") == []
    triggers = triggers_sent(server)
    assert {len(repeats) for repeats in triggers.values()} == {1}
    told = [only for [only] in triggers.values() if only.topic == Topic.MQL]
    mqls = [json.loads(only.message.body)["data"]["lead"]["email"] for only in told]
    assert sorted(mqls) == sorted([HOT, *VISITORS])
