"""A dashboard on an SQLite file of its own, and requests to it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from builders import NOW, StandingClock, lead_ids
from warmlead.application.apply import Scoring, apply
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.dashboard.access import LinkAccess
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.site import DashboardSite
from warmlead.dashboard.trials import ModelInForce
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Event
from warmlead.domain.probability import Probability
from warmlead.domain.rules import Rules
from warmlead.model.loading import ready_model
from warmlead.ports import RawRequest
from warmlead.runtime.trial import tried
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_dispatches import SqliteDispatchStore
from warmlead.stores.sqlite_reports import SqliteReportStore
from warmlead.web.answers import Answer, answer_error

TOKEN = "a-token-of-this-machine-that-nobody-guesses"
READER = "a-token-of-a-reader-that-nobody-guesses"


def model_rules() -> Rules:
    after, within = timedelta(days=7), timedelta(days=90)
    learned = Probability("customer", after, within, -3.1, 0.05, leads=842, won=91)
    return replace(ready_model("b2b-saas").rules, probability=learned)


@dataclass
class Seen:
    """The pages, what they work with, and the cookie of a viewer."""

    parts: Parts
    site: DashboardSite
    access: LinkAccess

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, headers)

    async def json(self, path: str, *, status: int = 200) -> Any:
        answer = await self.get(path)
        assert answer.status == status, answer.body
        return json.loads(answer.body)

    async def say(self, lead_id: str, form: Mapping[str, str], **headers: str) -> Answer:
        given = {"content-type": "application/x-www-form-urlencoded", **headers}
        body = urlencode(form).encode()
        return await self.ask("POST", f"/leads/{lead_id}/say", given, body)

    async def try_(self, **fields: str) -> Answer:
        """Sends the form of the page on which models are tried, with its key."""
        if "key" not in fields:
            page = (await self.get("/model/try")).body.decode()
            fields["key"] = page.partition('name="key" value="')[2].partition('"')[0]
        headers = {"content-type": "multipart/form-data; boundary=between"}
        return await self.ask("POST", "/model/try", headers, multipart(fields))

    async def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes = b"",
    ) -> Answer:
        """The answer as the edge gives it, with errors put into their form."""
        path, _, query = target.partition("?")
        given = {"cookie": self.cookie, "host": "here", **headers}
        request = RawRequest(method, path, query, given, body, NOW, "request-1")
        try:
            answer = await self.site.answer(request)
        except RejectedError as error:
            answer = answer_error(error)
        return self.site.dressed(given, answer)

    @property
    def cookie(self) -> str:
        return self.access.opened(TOKEN, is_secure=False).partition(";")[0]

    async def apply(self, *events: Event, now: datetime = NOW) -> None:
        clock = StandingClock(now)
        scoring = Scoring(self.parts.rules, self.parts.ids)
        await apply(
            list(events), store=self.parts.leads, bus=self.parts.bus, scoring=scoring, clock=clock
        )


def multipart(fields: Mapping[str, str]) -> bytes:
    """A form as a browser writes it, with the boundary ``between``."""
    parts = (
        f'--between\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    )
    return ("".join(parts) + "--between--\r\n").encode()


@asynccontextmanager
async def a_dashboard(folder: Path) -> AsyncIterator[Seen]:
    clock = StandingClock()
    async with SqliteFile(folder / "leads.sqlite3") as file:
        parts = Parts(
            SqliteLeadStore(file, clock),
            SqliteReportStore(file),
            SqliteBus(file, clock, topics_of_subscriptions()),
            SqliteDispatchStore(file),
            model_rules(),
            lead_ids,
            ModelInForce(lambda: ready_model("b2b-saas").plan, tried),
        )
        access = LinkAccess(TOKEN)
        yield Seen(parts, DashboardSite(lambda: parts, access, {"panel": READER}), access)
