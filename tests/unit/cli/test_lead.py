"""``warmlead lead``: the shapes that ``docs/cli.md`` promises, whom it finds, and when."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import DAY, Workspace, happened
from warmlead.cli.lead import PAGE_ROWS, as_said
from warmlead.domain.event import Trust

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")


def documented(command: str) -> set[str]:
    """The keys that the documentation names for a command's JSON."""
    found = re.search(rf"`{command} --json`: (?:an array of )?`\{{([^}}]*)\}}`", DOCUMENTED)
    assert found
    return set(found[1].split(", "))


@pytest.mark.slow
def test_a_list_has_the_documented_shape_and_the_warmest_first(ada: Workspace) -> None:
    ada.take(happened("page_viewed", id="9", email="bob@example.com"))
    warm, cold = ada.json("lead", "list")
    assert warm.keys() == cold.keys() == documented("list")
    assert (warm["email"], cold["email"]) == ("ada@example.com", "bob@example.com")
    assert warm["score"] > cold["score"]
    assert ada.json("lead", "list", "--stage", "mql") == [warm]
    assert ada.json("lead", "list", "--most", "1") == [warm]
    assert ada.run("lead", "list", "--most", "0").code == 2


def test_a_lead_without_an_address_is_listed_by_its_user_id(workspace: Workspace) -> None:
    workspace.take(
        happened("page_viewed", id="1", user_id="u-7"),
        happened("page_viewed", id="2", user_id="u-8", traits={"name": "Bob"}),
        happened("page_viewed", id="3", anonymous_id="browser-1"),
    )
    assert {row["user_id"] for row in workspace.json("lead", "list")} == {"u-7", "u-8", None}
    shown = workspace.run("lead", "list").out
    for who in ("  u-7  ", "  Bob u-8  ", "  (anonymous)  "):
        assert who in shown


def test_a_long_name_hides_no_neighbour_and_is_whole_in_json(workspace: Workspace) -> None:
    long = {"name": "N" * 8_000, "company": "C" * 8_000}
    workspace.take(
        happened("identified", id="1", email="eve@example.com", traits=long),
        happened("identified", id="2", email="bob@example.com"),
    )
    assert len(workspace.run("lead", "list").out.splitlines()) < 12
    assert len(workspace.run("lead", "show", "eve@example.com").out) < 1_500
    assert workspace.json("lead", "show", "eve@example.com")["traits"] == long


@pytest.mark.parametrize("options", [(), ("--json",), ("--as-of", "2030-01-01")], ids=" ".join)
def test_an_unknown_stage_is_refused(ada: Workspace, options: tuple[str, ...]) -> None:
    done = ada.run("lead", "list", "--stage", "mq", *options)
    assert (done.code, done.out) == (2, "")
    assert "There is no stage 'mq'." in done.err
    assert "The stages are anonymous, recycled, lead, mql," in " ".join(done.err.split())
    assert ada.run("lead", "list", "--stage", "sql", *options).code == 0  # nobody is there yet


def test_a_lead_has_the_documented_shape(ada: Workspace) -> None:
    shown = ada.json("lead", "show", "ada@example.com")
    assert shown.keys() == documented("show")
    assert shown["traits"]["company"] == "Analytical Engines"
    assert shown["signals"]["pricing_page_viewed"] == 2
    assert shown["events"] == {
        "content_downloaded": 1,
        "demo_requested": 1,
        "identified": 1,
        "page_viewed": 2,
    }
    assert (
        shown["first_touch"]
        == shown["last_touch"]
        == {
            "utm_source": "google",
            "channel": "Organic Search",
            "source": "google",
        }
    )
    assert shown["identifiers"] == {
        "email": ["ada@example.com"],
        "user": ["u-42"],
        "anonymous": ["browser-1"],
    }
    assert shown["stage"] == "mql"
    assert shown["entered"]["mql"] == 1
    assert shown["score"] == shown["engagement"] + shown["fit"]


