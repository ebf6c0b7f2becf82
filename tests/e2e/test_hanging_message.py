"""A message with which the server stands still: it is set aside alone, and all others are served.

The standstill is planted into a copy of the product, with shorter times; all else is as it is.
"""

import json
import shutil
import signal
import sqlite3
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

import warmlead
from e2e.ledger import end_leases, events_by_email
from faults.planted import plant
from patience import PATIENCE_S, until
from served import Served, answers, serving

STANDSTILLS = {
    "one match that holds the lock": 'import re; re.fullmatch(r"(a|aa)+b", "a" * 80)',
    "a loop that never ends": "while True: pass",
}
"""What a lead of the company ``poison`` does to whoever evaluates it."""

PATCH = """
--- a/shared/warmlead/application/evaluate.py
+++ b/shared/warmlead/application/evaluate.py
@@
     evaluation = known[1] if known and known[0] is lead else evaluation_of(lead, rules, now)
+    if lead.traits.get("company") == "poison":
+        {standstill}
     totals = evaluation.totals
--- a/shared/warmlead/cli/local/supervision.py
+++ b/shared/warmlead/cli/local/supervision.py
@@
-STILL_S = 30.0
+STILL_S = {still_s}
@@
-ALONE_S = 10.0
+ALONE_S = 3.0
@@
-LONGEST_S = 120.0
+LONGEST_S = 4.0
--- a/shared/warmlead/cli/local/supervision.py
+++ b/shared/warmlead/cli/local/supervision.py
@@
-GRACE_S = 8
+GRACE_S = {grace_s}
--- a/shared/warmlead/buses/sqlite.py
+++ b/shared/warmlead/buses/sqlite.py
@@
-LEASE_S = 10.0
+LEASE_S = 1.0
--- a/shared/warmlead/buses/sqlite_messages.py
+++ b/shared/warmlead/buses/sqlite_messages.py
@@
-ALONE_LEASE_MS = 60_000
+ALONE_LEASE_MS = 2_000
"""


def planted(folder: Path, standstill: str, *, still_s: float = 4.0, grace_s: int = 60) -> str:
    """Where a product is imported from that stands still over a certain lead.

    A busy machine may take long to end a server that does not stand still.
    """
    shared = folder / "copy" / "shared"
    plant(PATCH.format(standstill=standstill, still_s=still_s, grace_s=grace_s), shared)
    functions = Path(warmlead.__file__).parents[2] / "functions"
    shutil.copytree(functions, folder / "copy" / "functions")
    return str(shared)


@pytest.mark.parametrize("standstill", STANDSTILLS)
def test_a_planted_hang_still_fits_the_product(tmp_path: Path, standstill: str) -> None:
    assert Path(planted(tmp_path, STANDSTILLS[standstill])).is_dir()


def _ask_the_product_itself(server: Served) -> None:
    """Has commands on the server's data run by the product, which is imported once for all."""
    del server.environment["PYTHONPATH"]


def post(server: Served, email: str, company: str = "Good") -> None:
    body = json.dumps({"email": email, "company": company}).encode()
    status, answer = server.post("/forms/generic", body, {"Content-Type": "application/json"})
    assert status == 200, answer


def has_begun(server: Served) -> bool:
    with closing(sqlite3.connect(server.data / "warmlead.sqlite3")) as file:
        return bool(file.execute("SELECT 1 FROM deliveries WHERE leases").fetchall())


def quarantined(server: Served) -> Any:
    """What is in quarantine; nothing if the data is busy."""
    done = server.command("quarantine", "list", "--json")
    return json.loads(done.stdout) if done.returncode == 0 else []


def post_in_vain(server: Served, email: str, company: str) -> None:
    """Posts to a server that may stand still, or be starting: until it has answered."""

    def is_taken() -> bool:
        body = json.dumps({"email": email, "company": company}).encode()
        try:
            status, answer = server.post(
                "/forms/generic", body, {"Content-Type": "application/json"}
            )
        except (OSError, HTTPException):  # it may end in the middle of its answer
            return False
        assert status in (200, 503), answer
        return status == 200

    until(is_taken)


@pytest.mark.parametrize("standstill", STANDSTILLS)
def test_a_hanging_message_is_quarantined_and_its_neighbours_are_served(
    tmp_path: Path, standstill: str
) -> None:
    copy = planted(tmp_path, STANDSTILLS[standstill])
    names = [f"visitor-{i}@example.com" for i in range(12)]
    with serving(tmp_path / "data", PYTHONPATH=copy) as server:
        _ask_the_product_itself(server)
        for name in names[:6]:
            post(server, name)
        post(server, "poison@example.com", "poison")
        for name in names[6:]:
            post_in_vain(server, name, "Good")
        (entry,) = until(lambda: quarantined(server))
        assert entry["reason"] == "given_up"
        assert "the process ended or stood still 2 times" in entry["message"]
        assert "poison@example.com" in entry["content"]
        until(lambda: answers(server))
        until(lambda: set(events_by_email(server)) == set(names))
        post_in_vain(server, "afterwards@example.com", "Good")
        until(lambda: server.lead("afterwards@example.com"))
    assert server.process.returncode == 0
    with serving(tmp_path / "data", PYTHONPATH=copy) as server:  # it never blocks a start again
        _ask_the_product_itself(server)
        post(server, "later@example.com")
        until(lambda: server.lead("later@example.com"))
        assert len(server.json("quarantine", "list")) == 1
    with serving(tmp_path / "data") as server:  # the cause is mended
        assert server.json("quarantine", "replay") == {"released": 1, "kept": 0}
        until(lambda: server.lead("poison@example.com"))
        assert server.json("quarantine", "list") == []


@pytest.mark.parametrize("standstill", STANDSTILLS)
def test_a_hanging_server_ends_when_it_is_told_to(tmp_path: Path, standstill: str) -> None:
    copy = planted(tmp_path, STANDSTILLS[standstill], still_s=1_000.0, grace_s=3)
    with serving(tmp_path / "data", PYTHONPATH=copy) as server:
        post(server, "poison@example.com", "poison")
        until(lambda: has_begun(server))
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(PATIENCE_S)
        assert code == 1
    end_leases(server)
    with serving(tmp_path / "data") as server:
        post(server, "ada@example.com")
        until(lambda: set(events_by_email(server)) == {"ada@example.com", "poison@example.com"})
        assert server.json("quarantine", "list") == []
