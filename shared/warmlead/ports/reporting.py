"""The port of reports: where they are kept, and the moves of which they are made."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.ports.imports import Spend


class Life(Struct, frozen=True):
    """All moves of one person, whichever of the person's ``ids`` they were recorded under."""

    ids: frozenset[str]
    moves: Sequence[Transition]


class SpendBook(Protocol):
    """Where spend is kept. Raises ``UnavailableError``."""

    def spend(self, start: date, end: date) -> AsyncIterator[Spend]:
        """What was spent from the day ``start`` on and before the day ``end``; no others."""
        ...


class ReportStore(Protocol):
    """Keeps reports, and reads the data from which they are made. Raises ``UnavailableError``."""

    def moves(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """The moves of all leads that were so from ``start`` until before ``end``, with lead ids.

        In no certain order, a page at a time; no others are read, and no leads.
        """
        ...

    def late_moves(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, Transition]]:
        """The moves that were learnt from ``start`` on, on a later UTC day than they were so.

        Until before ``end``; as ``moves``.
        """
        ...

    def nurtured(self, start: datetime, end: datetime) -> AsyncIterator[tuple[str, NurtureRecord]]:
        """What became of the sequences of all leads from ``start`` until before ``end``.

        As ``moves``.
        """
        ...

    def lives(self, lead_ids: Collection[str]) -> AsyncIterator[Life]:
        """Each person who has one of these ids, once; a page at a time.

        An id of nobody is a person of its own, with the moves that were recorded under it.
        """
        ...

    async def leads_in(self, stages: Sequence[str]) -> Mapping[str, int]:
        """How many leads are in each of some stages now; counted, not read."""
        ...

    async def scores(self, bounds: Sequence[int]) -> Sequence[int]:
        """How many leads have which score now: below the first bound, then from each bound on.

        Each count ends before the next bound. Counted, not read; a lead without a score is in none.
        """
        ...

    async def grown_since(self, moment: datetime, stages: Sequence[str]) -> Mapping[str, int]:
        """By how many leads each of some stages has grown by moves that were so since a moment.

        Moves into it less moves out of it, ``moment`` included; counted, not read.
        """
        ...

    async def keep(self, period: str, report: str) -> None:
        """Keeps the report of a period, in the place of the one before."""
        ...

    async def report(self, period: str) -> str | None:
        """The report of a period, as it was kept."""
        ...
