"""The story of which docs/messages/*.example.json are made, played through Warmlead's own parts.

Three people visit a website on some days of March 2026. Requests go through the real senders, and
the events through the real use cases, on SQLite. The clock is set by the story and the key of
lead ids is fixed, so the messages are the same bytes each time. The model is the full example in
docs/model.md.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from warmlead.application.accept import accept, read_events
from warmlead.application.apply import Scoring, apply
from warmlead.application.due import EvaluationContext, decay, follow_up
from warmlead.application.report import Reporting, report
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import SCORE, topics_of_subscriptions
from warmlead.domain.event import Trust
from warmlead.domain.identity import LeadIds
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic
from warmlead.learning.monthly_look import LookedAt, Ripe, due, look
from warmlead.learning.population import Population
from warmlead.learning.reference import Judged, reference_of
from warmlead.learning.watching import USUAL, to_alarm
from warmlead.model.loading import load
from warmlead.ports import RawRequest, Source
from warmlead.reporting.periods import Span, last_period, read_period
from warmlead.senders.generic.source import FormSettings, GenericSource
from warmlead.senders.sales.source import GenericSalesSettings, GenericSalesSource
from warmlead.senders.segment.source import SegmentSource
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

MODEL_PAGE = Path(__file__).parent.parent / "docs/model.md"
WRITE_KEY = "key-of-the-website"
ADA, BOB, CYN = "ada@example.com", "bob@example.com", "cyn@example.com"

FORMS = GenericSource(
    {
        "whitepaper": FormSettings(event="content_downloaded", allow_unsigned=True),
        "newsletter": FormSettings(event="newsletter_subscribed", allow_unsigned=True),
        "webinar": FormSettings(event="webinar_attended", allow_unsigned=True),
        "contact": FormSettings(allow_unsigned=True),
        "demo": FormSettings(event="demo_requested", allow_unsigned=True),
    }
)
TRACK = SegmentSource({WRITE_KEY: Trust.PUBLIC})
CRM = GenericSalesSource(GenericSalesSettings(allow_unsigned=True))


class Request(NamedTuple):
    """A request in the order of time, and the sender that it is for."""

    at: datetime
    source: Source
    path: str
    body: Mapping[str, Any]


def _form(at: str, form: str, fields: Mapping[str, Any]) -> Request:
    return Request(_time(at), FORMS, f"/generic/{form}", fields)


def _page(at: str, email: str, path: str) -> Request:
    page = {"path": path, "url": f"https://example.com{path}"}
    call = {
        "messageId": f"page-{at}",
        "writeKey": WRITE_KEY,
        "anonymousId": f"browser-of-{email.partition('@')[0]}",
        "properties": page,
        "context": {"traits": {"email": email}},
    }
    return Request(_time(at), TRACK, "/v1/page", call)


def _sales(at: str, email: str, said: str, **others: object) -> Request:
    return Request(_time(at), CRM, "/generic", {"said": said, "email": email, **others})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=UTC)


def _downloads(email: str, name: str, company: str, **others: object) -> Mapping[str, object]:
    person = {"email": email, "name": name, "company": company, "country": "US"}
    return {**person, "kind": "whitepaper", "content": "The CRM guide", **others}


STORY = (
    _form("08T10:12:30", "newsletter", {"email": ADA, "mailing_list": "monthly"}),
    _form(
        "08T10:12:30",
        "whitepaper",
        _downloads(
            ADA,
            "Ada Lovelace",
            "Analytical Engines",
            title="CEO",
            employees=80,
            page_url="https://example.com/guide?utm_source=google&utm_campaign=spring",
        ),
    ),
    _form(
        "10T09:00:00",
        "whitepaper",
        _downloads(
            BOB,
            "Bob Kahn",
            "Packets Inc",
            employees=120,
            page_url="https://example.com/guide?utm_source=newsletter&utm_medium=email",
        ),
    ),
    _page("10T09:30:00", BOB, "/pricing"),
    _sales("10T09:45:00", BOB, "touched"),
    _form("10T10:00:00", "contact", {"email": CYN, "name": "Cyn Doe"}),
    _sales("10T11:34:00", BOB, "accepted"),
    _page("10T13:00:05", ADA, "/pricing"),
    _form("10T13:20:00", "webinar", {"email": ADA}),
    _form("10T14:20:00", "demo", {"email": ADA}),
    _sales("10T15:01:00", ADA, "rejected", reason="not_ready"),
    _sales("10T16:00:00", BOB, "won", value=12_500, currency="EUR"),
)
ENDS = _time("11T00:05:00")


class Clock:
    """The time of the story."""

    def __init__(self) -> None:
        self.time = STORY[0].at

    def now(self) -> datetime:
        """The present of the story."""
        return self.time


class Player:
    """Warmlead on one machine, on whose clock the story goes by."""

    def __init__(self, file: SqliteFile) -> None:
        [text] = re.findall(r"```yaml\n(.*?)```", MODEL_PAGE.read_text(encoding="utf-8"), re.DOTALL)
        self.clock = Clock()
        self.store = SqliteLeadStore(file, self.clock)
        self.bus = SqliteBus(file, self.clock, topics_of_subscriptions())
        self.ids = LeadIds(b"the key of the examples")
        self.rules = load(text, name=MODEL_PAGE.name).rules
        self.scoring = Scoring(self.rules, self.ids)
        self.reporting = Reporting(self.store, SqliteReportStore(file), self.bus, self.rules)

    async def play(self) -> list[Mapping[str, Any]]:
        """Plays the story to its end; all messages to automation tools, in order."""
        for number, request in enumerate(STORY):
            await self._wait(request.at)
            await self._take(number, request)
        await self._wait(ENDS)
        await report(self.reporting, last_period(Span.DAY, ENDS), ENDS)
        sent = [
            each for topic in (*TRIGGER_TOPICS, Topic.KPI) async for each in self.bus.read(topic)
        ]
        sent.sort(key=lambda published: published.number)
        return [json.loads(each.message.body) for each in sent]

    async def _wait(self, until: datetime) -> None:
        """Runs the scheduled functions whenever a lead is due before a moment."""
        context = EvaluationContext(self.store, self.bus, self.rules, self.clock)
        while (due := await self._next_due()) and due <= until:
            self.clock.time = due
            await decay(context)
            await follow_up(context)
        self.clock.time = until

    async def _next_due(self) -> datetime | None:
        due = [lead.due_at async for lead in self.store.leads() if lead.due_at]
        return min(due, default=None)

    async def _take(self, number: int, request: Request) -> None:
        """Accepts a request and counts its events, as the functions do."""
        raw = RawRequest(
            method="POST",
            path=request.path,
            query="",
            headers={"content-type": "application/json", "user-agent": "Mozilla/5.0"},
            body=json.dumps(request.body).encode(),
            received_at=self.clock.now(),
            request_id=f"request-{number}",
        )
        accepted = await accept(raw, request.source, bus=self.bus, ids=self.ids)
        if accepted.refused or accepted.notes:
            raise ValueError(f"request {number}: {accepted.refused} {accepted.notes}")
        for delivery in await self.bus.pull(SCORE.name, most=10, now=self.clock.now()):
            events = read_events(delivery.published.message.body)
            await apply(
                events, store=self.store, bus=self.bus, scoring=self.scoring, clock=self.clock
            )
            await self.bus.acknowledge([delivery])


async def _played() -> list[Mapping[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        async with SqliteFile(Path(folder) / "story.sqlite3") as file:
            return await Player(file).play()


def _drifted() -> Mapping[str, Any]:
    """An alarm that the story is too short for: since August many people only look around."""
    month = read_period("2026-08", ENDS)
    before = {10: (300, 9), 25: (150, 12), 40: (100, 16), 60: (50, 17)}
    made = look(
        month,
        "4f1e7febff39",
        USUAL,
        LookedAt(
            _people({10: (160, 3), 25: (30, 2), 40: (8, 1), 60: (2, 0)}),
            [
                Ripe(
                    read_period("2026-05", ENDS), _people({10: (110, 4), 25: (60, 5), 60: (40, 12)})
                )
            ],
            reference_of(_people(before).judged, "2026-01 to 2026-03"),
        ),
    )
    message: Mapping[str, Any] = json.loads(to_alarm(made, due(month, USUAL)).body)
    return message


def _people(counts: Mapping[int, tuple[int, int]]) -> Population:
    """Leads by their score: how many there were, and how many of them became customers."""
    judged = [
        Judged(score, won=number < won)
        for score, (of, won) in counts.items()
        for number in range(of)
    ]
    return Population(len(judged), judged)


def example_messages() -> dict[str, Mapping[str, Any]]:
    """The first message of each type in the story: of those about leads, the first about Ada."""
    examples: dict[str, Mapping[str, Any]] = {}
    for message in [*asyncio.run(_played()), _drifted()]:
        lead = message["data"].get("lead")
        if lead is None or lead["email"] == ADA:
            examples.setdefault(message["type"], message)
    return examples
