"""``warmlead model calibrate``: what people and programs read, and that it changes no file."""

import json
import re
import subprocess

import pytest

from unit.cli.conftest import Workspace
from warmlead.model.loading import load

LEARN = ("model", "calibrate", "in-use", "--within", "60d")


def test_a_person_reads_points_figures_and_the_change(crowded: Workspace) -> None:
    asked = ("model", "calibrate", "turned.yaml", "--within", "60d")
    done = crowded.run(*asked, "--page", "page.html", "--out", "learned.yaml")
    assert done.code == 0, done.err
    assert "120 leads, 40 of them (33%) reached customer within 60 days" in done.out
    assert "demo_requested" in done.out
    assert "33%" in done.out
    assert "+++ b/turned.yaml" in done.out
    assert "against" in done.out
    assert "[red]more" in done.out
    assert re.search(
        r"model backtest turned.yaml learned.yaml .*--from 20\d\d-\d\d-\d\d\n", done.out
    )
    model = load((crowded.folder / "learned.yaml").read_text(), name="new")
    assert model.file.signals["demo_requested"].points > 0
    assert model.rules.probability
    page = (crowded.folder / "page.html").read_text()
    assert "&lt;b&gt;Demo&lt;/b&gt; &amp; [red]more" in page
    assert "<b>Demo" not in page
    assert not [each for each in ("example.com", "src=", "href=") if each in page]
    assert len(page) < 60_000


def test_a_file_that_is_there_is_never_overwritten(crowded: Workspace) -> None:
    kept = crowded.write("kept.yaml", "mine")
    done = crowded.run(*LEARN, "--out", "kept.yaml")
    assert done.code == 2
    assert "kept.yaml is there already" in done.err
    assert kept.read_text() == "mine"


@pytest.mark.parametrize("option", ["--out", "--page"])
def test_a_place_that_is_not_there_is_refused_before_the_work(
    crowded: Workspace, option: str
) -> None:
    done = crowded.run("model", "calibrate", "new.yaml", option, "no/such/folder.html")
    assert (done.code, "no such folder" in done.err) == (2, True)


def test_what_no_history_knows_is_said_with_what_to_do(crowded: Workspace) -> None:
    asked = ("model", "calibrate", "new.yaml", "--within", "60d")
    refused = crowded.run(*asked)
    assert refused.code == 1
    assert "of 25 more the history does not know what a model counts (read)" in refused.err
    assert "run warmlead replay" in refused.err
    assert "import again under it" in refused.err


def test_a_program_reads_a_stable_shape_and_a_patch(crowded: Workspace) -> None:
    report = crowded.json(*LEARN)
    assert "example.com" not in json.dumps(report)
    (condition,) = report["conditions"]
    assert condition.keys() == {
        *("section", "name", "title", "asks", "leads", "won", "rate", "lift", "before", "after"),
        *("points", "is_small", "marks", "notes"),
    }
    assert (condition["leads"], condition["won"]) == (40, 30)
    assert report["older"] + report["newer"] == report["leads"] == 120
    patch = crowded.run(*LEARN, "--diff").out
    assert patch.startswith("--- a/hand.yaml\n+++ b/hand.yaml\n@@")
    applied = crowded.folder / "hand.yaml"
    subprocess.run(["git", "apply"], cwd=crowded.folder, input=patch, text=True, check=True)
    assert applied.read_text() == report["text"]


def test_too_few_leads_are_refused_with_what_is_missing(crowded: Workspace) -> None:
    done = crowded.run(*LEARN, "--from", "2031-01-01")
    assert done.code == 1
    assert "too few leads" in done.err


def test_if_nobody_has_reached_the_outcome_that_is_said(crowded: Workspace) -> None:
    done = crowded.run("model", "calibrate", "--outcome", "disqualified")
    assert done.code == 1
    assert "Nobody has reached disqualified yet" in done.err
