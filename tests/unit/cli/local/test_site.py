"""Which function answers which path, and what is answered outside of all functions."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from builders import StandingClock
from patience import PATIENCE_S
from warmlead.cli.local.site import PUBLIC, SENDERS, LocalSite, Outside, function_at, paths
from warmlead.runtime.table import SALES, TRACK
from warmlead.senders.registry import REGISTRY
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/forms/generic/contact", "forms"),
        ("/forms/generic", "forms"),
        ("/forms", "forms"),
        ("/forms/", "forms"),
        ("/generic/contact", "forms"),
        ("/generic", "forms"),
        ("/track/v1/batch", "track"),
        ("/track/batch", "track"),
        ("/track", "track"),
        ("/track/", "track"),
        ("/v1/batch", "track"),
        ("/v1/nothing", "track"),
        ("/batch", "track"),
        ("/b", "track"),
        ("/identify", "track"),
        ("/import", "track"),
        ("/beacon/v1/batch", "track"),
        ("/pixel/v1/track", "track"),
        ("/pixel/track", "track"),
        ("/warmlead.js", "track"),
        ("/track/warmlead.js", "track"),
        ("/chat/intercom", "chat"),
        ("/chat/generic", "chat"),
        ("/intercom", "chat"),
        ("/sales/generic", "sales"),
        ("/sales/hubspot", "sales"),
        ("/hubspot", "sales"),
        ("/salesforce", "sales"),
        ("/pipedrive/", "sales"),
        ("/mail/sendgrid", "mail"),
        ("/postmark", "mail"),
        ("/", None),
        ("/healthz", None),
        ("/score", None),
        ("/decay", None),
        ("/formsx", None),
        ("/favicon.ico", None),
        ("/.well-known/security.txt", None),
        ("//forms/generic", None),
        ("*", None),
        ("example.com:443", None),
        ("", None),
    ],
)
def test_each_path_has_one_function_or_none(path: str, name: str | None) -> None:
    assert function_at(path, PUBLIC) == name


def test_each_function_that_senders_reach_is_named_with_a_path_of_its_own() -> None:
    assert [function_at(path, PUBLIC) for path in paths()] == [*PUBLIC, TRACK.name]


def test_no_path_leads_to_a_function_that_is_not_there() -> None:
    assert function_at("/v1/batch", ["forms"]) is None
    assert function_at("/hubspot", ["forms", "track"]) is None


def test_every_sender_of_sales_is_found_by_its_name_alone() -> None:
    of_sales = {each.path for each in REGISTRY if each.function == SALES.name}
    assert of_sales > {"generic"}
    assert {path for path, function in SENDERS.items() if function == SALES.name} == {
        *of_sales - {"generic"}
    }


def a_client(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def outside_with(store: SqliteLeadStore, *, health_within_s: float = PATIENCE_S) -> Outside:
    return Outside(store, body_bytes=1_000, timeout_s=PATIENCE_S, health_within_s=health_within_s)


def a_store(path: Path) -> tuple[SqliteFile, SqliteLeadStore]:
    file = SqliteFile(path)
    return file, SqliteLeadStore(file, StandingClock())


async def test_a_path_outside_of_functions_gets_the_usual_404(tmp_path: Path) -> None:
    file, store = a_store(tmp_path / "data.db")
    site = LocalSite({"forms": PlainTextResponse("forms")}, outside_with(store))
    origin = {"Origin": "https://shop.example"}

    async with file, a_client(site) as client:
        inside = await client.post("/forms/generic", content=b"a=1")
        answers = [
            await client.request(method, "/nowhere", content=b"x" * 900, headers=origin)
            for method in ("GET", "POST", "PUT", "DELETE")
        ]
        before = await client.options("/nowhere", headers=origin)

    assert inside.text == "forms"
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["content-type"] == "application/json"
    assert before.status_code == 204


async def test_requests_outside_of_functions_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, store = a_store(tmp_path / "data.db")
    with caplog.at_level("INFO", "warmlead"):
        async with file, a_client(outside_with(store)) as client:
            await client.post("/nowhere?email=ada@example.com")

    (line,) = caplog.records
    fields = line.__dict__["fields"]
    assert (line.msg, fields["function"], fields["status"]) == ("request_answered", "serve", 404)
    assert "ada@example.com" not in str(line.__dict__)


async def test_healthz_is_well_while_the_store_answers(tmp_path: Path) -> None:
    file, store = a_store(tmp_path / "data.db")
    async with file, a_client(outside_with(store)) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/")).json()["status"] == "ok"


async def test_healthz_is_503_in_bounded_time_while_the_store_does_not_answer(
    tmp_path: Path,
) -> None:
    path = tmp_path / "data.db"
    file, store = a_store(path)
    hasty = a_client(outside_with(store, health_within_s=0.3))
    async with file, hasty, a_client(outside_with(store)) as patient:
        assert (await patient.get("/healthz")).status_code == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            held = await hasty.get("/healthz")
            light = await hasty.get("/")
        again = await patient.get("/healthz")

    assert held.status_code == 503
    assert held.json()["message"] == "The store did not answer within 0.3 s."
    assert held.headers["retry-after"] == "5"
    assert light.status_code == 200
    assert again.status_code == 200


async def test_healthz_is_503_once_the_file_is_closed(tmp_path: Path) -> None:
    file, store = a_store(tmp_path / "data.db")
    async with a_client(outside_with(store)) as client:
        await file.close()
        answer = await client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json()["message"] == "The data file has been closed."
