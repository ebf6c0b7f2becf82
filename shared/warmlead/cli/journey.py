"""The demo's visitor: what she does, and how it is sent.

Tracking calls go out with Segment's own Python SDK, forms as a browser encodes them. What
it is worth is for the model.
"""

import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from warmlead.cli.output import fail

VISITOR = "demo-visitor-7f3a"
EMAIL = "ada@example.com"


class Step(NamedTuple):
    """One thing the visitor does: what it is in words, how it is sent, how many events it is."""

    words: str
    act: Callable[[str], None]
    events: int


def journey() -> list[Step]:
    """What Ada does, over six days; each event is worth what the b2b-saas model says."""
    return [
        Step("6 days ago: lands on the blog from a search ad", _tracked(_landing), 2),
        Step("3 days ago: looks at the pricing page, twice", _tracked(_pricing), 2),
        Step("yesterday: downloads a whitepaper", _tracked(_whitepaper), 1),
        Step("today: signs up for the newsletter, and is known", _newsletter, 1),
        Step("today: attends the webinar", _tracked(_webinar), 1),
        Step("today: sends the contact form, with her company", _contact, 1),
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
