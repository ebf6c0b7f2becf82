"""Plays six weeks with a release, on its own stores, and tells what it knows at the end.

Runs with the package of that release and nothing of this repository's tests; ``remake.py`` starts
it. The names that it imports are those of each release since the first that had a command.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
END = datetime(2026, 2, 20, 12, tzinfo=UTC)
REPORTED = (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 17, tzinfo=UTC))
"""After January, and after a week of February."""

CALLED_AT = (0, 9, 10, 11, 12)
"""The hours at which the clock calls."""

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

GOOD_FIT = {"employees": 80, "country": "US", "company": "Analytical Engines"}
WEBINAR, PAPER, FORM = "webinar_attended", "content_downloaded", "form_submitted"


def first_of(*places: str) -> Any:
    """What is at the first place (``module:name``) that this release has; else ``None``."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(f"warmlead.{module}"), name)
        except (ImportError, AttributeError):
            continue
    return None


Event = first_of("domain.event:Event")
Message = first_of("ports:Message")
by_lead = first_of("application.accept:by_lead", "application.messages:by_lead")
read_events = first_of("application.accept:read_events", "application.messages:read_events")
set_aside = first_of("application.accept:set_aside", "application.messages:set_aside")
apply = first_of("application.apply:apply")
Scoring = first_of("application.apply:Scoring")
decay = first_of("application.due:decay", "application.decay:decay")
follow_up = first_of(
    "application.due:follow_up", "application.followup:follow_up", "application.follow_up:follow_up"
)
Context = first_of("application.due:EvaluationContext", "application.due:Settling")
report_due = first_of("application.report:report_due")
Reporting = first_of("application.report:Reporting")
erase = first_of("application.privacy.erase:erase", "application.erase:erase")
LeadIds = first_of("domain.identity:LeadIds")
identifiers_of = first_of("domain.identity:identifiers_of")
load = first_of("model.loading:load", "model:load")
settings = first_of("runtime.backends:settings", "backends:settings", "wiring:settings")
SqliteFile = first_of("sqlite_file:SqliteFile")
SqliteLeadStore = first_of("stores.sqlite:SqliteLeadStore")
SqliteReportStore = first_of(
    "stores.sqlite:SqliteReportStore", "stores.sqlite_reports:SqliteReportStore"
)
SqliteBus = first_of("buses.sqlite:SqliteBus")
FirestoreLeadStore = first_of(
    "stores.firestore.store:FirestoreLeadStore", "stores.firestore:FirestoreLeadStore"
)
FirestoreReportStore = first_of(
    "stores.firestore.store:FirestoreReportStore", "stores.firestore_reports:FirestoreReportStore"
)
RejectedError, UnavailableError, Reason = (
    first_of(f"domain.errors:{name}") for name in ("RejectedError", "UnavailableError", "Reason")
)


Happened: TypeAlias = tuple[float, str, dict[str, Any]]
"""Hours later, an event's name, and its other fields."""


def person(name: str, day: float, *happened: Happened) -> list[Any]:
    """What one person did, from a day on."""
    events = []
    for number, (hours, what, more) in enumerate(happened):
        at = START + timedelta(days=day, hours=hours)
        fields: dict[str, Any] = {
            "id": f"{name}-{number}",
            "source": "sales" if what.startswith("sales_") else "generic",
            "trust": "signed",
            "name": what,
            "occurred_at": at,
            "received_at": at,
            "email": f"{name}@example.com",
            **more,
        }
        checked = getattr(Event, "checked", Event)
        events.append(checked(**{key: value for key, value in fields.items() if value is not None}))
    return events


def qualifies(name: str, day: float, *then: Happened) -> list[Any]:
    """Somebody who becomes an MQL on a day."""
    touch = {"attribution": {"utm_source": "google", "utm_medium": "cpc"}}
    return person(
        name,
        day,
        (9, FORM, {"traits": GOOD_FIT, "user_id": f"u-{name}", **touch}),
        (9.1, WEBINAR, {}),
        (9.2, PAPER, {"properties": {"kind": "ebook"}}),
        *then,
    )


