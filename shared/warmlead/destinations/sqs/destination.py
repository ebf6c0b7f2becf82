"""A message is sent to a queue of Amazon SQS.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

import re
from collections.abc import Iterator, Mapping

from warmlead.destinations.aws import AwsDestination, AwsRequest, AwsSettings, text_request
from warmlead.ports.dispatching import Outbound, OutgoingMessage

_QUEUE = r"/\d{12}/[A-Za-z0-9_-]{1,80}(?:\.fifo)?"
_URL = re.compile(rf"https://sqs\.([a-z0-9-]{{1,40}})\.amazonaws\.(?:com|com\.cn|eu){_QUEUE}")


class SqsSettings(AwsSettings, frozen=True, kw_only=True):
    """``queue_url`` is the URL of a queue; a FIFO queue's ends in ``.fifo``."""

    queue_url: str

    @classmethod
    def place_problems(cls, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """See ``AwsSettings``."""
        url, region = given.get("queue_url", ""), given.get("region", "")
        if problem := _problem(url, region, given.get("endpoint", "")):
            yield "queue_url", problem


def _problem(url: str, region: str, endpoint: str) -> str:
    if endpoint:
        is_there = re.fullmatch(re.escape(endpoint.rstrip("/")) + _QUEUE, url)
        return "" if is_there else f"must be a queue at {endpoint}"
    found = _URL.fullmatch(url)
    if not found:
        return (
            "must be the URL of a queue, such as "
            "https://sqs.eu-central-1.amazonaws.com/123456789012/warmlead"
        )
    return "" if found[1] == region else f"is in {found[1]}, but region is {region}"


class SqsDestination(AwsDestination):
    """Sends each message to the queue."""

    service = "sqs"
    operation = "send_message"
    place = "queue_url"

    def __init__(self, name: str, settings: SqsSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._queue_url = settings.queue_url

    def _request(self, message: OutgoingMessage) -> AwsRequest:
        return text_request(message, "MessageBody", {"QueueUrl": self._queue_url})
