"""A server that is killed at any moment: what it had answered counts once, and so does the rest."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from e2e.ledger import drain, end_leases, events_by_email, sweep_later, triggers_sent, under_way
from e2e.load import Post, Sent, expected, send, visits
from served import Served, serving
from warmlead.buses.sqlite_messages import DEADLY
from warmlead.domain.trigger import Topic

VISITORS = [f"visitor-{i}@example.com" for i in range(60)]


def after(count: int, act: Callable[[], None]) -> Callable[[int], None]:
    """Acts when so many answers have come."""

    def on_answer(answers: int) -> None:
        if answers >= count:
            act()

    return on_answer


def serve_until_killed(data: Path, posts: Sequence[Post], *, answers: int) -> Sent:
    """Sends posts to a server that is killed after so many answers; nobody ends its leases."""
    with serving(data) as server:
        sent = send(posts, [server.base], on_answer=after(answers, server.process.kill))
        server.process.kill()
    end_leases(server)
    return sent


def mqls(server: Served) -> list[str]:
    """Who was announced as an MQL, once for each trigger; repeats must be the same to the byte."""
    announced = []
    for repeats in triggers_sent(server).values():
        [body] = {published.message.body for published in repeats}
        if repeats[0].topic == Topic.MQL:
            announced.append(json.loads(body)["data"]["lead"]["email"])
    return sorted(announced)


def assert_all_counted(server: Served, posts: Sequence[Post]) -> None:
    """Every event is on its lead once, and every visitor was announced once."""
    drain(server)
    try_again(server)
    sweep_later(server)
    assert events_by_email(server) == expected(posts)
    assert mqls(server) == sorted(VISITORS)
    assert server.json("quarantine", "list") == []


def try_again(server: Served) -> None:
    """Replays messages that were alone at work at the kills: they look as if they ended it."""
    if suspects := server.json("quarantine", "list"):
        assert {entry["message"] for entry in suspects} == {DEADLY}
        server.json("quarantine", "replay")
        drain(server)


@pytest.mark.parametrize("seed", range(3))
def test_answered_and_resent_events_count_once(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    data = tmp_path / "data"
    posts = visits(VISITORS, posts_each=6, random=random)
    left = posts
    for _ in range(3):
        sent = serve_until_killed(data, left, answers=random.randrange(1, 60))
        assert sent.refused == []
        assert sent.accepted
        left = [post for post in left if post not in sent.accepted]

    with serving(data) as server:
        sent = send(left, [server.base])
        assert (sent.refused, sent.unanswered) == ([], [])
        assert_all_counted(server, posts)


def test_a_server_that_dies_over_its_backlog_again_and_again_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    posts = visits(VISITORS, posts_each=6, random=Random(1))
    assert serve_until_killed(data, posts, answers=len(posts)).accepted
    for _ in range(3):
        serve_until_killed(data, [], answers=0)

    with serving(data) as server:
        assert_all_counted(server, posts)


def test_a_server_that_is_told_to_end_finishes_its_work(tmp_path: Path) -> None:
    data = tmp_path / "data"
    posts = visits(VISITORS, posts_each=6, random=Random(1))
    with serving(data) as server:
        sent = send(posts, [server.base], on_answer=after(100, server.process.terminate))
    assert server.process.returncode == 0
    assert [file.name for file in data.glob("*.sqlite3*")] == ["warmlead.sqlite3"]  # it is closed
    assert under_way(server) == 0

    with serving(data) as server:
        assert len(send(sent.unanswered, [server.base]).accepted) == len(sent.unanswered)
        assert_all_counted(server, posts)
