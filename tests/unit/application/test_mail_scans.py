"""Clicks of programs in mails, told in one request or several: what is done because of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import an_event
from unit.application.conftest import World
from unit.application.test_replay import arrive, replay
from warmlead.application.explain import explain, view
from warmlead.application.passages import passage_of
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event
from warmlead.domain.identity import identifiers_of
from warmlead.model.loading import load
from warmlead.stores.codec import read_lead, write_lead

MODEL = """
signals:
  mail_clicked: {on: email_clicked, points: 20, per_day: 3, half_life: 60d, show: [url]}
  page_viewed: {on: page_viewed, points: 1, half_life: 30d}
stages:
  mql: {enter: score >= 40 || distinct_30d.mail_clicked.url >= 3, leave: score < 15}
handoff: {first_touch_within: 1h, accept_within: 24h, routes: [{owner: ann}]}
alerts:
  clicked: {on: mail_clicked, again_after: 1h}
"""
RULES = load(MODEL, name="mails").rules
MINUTE = timedelta(minutes=1)


class Mail:
    """A mail to Ada, and what its tool reports of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._delivered_at = world.clock.now() - 10 * MINUTE
        self._made = 0

    def report(self, name: str, after_s: float, link: str = "", **others: Any) -> Event:
        self._made += 1
        return an_event(
            id=f"report-{self._made}",
            source="sendgrid",
            name=name,
            occurred_at=self.at(after_s),
            received_at=self._world.clock.now(),
            properties={"message_id": "mail-1"} | ({"url": link} if link else {}),
            **others,
        )

    def at(self, after_s: float) -> datetime:
        return self._delivered_at + timedelta(seconds=after_s)

    def delivered(self) -> Event:
        return self.report("email_delivered", 0)

    def clicked(self, after_s: float, link: str) -> Event:
        return self.report("email_clicked", after_s, link)


@pytest.fixture
def mail(world: World) -> Mail:
    world.use(RULES)
    return Mail(world)


async def kinds(world: World) -> list[str]:
    return [each["type"].removeprefix("warmlead.") for each in await world.triggers()]


async def seen(world: World) -> Any:
    return view(await world.lead(), RULES, world.clock.now())


SCAN = (2.0, "https://shop.example/a"), (3.0, "https://shop.example/b"), (4.0, "https://c.example")


def scanned(mail: Mail) -> list[Event]:
    return [mail.delivered(), *(mail.clicked(*each) for each in SCAN)]


async def test_a_scan_in_one_request_moves_nobody_and_tells_nobody(
    world: World, mail: Mail
) -> None:
    await world.apply(*scanned(mail))
    assert await kinds(world) == []
    lead = await seen(world)
    assert (lead.score, lead.stage, lead.journey) == (0, "lead", [])
    assert lead.automated == {"scan": 3}


async def test_a_burst_in_one_request_moves_nobody_on_its_way(world: World, mail: Mail) -> None:
    await world.apply(*(mail.clicked(60 + at_s, link) for at_s, link in SCAN))
    assert await kinds(world) == []
    assert (await seen(world)).automated == {"burst": 3}


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [0, 3, 1, 2]])
async def test_a_scan_after_its_delivery_tells_nobody_in_several_requests(
    world: World, mail: Mail, order: Sequence[int]
) -> None:
    events = scanned(mail)
    for nth in order:
        await world.apply(events[nth])
    assert await kinds(world) == []
    assert (await seen(world)).automated == {"scan": 3}


async def test_what_was_told_before_the_delivery_was_known_stays_and_the_score_is_corrected(
    world: World, mail: Mail
) -> None:
    delivered, *clicks = scanned(mail)
    await world.apply(mail.clicked(400, "https://shop.example/a"))  # Ada's own
    await world.apply(clicks[0])
    assert (await seen(world)).stage == "mql"
    assert "lead.stage_entered.v1" in await kinds(world)
    await world.apply(delivered)
    lead = await seen(world)
    assert (lead.score, lead.automated) == (20, {"scan": 1})
    assert lead.stage == "mql"  # 15 points keep it there
    told = await kinds(world)
    await world.apply(delivered, *clicks)
    assert await kinds(world) == told
    assert (await seen(world)).score == 20


async def test_a_move_by_a_scan_is_taken_back_when_the_score_falls(
    world: World, mail: Mail
) -> None:
    events = scanned(mail)
    for event in events[:0:-1]:
        await world.apply(event)
    await world.apply(events[0])
    lead = await seen(world)
    assert (lead.score, lead.stage) == (0, "lead")


async def test_a_persons_click_after_a_scan_is_an_act_with_a_step(world: World, mail: Mail) -> None:
    await world.apply(*scanned(mail))
    world.clock.forward(10 * MINUTE)
    await world.apply(mail.clicked(900, "https://shop.example/a"))
    lead = await seen(world)
    assert lead.score == 20
    assert [step.details for step in lead.journey] == [{"url": "https://shop.example/a"}]
    (alert,) = [each for each in await world.triggers() if "alerted" in each["type"]]
    assert [act["times"] for act in alert["data"]["acts"]] == [1]
    assert [step["details"] for step in alert["data"]["lead"]["journey"]] == [
        {"url": "https://shop.example/a"}
    ]


MEASURING = load(MODEL.replace("score >= 40 || ", ""), name="measuring").rules
AT_ONE_CLICK = load(MODEL.replace("score >= 40 ||", "score >= 20 ||"), name="at one click").rules


