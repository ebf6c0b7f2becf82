"""What the visitor of ``warmlead demo`` does: Ada's journey, sent as her tools would send it."""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from warmlead.cli.output import fail
from warmlead.ports import RawRequest
from warmlead.senders.base import Sender
from warmlead.senders.registry import by_name

VISITOR = "demo-visitor-7f3a"
EMAIL = "ada@example.com"


@dataclass(frozen=True, slots=True)
class JourneyStep:
    """One thing the visitor does: what it is in words, how it is sent, how many events it is."""

    words: str
    act: Callable[[str], None]
    events: int


def journey(chat: Sender, calendar: Sender) -> list[JourneyStep]:
    """Ada's events, over six days; points are those of the b2b-saas model.

    ``chat`` and ``calendar`` sign what their vendors would post.
    """
    return [
        JourneyStep("6 days ago: lands on the blog from a search ad", _tracked(_landing), 2),
        JourneyStep("3 days ago: looks at the pricing page, twice", _tracked(_pricing), 2),
        JourneyStep("yesterday: downloads a whitepaper", _tracked(_whitepaper), 1),
        JourneyStep("today: signs up for the newsletter, and is known", _newsletter, 1),
        JourneyStep("today: attends the webinar", _tracked(_webinar), 1),
        JourneyStep("today: asks a question in the chat", _posted(chat, _question), 2),
        JourneyStep("today: sends the contact form, with her company", _contact, 1),
        JourneyStep("today: books a meeting", _posted(calendar, _booking), 1),
    ]


def _tracked(calls: Callable[..., None]) -> Callable[[str], None]:
    """Sends calls with Segment's Python SDK, unmodified, and waits until it has sent them."""

    def send(base: str) -> None:
        try:
            from segment.analytics.client import Client  # noqa: PLC0415  # only the demo needs it
        except ImportError:
            raise fail(
                "The demo sends with Segment's Python SDK, which is not installed.",
                hint="pip install segment-analytics-python",
            ) from None
        client = Client("local", host=base, sync_mode=True)
        calls(client)

    return send


def _ago(days: int) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def _landing(client: object) -> None:
    campaign = {"source": "google", "medium": "cpc", "name": "lead-scoring"}
    _page(client, 6, "https://example.com/blog/lead-scoring", {"campaign": campaign})
    _page(client, 6, "https://example.com/customers")


def _pricing(client: object) -> None:
    for _ in range(2):
        _page(client, 3, "https://example.com/pricing")


def _page(client: object, days: int, url: str, context: dict[str, object] | None = None) -> None:
    path = urllib.parse.urlsplit(url).path
    client.page(  # type: ignore[attr-defined]  # the SDK ships no types
        anonymous_id=VISITOR,
        name=path,
        properties={"url": url, "path": path},
        context=context or {},
        timestamp=_ago(days),
    )


def _whitepaper(client: object) -> None:
    client.track(  # type: ignore[attr-defined]  # the SDK ships no types
        anonymous_id=VISITOR,
        event="Content Downloaded",
        properties={"kind": "whitepaper", "name": "Scoring that explains itself"},
        timestamp=_ago(1),
    )


def _webinar(client: object) -> None:
    client.track(  # type: ignore[attr-defined]  # the SDK ships no types
        user_id=EMAIL, event="Webinar Attended", properties={"name": "Lead scoring in practice"}
    )


def _newsletter(base: str) -> None:
    _post_form(f"{base}/forms/generic/newsletter", {"email": EMAIL})


def _contact(base: str) -> None:
    fields = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": EMAIL,
        "company": "Analytical Engines",
        "job_title": "VP Marketing",
        "company_size": "51-200",
        "country": "US",
        "message": "How do you explain a score?\r\nThanks!",
    }
    _post_form(f"{base}/forms/generic/contact", fields)


def _post_form(url: str, fields: dict[str, str]) -> None:
    """A plain HTML form's post, as a browser encodes it; hidden fields name the visitor."""
    hidden = {"anonymous_id": VISITOR, "_gotcha": ""}
    body = urllib.parse.urlencode({**fields, **hidden}).encode()
    urllib.request.urlopen(url, body, timeout=10).close()  # noqa: S310  # an address of ours


def _question() -> object:
    """Intercom's notification of a conversation that a contact has begun."""
    now, contact = int(time.time()), f"{VISITOR}-contact"
    opening = {
        "type": "conversation",
        "id": f"{VISITOR}-message",
        "delivered_as": "customer_initiated",
        "body": "<p>Does it work with HubSpot?</p>",
        "author": {"type": "lead", "id": contact, "name": "Ada", "email": EMAIL},
        "url": "https://example.com/integrations",
    }
    conversation = {
        "type": "conversation",
        "id": f"{VISITOR}-conversation",
        "created_at": now,
        "source": opening,
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact}]},
    }
    return {
        "type": "notification_event",
        "topic": "conversation.user.created",
        "data": {"type": "notification_event_data", "item": conversation},
        "created_at": now,
    }


def _booking() -> object:
    """Calendly's webhook of a meeting that an invitee has booked."""
    now, event = datetime.now(UTC), f"https://api.calendly.com/scheduled_events/{VISITOR}"
    start = (now + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    meeting = {
        "uri": event,
        "name": "Product demo",
        "event_type": "https://api.calendly.com/event_types/product-demo",
        "start_time": start.isoformat(),
        "end_time": (start + timedelta(minutes=30)).isoformat(),
    }
    invitee: dict[str, object] = {
        "uri": f"{event}/invitees/{VISITOR}",
        "email": EMAIL,
        "name": "Ada Lovelace",
        "timezone": "America/New_York",
        "questions_and_answers": [],
        "old_invitee": None,
        "rescheduled": False,
        "scheduled_event": meeting,
    }
    return {"event": "invitee.created", "created_at": now.isoformat(), "payload": invitee}


def _posted(sender: Sender, body: Callable[[], object]) -> Callable[[str], None]:
    """Posts JSON as the sender's vendor does, with its signature."""
    function = by_name(sender.name).function

    def send(base: str) -> None:
        headers = {"content-type": "application/json"}
        request = RawRequest(
            method="POST",
            path=sender.paths[0],
            query="",
            headers=headers,
            body=json.dumps(body()).encode(),
            received_at=datetime.now(UTC),
            request_id="demo",
        )
        post = urllib.request.Request(  # noqa: S310  # an address of ours
            f"{base}/{function}{request.path}", request.body, {**headers, **sender.sign(request)}
        )
        urllib.request.urlopen(post, timeout=10).close()  # noqa: S310  # an address of ours

    return send
