"""A dispatch: one message on its way to one destination, with its attempts and its end.

Pure: stores keep dispatches, and ``application.deliver`` attempts them.
"""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

PAUSES_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds from each failed attempt to the next: the schedule that Standard Webhooks recommends.

Ten attempts in a little over three days
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

MAX_ATTEMPTS = len(PAUSES_S) + 1

SPREAD = 0.1
"""A pause is longer by up to this part of it, so that what failed together comes back apart."""

CLAIM_S = 120
"""Seconds for which an attempt keeps others away; after them its process is taken for dead."""

LONGEST_WAIT_S = 86_400
"""The longest pause that a destination may ask for."""

FARTHEST = timedelta(days=2)
"""No pause is as long as this: what is due later was written by a clock that ran ahead."""

KEPT = timedelta(days=31)
"""How long a finished dispatch is remembered: longer than any repeat of its message."""

LEFT_FOR = timedelta(days=3)
"""How long dispatches wait for a destination that is no longer in the file, as for one that fails.

A section that was removed by mistake comes back within it, and nothing has happened.
"""

NOT_IN_THE_FILE = "the destination is no longer in the file"


class DispatchState(StrEnum):
    """Where a dispatch stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"
    DEAD = "dead"
    UNREADABLE = "unreadable"
    """Under this a store keeps a dispatch that it cannot read; no dispatch says it of itself."""

    @property
    def is_open(self) -> bool:
        """Whether the dispatch still has an attempt before it."""
        return self in (DispatchState.WAITING, DispatchState.SENDING)


# --- how an attempt ends -------------------------------------------------------------------


class Sent(Struct, frozen=True):
    """The destination has it; ``reference`` is its own id for what it made of it, if it told."""

    reference: str = ""


class Skipped(Struct, frozen=True):
    """There is nothing to do, and why."""

    why: str


class Postponed(Struct, frozen=True):
    """It may succeed later.

    ``after_s`` is the pause in seconds that the destination asks for, with everything. With
    ``is_certain`` the destination has certainly done nothing; without, its answer was lost.
    """

    why: str
    after_s: float | None = None
    is_certain: bool = True


class Declined(Struct, frozen=True):
    """The destination will never take this one, and why."""

    why: str


class Gone(Struct, frozen=True):
    """The destination wants nothing any more: it is disabled until a person enables it."""

    why: str


AttemptResult: TypeAlias = Sent | Skipped | Postponed | Declined | Gone


# --- one dispatch --------------------------------------------------------------------------


class Dispatch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message for one destination.

    ``id`` and ``kind`` are those of the CloudEvent, ``lead_id`` is empty if it is about no lead.
    ``body`` is the message as it was published, and empty once the dispatch is over: what is left
    is a mark against repeats. ``due_at`` is the next attempt, and while one is under way the time
    at which it is taken for dead. ``attempts`` are those that have begun; ``claim`` names the last,
    so that who began it knows it again.
    """

    destination: str
    id: str
    kind: str
    lead_id: str
    body: bytes
    begun_at: datetime
    state: DispatchState = DispatchState.WAITING
    due_at: datetime | None = None
    attempts: int = 0
    claim: str = ""
    why: str = ""
    reference: str = ""
    ended_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether an attempt may begin."""
        return self.due_at is not None and not now < self.due_at <= now + FARTHEST

    def verdict(self, *, may_repeat: bool) -> Declined | None:
        """What is said of an attempt that never ended, if no other may follow; else ``None``.

        It may have succeeded. Unless the destination ``may_repeat`` what it has done already, a
        person decides. A message that ends every process that sends it has its last attempt too.
        """
        if self.state is not DispatchState.SENDING:
            return None
        if not may_repeat:
            return Declined("the process ended during an attempt, which may have succeeded")
        if self.attempts >= MAX_ATTEMPTS:
            return Declined("the process ended during the last attempt")
        return None

    def claimed(self, claim: str, now: datetime, *, begins: bool = True) -> "Dispatch":
        """The dispatch in the hands of who ``claim`` names; an attempt ``begins``, or a verdict."""
        return replace(
            self,
            state=DispatchState.SENDING,
            attempts=self.attempts + begins,
            claim=claim,
            due_at=now + timedelta(seconds=CLAIM_S),
        )

    def put_off(self, until: datetime, why: str) -> "Dispatch":
        """The dispatch waiting for its destination; that is no attempt."""
        return replace(self, state=DispatchState.WAITING, due_at=until, why=why)

    def not_begun(self, now: datetime, why: str) -> "Dispatch":
        """The claimed dispatch, of which the attempt could not begin for a reason of ours."""
        waiting = self.put_off(now + timedelta(seconds=PAUSES_S[0]), why)
        return replace(waiting, attempts=self.attempts - 1)

    def after(self, result: AttemptResult, now: datetime, *, may_repeat: bool) -> "Dispatch":
        """The dispatch after an attempt."""
        match result:
            case Sent():
                return replace(self._over(DispatchState.SENT, "", now), reference=result.reference)
            case Skipped():
                return self._over(DispatchState.SKIPPED, result.why, now)
            case Declined() | Gone():
                return self._dead(result.why, now)
        if not (result.is_certain or may_repeat):
            return self._dead(f"{result.why}; it may have succeeded", now)
        if self.attempts >= MAX_ATTEMPTS:
            return self._dead(result.why, now)
        pause_s = max(self._pause_s(), min(result.after_s or 0, LONGEST_WAIT_S))
        return self.put_off(now + timedelta(seconds=pause_s), result.why)

    def revived(self, now: datetime) -> "Dispatch":
        """A dead dispatch that begins anew, because a person says so."""
        return replace(
            self, state=DispatchState.WAITING, attempts=0, due_at=now, ended_at=None, why=""
        )

    def given_up(self, why: str, now: datetime) -> "Dispatch":
        """The dispatch without any further attempt, as one that waits for a person."""
        if not self.state.is_open:
            return self
        in_doubt = self.state is DispatchState.SENDING  # the process ended during it
        return self._dead(f"{why}; it may have succeeded" if in_doubt else why, now)

    def _pause_s(self) -> float:
        """Seconds to the next attempt: for one dispatch and attempt always the same."""
        text = f"{self.destination}\n{self.id}\n{self.attempts}"
        part = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32
        return PAUSES_S[self.attempts - 1] * (1 + SPREAD * part)

    def _over(self, state: DispatchState, why: str, now: datetime) -> "Dispatch":
        return replace(self, state=state, why=why, due_at=None, ended_at=now, body=b"")

    def _dead(self, why: str, now: datetime) -> "Dispatch":
        return replace(self, state=DispatchState.DEAD, why=why, due_at=None, ended_at=now)


# --- a destination as a whole --------------------------------------------------------------

FAILURES_TO_OPEN = 5
"""After this many failures without a success in between, a destination is left alone."""

SHORTEST_REST_S = 30
LONGEST_REST_S = 600


class Circuit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a destination fares: a circuit breaker, and whether it is disabled.

    ``failures`` counts those since the last success, but for those of attempts that were under way
    when it opened. Until ``open_until`` nothing is sent there, whatever they come to.
    ``disabled_at`` is when the destination said that it wants no more, or ``None``; ``missed_at``
    when it was first seen that the file has no such destination any more.
    """

    failures: int = 0
    open_until: datetime | None = None
    disabled_at: datetime | None = None
    why: str = ""
    missed_at: datetime | None = None

    def rests_until(self, now: datetime) -> datetime | None:
        """Until when the destination is left alone; ``None``: it may be tried."""
        until = self.open_until
        return until if until and now < until <= now + FARTHEST else None

    def after(self, result: AttemptResult, now: datetime) -> "Circuit":
        """The circuit after an attempt."""
        match result:
            case Postponed():
                return self._failed(result, now)
            case Gone():
                return replace(self, disabled_at=now, why=result.why)
            case Skipped():
                return self
        return self._succeeded(now) if self.failures else self

    def missed(self, now: datetime) -> "Circuit":
        """The circuit of a destination that the file does not have; the first time counts."""
        ahead = self.missed_at is not None and self.missed_at > now  # by a clock that ran ahead
        return replace(self, missed_at=now) if ahead or self.missed_at is None else self

    def found(self) -> "Circuit":
        """The circuit of a destination that the file has, or has again."""
        return replace(self, missed_at=None)

    def enabled(self) -> "Circuit":
        """The circuit of a destination that a person has enabled."""
        return Circuit()

    def _succeeded(self, now: datetime) -> "Circuit":
        rests_until = self.rests_until(now)
        why = self.why if rests_until or self.disabled_at else ""
        return replace(self, failures=0, open_until=rests_until, why=why)

    def _failed(self, result: Postponed, now: datetime) -> "Circuit":
        rests_until = self.rests_until(now)
        failures = self.failures if rests_until else self.failures + 1
        beyond = failures - FAILURES_TO_OPEN
        rest_s = min(SHORTEST_REST_S * 2 ** min(beyond, 10), LONGEST_REST_S) if beyond >= 0 else 0
        rest_s = 0 if rests_until else rest_s
        rest_s = max(rest_s, min(result.after_s or 0, LONGEST_WAIT_S))
        asked = now + timedelta(seconds=rest_s) if rest_s else None
        until = max((each for each in (rests_until, asked) if each), default=None)
        why = self.why if self.disabled_at else result.why
        return replace(self, failures=failures, open_until=until, why=why)
