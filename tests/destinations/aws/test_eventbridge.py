"""Events on buses of EventBridge, read back from a queue that a rule names at moto's server."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest

from aws_desk import KINDS, Desk, Made, body_of, example, outgoing
from aws_server import ACCOUNT, REGION, Aws
from builders import NOW
from warmlead.domain.dispatch import Declined, Sent

Bus: TypeAlias = Callable[..., str]
"""Makes a bus with a rule that sends what its pattern names to a queue; the bus's name."""

ID = example()["id"]
ALL = {"source": ["warmlead"]}


@pytest.fixture
def bus(aws: Aws) -> Bus:
    def make(queue: str, pattern: dict[str, Any] = ALL) -> str:
        events, name = aws.client("events"), uuid.uuid4().hex
        events.create_event_bus(Name=name)
        events.put_rule(Name="to-queue", EventBusName=name, EventPattern=json.dumps(pattern))
        target = {"Id": "queue", "Arn": aws.queue_arn(queue)}
        events.put_targets(Rule="to-queue", EventBusName=name, Targets=[target])
        return name

    return make


@pytest.mark.parametrize("kind", KINDS)
async def test_a_rule_gets_each_kind_of_message_as_an_event(
    kind: str, aws: Aws, made: Made, bus: Bus, queue: str
) -> None:
    sent = await made("eventbridge", bus=bus(queue)).send(outgoing(kind), NOW)
    (held,) = aws.held(queue)
    event, ours = json.loads(held["Body"]), example(kind)
    assert sent == Sent(event["id"])
    assert (event["source"], event["detail-type"]) == ("warmlead", kind)
    assert event["detail"] == {"message_id": ours["id"], **ours["data"]}
    assert datetime.fromisoformat(event["time"]) == datetime.fromisoformat(ours["time"])


async def test_a_rule_can_name_what_the_message_says(
    aws: Aws, made: Made, bus: Bus, queue: str
) -> None:
    to = made("eventbridge", bus=bus(queue, {**ALL, "detail": {"stage": ["sql"]}}))
    for stage in ("mql", "sql"):
        data = {**example()["data"], "stage": stage}
        await to.send(outgoing(id=f"of-{stage}", data=data), NOW)
    assert [json.loads(held["Body"])["detail"]["message_id"] for held in aws.held(queue)] == [
        "of-sql"
    ]


async def test_a_bus_may_be_named_by_its_arn(aws: Aws, made: Made, bus: Bus, queue: str) -> None:
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus(queue)}"
    assert isinstance(await made("eventbridge", bus=arn).send(outgoing(), NOW), Sent)
    assert len(aws.held(queue)) == 1


def failed(code: str, words: str = "no") -> tuple[int, dict[str, str], str]:
    """An answer of status 200 that says of the event that it failed."""
    said = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": code, "ErrorMessage": words}]}
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(said)


async def test_an_event_that_failed_in_an_answer_of_success_is_sent_again(
    aws: Aws, made: Made, bus: Bus, queue: str, desk: Desk
) -> None:
    to = made("eventbridge", bus=bus(queue))
    for code in ("ThrottlingException", "InternalFailure", "InternalException"):
        aws.plan.append(failed(code))
        assert (await desk.deliver(body_of(id=code), to)).waiting == 1
        assert code in (await desk.dispatch(to, code)).why
        assert aws.held(queue) == []
        desk.clock.forward(timedelta(seconds=6))
        assert (await desk.redeliver(to)).sent == 1
        assert len(aws.held(queue)) == 1


async def test_an_event_that_the_bus_does_not_take_is_dead_and_says_nothing_of_the_person(
    aws: Aws, made: Made, bus: Bus, queue: str, desk: Desk
) -> None:
    to = made("eventbridge", bus=bus(queue))
    aws.plan.append(failed("MalformedDetail", "ada@example.com is malformed"))
    assert (await desk.deliver(body_of(), to)).dead == 1
    assert (await desk.dispatch(to, ID)).why == "it answered 400: MalformedDetail"


async def test_a_bus_that_does_not_let_us_keeps_the_message(
    aws: Aws, made: Made, bus: Bus, queue: str, desk: Desk
) -> None:
    to = made("eventbridge", bus=bus(queue))
    aws.plan.append(failed("AccessDeniedException", "not authorized to perform events:PutEvents"))
    assert (await desk.deliver(body_of(), to)).waiting == 1
    assert "see the role's policy" in (await desk.dispatch(to, ID)).why
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1


async def test_an_event_that_is_too_large_is_declined(
    aws: Aws, made: Made, bus: Bus, queue: str
) -> None:
    data = {**example()["data"], "reasons": ["x" * 262_144]}
    sent = await made("eventbridge", bus=bus(queue)).send(outgoing(data=data), NOW)
    assert isinstance(sent, Declined)
    assert sent.why.endswith("bytes; AWS takes 262144")
    assert aws.held(queue) == []
