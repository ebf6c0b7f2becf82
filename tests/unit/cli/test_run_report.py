"""``warmlead run report``: the KPIs of a period, shown, kept and published."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from unit.cli.conftest import DAY, Workspace
from unit.cli.test_lead import DOCUMENTED
from warmlead.cli.output import console
from warmlead.cli.report_forms import print_tables
from warmlead.domain.trigger import Topic
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.periods import Period, Span, last_period, period_of
from warmlead.reporting.sheet import Comparison
from warmlead.runtime import backends
from warmlead.settings import read_settings

MESSAGES = Path(__file__).parents[3] / "docs/messages"
EXAMPLE = (MESSAGES / "warmlead.kpi.reported.v1.example.json").read_text()


def tomorrow() -> datetime:
    return datetime.now(UTC) + DAY


def period_of_ada(span: Span) -> Period:
    """The period in which ada became known, and an MQL: two days ago, which was learnt today."""
    return period_of(span, datetime.now(UTC) - 2 * DAY)


@pytest.mark.slow
def test_the_day_that_is_over_is_reported_in_the_documented_shape(ada: Workspace) -> None:
    period = period_of_ada(Span.DAY)
    told = ada.json("run", "report", "--as-of", period.end.isoformat())
    assert told["period"] == period.name
    assert told["became_known"] == 1
    assert told["stages"]["mql"]["first_time"] == 1
    (shape,) = re.findall(r"`run report --json`: `{([^}]*)}`", DOCUMENTED)
    assert shape.split(", ") == [*told]
    KpiReport.model_validate(told)


def test_without_a_time_it_is_yesterday(ada: Workspace) -> None:
    told = ada.json("run", "report")
    assert told["period"] == f"{datetime.now(UTC) - DAY:%Y-%m-%d}"
    assert told["became_known"] == 0


@pytest.mark.parametrize("span", Span)
def test_weeks_and_months_hold_the_day(ada: Workspace, span: Span) -> None:
    period = period_of_ada(span)
    told = ada.json("run", "report", "--period", span, "--as-of", period.end.isoformat())
    assert told["period"] == period.name
    assert told["became_known"] == 1


def test_a_repeated_report_is_the_same_and_moves_no_lead(ada: Workspace) -> None:
    before = ada.json("lead", "list")
    first, again = (
        ada.run("run", "report", "--as-of", tomorrow().isoformat(), "--json") for _ in range(2)
    )
    assert first.out == again.out
    assert "for real" not in first.err
    assert ada.json("lead", "list") == before


@pytest.mark.slow
def test_people_read_tables(ada: Workspace) -> None:
    of_ada = ada.run("run", "report", "--as-of", period_of_ada(Span.DAY).end.isoformat())
    of_today = ada.run("run", "report", "--as-of", tomorrow().isoformat())
    assert (of_ada.code, of_today.code) == (0, 0)
    for words in ("Became known  ", "MQL → SQL", "Organic Search  ", "\n  google  "):
        assert words in of_ada.out
    for words in ("Became known  ", "Promises of sales (offers: 1)", "first touch"):
        assert words in of_today.out


def test_an_older_report_without_channels_is_shown() -> None:
    example = json.loads(EXAMPLE)["data"]
    del example["channels"]
    with console.capture() as captured:
        print_tables(console, Comparison(KpiReport.model_validate(example)))
    assert "\nnewsletter  " in captured.get()


def test_amounts_are_shown_in_their_own_decimals() -> None:
    example = json.loads(EXAMPLE.replace("EUR", "JPY"))["data"]
    example["won"]["values"]["TND"] = {"deals": 1, "smallest_units": 5}
    with console.capture() as captured:
        print_tables(console, Comparison(KpiReport.model_validate(example)))
    assert "1,250,000 JPY" in captured.get()
    assert "0.005 TND" in captured.get()


@pytest.mark.parametrize(
    ("end", "told"),
    [("2026-03-03", "2026-03-02 UTC"), ("2026-03-09", "2026-03-02 to 2026-03-08 UTC")],
)
def test_a_report_says_which_days_it_covers(end: str, told: str) -> None:
    example = json.loads(EXAMPLE)["data"]
    example |= {"start": "2026-03-02T00:00:00Z", "end": f"{end}T00:00:00Z"}
    with console.capture() as captured:
        print_tables(console, Comparison(KpiReport.model_validate(example)))
    assert captured.get().splitlines()[0].endswith(f", {told}")


@pytest.mark.slow
def test_an_unfinished_period_is_shown_but_neither_stored_nor_published(
    ada: Workspace,
) -> None:
    for span in Span:
        later = (datetime.now(UTC) + timedelta(days=400)).isoformat()
        done = ada.run("run", "report", "--period", span, "--as-of", later)
        name = last_period(span, datetime.now(UTC) + timedelta(days=400)).name
        assert done.code == 0
        assert f"{name} is over at " in done.err
        assert "neither stored nor published" in " ".join(done.err.split())
        assert stored(ada, name) is None
    assert "Became known" in done.out
    assert reports_told(ada) == 0
    assert ada.run("run", "report").err == ""
    assert stored(ada, f"{datetime.now(UTC) - DAY:%Y-%m-%d}") is not None
    assert reports_told(ada) == 1


def stored(workspace: Workspace, name: str) -> str | None:
    """The report that is kept under the name."""

    async def look() -> str | None:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            return await system.reports.report(name)

    return asyncio.run(look())


def reports_told(workspace: Workspace) -> int:
    """How many reports were published."""

    async def count() -> int:
        async with backends.embedded(read_settings(workspace.settings)) as system:
            return len([each async for each in system.bus.read(Topic.KPI)])

    return asyncio.run(count())


def test_an_unknown_period_is_refused(workspace: Workspace) -> None:
    assert workspace.run("run", "report", "--period", "decade").code == 2
