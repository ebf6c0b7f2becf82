"""``warmlead quarantine`` and ``warmlead replay``: nothing is lost, nothing doubles."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from builders import NOW
from unit.cli.conftest import DAY, Workspace, happened
from warmlead.application.accept import Quarantined, to_quarantine
from warmlead.cli.quarantine import MOST_SHOWN
from warmlead.domain.errors import Reason
from warmlead.domain.event import Trust
from warmlead.domain.trigger import Topic
from warmlead.runtime import backends
from warmlead.settings import read_settings


def set_aside(workspace: Workspace, *entries: Quarantined) -> None:
    async def publish() -> None:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            await system.bus.publish(Topic.QUARANTINE, [to_quarantine(entry) for entry in entries])

    asyncio.run(publish())


def a_raw(raw: str) -> Quarantined:
    return Quarantined(
        reason=Reason.EVENT_NAME_MISSING,
        message="A track call needs an event.",
        source="segment",
        received_at=NOW,
        raw=raw,
        path="/v1/batch",
    )


MENDED = '{"type": "track", "event": "Demo Requested", "anonymousId": "browser-1"}'
"""As after a release that can read what the one before could not."""


def waiting(workspace: Workspace) -> int:
    """How many messages wait for ``score``."""
    with closing(sqlite3.connect(workspace.data / "warmlead.sqlite3")) as connection, connection:
        question = "SELECT count(*) FROM deliveries WHERE subscription = 'score'"
        (count,) = connection.execute(question).fetchone()
    return int(count)


def test_an_unknown_number_is_reported_before_anything_is_retried(workspace: Workspace) -> None:
    set_aside(workspace, a_raw(MENDED))
    (number,) = (row["number"] for row in workspace.json("quarantine", "list"))
    done = workspace.run("quarantine", "replay", str(number), "999", "998")
    assert (done.code, done.out) == (1, "")
    assert "Not in quarantine, or released before: 998, 999." in done.err
    assert waiting(workspace) == 0
    assert workspace.json("quarantine", "replay", str(number)) == {"released": 1, "kept": 0}


def test_quarantine_lists_have_the_documented_shape(workspace: Workspace) -> None:
    flooded = Quarantined(
        reason=Reason.LEAD_FLOODED,
        message="the lead has more events than are kept of one",
        source="generic",
        received_at=NOW,
        event=happened("page_viewed"),
    )
    set_aside(workspace, a_raw("{}"), flooded)
    first, second = workspace.json("quarantine", "list")
    assert list(first) == ["number", "at", "reason", "message", "source", "kind", "content"]
    assert (first["reason"], first["content"]) == ("event_name_missing", "{}")
    assert json.loads(second["content"])["email"] == "ada@example.com"
    assert "event_name_missing" in workspace.run("quarantine", "list").out


@pytest.mark.slow
def test_chosen_ones_are_tried_again_and_what_still_fails_stays(workspace: Workspace) -> None:
    set_aside(workspace, a_raw(MENDED), a_raw("{}"), a_raw(MENDED))
    first, _, third = workspace.json("quarantine", "list")
    assert workspace.json("quarantine", "replay", str(third["number"])) == {
        "released": 1,
        "kept": 0,
    }
    assert waiting(workspace) == 1
    assert workspace.json("quarantine", "replay") == {"released": 1, "kept": 1}
    assert workspace.run("quarantine", "replay", str(first["number"])).code == 1  # released already
    (left,) = workspace.json("quarantine", "list")
    assert left["content"] == "{}"


def a_post(email: str, reason: Reason) -> Quarantined:
    return Quarantined(
        reason=reason,
        message="There is no token of the spam check.",
        source="generic",
        received_at=NOW,
        raw=json.dumps({"email": email}),
        path="/generic/contact",
        trust=Trust.PUBLIC,
    )


@pytest.mark.slow
def test_what_passed_no_spam_check_is_tried_by_its_number_or_reason_only(
    workspace: Workspace,
) -> None:
    set_aside(
        workspace,
        a_raw(MENDED),
        a_post("a@example.com", Reason.CAPTCHA_MISSING),
        a_post("b@example.com", Reason.CAPTCHA_FAILED),
        *(a_post(f"c{n}@example.com", Reason.CAPTCHA_UNCHECKED) for n in range(2)),
    )
    numbers = [str(row["number"]) for row in workspace.json("quarantine", "list")]

    told = workspace.run("quarantine", "replay").out
    assert "1 released" in told
    assert "4 that passed no spam check were not tried" in told
    by_number = workspace.json("quarantine", "replay", numbers[1])
    by_reason = workspace.json("quarantine", "replay", "--reason", "captcha_unchecked")
    assert (by_number, by_reason) == ({"released": 1, "kept": 0}, {"released": 2, "kept": 0})
    (left,) = workspace.json("quarantine", "list")
    assert left["content"] == '{"email": "b@example.com"}'

    both = workspace.run("quarantine", "replay", numbers[2], "--reason", "captcha_failed")
    assert (both.code, both.out) == (1, "")
    assert "Give numbers or a reason" in both.err
    assert workspace.run("quarantine", "replay", "--reason", "spam").code == 2


def test_numbers_must_be_numbers(workspace: Workspace) -> None:
    assert workspace.run("quarantine", "replay", "all").code == 2


def shown(workspace: Workspace, whom: Sequence[str]) -> list[dict[str, Any]]:
    """The leads, but for the moment at which they were looked at."""
    leads = [workspace.json("lead", "show", who) for who in whom]
    return [{name: value for name, value in lead.items() if name != "as_of"} for lead in leads]


def some_leads(workspace: Workspace) -> list[str]:
    """Ada, as she is; Bob, whom two browsers claim; and a visitor whom nobody knows."""
    bob = {"email": "bob@example.com"}
    late = datetime.now(UTC) - 30 * DAY  # it was told of only then
    origin = {"gclid": "x"}
    browser = {"anonymous_id": "browser-2", "received_at": late}
    workspace.take(
        happened("page_viewed", 40, id="b1", attribution=origin, **browser),
        happened("identified", 3, id="b2", anonymous_id="browser-2", traits={"a": [1]}, **bob),
        happened("site_searched", 2, id="b3", anonymous_id="browser-3"),
        happened("identified", 1, id="b4", anonymous_id="browser-3", traits={"a": None}, **bob),
        happened("page_viewed", 1, id="c1", anonymous_id="browser-4"),
    )
    return ["ada@example.com", "bob@example.com", "browser-4"]


@pytest.mark.slow
def test_rebuilt_leads_are_the_same(ada: Workspace) -> None:
    whom = some_leads(ada)
    before, told = shown(ada, whom), ada.json("triggers")
    assert ada.json("replay") == {
        "events": 10,
        "unreadable": 0,
        "leads": 3,
        "moved": 0,
        "failed": 0,
        "unreadable_leads": [],
    }
    assert shown(ada, whom) == before
    assert ada.json("triggers") == told


@pytest.mark.slow
def test_lost_leads_are_rebuilt(ada: Workspace) -> None:
    whom = some_leads(ada)
    before, told = shown(ada, whom), ada.json("triggers")
    with closing(sqlite3.connect(ada.data / "warmlead.sqlite3")) as connection, connection:
        for table in ("leads", "aliases", "transitions"):
            connection.execute(f"DELETE FROM {table}")
    assert ada.run("lead", "show", "u-42").code == 1
    assert ada.json("replay")["leads"] == 3
    after = shown(ada, whom)
    assert [without_times(lead) for lead in after] == [without_times(lead) for lead in before]
    assert ada.json("triggers") == told


def without_times(lead: dict[str, Any]) -> dict[str, Any]:
    """Without what was known when, which only the lost lead knew: the archive's times stand in."""
    of_processing = {"created_at", "stage_since", "stage_learnt_at", "moves", "offer"}
    return {k: v for k, v in lead.items() if k not in of_processing}


