"""The API: the same as the pages, as JSON. Its OpenAPI description is made of the same types."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from warmlead.application.explain import Explanation, LeadView, Shape
from warmlead.application.listing import LeadInList, find_lead, page_of, search
from warmlead.dashboard.figures import BAND_POINTS, SourceRow, leads_by_band, overview
from warmlead.dashboard.leads import seen_at
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.queries import ListQuery, cursor
from warmlead.dashboard.rendering import BASE, HEADERS
from warmlead.dashboard.reports_page import PERIODS, kept_text
from warmlead.domain.errors import NamedOtherwiseError, Reason, RejectedError
from warmlead.messages.kpis import KpiReport
from warmlead.reporting.funnel import Level
from warmlead.web.answers import JSON, Answer

MOST_ROWS = 100
"""The most leads of one answer."""


class ApiLeads(Shape):
    """A page of a list: ``next`` is the value of ``after`` for the next one."""

    leads: list[LeadInList]
    unreadable: list[str] = Field(description="Ids of leads whose documents cannot be read.")
    next: str | None
    as_of: datetime


class ApiLead(Shape):
    """One lead, and why it has its score, both of one instant."""

    lead: LeadView
    why: Explanation


class ApiOverview(Shape):
    """Where leads stand now, and what moved."""

    stages: dict[str, int] = Field(description="Leads in each stage.")
    days: int = Field(description="For how many days entries are counted, today the last.")
    entered: dict[str, list[int]] = Field(description="Entries into known, mql, sql …, by day.")
    sources: list[SourceRow]
    as_of: datetime


class ApiScores(Shape):
    """How many leads have how many points, as of the last evaluation of each."""

    points: dict[str, int] = Field(description="Leads by score, each band by its first score.")
    as_of: datetime


class ApiFailure(BaseModel):
    """Why a request was refused."""

    code: str
    message: str


async def api_answer(path: str, parts: Parts, query: Mapping[str, str], now: datetime) -> Answer:
    """The answer at a path below ``/api/``; raises ``RejectedError`` if there is none."""
    first, _, rest = path.partition("/")
    match first, rest:
        case "openapi.json", "":
            return _json(openapi_text().encode())
        case "leads", "":
            return await _leads(parts, query, now)
        case "leads", id_ if id_:
            return _shape(await _lead(parts, id_, now))
        case "overview", "":
            return _shape(await _overview(parts, now))
        case "scores", "":
            return _shape(await _scores(parts, now))
        case "reports", period if period:
            return await _report(parts, period)
    raise RejectedError(Reason.NOT_FOUND, f"See {BASE}/api/openapi.json for what there is.")


async def _leads(parts: Parts, query: Mapping[str, str], now: datetime) -> Answer:
    asked, most = ListQuery.of(query), _most(query.get("most", ""))
    if sought := query.get("q", ""):
        found = await search(parts.leads, parts.rules, now, sought, most=most)
    else:
        found = await page_of(
            parts.leads, parts.rules, now, asked.asked, most=most, after=asked.after
        )
    unreadable = [each.id for each in found.unreadable]
    next_ = cursor(found.next) or None
    return _shape(ApiLeads(leads=list(found.rows), unreadable=unreadable, next=next_, as_of=now))


def _most(text: str) -> int:
    if not text:
        return MOST_ROWS
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:6]) <= MOST_ROWS:
        raise RejectedError(Reason.QUERY_INVALID, f"most must be a number from 1 to {MOST_ROWS}.")
    return int(text)


async def _lead(parts: Parts, who: str, now: datetime) -> ApiLead:
    """A lead by its id, or by an email or user id."""
    try:
        lead = await find_lead(parts.leads, parts.ids, who)
    except NamedOtherwiseError as error:
        raise RejectedError(Reason.NOT_FOUND, f"No lead has this email; {error}.") from error
    if lead is None:
        raise RejectedError(Reason.NOT_FOUND, "There is no such lead.")
    seen = await seen_at(parts, lead.id, now)
    return ApiLead(lead=seen.view, why=seen.why)


async def _overview(parts: Parts, now: datetime) -> ApiOverview:
    seen = await overview(parts, now)
    entered = {
        "known" if level is Level.NONE else level.name.lower(): list(days)
        for level, days in seen.moves.entered.items()
    }
    return ApiOverview(
        stages=dict(seen.stages),
        days=seen.moves.days,
        entered=entered,
        sources=list(seen.sources),
        as_of=now,
    )


async def _scores(parts: Parts, now: datetime) -> ApiScores:
    counts = await leads_by_band(parts)
    points = {str(band * BAND_POINTS): count for band, count in enumerate(counts)}
    return ApiScores(points=points, as_of=now)


async def _report(parts: Parts, period: str) -> Answer:
    return _json((await kept_text(parts, period)).encode())


def _shape(made: Shape) -> Answer:
    return _json(made.model_dump_json().encode())


def _json(body: bytes) -> Answer:
    return Answer(200, body, JSON, HEADERS)


# --- the description -----------------------------------------------------------------------

_TEXT = {"type": "string"}

_SHAPES: tuple[type[BaseModel], ...] = (
    *(ApiLeads, ApiLead, ApiOverview, ApiScores, KpiReport),
    ApiFailure,
)


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 description of the API, as it is published in the documentation."""
    _, schemas = models_json_schema(
        [(shape, "serialization") for shape in _SHAPES],
        ref_template="#/components/schemas/{model}",
    )
    filters = [
        _parameter("stage", "Only leads in this stage."),
        _parameter("grade", "Only leads of this grade."),
        _parameter("source", "Only leads whose first visit came from this source."),
        _parameter("owner", "Only leads whose last offer is this owner's."),
        _parameter("overdue", "1: only leads to which sales owes what it promised."),
        _parameter("order", "score (the default), since: newest in their stage, or active."),
        _parameter("q", "Only leads one of whose words begins so; no other filter counts."),
        _parameter("after", "Where the page begins: next of the page before."),
        _parameter("most", f"How many leads, 1 to {MOST_ROWS}."),
    ]
    who = _parameter("who", "The lead's id, an email or a user id.", place="path")
    period = _parameter("period", f"Its name: {PERIODS}.", "path")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Warmlead",
            "version": "1",
            "description": "Leads with their scores, why each has its score, and reports.",
        },
        "servers": [{"url": f"{BASE}/api"}],
        "security": [{"token": []}],
        "paths": {
            "/leads": _get("A page of leads.", "ApiLeads", filters),
            "/leads/{who}": _get("One lead, with why.", "ApiLead", [who]),
            "/overview": _get("Where leads stand now.", "ApiOverview", []),
            "/scores": _get("How many leads have how many points.", "ApiScores", []),
            "/reports/{period}": _get("The KPIs of a period.", "KpiReport", [period]),
        },
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"],
        },
    }


def _parameter(name: str, description: str, place: str = "query") -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": _TEXT,
    }


def _get(summary: str, shape: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    def told(description: str, model: str) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{model}"}
        return {"description": description, "content": {JSON: {"schema": schema}}}

    refused = {code: told(why, "ApiFailure") for code, why in _REFUSALS.items()}
    responses = {"200": told(summary, shape), **refused}
    return {"get": {"summary": summary, "parameters": parameters, "responses": responses}}


_REFUSALS = {
    "400": "The query cannot be understood.",
    "401": "Nobody may read without a token.",
    "404": "There is nothing.",
    "503": "Try again later.",
}


def openapi_text() -> str:
    """The description as it is published."""
    return json.dumps(openapi(), indent=2) + "\n"
