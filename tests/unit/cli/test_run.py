"""``warmlead run``: what is scheduled, by hand, now or as of another time."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from builders import a_lead_named, a_trigger, keeping
from unit.cli.conftest import DAY, Workspace, command_in, happened
from unit.cli.test_lead import DOCUMENTED
from warmlead.domain.lead import Lead
from warmlead.model.loading import ready_text
from warmlead.runtime import backends
from warmlead.settings import read_settings

QUIET = {"looked_at": 0, "changed": 0, "moved": 0, "triggers": 0, "failed": 0, "done": True}


def in_days(days: int) -> str:
    return (datetime.now(UTC) + days * DAY).isoformat()


@pytest.mark.slow
@pytest.mark.parametrize(("command", "more"), [("decay", {}), ("followup", {"swept": 0})])
def test_a_run_with_nothing_due_does_nothing_and_has_the_documented_shape(
    ada: Workspace, command: str, more: dict[str, int]
) -> None:
    ada.run("run", "followup")  # what became due in the past that the fixture made up
    told = ada.json("run", command)
    assert told == {**QUIET, **more}
    (shape,) = re.findall(rf"`run {command} --json`: `{{([^}}]*)}}`", DOCUMENTED)
    assert shape.split(", ") == [*told]


@pytest.mark.slow
def test_a_run_as_of_the_future_changes_leads_for_good_and_once(ada: Workspace) -> None:
    later = in_days(120)
    done = ada.run("run", "decay", "--as-of", later, "--json")
    assert done.code == 0
    assert "moves leads for real" in done.err
    told = json.loads(done.out)
    assert (told["looked_at"], told["changed"], told["done"]) == (1, 1, True)
    assert ada.json("run", "decay", "--as-of", later) == QUIET
    back = ada.json("run", "decay")  # the present takes them back to it
    assert (back["looked_at"], back["failed"], back["done"]) == (1, 0, True)
    assert ada.json("run", "decay") == QUIET


@pytest.mark.slow
def test_the_warning_is_only_for_times_to_come(ada: Workspace) -> None:
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert ada.run("run", "followup", "--as-of", past).err.count("for real") == 0
    assert ada.run("run", "followup", "--as-of", in_days(1)).err.count("for real") == 1


def test_a_followup_as_of_the_future_sends_later_steps(ada: Workspace) -> None:
    told = ada.json("run", "followup", "--as-of", in_days(3))
    assert told["looked_at"] == 1
    assert told["triggers"] >= 1


@pytest.mark.slow
def test_production_refuses_runs_as_of_the_future(workspace: Workspace) -> None:
    secret = "VqF3-an-id-secret-of-the-tests-8Zk2w"
    production = {"WARMLEAD_ENV": "production", "WARMLEAD_ID_SECRET": secret}
    done = command_in(workspace.folder, "run", "decay", "--as-of", in_days(1), **production)
    assert done.returncode == 2
    assert "--as-of must not be in the future" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_invalid_time_is_refused(workspace: Workspace) -> None:
    done = workspace.run("run", "decay", "--as-of", "tomorrow")
    assert done.code == 2
    assert "is not a time" in done.err


def keep(workspace: Workspace, *leads: Lead) -> None:
    """Writes the leads as they are."""

    async def write() -> None:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            await system.store.update([], keeping(*leads))

    asyncio.run(write())


@pytest.mark.slow
def test_a_run_says_in_words_what_it_did(workspace: Workspace) -> None:
    left = a_trigger(at=datetime.now(UTC) - timedelta(hours=1))
    due = datetime.now(UTC) - timedelta(minutes=1)
    keep(workspace, a_lead_named("ada", due_at=due), a_lead_named("bob", outbox=(left,)))
    keep(workspace, a_lead_named("eve", decay_on=1))

    sentence = "{} due: the score changed for {}, the stage for {}, {} sent"
    told = [workspace.run("run", command).out for command in ("followup", "followup", "decay")]

    assert [" ".join(words.split()) for words in told] == [
        f"{sentence.format('1 lead', 1, 1, '0 triggers')}; 1 trigger left unsent before.",
        f"{sentence.format('0 leads', 0, 0, '0 triggers')}.",
        # Bob was never evaluated, so decay puts him on the lists
        f"{sentence.format('2 leads', 2, 2, '0 triggers')}.",
    ]
    (sent,) = workspace.json("triggers")
    assert sent["event"] == json.loads(left.body)


def test_a_lead_that_cannot_be_evaluated_is_named_and_the_others_are_processed(
    workspace: Workspace,
) -> None:
    due = datetime.now(UTC) - timedelta(minutes=1)
    ada, bob = (a_lead_named(name, due_at=due) for name in ("ada", "bob"))
    keep(workspace, ada, bob)
    with closing(sqlite3.connect(workspace.data / "warmlead.sqlite3")) as file, file:
        file.execute("UPDATE leads SET document = '{}' WHERE id = ?", (ada.id,))

    done = workspace.run("run", "followup", "--json")

    assert done.code == 1
    assert "1 lead cannot be read" in done.err
    assert ada.id in done.err
    told = json.loads(done.out)
    assert (told["looked_at"], told["failed"], told["done"]) == (2, 1, True)
    assert workspace.json("lead", "show", bob.id)["stage"] == "lead"


def test_run_needs_the_name_of_a_function(workspace: Workspace) -> None:
    done = workspace.run("run")
    assert done.code == 2
    assert "decay" in done.out + done.err
    assert "followup" in done.out + done.err


PAGE = (Path(__file__).parents[3] / "docs/between-events.md").read_text()
HOURS = 'days: mon-fri, from: "09:00", to: "17:00"'


def squeezed(text: str) -> str:
    """The text without the times in it, what is only told by the way, and how it is wrapped."""
    lines = [line for line in text.splitlines() if not line.startswith("    +")]
    joined = " ".join(" ".join(lines).split())
    timeless = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d| UTC)", "T", joined)
    return re.sub(r"the score changed for \d", "the score changed", timeless)  # it may be midnight


@pytest.mark.slow
def test_the_pages_output_after_an_hour_is_real(workspace: Workspace) -> None:
    (shown,) = re.findall(r"<!-- between events.*?```\n(.*?)```", PAGE, re.DOTALL)
    told = dict(re.findall(r"^\$ warmlead (.*)\n([^$]*)", shown, re.MULTILINE))
    always = 'days: mon-sun, from: "00:00", to: "24:00"'  # whenever this test runs
    workspace.write("model.yaml", ready_text("b2b-saas").replace(HOURS, always))
    workspace.settings["WARMLEAD_MODEL"] = "model.yaml"
    traits = {"company": "Analytical Engines", "employees": 80, "country": "US", "title": "CEO"}
    ebook, pricing = {"kind": "ebook"}, {"path": "/pricing"}
    workspace.take(
        happened("webinar_attended", 2, id="1", traits=traits),
        happened("content_downloaded", 1, id="2", properties=ebook),
        happened("page_viewed", id="3", properties=pricing),
    )

    hour = (datetime.now(UTC) + timedelta(minutes=61)).isoformat()
    followed_up = workspace.run("run", "followup", "--as-of", hour).out
    assert squeezed(followed_up) == squeezed(told["run followup"])
    assert squeezed(workspace.run("triggers").out) == squeezed(told["triggers"])
    lead = workspace.run("lead", "show", "ada@example.com").out
    assert squeezed(lead).startswith(squeezed(told["lead show ada@example.com"]))