def page(path: str, **more: Any) -> dict[str, Any]:
    return {"properties": {"path": path}, **more}


def story(*, with_sales: bool) -> list[Any]:
    """Every event, in order of receipt: people in every stage that the release knows."""
    browser = {"email": None, "anonymous_id": "browser-1", "trust": "public"}
    stranger = {**browser, "anonymous_id": "browser-2"}
    touched: Happened = (9.5, "sales_touched", {})
    accepted: Happened = (11, "sales_accepted", {})
    often = [
        (24 * day + hour, "page_viewed", page(f"/docs/{hour}"))
        for day in (0, 1, 2, 5, 9, 20, 44)
        for hour in (10, 11, 16)
    ]
    won = {"properties": {"value_cents": 1_200_000, "currency": "EUR"}}
    people = [
        person("stranger", 40, *[(hour, "page_viewed", page("/", **stranger)) for hour in (9, 10)]),
        person(
            "known",
            2,
            (9, "page_viewed", page("/pricing", **browser)),
            (33, "page_viewed", page("/", **browser)),
            (57, FORM, {"anonymous_id": "browser-1", "traits": {"company": "Known Ltd"}}),
        ),
        person("reader", 0, *often),
        qualifies("fading", 1),
        qualifies("accepted", 30, touched, accepted),
        qualifies("dealing", 30, touched, accepted, (80, "sales_opportunity", {})),
        qualifies("bought", 28, touched, accepted, (60, "sales_won", won)),
        qualifies("later", 20, (30, "sales_rejected", {"properties": {"reason": "not_ready"}})),
        qualifies("unfit", 25, (10, "sales_rejected", {"properties": {"reason": "bad_fit"}})),
        qualifies("leaving", 35, (24, "email_unsubscribed", {})),
        qualifies("waiting", 43),
        qualifies("offered", 46),
        qualifies("gone", 36),
    ]
    events = [event for each in people for event in each]
    heard = [event for event in events if with_sales or not event.name.startswith("sales_")]
    return sorted(heard, key=lambda event: event.received_at)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time


class Bus:
    """The release's bus; while it is ``down`` no trigger can be published."""

    def __init__(self, bus: Any) -> None:
        self.down = False
        self._bus = bus

    async def publish(self, topic: str, messages: Any) -> Any:
        if self.down and topic in ("mql", "nurture", "lifecycle"):
            raise UnavailableError("the bus is down")
        return await self._bus.publish(topic, messages)


class World:
    """The release at work on its stores."""

    def __init__(self, store: Any, reports: Any, bus: Any, clock: Clock, text: str) -> None:
        model = load(text, name="model.yaml")
        self.store, self.reports, self.queue, self.clock = store, reports, bus, clock
        self.bus = Bus(bus)
        self.ids = LeadIds(settings().id_secret.encode())
        titles = () if hasattr(model.rules, "titles") else (model.titles,)
        self.rules = (model.rules, *titles)

    async def play(self) -> None:
        """Every event as it comes, and in between what is due, at some hours of each day."""
        events, hour = story(with_sales=bool(follow_up)), START
        while hour <= END:
            while events and events[0].received_at <= hour:
                self.clock.time = events[0].received_at
                await self.take(events.pop(0))
            self.clock.time = hour
            await self.what_is_due(hour)
            hour += HOUR
        self.clock.time = END
        error = RejectedError(next(iter(Reason)), "It is not one of ours.")
        await set_aside(b"nothing of ours", error, bus=self.queue, now=END)
        if erase:
            (of, *_) = identifiers_of(person("gone", 0, (0, FORM, {}))[0])
            asked = [self.ids.of(of)]
            await erase(asked, store=self.store, archive=None, of=self.ids, clock=self.clock)
        self.bus.down = True
        self.clock.time = END - MINUTE
        for event in qualifies("unsent", 46):
            late = type(event)(**{**fields_of(event), "received_at": END - MINUTE})
            try:
                await self.take(late)
            except UnavailableError:
                continue
        self.clock.time = END

    async def take(self, event: Any) -> None:
        """Publishes the event, and applies what the bus hands out."""
        await self.queue.publish("lead-events", by_lead([event], self.ids))
        scoring = Scoring(*self.rules, self.ids)
        due = await self.queue.pull("score", most=10, now=self.clock.now())
        await self.queue.acknowledge(due)
        for delivery in due:
            events = read_events(delivery.published.message.body)
            with_all = {"store": self.store, "bus": self.bus, "scoring": scoring}
            once = partial(apply, events, **with_all, clock=self.clock)
            await (once() if self.bus.down else patiently(once))

    async def what_is_due(self, hour: datetime) -> None:
        """What a release does by a clock, if it does."""
        if follow_up is None or hour.hour not in CALLED_AT:
            return
        context = Context(self.store, self.bus, *self.rules, self.clock)
        await patiently(lambda: follow_up(context))
        if hour.hour == 0:
            await patiently(lambda: decay(context))
            if report_due and hour in REPORTED:
                reporting = Reporting(self.store, self.reports, self.bus, self.rules[0])
                await patiently(lambda: report_due(reporting, hour))


