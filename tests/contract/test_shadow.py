"""A lead's shadow in every store: committed with its events, merged, compared, and gone with it."""

from datetime import timedelta

from builders import NOW, an_event, lead_ids
from warmlead.application.apply import Decision, Scoring
from warmlead.application.evaluate import Reevaluation
from warmlead.domain.event import Event
from warmlead.domain.identity import Identifier, Kind, identifiers_of
from warmlead.domain.rules import Rules
from warmlead.domain.shadow_rules import with_shadow
from warmlead.learning.beside import ShadowQuestion, compared
from warmlead.model.loading import load
from warmlead.ports import LeadStore

FIRST = load(
    "signals: {demo: {on: demo_requested, points: 40, half_life: 60d}}\n"
    "stages: {mql: {enter: score >= 30}}\n",
    name="first",
).rules
SECOND = load(
    "signals: {viewed: {on: page_viewed, points: 25, half_life: 7d}}\n"
    "stages: {mql: {enter: score >= 50, leave: score < 30}}\n",
    name="second",
).rules
BOTH = with_shadow(FIRST, SECOND)
ADA = lead_ids.of(Identifier(Kind.EMAIL, "ada@example.com"))
DAY = timedelta(days=1)


async def take(store: LeadStore, event: Event, rules: Rules) -> None:
    homes = [lead_ids.of(identifiers_of(event)[0])]
    await store.update(homes, Decision([event], Scoring(rules, lead_ids), event.received_at))


async def test_a_shadow_lives_on_its_lead_in_every_store(store: LeadStore) -> None:
    for number, names in enumerate(
        (
            {"anonymous_id": "browser-1"},
            {"email": "ada@example.com"},
            {"email": "ada@example.com", "anonymous_id": "browser-1"},  # two leads become one
        )
    ):
        at = NOW + number * DAY / 24
        times = {"occurred_at": at, "received_at": at}
        await take(store, an_event(id=f"e-{number}", **times, **names), BOTH)

    lead = await store.get(ADA)
    assert lead is not None
    assert lead.shadow is not None
    assert (lead.snapshot and lead.snapshot.score, lead.shadow.score) == (0, 75)
    assert [move.to_stage for move in lead.shadow.moves] == ["mql"]

    later = NOW + 10 * DAY
    await store.update([ADA], Reevaluation(ADA, BOTH, later))
    question = ShadowQuestion(stage="mql", outcome="sql", within=DAY)
    report = await compared(store, BOTH, question, later)
    assert (report.leads, report.only_shadow, report.by_shadow.ripe) == (1, 1, 1)
    (example,) = report.examples_shadow
    assert (example.in_force.stage, example.shadow.stage) == ("lead", "lead")

    await store.update([ADA], Reevaluation(ADA, FIRST, later + DAY))
    lead = await store.get(ADA)
    assert lead is not None
    assert lead.shadow is None
    kept = [event for trail in lead.trails.values() for event in trail.history.kept.values()]
    assert [event.signals for event in kept] == [(), (), ()]
