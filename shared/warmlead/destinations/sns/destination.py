"""A message is published on a topic of Amazon SNS.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from collections.abc import Iterator, Mapping

from warmlead.destinations.aws import (
    AwsDestination,
    AwsRequest,
    AwsSettings,
    arn_problem,
    text_request,
)
from warmlead.ports.dispatching import Outbound, OutgoingMessage

_NAME = r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?"


class SnsSettings(AwsSettings, frozen=True, kw_only=True):
    """``topic_arn`` is the ARN of a topic; a FIFO topic's ends in ``.fifo``."""

    topic_arn: str

    @classmethod
    def place_problems(cls, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """See ``AwsSettings``."""
        arn, region = given.get("topic_arn", ""), given.get("region", "")
        if problem := arn_problem(arn, "sns", "topic", _NAME, region):
            yield "topic_arn", problem


class SnsDestination(AwsDestination):
    """Publishes each message."""

    service = "sns"
    operation = "publish"
    place = "topic_arn"

    def __init__(self, name: str, settings: SnsSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._topic_arn = settings.topic_arn

    def _request(self, message: OutgoingMessage) -> AwsRequest:
        return text_request(message, "Message", {"TopicArn": self._topic_arn})