async def test_what_is_measured_of_clicks_is_peoples(world: World, mail: Mail) -> None:
    world.use(MEASURING)
    links = [f"https://shop.example/{nth}" for nth in range(4)]
    await world.apply(*(mail.clicked(100 + nth / 2, link) for nth, link in enumerate(links)))
    assert (await seen(world)).stage == "lead"
    for nth, link in enumerate(links[:3]):
        await world.apply(mail.clicked(200 + 60 * nth, link))
    assert (await seen(world)).stage == "mql"


async def test_the_first_click_of_a_burst_moves_nobody_before_the_second_is_seen(
    world: World, mail: Mail
) -> None:
    world.use(AT_ONE_CLICK)
    await world.apply(*(mail.clicked(60 + at_s, link) for at_s, link in SCAN))
    assert await kinds(world) == []
    assert (await world.lead()).progress.entered.get("mql", 0) == 0


async def test_moves_by_reports_in_one_request_are_those_of_reports_one_by_one(
    world: World, mail: Mail
) -> None:
    """A click of before turns out to be a program's, after a page view has made an MQL of it."""
    world.use(load(MODEL.replace("score >= 40 ||", "score >= 21 ||"), name="at 21").rules)
    click = mail.clicked(400, "https://shop.example/a")
    await world.apply(click)
    await world.apply(mail.report("page_viewed", 300), mail.clicked(401, "https://c.example"))
    lead = await world.lead()
    assert (lead.progress.stage, lead.progress.entered["mql"]) == ("lead", 1)


async def test_a_click_of_a_program_is_no_act_of_the_lead(world: World, mail: Mail) -> None:
    async def acts(*events: Event) -> bool:
        await world.apply(*events)
        lead, now = await world.lead(), world.clock.now()
        ids = {identifier: lead.id for event in events for identifier in identifiers_of(event)}
        return passage_of(lead, events, [], ids, rules=RULES, now=now).acts

    assert not await acts(*scanned(mail))
    assert await acts(mail.clicked(400, "https://shop.example/a"))


async def test_an_alert_counts_the_clicks_of_people_since_the_last_one(
    world: World, mail: Mail
) -> None:
    world.use(load(MODEL.replace("points: 20", "points: 2"), name="no mql").rules)
    await world.apply(mail.clicked(100, "https://shop.example/a"))
    world.clock.forward(10 * MINUTE)
    await world.apply(*(mail.clicked(700 + at_s, link) for at_s, link in SCAN))
    world.clock.forward(70 * MINUTE)
    await world.apply(mail.clicked(5_000, "https://shop.example/a"))
    told = [each["data"] for each in await world.triggers() if "alerted" in each["type"]]
    assert [[act["times"] for act in data["acts"]] for data in told] == [[1], [1]]


async def test_a_scan_after_a_refusal_of_the_same_day_does_not_open_a_stage_again(
    world: World, mail: Mail
) -> None:
    await world.apply(mail.clicked(100, "https://shop.example/a"), *scanned(mail))
    standing = evaluation_of(await world.lead(), RULES, world.clock.now()).standing
    before_all, between = mail.at(-60), mail.at(200)
    assert standing.seen_later("mail_clicked", before_all)
    await world.apply(*(mail.clicked(300 + at_s, link) for at_s, link in SCAN))
    standing = evaluation_of(await world.lead(), RULES, world.clock.now()).standing
    assert not standing.seen_later("mail_clicked", between)


async def test_explain_names_the_clicks_of_programs_and_why(world: World, mail: Mail) -> None:
    await world.apply(*scanned(mail), mail.clicked(60, "a"), mail.clicked(61, "b"))
    lead, now = await world.lead(), world.clock.now()
    found = explain(lead, RULES, now)
    assert found.automated == {"scan": 3, "burst": 2}
    assert sum(line.points for line in found.contributions) == found.score == 0


async def test_steps_and_measures_of_people_outlive_their_clicks(world: World, mail: Mail) -> None:
    await world.apply(*scanned(mail), mail.clicked(400, "https://shop.example/a"))
    before = await seen(world)
    for _ in range(8):
        world.clock.forward(timedelta(days=5))
        await world.apply(world.seen(1, id=f"view-{world.clock.now()}"))
    lead = await world.lead()
    assert all(not trail.unjudged for trail in lead.trails.values())
    assert not any(e.mark for trail in lead.trails.values() for e in trail.history.kept.values())
    after = await seen(world)
    assert after.journey == before.journey
    assert after.automated == before.automated == {"scan": 3}
    assert after.signals["mail_clicked"] == 1


@pytest.mark.parametrize("days", [1, 50])
async def test_a_replay_finds_the_same_machines(
    world: World, mail: Mail, tmp_path: Path, days: int
) -> None:
    story = [*scanned(mail), mail.clicked(400, "https://shop.example/a")]
    for event in story[::-1]:
        await arrive(world, event)
    world.clock.forward(timedelta(days=days))
    await arrive(world, world.seen(1, id="view"))
    before = await seen(world)
    assert before.automated == {"scan": 3}
    await replay(world, tmp_path)
    assert await seen(world) == before
    await world.store.clear()
    await replay(world, tmp_path)
    after = await seen(world)
    assert (after.score, after.automated, after.journey) == (
        before.score,
        before.automated,
        before.journey,
    )


async def test_a_lead_with_clicks_is_read_back_exactly(world: World, mail: Mail) -> None:
    await world.apply(*scanned(mail), mail.clicked(400, "https://shop.example/a"))
    lead = await world.lead()
    (trail,) = lead.trails.values()
    assert len(trail.unjudged) == 1  # a scan leaves nothing
    assert read_lead(write_lead(lead)).lead == lead
