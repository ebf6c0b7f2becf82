"""What a request did at which nobody looked: kept under a name of its own, and worth nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from msgspec import structs

from builders import NOW, RULES, a_lead, an_event, lead_ids
from warmlead.domain.consent import Cause, Status, SuppressionPolicy
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS, Automation, Event, Trust
from warmlead.domain.identity import Identifier, Kind, identifiers_of
from warmlead.domain.identity_resolution import resolve_identities
from warmlead.domain.lead import Lead, Trail, heed_refusal, touch_trails
from warmlead.domain.rules import Rules

ORIGIN = {"utm_source": "ads"}
ROBOT = an_event(automated=Automation.ROBOT, trust=Trust.PUBLIC, attribution=ORIGIN)


def leads_of(events: Sequence[Event], rules: Rules = RULES) -> list[Lead]:
    trails: dict[str, Trail] = {}
    for event in events:
        ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(event)}
        trails = touch_trails(trails, event, ids, rules)
    return resolve_identities([], trails, rules, NOW)


@pytest.mark.parametrize("automation", Automation)
def test_an_automated_event_is_kept_and_scores_nothing(automation: Automation) -> None:
    lead = a_lead(structs.replace(ROBOT, automated=automation))
    found = evaluation_of(lead, RULES, NOW)
    assert {name: sum(days.values()) for name, days in found.tally.names.items()} == {
        AUTOMATED_EVENTS[automation]: 1
    }
    assert not found.tally.signals
    assert found.score.score == 0


def test_an_automated_event_sets_no_origin_and_ends_no_inactivity() -> None:
    before = an_event(id="2", occurred_at=NOW - timedelta(days=20))
    lead = a_lead(before, ROBOT)
    assert lead.first_touch is lead.last_touch is None
    assert evaluation_of(lead, RULES, NOW).score.days_inactive == 20
    policy = replace(RULES.scoring, passive=frozenset())  # whatever a model's list says
    assert evaluation_of(lead, replace(RULES, scoring=policy), NOW).score.days_inactive == 20


def test_identifiers_and_traits_of_an_automated_event_are_kept() -> None:
    lead = a_lead(structs.replace(ROBOT, name="form_submitted", traits={"first_name": "Ada"}))
    assert lead.email == "ada@example.com"
    assert lead.traits == {"first_name": "Ada"}
    assert lead.identified


def test_a_public_automated_event_ties_no_identifiers() -> None:
    visit = an_event(id="2", trust=Trust.PUBLIC, anonymous_id="browser-1")
    claim = structs.replace(ROBOT, user_id="u-1", anonymous_id="browser-1")
    by_name = {lead.email: lead for lead in leads_of([visit, claim])}
    assert by_name.keys() == {None, "ada@example.com"}
    assert len(by_name["ada@example.com"].trails) == 1
    assert by_name["ada@example.com"].user_id is None


def test_ties_of_a_signed_automated_event_hold() -> None:
    signed = structs.replace(ROBOT, trust=Trust.SIGNED, user_id="u-1", anonymous_id="browser-1")
    (lead,) = leads_of([signed])
    assert {trail.identifier for trail in lead.trails.values()} == {
        Identifier(Kind.EMAIL, "ada@example.com"),
        Identifier(Kind.USER, "u-1"),
        Identifier(Kind.ANONYMOUS, "browser-1"),
    }
    assert evaluation_of(lead, RULES, NOW).score.score == 0


def test_an_automated_event_does_not_use_up_the_persons_own() -> None:
    seen = structs.replace(ROBOT, automated=None)
    for order in ([ROBOT, seen], [seen, ROBOT]):
        (lead,) = leads_of([*order, *order])
        assert evaluation_of(lead, RULES, NOW).score.score == 5
        assert lead.kept_events == 2


@pytest.mark.parametrize("trust", Trust)
@pytest.mark.parametrize("automation", Automation)
def test_a_refusal_counts_even_from_an_automated_agent(
    automation: Automation, trust: Trust
) -> None:
    said = structs.replace(ROBOT, name="email_unsubscribed", automated=automation, trust=trust)
    lead = a_lead(said)
    assert lead.consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED
    assert evaluation_of(lead, RULES, NOW).tally.names.keys() == {AUTOMATED_EVENTS[automation]}
    ids = {identifier: lead_ids.of(identifier) for identifier in identifiers_of(said)}
    trails = heed_refusal({}, said, ids)
    assert [fact.cause for t in trails.values() for fact in t.consent] == [Cause.UNSUBSCRIBED]


def test_an_automated_record_may_refuse_consent() -> None:
    said = structs.replace(ROBOT, traits={"unsubscribed": True})
    assert a_lead(said).consent(SuppressionPolicy()).status is Status.UNSUBSCRIBED


@pytest.mark.parametrize("name", ["email_subscribed", "email_bounced", "email_opened"])
@pytest.mark.parametrize("trust", Trust)
def test_automated_consent_other_than_refusals_does_not_count(name: str, trust: Trust) -> None:
    assert a_lead(structs.replace(ROBOT, name=name, trust=trust)).consent_facts == ()


def test_an_automated_event_is_no_statement_of_sales() -> None:
    for name in SALES_EVENTS:
        won = structs.replace(ROBOT, name=name, trust=Trust.SIGNED)
        assert a_lead(won).statements == []


def test_a_model_may_count_it_as_a_persons() -> None:
    rules = replace(RULES, robots_count=True, classify=lambda event: (f"{event.name}_signal",))
    (lead,) = leads_of([ROBOT], rules)
    found = evaluation_of(lead, rules, NOW)
    assert found.score.score == 5
    assert found.tally.names.keys() == {"page_viewed"}
    assert found.score.days_inactive == 0
    assert lead.first_touch is not None


def test_a_signal_that_counts_it_does_so_and_no_more() -> None:
    rules = replace(RULES, classify=lambda event: (f"{event.name}_signal",))
    (lead,) = leads_of([ROBOT], rules)
    found = evaluation_of(lead, rules, NOW)
    assert found.score.score == 5
    assert found.tally.names.keys() == {"robot_request"}
    assert found.score.days_inactive is None
    assert lead.first_touch is None


def test_the_automated_mark_is_published_and_adds_nothing_to_others() -> None:
    read = msgspec.json.decode(msgspec.json.encode(ROBOT), type=Event)
    assert read == ROBOT
    assert b"automated" not in msgspec.json.encode(structs.replace(ROBOT, automated=None))
    wrong = msgspec.json.encode(ROBOT).replace(b'"robot"', b'"Googlebot/2.1"')
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wrong, type=Event)
