"""The port of imports: what was spent, and which imports there are."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct


class Spend(Struct, frozen=True, kw_only=True):
    """What was spent on a day, by a row that was imported.

    ``key`` is made of the row, so that the same row again is the same record. ``amount_cents`` is
    in the smallest unit of the ``currency`` (ISO 4217). ``channel``, ``source``, ``medium`` and
    ``campaign`` are as the row names them, empty if it does not. ``imported`` is the import.
    """

    key: str
    day: date
    amount_cents: int
    currency: str
    channel: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    imported: str = ""


class ImportRecord(Struct, frozen=True, kw_only=True):
    """One import: its files by the hash of their content, and how far it has come.

    ``content`` is the hash of files, mapping and model. ``placed`` is the place of the last person
    who is done, in the order of places; ``ended_at`` is ``None`` until all are.
    """

    name: str
    files: Mapping[str, str]
    content: str
    began_at: datetime
    ended_at: datetime | None = None
    placed: str = ""
    persons: int = 0
    events: int = 0
    moves: int = 0
    spend: int = 0
    errors: int = 0


class ImportStore(Protocol):
    """Keeps spend and the record of imports. Raises ``UnavailableError``."""

    async def keep(self, record: ImportRecord) -> None:
        """Keeps the record of an import, in the place of the one before."""
        ...

    async def imports(self) -> Sequence[ImportRecord]:
        """The records of all imports, by name."""
        ...

    async def keep_spend(self, spends: Sequence[Spend]) -> None:
        """Keeps what was spent; one with a known key takes the place of the one before."""
        ...

    def spend(self, start: date, end: date) -> AsyncIterator[Spend]:
        """What was spent from the day ``start`` on and before the day ``end``, the earliest first.

        No others are read.
        """
        ...

    async def forget(self, name: str) -> int:
        """Deletes the record of an import, and its spend; returns how many rows of spend."""
        ...
