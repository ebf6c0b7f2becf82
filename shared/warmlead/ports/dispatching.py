"""The ports of sending triggers to tools: destinations, what they are reached by, and the queue."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from warmlead.domain.dispatch import AttemptResult, Circuit, Dispatch, DispatchState
from warmlead.domain.errors import UnavailableError

AT_ONCE = 8
"""Attempts of one process at one destination at the same time."""


class OutgoingMessage(Struct, frozen=True, kw_only=True):
    """A message of ours, a CloudEvent, on its way out.

    ``body`` is the whole of it as it was published; ``data`` is what it says, decoded. ``lead_id``
    is empty if it is about no lead.
    """

    id: str
    kind: str
    at: datetime
    lead_id: str
    body: bytes
    data: Mapping[str, Any]


class Destination(ABC):
    """A tool that messages are sent to: those of its ``kinds`` for which a ``condition`` holds.

    ``may_repeat`` says whether the same message may reach the tool twice without harm, because
    the tool recognises its id. ``writes_to_people``: what is sent reaches the person, so that
    consent is looked at again just before. ``at_once`` attempts of this process go on at the same
    time; ``turns`` sees to it.
    """

    kinds: frozenset[str] = frozenset()
    condition: str = ""
    may_repeat: bool = True
    writes_to_people: bool = False
    at_once: int = AT_ONCE

    def __init__(self, name: str) -> None:
        self.name = name
        self.turns = asyncio.Semaphore(self.at_once)

    @abstractmethod
    def wants(self, message: OutgoingMessage) -> bool:
        """Whether the message is for this destination."""

    @abstractmethod
    async def send(self, message: OutgoingMessage, now: datetime) -> AttemptResult:
        """One attempt. Raises ``UnreachedError`` and ``UnansweredError`` as ``Outbound`` does."""

    async def setup(self) -> Sequence[str]:
        """Creates at the tool what it needs once, and names what was created; most need nothing."""
        return ()


# --- how tools are reached -----------------------------------------------------------------


class UnreachedError(UnavailableError):
    """Nothing was sent: no address, no connection, or an address that is not allowed."""


class UnansweredError(UnavailableError):
    """Something was sent, and there is no answer: the tool may have done it."""


class OutboundAnswer(Struct, frozen=True):
    """What a tool answered; header names are in lower case, ``body`` is cut at a limit."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300  # noqa: PLR2004  # HTTP's class of success


class Outbound(Protocol):
    """Sends HTTP requests to tools, and to nobody else: no redirects, no proxies, no own network.

    Raises ``UnreachedError`` if certainly nothing arrived, ``UnansweredError`` if that is not
    known.
    """

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> OutboundAnswer:
        """The answer to one request, within the adapter's time limit."""
        ...


# --- the queue -----------------------------------------------------------------------------


class DispatchKey(Struct, frozen=True, order=True):
    """Which dispatch: its destination's name and its message's id."""

    destination: str
    id: str


Decide: TypeAlias = Callable[[Dispatch | None], Dispatch | None]
"""A decision over a dispatch, ``None`` if there is none yet; it returns ``None`` to change nothing.

Pure, and may be called again with a newer dispatch: also with its own, if the answer to the
commit was lost. What it makes of that must be the same again.
"""

DecideCircuit: TypeAlias = Callable[[Circuit], Circuit]


class UnreadableDispatch(Struct, frozen=True):
    """A dispatch of which the record cannot be read; ``problem`` quotes nothing of it."""

    destination: str
    id: str
    problem: str


class UnreadableDispatchError(UnavailableError):
    """A dispatch cannot be read: a newer release wrote it, or it is damaged. It stays as it is."""

    def __init__(self, unreadable: UnreadableDispatch) -> None:
        where = f"the message {unreadable.id} to {unreadable.destination}"
        super().__init__(f"{where} cannot be read: {unreadable.problem}")
        self.unreadable = unreadable


KeptDispatch: TypeAlias = Dispatch | UnreadableDispatch


class DispatchStore(Protocol):
    """Keeps dispatches and how destinations fare. Raises ``UnavailableError``.

    One that cannot be read costs no other anything, and is never written over.
    """

    async def change(self, key: DispatchKey, decide: Decide) -> Dispatch | None:
        """Writes what ``decide`` makes of the dispatch, which is ``None`` if there is none yet.

        Returns what it decided; ``None`` if that is to change nothing. If another writer was
        faster, ``decide`` is called again. When this returns, the change is durable. Raises
        ``UnreadableDispatchError``.
        """
        ...

    async def set_aside(self, key: DispatchKey, now: datetime, until: datetime) -> None:
        """Puts a dispatch that cannot be read into the state ``UNREADABLE``, its record untouched.

        ``due`` hands it out again after ``until``, and ``prune`` takes it as ended at the ``now``
        of the first time.
        """
        ...

    async def due(self, destination: str, now: datetime, *, most: int) -> Sequence[KeptDispatch]:
        """At most ``most`` dispatches of which an attempt may begin, the longest due first.

        Last come those that are due later than any pause: a clock that ran ahead wrote them.
        """
        ...

    async def in_state(
        self, destination: str, state: DispatchState, *, most: int, after: str = ""
    ) -> Sequence[KeptDispatch]:
        """At most ``most`` dispatches in a state in order of id, those behind the id ``after``."""
        ...

    async def destinations(self) -> Sequence[str]:
        """The destinations of which any dispatch is kept, in the order of their names."""
        ...

    async def counts(self, destination: str) -> Mapping[DispatchState, int]:
        """How many dispatches of a destination are in each state; counted, not read."""
        ...

    async def circuit(self, destination: str) -> Circuit:
        """How a destination fares; a new one has no failures."""
        ...

    async def change_circuit(self, destination: str, decide: DecideCircuit) -> Circuit:
        """Writes what ``decide`` makes of the circuit, atomically; nothing if it is the same."""
        ...

    def of_leads(self, lead_ids: Collection[str]) -> AsyncIterator[KeptDispatch]:
        """The dispatches about these leads."""
        ...

    async def erase(self, lead_ids: Collection[str]) -> int:
        """Deletes the dispatches about these leads; returns their number."""
        ...

    async def prune(self, destination: str, before: datetime, *, most: int) -> int:
        """Deletes at most ``most`` dispatches that ended by a time; returns their number."""
        ...
