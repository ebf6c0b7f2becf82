"""The credentials of a role, for a token of Google's metadata server, from moto's STS and IAM."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest

from aws_desk import Desk, Made, Topic, body_of, example, outgoing
from aws_server import Aws, MetadataServer, answer, serving
from warmlead.destinations.aws_role import RoleCredentials, google_token
from warmlead.domain.dispatch import Postponed, Sent
from warmlead.ports.dispatching import UnreachedError

ID = example()["id"]


XML = {"Content-Type": "text/xml"}


def sts_error(code: str, words: str) -> str:
    """An error as STS writes it."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error>"
    return (
        f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{error}</ErrorResponse>'
    )


def present() -> datetime:
    """The time of this machine, by which moto's credentials end."""
    return datetime.now(UTC)


async def test_a_message_is_signed_by_the_role_that_a_token_of_google_gets(
    aws: Aws, made: Made, queue: str, metadata_server: MetadataServer
) -> None:
    role = aws.role()
    aws.allow(role, "sqs:SendMessage")
    to = made("sqs", queue_url=queue, role=role)
    assert isinstance(await to.send(outgoing(), present()), Sent)
    aws.check_callers(check=True)  # moto cannot do it with STS, whose caller has nothing yet
    assert isinstance(await to.send(outgoing(id="checked"), present()), Sent)
    aws.check_callers(check=False)
    assert {json.loads(held["Body"])["id"] for held in aws.held(queue)} == {ID, "checked"}
    assert metadata_server.asked_for == ["sts.amazonaws.com"]


@pytest.mark.usefixtures("metadata_server")
async def test_a_message_waits_until_the_roles_policy_allows_it(
    aws: Aws, made: Made, topic: Topic, queue: str, desk: Desk
) -> None:
    desk.clock.time, role = present(), aws.role()
    to = made("sns", topic_arn=topic(queue), role=role)
    await to.send(outgoing(), present())
    assert len(aws.held(queue)) == 1
    aws.check_callers(check=True)
    assert (await desk.deliver(body_of(), to)).waiting == 1
    why = (await desk.dispatch(to, ID)).why
    assert why.startswith("AWS does not allow it; see the role's policy: AccessDenied: User: arn:")
    aws.check_callers(check=False)
    assert aws.held(queue) == []
    aws.allow(role, "sns:Publish")
    aws.check_callers(check=True)
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1
    aws.check_callers(check=False)
    assert len(aws.held(queue)) == 1


async def test_a_token_is_asked_for_the_audience_that_the_settings_name(
    aws: Aws, made: Made, queue: str, metadata_server: MetadataServer
) -> None:
    to = made("sqs", queue_url=queue, role=aws.role(), audience="https://aws.example.com/x")
    assert isinstance(await to.send(outgoing(), present()), Sent)
    assert metadata_server.asked_for == ["https://aws.example.com/x"]


async def test_credentials_are_taken_once_for_many_messages_and_anew_before_they_end(
    aws: Aws, made: Made, queue: str, metadata_server: MetadataServer
) -> None:
    to = made("sqs", queue_url=queue, role=aws.role())
    now = present()
    await asyncio.gather(*(to.send(outgoing(id=f"m-{n}"), now) for n in range(8)))
    await to.send(outgoing(), now + timedelta(minutes=54))
    assert aws.roles_given == 1
    await to.send(outgoing(), now + timedelta(minutes=56))
    assert aws.roles_given == 2
    assert len(metadata_server.asked_for) == 2
    assert len(aws.held(queue)) == 10


async def test_credentials_that_aws_does_not_know_any_more_are_replaced(
    aws: Aws, made: Made, queue: str, metadata_server: MetadataServer
) -> None:
    to = made("sqs", queue_url=queue, role=aws.role())
    said = json.dumps({"__type": "ExpiredTokenException", "message": "the token has expired"})
    aws.plan.append((403, {}, said))
    first = await to.send(outgoing(), present())
    assert isinstance(first, Postponed)
    assert isinstance(await to.send(outgoing(), present()), Sent)
    assert aws.roles_given == 2
    assert len(metadata_server.asked_for) == 2


async def test_a_message_waits_while_google_gives_no_token(
    made: Made, aws: Aws, queue: str, metadata_server: MetadataServer, desk: Desk
) -> None:
    desk.clock.time = present()
    to = made("sqs", queue_url=queue, role=aws.role())
    metadata_server.broken = 500
    assert (await desk.deliver(body_of(), to)).waiting == 1
    why = "no token from Google's metadata server: it answered 500"
    assert (await desk.dispatch(to, ID)).why == why
    assert aws.roles_given == 0
    metadata_server.broken = 0
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1


@pytest.mark.usefixtures("metadata_server")
async def test_a_message_waits_while_the_role_is_not_given(
    made: Made, aws: Aws, queue: str, desk: Desk
) -> None:
    desk.clock.time = present()
    to = made("sqs", queue_url=queue, role=aws.role())
    aws.roles_plan.append((403, XML, sts_error("AccessDenied", "Not authorized")))
    assert (await desk.deliver(body_of(), to)).waiting == 1
    why = "AWS does not give the role; see its trust policy: AccessDenied: Not authorized"
    assert (await desk.dispatch(to, ID)).why == why
    desk.clock.forward(timedelta(seconds=6))
    assert (await desk.redeliver(to)).sent == 1


@pytest.mark.usefixtures("metadata_server")
async def test_a_failure_of_sts_is_no_fault_of_the_trust_policy(
    made: Made, aws: Aws, queue: str
) -> None:
    to = made("sqs", queue_url=queue, role=aws.role())
    aws.roles_plan.append((503, XML, sts_error("ServiceUnavailable", "Try again")))
    assert await to.send(outgoing(), present()) == Postponed("it answered 503: ServiceUnavailable")
    aws.roles_plan.append((400, XML, sts_error("Throttling", "Rate exceeded")))
    assert await to.send(outgoing(), present()) == Postponed("AWS asks for a pause: Throttling")
    assert isinstance(await to.send(outgoing(), present()), Sent)
    assert len(aws.held(queue)) == 1


def test_only_googles_own_server_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(request: BaseHTTPRequestHandler, _: bytes) -> None:
        answer(request, 200, {}, b"a.token.of-somebody")

    with serving(handle) as somebody:
        monkeypatch.setenv("GCE_METADATA_HOST", somebody)
        with pytest.raises(UnreachedError, match="no token from Google's metadata server"):
            google_token("sts.amazonaws.com")


def test_outside_of_googles_cloud_there_is_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    with pytest.raises(UnreachedError, match="outside of Google's cloud there is none"):
        google_token("sts.amazonaws.com")


def test_credentials_do_not_show_themselves() -> None:
    shown = repr(RoleCredentials("key", "the-secret", "the-token", present()))
    assert "the-" not in shown