@pytest.mark.slow
def test_a_lead_shows_which_values_were_not_understood(ada: Workspace) -> None:
    assert ada.json("lead", "show", "ada@example.com")["not_understood"] == []
    ada.take(happened("identified", id="6", traits={"employees": "lots", "country": "Atlantis"}))
    shown = ada.json("lead", "show", "ada@example.com")
    assert shown["traits"]["country"] == "Atlantis"
    assert shown["not_understood"] == ["country", "employees"]
    assert (
        ada.json("lead", "explain", "ada@example.com")["not_understood"] == shown["not_understood"]
    )
    for command in ("show", "explain"):
        drawn = " ".join(ada.run("lead", command, "ada@example.com").out.split())
        assert "not understood: country 'Atlantis', employees 'lots'; no condition" in drawn


@pytest.mark.slow
def test_a_lead_shows_what_was_cut_or_left_out_of_its_posts(ada: Workspace) -> None:
    notes = ("message: was cut to 8192 bytes", "[bold]: was left out (time_invalid)")
    ada.take(happened("form_submitted", id="6", email="ada@example.com", notes=notes))
    assert sorted(ada.json("lead", "show", "ada@example.com")["notes"]) == sorted(notes)
    shown = ada.run("lead", "show", "ada@example.com").out
    assert all(f"note  {note}" in shown for note in notes)
    document = json.loads(ada.run("lead", "export", "ada@example.com").out)
    told = [note for each in document["lead"]["identifiers"] for note in each["notes"]]
    assert {note["text"] for note in told} == set(notes)


@pytest.mark.slow
def test_a_lead_shows_its_journey_and_what_sales_said(ada: Workspace) -> None:
    words = {"message": "We need [bold]SSO[/] and <b>audit</b>.", "form": "contact"}
    ada.take(happened("form_submitted", id="6", email="ada@example.com", properties=words))
    told = {"reason": "not_ready", "timing": "Q3", "note": "Call in [red]July"}
    said: dict[str, Any] = {"email": "ada@example.com", "source": "sales"}
    ada.take(happened("sales_rejected", id="7", **said, properties=told))
    shown = ada.json("lead", "show", "ada@example.com")
    first = shown["journey"][0]
    assert (first["what"], first["trust"]) == ("inquiry_sent", "signed")
    assert first["details"] == {"form": "contact", "message": "We need [bold]SSO[/] and audit ."}
    assert {step["what"] for step in shown["journey"]} >= {"demo_requested", "pricing_page_viewed"}
    assert shown["reasons"][0].startswith("+")
    (statement,) = shown["statements"]
    assert statement["details"] == {"timing": "Q3", "note": "Call in [red]July"}
    assert ada.json("lead", "list")[0]["last_step"] == first["title"]

    drawn = " ".join(ada.run("lead", "show", "ada@example.com").out.split())
    assert "Inquiry sent: form contact, message We need [bold]SSO[/] and audit ." in drawn
    assert "rejected (not ready) by sales: timing Q3, note Call in [red]July" in drawn
    document = json.loads(ada.run("lead", "export", "ada@example.com").out)
    kept = [step for each in document["lead"]["identifiers"] for step in each["steps"]]
    assert first["details"] in [step["details"] for step in kept]


@pytest.mark.slow
def test_a_lead_shows_its_moves_and_how_often_it_went_back_and_came_again(ada: Workspace) -> None:
    said: dict[str, Any] = {"email": "ada@example.com", "source": "sales"}
    lost: dict[str, Any] = {**said, "properties": {"reason": "no budget"}}
    ada.take(happened("sales_accepted", id="6", **said))
    ada.take(happened("sales_lost", id="7", **lost))
    ada.take(happened("sales_accepted", id="8", **said))
    shown = ada.json("lead", "show", "ada@example.com")

    moves = [(each["from_stage"], each["to_stage"], each["cycle"]) for each in shown["moves"]]
    assert moves[-3:] == [("mql", "sql", 1), ("sql", "recycled", 1), ("recycled", "sql", 2)]
    assert (shown["moved_back"], shown["entered"]["sql"]) == (1, 2)
    assert shown["moves"][-1]["source"] == "sales"
    drawn = " ".join(ada.run("lead", "show", "ada@example.com").out.split())
    assert "mql → sql → recycled → sql (1 back, sql 1 more)" in drawn
    past = ada.json("lead", "show", "ada@example.com", "--as-of", "2000-01-01")
    assert (past["moves"], past["moved_back"]) == ([], 0)


