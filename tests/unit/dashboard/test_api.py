"""The API's answers against its published description."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from builders import NOW, an_event
from unit.dashboard.seen import Seen
from warmlead.application.report import Reporting, report
from warmlead.dashboard.api import openapi, openapi_text
from warmlead.domain.event import Trust
from warmlead.reporting.periods import Span, last_period

PUBLISHED = Path(__file__).parents[3] / "docs/dashboard.openapi.json"


def validator(path: str, status: str) -> Draft202012Validator:
    described = openapi()
    response = described["paths"][path]["get"]["responses"][status]
    schema = response["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": described["components"]})


async def fill(seen: Seen) -> None:
    for number in range(5):
        await seen.apply(
            an_event(
                id=f"e{number}",
                email=f"person-{number}@example.com",
                trust=Trust.SIGNED,
                traits={"company": "Acme", "employees": 300, "country": "US"},
            )
        )


def test_the_published_description_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == openapi_text(), "run: make schemas"


def test_every_reference_of_the_description_leads_somewhere() -> None:
    described = openapi()
    known = described["components"]["schemas"]
    references = [
        part.rpartition("/")[2]
        for part in json.dumps(described).split('"')
        if part.startswith("#/components/schemas/")
    ]
    assert references
    assert set(references) <= set(known)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/leads", "/api/leads?most=2"),
        ("/leads", "/api/leads?stage=customer"),
        ("/leads/{who}", "/api/leads/person-1@example.com"),
        ("/overview", "/api/overview"),
        ("/scores", "/api/scores"),
        ("/reports/{period}", "/api/reports/{week}"),
    ],
)
async def test_an_answer_is_as_the_description_says(seen: Seen, path: str, asked: str) -> None:
    await fill(seen)
    week = last_period(Span.WEEK, NOW)
    parts = seen.parts
    await report(Reporting(parts.leads, parts.reports, parts.bus, parts.rules), week, NOW)
    told = await seen.json(asked.format(week=week.name))
    check = validator(path, "200")
    check.check_schema(check.schema)
    check.validate(told)


@pytest.mark.parametrize(
    ("path", "asked", "status"),
    [
        ("/leads", "/api/leads?most=0", 400),
        ("/leads", "/api/leads?order=x", 400),
        ("/leads/{who}", "/api/leads/nobody@example.com", 404),
        ("/reports/{period}", "/api/reports/1999-W01", 404),
        ("/reports/{period}", "/api/reports/..%2Fx", 404),
    ],
)
async def test_a_refusal_is_as_the_description_says(
    seen: Seen, path: str, asked: str, status: int
) -> None:
    told = await seen.json(asked, status=status)
    validator(path, str(status)).validate(told)


async def test_pages_of_the_api_hold_every_lead_once(seen: Seen) -> None:
    await fill(seen)
    found: list[str] = []
    after = ""
    while True:
        told: dict[str, Any] = await seen.json(f"/api/leads?most=2{after}")
        found += [row["id"] for row in told["leads"]]
        if told["next"] is None:
            break
        after = f"&after={told['next']}"
    assert len(found) == len(set(found)) == 5


def test_a_field_that_is_not_described_would_be_found() -> None:
    check: Callable[..., bool] = validator("/leads", "200").is_valid
    assert not check({"leads": [], "unreadable": [], "next": None, "as_of": "x", "more": 1})
