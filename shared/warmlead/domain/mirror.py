"""Up-to-date records: when tools that mirror a lead are sent what has changed.

A lead keeps a fingerprint of each field as it was sent last, and no values.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

ID = "id"
"""The lead's own id: a tool that knows it under another is sent the new one."""

_PRINT_BYTES = 4


class Mirrored(StrEnum):
    """What a tool may mirror of a lead."""

    SCORE = "score"
    GRADE = "grade"
    STAGE = "stage"
    TRAITS = "traits"
    CONSENT = "consent"
    OWNER = "owner"


class UpdatePolicy(Struct, frozen=True):
    """Which fields tools mirror, and how soon a change of them is sent.

    A lead is updated once in ``at_most_every``. Changes that no event has caused (the time has, or
    a changed model) are distributed over ``spread``, by the leads' ids.
    """

    fields: frozenset[Mirrored] = frozenset(Mirrored)
    at_most_every: timedelta = timedelta(minutes=10)
    spread: timedelta = timedelta(hours=1)

    def wait(self, lead_id: str) -> timedelta:
        """How long a change of the lead waits if no event has caused it; the same every time."""
        digest = hashlib.sha256(lead_id.encode()).digest()
        return self.spread * (int.from_bytes(digest[:6]) / (1 << 48))


class Mirror(Struct, frozen=True):
    """What tools know of a lead: the fingerprints of its fields, as they were sent last.

    ``count`` is how often they were sent, ``at`` when last. ``due`` is when a change that waits is
    sent; ``None``: none waits.
    """

    prints: Mapping[str, str] = {}
    count: int = 0
    at: datetime | None = None
    due: datetime | None = None


NOT_MIRRORED = Mirror()


class Refreshed(Struct, frozen=True):
    """The mirror as of now, and the fields that are sent now; none: nothing is sent."""

    mirror: Mirror
    changed: tuple[str, ...] = ()


def refreshed(
    policy: UpdatePolicy,
    mirror: Mirror,
    values: Mapping[str, object],
    now: datetime,
    *,
    wait: timedelta,
    is_held: bool = False,
) -> Refreshed:
    """The mirror of a lead whose fields have some ``values`` now, ``id`` among them.

    A change is sent after ``wait``, if none waits already, and not before its time; nor while it
    ``is_held``, because the last one could not be sent yet.
    """
    prints = {name: _print(values[name]) for name in (ID, *sorted(policy.fields))}
    changed = tuple(name for name, each in prints.items() if mirror.prints.get(name) != each)
    if not changed:
        return Refreshed(_waiting(mirror, None))
    due = now + wait if mirror.due is None else min(mirror.due, now + wait)
    if mirror.at is not None:
        due = max(due, mirror.at + policy.at_most_every)
    if due > now or is_held:
        return Refreshed(_waiting(mirror, due))
    return Refreshed(Mirror(prints, mirror.count + 1, now), changed)


def without_update(mirror: Mirror) -> Mirror:
    """The mirror of a lead that is not to be updated: nothing waits."""
    return _waiting(mirror, None)


def _waiting(mirror: Mirror, due: datetime | None) -> Mirror:
    return mirror if mirror.due == due else Mirror(mirror.prints, mirror.count, mirror.at, due)


def _print(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=_PRINT_BYTES).hexdigest()


def merge_mirrors(parts: Iterable[Mirror]) -> Mirror:
    """What tools know of a person of whom several were kept: what they were sent last.

    No later update has the number of an earlier one.
    """
    some = list(parts)
    sent = [each for each in some if each.at is not None]
    last = max(sent, key=lambda m: (m.at, m.count, sorted(m.prints.items())), default=NOT_MIRRORED)
    count = max((each.count for each in some), default=0)
    due = min((each.due for each in some if each.due), default=None)
    return Mirror(last.prints, count, last.at, due)
