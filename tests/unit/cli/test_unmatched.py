"""``warmlead model unmatched``: nothing is silently worth nothing."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from builders import NOW, a_lead, an_event, keeping
from unit.cli.conftest import DAY, Workspace, happened
from warmlead.application.unmatched import MAX_NAMES, UnmatchedReport, unmatched_in_histories
from warmlead.domain.event import Automation, Trust
from warmlead.domain.history import packed_anew
from warmlead.model.loading import load
from warmlead.model.wants import wants_of
from warmlead.runtime.backends import scratch_store

MODEL = """
signals:
  guide:
    on: content_downloaded
    when: 'kind in ["whitepaper", "ebook", "case study"] && topic == "crm"'
    points: 20
    half_life: 60d
  pricing: {on: page_viewed, when: path.startsWith("/pricing"), points: 10, half_life: 30d}
  met: {on: meeting_held, trust: signed, points: 30, half_life: 30d}
stages:
  mql: {enter: score >= 50 && last_30d.email_clicked >= 1, leave: score < 35}
"""


def downloads(kind: str, number: int, who: str = "ada@example.com") -> Any:
    properties = {"kind": kind, "topic": "crm"}
    return happened("content_downloaded", id=f"{kind}-{number}", email=who, properties=properties)


def report_in(workspace: Workspace) -> Any:
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", MODEL))
    return workspace.json("model", "unmatched")


@pytest.mark.slow
def test_events_that_no_signal_wanted_are_listed_by_how_often_they_came(
    workspace: Workspace,
) -> None:
    workspace.take(
        *(downloads("infographic", n) for n in range(3)),
        *(downloads("E-bok", n, "bob@example.com") for n in range(2)),
        downloads("ebook", 1),
        happened("page_seen", 2, id="p"),
    )

    report = report_in(workspace)

    assert [(row["event"], row["times"], row["leads"]) for row in report["unmatched"]] == [
        ("content_downloaded", 5, 2),
        ("page_seen", 1, 1),
    ]
    content, page = report["unmatched"]
    assert content["signals"] == ["guide"]
    assert [(v["property"], v["value"], v["times"], v["like"]) for v in content["values"]] == [
        ("kind", "infographic", 3, ""),
        ("kind", "E-bok", 2, "ebook"),
        ("topic", "crm", 5, "crm"),
    ]
    assert (page["signals"], page["like"]) == ([], "page_viewed")
    assert (report["source"], report["events"], report["matched"]) == ("archive", 7, 1)


@pytest.mark.slow
def test_a_person_of_several_identifiers_is_one_lead(workspace: Workspace) -> None:
    workspace.take(
        happened("page_seen", id="1", anonymous_id="a-browser"),
        happened("page_seen", id="2"),
        happened("page_seen", id="3", anonymous_id="a-stranger"),
    )
    assert [row["leads"] for row in report_in(workspace)["unmatched"]] == [3]

    both = {"email": "ada@example.com", "anonymous_id": "a-browser"}
    workspace.take(happened("identified", id="4", **both))

    assert [row["leads"] for row in report_in(workspace)["unmatched"]] == [2]


@pytest.mark.slow
def test_spellings_of_a_kind_that_conditions_understand_are_not_listed(
    workspace: Workspace,
) -> None:
    spellings = ["eBook", "e-book", "Whitepaper", "white paper", "Case Study", "case_study"]
    workspace.take(*(downloads(kind, n) for n, kind in enumerate(spellings)))

    report = report_in(workspace)

    assert (report["matched"], report["unmatched"]) == (len(spellings), [])


@pytest.mark.slow
def test_what_is_counted_by_name_or_is_no_act_is_not_listed(workspace: Workspace) -> None:
    workspace.take(
        happened("email_clicked", id="1"),
        happened("identified", id="2", traits={"title": "CEO"}),
        happened("sales_touched", id="3", email="ada@example.com"),
        happened("page_viewed", id="4", automated=Automation.ROBOT),
    )

    report = report_in(workspace)

    assert report["unmatched"] == []
    assert (report["events"], report["automated"]) == (4, 1)


@pytest.mark.slow
def test_an_event_that_wants_a_signature_says_how_many_came_without(workspace: Workspace) -> None:
    workspace.take(happened("meeting_held", id="1", trust=Trust.PUBLIC))

    (row,) = report_in(workspace)["unmatched"]

    assert (row["event"], row["public"], row["signals"]) == ("meeting_held", 1, ["met"])


@pytest.mark.slow
def test_the_list_reads_well_and_a_value_cannot_steer_the_terminal(workspace: Workspace) -> None:
    workspace.take(downloads("\x1b[31m[red]poster\n2 events in all", 1), downloads("e-bok", 2))
    report_in(workspace)

    done = workspace.run("model", "unmatched")

    assert done.code == 0
    assert "content_downloaded  2 times, 1 lead, last on " in done.out
    assert "    conditions do not hold: guide\n" in done.out
    assert '    kind: "e-bok" 1 time, like "ebook"\n' in done.out
    assert "[red]poster 2 events in all" in done.out
    assert "\x1b" not in done.out
    assert "2 events in the archive, 0 matched, 2 that no signal wanted." in done.out


@pytest.mark.slow
def test_an_event_that_was_archived_twice_counts_once(workspace: Workspace) -> None:
    workspace.take(downloads("poster", 1))
    workspace.take(downloads("poster", 1))

    assert [row["times"] for row in report_in(workspace)["unmatched"]] == [1]


@pytest.mark.slow
def test_histories_tell_the_names_of_what_no_signal_wanted() -> None:
    wants = wants_of(load(MODEL, name="test").plan)
    days = [NOW - (n % 25) * DAY for n in range(200)]
    many = [
        an_event(id=f"i{n}", name="ignored", occurred_at=day, received_at=day)
        for n, day in enumerate(days)
    ]
    ada = a_lead(an_event(id="2"), *many)
    ((id_, trail),) = ada.trails.items()
    packed = replace(trail, history=packed_anew(trail.history))
    assert packed.history.packed
    leads = [
        replace(ada, trails={id_: packed}),
        a_lead(an_event(id="1", name="ignored", email="bob@example.com")),
    ]
    looked: list[int] = []

    async def found() -> UnmatchedReport:
        async with scratch_store() as store:
            await store.update([lead.id for lead in leads], keeping(*leads))
            return await unmatched_in_histories(store.leads(), wants=wants, progress=looked.append)

    report = asyncio.run(found())

    (row,) = report.unmatched
    assert (row.event, row.times, row.leads, row.values) == ("ignored", 201, 2, [])
    assert (report.events, report.matched, report.source) == (202, 1, "histories")
    assert row.last_seen.date() == NOW.date()
    assert looked == [1, 2]


@pytest.mark.slow
def test_names_without_end_are_counted_together(workspace: Workspace) -> None:
    named = [happened(f"made_up_{n}", id=f"n{n}") for n in range(MAX_NAMES + 10)]
    workspace.take(*named)

    report = report_in(workspace)

    assert (len(report["unmatched"]), report["others"]) == (MAX_NAMES, 10)
    assert "and 10 events under further names" in workspace.run("model", "unmatched").out