@pytest.mark.slow
def test_a_lead_shows_to_whom_it_is_offered_and_by_when_sales_promised_what(ada: Workspace) -> None:
    offer = ada.json("lead", "show", "ada@example.com")["offer"]
    at, touch_by, accept_by = (
        datetime.fromisoformat(offer[name]) for name in ("at", "touch_by", "accept_by")
    )
    assert (offer["cycle"], offer["stage"], offer["owner"], offer["answer"]) == (1, "mql", "", "")
    assert at + timedelta(hours=1) <= touch_by < accept_by  # in office hours, whenever this runs
    drawn = " ".join(ada.run("lead", "show", "ada@example.com").out.split())
    assert f"sales offer 1 as mql on {at:%Y-%m-%d %H:%M} UTC: touch by" in drawn
    assert f"accept by {accept_by:%Y-%m-%d %H:%M} UTC" in drawn
    before = ada.json("lead", "show", "ada@example.com", "--as-of", "2000-01-01")
    assert before["offer"] is None

    ada.take(happened("sales_accepted", id="6", email="ada@example.com", source="sales"))
    drawn = " ".join(ada.run("lead", "show", "ada@example.com").out.split())
    assert "UTC: accepted on" in drawn


def test_an_explanation_has_the_documented_shape_and_adds_up(ada: Workspace) -> None:
    explained = ada.json("lead", "explain", "ada@example.com")
    assert explained.keys() == documented("explain")
    fields = {
        name
        for line in DOCUMENTED.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    for line in explained["contributions"]:
        assert line.keys() == fields
        assert abs(line["points"] - line["exact"]) < 1
    points = sum(line["points"] for line in explained["contributions"])
    assert points == explained["score"] == ada.json("lead", "show", "u-42")["score"]
    assert explained["next_stage"] is None


def test_an_explanation_says_what_is_missing_for_the_next_stage(ada: Workspace) -> None:
    ada.take(happened("page_viewed", id="9", anonymous_id="browser-2"))
    explained = ada.json("lead", "explain", "browser-2")
    assert explained["stage"] == "anonymous"
    assert explained["next_stage"].keys() == {"name", "missing", "bypasses"}
    assert explained["next_stage"]["name"] == "mql"
    assert len(explained["next_stage"]["missing"]) > 1
    assert "Missing for mql" in ada.run("lead", "explain", "browser-2").out


@pytest.mark.slow
def test_a_lead_is_found_by_each_of_its_names(ada: Workspace) -> None:
    lead_id = ada.json("lead", "show", "ada@example.com")["id"]
    for who in (" ADA@Example.com", "u-42", "browser-1", lead_id, lead_id.upper()):
        assert ada.json("lead", "show", who)["id"] == lead_id
        assert ada.json("lead", "explain", who)["id"] == lead_id


def test_a_user_id_may_look_like_an_address(ada: Workspace) -> None:
    ada.take(happened("page_viewed", id="9", email="bob@example.com", user_id="bob@old.example"))
    assert ada.json("lead", "show", "bob@old.example")["email"] == "bob@example.com"


@pytest.mark.parametrize("who", ["mallory@example.com", "nobody", "", "[bold]", "a" * 10_000])
@pytest.mark.parametrize("command", ["show", "explain"])
def test_an_unknown_lead_is_the_wrong_thing(ada: Workspace, command: str, who: str) -> None:
    done = ada.run("lead", command, who, "--json")
    assert done.code == 1
    assert "There is no lead" in done.err
    assert done.out == ""


def score_at(workspace: Workspace, as_of: str) -> dict[str, Any]:
    explained: dict[str, Any] = workspace.json(
        "lead", "explain", "ada@example.com", "--as-of", as_of
    )
    points = sum(line["points"] for line in explained["contributions"])
    assert points == explained["score"]
    return explained


def test_in_the_past_only_events_known_then_count(ada: Workspace) -> None:
    today = datetime.now(UTC)
    five_days_ago = score_at(ada, f"{today - 5 * DAY:%Y-%m-%d}")
    assert {
        line["name"] for line in five_days_ago["contributions"] if line["kind"] == "signal"
    } == {
        "page_viewed",
        "pricing_page_viewed",
    }
    long_ago = score_at(ada, "2001-01-01")
    assert long_ago["engagement"] == 0
    assert long_ago["days_inactive"] is None


def test_in_the_past_a_lead_is_in_the_stage_of_then(ada: Workspace) -> None:
    now = ada.json("lead", "show", "ada@example.com")
    before = datetime.fromisoformat(now["created_at"]) - timedelta(seconds=1)
    then = ada.json("lead", "show", "ada@example.com", "--as-of", before.isoformat())

    assert now["stage"] != "anonymous"
    assert then["stage"] == "anonymous"
    assert ada.json("lead", "list", "--as-of", before.isoformat()) == []
    known = f"first heard of on {now['created_at'][:10]}"
    for command in ("show", "explain"):
        told = ada.run("lead", command, "ada@example.com", "--as-of", before.isoformat()).out
        assert known in " ".join(told.split())
        assert known not in ada.run("lead", command, "ada@example.com").out


def test_in_the_future_the_score_fades(ada: Workspace) -> None:
    now = ada.json("lead", "explain", "ada@example.com")
    later = score_at(ada, (datetime.now(UTC) + timedelta(days=60)).isoformat())
    last = score_at(ada, "9999-12-31")
    assert now["engagement"] > later["engagement"] > last["engagement"] == 0
    assert now["fit"] == later["fit"] == last["fit"]


def test_a_time_may_be_written_in_several_ways(ada: Workspace) -> None:
    for text in ("2026-03-31T09:00Z", "2026-03-31T09:00:00", "2026-03-31 11:00+02:00"):
        assert score_at(ada, text)["as_of"] == "2026-03-31T09:00:00Z"
    assert score_at(ada, "2026-03-31")["as_of"] == "2026-03-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "31.03.2026", "", "9999-12-31T23:59-14:00", "0000-01-01"]
)
def test_an_invalid_time_is_a_usage_error(ada: Workspace, text: str) -> None:
    done = ada.run("lead", "show", "ada@example.com", "--as-of", text)
    assert done.code == 2
    assert "is not a time" in done.err


