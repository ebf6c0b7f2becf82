"""What the destinations in AWS share: their settings, and what AWS's answers mean."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlsplit

from msgspec import Struct

from warmlead.destinations.aws_calls import AwsAccess, AwsCaller, AwsFault
from warmlead.destinations.base import (
    MAX_SHOWN,
    DestinationSettings,
    SelectingDestination,
    result_of,
    retry_after_s,
)
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed, Sent
from warmlead.ports.dispatching import Outbound, OutboundAnswer, OutgoingMessage
from warmlead.settings import SettingFault
from warmlead.web.outbound import LOCAL_HOSTS, url_problem

MOST_BYTES = 262_144
"""The largest message. SNS and EventBridge's targets take no more, unless an owner asks AWS to."""

AUDIENCE = "sts.amazonaws.com"

MOST_ID = 128
"""Characters of an id by which FIFO topics and queues know a repeat, and of a group's."""

_REGION = re.compile(r"[a-z]{2,5}(-[a-z]{2,12}){1,2}-\d{1,2}")
_ROLE = re.compile(r"arn:aws[a-z-]{0,20}:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_AUDIENCE = re.compile(r"[A-Za-z0-9._~:/@-]{1,255}")

_BUSY = frozenset(
    (
        *("KMSThrottling", "KMSThrottlingException", "LimitExceededException", "OverLimit"),
        *("RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown"),
        *("Throttled", "ThrottledException", "Throttling", "ThrottlingException"),
        *("TooManyRequests", "TooManyRequestsException"),
    )
)
"""Codes by which AWS asks for a pause, whatever the status."""

_DENIED = frozenset(
    (
        *("AccessDenied", "AccessDeniedException", "AuthorizationError", "IncompleteSignature"),
        *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "SignatureDoesNotMatch"),
        *("InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken"),
        *("InvalidSecurity", "NotAuthorizedForSourceException", "OptInRequired"),
        *("KMSAccessDenied", "KMSAccessDeniedException", "KMSDisabled", "KmsAccessDenied"),
        *("KmsDisabled", "UnrecognizedClientException"),
    )
)

_MISSING = frozenset(
    (
        *("NonExistentQueue", "QueueDoesNotExist", "QueueDeletedRecently"),
        *("NotFound", "NotFoundException", "ResourceNotFoundException"),
    )
)

_NOT_XML = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}
"""Characters that SQS refuses, also from a topic, as JSON writes them in ASCII."""


# --- settings ------------------------------------------------------------------------------


