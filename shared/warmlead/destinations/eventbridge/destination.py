"""A message becomes an event on a bus of Amazon EventBridge.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from warmlead.destinations.aws import AwsDestination, AwsRequest, AwsSettings, arn_problem
from warmlead.destinations.aws_calls import AwsFault
from warmlead.domain.dispatch import AttemptResult, Sent
from warmlead.ports.dispatching import Outbound, OutgoingMessage

SOURCE = "warmlead"

_BUS = re.compile(r"(?!aws\.)[A-Za-z0-9._/-]{1,256}")

_TIME_BYTES = 14
"""What AWS counts for the time of an event."""

_FAILURES_OF_AWS = frozenset(("InternalException", "InternalFailure", "ServiceUnavailable"))


class EventBridgeSettings(AwsSettings, frozen=True, kw_only=True):
    """``bus`` is the name of an event bus, or its ARN if it is in another account."""

    bus: str = "default"

    @classmethod
    def place_problems(cls, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """See ``AwsSettings``."""
        bus = given.get("bus", "default")
        if bus.startswith("arn:"):
            name = r"event-bus/[A-Za-z0-9._/-]{1,256}"
            problem = arn_problem(bus, "events", "bus", name, given.get("region", ""))
        else:
            problem = "" if _BUS.fullmatch(bus) else "must be the name or the ARN of an event bus"
        if problem:
            yield "bus", problem


class EventBridgeDestination(AwsDestination):
    """Puts one event for each message."""

    service = "events"
    operation = "put_events"
    place = "bus"

    def __init__(self, name: str, settings: EventBridgeSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._bus = settings.bus

    def _request(self, message: OutgoingMessage) -> AwsRequest:
        detail = msgspec.json.encode({"message_id": message.id, **message.data})
        entry = {
            "EventBusName": self._bus,
            "Source": SOURCE,
            "DetailType": message.kind,
            "Time": message.at,
            "Detail": detail.decode(),
        }
        size_bytes = _TIME_BYTES + len(SOURCE) + len(message.kind) + len(detail)
        return AwsRequest({"Entries": [entry]}, size_bytes)

    def _of_answer(self, answer: Mapping[str, Any], now: datetime) -> AttemptResult:
        """A 200 may say that the event failed all the same."""
        entry: Mapping[str, Any] = next(iter(answer.get("Entries", ())), {})
        if not answer.get("FailedEntryCount") and not entry.get("ErrorCode"):
            return Sent(str(entry.get("EventId", "")))
        code = str(entry.get("ErrorCode", ""))[:80]
        status = 500 if code in _FAILURES_OF_AWS or not code else 400
        said = str(entry.get("ErrorMessage", ""))
        return self._of_fault(AwsFault(code or "no code", said, status, {}), now)
