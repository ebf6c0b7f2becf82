"""``warmlead demo``: one visitor's journey over real HTTP, from anonymous to MQL."""

import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import typer

from warmlead.application.explain import LeadView, view
from warmlead.cli import lead as lead_commands
from warmlead.cli.local.emulators import (
    LOCAL_PROJECT,
    Cloud,
    EndedError,
    cloud,
    ended_by_sigterm,
    free_port,
    running,
    wait_until_it_answers,
)
from warmlead.cli.output import console, fail
from warmlead.cli.triggers import TriggerRow, print_trigger, triggers_so_far
from warmlead.domain.identity import Identifier, Kind
from warmlead.domain.trigger import Topic
from warmlead.runtime import backends

VISITOR = "demo-visitor-7f3a"
EMAIL = "ada@example.com"


@dataclass(frozen=True, slots=True)
class JourneyStep:
    """One thing the visitor does: what it is in words, how it is sent, how many events it is."""

    words: str
    act: Callable[[str], None]
    events: int


def journey() -> list[JourneyStep]:
    """Ada's events, over six days; points are those of the b2b-saas model."""
    return [
        JourneyStep("6 days ago: lands on the blog from a search ad", _tracked(_landing), 2),
        JourneyStep("3 days ago: looks at the pricing page, twice", _tracked(_pricing), 2),
        JourneyStep("yesterday: downloads a whitepaper", _tracked(_whitepaper), 1),
        JourneyStep("today: signs up for the newsletter, and is known", _newsletter, 1),
        JourneyStep("today: attends the webinar", _tracked(_webinar), 1),
        JourneyStep("today: sends the contact form, with her company", _contact, 1),
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


if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient

SUBSCRIPTION = "demo"
PULL_WITHIN_S = 30.0


@contextmanager
def _own_folder() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="warmlead-demo-") as folder:
        os.environ["WARMLEAD_DATA"] = folder
        yield


class DemoBackend(Protocol):
    """Where the demo's story takes place; ``open`` makes it, ``subscribe`` when it serves."""

    serves_on: str
    triggers_from: str
    options: Sequence[str]

    def open(self) -> AbstractContextManager[None]:
        """Makes the place, and sets this process's environment to it, while the block runs."""
        ...

    def subscribe(self) -> None:
        """Listens for triggers from now on."""
        ...

    def triggers(self) -> Sequence[TriggerRow]:
        """The triggers that were received."""
        ...


class OnSqlite:
    """All in one process, on one file in a folder of its own."""

    serves_on = "on one SQLite file"
    triggers_from = "warmlead triggers"
    options: Sequence[str] = ()

    @contextmanager
    def open(self) -> Iterator[None]:
        """See ``DemoBackend``."""
        with _own_folder():
            os.environ["WARMLEAD_BACKEND"] = "sqlite"
            yield

    def subscribe(self) -> None:
        """Nothing to do: the archive has them all."""

    def triggers(self) -> Sequence[TriggerRow]:
        """See ``DemoBackend``."""
        return [row for row in asyncio.run(triggers_so_far()) if row.topic == Topic.MQL]


