"""Unmodified Python SDKs against a running server: every event counts once, nothing is re-sent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from e2e.ledger import drain, events_by_email
from e2e.recording import Recorder, recording
from patience import until
from served import Served, serving

LONG_AGO = datetime.now(UTC) - timedelta(days=60)
PATIENT_S = 2
"""How long a client waits until its batch of a hundred is full."""

NAME = "Zoë Müller — 東京 🚀"


class Session(NamedTuple):
    """A client that sends to a recorder; ``failures`` are what it reports by itself."""

    client: Any
    recorder: Recorder
    failures: list[Exception]

    def ends_well(self) -> None:
        """Has everything sent, and nothing sent twice."""
        if not self.client.sync_mode:
            self.client.shutdown()
        assert self.failures == []
        assert self.recorder.statuses == {200}
        assert set(self.recorder.times_sent.values()) == {1}


@contextmanager
def sending(base: str, make: Callable[..., Any], **options: Any) -> Iterator[Session]:
    failures: list[Exception] = []
    with recording(base) as recorder:
        client = make(
            "local",
            host=recorder.base,
            on_error=lambda error, _: failures.append(error),
            **options,
        )
        yield Session(client, recorder, failures)


def send_everything(client: Any, who: str) -> None:
    """Each kind of call that there is, about one person who is known by four identifiers."""
    visitor, user, app = f"{who}-visitor", f"{who}-user", f"{who}-app"
    client.page(
        anonymous_id=visitor,
        name="Pricing",
        category="Product",
        properties={"url": "https://example.com/pricing?utm_source=google&utm_medium=cpc"},
        context={"page": {"referrer": "https://www.google.com/"}},
    )
    client.track(
        anonymous_id=visitor,
        event="Content Downloaded",
        properties={"kind": "whitepaper", "name": NAME, "pages": 12, "free": True, "tags": ["a"]},
    )
    client.identify(
        user_id=user,
        anonymous_id=visitor,
        traits={
            "email": f"  {who}@Example.COM",
            "name": NAME,
            "title": "VP Sales",
            "company": {"name": "Ünïcode Works", "employees": 120},
            "address": {"country": "United States"},
            "newsletter": None,
        },
    )
    client.screen(user_id=user, name="Home", category="App", properties={"dark": False})
    client.group(user_id=user, group_id="acct-7", traits={"industry": "Software"})
    client.track(user_id=user, event="Webinar Attended", timestamp=LONG_AGO)
    client.track(anonymous_id=app, event="videoWatched", properties={"percent": 75.5})
    client.alias(previous_id=app, user_id=user)
    client.track(user_id=user, event="Größe — gewählt 🚀")


EVENTS = {
    "page_viewed": 1,
    "content_downloaded": 1,
    "identified": 1,
    "screen_viewed": 1,
    "grouped": 1,
    "webinar_attended": 1,
    "video_watched": 1,
    "aliased": 1,
    "grosse_gewahlt": 1,
}
TRAITS = {
    "name": NAME,
    "title": "VP Sales",
    "company": "Ünïcode Works",
    "employees": 120,
    "country": "US",
    "industry": "Software",
    "company_id": "acct-7",
}


@pytest.mark.parametrize(
    ("make", "options"),
    [
        pytest.param(SegmentClient, {}, id="segment"),
        pytest.param(SegmentClient, {"gzip": True}, id="segment-gzip"),
        pytest.param(SegmentClient, {"sync_mode": True}, id="segment-sync"),
        pytest.param(RudderClient, {}, id="rudder-gzip"),
        pytest.param(RudderClient, {"gzip": False}, id="rudder"),
        pytest.param(RudderClient, {"sync_mode": True}, id="rudder-sync"),
    ],
)
def test_every_kind_of_call_counts_once_on_the_right_lead(
    server: Served, request: pytest.FixtureRequest, make: Callable[..., Any], options: Any
) -> None:
    who = request.node.callspec.id
    with sending(server.base, make, **options) as session:
        send_everything(session.client, who)
        session.ends_well()
    assert len(session.recorder.times_sent) == sum(EVENTS.values())
    drain(server)

    lead = server.lead(f"{who}@example.com")

    assert lead
    assert lead["events"] == EVENTS
    assert lead["traits"] == TRAITS
    assert lead["first_touch"] == {
        "utm_source": "google",
        "utm_medium": "cpc",
        "referrer": "https://www.google.com/",
        "landing_page": "/pricing",
        "channel": "Paid Search",
        "source": "google",
    }
    assert {kind: set(values) for kind, values in lead["identifiers"].items()} == {
        "email": {f"{who}@example.com"},
        "user": {f"{who}-user"},
        "anonymous": {f"{who}-visitor", f"{who}-app"},
    }
    assert lead["signals"]["pricing_page_viewed"] == 1
    assert lead["signals"]["whitepaper_downloaded"] == 1
    assert lead["signals"]["half_video_watched"] == 1
    assert _day_of(server, who, "webinar_attended") == LONG_AGO.date().isoformat()


def _day_of(server: Served, who: str, signal: str) -> str:
    explained = server.json("lead", "explain", f"{who}@example.com")
    [line] = [line for line in explained["contributions"] if line["name"] == signal]
    return str(line["first_day"])


@pytest.mark.parametrize("make", [SegmentClient, RudderClient])
def test_a_burst_of_five_hundred_events_counts_each_once(
    server: Served, make: Callable[..., Any]
) -> None:
    who = make.__module__.partition(".")[0]
    with sending(server.base, make) as session:
        for i in range(500):
            session.client.track(f"{who}-{i % 25}@example.org", f"Burst {i}")
        session.ends_well()
    assert len(session.recorder.exchanges) >= 5
    drain(server)

    counted = events_by_email(server)
    for lead in range(25):
        expected = {f"burst_{i}": 1 for i in range(lead, 500, 25)}
        assert counted[f"{who}-{lead}@example.org"] == expected


def test_a_batch_of_megabytes_is_taken_where_it_is_allowed(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "data", WARMLEAD_TRACK_BATCH_BYTES="5000000") as server,
        sending(server.base, RudderClient, upload_interval=PATIENT_S) as session,
    ):
        for i in range(200):
            session.client.track("ada@example.com", f"Large {i}", _thirty_kilobytes())
        session.ends_well()
        assert max(len(exchange.body) for exchange in session.recorder.exchanges) > 2_900_000
        drain(server)

        assert events_by_email(server) == {"ada@example.com": {f"large_{i}": 1 for i in range(200)}}


def test_a_batch_that_is_too_large_is_refused_once(server: Served) -> None:
    with sending(server.base, RudderClient, gzip=False, upload_interval=PATIENT_S) as session:
        for i in range(100):
            session.client.track("large@example.com", f"Large {i}", _thirty_kilobytes())
        session.client.shutdown()
        until(lambda: session.recorder.statuses == {413})

    assert set(session.recorder.times_sent.values()) == {1}
    assert {getattr(error, "status", None) for error in session.failures} == {413}


def _thirty_kilobytes() -> dict[str, str]:
    return {f"text_{i}": "x" * 7_500 for i in range(4)}
