"""The stories of the page about the handoff, as they are played."""

import re
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace

PAGE = (Path(__file__).parents[3] / "docs" / "handoff.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(yaml|text)\n(.*?)```", PAGE, re.DOTALL)


def stories() -> list[tuple[str, str, list[str]]]:
    """Each story with the model before it, and the lines of messages that follow it."""
    found = []
    for i, (kind, text) in enumerate(BLOCKS):
        if kind == "yaml" and text.startswith("about:"):
            found.append((BLOCKS[i - 1][1], text, BLOCKS[i + 1][1].splitlines()))
    return found


def told(days: list[dict[str, Any]]) -> list[str]:
    return [
        f"day {day['day']:<3} {line['at'][11:16]}  {line['text']}"
        for day in days
        for line in day["lines"]
        if line["kind"] == "sent"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(2))
def test_a_story_of_the_page_is_played_as_it_says(workspace: Workspace, number: int) -> None:
    model, story, lines = stories()[number]
    model_file = str(workspace.write("model.yaml", model))
    story_file = str(workspace.write("story.yaml", story))

    checked = workspace.json("model", "check", model_file)
    assert (checked["errors"], checked["warnings"]) == (0, 0)
    played = workspace.json("model", "simulate", story_file, "--model", model_file)
    assert told(played["days"]) == lines


def test_every_story_of_the_page_is_played() -> None:
    assert len(stories()) == 2
    assert round(70 * 2 ** (-15 / 30)) == 49
