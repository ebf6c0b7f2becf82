"""``warmlead demo``: one visitor's journey over real HTTP, from anonymous to MQL.

Nothing is simulated but what the visitor does: a server is started as a user would start it,
Segment's own Python SDK sends the tracking calls, and a browser's form post the form.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from warmlead import wiring
from warmlead.application.explain import LeadView, view
from warmlead.cli import lead as lead_commands
from warmlead.cli import triggers as trigger_commands
from warmlead.cli.output import console, fail
from warmlead.domain.identity import Identifier, Kind

VISITOR = "demo-visitor-7f3a"
EMAIL = "ada@example.com"
PATIENCE_S = 30.0


class Step(NamedTuple):
    """One thing the visitor does: what it is in words, how it is sent, how many events it is."""

    words: str
    act: Callable[[str], None]
    events: int


def demo() -> None:
    """Warm up one lead from anonymous to MQL, over real HTTP, and show why.

    Uses a folder of its own that is removed at the end; your data is not touched.
    """
    with tempfile.TemporaryDirectory(prefix="warmlead-demo-") as folder:
        os.environ |= {"WARMLEAD_DATA": folder, "WARMLEAD_MODEL": "b2b-saas"}
        os.environ.pop("WARMLEAD_ENV", None)
        port = _free_port()
        base = f"http://127.0.0.1:{port}"
        with (
            Path(folder, "serve.log").open("wb") as log,
            subprocess.Popen(_serve_command(port), stdout=log, stderr=log) as server,  # noqa: S603  # ourselves
        ):
            try:
                _until(lambda: _answers(base), "the server did not start")
                _walk(base)
            finally:
                server.terminate()


def _serve_command(port: int) -> list[str]:
    return [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", str(port)]


def _walk(base: str) -> None:
    console.print(f"Serving {base} on one SQLite file; a visitor comes by.\n", style="dim")
    expected = 0
    for step in _journey():
        step.act(base)
        expected += step.events
        seen = _wait_for_events(expected)
        score = f"[bold]{seen.score:>3}[/]"
        console.print(f"{step.words:<58} {score}  {seen.stage}")
    console.print("\n[bold]The trigger that went out[/] (warmlead triggers)")
    trigger_commands.triggers(follow=False, as_json=False)
    console.print("\n[bold]Why[/] (warmlead lead explain ada@example.com)")
    lead_commands.explain_score(EMAIL, as_of=None, as_json=False)


def _journey() -> list[Step]:
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


def _wait_for_events(expected: int) -> LeadView:
    """The visitor's lead, as soon as so many events are counted on it."""
    found: list[LeadView] = []

    def counted() -> bool:
        seen = asyncio.run(_visitor())
        if seen is None or sum(seen.events.values()) < expected:
            return False
        found.append(seen)
        return True

    _until(counted, f"{expected} events were sent, but not counted")
    return found[0]


async def _visitor() -> LeadView | None:
    async with wiring.embedded() as system:
        lead = await system.store.get(system.ids.of(Identifier(Kind.ANONYMOUS, VISITOR)))
        return view(lead, system.model.rules, system.clock.now()) if lead else None


def _until(holds: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise fail(f"{complaint} within {PATIENCE_S:.0f} s.")
        time.sleep(0.05)


def _answers(base: str) -> bool:
    try:
        urllib.request.urlopen(f"{base}/healthz", timeout=1).close()  # noqa: S310  # ours
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