class AwsSettings(DestinationSettings, frozen=True, kw_only=True):
    """Where in AWS, and as whom.

    ``role`` is the ARN of an IAM role. It is assumed with this function's own identity at Google,
    for the ``audience``. Without a role the credentials are those of this machine, which is for
    one's own machine only; so is ``endpoint``, the address of something that stands in for AWS.
    """

    region: str
    role: str = ""
    audience: str = AUDIENCE
    endpoint: str = ""

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        found = super().faults(given, where)
        if not isinstance(given, Mapping):
            return found
        known = {fault.where for fault in found}
        return found + [
            fault for fault in cls._own_faults(given, where) if fault.where not in known
        ]

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """See ``DestinationSettings``."""
        yield from super().unsafe(given, where)
        if given.get("endpoint"):
            yield SettingFault((*where, "endpoint"), "is only for one's own machine")
        if not given.get("role"):
            yield SettingFault(
                (*where, "role"),
                "must be set in production: the IAM role that this function assumes, so that there "
                "is no long-lived key",
            )

    @classmethod
    def place_problems(cls, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """The setting that names the bus, topic or queue, and what is wrong with it."""
        raise NotImplementedError

    @classmethod
    def _own_faults(
        cls, given: Mapping[str, Any], where: tuple[str, ...]
    ) -> Iterator[SettingFault]:
        texts = {name: text for name, text in given.items() if isinstance(text, str)}
        local = given.get("allow_local") is True
        for name, problem in (*_problems(texts, local=local), *cls.place_problems(texts)):
            yield SettingFault((*where, name), problem)


def _problems(given: Mapping[str, str], *, local: bool) -> Iterator[tuple[str, str]]:
    if not _REGION.fullmatch(given.get("region", "")):
        yield "region", "must be a region of AWS, such as eu-central-1"
    if (role := given.get("role")) and not _ROLE.fullmatch(role):
        yield "role", "must be the ARN of a role, such as arn:aws:iam::123456789012:role/warmlead"
    if not _AUDIENCE.fullmatch(given.get("audience", AUDIENCE)):
        yield "audience", f"must be what the role's trust policy names, such as {AUDIENCE}"
    if endpoint := given.get("endpoint"):
        if not local:
            yield "endpoint", "needs allow_local: true, on one's own machine"
        elif url_problem(endpoint, allow_local=True) or (
            urlsplit(endpoint).hostname not in LOCAL_HOSTS
        ):
            yield "endpoint", "must be on this machine, such as http://localhost:5000"


def arn_problem(arn: str, service: str, kind: str, name: str, region: str) -> str:
    """What is wrong with the ARN of a ``kind`` of thing, such as a topic; empty if nothing is.

    ``name`` is a pattern of what comes after the account.
    """
    found = re.fullmatch(
        rf"arn:aws[a-z-]{{0,20}}:{service}:([a-z0-9-]{{1,40}}):\d{{12}}:{name}", arn
    )
    if not found:
        return f"must be the ARN of a {kind}"
    if found[1] != region:
        return f"is in {found[1]}, but region is {region}"
    return ""


# --- sending -------------------------------------------------------------------------------


class AwsRequest(Struct, frozen=True):
    """The parameters of one call, and what AWS counts as the size of the message in bytes."""

    parameters: Mapping[str, Any]
    size_bytes: int


class AwsDestination(SelectingDestination, ABC):
    """The base of destinations in AWS: one call for each message.

    A repeat is a message with the same id. AWS itself may deliver a message twice, so receivers
    must know ids anyway: ``may_repeat``.
    """

    service: ClassVar[str]
    """As boto3 names it."""

    operation: ClassVar[str]

    place: ClassVar[str]
    """The setting that says where messages go."""

    def __init__(self, name: str, settings: AwsSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        access = AwsAccess(
            settings.region, settings.role, settings.audience, settings.endpoint or None
        )
        self._caller = AwsCaller(self.service, access, outbound)

    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        """One call."""
        request = self._request(message)
        if request.size_bytes > MOST_BYTES:
            return Declined(f"the message has {request.size_bytes} bytes; AWS takes {MOST_BYTES}")
        answer = await self._caller.call(self.operation, request.parameters, now)
        if isinstance(answer, AwsFault):
            return self._of_fault(answer, now)
        return self._of_answer(answer, now)

    @abstractmethod
    def _request(self, message: OutgoingMessage) -> AwsRequest:
        """What is called for a message."""

    def _of_answer(self, answer: Mapping[str, Any], _now: datetime) -> AttemptResult:
        return Sent(str(answer.get("MessageId", "")))

    def _of_fault(self, fault: AwsFault, now: datetime) -> AttemptResult:
        """What an error means. Nothing is lost for what a person can mend in AWS.

        AWS's own words are kept where they speak of roles and places only: of a message they may
        repeat what it says of a person.
        """
        code, words = fault.code, f"{fault.code}: {fault.said}"[:MAX_SHOWN]
        answer = OutboundAnswer(fault.status, fault.headers, b"")
        after_s = retry_after_s(answer, now)
        if code in _BUSY:
            return Postponed(f"AWS asks for a pause: {code}", after_s)
        if fault.of_role and fault.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Postponed(f"AWS does not give the role; see its trust policy: {words}", after_s)
        if code in _DENIED or fault.status in (401, 403):
            return Postponed(f"AWS does not allow it; see the role's policy: {words}", after_s)
        if code in _MISSING or fault.status == HTTPStatus.NOT_FOUND:
            return Postponed(f"AWS does not find it; see {self.place}: {words}", after_s)
        return result_of(answer, now, shown=code)


def text_of(message: OutgoingMessage) -> str:
    """The message as it was published, in characters that SQS takes: the same JSON."""
    return message.body.decode().translate(_NOT_XML)


def attributes_of(message: OutgoingMessage) -> dict[str, str]:
    """What subscriptions may filter by; no personal data."""
    stage = message.data.get("stage")
    known = {"type": message.kind, "lead_id": message.lead_id, "stage": stage}
    return {name: text for name, text in known.items() if text and isinstance(text, str)}


def text_request(message: OutgoingMessage, name: str, place: Mapping[str, str]) -> AwsRequest:
    """The request that SNS and SQS share: the text under a ``name``, with attributes.

    A FIFO topic or queue, which has ``.fifo`` at the end of its name, keeps the order of each
    lead's messages, and drops a repeat within five minutes.
    """
    text, attributes = text_of(message), attributes_of(message)
    parameters: dict[str, Any] = {
        **place,
        name: text,
        "MessageAttributes": {
            key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()
        },
    }
    if any(each.endswith(".fifo") for each in place.values()):
        parameters["MessageDeduplicationId"] = short_id(message.id)
        parameters["MessageGroupId"] = short_id(message.lead_id or message.kind)
    of_attributes = sum(len(f"{key}String{value}".encode()) for key, value in attributes.items())
    return AwsRequest(parameters, len(text.encode()) + of_attributes)


def short_id(id_: str) -> str:
    """An id that AWS takes: the same, or a hash of it if it is too long."""
    return id_ if len(id_) <= MOST_ID else sha256(id_.encode()).hexdigest()
