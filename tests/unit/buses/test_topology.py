import pytest
from google.cloud.pubsub_v1.types import Subscription as Made

from warmlead.buses.topology import (
    SCORE,
    SUBSCRIPTIONS,
    TOPICS,
    PushConfig,
    Subscription,
    dead_letters_of,
    subscription_request,
)

PUSH = {
    "score": PushConfig("https://score.example/", "pusher@example.com", "https://score.example")
}


def wanting(**wants: str) -> Subscription:
    return Subscription("s", "t", wants=wants)


@pytest.mark.parametrize(
    ("wants", "rendered"),
    [
        ({}, ""),
        ({"type": "a.b.v1"}, '(NOT attributes:type OR attributes.type = "a.b.v1")'),
        (
            {"type": "a", "stage": "mql"},
            (
                '(NOT attributes:type OR attributes.type = "a")'
                ' AND (NOT attributes:stage OR attributes.stage = "mql")'
            ),
        ),
        ({"type": 'a "b\\c"'}, '(NOT attributes:type OR attributes.type = "a \\"b\\\\c\\"")'),
    ],
)
def test_a_filter_is_written_in_the_syntax_of_pubsub(wants: dict[str, str], rendered: str) -> None:
    assert wanting(**wants).filter == rendered


def test_a_subscription_gets_no_message_with_another_attribute_value() -> None:
    picky = wanting(type="a", stage="mql")
    assert picky.is_for({"type": "a", "stage": "mql", "more": "x"})
    assert picky.is_for({"type": "a"})
    assert not picky.is_for({"type": "b"})
    assert not picky.is_for({"type": "a", "stage": "sql"})
    assert picky.is_for({})  # published by hand
    assert wanting().is_for({})


def test_names_are_apart_and_every_topic_is_there() -> None:
    names = [each.name for each in SUBSCRIPTIONS]
    names += [dead_letters_of(each).name for each in SUBSCRIPTIONS if each.attempts]
    assert len(set(names)) == len(names)
    assert {each.topic for each in SUBSCRIPTIONS} <= set(TOPICS)


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=lambda each: each.name)
def test_every_subscription_is_one_that_pubsub_may_have(subscription: Subscription) -> None:
    assert 10 <= subscription.ack_deadline_s <= 600
    assert 0 <= subscription.first_pause_s <= subscription.longest_pause_s <= 600
    assert subscription.attempts == 0 or 5 <= subscription.attempts <= 100
    assert 600 <= subscription.keeps_s <= 31 * 24 * 3_600
    assert bool(subscription.attempts) == bool(subscription.pushes_to)


def test_a_real_projects_score_subscription_pushes_a_token_and_retries_for_hours() -> None:
    made = Made(subscription_request("p", SCORE, PUSH, emulated=False))
    assert made.name == "projects/p/subscriptions/score"
    assert made.topic == "projects/p/topics/lead-events"
    assert made.push_config.push_endpoint == "https://score.example/"
    assert made.push_config.oidc_token.service_account_email == "pusher@example.com"
    assert made.push_config.oidc_token.audience == "https://score.example"
    wanted = '(NOT attributes:type OR attributes.type = "warmlead.lead_events.v1")'
    assert made.filter == wanted
    assert made.dead_letter_policy.dead_letter_topic == "projects/p/topics/score-dead"
    assert made.dead_letter_policy.max_delivery_attempts == 100
    assert made.retry_policy.maximum_backoff.total_seconds() == 600
    assert "expiration_policy" in made
    assert not made.expiration_policy.ttl  # it never expires


def test_the_emulator_is_asked_for_nothing_that_stops_it() -> None:
    made = Made(subscription_request("p", SCORE, PUSH, emulated=True))
    assert "retry_policy" not in made
    assert made.dead_letter_policy.max_delivery_attempts == 5
    quarantine = Made(subscription_request("p", SUBSCRIPTIONS[1], {}, emulated=True))
    assert quarantine.message_retention_duration.days == 7


def test_a_function_that_is_pushed_to_has_to_have_an_address() -> None:
    with pytest.raises(KeyError):
        subscription_request("p", SCORE, {}, emulated=True)
