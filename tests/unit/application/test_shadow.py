"""A second model beside the one in force: its own life, and none of the first one's changed."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, an_event, lead_ids
from effort import examples
from unit.application.conftest import World
from unit.application.test_replay import arrive, replay
from warmlead.application.apply import Decision, Scoring
from warmlead.application.evaluate import Reevaluation
from warmlead.application.explain import explain, view
from warmlead.application.unmatched import unmatched_in_histories
from warmlead.domain.event import Event, Trust
from warmlead.domain.history import day_at
from warmlead.domain.knowledge import known_since
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.shadow_rules import with_shadow, without_shadow
from warmlead.domain.stages import MODEL, Transition, is_of_model
from warmlead.domain.trigger import Trigger
from warmlead.model.loading import load
from warmlead.model.wants import Wants
from warmlead.ports import Need

FIRST = load(
    """
signals:
  pricing_viewed: {on: page_viewed, when: path.startsWith("/pricing"), points: 10, half_life: 30d}
  demo_requested: {on: demo_requested, points: 40, half_life: 60d, show: [topic]}
  unsubscribed: {on: email_unsubscribed, points: -15, decay: never}
fit: {large: {when: employees >= 50, points: 10}}
inactivity: {after: 14d, lose: 10%, every: 7d}
stages: {mql: {enter: score >= 40, leave: score < 25, cooldown: 10d}}
handoff: {first_touch_within: 1h, accept_within: 24h}
alerts: {asked: {on: demo_requested, again_after: 1h}, warm: {when: score >= 20, again_after: 2h}}
updates: {}
sequences:
  welcome: {start: stage == "mql", stop: stage == "sql", steps: [{after: 0d, message: hello}]}
""",
    name="first",
).rules
"""The model in force; alerts, updates and sequences show whether anything more is sent."""

SECOND_TEXT = """
signals:
  pricing_viewed: {on: page_viewed, when: path.contains("pricing"), points: 8, half_life: 7d}
  demo_requested: {on: demo_requested, points: 20, half_life: 60d}
  webinar_attended: {on: webinar_attended, points: 25, half_life: 14d}
fit: {small: {when: employees < 50, points: 5}}
stages:
  mql:
    enter: score >= 30 && (visits_30d.pricing_viewed >= 1 || sum_30d.webinar_attended.minutes > 20)
    leave: score < 20
    cooldown: 5d
    bypass: [{signal: webinar_attended, trust: signed, when: fit >= 5}]