class OnEmulators:
    """Every function a process of its own, on emulators of its own; Google's client listens."""

    serves_on = "on Google's emulators, every function a process of its own"
    triggers_from = "pulled from a subscription of topic mql"
    options: Sequence[str] = ("--backend", "gcp")

    _ours: Cloud

    @contextmanager
    def open(self) -> Iterator[None]:
        """See ``DemoBackend``."""
        os.environ["WARMLEAD_PROJECT"] = LOCAL_PROJECT
        with _own_folder(), cloud({"firestore": None, "pubsub": None}) as self._ours:
            os.environ |= self._ours.variables()
            yield

    def subscribe(self) -> None:
        """See ``DemoBackend``."""
        with self._client() as client:
            request = {
                "name": client.subscription_path(self._ours.project, SUBSCRIPTION),
                "topic": f"projects/{self._ours.project}/topics/{Topic.MQL}",
            }
            client.create_subscription(request=request)

    def triggers(self) -> Sequence[TriggerRow]:
        """See ``DemoBackend``; waits for the first."""
        deadline = time.monotonic() + PULL_WITHIN_S
        with self._client() as client:
            path = client.subscription_path(self._ours.project, SUBSCRIPTION)
            request = {"subscription": path, "max_messages": 10}
            while time.monotonic() < deadline:
                if received := client.pull(request=request, timeout=5).received_messages:
                    break
            return [
                TriggerRow(
                    topic=Topic.MQL,
                    published_at=one.message.publish_time.isoformat(),
                    attributes=dict(one.message.attributes),
                    event=json.loads(one.message.data),
                )
                for one in received
            ]

    def _client(self) -> "SubscriberClient":
        """Google's own, which finds the emulator by itself: as a tool would listen."""
        from google.cloud.pubsub_v1 import SubscriberClient  # noqa: PLC0415  # heavy

        return SubscriberClient()


PATIENCE_S = 30.0
LOOK_EVERY_S = 0.1
GRACE_S = 10.0
"""How long the server may take to end, with all that it started."""


def demo(
    backend: Annotated[
        Literal["sqlite", "gcp"],
        typer.Option(help="Where: on one SQLite file, or on Google's emulators (gcloud, Java)."),
    ] = "sqlite",
) -> None:
    """Take a lead from anonymous to MQL over HTTP, and explain why.

    Uses a temporary place, and removes it at the end. Does not touch your data.

    ```text
    warmlead demo
    warmlead demo --backend gcp
    ```
    """
    os.environ["WARMLEAD_MODEL"] = "b2b-saas"
    os.environ.pop("WARMLEAD_ENV", None)
    place: DemoBackend = OnEmulators() if backend == "gcp" else OnSqlite()
    try:
        with ended_by_sigterm(), place.open(), tempfile.TemporaryDirectory() as folder:
            _serve_and_walk(place, Path(folder, "serve.log"))
    except EndedError as error:
        raise fail(str(error)) from error


def _serve_and_walk(place: DemoBackend, log: Path) -> None:
    port = free_port()
    address, base = f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "warmlead.cli.main", "serve", "--port", str(port)]
    with running(
        "The server", [*command, *place.options], address=address, log=log, grace_s=GRACE_S
    ) as server:
        wait_until_it_answers(server)
        place.subscribe()
        _walk(base, place)


def _walk(base: str, place: DemoBackend) -> None:
    console.print(f"Serving {base} {place.serves_on}; a visitor comes by.\n", style="dim")
    expected = 0
    for step in journey():
        step.act(base)
        expected += step.events
        seen = _wait_for_events(expected)
        score = f"[bold]{seen.score:>3}[/]"
        console.print(f"{step.words:<58} {score}  {seen.stage}")
    console.print(f"\n[bold]The trigger that went out[/] ({place.triggers_from})")
    for trigger in place.triggers():
        print_trigger(trigger)
    console.print(f"\n[bold]Why[/] (warmlead lead explain {EMAIL})")
    lead_commands.explain_score(EMAIL, as_of=None, as_json=False)


def _wait_for_events(expected: int) -> LeadView:
    """The visitor's lead, as soon as so many events are counted on it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = asyncio.run(_visitor())
        if seen is not None and sum(seen.events.values()) >= expected:
            return seen
        if time.monotonic() > deadline:
            counted = f"{expected} events were sent, but not counted within {PATIENCE_S:.0f} s."
            raise fail(counted)
        time.sleep(LOOK_EVERY_S)


async def _visitor() -> LeadView | None:
    async with backends.opened() as system:
        lead = await system.store.get(system.ids.of(Identifier(Kind.ANONYMOUS, VISITOR)))
        return view(lead, system.model.rules, system.clock.now()) if lead else None
