"""Erasing somebody beside running servers: what comes late leaves no trace, and no lead."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from e2e.ledger import drain
from patience import until
from served import Served, serving

JSON = {"Content-Type": "application/json"}
WHEN = datetime.now(UTC) - timedelta(hours=1)


def track(server: Served, number: int, who: str, at: datetime) -> int:
    call = {
        "type": "track",
        "event": "Demo Requested",
        "messageId": f"m-{number}",
        "userId": who,
        "timestamp": at.isoformat(),
        "writeKey": "local",
    }
    status, _ = server.post("/v1/track", json.dumps(call).encode())
    return status


def archived(server: Served) -> list[str]:
    with closing(sqlite3.connect(server.data / "warmlead.sqlite3")) as connection:
        bodies = connection.execute("SELECT body FROM messages ORDER BY number").fetchall()
    return [bytes(body).decode() for (body,) in bodies]


def test_late_events_of_an_erased_person_leave_no_lead_and_no_trace(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        assert track(server, 1, "ada-42", WHEN) == 200
        assert track(server, 2, "bob-43", WHEN) == 200
        until(lambda: server.lead("ada-42") and server.lead("bob-43"))
        assert server.json("lead", "erase", "ada-42", "--yes")["events"] == 1
        assert track(server, 1, "ada-42", WHEN) == 200
        assert track(server, 3, "ada-42", WHEN + timedelta(minutes=1)) == 200
        drain(server)
        until(lambda: not any("ada-42" in body for body in archived(server)))
        assert server.lead("ada-42") is None
        assert any("bob-43" in body for body in archived(server))
        assert track(server, 4, "ada-42", datetime.now(UTC)) == 200
        lead = until(lambda: server.lead("ada-42"))
        assert lead["events"] == {"demo_requested": 1}


def test_a_lead_that_two_servers_write_during_its_erasure_ends_erased(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as one, serving(tmp_path / "data") as other:
        assert track(one, 0, "ada-42", WHEN) == 200
        until(lambda: one.lead("ada-42"))
        with ThreadPoolExecutor(4) as pool:
            numbers = range(1, 200)
            servers = [one, other]
            statuses = [pool.submit(track, servers[i % 2], i, "ada-42", WHEN) for i in numbers]
            erased = one.json("lead", "erase", "ada-42", "--yes")
        assert {status.result() for status in statuses} == {200}
        assert erased["leads"]
        drain(one)
        assert one.json("lead", "list") == []
        until(lambda: not any("ada-42" in body for body in archived(one)))


def files_that_hold(folder: Path, text: str) -> list[str]:
    """The files of a folder, whatever they are, in which there is a text."""
    wanted = text.encode()
    return sorted(file.name for file in folder.iterdir() if wanted in file.read_bytes())


def test_no_file_holds_erased_data_while_two_servers_have_it_open(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    with serving(data) as one, serving(data) as other:
        for i in range(30):  # rows are rewritten, and grow over several pages
            track((one, other)[i % 2], i, "ada-who-goes", WHEN + timedelta(minutes=i))
            track((one, other)[i % 2], 100 + i, f"bob-{i}", WHEN)
        form = {"email": "Ada@Who-Goes.example", "company": "Going", "user_id": "ada-who-goes"}
        one.post("/forms/generic", json.dumps(form).encode(), JSON)
        # One of whom nothing can be made lies in quarantine, as it was sent.
        refused = [{"email": "nobody", "company": form["email"]}, {"email": "x@y.example"}]
        assert one.post("/forms/generic", json.dumps(refused).encode(), JSON)[0] == 200
        drain(one)
        until(lambda: one.lead("ada@who-goes.example"))
        assert files_that_hold(data, "ada@who-goes.example")
        assert files_that_hold(data, "Ada@Who-Goes.example")
        for who in ("ada@who-goes.example", "ada-who-goes"):
            assert one.json("lead", "erase", who, "--yes")["log_emptied"] is True
        for left in ("ada@who-goes.example", "Ada@Who-Goes.example", "ada-who-goes"):
            assert files_that_hold(data, left) == []
        assert files_that_hold(data, "bob-7")
        assert one.json("lead", "list")
