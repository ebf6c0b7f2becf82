"""``warmlead import``: history from files, as of its own time, and back again."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from unit.cli.conftest import Workspace, happened
from warmlead.domain.errors import ConfigurationError
from warmlead.importing.ready import ready_mapping

DEMO = Path(__file__).parents[3] / "docs/import"
FILES = ("leads.csv", "deals.csv", "spend.csv")
MODEL = """
signals:
  contact_requested: {on: contact_requested, points: 10, half_life: 60d}
stages:
  mql: {enter: score >= 30, leave: score < 20, cooldown: 30d}
handoff: {first_touch_within: 1h, accept_within: 24h}
"""


@pytest.fixture
def demo(workspace: Workspace) -> Workspace:
    for name in (*FILES, "mapping.yaml"):
        shutil.copy(DEMO / name, workspace.folder / name)
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", MODEL))
    return workspace


def typed(demo: Workspace, *more: str, files: tuple[str, ...] = FILES) -> tuple[str, ...]:
    paths = [str(demo.folder / name) for name in files]
    return ("import", "run", *paths, "--mapping", str(demo.folder / "mapping.yaml"), *more)


def report(demo: Workspace, month: str) -> Any:
    return demo.json("run", "report", "--period", "month", "--as-of", month)


def wish(demo: Workspace) -> str:
    """The last wish that kept reports are made again; empty if there was none."""
    with closing(sqlite3.connect(demo.data / "warmlead.sqlite3")) as kept:
        found = kept.execute("SELECT report FROM reports WHERE period = 'agenda-anew'").fetchone()
    return str(found[0]) if found else ""


def test_months_wins_and_revenue_are_those_of_the_files(demo: Workspace) -> None:
    done = demo.json(*typed(demo))
    assert (done["name"], done["persons"], done["rows"]) == ("demo", 9, 20)
    assert done["won_cents"] == {"EUR": 1_740_000}
    assert done["imported"] | {"moves": 0} == {
        "leads": 9,
        "moves": 0,
        "known": 0,
        "erased": 0,
        "refused": 0,
        "early": 1,
        "persons": 9,
        "failed": 0,
    }
    counts = {}
    for month in ("2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01"):
        made = report(demo, month)
        stages = {name: made["stages"][name]["entered"] for name in ("mql", "customer")}
        values = {code: each["smallest_units"] for code, each in made["won"]["values"].items()}
        counts[made["period"]] = (*stages.values(), values)
    assert counts == {
        "2025-01": (1, 0, {}),
        "2025-02": (3, 1, {"EUR": 1_200_000}),
        "2025-03": (2, 2, {"EUR": 90_000}),
        "2025-04": (1, 1, {"EUR": 450_000}),
    }


def test_a_dry_run_counts_and_writes_nothing(demo: Workspace) -> None:
    done = demo.run(*typed(demo, "--dry-run"))
    assert done.code == 0
    assert "3 of 4" in done.out
    assert "Nothing was written" in done.out
    assert demo.json("lead", "list") == []
    assert not (demo.folder / "leads.csv.errors.csv").exists()


def test_every_count_by_month_can_be_read_in_a_narrow_terminal(demo: Workspace) -> None:
    facts = [f"a_fact_with_a_long_name_{letter}" for letter in "abcdef"]
    told = "".join(f"      - {{event: {name}, at: Created}}\n" for name in facts)
    files = f'files:\n  "leads*":\n    email: Email\n    facts:\n{told}'
    (demo.folder / "mapping.yaml").write_text(files, encoding="utf-8")
    out = demo.run(*typed(demo, "--dry-run", files=("leads.csv",))).out
    headers = [line.split() for line in out.splitlines() if line.startswith("month ")]
    assert [name for header in headers for name in header if name != "month"] == facts
    assert out.count("2025-02") == len(headers) > 1
    assert "…" not in out


def test_a_second_run_counts_nothing_twice(demo: Workspace) -> None:
    demo.json(*typed(demo))
    before, list_before = demo.json("lead", "list"), demo.json("import", "list")
    again = demo.json(*typed(demo, files=tuple(reversed(FILES))))
    assert (again["imported"]["leads"], again["imported"]["known"]) == (0, 9)
    assert demo.json("lead", "list") == before
    assert [each["moves"] for each in demo.json("import", "list")] == [
        each["moves"] for each in list_before
    ]


def test_rows_with_errors_are_corrected_and_run_again(demo: Workspace) -> None:
    demo.json(*typed(demo))
    errors = demo.folder / "leads.csv.errors.csv"
    text = errors.read_text()
    assert "john@conway-at-life,John" in text
    assert text.endswith("Email: the email address is not valid\n")
    errors.write_text(text.replace("john@conway-at-life", "john@conway.example"))
    again = demo.json(*typed(demo, files=(*FILES, "leads.csv.errors.csv")))
    assert (again["imported"]["leads"], again["imported"]["known"]) == (1, 9)
    assert len(demo.json("lead", "list")) == 10


def test_nothing_is_sent_and_nobody_is_enrolled(demo: Workspace) -> None:
    demo.settings["WARMLEAD_MODEL"] = "b2b-saas"
    demo.json(*typed(demo))
    for function in ("followup", "decay"):
        assert demo.run("run", function).code == 0
    assert demo.json("triggers") == []


def test_an_import_is_taken_back_and_a_living_lead_stays(demo: Workspace) -> None:
    demo.take(happened("contact_requested", 1, email="ada@analytical.example"))
    (before,) = demo.json("lead", "list")
    demo.json(*typed(demo))
    assert {lead["stage"] for lead in demo.json("lead", "list")} >= {"customer"}
    of_import = wish(demo)
    assert demo.json("import", "undo", "demo") == {"leads": 9, "removed": 8, "spend": 4}
    assert wish(demo) > of_import > ""
    assert demo.json("lead", "list") == [before]
    assert demo.json("import", "list") == []
    assert report(demo, "2025-03-01")["stages"]["mql"]["entered"] == 0


def test_without_a_mapping_one_is_guessed_and_shown_before_it_acts(demo: Workspace) -> None:
    paths = [str(demo.folder / name) for name in ("leads.csv", "deals.csv")]
    done = demo.run("import", "run", *paths)
    assert done.code == 0
    assert "user_id: Lead ID" in done.out
    assert "Nothing was written" in done.out
    guess = demo.run("import", "guess", *paths)
    demo.write("mapping.yaml", guess.out + "currency: EUR\n")
    assert demo.json(*typed(demo, files=("leads.csv", "deals.csv")))["imported"]["leads"] == 9


def test_a_file_belongs_to_one_import(demo: Workspace) -> None:
    demo.json(*typed(demo))
    with pytest.raises(ConfigurationError, match="The import demo has the same file"):
        demo.run(*typed(demo, "--name", "again"))


def test_another_mapping_of_the_same_files_needs_the_import_taken_back(demo: Workspace) -> None:
    demo.json(*typed(demo))
    path = demo.folder / "mapping.yaml"
    path.write_text(path.read_text().replace("Europe/Berlin", "Europe/London"))
    with pytest.raises(ConfigurationError, match="warmlead import undo demo"):
        demo.run(*typed(demo))
    demo.json("import", "undo", "demo")
    assert demo.json(*typed(demo))["imported"]["leads"] == 9


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("day: Day", "day: Days", 'no column for the day: "Days" (spend; did you mean "Day"?)'),
        ("stage: mql", "stage: pql", "the model has no stage pql; it has mql"),
        ("spend*", "costs*", "spend.csv: no name under files fits it"),
    ],
)
def test_a_mapping_that_does_not_fit_says_what_to_change(
    demo: Workspace, wrong: str, right: str, told: str
) -> None:
    path = demo.folder / "mapping.yaml"
    path.write_text(path.read_text().replace(wrong, right))
    with pytest.raises(ConfigurationError) as raised:
        demo.run(*typed(demo))
    assert told in str(raised.value)


def test_a_missing_file_or_mapping_is_named(demo: Workspace) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.csv cannot be imported"):
        demo.run("import", "run", "nowhere.csv", "--mapping", "hubspot")
    with pytest.raises(ConfigurationError, match="ga4, hubspot, pipedrive, salesforce"):
        demo.run("import", "run", str(demo.folder / "leads.csv"), "--mapping", "siebel")


@pytest.mark.parametrize("printed", [False, True])
def test_a_ready_mapping_needs_only_a_person_and_a_time(demo: Workspace, printed: bool) -> None:
    name = "hubspot"
    if printed:
        name = str(demo.write("own.yaml", demo.run("import", "mapping", "hubspot").out))
    least = demo.write("contact.csv", "Email,Create Date\nada@example.com,2025-01-08 09:15\n")
    typed = ("import", "run", str(least), "--mapping", name)
    assert '"Company Name" (traits)' in demo.run(*typed, "--dry-run").out
    done = demo.json(*typed)
    assert done["imported"]["leads"] == 1
    assert "Company Name" in done["files"][0]["missing"]
    none = demo.write("contacts.csv", "E-mail,Create Date\nAda,2025-01-08\n")
    with pytest.raises(ConfigurationError) as raised:
        demo.run("import", "run", str(none), "--mapping", name)
    assert "no column that names the person" in str(raised.value)
    assert '"Email" (email; did you mean "E-mail"?)' in str(raised.value)


def test_what_was_spent_is_kept_with_the_currency_that_is_given(demo: Workspace) -> None:
    spend = demo.write("cost.csv", "Date,Ads cost,Session source\n20250108,31.50,google\n")
    done = demo.json("import", "run", str(spend), "--mapping", "ga4", "--dry-run")
    assert done["files"][0]["errors"] == 1
    done = demo.json("import", "run", str(spend), "--mapping", "ga4", "--currency", "USD")
    assert done["files"][0]["months"] == {"spend": {"2025-01": 1}}


@pytest.mark.parametrize(("tool", "expected"), [
    ("hubspot", {"mql": 1, "customer": 1, "persons": 2}),
    ("salesforce", {"mql": 0, "customer": 1, "persons": 3}),
    ("pipedrive", {"mql": 0, "customer": 1, "persons": 2}),
    ("ga4", {"mql": 0, "customer": 0, "persons": 2}),
])  # fmt: skip
def test_exports_of_the_usual_tools_are_imported_with_their_ready_mapping(
    demo: Workspace, tool: str, expected: dict[str, int]
) -> None:
    folder = Path(__file__).parent / "exports" / tool
    files = sorted(map(str, folder.iterdir()))
    assert demo.run("import", "mapping", tool).out == ready_mapping(tool)
    done = demo.json("import", "run", *files, "--mapping", tool, "--currency", "USD")
    assert [each["errors"] for each in done["files"]] == [0] * len(files)
    assert done["persons"] == expected["persons"]
    moved = [report(demo, f"2025-{month:02}-01")["stages"] for month in range(2, 13)]
    for stage in ("mql", "customer"):
        assert sum(each[stage]["entered"] for each in moved) == expected[stage], stage
