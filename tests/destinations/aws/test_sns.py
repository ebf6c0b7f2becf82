"""Messages on topics of SNS, read back from queues that subscribe to them at moto's server."""

import json
from datetime import timedelta

import pytest

from aws_desk import KINDS, STAGE_ENTERED, Desk, Made, Topic, body_of, example, outgoing
from aws_server import LOST, Aws
from builders import NOW
from warmlead.domain.dispatch import Declined, Postponed, Sent

ID = example()["id"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_subscriber_gets_each_kind_of_message_as_it_was_published(
    kind: str, aws: Aws, made: Made, topic: Topic, queue: str
) -> None:
    sent = await made("sns", topic_arn=topic(queue)).send(outgoing(kind), NOW)
    assert isinstance(sent, Sent)
    assert sent.reference
    (held,) = aws.held(queue)
    assert json.loads(held["Body"]) == example(kind)


async def test_a_filter_policy_lets_through_what_it_names(
    aws: Aws, made: Made, topic: Topic, queue: str
) -> None:
    arn = topic(queue, {"type": [STAGE_ENTERED], "stage": ["sql"]})
    to = made("sns", topic_arn=arn)
    for stage in ("mql", "sql"):
        data = {**example()["data"], "stage": stage}
        await to.send(outgoing(id=f"of-{stage}", data=data), NOW)
    await to.send(outgoing("warmlead.handoff.offered.v1"), NOW)
    assert [json.loads(held["Body"])["id"] for held in aws.held(queue)] == ["of-sql"]


async def test_a_fifo_topic_knows_a_repeat_and_the_lead(
    aws: Aws, made: Made, topic: Topic, fifo: str, desk: Desk
) -> None:
    to = made("sns", topic_arn=topic(fifo))
    aws.plan.append(LOST)
    assert (await desk.deliver(body_of(), to)).waiting == 1
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1
    (held,) = aws.held(fifo)
    assert held["Attributes"]["MessageGroupId"] == example()["subject"]
    assert held["Attributes"]["MessageDeduplicationId"] == ID


async def test_a_message_waits_for_a_topic_that_is_not_there_yet(
    aws: Aws, made: Made, topic: Topic, queue: str
) -> None:
    result = await made("sns", topic_arn=f"{topic(queue)}-later").send(outgoing(), NOW)
    assert isinstance(result, Postponed)
    assert result.why.startswith("AWS does not find it; see topic_arn: NotFound")
    assert aws.held(queue) == []


async def test_a_message_that_is_too_large_is_declined(
    aws: Aws, made: Made, topic: Topic, queue: str
) -> None:
    data = {**example()["data"], "reasons": ["x" * 262_144]}
    sent = await made("sns", topic_arn=topic(queue)).send(outgoing(data=data), NOW)
    assert isinstance(sent, Declined)
    assert sent.why.endswith("bytes; AWS takes 262144")
    assert aws.held(queue) == []


async def test_the_largest_message_that_is_sent_is_one_that_sns_takes(
    aws: Aws, made: Made, topic: Topic, queue: str
) -> None:
    to = made("sns", topic_arn=topic(queue))
    room = 262_144 - len(body_of(data={"reasons": [""], "stage": "mql"})) - 100
    data = {"reasons": ["x" * room], "stage": "mql"}
    assert isinstance(await to.send(outgoing(data=data), NOW), Sent)
    assert json.loads(aws.held(queue)[0]["Body"])["data"] == data