@pytest.mark.slow
def test_the_explanation_for_people_says_the_same_in_sentences(ada: Workspace) -> None:
    ada.take(
        happened("page_viewed", id="9", email="eve@example.com", traits={"name": "[red]Eve[/]"})
    )
    assert "ada@example.com" in ada.run("lead", "list").out
    assert "[red]Eve[/]" in ada.run("lead", "show", "eve@example.com").out
    told = " ".join(ada.run("lead", "explain", "ada@example.com").out.split())
    assert re.search(r"is an MQL with a score of \d+: \d+ for what they did, \d+ for what", told)
    assert "Demo requested once" in told


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("anonymous", "anonymous"),
        ("recycled", "recycled"),
        ("disqualified", "disqualified"),
        ("lead", "a lead"),
        ("opportunity", "an opportunity"),
        ("sql", "an SQL"),
        ("pql", "a PQL"),
        ("[red]", "a \\[red]"),
    ],
)
def test_a_stage_is_printed_as_in_a_sentence(stage: str, said: str) -> None:
    assert re.sub(r"\[/?bold\]|\[/\]", "", as_said(stage)) == said


@pytest.mark.slow
def test_a_list_of_several_pages_is_one_list(ada: Workspace) -> None:
    whom = [f"person-{number}@example.com" for number in range(PAGE_ROWS + 20)]
    ada.take(*(happened("page_viewed", id=email, email=email) for email in whom))
    listed = ada.json("lead", "list", "--most", str(PAGE_ROWS + 10))
    assert len(listed) == PAGE_ROWS + 10
    assert [row["score"] for row in listed] == sorted((r["score"] for r in listed), reverse=True)
    assert len({row["id"] for row in listed}) == len(listed)
    everyone = ada.json("lead", "list", "--most", "1000")
    assert len(everyone) == PAGE_ROWS + 21
    printed = ada.run("lead", "list", "--most", "1000").out
    assert len(re.findall(r"\b[a-z2-7]{26}\b", printed)) == PAGE_ROWS + 21
    assert printed.count("last active") == 1


def test_a_list_of_a_stage_in_which_nobody_is_says_so(ada: Workspace) -> None:
    assert ada.json("lead", "list", "--stage", "customer") == []
    assert (
        ada.run("lead", "list", "--stage", "customer").out == "No lead is in the stage customer.\n"
    )


