"""What holds for every destination in AWS, from the queue of dispatches to moto's server."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import pytest

from aws_desk import Desk, Made, Topic, body_of, example
from aws_server import LOST, REGION, Aws
from warmlead.ports.dispatching import Destination

Reach: TypeAlias = tuple[Destination, Callable[[], list[str]]]
"""A destination, and the ids of the messages that have arrived there since it was asked last."""

ID = example()["id"]


@pytest.fixture(params=["eventbridge", "sns", "sqs"])
def reach(request: pytest.FixtureRequest, aws: Aws, made: Made, topic: Topic, queue: str) -> Reach:
    def ids() -> list[str]:
        bodies = [json.loads(held["Body"]) for held in aws.held(queue)]
        return sorted(body.get("detail", {}).get("message_id") or body["id"] for body in bodies)

    if request.param == "sqs":
        return made("sqs", queue_url=queue), ids
    if request.param == "sns":
        return made("sns", topic_arn=topic(queue)), ids
    events = aws.client("events")
    bus = queue.rpartition("/")[2]
    events.create_event_bus(Name=bus)
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["warmlead"]}')
    target = {"Id": "queue", "Arn": aws.queue_arn(queue)}
    events.put_targets(Rule="all", EventBusName=bus, Targets=[target])
    return made("eventbridge", bus=bus), ids


async def test_a_repeat_after_a_lost_answer_has_the_same_id(
    reach: Reach, aws: Aws, desk: Desk
) -> None:
    to, arrived = reach
    aws.plan.append(LOST)
    assert (await desk.deliver(body_of(), to)).waiting == 1
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1
    assert arrived() == [ID, ID]
    await desk.deliver(body_of(), to)
    desk.clock.forward(timedelta(days=1))
    await desk.redeliver(to)
    assert arrived() == []


async def test_a_flood_arrives_whole_and_once(reach: Reach, desk: Desk) -> None:
    to, arrived = reach
    ids = sorted(f"message-{number}" for number in range(20))
    done = await asyncio.gather(*(desk.deliver(body_of(id=id_), to) for id_ in ids))
    assert sum(each.sent for each in done) == 20
    assert arrived() == ids


async def test_a_pause_that_aws_asks_for_is_kept(reach: Reach, aws: Aws, desk: Desk) -> None:
    to, arrived = reach
    said = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"})
    if to.name == "sns":
        said = "<ErrorResponse><Error><Code>Throttled</Code></Error></ErrorResponse>"
    aws.plan.append((429, {"Retry-After": "90"}, said))
    assert (await desk.deliver(body_of(), to)).waiting == 1
    assert (await desk.dispatch(to, ID)).why.startswith("AWS asks for a pause: Thrott")
    desk.clock.forward(timedelta(seconds=89))
    await desk.redeliver(to)
    assert arrived() == []
    desk.clock.forward(timedelta(seconds=2))
    assert (await desk.redeliver(to)).sent == 1
    assert arrived() == [ID]


def test_a_function_starts_without_boto3() -> None:
    program = f"""
import sys
from warmlead.destinations.registry import destinations_in
from warmlead.settings import Settings
assert destinations_in({{
    "bus": {{"to": "eventbridge", "region": "{REGION}"}},
    "queue": {{"to": "sqs", "region": "{REGION}",
        "queue_url": "https://sqs.{REGION}.amazonaws.com/123456789012/warmlead"}},
}}, Settings())
print([name for name in sys.modules if name.partition(".")[0] in ("boto3", "botocore")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"
