"""Lifelike weeks: five vendors post out of order, repeatedly, and through outages.

Every lead must hold just what its person did. The functions are the real ones, in this process, by
a clock that the test turns.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from builders import StandingClock
from e2e.cloud_processes import serving_cloud
from e2e.lifelike import MODEL, WEEKS, Person, Post, Site, deliveries
from patience import until
from senders.configured import USING, file_of
from served import Served
from warmlead.application.due import EvaluationContext, decay, follow_up
from warmlead.application.explain import LeadView, view
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.cli.local.worker import push
from warmlead.domain.errors import UnavailableError
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.sales import SalesStatus
from warmlead.domain.trigger import Topic
from warmlead.ports import LeadStore, Message, RawRequest
from warmlead.runtime import backends, functions
from warmlead.runtime.table import CHAT, FORMS, MAIL, SALES, SCORE, Function
from warmlead.senders.base import Sender
from warmlead.senders.registry import senders_in
from warmlead.settings import Settings, read_settings

pytestmark = pytest.mark.slow

START = datetime(2026, 3, 2, tzinfo=UTC)
SEED, PEOPLE = 612, 50
"""With this seed each outage meets every vendor, and all that may become of people does."""
POSTED_TO = (FORMS, CHAT, MAIL, SALES)
REPEATS_AFTER = {
    "typeform": timedelta(seconds=150),
    "intercom": timedelta(minutes=1),
    "calendly": timedelta(minutes=30),
    "sendgrid": timedelta(minutes=10),
    "stripe": timedelta(hours=1),
}
EVERY = 12
"""So many deliveries come before the bus hands out what they brought, in an order of its own."""

NOTHING_KEPT = START + timedelta(days=5, hours=9), START + timedelta(days=5, hours=18)
ANSWER_LOST = START + timedelta(days=12, hours=9), START + timedelta(days=12, hours=18)
OUTAGES = (NOTHING_KEPT, ANSWER_LOST)


class FailingBus(SqliteBus):
    """A bus with two outages: in one nothing is kept, in the other only its answers are lost."""

    clock: StandingClock

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """See ``EventBus``."""
        now = self.clock.now()
        if _within(NOTHING_KEPT, now):
            raise UnavailableError("the bus is away")
        published = await super().publish(topic, messages)
        if _within(ANSWER_LOST, now):
            raise UnavailableError("the bus did not answer")
        return published


def _within(outage: tuple[datetime, datetime], at: datetime) -> bool:
    return outage[0] <= at < outage[1]


class Weeks:
    """The functions of the table, on a store and a bus of their own, by the time of the weeks."""

    def __init__(self, system: backends.Embedded, bus: FailingBus, seed: int) -> None:
        self.system, self.bus, self.clock = system, bus, bus.clock
        self.chance = Random(seed)
        self.refused: set[tuple[datetime, str]] = set()
        self._edges = {one.name: _app(_handler(one)) for one in POSTED_TO}
        self._score = _app(_handler(SCORE))
        self._senders = _senders()
        self._decayed = START

    async def live(self, posts: Sequence[Post]) -> None:
        """Delivers everything, as each vendor repeats it, and does what is due in between."""
        number = count()
        ahead = [(at, next(number), post) for at, post in deliveries(posts, self.chance)]
        ahead = [(_where_it_is_repeated(at, post), n, post) for at, n, post in ahead]
        heapify(ahead)
        while ahead:
            self.clock.time, place, post = heappop(ahead)
            if await self._deliver(post) != 200:
                heappush(ahead, (self.clock.time + REPEATS_AFTER[post.sender], place, post))
            elif place % EVERY == 0:
                await self._work()
        self.clock.time = max(self.clock.time, START + WEEKS)
        await self._work()

    async def _deliver(self, post: Post) -> int:
        """The status of the answer; 503 in an outage and at no other time."""
        now = self.clock.now()
        headers = signed(self._senders[post.sender], post, now)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(self._edges[post.function]), base_url="https://made"
        ) as client:
            url = f"/{post.function}/{post.sender}"
            answer = await client.post(url, content=post.body, headers=headers)
        away = next((outage for outage in OUTAGES if _within(outage, now)), None)
        if away and answer.status_code == 503:
            self.refused.add((away[0], post.sender))
        else:
            assert answer.status_code == 200, answer.text
            assert "refused" not in answer.json(), answer.text
        return answer.status_code

    async def _work(self) -> None:
        """What waits on the bus, in any order and some of it twice; then what has become due."""
        if any(_within(outage, self.clock.now()) for outage in OUTAGES):
            return
        waiting = list(await self.bus.pull(SCORE.name, most=10_000, now=self.clock.now()))
        for one in self.chance.sample(waiting, len(waiting)) + waiting[::5]:
            assert (await push(self._score, one, SCORE.name)).is_success
        await self.bus.acknowledge(waiting)
        if self.clock.now() >= self._decayed + timedelta(days=1):
            self._decayed = self.clock.now()
            rules, store = self.system.model.rules, self.system.store
            context = EvaluationContext(store, self.bus, rules, self.clock)
            assert (await decay(context)).failed == 0
            await follow_up(context)


def _where_it_is_repeated(at: datetime, post: Post) -> datetime:
    """Intercom repeats once, after a minute: what it says earlier in an outage it never says again.

    So whatever it would say then it says in the last minute of the outage.
    """
    for outage in OUTAGES:
        if post.sender == "intercom" and _within(outage, at):
            return outage[1] - timedelta(seconds=30)
    return at


def _handler(function: Function) -> functions.Handler:
    """The function, built anew with the settings of now."""
    built: functions.Handler = getattr(functions, function.name).__wrapped__()
    return built


def _app(handler: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (await handler(Request(scope, receive)))(scope, receive, send)

    return app


def signed(sender: Sender, post: Post, now: datetime) -> dict[str, str]:
    """The headers of a delivery, with the vendor's signature of it."""
    headers = {"content-type": "application/json"}
    request = RawRequest("POST", f"/{post.sender}", "", headers, post.body, now, "made")
    return {**headers, **sender.sign(request)}


