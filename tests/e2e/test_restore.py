"""A backup under load, a server that is killed, a restore: what comes again counts once."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

import pytest

from commands import command
from e2e.ledger import drain, end_leases, events_by_email, sweep_later, triggers_sent
from e2e.load import expected, send, visits
from patience import until
from receiver import Receiver, receiving
from served import Served, serving

VISITORS = [f"visitor-{i}@example.com" for i in range(30)]
LATER = [f"later-{i}@example.com" for i in range(5)]
SECRET = "whsec_c2VjcmV0IG9mIGFuIGVuZC10by1lbmQgdGVzdA=="


@pytest.fixture
def destinations(tmp_path: Path) -> Path:
    return tmp_path / "destinations.json"


def told_to(receiver: Receiver, file: Path) -> None:
    """Writes the file with which a server tells the receiver of each offer."""
    url, secrets = f"{receiver.url}/zapier", ["env:ZAPIER_SECRET"]
    section = {"to": "webhook", "allow_local": True, "secrets": secrets, "url": url}
    file.write_text(json.dumps({"zapier": {**section, "messages": ["handoff.offered"]}}))


def bodies(server: Served) -> dict[str, set[bytes]]:
    """The bodies of each published offer, by the id of the trigger."""
    return {
        id_: {each.message.body for each in sent}
        for id_, sent in triggers_sent(server).items()
        if "handoff.offered" in sent[0].message.attributes["type"]
    }


def waiting_for_tools(server: Served) -> int:
    """How many messages the bus has yet to hand to ``deliver``."""
    query = "SELECT count(*) FROM deliveries WHERE subscription LIKE 'deliver-%'"
    with closing(sqlite3.connect(server.data / "warmlead.sqlite3")) as file:
        count: int = file.execute(query).fetchone()[0]
        return count


def test_after_a_restore_what_is_sent_again_counts_once(tmp_path: Path, destinations: Path) -> None:
    posts = visits(VISITORS, posts_each=4, random=Random(1))
    later = visits(LATER, posts_each=4, random=Random(2))
    half = len(posts) // 2
    backup = tmp_path / "backup.sqlite3"
    with receiving() as receiver:
        told_to(receiver, destinations)
        serve = partial(
            serving,
            tmp_path / "data",
            WARMLEAD_DESTINATIONS=str(destinations),
            ZAPIER_SECRET=SECRET,
        )
        with serve() as server:
            send(posts[:half], [server.base])
            with ThreadPoolExecutor(1) as beside:
                under_load = beside.submit(send, posts[half:], [server.base])
                done = server.command("backup", str(backup))
                assert done.returncode == 0, done.stderr
                sent = under_load.result()
            assert sent.refused == []
            send(later, [server.base])
            drain(server)
            until(lambda: len(receiver.requests) == len(VISITORS + LATER))
            in_use = server.command("restore", str(backup), "--replace")
            assert (in_use.returncode, "stop `warmlead serve`" in in_use.stderr) == (2, True)
            server.process.kill()
        end_leases(server)
        before = bodies(server)
        restored = command(["restore", str(backup), "--replace"], server.environment)
        assert restored.returncode == 0, restored.stderr
        at_backup = bodies(server)
        assert before.keys() > at_backup.keys(), "some crossed after the backup"
        delivered = {request.headers["webhook-id"] for request in receiver.requests}

        with serve() as server:
            sent = send(posts + later, [server.base])
            assert (sent.refused, sent.unanswered) == ([], [])
            drain(server)
            sweep_later(server)
            drain(server)
            after = bodies(server)
            assert events_by_email(server) == expected(posts + later)
            assert len(after) == len(VISITORS + LATER)
            assert before.keys() <= after.keys(), "who crossed before has the same trigger now"
            assert all(after[id_] == body for id_, body in at_backup.items())
            until(lambda: waiting_for_tools(server) == 0)
            assert delivered == after.keys()
            assert len(receiver.requests) == len(after), "no tool gets again what it has got"
