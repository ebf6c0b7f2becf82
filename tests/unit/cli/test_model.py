"""``warmlead model``: faults with their places, and what a changed model needs."""

import json
from datetime import UTC, datetime, timedelta

import jsonschema
import pytest
from msgspec import structs

from unit.cli.conftest import Workspace
from warmlead.domain.errors import ConfigurationError
from warmlead.model.loading import load
from warmlead.model.plan import FORMAT, write_compiled

FAULTY = """\
signals:
  page_viewed: {on: page_viewed, points: 1}
  pricing_viewed: {on: page_viewed, when: pth.startsWith("/pricing"), points: ten}
stages:
  mql: {enter: score >= 5}
"""
SOUND = """\
signals:
  page_viewed: {on: page_viewed, points: 1}
  pricing_page_viewed: {on: page_viewed, when: path.startsWith("/pricing"), points: 10}
  demo_requested: {on: demo_requested, points: 40}
stages:
  mql: {enter: score >= 30, leave: score < 20}
"""


@pytest.mark.slow
def test_a_sound_model_passes(workspace: Workspace) -> None:
    path = workspace.write("model.yaml", SOUND)
    report = workspace.json("model", "check", str(path))
    expected = {"file", "version", "errors", "warnings", "notes", "findings", "needs_replay"}
    assert report.keys() == expected | {"kept_too_briefly"}
    assert (report["errors"], report["needs_replay"], report["kept_too_briefly"]) == (0, [], [])
    assert len(report["version"]) == 12
    assert "is valid" in workspace.run("model", "check", str(path)).out


def test_every_fault_is_found_with_its_place(workspace: Workspace) -> None:
    path = workspace.write("model.yaml", FAULTY)
    done = workspace.run("model", "check", str(path), "--json")
    report = json.loads(done.out)
    assert done.code == 1
    assert report["version"] is None
    assert report["errors"] == len([f for f in report["findings"] if f["severity"] == "error"]) > 1
    lines = FAULTY.splitlines()
    for finding in report["findings"]:
        assert finding.keys() == {"severity", "line", "column", "path", "message", "suggestion"}
        assert lines[finding["line"] - 1][finding["column"] - 1 :]
    said = workspace.run("model", "check", str(path))
    assert said.code == 1
    place = next(f for f in report["findings"] if f["severity"] == "error")
    assert f"model.yaml:{place['line']}:{place['column']} error" in said.out


@pytest.mark.parametrize(("days_left", "warned"), [(119, True), (121, False)])
def test_of_a_compiled_model_is_said_when_its_holidays_run_out(
    workspace: Workspace, days_left: int, *, warned: bool
) -> None:
    until = datetime.now(UTC).date() + timedelta(days=days_left)
    plan = structs.replace(load(SOUND, name="model").plan, holidays_until=until)
    path = workspace.write("model.json", write_compiled(plan))

    report = workspace.json("model", "check", str(path))
    assert (report["version"], report["errors"]) == (plan.version, 0)
    found = [(each["severity"], each["suggestion"]) for each in report["findings"]]
    assert found == ([("warning", "compile it again: make stage")] if warned else [])
    assert "is valid" in workspace.run("model", "check", str(path)).out


def test_a_compiled_model_of_another_release_is_refused(workspace: Workspace) -> None:
    written = write_compiled(load(SOUND, name="model").plan)
    other = workspace.write("model.json", written.replace(FORMAT, FORMAT[:-1] + "0"))
    with pytest.raises(ConfigurationError, match="compile the model file again"):
        workspace.run("model", "check", str(other))


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, 2), (b"\xff\xfe", 2), (b"", 1), (b"[1, 2]", 1), (b"a: b: c", 1), (b"&a [*a]", 1)],
)
def test_a_file_that_cannot_be_read_is_a_usage_error_and_one_with_faults_is_wrong(
    workspace: Workspace, content: bytes | None, code: int
) -> None:
    path = workspace.folder / "model.yaml"
    if content is not None:
        path.write_bytes(content)
    done = workspace.run("model", "check", str(path))
    assert done.code == code
    assert done.out + done.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ["b2b-saas", "ecommerce", "product-led"])