def test_a_list_as_of_before_has_the_warmest_of_then(ada: Workspace) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    (then,) = ada.json("lead", "list", "--as-of", tomorrow, "--most", "1")
    assert then["email"] == "ada@example.com"
    assert ada.json("lead", "list", "--as-of", "2020-01-01") == []


@pytest.mark.slow
def test_a_list_of_hundreds_of_made_up_names_shows_the_models_names_first(
    ada: Workspace,
) -> None:
    made_up = {f"a_{n:03}": "x" for n in range(100)}
    public = {"email": "ada@example.com", "trust": Trust.PUBLIC}
    ada.take(*(happened(f"a_{n:03}", id=f"m-{n}", **public) for n in range(100)))
    ada.take(happened("identified", id="t", traits=made_up, **public))
    shown = " ".join(ada.run("lead", "show", "u-42").out.split())
    traits, events = shown.split(" signals ")[0], shown.split(" events ")[1]
    assert "company Analytical Engines" in traits
    assert "demo_requested 1, identified 2, page_viewed 2, a_000 1" in events
    assert re.search(r"and \d\d more \(all: --json\)", traits)
    assert re.search(r"and 8\d more \(all: --json\)", events)
    assert (traits.count("a_"), events.count("a_")) < (21, 21)
    assert len(ada.json("lead", "show", "u-42")["events"]) == 104


TERMS = """
signals:
  demo_requested: {on: demo_requested, points: 30, decay: never, title: Asked for a demo}
stages:
  mql:
    enter: score >= 90
    leave: score < 40
    bypass: [{signal: demo_requested, when: employees > 9}]
"""


@pytest.mark.slow
def test_an_explanation_says_why_a_bypass_opens_a_stage_or_does_not(workspace: Workspace) -> None:
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("terms.yaml", TERMS))
    workspace.take(happened("demo_requested", id="1", traits={"employees": 5}))
    workspace.take(
        happened("demo_requested", id="2", email="bob@example.com", traits={"employees": 50})
    )

    small = " ".join(workspace.run("lead", "explain", "ada@example.com").out.split())
    large = " ".join(workspace.run("lead", "explain", "bob@example.com").out.split())

    assert "would open it at once, but: employees > 9 (is 5)." in small
    assert "mql although enter does not hold: Asked for a demo on " in large
    assert " opens it at once, and keeps it open until " in large


@pytest.mark.slow
def test_points_from_the_start_are_a_part_of_the_score_that_is_shown(workspace: Workspace) -> None:
    model = """\
base: 20
signals:
  demo_requested: {on: demo_requested, points: 30, decay: never}
grades: {A: 10, B: 0}
"""
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", model))
    workspace.take(happened("demo_requested", id="1", email="ada@example.com"))

    assert (
        "score 50 (20 base + 30 engagement + 0 fit, grade B)"
        in workspace.run("lead", "show", "ada@example.com").out
    )
    assert workspace.json("lead", "show", "ada@example.com")["base"] == 20
    explained = " ".join(workspace.run("lead", "explain", "ada@example.com").out.split())
    assert "50: 20 from the start, 30 for what they did, 0 for what they are" in explained


def test_what_a_score_has_meant_so_far_stands_beside_it(workspace: Workspace) -> None:
    model = (
        "signals: {demo: {on: demo_requested, points: 62, decay: never}}\n"
        "probability: {outcome: customer, within: 90d, intercept: -3.1, slope: 0.05, leads: 842, "
        "won: 91}\n"
    )
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", model))
    workspace.take(happened("demo_requested", id="1", email="ada@example.com"))

    told = "of 100 such leads 50 became customers (842 leads)"
    assert (
        f"So far, {told} within 90 days." in workspace.run("lead", "explain", "ada@example.com").out
    )
    assert f"so far  {told}" in workspace.run("lead", "show", "ada@example.com").out
    listed = workspace.run("lead", "list").out
    assert re.search(r"^ +62 +50 +lead +<ada@", listed, re.MULTILINE)
    assert workspace.json("lead", "list")[0]["probability"] == {
        "outcome": "customer",
        "of_100": 50,
        "within_days": 90,
        "leads": 842,
        "text": told,
    }
