"""Does a function leak? One process, 100,000 requests, its memory sampled; run by ``make soak``.

The process is started as the platform starts it, on Google's emulators, and asked as Pub/Sub and
tracking clients ask it: over connections that stay open. After a warm-up, a line is fitted
through the samples: it may rise by less than 1 MB in 10,000 events.
"""

import argparse
import asyncio
import base64
import json
import os
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from statistics import linear_regression
from typing import Any, NamedTuple

from fuzz.alone import alone
from warmlead.buses.topology import SCORE, create_topology
from warmlead.cli.local.emulators import VARIABLES, Process, emulators

MOST_MB_PER_10_000 = 1.0
CONNECTIONS = 32
EVENTS_OF_A_LEAD = 8
LEADS_AT_ONCE = 64
TRIES = 5
"""An answer of 503 means that it should come again, as Pub/Sub would send it."""

_KINDS = ("page_viewed", "content_downloaded", "form_submitted", "webinar_attended")


class Request(NamedTuple):
    """What is posted, and where."""

    path: str
    headers: str
    body: bytes


class Sample(NamedTuple):
    """The memory of the process after so many events."""

    events: int
    mb: float


def main() -> int:
    """Soaks the functions that the command line names; 1 if one of them leaks."""
    chosen = _arguments()
    functions = ("score", "track") if chosen.function == "both" else (chosen.function,)
    leaking = [name for name in functions if not _soak(name, chosen)]
    return 1 if leaking else 0


def _soak(function: str, chosen: argparse.Namespace) -> bool:
    """Soaks one function and tells how it went; whether it keeps its memory."""
    project = f"soak-{uuid.uuid4().hex[:12]}"
    with (
        emulators({"firestore": None, "pubsub": None}) as started,
        tempfile.TemporaryDirectory(prefix="warmlead-soak-") as folder,
    ):
        addresses = {VARIABLES[name]: process.address for name, process in started.items()}
        settings = {"WARMLEAD_BACKEND": "gcp", "WARMLEAD_PROJECT": project, **addresses}
        create_topology(project, {}, emulator=started["pubsub"].address, subscriptions=())
        with alone(function, settings, Path(folder)) as process:
            make = _pushes if function == "score" else _calls
            print(f"{function}: {chosen.events} events, seed {chosen.seed}", flush=True)
            began = time.perf_counter()
            soaking = Soaking(process, make(Random(chosen.seed)), chosen.events, chosen.every)
            asyncio.run(soaking.run())
            took_s = time.perf_counter() - began
            trouble = [line for line in process.log.read_text().splitlines() if "ERROR" in line]
    return _verdict(soaking, chosen.warm_up, took_s, trouble)


def _verdict(soaking: "Soaking", warm_up: int, took_s: float, trouble: Sequence[str]) -> bool:
    steady = [sample for sample in soaking.samples if sample.events >= warm_up]
    slope = linear_regression([s.events for s in steady], [s.mb for s in steady]).slope * 10_000
    answers = ", ".join(f"{number} of {status}" for status, number in soaking.statuses.items())
    sound = set(soaking.statuses) <= {200, 503} and not soaking.given_up and not trouble
    print(f"  {soaking.done / took_s:.0f} events/s; answers: {answers}")
    for line in trouble[:5]:
        print(f"  {line}")
    if soaking.given_up:
        print(f"  {soaking.given_up} were never answered with 200")
    print(f"  {slope:+.2f} MB per 10,000 events after the first {warm_up}; less than ", end="")
    print(f"{MOST_MB_PER_10_000} is wanted: {'good' if slope < MOST_MB_PER_10_000 else 'IT LEAKS'}")
    return sound and slope < MOST_MB_PER_10_000


