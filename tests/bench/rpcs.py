"""What an event costs in calls and documents, counted; beside the naive design.

Both do the whole job, from the sender's request to what the event triggers. Nothing is timed.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import grpc
from google.cloud import firestore, pubsub_v1

from bench import traffic
from bench.cloud import WRITE_KEY, Cloud
from bench.counting import CountedAsync, CountedSync, Counts
from bench.naive import accept as naive_accept
from bench.naive import score as naive_score
from bench.report import heading, note, table
from bench.run import Run
from warmlead.application.accept import accept, read_events
from warmlead.application.apply import Scoring, apply
from warmlead.buses.pubsub import PubSubBus
from warmlead.domain.event import Trust
from warmlead.domain.trigger import Topic
from warmlead.ports import Message, RawRequest
from warmlead.runtime import backends
from warmlead.senders.segment import SegmentSource
from warmlead.stores.firestore.store import FirestoreLeadStore

ADA = "ada@example.com"
AT = datetime(2026, 11, 30, 15, tzinfo=UTC)
"""A Monday, ten in the morning in New York: what an MQL triggers depends on the hours of mails."""

Call = dict[str, Any]


class Case(NamedTuple):
    """What happened before, with other instances, and then the request that is counted."""

    name: str
    before: Sequence[Sequence[Call]]
    request: Sequence[Call]
    warm: bool = False


class _Clock:
    def now(self) -> datetime:
        return AT


def _page(visitor: str) -> Call:
    return traffic.page(visitor, at=AT)


def _identify(visitor: str) -> Call:
    traits = {"email": ADA, "title": "CTO", "company": {"employees": 120, "country": "US"}}
    return {**_page(visitor), "type": "identify", "traits": traits}


def _demo(visitor: str) -> Call:
    call = {**_page(visitor), "type": "track", "event": "Demo Requested"}
    return {**call, "traits": {"email": ADA}, "context": {"traits": {"email": ADA}}}


def _pages(visitor: str, count: int) -> list[Call]:
    return [_page(visitor) for _ in range(count)]


CASES = (
    Case("an event of somebody new", [], _pages("v", 1)),
    Case("an ordinary event, cold", [_pages("v", 1)], _pages("v", 1)),
    Case("an ordinary event, warm", [_pages("v", 1)], _pages("v", 1), warm=True),
    Case("100 events of one person at once", [_pages("v", 1)], _pages("v", 100)),
    Case("a visitor becomes known (merge)", [_pages("v", 3), [_demo("w")]], [_identify("v")]),
    Case("an event that makes an MQL", [[_identify("v")]], [_demo("v")]),
)


def measure(run: Run) -> None:
    """Prints the counts of each case for both designs."""
    heading("Calls and documents of one request, from HTTP to what it triggers (counted)")
    rows = []
    for case in CASES:
        ours = asyncio.run(_ours(run.cloud, case))
        naive = _naive(run.cloud, case)
        ratio = f"{naive.calls.total() / ours.calls.total():.1f}"
        cells = [_calls(ours), _calls(naive), ratio, _documents(ours), _documents(naive)]
        rows.append((case.name, *cells))
        if case.name == "an ordinary event, cold":
            _remember(run, ours, naive)
    table(["", "calls: ours", "naive", "naive x", "documents: ours", "naive"], rows)
    note("calls: of Pub/Sub + of Firestore; documents: read / written / deleted. Warm: this")
    note("instance has just written the lead. Naive: a @firestore.transactional an event,")
    note("publish().result(), one document an event counted, and one a trigger")


def _calls(counts: Counts) -> str:
    return f"{counts.publishes} + {counts.firestore_calls}"


def _documents(counts: Counts) -> str:
    return f"{counts.reads} / {counts.writes} / {counts.deletes}"


def _remember(run: Run, ours: Counts, naive: Counts) -> None:
    for use, counts in ((run.ours, ours), (run.naive, naive)):
        use.reads, use.writes, use.deletes = counts.reads, counts.writes, counts.deletes
        use.messages = counts.messages
    run.naive.deletes += 1  # the mark that the event was counted expires, some day


# --- ours ----------------------------------------------------------------------------------


class _Bus(PubSubBus):
    """Remembers what was published, to hand it on as Pub/Sub would."""

    events: list[Message]

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        if topic == Topic.LEAD_EVENTS:
            self.events = [*messages]
        return await super().publish(topic, messages)


async def _ours(cloud: Cloud, case: Case) -> Counts:
    counts = Counts()
    project = cloud.project()
    for calls in case.before[:-1] if case.warm else case.before:
        async with _instance(cloud, project, counts) as work:
            await work(calls)
    async with _instance(cloud, project, counts) as work:
        if case.warm:
            await work(case.before[-1])
        counts.forget()
        await work(case.request)
    return counts


@asynccontextmanager
async def _instance(cloud: Cloud, project: str, counts: Counts) -> Any:  # generator
    interceptors = [CountedAsync(counts)]
    bus = _Bus(project, emulator=cloud.pubsub, interceptors=interceptors)
    store = FirestoreLeadStore(project, emulator=cloud.firestore, interceptors=interceptors)
    source = SegmentSource({WRITE_KEY: Trust.SIGNED})
    model = backends.load_model("b2b-saas")
    scoring = Scoring(model.rules, traffic.IDS)
    clock = _Clock()

    async def work(calls: Sequence[Call]) -> None:
        await accept(_request(calls), source, bus=bus, ids=traffic.IDS)
        for message in bus.events:
            events = read_events(message.body)
            await apply(events, store=store, bus=bus, scoring=scoring, clock=clock)

    yield work
    await store.close()
    await bus.close()


def _request(calls: Sequence[Call]) -> RawRequest:
    head, body = traffic.request("/v1/batch", json.dumps({"batch": calls}).encode()).split(
        b"\r\n\r\n", 1
    )
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return RawRequest("POST", "/v1/batch", "", headers, body, AT, "bench")


# --- the naive design ----------------------------------------------------------------------


def _naive(cloud: Cloud, case: Case) -> Counts:
    counts = Counts()
    project = cloud.project()
    work = _naive_instance(cloud, project, counts)
    for calls in case.before:
        work(calls)
    counts.forget()
    work(case.request)
    return counts


def _naive_instance(cloud: Cloud, project: str, counts: Counts) -> Callable[[Sequence[Call]], None]:
    publisher, database = _counted_clients(cloud, project, counts)
    topic = publisher.topic_path(project, Topic.LEAD_EVENTS)

    def work(calls: Sequence[Call]) -> None:
        events = [naive_accept.event_of(naive_accept.Call(**call)) for call in calls]
        naive_accept.publish_all(publisher, topic, events)
        for event in events:
            if entry := naive_score.count(database, event.model_dump(mode="json")):
                naive_score.send(database, publisher, project, entry)

    return work


def _counted_clients(
    cloud: Cloud, project: str, counts: Counts
) -> tuple[pubsub_v1.PublisherClient, firestore.Client]:
    """Google's clients as they are, but for channels that count."""
    counted = CountedSync(counts)
    channel = grpc.intercept_channel(grpc.insecure_channel(cloud.pubsub), counted)
    transport = pubsub_v1.PublisherClient.get_transport_class("grpc")(channel=channel)
    publisher = pubsub_v1.PublisherClient(transport=transport)
    return publisher, cloud.documents(project, counted)
