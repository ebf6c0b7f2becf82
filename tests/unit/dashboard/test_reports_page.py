"""The page of a report."""

import json
import re
from pathlib import Path

from builders import NOW
from unit.dashboard.seen import Seen
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.periods import read_period

EXAMPLE = Path(__file__).parents[3] / "docs/messages/warmlead.kpi.reported.v1.example.json"


async def keep(seen: Seen, period: str, **others: object) -> None:
    asked = read_period(period, NOW)
    told = json.loads(EXAMPLE.read_bytes())["data"]
    span = {"period": period, "start": asked.start.isoformat(), "end": asked.end.isoformat()}
    report = KpiReport.model_validate({**told, **span, **others})
    await seen.parts.reports.keep(period, report.model_dump_json())


async def words(seen: Seen, path: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", (await seen.get(path)).body.decode()).split())


async def test_the_last_month_is_shown_beside_the_month_and_the_year_before(seen: Seen) -> None:
    for period, known in (("2026-02", 31), ("2026-01", 27), ("2025-02", 9), ("2026-W09", 8)):
        await keep(seen, period, became_known=known)
    shown = await words(seen, "/reports")
    assert "2026-02-01 to 2026-02-28" in shown
    assert "Became known 31 27 9" in shown
    page = (await seen.get("/reports")).body.decode()
    assert re.findall(r'/reports/([\w-]+)"', page) == ["2026-02", "2026-01", "2026-W09"]
    assert "Became known 8 –" in await words(seen, "/reports/2026-W09")
    await keep(seen, "2025-Q4", became_known=4)
    assert "Became known 4 –" in await words(seen, "/reports/2025-Q4")


async def test_without_a_report_the_page_says_how_to_see_one(seen: Seen) -> None:
    assert "No report yet" in await words(seen, "/reports")
    assert "warmlead report 2026-03" in await words(seen, "/reports")
    for name in ("2026-01", "all", "2026-01-01..2026-02-01", "%00", "last-month", "agenda"):
        assert (await seen.get(f"/reports/{name}")).status == 404
    told = (await seen.get("/reports/2026-01-31")).body
    assert b"No report of 2026-01-31 is kept. To compute it, run: warmlead report 2026-01" in told


async def test_a_page_that_would_be_heavy_leaves_out_its_last_tables(seen: Seen) -> None:
    await keep(seen, "2026-02", rejections={f"reason {number}": 1 for number in range(600)})
    answer = await seen.get("/reports")
    assert (answer.status, len(answer.body) < 60_000) == (200, True)
    assert b"At a glance" in answer.body
    assert b"left out here" in answer.body


async def test_what_visitors_can_write_in_a_report_is_escaped(seen: Seen) -> None:
    figures = {"mql": 9, "sql": 3, "customer": 1, "sources": {}}
    await keep(seen, "2026-02", channels={"<script>alert(1)</script>": figures})
    page = (await seen.get("/reports")).body
    assert (b"<script>alert" in page, b"&lt;script&gt;alert" in page) == (False, True)


async def test_a_report_of_another_release_is_said_to_be_one(seen: Seen) -> None:
    await seen.parts.reports.keep("2026-02", '{"period": "2026-02"}')
    assert "This report is of another release" in await words(seen, "/reports/2026-02")
