"""``warmlead model shadow``: what people and programs read of two models."""

import json
from pathlib import Path

import pytest

from unit.cli.conftest import Workspace, happened

FIRST = "signals: {demo: {on: demo_requested, points: 40, half_life: 90d}}\n"
STAGES = "stages: {mql: {enter: score >= 30, leave: score < 5}}\n"
TITLE = "<b>Seen</b> [red]"
SECOND = f'signals: {{seen: {{on: page_viewed, points: 40, half_life: 90d, title: "{TITLE}"}}}}\n'


@pytest.fixture
def beside(workspace: Workspace) -> Workspace:
    """Ada asked for a demo, Bob looked at a page; only one of the models cares for each."""
    for name, text in (("first", FIRST), ("second", SECOND)):
        workspace.write(f"{name}.yaml", text + STAGES)
    workspace.settings |= {
        "WARMLEAD_MODEL": str(workspace.folder / "first.yaml"),
        "WARMLEAD_SHADOW_MODEL": str(workspace.folder / "second.yaml"),
    }
    workspace.take(
        happened("demo_requested", id="1", email="ada@example.com"),
        happened("page_viewed", id="2", email="bob@example.com"),
    )
    return workspace


def test_a_person_reads_whom_each_model_lets_pass(beside: Workspace) -> None:
    done = beside.run("model", "shadow")

    assert done.code == 0, done.err
    assert "2 leads seen by both models" in done.out
    assert "both 0, only in force 1, only shadow 1, neither 0" in done.out
    assert f"+40 {TITLE} once" in done.out
    assert "Sales was never offered" in done.out


def test_a_program_reads_the_same_and_a_page_shows_it_without_addresses(
    beside: Workspace,
) -> None:
    report = beside.json("model", "shadow", "--page", "shadow.html")
    page = Path(beside.folder, "shadow.html").read_text(encoding="utf-8")

    assert (report["only_in_force"], report["only_shadow"]) == (1, 1)
    assert report["examples_shadow"][0]["id"] in page
    assert "&lt;b&gt;Seen&lt;/b&gt;" in page
    for word in ("<b>", "example.com", "src=", "href="):
        assert word not in page


@pytest.mark.parametrize(
    ("shadow", "told"),
    [("", "No second model runs"), ("first.yaml", "is the model in force itself")],
)
def test_without_another_model_the_command_says_so(
    workspace: Workspace, shadow: str, told: str
) -> None:
    workspace.write("first.yaml", FIRST + STAGES)
    workspace.settings |= {"WARMLEAD_MODEL": "first.yaml", "WARMLEAD_SHADOW_MODEL": shadow}

    done = workspace.run("model", "shadow")

    assert done.code == 2
    assert told in done.err


def test_a_lead_is_shown_by_the_model_in_force_alone(beside: Workspace) -> None:
    assert beside.json("lead", "explain", "bob@example.com")["score"] == 0
    assert beside.json("lead", "show", "bob@example.com")["signals"] == {}
    exported = json.loads(beside.run("lead", "export", "bob@example.com").out)
    assert exported["lead"]["shadow"]["score"] > 30
    assert exported["lead"]["shadow"]["stage"]["stage"] == "mql"
