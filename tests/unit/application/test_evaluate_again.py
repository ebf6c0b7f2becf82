"""Settling is idempotent: at one moment there is nothing left to do, and no lead is due again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import pytest

from builders import NOW, an_event, lead_ids
from effort import examples
from warmlead.application.evaluate import Evaluated, evaluate
from warmlead.domain.evaluation import Projection, evaluation_of
from warmlead.domain.event import Event
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.identity import identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, touch_trails
from warmlead.domain.scoring import ScoreTotals
from warmlead.model.loading import ready_model, ready_names

DAY = timedelta(days=1)
LIVES = examples(10)
DOINGS = {
    "page_viewed": {"path": "/pricing"},
    "content_downloaded": {"kind": "whitepaper"},
    "webinar_attended": {},
    "demo_requested": {},
    "product_viewed": {},
    "checkout_started": {},
    "signed_up": {},
    "email_unsubscribed": {},
    "newsletter_subscribed": {},
    "sales_touched": {},
    "sales_accepted": {},
    "sales_rejected": {"reason": "not_ready"},
    "sales_lost": {},
}
OFTEN = (9, 3, 3, 1, 5, 2, 2, 0.3, 0.5, 1, 0.5, 1, 0.5)


def happening(chance: Random, number: int, now: datetime) -> Event:
    (name,) = chance.choices([*DOINGS], OFTEN)
    late = chance.choice([timedelta(0), timedelta(0), timedelta(minutes=-4), 3 * DAY])
    return an_event(
        id=f"event-{number}",
        name=name,
        properties=DOINGS[name],
        occurred_at=now - late,
        received_at=now,
        traits={"country": "US", "employees": 120, "title": "CTO"},
    )


def life(seed: str, model: str) -> Iterator[tuple[Lead, datetime]]:
    """A lead after each of many moments: events, and looks at any time in between."""
    chance, rules = Random(seed), ready_model(model).rules
    lead, now = None, NOW - 100 * DAY
    for number in range(60):
        now += timedelta(minutes=chance.choice([1, 30, 61, 600, 1440, 4 * 1440, 12 * 1440]))
        if lead is None or chance.random() < 0.5:
            event = happening(chance, number, now)
            ids = {each: lead_ids.of(each) for each in identifiers_of(event)}
            trails = touch_trails(lead.trails if lead else {}, event, ids, rules)
            (lead,) = resolve_identities([lead] if lead else [], trails, rules, now)
        lead = evaluate(lead, rules, now).lead
        yield lead, now


@pytest.mark.slow
@pytest.mark.parametrize("model", ready_names())
def test_evaluating_again_at_the_same_moment_changes_nothing(model: str) -> None:
    rules = ready_model(model).rules
    for seed in range(LIVES):
        for lead, now in life(f"{model} {seed}", model):
            assert evaluate(lead, rules, now) == Evaluated(lead, (), ())


@pytest.mark.slow
@pytest.mark.parametrize("model", ready_names())
def test_no_lead_is_due_right_after_its_evaluation(model: str) -> None:
    for seed in range(LIVES):
        for lead, now in life(f"{model} {seed}", model):
            assert lead.decay_on is None or lead.decay_on > day_of(to_ms(now))
            assert lead.due_at is None or lead.due_at > now


@pytest.mark.slow
@pytest.mark.parametrize("model", ready_names())
def test_a_lead_changes_on_its_review_day_and_not_before(model: str) -> None:
    rules = ready_model(model).rules
    seen = set()
    for lead, now in (each for seed in range(LIVES) for each in life(f"{model} {seed}", model)):
        if lead.decay_on is None or lead.snapshot is None:
            continue
        ahead = lead.decay_on - day_of(to_ms(now))
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for days in range(1, ahead + 1):
            then = evaluate(lead, rules, midnight + days * DAY).lead
            assert then.snapshot
            changes = (
                abs(then.snapshot.score - lead.snapshot.score) >= 5
                or then.progress.stage != lead.progress.stage
                or {(n, e.run) for n, e in then.enrolments.items()}
                != {(n, e.run) for n, e in lead.enrolments.items()}
            )
            if days < ahead:
                assert not changes
            else:
                seen.add((changes, ahead == 7))
    assert seen >= {(True, False), (False, True)}


@pytest.mark.slow
@pytest.mark.parametrize("model", ready_names())
def test_a_projection_equals_the_later_evaluation(model: str) -> None:
    rules = ready_model(model).rules
    for lead, now in (
        each for seed in range(examples(5)) for each in life(f"{model} {seed}", model)
    ):
        projection = Projection(lead, evaluation_of(lead, rules, now), rules)
        for days in (1, 2, 6, 13, 31, 90, 500):
            later = now + days * DAY
            totals, standing = projection.on(day_of(to_ms(later)))
            found = evaluation_of(lead, rules, later)
            score = found.score
            assert totals == ScoreTotals(
                score.score, score.engagement, score.fit, score.days_inactive
            )
            assert standing == found.standing