properties: {minutes: integer}
"""
SECOND = load(SECOND_TEXT, name="second").rules
BOTH = with_shadow(FIRST, SECOND)


class Life:
    """Leads in memory under some rules, and what becomes of them; every midnight they are seen."""

    def __init__(self, rules: Rules) -> None:
        self.leads: dict[str, Lead] = {}
        self.moves: list[Transition] = []
        self.triggers: list[Trigger] = []
        self.rules = rules
        self._homes: dict[str, str] = {}
        self._now = NOW

    @property
    def only(self) -> Lead:
        (lead,) = self.leads.values()
        return lead

    def take(self, *events: Event, now: datetime) -> None:
        self.until(now)
        change = Decision(events, Scoring(self.rules, lead_ids), now)
        wanted = frozenset(change.ids.values())
        loaded: dict[str, Lead | None] = {}
        while True:
            loaded |= {id_: self.leads.get(self._homes.get(id_, id_)) for id_ in wanted}
            decided = change(loaded)
            if not isinstance(decided, Need):
                break
            wanted = decided.ids
        self._write(decided.leads, [move for _, move in decided.transitions])

    def until(self, now: datetime) -> None:
        """The midnights until a time, each with a look at every lead."""
        while self._now.date() < now.date():
            midnight = self._now.replace(hour=0, minute=0) + timedelta(days=1)
            for lead in list(self.leads.values()):
                decided = Reevaluation(lead.id, self.rules, midnight)({lead.id: lead})
                self._write(decided.leads, [move for _, move in decided.transitions])
            self._now = midnight
        self._now = now

    def _write(self, leads: Sequence[Lead], moves: Sequence[Transition]) -> None:
        self.moves += moves
        for lead in leads:
            self.triggers += lead.outbox
            for id_ in lead.ids:
                self._homes[id_] = lead.id
                self.leads.pop(id_, None)
            self.leads[lead.id] = replace(lead, outbox=())


PEOPLE: Sequence[dict[str, str]] = (
    {"email": "ada@example.com"},
    {"anonymous_id": "a-1"},
    {"anonymous_id": "a-1", "email": "ada@example.com"},
)
DOINGS: Sequence[dict[str, Any]] = (
    {"name": "page_viewed", "properties": {"path": "/pricing"}},
    {"name": "page_viewed", "properties": {"path": "/de/pricing"}},
    {"name": "page_viewed", "properties": {"path": "/blog"}},
    {"name": "demo_requested", "properties": {"topic": "price"}},
    {"name": "webinar_attended", "properties": {"minutes": 25}},
    {"name": "webinar_attended", "properties": {"minutes": 25}, "trust": Trust.PUBLIC},
    {"name": "email_unsubscribed"},
    {"name": "form_submitted", "traits": {"employees": 20}},
    {"name": "form_submitted", "traits": {"employees": 80}},
    {"name": "sales_rejected", "properties": {"reason": "not_ready"}},
)
HAPPENING = st.tuples(
    st.integers(0, 30 * 24),  # hours since the beginning
    st.integers(0, 50),  # how late it is told, in hours
    st.sampled_from(DOINGS),
    st.sampled_from(PEOPLE),
)
"""What happens: when it did, how much later it comes, what it is, and who is named."""


def told(happenings: Sequence[Any]) -> list[tuple[datetime, list[Event]]]:
    """The events of each hour of receipt, in order."""
    by_hour: dict[datetime, list[Event]] = {}
    for number, (hour, late, doing, who) in enumerate(happenings):
        at = NOW + timedelta(hours=hour)
        came = at + timedelta(hours=late)
        names = {"id": f"e-{number}", "occurred_at": at, "received_at": came}
        named = who if doing["name"] != "sales_rejected" else PEOPLE[0]
        by_hour.setdefault(came, []).append(an_event(**names, **doing, **named))
    return sorted(by_hour.items())


def lived(rules: Rules, happenings: Sequence[Any], days: int = 45) -> Life:
    life = Life(rules)
    for now, events in told(happenings):
        life.take(*events, now=now)
    life.until(NOW + timedelta(days=days))
    return life


@settings(max_examples=examples(60))
@given(happenings=st.lists(HAPPENING, min_size=1, max_size=12))
def test_a_shadow_lives_as_its_model_would_in_force_and_changes_nothing_of_the_first(
    happenings: Sequence[Any],
) -> None:
    first, second, both = (lived(rules, happenings) for rules in (FIRST, SECOND, BOTH))

    assert [each.body for each in both.triggers] == [each.body for each in first.triggers]
    assert both.moves == first.moves
    assert both.leads.keys() == first.leads.keys()
    for id_, lead in both.leads.items():
        bare = without_shadow(lead, None)
        assert replace(bare, trails={}) == replace(first.leads[id_], trails={})
        for key, trail in bare.trails.items():
            assert trail.history == first.leads[id_].trails[key].history
        assert explain(lead, BOTH, NOW) == explain(first.leads[id_], FIRST, NOW)
    for id_, lead in second.leads.items():
        shadow, alone = both.leads[id_].shadow, lead.snapshot
        assert shadow is not None
        assert alone is not None
        assert (shadow.score, shadow.engagement, shadow.fit) == (
            *(alone.score, alone.engagement, alone.fit),
        )
        assert shadow.progress == replace(lead.progress, rest=None)
        assert shadow.knowledge == lead.knowledge
    if len(both.leads) == 1:
        shadow = both.only.shadow
        assert shadow is not None
        own = [move for move in second.moves if move.source == MODEL]
        moves = [m for m in own if is_of_model(m.from_stage) or is_of_model(m.to_stage)]
        assert [(m.at, m.from_stage, m.to_stage, m.score, m.reason) for m in shadow.moves] == [
            (m.at, m.from_stage, m.to_stage, m.score, m.reason) for m in moves[-20:]
        ]


def doing(number: int, name: str, at: datetime = NOW, **others: Any) -> Event:
    return an_event(id=f"did-{number}", name=name, occurred_at=at, received_at=at, **others)


def test_what_only_the_second_model_counts_is_counted_from_its_beginning_on() -> None:
    life = Life(FIRST)
    life.take(doing(1, "webinar_attended"), doing(2, "demo_requested"), now=NOW)

    life.rules = BOTH
    later = NOW + timedelta(days=2)
    life.take(doing(3, "webinar_attended", later), now=later)

    shadow, second = life.only.shadow, BOTH.shadow
    assert shadow is not None
    assert second is not None
    assert shadow.since > NOW
    assert shadow.score == 25 + round(20 * 2 ** (-2 / 60))
    unknown = known_since(shadow.knowledge, second, day_at(later))
    assert "webinar_attended" in unknown
    assert "demo_requested" not in unknown


def test_when_the_second_model_goes_or_changes_nothing_of_it_is_left() -> None:
    life = Life(BOTH)
    viewed = {"properties": {"path": "/de/pricing"}}
    for day in range(8):
        at = NOW + timedelta(days=day)
        numbers = range(20 * day, 20 * day + 20)
        life.take(*(doing(n, "page_viewed", at, **viewed) for n in numbers), now=at)
    life.take(doing(999, "webinar_attended", at), now=at)
    assert life.only.shadow is not None
    assert any(trail.history.packed for trail in life.only.trails.values())

    changed = with_shadow(FIRST, load(SECOND_TEXT.replace('"pricing"', '"prices"'), name="x").rules)
    for rules, left in (
        (FIRST, set[str]()),
        (changed, {"webinar_attended", "webinar_attended:signed"}),
    ):
        other = Life(rules)
        other.leads = dict(life.leads)
        other.until(at + timedelta(days=1))
        kept = [trail.history for trail in other.only.trails.values()]
        shapes = [event.signals for history in kept for event in history.kept.values()]
        assert {label.partition(".")[2] for signals in shapes for label in signals} <= left
        assert (other.only.shadow is not None) is bool(left)


async def test_nobody_reads_the_labels_of_a_second_model_as_signals_of_the_lead() -> None:
    life = Life(BOTH)
    life.take(doing(1, "demo_requested"), now=NOW)
    later = NOW + timedelta(hours=4)
    life.take(doing(2, "webinar_attended", later), now=later)

    assert view(life.only, BOTH, later).signals == {"demo_requested": 1}
    acts = [name for each in life.triggers for name in re.findall(r'"name":"(\w+)"', each.body)]
    assert acts.count("webinar_attended") == 1
    assert not any("~" in each.body for each in life.triggers)
    assert without_shadow(life.only, BOTH.shadow).trails == life.only.trails

    async def leads() -> AsyncIterator[Lead]:
        yield life.only

    wants = Wants({}, {}, frozenset())
    found = await unmatched_in_histories(leads(), wants=wants, progress=lambda _: None)
    assert [each.event for each in found.unmatched] == ["webinar_attended"]


def looked_at(lead: Lead, rules: Rules, now: datetime) -> Lead:
    (after,) = Reevaluation(lead.id, rules, now)({lead.id: lead}).leads
    return after


def test_time_moves_a_shadow_as_of_its_day_however_late_somebody_looks() -> None:
    life = Life(BOTH)
    attended = {"minutes": 25}
    life.take(*(doing(n, "webinar_attended", properties=attended) for n in range(2)), now=NOW)
    late = NOW + timedelta(days=25)

    shadow = looked_at(life.only, BOTH, late).shadow

    assert shadow is not None
    left = shadow.moves[-1]
    # 50 points, halved in 14 days, are below 19.5 after 20 days: 50 × 2^(−20/14) = 18.6
    assert (left.from_stage, left.to_stage, left.score) == ("mql", "lead", 15)
    assert (left.at, left.learnt) == (NOW.replace(hour=0) + timedelta(days=20), late)


def test_a_lead_that_changes_no_more_is_looked_at_as_long_as_its_shadow_changes() -> None:
    slow = SECOND_TEXT.replace("half_life: 14d", "half_life: 365d")
    life = Life(with_shadow(FIRST, load(slow, name="slow").rules))
    attended = {"minutes": 25}
    life.take(*(doing(n, "webinar_attended", properties=attended) for n in range(4)), now=NOW)
    late = NOW + timedelta(days=500)

    assert looked_at(life.only, FIRST, late).decay_on is None
    assert looked_at(life.only, life.rules, late).decay_on is not None


async def test_replay_counts_what_only_the_second_model_sees_from_the_first_event_on(
    world: World, tmp_path: Path
) -> None:
    world.use(FIRST)
    await arrive(world, *(world.seen(n, "webinar_attended") for n in range(2)))
    world.use(BOTH)
    world.clock.forward(timedelta(days=1))
    await arrive(world, world.seen(3, "webinar_attended"))
    before = (await world.lead()).shadow

    await replay(world, tmp_path)

    lead, second = await world.lead(), BOTH.shadow
    assert before is not None
    assert lead.shadow is not None
    assert second is not None
    assert (before.score, lead.shadow.score) == (25, 25 + round(2 * 25 * 2 ** (-1 / 14)))
    assert lead.shadow.since == before.since
    assert known_since(lead.shadow.knowledge, second, day_at(world.clock.now())) == {}
    assert lead.snapshot is not None
    assert lead.snapshot.score == 0


@settings(max_examples=examples(20))
@given(happenings=st.lists(HAPPENING, min_size=1, max_size=8))
def test_a_second_model_that_is_put_in_force_goes_on_where_its_shadow_was(
    happenings: Sequence[Any],
) -> None:
    life = lived(BOTH, happenings)
    late = NOW + timedelta(days=45)

    for lead in life.leads.values():
        after = looked_at(lead, SECOND, late)
        assert lead.shadow is not None
        assert after.snapshot is not None
        assert (after.snapshot.score, after.snapshot.engagement, after.snapshot.fit) == (
            *(lead.shadow.score, lead.shadow.engagement, lead.shadow.fit),
        )
        assert (after.shadow, after.knowledge) == (None, lead.shadow.knowledge)
        kept = [event for trail in after.trails.values() for event in trail.history.kept.values()]
        assert not any("~" in label for event in kept for label in event.signals)
