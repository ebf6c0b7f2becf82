"""The ports: interfaces that the use cases need, and the values that pass through them.

Every adapter of a port passes the port's contract suite in ``tests/contract``.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import (
    TYPE_CHECKING,
    Generic,
    NamedTuple,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
)

from msgspec import Struct

from warmlead.domain.errors import RejectedError
from warmlead.domain.event import Automation, Event, Trust

if TYPE_CHECKING:  # accepting functions know no leads
    from warmlead.domain.lead import Lead
    from warmlead.domain.nurture_record import NurtureRecord
    from warmlead.domain.stages import Transition
    from warmlead.ports.listing import LeadQuery, Listed, ListPlace

T = TypeVar("T")


# --- leads -------------------------------------------------------------------------------


class Need(Struct, frozen=True):
    """The answer of a change that must also read these leads before it can decide."""

    ids: frozenset[str]


class Tombstone(Struct, frozen=True):
    """The record at the id of an erased identifier: the time, and the others erased with it.

    ``ids`` are those of all identifiers that were erased together, this one among them.
    """

    erased_at: datetime
    ids: tuple[str, ...] = ()


class Unreadable(Struct, frozen=True):
    """A lead whose document cannot be read, and what is wrong with it, for a person."""

    id: str
    problem: str


class Commit(Struct, Generic[T], frozen=True):
    """What a change decided: written in one atomic commit, or not at all.

    ``nurtured`` is what became of sequences. ``aliases`` map an identifier's id to the id of
    the lead that holds it now. An id that was a lead's and is among the aliases, or the
    tombstones, stops being a lead; with a tombstone the moves and the nurture that were
    recorded under the id go too. ``retracted`` are ids of leads, each with an import whose
    moves go; at ``removed`` ids nothing stays. ``result`` is handed to the caller.
    """

    result: T
    leads: "Sequence[Lead]" = ()
    aliases: Mapping[str, str] = {}
    transitions: "Sequence[tuple[str, Transition]]" = ()
    tombstones: Mapping[str, Tombstone] = {}
    retracted: Collection[tuple[str, str]] = ()
    removed: Collection[str] = ()
    nurtured: "Sequence[tuple[str, NurtureRecord]]" = ()


Loaded: TypeAlias = "Mapping[str, Lead | Tombstone | Unreadable | None]"
"""What is at the ids asked for; aliases have been followed. ``None``: there is nothing.

Only a change that ``ToleratesUnreadable`` is shown ``Unreadable``; for others the update raises
``UnreadableError``.
"""

Change: TypeAlias = Callable[[Loaded], Commit[T] | Need]
"""A decision over leads: pure, and may be called again, with the same or with newer leads.

