"""A viewer of the dashboard, in a process of its own; prints what each page took as JSON."""

import asyncio
import json
import statistics
import sys
import time
from datetime import datetime
from pathlib import Path

from msgspec import Struct, structs

from bench.cloud import MODEL
from bench.crowd import NOW
from bench.daily_run import peak_mb
from bench.traffic import IDS
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.dashboard.access import LinkAccess
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.site import DashboardSite
from warmlead.dashboard.trials import ModelInForce
from warmlead.ports import RawRequest
from warmlead.runtime import backends
from warmlead.runtime.trial import tried
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
from warmlead.stores.sqlite_reports import SqliteReportStore

PATHS = (
    *("/", "/leads", "/leads?order=active", "/leads?order=since&stage=customer"),
    *("/leads?overdue=1", "/leads?owner=nobody", "/leads?q=ada"),
)
TIMES = 11
TOKEN = "a-token-of-the-benchmark-that-protects-nothing"  # as it says


class View(Struct, frozen=True):
    """What a page took: the first time, and the median of the times after it."""

    first_ms: float
    median_ms: float
    peak_mb: float


class _Standing:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


async def _look(path: Path) -> list[View]:
    model, clock = backends.load_model(MODEL), _Standing()
    async with SqliteFile(path) as file:
        parts = Parts(
            SqliteLeadStore(file, clock),
            SqliteReportStore(file),
            SqliteBus(file, clock, topics_of_subscriptions()),
            SqliteDispatchStore(file),
            model.rules,
            IDS,
            ModelInForce(lambda: model.plan, tried),
        )
        access = LinkAccess(TOKEN)
        site = DashboardSite(lambda: parts, access, {})
        cookie = access.opened(TOKEN, is_secure=False).partition(";")[0]
        await file.prove()
        return [await _views(site, cookie, target) for target in PATHS]


async def _views(site: DashboardSite, cookie: str, target: str) -> View:
    path, _, query = target.partition("?")
    headers = {"cookie": cookie, "host": "here"}
    took_ms = []
    for _ in range(TIMES):
        start = time.perf_counter()
        answer = await site.answer(RawRequest("GET", path, query, headers, b"", NOW, "r"))
        took_ms.append((time.perf_counter() - start) * 1e3)
        if answer.status != 200 or b"<html" not in answer.body:  # OK
            raise RuntimeError(f"{target} is no page: {answer.status}")
    return View(took_ms[0], statistics.median(took_ms[1:]), peak_mb())


if __name__ == "__main__":
    views = asyncio.run(_look(Path(sys.argv[1])))
    sys.stdout.write(json.dumps([structs.asdict(view) for view in views]))
