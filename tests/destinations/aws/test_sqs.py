"""Messages in queues of SQS, read back from moto's server."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_desk import KINDS, KPI_REPORTED, STAGE_ENTERED, Desk, Made, body_of, example, outgoing
from aws_server import HANGS, LOST, Aws
from builders import NOW
from warmlead.destinations.aws import MOST_ID, attributes_of, short_id, text_of
from warmlead.domain.dispatch import Declined, DispatchState, Sent
from warmlead.ports.dispatching import OutgoingMessage
from warmlead.web.outbound import HttpOutbound

ID = example()["id"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_queue_holds_each_kind_of_message_as_it_was_published(
    kind: str, aws: Aws, made: Made, queue: str
) -> None:
    sent = await made("sqs", queue_url=queue).send(outgoing(kind), NOW)
    (held,) = aws.held(queue)
    assert sent == Sent(held["MessageId"])
    assert json.loads(held["Body"]) == example(kind)
    attributes = {name: one["StringValue"] for name, one in held["MessageAttributes"].items()}
    data = example(kind)["data"]
    about_lead = {"lead_id": data["lead"]["id"], "stage": data["stage"]} if "lead" in data else {}
    assert attributes == {"type": kind, **about_lead}


async def test_a_fifo_queue_keeps_the_order_of_a_leads_messages(
    aws: Aws, made: Made, fifo: str
) -> None:
    to = made("sqs", queue_url=fifo)
    for number in range(5):
        await to.send(outgoing(id=f"message-{number}"), NOW)
    await to.send(outgoing(KPI_REPORTED), NOW)
    *of_lead, of_none = [(json.loads(each["Body"])["id"], each) for each in aws.held(fifo)]
    assert [id_ for id_, _ in of_lead] == [f"message-{number}" for number in range(5)]
    groups = {each["Attributes"]["MessageGroupId"] for _, each in of_lead}
    assert groups == {example()["subject"]}
    assert of_none[1]["Attributes"]["MessageGroupId"] == KPI_REPORTED


async def test_a_fifo_queue_holds_one_message_whose_answer_was_lost(
    aws: Aws, made: Made, fifo: str, desk: Desk
) -> None:
    to = made("sqs", queue_url=fifo)
    aws.plan.append(LOST)
    assert (await desk.deliver(body_of(), to)).waiting == 1
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1
    assert [json.loads(held["Body"])["id"] for held in aws.held(fifo)] == [ID]


async def test_a_queue_that_hangs_gets_the_message_again(
    aws: Aws, made: Made, fifo: str, desk: Desk
) -> None:
    to = made("sqs", queue_url=fifo, outbound=HttpOutbound(timeout_s=0.5, allow_local=True))
    aws.plan.append(HANGS)
    assert (await desk.deliver(body_of(), to)).waiting == 1
    assert "gave no answer in 0.5 s" in (await desk.dispatch(to, ID)).why
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1
    assert len(aws.held(fifo)) == 1


async def test_a_message_waits_for_a_queue_that_is_not_there_yet(
    aws: Aws, made: Made, queue: str, desk: Desk
) -> None:
    to = made("sqs", queue_url=f"{queue}-later")
    assert (await desk.deliver(body_of(), to)).waiting == 1
    why = (await desk.dispatch(to, ID)).why
    assert why.startswith("AWS does not find it; see queue_url: ")
    assert aws.queue(f"{queue.rpartition('/')[2]}-later") == f"{queue}-later"
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1


async def test_a_message_that_aws_does_not_take_says_nothing_of_the_person(
    aws: Aws, made: Made, queue: str, desk: Desk
) -> None:
    to = made("sqs", queue_url=queue)
    words = "Value 'ada@example.com' at 'messageBody' failed to satisfy constraint"
    said = json.dumps({"__type": "com.amazonaws.sqs#InvalidMessageContents", "message": words})
    aws.plan.append((400, {}, said))
    assert (await desk.deliver(body_of(), to)).dead == 1
    assert (await desk.dispatch(to, ID)).why == "it answered 400: InvalidMessageContents"
    assert (await desk.dispatch(to, ID)).state is DispatchState.DEAD


async def test_a_message_that_is_too_large_is_declined(aws: Aws, made: Made, queue: str) -> None:
    data = {**example()["data"], "reasons": ["x" * 262_144]}
    sent = await made("sqs", queue_url=queue).send(outgoing(data=data), NOW)
    assert isinstance(sent, Declined)
    assert sent.why.endswith("bytes; AWS takes 262144")
    assert aws.held(queue) == []


async def test_characters_that_sqs_refuses_arrive_all_the_same(
    aws: Aws, made: Made, queue: str
) -> None:
    data = {**example()["data"], "reasons": ["a\uffffb\ufffec \U0001f600 é"]}
    assert isinstance(await made("sqs", queue_url=queue).send(outgoing(data=data), NOW), Sent)
    (held,) = aws.held(queue)
    assert "\uffff" not in held["Body"]
    assert json.loads(held["Body"])["data"] == data


def _saying(text: str, id_: str = ID) -> OutgoingMessage:
    return outgoing(STAGE_ENTERED, id=id_, data={"reasons": [text], "stage": "mql"})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_text_is_the_same_json_in_characters_of_xml(text: str) -> None:
    made_text = text_of(_saying(text))
    assert json.loads(made_text)["data"]["reasons"] == [text]
    assert not {"\ufffe", "\uffff"} & set(made_text)


@given(st.lists(st.text("abc:._-0", min_size=1, max_size=200), unique=True))
def test_ids_stay_different_and_short(ids: list[str]) -> None:
    made_ids = [short_id(id_) for id_ in ids]
    assert len(set(made_ids)) == len(ids)
    assert all(len(id_) <= MOST_ID for id_ in made_ids)


def test_attributes_hold_no_personal_data() -> None:
    for kind in KINDS:
        said = json.dumps(attributes_of(outgoing(kind)))
        assert "ada" not in said.lower()
