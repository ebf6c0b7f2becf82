"""What this instance has just written, so that it need not be read again.

It may be old: whoever decides on what is warm must make the write fail if it has changed.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from warmlead.stores.firestore_documents import NOTHING, Stored
from warmlead.stores.unit_of_work import Alias

MOST_KEPT = 1_024
KEPT_S = 5.0
"""Longer, and another instance has probably written it: then the attempt costs a commit."""


class Warm:
    """Records by id, for some seconds; those that other instances write too are not kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, Stored | None]] = OrderedDict()

    def at(self, ids: Iterable[str]) -> dict[str, Stored]:
        """What is kept of these ids."""
        return {id_: stored for id_ in ids if (stored := self._at(id_))}

    def home_of(self, id_: str) -> str:
        """The id of the lead that holds the identifier, as far as it is known here."""
        stored = self._at(id_)
        return stored.record.lead_id if stored and isinstance(stored.record, Alias) else id_

    def keep(self, written: Mapping[str, Stored]) -> None:
        """Keeps records, as they are now known to be."""
        now = time.monotonic()
        for id_, stored in written.items():
            until, known = self._kept.get(id_, (0.0, stored))
            if known is None and until > now:
                continue  # contested
            self._kept[id_] = (now + KEPT_S, stored)
            self._kept.move_to_end(id_)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def contested(self, ids: Iterable[str]) -> None:
        """Somebody else writes these as well: they are not kept for a while."""
        now = time.monotonic()
        self._kept.update(dict.fromkeys(ids, (now + KEPT_S, None)))

    def is_contested(self, id_: str) -> bool:
        """Whether somebody else was faster here of late."""
        until, stored = self._kept.get(id_, (0.0, NOTHING))
        return stored is None and until > time.monotonic()

    def forget_all(self) -> None:
        """Keeps nothing any more."""
        self._kept.clear()

    def _at(self, id_: str) -> Stored | None:
        until, stored = self._kept.get(id_, (0.0, None))
        return stored if until > time.monotonic() else None