def test_a_ready_made_model_is_shown_as_it_is_written(workspace: Workspace, name: str) -> None:
    text = workspace.run("model", "show", name).out
    assert text == workspace.json("model", "show", name)["text"]
    path = workspace.write("copy.yaml", text)
    assert workspace.json("model", "check", str(path))["errors"] == 0


@pytest.mark.slow
def test_the_model_in_use_is_shown_by_default(workspace: Workspace) -> None:
    assert workspace.json("model", "show")["name"] == "b2b-saas"
    path = workspace.write("model.yaml", SOUND)
    workspace.settings["WARMLEAD_MODEL"] = str(path)
    assert workspace.run("model", "show").out == SOUND


@pytest.mark.slow
def test_the_printed_schema_is_the_published_one(workspace: Workspace) -> None:
    schema = json.loads(workspace.run("model", "schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert {"signals", "fit", "stages"} <= schema["properties"].keys()
    assert schema["additionalProperties"] is False


def applied(workspace: Workspace) -> tuple[int, int, int]:
    """How many leads were re-evaluated, show another score, and moved."""
    done = workspace.json("model", "apply")
    assert done.keys() == {"leads", "changed", "moved", "failed", "unreadable"}
    assert (done["failed"], done["unreadable"]) == (0, [])
    return done["leads"], done["changed"], done["moved"]


@pytest.mark.slow
def test_apply_says_that_running_servers_keep_their_old_model(
    ada: Workspace,
) -> None:
    told = " ".join(ada.run("model", "apply").out.split())
    assert told.startswith("1 lead re-evaluated: the score changed for 0, the stage for 0.")
    assert "if the model has changed, restart it too" in told


@pytest.mark.slow
def test_a_changed_model_is_applied_to_everyone_without_events(ada: Workspace) -> None:
    before = ada.json("lead", "show", "u-42")
    assert ada.json("model", "apply") == {
        "leads": 1,
        "changed": 0,
        "moved": 0,
        "failed": 0,
        "unreadable": [],
    }
    path = ada.write("model.yaml", SOUND.replace("points: 40", "points: 15"))
    ada.settings["WARMLEAD_MODEL"] = str(path)
    assert ada.json("model", "apply") == {
        "leads": 1,
        "changed": 1,
        "moved": 0,
        "failed": 0,
        "unreadable": [],
    }
    after = ada.json("lead", "show", "u-42")
    assert after["score"] == 2 * (10 + 1) + 15
    assert after["model_version"] != before["model_version"]
    assert ada.json("model", "apply") == {
        "leads": 1,
        "changed": 0,
        "moved": 0,
        "failed": 0,
        "unreadable": [],
    }
    path.write_text(path.read_text().replace("points: 10", "points: 1"))
    assert ada.json("model", "apply") == {
        "leads": 1,
        "changed": 1,
        "moved": 1,
        "failed": 0,
        "unreadable": [],
    }
    moves = [row for row in ada.json("triggers") if "from_stage" in row["event"]["data"]]
    assert [move["event"]["data"]["stage"] for move in moves] == ["mql", "lead"]


def test_a_faulty_model_is_never_in_use(ada: Workspace) -> None:
    ada.settings["WARMLEAD_MODEL"] = str(ada.write("model.yaml", FAULTY))
    done = ada.run("model", "check", "model.yaml")
    assert done.code == 1
    with pytest.raises(Exception, match=r"model\.yaml"):  # which the command tells in words
        ada.run("lead", "list")


CLASSIFYING = """\
signals:
  pricing_page_viewed: {on: page_viewed, when: path.startsWith("/pricing"), points: 10}
  demo_requested: {on: demo_requested, points: 40, decay: never}
"""


@pytest.mark.slow
def test_a_check_says_with_what_it_compares(ada: Workspace) -> None:
    ada.settings["WARMLEAD_MODEL"] = str(ada.write("old.yaml", CLASSIFYING))
    ada.run("replay")
    ada.write("new.yaml", CLASSIFYING.replace("/pricing", "/price"))
    here = f"The leads in {ada.data} were counted under a model that takes"
    cloud = "The model in the settings (old.yaml) takes"
    for settings, told in (
        ({}, here),
        ({"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p", "WARMLEAD_MODEL": "old.yaml"}, cloud),
    ):
        ada.settings.update(settings)
        shown = " ".join(ada.run("model", "check", "new.yaml").out.split())
        assert f"{told} these signals for other events: pricing_page_viewed." in shown
        assert "Once WARMLEAD_MODEL is new.yaml, run warmlead replay" in shown


@pytest.mark.slow
def test_a_changed_model_says_what_it_cannot_know_of_the_past(ada: Workspace) -> None:
    path = ada.write("model.yaml", CLASSIFYING)
    ada.settings["WARMLEAD_MODEL"] = str(path)
    assert ada.run("replay").err == ""  # a bar is for a terminal
    assert ada.json("lead", "explain", "u-42")["known_since"] == {}
    path.write_text(
        CLASSIFYING
        + "  visited: {on: page_viewed, points: 1, decay: never}\n"
        + "stages: {mql: {enter: last_200d.page_viewed >= 1, leave: last_200d.page_viewed == 0}}\n"
        + "bonuses: {keen: {when: visits_30d.page_viewed >= 2, points: 5}}\n"
    )

    checked = ada.json("model", "check", str(path))
    assert (checked["needs_replay"], checked["kept_too_briefly"]) == (
        ["visited"],
        ["page_viewed", "visits.page_viewed"],
    )
    told = " ".join(ada.run("model", "apply").out.split())
    assert (
        "not counted in full for visited, page_viewed, visits.page_viewed: run warmlead replay"
        in told
    )
    explained = ada.json("lead", "explain", "u-42")
    assert explained["known_since"].keys() == {"visited", "page_viewed", "visits.page_viewed"}
    for shown in (("list",), ("show", "u-42"), ("explain", "u-42")):
        assert "not known: page_viewed before" in " ".join(ada.run("lead", *shown).out.split())

    ada.run("replay")
    assert ada.json("lead", "explain", "u-42")["known_since"] == {}
    assert "not known" not in ada.run("lead", "list").out


@pytest.mark.slow
def test_on_the_cloud_a_model_is_compared_with_the_one_in_use(ada: Workspace) -> None:
    old = ada.write("old.yaml", CLASSIFYING)
    ada.settings["WARMLEAD_MODEL"] = str(old)
    ada.run("replay")  # what one machine notes of its own histories says nothing of Firestore's
    narrowed = CLASSIFYING.replace("/pricing", "/price")
    in_use = ada.write("in-use.yaml", narrowed)
    cloud = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p", "WARMLEAD_MODEL": str(in_use)}
    ada.settings.update(cloud)

    assert ada.json("model", "check", "in-use.yaml")["needs_replay"] == []
    assert ada.json("model", "check", "old.yaml")["needs_replay"] == ["pricing_page_viewed"]
    more = ada.write("more.yaml", narrowed.replace("points: 40", "points: 50"))
    assert ada.json("model", "check", str(more))["needs_replay"] == []


@pytest.mark.slow
def test_a_record_of_a_model_without_quotes_needs_no_replay(ada: Workspace) -> None:
    condition = 'path in ["/pricing"]'
    model = CLASSIFYING.replace('path.startsWith("/pricing")', f"'{condition}'")
    ada.settings["WARMLEAD_MODEL"] = str(ada.write("model.yaml", model))
    ada.run("replay")
    (record,) = ada.folder.rglob("classified-by.yaml")
    assert record.read_text() == model
    record.write_text(model.replace(f"'{condition}'", condition))

    assert ada.json("model", "check", "model.yaml")["needs_replay"] == []


def test_on_the_cloud_a_model_can_be_checked_where_none_is_in_use(workspace: Workspace) -> None:
    workspace.settings |= {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": "p"}
    workspace.settings["WARMLEAD_MODEL"] = "nowhere.yaml"
    workspace.write("model.yaml", CLASSIFYING)

    assert workspace.json("model", "check", "model.yaml")["needs_replay"] == []