async def patiently(attempt: Callable[[], Awaitable[Any]]) -> Any:
    """Tries again what a slow emulator has not answered in time."""
    for _ in range(9):
        try:
            return await attempt()
        except UnavailableError:
            continue
    return await attempt()


async def facts(store: Any) -> dict[str, Any]:
    """What a release knows of each lead, read from its own objects."""
    leads = {lead.id: await facts_of(store, lead) async for lead in store.leads()}
    return dict(sorted(leads.items()))


async def facts_of(store: Any, lead: Any) -> dict[str, Any]:
    """What a release knows of one lead, but for its score."""
    moves = await store.transitions(lead.id)
    offer, enrolments = getattr(lead, "offer", None), getattr(lead, "enrolments", {})
    return {
        "email": lead.email,
        "stage": lead.progress.stage,
        "entered": dict(lead.progress.entered),
        "peak": lead.progress.peak_score,
        "ids": sorted(lead.trails),
        "moves": [[m.at.isoformat(), m.from_stage, m.to_stage, m.cycle] for m in moves],
        "offer": offer
        and [offer.cycle, offer.stage, offer.at.isoformat(), sorted(offer.told), offer.answer],
        "enrolments": {
            name: [each.run, each.position, each.next_at and each.next_at.isoformat()]
            for name, each in sorted(enrolments.items())
        },
        "unsent": [[t.id, t.topic, t.body] for t in lead.outbox],
    }


def fields_of(event: Any) -> dict[str, Any]:
    names = getattr(event, "__struct_fields__", None) or type(event).model_fields
    return {name: getattr(event, name) for name in names}


async def main(data: Path, emulator: str, project: str, text: str) -> dict[str, Any]:
    """Plays on a SQLite file and, if the release can, on Firestore; what it knows at the end."""
    clock = Clock()
    subscriptions = {"score": "lead-events", "quarantine": "quarantine"}
    async with SqliteFile(data / "warmlead.sqlite3") as file:
        bus = SqliteBus(file, clock, subscriptions)
        reports = SqliteReportStore and SqliteReportStore(file)
        world = World(SqliteLeadStore(file, clock), reports, bus, clock, text)
        await world.play()
        told = {"sqlite": await facts(world.store)}
    if FirestoreLeadStore:
        clock = Clock()
        async with SqliteFile(data / "bus.sqlite3") as file:
            bus = SqliteBus(file, clock, subscriptions)
            store = FirestoreLeadStore(project, emulator=emulator)
            reports = FirestoreReportStore and FirestoreReportStore(project, emulator=emulator)
            world = World(store, reports, bus, clock, text)
            await world.play()
            told["firestore"] = await facts(world.store)
            await store.close()
            if reports:
                await reports.close()
    return told


if __name__ == "__main__":
    folder, address, name = Path(sys.argv[1]), *sys.argv[2:]
    model_text = (folder / "model.yaml").read_text(encoding="utf-8")
    json.dump(asyncio.run(main(folder, address, name, model_text)), sys.stdout)