That includes leads on which it was committed already without the store's knowledge: so its effect
must be visible on them, and it must not be applied twice.
"""


class ToleratesUnreadable:
    """The base of changes that are shown leads whose documents cannot be read."""


class JointChange(ABC, Generic[T]):
    """The base of changes that a store may decide together.

    A store does so with changes of one class that wait for the same lead. The result is the same as
    applying them one by one.
    """

    @abstractmethod
    def __call__(self, loaded: Loaded) -> Commit[T] | Need:
        """Decides alone, as any ``Change`` does."""

    @abstractmethod
    def joined_with(self, others: Sequence[Self]) -> Change[Sequence[T]]:
        """One change for this one and the others; it answers for each in this order."""


Update: TypeAlias = tuple[Sequence[str], Change[T]]
"""The arguments of ``LeadStore.update``: ids, and the change to the leads at them."""

Evaluating: TypeAlias = Callable[[Sequence[str]], Awaitable[None]]
"""Evaluates the leads with some ids."""

Until: TypeAlias = Callable[[], bool]
"""Whether the time for some work is up."""


class DueLead(NamedTuple):
    """A lead that is due: since when, as a number, and its id; ordered by both.

    It is only a place in a queue: the change checks whether the lead is still due.
    """

    since: int
    id: str


class LeadStore(Protocol):
    """Keeps lead documents. Raises ``UnavailableError`` when it cannot answer.

    A document that cannot be read costs no other lead: an update or a look at it alone raises
    ``UnreadableError``.
    """

    async def update(self, ids: Sequence[str], change: Change[T]) -> T:
        """Loads the leads, calls ``change``, and commits exactly its decision, atomically.

        If another writer was faster, ``change`` is called again with the new leads. When it
        returns, the commit is durable. An error that ``change`` raises passes through, and nothing
        is written.
        """
        ...

    async def update_each(self, updates: Sequence[Update[T]]) -> Sequence[T | Exception]:
        """Several updates, each by itself, in as few commits as the store can.

        Returns for each the result of its change, or the error that ``update`` would raise.
        """
        ...

    async def get(self, lead_id: str) -> "Lead | None":
        """The lead that holds the identifier of this id, following aliases."""
        ...

    def leads(self) -> "AsyncIterator[Lead]":
        """Every lead once, in order of id; those that come meanwhile may be missing.

        Raises ``UnreadableError`` at the end, when all others have been handed out, if there are
        leads that cannot be read; it names each.
        """
        ...

    def with_unsent_triggers(self) -> "AsyncIterator[Lead]":
        """The leads whose outbox is not empty; about those that cannot be read see ``leads``."""
        ...

    @property
    def shards(self) -> int:
        """Into how many parts the leads are divided, by their ids; each has its own queues."""
        ...

    async def due_for_decay(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """The leads of a shard whose ``decay_on`` is not after a UTC day number.

        At most ``most``, the longest overdue first, those behind ``after`` if it is given; fewer
        only if there are no more. Reads only leads that are due.
        """
        ...

    async def due_beyond(
        self, day: int, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """The leads of a shard whose ``decay_on`` is after a UTC day; see ``due_for_decay``."""
        ...

    async def due_for_followup(
        self, now: datetime, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """The leads of a shard whose ``due_at`` is not after a moment; see ``due_for_decay``."""
        ...

    async def by_id(
        self, *, shard: int, most: int, after: DueLead | None = None
    ) -> Sequence[DueLead]:
        """The leads of a shard in order of id, whether they are due or not; see ``due_for_decay``.

        For work on every lead: ``since`` says nothing.
        """
        ...

    async def listed(
        self, asked: "LeadQuery", *, most: int, after: "ListPlace | None" = None
    ) -> "Sequence[Listed]":
        """At most ``most`` of the leads that are asked for, in the order that is asked for.

        ``after`` is the place of the last of the page before. No other leads are read.
        """
        ...

    async def found(self, word: str, *, most: int) -> "Sequence[Lead | Unreadable]":
        """At most ``most`` of the leads one of whose words begins with this, in any order.

        ``word`` is as ``sought_word`` makes it; nobody is found by an empty one. No other leads are
        read.
        """
        ...

    async def relist(self, evaluate: Evaluating, *, most: int, until: Until) -> bool:
        """Has all leads evaluated whose place in lists only an earlier release has written.

        ``evaluate`` is called with the ids of at most ``most``. Each is handed out once, whether
        that succeeds or not; what it raises passes through, and then those ids come again. Returns
        whether there are no more; unless the time is up there are none.
        """
        ...

    async def transitions(self, lead_id: str) -> "Sequence[Transition]":
        """The recorded moves of a lead between stages, the earliest first."""
        ...

    async def nurtured(self, lead_id: str) -> "Sequence[NurtureRecord]":
        """What became of a lead's sequences, the earliest first; as ``transitions``."""
        ...

    def erasures(self) -> AsyncIterator[Tombstone]:
        """Every tombstone, and the erasures of which leads that came later know; some repeat."""
        ...

    async def clear(self) -> None:
        """Forgets all leads, aliases and records about them: the beginning of a rebuild."""
        ...


# --- messages ----------------------------------------------------------------------------


class Message(Struct, frozen=True):
    """A message on the bus; ``attributes`` hold no personal data."""

    body: bytes
    attributes: Mapping[str, str]


class Published(Struct, frozen=True):
    """A message in a topic's log. ``number`` grows along the log.

    Where the log is apart from the bus, messages of one moment may share a number.
    """

    number: int
    message_id: str
    topic: str
    at: datetime
    message: Message


class Delivery(Struct, frozen=True):
    """A message handed to a subscriber; ``attempt`` counts from 1.

    ``is_alone`` says that it may have ended a process before: it is delivered without others, and
    nothing else should be worked on meanwhile.
    """

    token: str
    published: Published
    attempt: int
    is_alone: bool = False


