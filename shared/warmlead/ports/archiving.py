"""The ports of what is kept of messages: reading it again, finding persons in it, erasing them."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol

from warmlead.ports import Published


class MessageLog(Protocol):
    """Reads back what was published. Raises ``UnavailableError``."""

    def read(self, topic: str) -> AsyncIterator[Published]:
        """The messages of a topic, each once, the oldest first; none if the topic has no log.

        However many there are, only a page of them is in memory.
        """
        ...

    async def whole_since(self, topic: str) -> datetime | None:
        """The time since which no message of the topic is missing; ``None``: none ever was.

        Those before it were deleted for their age, or published before there was a log.
        """
        ...


class Archive(MessageLog, Protocol):
    """A log that can be searched for persons, and from which they can be erased.

    Raises ``ConfigurationError`` if a person must change something first, such as a right.
    """

    def of_leads(self, lead_ids: Collection[str]) -> AsyncIterator[Published]:
        """The messages whose attribute ``lead_id`` is one of these, each once, the oldest first."""
        ...

    async def erase(self, messages: Sequence[Published]) -> Sequence[Published]:
        """Deletes messages for good, with all their copies; safe to repeat.

        Returns those that cannot be deleted yet: they are found again, and can be erased later.
        """
        ...
