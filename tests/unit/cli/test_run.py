"""``warmlead run``: what is scheduled, by hand, now or as of another time."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from unit.cli.conftest import DAY, Workspace, command_in
from unit.cli.test_lead import DOCUMENTED

QUIET = {"looked_at": 0, "changed": 0, "moved": 0, "triggers": 0, "failed": 0, "done": True}


def in_days(days: int) -> str:
    return (datetime.now(UTC) + days * DAY).isoformat()


@pytest.mark.parametrize(("command", "more"), [("decay", {}), ("followup", {"swept": 0})])
def test_a_run_with_nothing_due_does_nothing_and_has_the_documented_shape(
    ada: Workspace, command: str, more: dict[str, int]
) -> None:
    ada.run("run", "followup")  # what became due in the past that the fixture made up
    told = ada.json("run", command)
    assert told == {**QUIET, **more}
    (shape,) = re.findall(rf"`run {command} --json`: `{{([^}}]*)}}`", DOCUMENTED)
    assert shape.split(", ") == [*told]


def test_leads_fade_as_of_a_time_to_come_for_real_and_once(ada: Workspace) -> None:
    later = in_days(120)
    done = ada.run("run", "decay", "--as-of", later, "--json")
    assert done.code == 0
    assert "moves leads for real" in done.err
    told = json.loads(done.out)
    assert (told["looked_at"], told["changed"], told["done"]) == (1, 1, True)
    assert ada.json("run", "decay", "--as-of", later) == QUIET
    assert ada.json("run", "decay") == QUIET


def test_the_warning_is_only_for_times_to_come(ada: Workspace) -> None:
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert ada.run("run", "followup", "--as-of", past).err.count("for real") == 0
    assert ada.run("run", "followup", "--as-of", in_days(1)).err.count("for real") == 1


def test_what_is_due_later_is_followed_up_as_of_then(ada: Workspace) -> None:
    told = ada.json("run", "followup", "--as-of", in_days(3))
    assert told["looked_at"] == 1
    assert told["triggers"] >= 1


def test_in_production_nobody_is_moved_as_of_a_time_to_come(workspace: Workspace) -> None:
    production = {"WARMLEAD_ENV": "production", "WARMLEAD_ID_SECRET": "0123456789" * 4}
    done = command_in(workspace.folder, "run", "decay", "--as-of", in_days(1), **production)
    assert done.returncode == 2
    assert "not moved as of a time to come" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_time_is_refused(workspace: Workspace) -> None:
    done = workspace.run("run", "decay", "--as-of", "tomorrow")
    assert done.code == 2
    assert "is not a time" in done.err