class EventBus(Protocol):
    """Sends messages. Accepted messages are delivered at least once."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        """Publishes all of them and waits until they are durable; returns their ids.

        Raises ``UnavailableError`` if that is not certain for every one of them.
        """
        ...


class Subscriptions(Protocol):
    """Delivers messages on request, for a bus that does not push."""

    async def pull(self, subscription: str, *, most: int, now: datetime) -> Sequence[Delivery]:
        """Leases up to ``most`` messages that are due; nobody else gets them meanwhile.

        One that is neither acknowledged nor returned before its lease ends is due again: alone,
        when no other is due or it has waited for a minute. That attempt does not count. One that
        never ends while it is alone, time and again, is dead.
        """
        ...

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """The messages are done with."""
        ...

    async def retry_later(self, delivery: Delivery, *, why: str, now: datetime) -> None:
        """Makes the message due again after a growing pause, or, after the last attempt, dead."""
        ...

    async def dead(self, subscription: str) -> Sequence[tuple[Published, str]]:
        """The messages that were given up, each with the last error."""
        ...

    async def outstanding(self, subscription: str) -> Sequence[Published]:
        """The messages that are not acknowledged and not given up, without leasing them."""
        ...

    async def finish(self, subscription: str, numbers: Sequence[int]) -> None:
        """Finishes the messages, even if somebody holds them."""
        ...

    async def revive(self, subscription: str, numbers: Sequence[int], *, now: datetime) -> int:
        """Makes given-up messages due again; returns how many."""
        ...


# --- senders -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RawRequest:
    """An HTTP request as it came: what a signature covers, before anything is parsed.

    ``path`` is below the function's own (``/generic``), header names are in lower case, and
    ``body`` is as sent except that a declared or evident gzip has been undone.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    request_id: str


class Refused(Struct, frozen=True):
    """One item of a request that could not become an event, as it was sent.

    ``automated`` says why its request was no person's, if it said so; ``is_cut``, that ``raw``
    is not all of the item.
    """

    error: RejectedError
    raw: bytes
    index: int
    automated: Automation | None = None
    is_cut: bool = False


class Ignored(Struct, frozen=True):
    """Why there is nothing to do for an item, as a code and in words."""

    code: str
    message: str


class Accepted(Struct, frozen=True):
    """What became of a request's items: ``events`` are on the bus, ``refused`` in quarantine.

    ``notes`` are what was cut or left out of the items that were taken, each with its index. The
    answer to the sender is made of this: the request's body is not read again for it.
    """

    events: int
    refused: Sequence[Refused]
    items: int
    notes: Sequence[tuple[int, str]] = ()
    ignored: Sequence[tuple[int, Ignored]] = ()
    redirect: str = ""


class Translation(Struct, frozen=True):
    """What a sender's request says: events, and items that are none.

    ``index`` of an event is that of the item from which it came. ``keeps_refused`` is said for
    senders that make no use of an error, or whose items may be a person's: what they send goes to
    quarantine even if all of the request is refused. ``ignored`` are the items, by index, of which
    the sender's settings want nothing. ``redirect`` is where the request itself asks that its
    visitor be sent.
    """

    events: Sequence[tuple[int, Event]] = ()
    refused: Sequence[Refused] = ()
    items: int = 1
    keeps_refused: bool = False
    ignored: Sequence[tuple[int, Ignored]] = ()
    redirect: str = ""

    @property
    def accepted(self) -> Accepted:
        """What has become of the items once the events and the refused ones are published."""
        notes = tuple((index, note) for index, event in self.events for note in event.notes)
        return Accepted(
            events=len(self.events),
            refused=self.refused,
            items=self.items,
            notes=notes,
            ignored=self.ignored,
            redirect=self.redirect,
        )


class Source(Protocol):
    """One sender's way of speaking: pure, and the only place that knows its wire format."""

    @property
    def name(self) -> str:
        """The sender's name: the path under the function, and the ``source`` of its events."""
        ...

    def verify(self, request: RawRequest) -> Trust:
        """How far the request is to be trusted; ``RejectedError`` if its sender may not send it."""
        ...

    def translate(self, request: RawRequest, trust: Trust) -> Translation:
        """The events in the request; raises ``RejectedError`` if it cannot be read at all."""
        ...

    def resend(self, path: str, raw: bytes) -> tuple[str, bytes]:
        """The path and body with which one refused item of a request to ``path`` comes again."""
        ...


class Fetched(Struct, frozen=True):
    """What an address answered; ``body`` is cut at the fetcher's limit."""

    status: int
    body: bytes


class Fetcher(Protocol):
    """Gets what a vendor keeps for itself, at an address that a sender makes of its settings."""

    async def get(self, address: str, headers: Mapping[str, str]) -> Fetched:
        """The answer; no redirect is followed. ``UnavailableError`` if there is none in time."""
        ...


class CompletedSource(ABC):
    """The base of sources that ask a vendor about a request before they can translate it."""

    @abstractmethod
    async def completed(self, request: RawRequest) -> RawRequest:
        """The verified request with what the vendor says, or ``UnavailableError``."""


# --- time --------------------------------------------------------------------------------


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present, in aware UTC."""
        ...
