"""What of a sender's item was cut or left out, in words: bounded, and without any value of it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import CRM_ID, MAX_AGE, MAX_NOTE_LENGTH, MAX_NOTES, Trust, settle_time
from warmlead.sources.fields import MAX_KEY, field_name, person_id

T = TypeVar("T")

_BEFORE_THE_WEB = datetime(1995, 1, 1, tzinfo=UTC)
"""No sender of events is older: an earlier time is an unset one, such as the year 1970."""


class Notes:
    """Collects the notes on one item; the same note is kept once.

    ``error`` is the first for which a part of the item could not be used.
    """

    def __init__(self, earlier: Iterable[str] = ()) -> None:
        self.error: RejectedError | None = None
        self._texts = dict.fromkeys(earlier)
        self._more = 0

    def tell(self, field: str, what: str) -> None:
        """Takes note of what was done to a field; the name is empty for the item as a whole.

        Names are told in the form in which they are kept: at most 64 letters and digits.
        """
        text = (f"{field_name(field[:MAX_KEY])}: {what}" if field else what)[:MAX_NOTE_LENGTH]
        if text in self._texts:
            return
        if len(self._texts) < MAX_NOTES - 1:
            self._texts[text] = None
        else:
            self._more += 1

    @property
    def told(self) -> tuple[str, ...]:
        """The notes, the first 19; then how many more there were."""
        more = (f"and {self._more} more",) if self._more else ()
        return (*self._texts, *more)

    def attempt(self, field: str, read: Callable[..., T], *arguments: object) -> T | None:
        """What a part of the item is read as; ``None``, and a note, if it cannot be used."""
        try:
            return read(*arguments)
        except RejectedError as error:
            self.refuse(field, error)
            return None

    def refuse(self, field: str, error: RejectedError) -> None:
        """Leaves a part of the item out for an error."""
        self.error = self.error or error
        self.tell(field, f"was left out ({error.reason})")

    def person_id(
        self, value: object, field: str, trust: Trust, *, is_user: bool = False
    ) -> str | None:
        """A usable user or anonymous id; ``None`` for none, and, with a note, for what is no id."""
        read = partial(person_id, is_user=is_user)
        found = self.attempt(field, read, value, field)
        if found and found.startswith(CRM_ID) and trust is Trust.PUBLIC:
            text = f"{field} is the id of a CRM's record, which only a signed event may name."
            self.refuse(field, RejectedError(Reason.IDENTITY_INVALID, text))
            return None
        return found

    def settled(self, claimed: datetime | None, received_at: datetime, field: str) -> datetime:
        """The time at which an event counts: of receipt, if its sender's is unknown or no time.

        One that is more than five years ago counts as of five years ago, so that it has no
        effect on the present.
        """
        settled = settle_time(claimed, received_at)
        if settled is not None:
            return settled
        if claimed is None or claimed < _BEFORE_THE_WEB:
            self.tell(field, "is before 1995; the time of receipt counts")
            return received_at
        self.tell(field, "is more than five years ago; it counts as five years ago")
        return received_at - MAX_AGE
