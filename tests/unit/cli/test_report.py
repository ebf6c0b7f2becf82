"""``warmlead report``: any period, in each of its forms."""

import csv
import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from unit.cli.conftest import Workspace
from unit.cli.test_run_report import reports_told, stored, tomorrow
from warmlead.cli.output import console
from warmlead.cli.report_forms import as_csv, as_page, print_tables
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.sheet import Comparison, sheet
from warmlead.reporting.tables import Doubt

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "docs/messages/warmlead.kpi.reported.v1.example.json"
HOSTILE = "=cmd|'/c calc'!A0<script>[red]"


def example(source: str = "newsletter") -> Comparison:
    """The published example, of which a visitor wrote a source."""
    told = json.loads(EXAMPLE.read_text())["data"]
    told["channels"] = {
        name: {**found, "sources": {source: found["sources"].popitem()[1]}}
        for name, found in told["channels"].items()
    }
    return Comparison(KpiReport.model_validate(told))


@pytest.mark.slow
def test_any_period_is_shown_and_neither_kept_nor_published(ada: Workspace) -> None:
    moved = "MQL → SQL, by month of the first step"  # hours ago, which may have been last year
    for typed, told in (
        ("this-year", ""),
        ("all", moved),
        (f"2020..{tomorrow():%Y-%m-%d}", moved),
    ):
        done = ada.run("report", typed)
        assert done.code == 0
        assert "At a glance" in done.out
        assert told in done.out
        assert stored(ada, typed) is None
    assert reports_told(ada) == 0


def test_json_has_the_report_and_those_to_compare_with(ada: Workspace) -> None:
    told = json.loads(ada.run("report", "all", "--format", "json").out)
    assert told["others"] == []
    assert sum(told["scores"].values()) == 1
    assert [*told["scores"]][:2] == ["-", "0-24"]
    assert [*told["scores"]][-2:] == ["175-199", "200 and more"]
    KpiReport.model_validate(told["report"])
    assert told["report"]["became_known"] == 1
    compared = json.loads(ada.run("report", "2026-11", "--compare", "--format", "json").out)
    assert [each["period"] for each in compared["others"]] == ["2026-10", "2025-11"]


def test_a_year_is_compared_with_one_other(ada: Workspace) -> None:
    compared = json.loads(ada.run("report", "2026", "--compare", "--format", "json").out)
    assert [each["period"] for each in compared["others"]] == ["2025"]


def test_what_is_no_period_is_refused_with_how_to_write_one(workspace: Workspace) -> None:
    done = workspace.run("report", "2026-13")
    assert done.code == 2
    assert "'2026-13' is not a period." in done.err
    assert "Write a day (2026-11-21)" in done.err


def test_csv_has_every_cell_once_and_texts_are_no_formulas() -> None:
    lines = list(csv.DictReader(StringIO(as_csv(example(HOSTILE)))))
    assert list(lines[0]) == ["period", "table", "row", "column", "value", "doubt"]
    places = [(line["table"], line["row"], line["column"]) for line in lines]
    assert len(places) == len(set(places))
    assert any(HOSTILE in line["row"] for line in lines)
    for line in lines:
        assert not line["row"].startswith(("=", "+", "-", "@"))
        assert not line["value"].startswith(("=", "+", "@"))


class Seen(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_fetches_nothing_runs_nothing_and_escapes_what_visitors_wrote() -> None:
    page = as_page(example(HOSTILE), NOW)
    seen = Seen(page)
    assert HOSTILE in seen.texts
    assert seen.tags.isdisjoint(("script", "link", "img", "iframe", "object", "a", "form"))
    names = {name for name, _ in seen.attributes}
    assert names.isdisjoint(("src", "href", "action", "style"))
    assert not any(name.startswith("on") for name in names)
    assert "url(" not in page
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert ("content", policy) in seen.attributes


def test_the_page_has_the_tables_of_the_terminal() -> None:
    compared = example()
    with console.capture() as captured:
        print_tables(console, compared)
    texts = {text.strip() for text in Seen(as_page(compared, NOW)).texts}
    titles = [table.title for table in sheet(compared)]
    assert len(titles) > 9
    for title in titles:
        assert f"\n\n{title}\n" in captured.get()
        assert title in texts


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_terminal_shows_every_number_whole_whatever_its_width(width: int) -> None:
    compared, written = example("one"), StringIO()
    print_tables(Console(file=written, width=width, force_terminal=True, no_color=True), compared)
    lines = Text.from_ansi(written.getvalue()).plain.splitlines()
    notes = {line for line in lines if len(line) > width}
    assert not notes, notes
    shown = " ".join(lines).split()
    for table in sheet(compared):
        for row in table.shortened.rows:
            assert set(" ".join(cell.text for cell in row.cells).split()) <= set(shown)


def test_a_pipe_gets_each_table_whole_and_a_sign_for_few_persons() -> None:
    compared, written = example(), StringIO()
    print_tables(Console(file=written, width=60), compared)
    lines = [line.rstrip() for line in written.getvalue().splitlines()]
    shown = [line.split() for line in lines]
    for table in sheet(compared):
        for row in table.shortened.rows:
            cells = [each.text + " *" * (each.doubt is Doubt.FEW) for each in row.cells]
            whole = " ".join(cells).split()
            assert any(line[-len(whole) :] == whole for line in shown), whole
    assert "*: of fewer than 30 persons." in lines
    assert any(line.endswith(" *") for line in lines)


def test_markup_of_a_visitor_is_shown_in_the_terminal_as_it_is() -> None:
    with console.capture() as captured:
        print_tables(console, example(HOSTILE))
    assert HOSTILE in captured.get()


def test_targets_of_the_model_file_stand_beside_what_was_reached(workspace: Workspace) -> None:
    model = "signals: {a: {on: a, points: 1}}\ntargets: {mql: 120, mql_to_sql: 12.5%}\n"
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", model))
    month, quarter, week = (
        workspace.run("report", period).out for period in ("2026-03", "2026-Q1", "2026-W10")
    )
    for shown, count in ((month, "120"), (quarter, "360"), (week, "–")):
        (header, *rows) = shown.split("At a glance\n")[1].split("\n\n")[0].splitlines()
        assert header.split()[1:] == ["target", "others"]
        (mqls,) = [row for row in rows if row.startswith("Became MQLs")]
        (rate,) = [row for row in rows if row.startswith("MQL → SQL")]
        assert mqls.split()[-2] == count
        assert "12.5 %" in rate


def test_a_faulty_target_is_named_with_its_line(workspace: Workspace) -> None:
    model = "signals: {a: {on: a, points: 1}}\ntargets:\n  mql: -1\n  mql_to_sql: 130%\n  sqls: 3\n"
    done = workspace.run("model", "check", str(workspace.write("model.yaml", model)))
    assert done.code == 1
    for line in (3, 4, 5):
        assert f":{line}:" in done.out + done.err
