"""What is sent: tracking calls, form submissions and pushes, as bytes of HTTP requests."""

import base64
import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bench.cloud import ID_SECRET, WRITE_KEY
from warmlead.application.accept import by_lead
from warmlead.domain.event import Event, Trust
from warmlead.domain.identity import LeadIds

IDS = LeadIds(ID_SECRET.encode())

_BASIC = base64.b64encode(f"{WRITE_KEY}:".encode()).decode()


def request(path: str, body: bytes) -> bytes:
    """A POST of JSON with the write key."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"authorization: Basic {_BASIC}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def page(visitor: str, message_id: str = "", at: datetime | None = None) -> dict[str, Any]:
    """A page view of an anonymous visitor, as Segment's clients send it; by default, now."""
    return {
        "type": "page",
        "messageId": message_id or uuid.uuid4().hex,
        "anonymousId": visitor,
        "timestamp": (at or datetime.now(UTC)).isoformat(),
        "properties": {"path": "/blog", "title": "Why leads go cold", "referrer": ""},
    }


def page_request(visitor: str, count: int = 1) -> bytes:
    """The request of a page view, or of several, as SDKs collect them."""
    if count == 1:
        return request("/v1/page", json.dumps(page(visitor)).encode())
    batch = [page(visitor) for _ in range(count)]
    return request("/v1/batch", json.dumps({"batch": batch}).encode())


def form_request(person: str) -> bytes:
    """A form submission."""
    return request("/generic/open", json.dumps({"email": f"{person}@example.com"}).encode())


def visitors(count: int) -> Iterator[str]:
    """Visitors whom nobody has seen before, in turn, without end."""
    run = uuid.uuid4().hex[:8]
    return itertools.cycle([f"{run}-{number}" for number in range(count)])


def viewed(visitor: str, *, days_ago: int = 0) -> Event:
    """The event of a page view."""
    now = datetime.now(UTC)
    return Event(
        id=uuid.uuid4().hex,
        source="segment",
        trust=Trust.PUBLIC,
        name="page_viewed",
        occurred_at=now - timedelta(days=days_ago),
        received_at=now,
        anonymous_id=visitor,
        properties={"path": "/blog", "title": "Why leads go cold"},
    )


def push_requests(visitor: str, count: int = 1) -> list[bytes]:
    """The pushes to ``score`` of page views, which one request brought; each of another day."""
    messages = by_lead([viewed(visitor, days_ago=day) for day in range(count)], IDS)
    return [_push(message.body, message.attributes) for message in messages]


def push_request(visitor: str) -> bytes:
    """The push of one page view to ``score``."""
    return push_requests(visitor)[0]


def naive_push_requests(visitor: str, count: int = 1) -> list[bytes]:
    """The pushes of page views to the naive ``score``."""
    return [naive_push_request(visitor) for _ in range(count)]


def naive_push_request(visitor: str) -> bytes:
    """The push of one page view to the naive ``score``."""
    return _push(json.dumps(naive_event(visitor)).encode(), {})


def naive_event(visitor: str) -> dict[str, Any]:
    """The event of a page view as the naive ``track`` publishes it."""
    event = msgspec.to_builtins(viewed(visitor))
    fields = ("id", "name", "occurred_at", "received_at", "anonymous_id", "properties")
    body = {name: event[name] for name in fields}
    return body | {"user_id": None, "email": None, "traits": {}}


def _push(data: bytes, attributes: Mapping[str, str]) -> bytes:
    message = {
        "attributes": dict(attributes),
        "data": base64.b64encode(data).decode(),
        "messageId": "2070443601311540",
        "publishTime": "2026-03-02T10:00:05.123Z",
    }
    envelope = {"message": message, "subscription": "projects/bench/subscriptions/score"}
    return request("/", json.dumps(envelope).encode())