class Soaking:
    """Sends requests over connections that stay open, and samples the process meanwhile."""

    def __init__(
        self, process: Process, requests: Iterator[Request], events: int, every: int
    ) -> None:
        self.samples: list[Sample] = []
        self.statuses: Counter[int] = Counter()
        self.done = 0
        self.given_up = 0
        self._process = process
        self._requests = requests
        self._left = events
        self._every = every

    async def run(self) -> None:
        """Sends all of them."""
        self._sample()
        await asyncio.gather(*(self._connection() for _ in range(CONNECTIONS)))

    async def _connection(self) -> None:
        host, _, port = self._process.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        while self._left > 0:
            self._left -= 1
            await self._ask(next(self._requests), reader, writer)
            self.done += 1
            if self.done % self._every == 0:
                self._sample()
        writer.close()

    async def _ask(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        length = f"Content-Length: {len(request.body)}\r\n"
        head = f"POST {request.path} HTTP/1.1\r\nHost: a\r\n{request.headers}{length}\r\n"
        for _ in range(TRIES):
            writer.write(head.encode() + request.body)
            status = await _status(reader)
            self.statuses[status] += 1
            if status == 200:
                return
        self.given_up += 1

    def _sample(self) -> None:
        sample = Sample(self.done, _mb_of_group(self._process.popen.pid))
        self.samples.append(sample)
        print(f"  {sample.events:>7} events  {sample.mb:7.1f} MB", flush=True)


async def _status(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(None, 2)[1])


def _mb_of_group(leader: int) -> float:
    """The resident memory of a process and of those that it started, in MB."""
    pages = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == leader:
                pages += int((folder / "statm").read_text().split()[1])
        except (OSError, ProcessLookupError):  # it has just ended
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# --- what is sent --------------------------------------------------------------------------


def _pushes(random: Random) -> Iterator[Request]:
    """What Pub/Sub pushes: ever new leads, repeats, and now and then what is not ours."""
    sent: list[bytes] = []
    for number in count():
        event = json.dumps({"v": 1, "events": [_event(number)]}).encode()
        kind = random.random()
        if kind < 0.03 and sent:
            event = random.choice(sent)
        elif kind < 0.032:
            event = b'{"not": "ours"}'
        sent = [*sent[-200:], event]
        yield Request("/", "Content-Type: application/json\r\n", _envelope(event, number))


def _event(number: int) -> dict[str, Any]:
    """An event of one of the leads that are there at the moment: at first a nameless visitor."""
    lead, step = _whose(number)
    now = datetime.now(UTC).isoformat()
    fields: dict[str, Any] = {
        "id": f"e-{number}",
        "source": "segment",
        "trust": "signed" if step == 5 else "public",
        "name": "demo_requested" if step == 6 else _KINDS[step % len(_KINDS)],
        "occurred_at": now,
        "received_at": now,
        "anonymous_id": f"browser-{lead}",
        "properties": {"path": "/pricing", "kind": "ebook", "title": "Words " * 10},
        "attribution": {"utm_source": "google", "utm_campaign": f"campaign-{lead % 50}"},
    }
    if step >= 4:
        fields |= {"email": f"lead-{lead}@example.com", "user_id": f"u-{lead}"}
        fields["traits"] = {"employees": 120, "country": "US", "title": "VP", "note": f"n {number}"}
    return fields


def _whose(number: int) -> tuple[int, int]:
    """Of which lead an event is, and the how manieth of it."""
    generation, place = divmod(number, EVENTS_OF_A_LEAD * LEADS_AT_ONCE)
    step, lead = divmod(place, LEADS_AT_ONCE)
    return generation * LEADS_AT_ONCE + lead, step


def _envelope(data: bytes, number: int) -> bytes:
    message = {
        "data": base64.b64encode(data).decode(),
        "attributes": {"lead_id": "a", "source": "segment", **SCORE.wants},
        "messageId": str(number),
        "publishTime": "2026-03-02T10:00:05.123Z",
    }
    subscription = "projects/soak/subscriptions/score"
    return json.dumps({"message": message, "subscription": subscription}).encode()


def _calls(random: Random) -> Iterator[Request]:
    """What tracking clients send: calls alone and in batches, now and then one that is refused."""
    basic = base64.b64encode(b"local:").decode()
    headers = f"Authorization: Basic {basic}\r\nContent-Type: application/json\r\n"
    for number in count():
        lead, step = _whose(number)
        call = {
            "type": "identify" if step == 4 else "track",
            "messageId": f"m-{number}",
            "anonymousId": f"browser-{lead}",
            "event": "Demo Requested" if step == 6 else "Page Viewed",
            "timestamp": datetime.now(UTC).isoformat(),
            "traits": {"email": f"lead-{lead}@example.com", "company": {"employees": 70}},
            "context": {"page": {"url": "https://shop.example/pricing?utm_source=google"}},
            "properties": {"title": "Words " * 10, "number": number},
        }
        unusable = {**call, "anonymousId": None, "type": "track"}
        calls = [call, unusable] if random.random() < 0.02 else [call]
        yield Request("/v1/batch", headers, json.dumps({"batch": calls}).encode())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python tests/soak.py",
        description=__doc__,
    )
    add = parser.add_argument
    add(
        "--function",
        choices=("score", "track", "both"),
        default="both",
        help="which (%(default)s)",
    )
    add("--events", type=int, default=100_000, metavar="N", help="of each (%(default)s)")
    add(
        "--warm-up",
        type=int,
        default=10_000,
        metavar="N",
        help="not judged (%(default)s)",
    )
    add(
        "--every",
        type=int,
        default=5_000,
        metavar="N",
        help="between two samples (%(default)s)",
    )
    add("--seed", type=int, default=1, help="of what is sent (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
