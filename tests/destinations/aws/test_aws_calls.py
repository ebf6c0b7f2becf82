"""What AWS's errors mean, and how AWS is reached: only through our own HTTP."""

import asyncio
import json
import logging
from collections.abc import Mapping

import pytest

from aws_desk import Desk, Made, Topic, body_of, example, outgoing
from aws_server import REGION, Aws
from builders import NOW
from patience import soon
from warmlead.destinations.aws_calls import MOST_WAIT_S
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed, Sent
from warmlead.ports.dispatching import OutboundAnswer, UnansweredError, UnreachedError
from warmlead.settings import Settings
from warmlead.web.outbound import HttpOutbound

ID = example()["id"]
JSON = {"Content-Type": "application/x-amz-json-1.0"}
QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/123456789012/warmlead"


class Watched:
    """Our own HTTP, with what was asked of it; ``says`` answers in its stead."""

    def __init__(self, says: OutboundAnswer | None = None) -> None:
        self.urls: list[str] = []
        self.headers: Mapping[str, str] = {}
        self._says = says
        self._inner = HttpOutbound(allow_local=True)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundAnswer:
        self.urls.append(url)
        self.headers = headers
        return self._says or await self._inner.request(method, url, headers, body)


async def sent_to_aws(tool: str, through: Watched, **section: str) -> AttemptResult:
    """A message sent to AWS's own address, by who answers in its stead."""
    given = {tool: {"to": tool, "region": REGION, **section}}
    return await destinations_in(given, Settings(), through)[tool].send(outgoing(), NOW)


async def test_every_call_goes_to_awss_own_address_through_our_http() -> None:
    said = json.dumps({"MessageId": "1", "Entries": [{"EventId": "1"}], "FailedEntryCount": 0})
    through = Watched(OutboundAnswer(200, JSON, said.encode()))
    assert await sent_to_aws("sqs", through, queue_url=QUEUE_URL) == Sent("1")
    assert await sent_to_aws("eventbridge", through, bus="default") == Sent("1")
    assert through.urls == [
        f"https://sqs.{REGION}.amazonaws.com/",
        f"https://events.{REGION}.amazonaws.com/",
    ]
    assert through.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=of-this-mach")
    assert "Warmlead" in through.headers["User-Agent"]


async def test_a_failure_is_answered_by_one_request(aws: Aws, made: Made, queue: str) -> None:
    through = Watched()
    aws.plan += [(503, JSON, "{}")] * 5
    result = await made("sqs", through, queue_url=queue).send(outgoing(), NOW)
    assert isinstance(result, Postponed)
    assert len(through.urls) == 1


async def test_a_redirect_is_not_followed(aws: Aws, made: Made, queue: str, topic: Topic) -> None:
    arn = topic(queue)
    for status in (301, 302, 307, 308):
        through = Watched()
        aws.plan.append((status, {"Location": f"{aws.endpoint}/elsewhere"}, ""))
        with pytest.raises(UnansweredError):
            await made("sns", through, topic_arn=arn).send(outgoing(), NOW)
        assert len(through.urls) == 1
    assert aws.held(queue) == []


async def test_an_address_in_a_private_network_is_not_reached() -> None:
    async def inside(_host: str, _port: int) -> list[str]:
        return ["10.0.0.8"]

    given = {"to": "sqs", "region": REGION, "queue_url": QUEUE_URL}
    to = destinations_in({"q": given}, Settings(), HttpOutbound(resolve=inside))["q"]
    with pytest.raises(UnreachedError, match="not on the internet"):
        await to.send(outgoing(), NOW)


def error(code: str) -> str:
    return json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "words"})


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (400, error("ThrottlingException"), "AWS asks for a pause: ThrottlingException"),
        (403, error("RequestThrottled"), "AWS asks for a pause: RequestThrottled"),
        (429, error("Unheard"), "it answered 429: Unheard"),
        (400, error("InvalidClientTokenId"), "AWS does not allow it; see the role's policy: "),
        (403, error("SignatureDoesNotMatch"), "AWS does not allow it; see the role's policy: "),
        (400, error("KmsAccessDenied"), "AWS does not allow it; see the role's policy: "),
        (400, error("QueueDoesNotExist"), "AWS does not find it; see queue_url: "),
        (404, "", "AWS does not find it; see queue_url: "),
        (403, "<html>a proxy</html>", "AWS does not allow it; see the role's policy: "),
        (500, error("InternalError"), "it answered 500: InternalError"),
        (503, "<html>away</html>", "it answered 503: an error without a code"),
        (408, "", "it answered 408: an error without a code"),
    ],
)
async def test_what_a_retry_or_a_person_can_mend_is_sent_later(
    status: int, body: str, why: str
) -> None:
    through = Watched(OutboundAnswer(status, {"retry-after": "77"}, body.encode()))
    result = await sent_to_aws("sqs", through, queue_url=QUEUE_URL)
    assert isinstance(result, Postponed)
    assert result.why.startswith(why)
    assert "<" not in result.why
    assert (result.after_s, result.is_certain) == (77, True)


@pytest.mark.parametrize("code", ["InvalidParameterValue", "UnsupportedOperation", "Unheard"])
async def test_what_aws_will_never_take_is_declined(code: str) -> None:
    through = Watched(OutboundAnswer(400, JSON, error(code).encode()))
    result = await sent_to_aws("sqs", through, queue_url=QUEUE_URL)
    assert result == Declined(f"it answered 400: {code}")


@pytest.mark.parametrize("status", [500, 503])
async def test_a_page_in_place_of_an_error_in_xml_is_a_failure(status: int) -> None:
    answer = OutboundAnswer(status, {"retry-after": "77"}, b"not XML at all <")
    arn = f"arn:aws:sns:{REGION}:123456789012:warmlead"
    result = await sent_to_aws("sns", Watched(answer), topic_arn=arn)
    assert result == Postponed(f"it answered {status}: an error without a code", after_s=77)


async def test_an_answer_of_success_that_is_not_aws_is_not_believed() -> None:
    arn = f"arn:aws:sns:{REGION}:123456789012:warmlead"
    with pytest.raises(UnansweredError, match="not an answer of AWS"):
        await sent_to_aws("sns", Watched(OutboundAnswer(200, {}, b"<html>")), topic_arn=arn)


async def test_a_message_waits_while_this_machine_has_no_credentials(
    made: Made, queue: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    to = made("sqs", queue_url=queue)
    assert (await desk.deliver(body_of(), to)).waiting == 1
    why = (await desk.dispatch(to, ID)).why
    assert why == "no call of AWS can be made: NoCredentialsError"


async def test_logs_hold_nothing_of_a_person_or_of_credentials(
    aws: Aws, made: Made, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("botocore", "boto3"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG):
        await made("sqs", queue_url=queue).send(outgoing(), NOW)
    assert caplog.records
    assert "ada@example.com" not in caplog.text
    assert len(aws.held(queue)) == 1


async def test_an_attempt_that_is_given_up_ends_its_request(made: Made, queue: str) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    class Silent(Watched):
        async def request(self, *_: object, **__: object) -> OutboundAnswer:
            asked.set()
            try:
                await asyncio.sleep(10 * MOST_WAIT_S)
            finally:
                ended.set()
            raise AssertionError

    attempt = asyncio.create_task(made("sqs", Silent(), queue_url=queue).send(outgoing(), NOW))
    await soon(asked.wait())
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    async with asyncio.timeout(MOST_WAIT_S / 2):
        await ended.wait()
