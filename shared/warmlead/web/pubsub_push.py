"""Pub/Sub's push requests, parsed by ourselves: the framework's parser drops fields.

After https://cloud.google.com/pubsub/docs/push#receive_push; the emulator adds the same fields
in snake_case. What the data means is for its reader.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.web.strict_json import loads


class Push(Struct, frozen=True):
    """A pushed message. ``delivery_attempt`` is there only if a dead-letter topic is set."""

    message_id: str
    attributes: Mapping[str, str]
    data: bytes
    publish_time: datetime
    delivery_attempt: int | None
    subscription: str


def parse_push(body: bytes) -> Push:
    """The message in a push request's body; raises ``RejectedError`` if there is none."""
    envelope = loads(body)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("message"), dict):
        raise _invalid("there is no message in it")
    message = envelope["message"]
    attributes = message.get("attributes") or {}
    attempt = envelope.get("deliveryAttempt")
    subscription = envelope.get("subscription", "")
    if not isinstance(attributes, dict) or not all(isinstance(v, str) for v in attributes.values()):
        raise _invalid("the attributes are not texts")
    if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool)):
        raise _invalid("the delivery attempt is not a number")
    if not isinstance(subscription, str):
        raise _invalid("the subscription is not a text")
    return Push(
        message_id=_text(message, "messageId", "message_id"),
        attributes=attributes,
        data=_data(message.get("data") or ""),
        publish_time=_time(_text(message, "publishTime", "publish_time")),
        delivery_attempt=attempt,
        subscription=subscription,
    )


def _text(message: Mapping[str, object], *names: str) -> str:
    for name in names:
        value = message.get(name)
        if isinstance(value, str) and value:
            return value
    raise _invalid(f"{names[0]} is missing")


def _data(encoded: object) -> bytes:
    try:
        if isinstance(encoded, str):
            return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise _invalid("the data is not base64")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _invalid("the publish time is no time") from None


def _invalid(fault: str) -> RejectedError:
    return RejectedError(Reason.MESSAGE_INVALID, f"Not a push of Pub/Sub: {fault}.")
