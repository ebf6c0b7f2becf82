"""How many messages may wait in a lead until they can be sent.

A lead must not outgrow its store, however long an outage of the bus lasts. So the longer the queue
of its messages, the smaller they are, and the fewer are made. No message that was made is dropped.
"""

import json
from collections.abc import Iterable

from warmlead.domain.nurture import MAX_ALONGSIDE
from warmlead.domain.trigger import Trigger

MAX_STORED_BYTES = 1_048_487
"""The largest text that Firestore keeps in a field: https://firebase.google.com/docs/firestore/quotas"""

MAX_WAITING_BYTES = 100_000
"""With more than this in messages that wait, further ones are small.

An alert then waits for the one before it of the same name, and an update for the one before.
"""

MAX_SMALL_BYTES = 5_500
"""The limit of a small message, as it stands in the lead until it is sent."""

MAX_AT_ONCE = 34 + MAX_ALONGSIDE
"""The limit of messages that one evaluation makes.

Two moves, an offer, the deadlines of three offers, 20 alerts, an update, and a step of a sequence
and of each that may run beside it.
"""

_LARGE_BYTES = 64_000  # the largest message that is not small
_REST_BYTES = 50_000  # of the lead: progress, offer, enrolments, records of alerts, what it knows
_AT_ONCE_BYTES = MAX_AT_ONCE * MAX_SMALL_BYTES


def bytes_of_waiting(triggers: Iterable[Trigger]) -> int:
    """The room that messages take in the lead until they are sent."""
    return sum(len(json.dumps(each.body)) + len(str(each.attributes)) for each in triggers)


def must_be_small(waiting_bytes: int, lead_bytes: int) -> bool:
    """Whether further messages of a lead are small: much waits, or the lead is large itself."""
    most = min(MAX_WAITING_BYTES, _room_beside(lead_bytes) - _LARGE_BYTES)
    return waiting_bytes > most


def is_full(waiting_bytes: int, lead_bytes: int) -> bool:
    """Whether no more messages may wait: those of one more evaluation might not fit."""
    return bool(waiting_bytes) and waiting_bytes > max(0, _room_beside(lead_bytes))


def _room_beside(lead_bytes: int) -> int:
    """The room for messages, if one more evaluation is to fit beside the lead's data."""
    return MAX_STORED_BYTES - lead_bytes - _REST_BYTES - _AT_ONCE_BYTES
