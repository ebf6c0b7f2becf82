"""The naive counterpart of ``track``: one message an event."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import flask
import functions_framework
from google.cloud import pubsub_v1
from pydantic import BaseModel


class Call(BaseModel):
    """A call of Segment's API."""

    type: str = "track"
    messageId: str  # noqa: N815  # Segment's names
    anonymousId: str | None = None  # noqa: N815  # the same
    userId: str | None = None  # noqa: N815  # the same
    event: str | None = None
    timestamp: datetime | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}


class Batch(BaseModel):
    """Several calls in one request."""

    batch: list[Call]


class Event(BaseModel):
    """What is published for a call."""

    id: str
    name: str
    occurred_at: datetime
    received_at: datetime
    anonymous_id: str | None
    user_id: str | None
    email: str | None
    properties: dict[str, Any]
    traits: dict[str, Any]


@cache
def publisher() -> pubsub_v1.PublisherClient:
    """The client of this process, with its default settings."""
    return pubsub_v1.PublisherClient()


def event_of(call: Call) -> Event:
    """The event that a call tells of."""
    now = datetime.now(UTC)
    return Event(
        id=call.messageId,
        name=(call.event or {"page": "Page Viewed"}.get(call.type, call.type))
        .lower()
        .replace(" ", "_"),
        occurred_at=call.timestamp or now,
        received_at=now,
        anonymous_id=call.anonymousId,
        user_id=call.userId,
        email=call.traits.get("email"),
        properties=call.properties,
        traits=call.traits,
    )


def publish_all(client: pubsub_v1.PublisherClient, topic: str, events: list[Event]) -> None:
    """Publishes every event and waits until all are acknowledged."""
    futures = [client.publish(topic, event.model_dump_json().encode()) for event in events]
    for future in futures:
        future.result()


@functions_framework.http
def accept(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Publishes the calls of a request."""
    if request.authorization is None or request.authorization.username != os.environ["WRITE_KEY"]:
        return {"error": "unknown write key"}, 401
    body = request.get_data()
    if request.path.endswith("/batch"):
        calls = Batch.model_validate_json(body).batch
    else:
        calls = [Call.model_validate_json(body)]
    topic = f"projects/{os.environ['PROJECT']}/topics/lead-events"
    publish_all(publisher(), topic, [event_of(call) for call in calls])
    return {"success": True}
