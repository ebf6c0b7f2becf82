"""Rules about topics, subscriptions and schedules."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.rules.base import functions, is_agent, rule, seconds, service
from infra.terraform import Plan, Resource
from warmlead.application.deliver import ATTEMPT_S, TURN_S
from warmlead.buses.topology import SUBSCRIPTIONS, TOPICS, dead_letters_of
from warmlead.domain.dispatch import CLAIM_S
from warmlead.runtime.functions import RUN_S
from warmlead.runtime.table import TABLE, CalledBy

STORE_S = 10
"""For the calls of the database before and after an attempt."""


def _pushed(plan: Plan) -> list[Resource]:
    return [each for each in plan.of("pubsub_subscription") if each.values["push_config"]]


@rule
def every_topic_and_subscription_of_the_code_is_there(plan: Plan) -> Iterator[str]:
    topics = {each.values["id"]: each.values["name"] for each in plan.of("pubsub_topic")}
    there = {each.values["name"]: each.values for each in plan.of("pubsub_subscription")}
    dead = [dead_letters_of(each) for each in SUBSCRIPTIONS if each.attempts]
    for topic in {*map(str, TOPICS), *(each.topic for each in dead)} - {*topics.values()}:
        yield f"the topic {topic} is missing"
    for each in (*SUBSCRIPTIONS, *dead):
        values = there.get(each.name)
        if values is None:
            yield f"the subscription {each.name} is missing"
            continue
        found = {
            "topic": topics.get(values["topic"]),
            "filter": values["filter"] or "",
            "keeps": values["message_retention_duration"],
            "pushes": bool(values["push_config"]),
            "attempts": _attempts(values),
        }
        wanted = {
            "topic": str(each.topic),
            "filter": each.filter,
            "keeps": f"{each.keeps_s}s",
            "pushes": bool(each.pushes_to),
            "attempts": each.attempts,
        }
        for trait, value in wanted.items():
            if found[trait] != value:
                yield f"{each.name}: {trait} is {found[trait]}, in the code {value}"


def _attempts(values: Mapping[str, Any]) -> int:
    policy = values["dead_letter_policy"]
    return policy[0]["max_delivery_attempts"] or 0 if policy else 0


@rule
def every_subscription_tries_again_and_never_expires(plan: Plan) -> Iterator[str]:
    for each in plan.of("pubsub_subscription"):
        expires = each.values["expiration_policy"]
        if not expires or expires[0]["ttl"] != "":
            yield f"{each.address} expires after 31 days without work"
        pauses = each.values["retry_policy"]
        if not pauses:
            yield f"{each.address} is tried again at once, without a pause"
        elif (
            not 0
            <= seconds(pauses[0]["minimum_backoff"])
            <= 600
            >= seconds(pauses[0]["maximum_backoff"])
        ):
            yield f"{each.address}: Pub/Sub pauses for 0 to 600 seconds"
        if not 600 <= seconds(each.values["message_retention_duration"]) <= 31 * 86_400:
            yield f"{each.address}: Pub/Sub keeps messages for 10 minutes to 31 days"


@rule
def what_is_delivered_may_be_given_up(plan: Plan) -> Iterator[str]:
    """Dead letters with 5 to 100 attempts, a subscription that keeps them, and both grants."""
    kept = {each.values["topic"] for each in plan.of("pubsub_subscription")}
    names = {each.values["id"]: each.values["name"] for each in plan.of("pubsub_topic")}
    publishers = {
        each.values["topic"]
        for each in plan.of("pubsub_topic_iam_member")
        if is_agent(each) and each.values["role"] == "roles/pubsub.publisher"
    }
    subscribers = {
        each.values["subscription"]
        for each in plan.of("pubsub_subscription_iam_member")
        if is_agent(each) and each.values["role"] == "roles/pubsub.subscriber"
    }
    for each in plan.of("pubsub_subscription"):
        if not (each.values["push_config"] or each.values["bigquery_config"]):
            continue
        policy = each.values["dead_letter_policy"]
        if not policy:
            yield f"{each.address} has no dead letters"
            continue
        topic = policy[0]["dead_letter_topic"]
        if not 5 <= (policy[0]["max_delivery_attempts"] or 5) <= 100:
            yield f"{each.address}: Pub/Sub gives up after 5 to 100 attempts"
        if topic not in kept:
            yield f"{each.address}: nobody keeps what is given up"
        if names.get(topic) not in publishers:
            yield f"{each.address}: Pub/Sub may not publish dead letters"
        if each.values["name"] not in subscribers:
            yield f"{each.address}: Pub/Sub may not take dead letters out"


@rule
def whoever_calls_a_private_function_says_who_it_is(plan: Plan) -> Iterator[str]:
    addresses = {service(each)["uri"] for each in functions(plan).values()}
    calls = [(each, each.values["push_config"][0], "push_endpoint") for each in _pushed(plan)]
    jobs = plan.of("cloud_scheduler_job")
    calls += [(each, each.values["http_target"][0], "uri") for each in jobs]
    for each, target, address in calls:
        tokens = target["oidc_token"]
        if not tokens:
            yield f"{each.address} calls without a token"
        elif tokens[0]["audience"] not in addresses or tokens[0]["audience"] != target[address]:
            yield f"{each.address}: the token is for {tokens[0]['audience']}"


@rule
def every_scheduled_function_is_called_as_often_as_the_table_says(plan: Plan) -> Iterator[str]:
    jobs = {
        each.values["http_target"][0]["uri"]: each.values for each in plan.of("cloud_scheduler_job")
    }
    for each in TABLE:
        function = functions(plan).get(each.name)
        if each.every_s is None or function is None:
            continue
        job = jobs.get(service(function)["uri"])
        if job is None:
            yield f"nothing calls {each.name}"
            continue
        if interval_s(job["schedule"]) != each.every_s:
            yield f"{each.name} is called by {job['schedule']}, not every {each.every_s:g} s"
        if seconds(job["attempt_deadline"]) < service(function)["timeout_seconds"]:
            yield f"{each.name}: the call ends before the function"


@rule
def an_attempt_at_a_tool_ends_before_its_function_is_cut_off(plan: Plan) -> Iterator[str]:
    last_s = {CalledBy.BUS: TURN_S + ATTEMPT_S, CalledBy.CLOCK: RUN_S + TURN_S + ATTEMPT_S}
    for each in TABLE:
        function = functions(plan).get(each.name)
        if function and each.reaches_out:
            timeout_s = service(function)["timeout_seconds"]
            if timeout_s < last_s[each.called_by] + STORE_S or timeout_s > CLAIM_S:
                yield f"{each.name} has {timeout_s} s: too few for an attempt, or more than a claim"


def interval_s(schedule: str) -> int:
    """Seconds between two calls of such a schedule as we write."""
    minute, hour, *_ = schedule.split()
    if minute.startswith("*/") and hour == "*":
        return 60 * int(minute[2:])
    return 3600 * int(hour[2:]) if hour.startswith("*/") else 86_400


@rule
def the_bus_waits_as_long_as_the_function_works(plan: Plan) -> Iterator[str]:
    by_address = {service(each)["uri"]: each for each in functions(plan).values()}
    for each in _pushed(plan):
        function = by_address.get(each.values["push_config"][0]["push_endpoint"])
        if function is None:
            yield f"{each.values['name']} pushes to no function of the plan"
        elif each.values["ack_deadline_seconds"] < service(function)["timeout_seconds"]:
            yield f"{each.values['name']}: pushed again while it is still worked on"
