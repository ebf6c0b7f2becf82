"""``lead show`` and ``explain`` tell what is kept and worth nothing."""

import pytest
from msgspec import structs

from unit.cli.conftest import Workspace, happened
from warmlead.domain.event import Automation, Trust


def seen_by(workspace: Workspace, **times: int) -> None:
    visit = happened("page_viewed", email="ada@example.com", trust=Trust.PUBLIC)
    workspace.take(
        *(
            structs.replace(visit, id=f"{why}-{nth}", automated=Automation(why) if why else None)
            for why, count in {"": 1, **times}.items()
            for nth in range(count)
        )
    )


@pytest.mark.slow
def test_automated_events_are_shown_beside_the_score(workspace: Workspace) -> None:
    seen_by(workspace, robot=12, preview=1, head=2)
    explained = workspace.json("lead", "explain", "ada@example.com")
    assert explained["automated"] == {"robot": 12, "preview": 1, "head": 2}
    assert sum(line["points"] for line in explained["contributions"]) == explained["score"]
    told = " ".join(workspace.run("lead", "explain", "ada@example.com").out.split())
    assert (
        "Worth nothing: 12 requests of declared robots, 1 link preview, 2 HEADs of a pixel." in told
    )
    shown = " ".join(workspace.run("lead", "show", "ada@example.com").out.split())
    assert "worth nothing 12 requests of declared robots" in shown
    assert "events page_viewed 1" in shown


@pytest.mark.parametrize("command", ["show", "explain"])
def test_leads_without_automated_events_show_no_such_line(
    workspace: Workspace, command: str
) -> None:
    seen_by(workspace)
    assert workspace.json("lead", command, "ada@example.com")["automated"] == {}
    assert "worth nothing" not in workspace.run("lead", command, "ada@example.com").out.lower()


@pytest.mark.slow
def test_a_model_that_counts_robots_does(workspace: Workspace) -> None:
    workspace.settings["WARMLEAD_MODEL"] = str(
        workspace.write(
            "model.yaml",
            "robots: count\nsignals: {visit: {on: page_viewed, points: 2, decay: never}}\n"
            "stages: {mql: {enter: score > 10}}\n",
        )
    )
    seen_by(workspace, robot=3)
    shown = workspace.json("lead", "show", "ada@example.com")
    assert (shown["score"], shown["events"], shown["automated"]) == (8, {"page_viewed": 4}, {})