NARROW = """\
signals:
  pricing_page_viewed: {on: page_viewed, when: path.startsWith("/pricing"), points: 10, per_day: 9}
stages:
  mql: {enter: score >= 10}
"""


@pytest.mark.slow
def test_events_are_classified_anew(ada: Workspace) -> None:
    path = ada.write("model.yaml", NARROW)
    ada.settings["WARMLEAD_MODEL"] = str(path)
    assert ada.json("replay")["leads"] == 1
    assert ada.json("lead", "show", "u-42")["signals"] == {"pricing_page_viewed": 2}
    path.write_text(NARROW.replace("/pricing", "/jobs"))
    assert ada.json("model", "check", "model.yaml")["needs_replay"] == ["pricing_page_viewed"]
    assert ada.json("model", "apply")["changed"] == 0  # what an event is was decided when it came
    assert ada.json("lead", "show", "u-42")["score"] > 0
    ada.json("replay")
    assert ada.json("model", "check", "model.yaml")["needs_replay"] == []
    rebuilt = ada.json("lead", "show", "u-42")
    assert (rebuilt["signals"], rebuilt["score"]) == ({}, 0)
    assert rebuilt["stage"] == "mql"  # a record of what was known when


@pytest.mark.slow
def test_a_long_quarantine_shows_the_latest_items_and_the_total(
    workspace: Workspace,
) -> None:
    set_aside(workspace, *(a_raw("{}") for _ in range(MOST_SHOWN + 20)))
    numbers = [row["number"] for row in workspace.json("quarantine", "list")]
    shown = workspace.run("quarantine", "list").out

    assert len(numbers) == MOST_SHOWN + 20
    assert f"20 earlier entries are not shown; --json prints all {len(numbers)}." in shown
    assert shown.count("event_name_missing") == MOST_SHOWN
