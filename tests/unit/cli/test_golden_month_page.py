"""The golden month in the documentation, row by row as it is played."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace

pytestmark = pytest.mark.slow  # plays a page of the documentation

PAGE = (Path(__file__).parents[3] / "docs" / "golden-month.md").read_text(encoding="utf-8")
POWER = re.compile(r"(\d+) × 2\^\(−(\d+)/(\d+)\)")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def row_of(days: Sequence[dict[str, Any]]) -> list[str]:
    """Day, score, stage and messages of a day, or of quiet days up to the last of them."""
    first, last = days[0]["day"], days[-1]
    number = str(first) if first == last["day"] else f"{first}–{last['day']}"
    on = date.fromisoformat(last["date"])
    told = [
        f"{line['at'][11:16]} {line['text']}"
        for day in days
        for line in day["lines"]
        if line["kind"] == "sent"
    ]
    when = f"{number}, {on:%a} {on.day} {on:%b}"
    return [when, str(last["score"]), last["stage"], "; ".join(told)]


def grouped(days: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    groups: list[list[dict[str, Any]]] = []
    for day in days:
        if groups and not day["lines"] and not groups[-1][-1]["lines"]:
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


def test_every_row_of_the_page_is_played(workspace: Workspace) -> None:
    played = workspace.json("model", "simulate", "--model", "b2b-saas")

    documented = [[when, score, stage, told] for when, score, stage, _, told, _ in rows()]
    assert documented == [row_of(days) for days in grouped(played["days"])]


def test_the_sums_are_those_of_the_month(workspace: Workspace) -> None:
    played = workspace.json("model", "simulate", "--model", "b2b-saas")["summary"]

    assert (played["moved_back"], played["entered"]["mql"]) == (1, 2)
    assert sum(played["messages"].values()) == 7
    assert played["sales"] == {"offered": 2, "reminder": 1, "breached": 2}
    assert played["value"] == "16,500.00 EUR"
    assert "moved back once, was an MQL twice, got seven messages" in PAGE


def test_the_day_by_hand_adds_up(workspace: Workspace) -> None:
    powers = [tuple(map(int, found)) for found in POWER.findall(PAGE)]
    shown = [float(text) for text in re.findall(r"= (\d+\.\d\d)  ", PAGE)]

    worth = [points * 2 ** (-age / half) for points, age, half in powers]
    assert [round(each, 2) for each in worth] == shown
    assert f"= {sum(worth) + 20 + 5 + 15 + 5:.2f}, shown as 75" in PAGE
    played = workspace.json("model", "simulate", "--model", "b2b-saas")
    assert played["days"][3]["score"] == 75
