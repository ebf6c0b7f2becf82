"""The benchmark still runs, and an event costs no more calls than is claimed."""

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_an_ordinary_event_is_one_publish_one_read_and_one_commit(
    firestore_emulator: str, pubsub_emulator: str
) -> None:
    hosts = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "PUBSUB_EMULATOR_HOST": pubsub_emulator}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "rpcs"],
        env={**os.environ, **hosts, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    calls = dict(re.findall(r"^  (\S.*?)  +(\d \+ \d)  ", done.stdout, re.MULTILINE))
    assert calls == {
        "an event of somebody new": "1 + 2",
        "an ordinary event, cold": "1 + 2",
        "an ordinary event, warm": "1 + 1",
        "100 events of one person at once": "1 + 2",
        "a visitor becomes known (merge)": "1 + 3",
        "an event that makes an MQL": "3 + 3",  # told to mql and, for sales, to lifecycle
    }


def test_a_daily_run_costs_the_same_among_ever_more_leads(
    firestore_emulator: str, pubsub_emulator: str
) -> None:
    hosts = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "PUBSUB_EMULATOR_HOST": pubsub_emulator}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--only", "due"],
        env={**os.environ, **hosts, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 0, done.stderr
    counts = re.findall(r"^  (\S.*?)  +(\d+)  +(\d+)  ", done.stdout, re.MULTILINE)
    assert counts == [
        ("SQLite, 500 leads", "250", "250"),
        ("SQLite, 5,000 leads", "250", "250"),
        ("emulator, 500 leads", "250", "250"),
        ("emulator, 2,000 leads", "250", "250"),
    ]
    goal = r"^  documents of a daily run .*, (\w+) .*  (met|NOT MET)$"
    goals = re.findall(goal, done.stdout, re.MULTILINE)
    assert goals == [("SQLite", "met"), ("emulator", "met")]