@cache
def _senders() -> Mapping[str, Sender]:
    """The senders, to sign as the vendors do."""
    found = [senders_in(one.name, file_of(one.name), USING).all() for one in POSTED_TO]
    return {sender.name: sender for senders in found for sender in senders}


def settings_in(folder: Path) -> dict[str, str]:
    """The files of the functions and the model, as variables."""
    (folder / "model.yaml").write_text(MODEL)
    variables = {"WARMLEAD_MODEL": str(folder / "model.yaml")}
    for function in POSTED_TO:
        file = folder / f"{function.name}.json"
        file.write_text(json.dumps(file_of(function.name)))
        variables[f"WARMLEAD_{function.name.upper()}"] = str(file)
    return variables


class Seen(NamedTuple):
    """A lead, and the values of the deals that it holds as won, in cents."""

    lead: LeadView
    won_cents: Sequence[int | None]


async def lived(site: Site, folder: Path, seed: int) -> tuple[dict[str, Seen], Weeks]:
    """Every lead after three weeks, by its address or the id of its visitor."""
    with pytest.MonkeyPatch.context() as patch:
        variables = {**settings_in(folder), "WARMLEAD_DATA": str(folder / "data")}
        for name, value in variables.items():
            patch.setenv(name, value)
        using = read_settings(variables)
        async with backends.embedded(using) as system:
            clock = StandingClock(START)
            bus = _failing_bus(system, clock)
            _put(patch, using, system.store, bus, clock)
            weeks = Weeks(system, bus, seed)
            await weeks.live(site.posts)
            assert await bus.outstanding(SCORE.name) == []
            assert [one async for one in bus.read(Topic.QUARANTINE)] == []
            leads = [lead async for lead in system.store.leads()]
            seen = [_seen(lead, system.model.rules, clock.now()) for lead in leads]
    return {key_of(one.lead): one for one in seen}, weeks


def _seen(lead: Lead, rules: Rules, now: datetime) -> Seen:
    won = [one.value_cents for one in lead.statements if one.said is SalesStatus.WON]
    return Seen(view(lead, rules, now), won)


def _failing_bus(system: backends.Embedded, clock: StandingClock) -> FailingBus:
    bus = FailingBus(system.file, clock, topics_of_subscriptions())
    bus.clock = clock
    return bus


def _put(
    patch: pytest.MonkeyPatch,
    using: Settings,
    store: LeadStore,
    bus: FailingBus,
    clock: StandingClock,
) -> None:
    """Gives the functions this store, bus and time instead of those of the process."""
    patch.setattr(functions, "settings", lambda: using)
    patch.setattr(functions, "store", lambda: store)
    patch.setattr(functions, "bus", lambda: bus)
    patch.setattr(functions, "embedded_bus", lambda: bus)
    patch.setattr(functions, "SystemClock", lambda: clock)
    patch.setattr(functions, "configure_logging", lambda **_: None)  # of the whole process


def key_of(lead: LeadView) -> str:
    return lead.email or lead.identifiers["anonymous"][0]


