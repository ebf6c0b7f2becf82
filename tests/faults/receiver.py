"""The tools that messages are handed to, and what they put down: a book that outlives processes.

The tools fail in every way that a tool can. Their answers depend on the trial's seed and on how
often they were asked for the same message, so that a trial can be run again.
"""

import asyncio
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from builders import StandingClock
from faults.sites import Switches, under_way
from warmlead.destinations.mail import MESSAGE_ID
from warmlead.destinations.registry import destinations_in
from warmlead.ports.dispatching import (
    Destination,
    OutboundAnswer,
    UnansweredError,
    UnreachedError,
)
from warmlead.settings import Settings

HOOK, PICKY, MAIL = "hook", "picky", "mail"
LEAST_SCORE = 40
"""``picky`` wants offers alone, and of those only leads with this score."""

_WEBHOOK = {"to": "webhook", "secrets": ["whsec_c2VjcmV0IG9mIHRoZSBjYW1wYWlnbiBvZiBmYXVsdHM="]}
SECTIONS: Mapping[str, Mapping[str, Any]] = {
    HOOK: {**_WEBHOOK, "url": "https://hook.example.com/in"},
    PICKY: {
        **_WEBHOOK,
        "url": "https://picky.example.com/in",
        "messages": ["handoff.offered"],
        "when": f"score >= {LEAST_SCORE}",
    },
    MAIL: {
        "to": "postmark",
        "tokens": ["a-token-of-the-campaign"],
        "from": {"email": "hello@example.org"},
        "templates": {"welcome-guide": 17},
    },
}

WAYS = {
    "takes": 40,
    "fails": 22,
    "limits": 8,
    "redirects": 3,
    "unreached": 6,
    "hangs": 5,
    "loses": 8,
    "freezes": 5,
    "gone": 2,
}
"""What a tool does when it is asked, and how often in a hundred times."""

UNSURE = frozenset(("hangs", "loses", "freezes"))
"""Ways after which we cannot know whether the tool has acted."""

ACTS = frozenset(("takes", "loses", "freezes"))
HUNG = timedelta(seconds=30)
FROZEN = timedelta(seconds=150)
"""Longer than any attempt keeps others away."""


attempt: ContextVar[str] = ContextVar("attempt", default="")
"""Names the attempt under way, so that the lines about it can be told apart from another's."""


class Book:
    """What tools and people saw, in order; lines are only added."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def close(self) -> None:
        os.close(self._file)

    def add(self, what: str, **facts: object) -> None:
        """Adds a line; times are written in seconds."""
        line = {"what": what, **{name: _plain(fact) for name, fact in facts.items()}}
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._path.read_bytes().splitlines():
            yield json.loads(line)

    def latest(self) -> float | None:
        """The latest time at which anything was put down."""
        return max((line["at"] for line in self if "at" in line), default=None)


def _plain(fact: object) -> object:
    return fact.timestamp() if isinstance(fact, datetime) else fact


class Receiver:
    """All the tools, as ``Outbound`` reaches them."""

    def __init__(self, book: Book, clock: StandingClock, switches: Switches, seed: int) -> None:
        self.is_well = False
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        """What another instance does while this one is frozen."""
        self._book = book
        self._clock = clock
        self._visit = switches.visit
        self._seed = seed
        self._asked: dict[tuple[str, str], int] = {}
        for line in book:
            if line["what"] == "asked":
                self._count(line["tool"], line["id"])

    def destinations(self) -> Mapping[str, Destination]:
        """The tools as the product's own adapters reach them, for one instance."""
        return destinations_in(SECTIONS, Settings(), self)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundAnswer:
        del method
        place = under_way()
        self._visit(f"{place}.tool.before")
        tool = next(name for name in SECTIONS if name in url or name == MAIL)
        id_ = headers.get("webhook-id") or json.loads(body)["Metadata"][MESSAGE_ID]
        number = self._count(tool, id_)
        random = Random(f"{self._seed} {tool} {id_} {number}")
        way = "takes" if self.is_well else random.choices([*WAYS], [*WAYS.values()])[0]
        told = {"tool": tool, "id": id_, "attempt": attempt.get(), "way": way}
        digest = hashlib.sha256(body).hexdigest()
        self._book.add("asked", at=self._clock.now(), body=digest, **told)
        await self._pass_time(way)
        if way in ACTS:
            self._book.add("acted", at=self._clock.now(), body=digest, **told)
            self._visit(f"{place}.tool.acted")
        after_s = random.choice([1, 40, 700, 7_200]) if way == "limits" else None
        self._book.add("answered", at=self._clock.now(), after_s=after_s, **told)
        return _answer(way, tool, after_s)

    async def _pass_time(self, way: str) -> None:
        if way == "hangs":
            self._clock.forward(HUNG)
        if way == "freezes":
            self._clock.forward(FROZEN)
            if meanwhile := self.meanwhile:
                self.meanwhile = None  # who is asked meanwhile does not freeze as well
                await meanwhile()
                self.meanwhile = meanwhile
        await asyncio.sleep(0)

    def _count(self, tool: str, id_: str) -> int:
        number = self._asked[tool, id_] = self._asked.get((tool, id_), 0) + 1
        return number


def _answer(way: str, tool: str, after_s: int | None) -> OutboundAnswer:
    match way:
        case "unreached":
            raise UnreachedError("no connection, by the campaign")
        case "hangs" | "loses":
            raise UnansweredError("no answer, by the campaign")
        case "fails":
            return OutboundAnswer(503, {}, b"")
        case "limits":
            return OutboundAnswer(429, {"retry-after": str(after_s)}, b"")
        case "redirects":
            return OutboundAnswer(302, {"location": "https://elsewhere.example.com/"}, b"")
        case "gone":
            return OutboundAnswer(410, {}, b"")
    taken = b'{"ErrorCode": 0, "MessageID": "0a1b"}' if tool == MAIL else b""
    return OutboundAnswer(200, {}, taken)
