"""The benchmark still runs, and an event costs no more calls than is claimed."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from warmlead.stores.firestore.fields import SHARDS

TESTS = Path(__file__).parents[1]
PATIENCE_S = 240

Bench: TypeAlias = Callable[[str], str]
"""What a section of the benchmark prints."""


@pytest.fixture
def bench(firestore_emulator: str, pubsub_emulator: str) -> Bench:
    hosts = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "PUBSUB_EMULATOR_HOST": pubsub_emulator}

    def printed(section: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bench", "--quick", "--only", section],
            env={**os.environ, **hosts, "PYTHONPATH": str(TESTS)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return printed


def test_an_ordinary_event_is_one_publish_one_read_and_one_commit(bench: Bench) -> None:
    calls = dict(re.findall(r"^  (\S.*?)  +(\d \+ \d)  ", bench("rpcs"), re.MULTILINE))
    assert calls == {
        "an event of somebody new": "1 + 2",
        "an ordinary event, cold": "1 + 2",
        "an ordinary event, warm": "1 + 1",
        "100 events of one person at once": "1 + 2",
        "a visitor becomes known (merge)": "1 + 3",
        "an event that makes an MQL": "4 + 3",  # to mql, to lifecycle for sales, to nurture
    }


def test_a_daily_run_costs_the_same_among_ever_more_leads(bench: Bench) -> None:
    printed = bench("due")
    # A look for leads from ahead finds none, and costs a read a shard; one for old leads costs one.
    charged = str(250 + SHARDS + 1)
    few, _, _ = printed.partition("All leads due")
    counts = re.findall(r"^  (\S.*?)  +(\d+)  +(\d+)  ", few, re.MULTILINE)
    assert counts == [
        ("SQLite, 500 leads", "250", "250"),
        ("SQLite, 5,000 leads", "250", "250"),
        ("emulator, 500 leads", charged, "250"),
        ("emulator, 2,000 leads", charged, "250"),
    ]
    goal = r"^  documents of a daily run .*, (\w+) .*  (met|NOT MET)$"
    goals = re.findall(goal, printed, re.MULTILINE)
    assert goals == [("SQLite", "met"), ("emulator", "met")]