def as_told(lead: Mapping[str, Any]) -> dict[str, Any]:
    """All of a lead that its person's deeds decide, except for the value of its deals."""
    consent = lead["consent"]
    return {
        "events": lead["events"],
        "score": lead["score"],
        "stage": lead["stage"],
        "refused": "" if consent["may_be_mailed"] else consent["status"],
    }


def by_hand(person: Person) -> dict[str, Any]:
    """The same by counting what the person did."""
    return {
        "events": dict(person.events),
        "score": person.score,
        "stage": person.stage,
        "refused": person.refused,
    }


@pytest.fixture(scope="module")
def site() -> Site:
    return Site(PEOPLE, START, SEED)


@pytest.fixture(scope="module")
def weeks(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Seen], Weeks]:
    return asyncio.run(lived(site, tmp_path_factory.mktemp("weeks"), seed=1))


def test_after_three_weeks_every_lead_holds_just_what_its_person_did(
    site: Site, weeks: tuple[dict[str, Seen], Weeks]
) -> None:
    leads, lived_through = weeks

    told = {key: as_told(one.lead.model_dump()) for key, one in leads.items()}
    counted = {person.key: by_hand(person) for person in site.people}
    assert told.keys() == counted.keys()
    assert [(told[key], counted[key]) for key in told if told[key] != counted[key]] == []
    met = {(began, vendor) for began, _ in OUTAGES for vendor in REPEATS_AFTER}
    assert lived_through.refused == met, "each outage meets every vendor"


def test_a_subscription_is_won_once_with_its_value(
    site: Site, weeks: tuple[dict[str, Seen], Weeks]
) -> None:
    leads, _ = weeks

    won = {person.key: list(person.won_cents) for person in site.people}
    assert {key: one.won_cents for key, one in leads.items()} == won
    assert sum(map(bool, won.values())) >= 3


def test_the_weeks_hold_what_they_are_about(site: Site) -> None:
    people = site.people
    done = {name for person in people for name in person.events}
    assert done >= {"meeting_rescheduled", "meeting_cancelled", "meeting_missed", "sales_won"}
    assert done >= {"robot_request", "scan_request", "burst_request", "prefetch_request"}
    assert done >= {"email_clicked", "subscription_cancelled"}
    assert {person.stage for person in people} == {"anonymous", "lead", "mql", "customer"}
    assert {person.refused for person in people} == {"", "bounced", "unsubscribed"}
    assert [p for p in people if p.refused and p.score >= 60 and p.stage == "lead"]


def test_another_order_leaves_identical_leads(
    site: Site, weeks: tuple[dict[str, Seen], Weeks], tmp_path: Path
) -> None:
    leads, _ = weeks

    others, _ = asyncio.run(lived(site, tmp_path, seed=2))

    assert {key: standing(one.lead) for key, one in leads.items()} == {
        key: standing(one.lead) for key, one in others.items()
    }


def test_the_weeks_of_eight_people_are_the_same_on_the_emulators(
    tmp_path: Path, firestore_emulator: str, pubsub_emulator: str
) -> None:
    """All of it is learnt today, over HTTP, each function being a process of its own."""
    site = Site(8, datetime.now(UTC) - WEEKS - timedelta(days=1), SEED)
    variables = {
        **settings_in(tmp_path),
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "PUBSUB_EMULATOR_HOST": pubsub_emulator,
        "WARMLEAD_PROJECT": f"p-{uuid.uuid4().hex[:12]}",
    }
    chance = Random(SEED)
    ahead = [post for _, post in deliveries(site.posts, chance)]
    with serving_cloud(tmp_path / "data", **variables) as cloud:
        for post in chance.sample(ahead, len(ahead)):
            _post(cloud.served, post)
        wanted = {person.key: by_hand(person) for person in site.people}
        until(lambda: {key: _told(cloud.served, key) for key in wanted} == wanted)


def _post(served: Served, post: Post) -> None:
    """Posts it, signed as of now."""
    headers = signed(_senders()[post.sender], post, datetime.now(UTC))
    status, answer = served.post(f"/{post.function}/{post.sender}", post.body, headers)
    assert status == 200, answer


def _told(served: Served, key: str) -> dict[str, Any] | None:
    lead = served.lead(key)
    return as_told(lead) if lead else None


def standing(lead: LeadView) -> dict[str, Any]:
    """The whole lead but for when and how its stage was reached, which is as it was learnt."""
    whole = lead.model_dump()
    for name in OF_PROCESSING:
        whole.pop(name)
    return whole


OF_PROCESSING = {
    *("as_of", "created_at", "stage_since", "stage_learnt_at", "resting_since"),
    *("entered", "moved_back", "moves", "offer", "alerts"),
}
