"""Draws the pictures of docs/dashboard.md: a made-up installation, opened in Chromium.

Run by ``make screenshots``. It starts ``warmlead serve`` on a folder that is deleted afterwards.
"""

import asyncio
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, ViewportSize, sync_playwright

from warmlead.application.apply import Scoring, apply
from warmlead.application.due import EvaluationContext, decay, follow_up
from warmlead.application.report import Reporting, report
from warmlead.domain.event import Event, Property, Trust
from warmlead.reporting.periods import Span, last_period
from warmlead.runtime import backends
from warmlead.settings import Settings

ROOT = Path(__file__).parent.parent
PEOPLE = 420
DAYS = 150
WEEKS = 9
MONTHS = 5
FIRST = ("Ada", "Grace", "Linus", "Margaret", "Alan", "Barbara", "Edsger", "Katherine", "Radia")
LAST = ("Lovelace", "Hopper", "Hamilton", "Turing", "Liskov", "Johnson", "Perlman", "Lamarr")
COMPANIES = ("Acme", "Globex", "Initech", "Hooli", "Stark", "Wonka", "Aperture", "Oscorp")
SOURCES = ("google/cpc", "google/organic", "linkedin/paid", "newsletter/email", "", "bing/cpc")
REFUSALS = ("not_ready", "bad_fit", "unreachable")


class MovedClock:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        """The time to which it was moved."""
        return self.at


class Person:
    """Somebody made up, and what they and sales do, from a start on."""

    def __init__(self, number: int, dice: random.Random, now: datetime) -> None:
        self._dice = dice
        self._now = now
        self._at = now - timedelta(days=dice.random() ** 1.3 * DAYS, minutes=dice.randrange(600))
        self._ids = (f"{number}-{n}" for n in itertools.count())
        first, last, company = dice.choice(FIRST), dice.choice(LAST), dice.choice(COMPANIES)
        self._email = f"{first}.{last}{number}@{company}.example".lower()
        self._traits: dict[str, Property] = {
            "first_name": first,
            "last_name": last,
            "company": company,
            "employees": dice.choice((8, 40, 120, 300, 450, 2_000)),
            "country": dice.choice(("US", "US", "DE", "GB", "FR")),
            "title": dice.choice(("VP Marketing", "Student", "Head of Sales", "CTO", "Engineer")),
        }

    def events(self) -> Iterator[Event]:
        """What happens with this person, in its order."""
        warmth, source = self._dice.random(), self._dice.choice(SOURCES)
        campaign, _, medium = source.partition("/")
        origin = {"utm_source": campaign, "utm_medium": medium} if source else {}
        yield self._event("form_submitted", {"form": "contact"}, self._traits, origin)
        for name, properties, least in (
            ("page_viewed", {"path": "/"}, 0.0),
            ("page_viewed", {"path": "/features"}, 0.2),
            ("content_downloaded", {"kind": "whitepaper", "content": "The CRM guide"}, 0.4),
            ("webinar_attended", {"webinar": "Scoring 101"}, 0.6),
            ("page_viewed", {"path": "/pricing"}, 0.6),
            ("demo_requested", {}, 0.85),
        ):
            if warmth > least:
                self._wait(20)
                yield self._event(name, dict(properties))
        if warmth > 0.6 and self._dice.random() < 0.8:  # noqa: PLR2004  # made up
            yield from self._sales(self._dice.random())

    def _sales(self, luck: float) -> Iterator[Event]:
        self._wait(1.5)
        yield self._event("sales_touched", {})
        self._wait(12)
        if luck > 0.6:  # noqa: PLR2004  # made up
            yield self._event("sales_rejected", {"reason": self._dice.choice(REFUSALS)})
            return
        yield self._event("sales_accepted", {})
        for said, least in (("sales_opportunity", 0.35), ("sales_won", 0.15)):
            if luck < least:
                self._wait(90)
                value = self._dice.randrange(5, 90) * 100_000
                yield self._event(said, {"value_cents": value, "currency": "EUR"})

    def _wait(self, hours: float) -> None:
        self._at += timedelta(hours=self._dice.expovariate(1 / hours))

    def _event(
        self,
        name: str,
        properties: dict[str, Property],
        traits: dict[str, Property] | None = None,
        attribution: dict[str, str] | None = None,
    ) -> Event:
        return Event(
            id=next(self._ids),
            source="segment",
            trust=Trust.SIGNED,
            name=name,
            occurred_at=self._at,
            received_at=self._at,
            email=self._email,
            traits=traits or {},
            properties=properties,
            attribution=attribution or {},
        )


async def fill(folder: Path) -> None:
    """Makes an installation with weeks of history in a folder."""
    dice, clock = random.Random(7), MovedClock()  # noqa: S311  # the same pictures each time
    now = clock.at
    people = [Person(number, dice, now) for number in range(PEOPLE)]
    events = [event for person in people for event in person.events() if event.occurred_at <= now]
    async with backends.embedded(Settings(data=folder)) as system:
        store, bus, rules = system.store, system.bus, system.model.rules
        for event in sorted(events, key=lambda each: each.occurred_at):
            clock.at = event.occurred_at
            scoring = Scoring(rules, system.ids)
            await apply([event], store=store, bus=bus, scoring=scoring, clock=clock)
        clock.at = now
        due = EvaluationContext(store, bus, rules, clock)
        await decay(due, budget_s=None)
        await follow_up(due, budget_s=None)
        reporting = Reporting(store, system.reports, bus, rules)
        for weeks in range(WEEKS):
            await report(reporting, last_period(Span.WEEK, now - timedelta(weeks=weeks)), now)
        month = last_period(Span.MONTH, now)
        for _ in range(MONTHS):
            await report(reporting, month, now)
            month = last_period(Span.MONTH, month.start)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The link of a server on the folder, while the block runs."""
    command = [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", "8977"]
    environment = {**os.environ, "WARMLEAD_DATA": str(folder), "COLUMNS": "200"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout  # noqa: S101  # it is piped
        lines = iter(server.stdout.readline, "")
        link = next(found[0] for line in lines if (found := re.search(r"http\S+token=\S+", line)))
        yield link
        server.terminate()


def draw(page: Page, link: str) -> None:
    """Opens the pages, and writes their pictures."""
    base = f"http://{urlsplit(link).netloc}/dashboard"
    page.goto(link)
    page.wait_for_url(f"{base}/")
    _picture(page, "overview")
    page.goto(f"{base}/leads?overdue=1")
    _picture(page, "leads")
    page.locator(".who a").first.click()
    _picture(page, "lead")


def _picture(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    path = ROOT / f"docs/dashboard-{name}.png"
    page.screenshot(path=path)
    print(path.relative_to(ROOT))


def main() -> None:
    """Writes the pictures."""
    with tempfile.TemporaryDirectory(prefix="warmlead-") as folder:
        asyncio.run(fill(Path(folder)))
        with served(Path(folder)) as link, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless=new"]
            )
            size: ViewportSize = {"width": 1180, "height": 900}
            page = browser.new_page(viewport=size, locale="en-GB", timezone_id="UTC")
            draw(page, link)
            browser.close()


if __name__ == "__main__":
    main()
