"""What all destinations share: their settings, which messages they want, and common answers."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from warmlead.destinations.selection import Selection, kind_faults, kinds_of
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed, Sent
from warmlead.ports.dispatching import Destination, Outbound, OutboundAnswer, OutgoingMessage
from warmlead.settings import SettingFault, faults_of

Secrets = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
"""The first is used; where a tool checks signatures, each of them makes one."""

_LATER = frozenset((408, 409, 423, 425, 429))
"""Statuses of the 4xx class for which a retry may help."""

MAX_SHOWN = 200
"""Characters of a tool's own words that are kept with a failure."""


class DestinationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a destination's settings: its section of the file of WARMLEAD_DESTINATIONS.

    ``to`` names the tool. ``messages`` are the kinds that are sent there; of them only those for
    which ``when`` holds, a condition in CEL over what a message says. ``allow_local`` lets
    requests to this machine through; it is only for one's own machine.
    """

    to: str
    messages: tuple[str, ...] = ()
    when: str = ""
    allow_local: bool = False

    @classmethod
    def default_messages(cls) -> tuple[str, ...]:
        """The kinds that are sent if the section names none; by default all about leads."""
        return kinds_of(())

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """Everything that is wrong with the section, which stands at ``where`` in the file."""
        found = faults_of(given, cls, where)
        return found or (kind_faults(given, where) if isinstance(given, Mapping) else [])

    @classmethod
    def unsafe(cls, given: Mapping[str, Any], where: tuple[str, ...]) -> Iterator[SettingFault]:
        """The settings that are safe on one's own machine only; in production each is a fault."""
        if given.get("allow_local"):
            yield SettingFault((*where, "allow_local"), "is only for one's own machine")

    @property
    def selection(self) -> Selection:
        """Which messages the destination wants."""
        kinds = kinds_of(self.messages) if self.messages else self.default_messages()
        return Selection(kinds, self.when)


class SelectingDestination(Destination):
    """The base of destinations: a name, and the messages that their settings select."""

    def __init__(self, name: str, settings: DestinationSettings, outbound: Outbound) -> None:
        super().__init__(name)
        self._selection = settings.selection
        self.kinds, self.condition = self._selection.kinds, settings.when
        self._outbound = outbound

    def wants(self, message: OutgoingMessage) -> bool:
        """See ``Destination``."""
        return self._selection.selects(message)


def result_of(answer: OutboundAnswer, now: datetime, *, shown: str = "") -> AttemptResult:
    """What an answer means by its status alone; ``shown`` are words of the tool's, for a person.

    Anything that a retry may mend is postponed, with the pause of ``Retry-After``.
    """
    if answer.is_success:
        return Sent()
    why = f"it answered {answer.status}" + (f": {shown[:MAX_SHOWN]}" if shown else "")
    if answer.status in _LATER or answer.status >= 500:  # noqa: PLR2004  # HTTP's class of errors
        return Postponed(why, after_s=retry_after_s(answer, now))
    return Declined(why)


def retry_after_s(answer: OutboundAnswer, now: datetime) -> float | None:
    """The pause in seconds that ``Retry-After`` asks for: a number of seconds, or a date."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    try:
        until = parsedate_to_datetime(asked[:100])
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())


def is_plain(token: str) -> bool:
    """Whether a key may stand in a header: printable ASCII without a blank."""
    return token.isascii() and token.isprintable() and " " not in token
