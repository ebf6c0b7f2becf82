"""Delivers messages to tools: each to every destination that wants it, with patience.

A message becomes one dispatch a destination, kept before the first attempt. A destination that
fails, hangs or wants no more keeps no other waiting: it has a schedule and a circuit of its own.
"""

import asyncio
import re
import uuid
from collections.abc import (
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from warmlead.application.privacy.erase import Look
from warmlead.domain.dispatch import (
    CLAIM_S,
    AttemptResult,
    Circuit,
    Declined,
    Dispatch,
    DispatchState,
    Postponed,
    Skipped,
)
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.lead import Lead
from warmlead.domain.nurture import Ending
from warmlead.domain.rules import Rules
from warmlead.messages.contract import MESSAGES, StepDueMessage
from warmlead.ports import Clock, LeadStore, Message, Tombstone
from warmlead.ports.dispatching import (
    Destination,
    DispatchKey,
    DispatchStore,
    OutgoingMessage,
    UnansweredError,
    UnreachedError,
    UnreadableDispatch,
    UnreadableDispatchError,
)

ATTEMPT_S = 30.0
"""Seconds for one attempt with all that it does."""

TURN_S = 10.0
"""Seconds for which a message waits for its turn at a destination.

With an attempt after them, and the calls of the store, a push ends within its 60 s.
"""

STEP_DUE = str(StepDueMessage.model_fields["type"].default)

Failed = Callable[[str, BaseException], None]
"""Told of an unexpected error: the destination's name, and the error."""

Unread = Callable[[UnreadableDispatch], None]
"""Told of a dispatch that cannot be read."""


class Dispatching(Struct, frozen=True, kw_only=True):
    """What delivering needs."""

    dispatches: DispatchStore
    leads: LeadStore
    destinations: Mapping[str, Destination]
    rules: Rules
    clock: Clock
    turn_s: float = TURN_S
    failed: Failed = lambda _name, _error: None
    unread: Unread = lambda _unreadable: None
    new_claim: Callable[[], str] = lambda: uuid.uuid4().hex


_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_OURS = re.compile(r"warmlead\.[a-z_.]{1,100}\.v[0-9]{1,4}")


class _Envelope(Struct):
    """The parts of a CloudEvent of ours that matter here."""

    id: str
    type: str
    subject: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: dict[str, Any]


class _About(Struct):
    """The parts of a lead in a message into which conditions and destinations look."""

    email: str | None = None
    traits: dict[str, Any] | None = None
    consent: dict[str, Any] | None = None


def outgoing_of(body: bytes) -> OutgoingMessage:
    """The CloudEvent in a body; raises ``RejectedError`` if it is none of ours."""
    try:
        read = msgspec.json.decode(body, type=_Envelope)
        msgspec.convert(read.data.get("lead", {}), _About)
        at = read.time.astimezone(UTC)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError) as error:
        problem = "this is not one of the messages of docs/messages"
        raise RejectedError(Reason.MESSAGE_INVALID, problem) from error
    if not _ID.fullmatch(read.id):
        raise RejectedError(Reason.MESSAGE_INVALID, "this id is none of ours")
    return OutgoingMessage(
        id=read.id,
        kind=read.type,
        at=at,
        lead_id=read.subject if "lead" in read.data else "",
        body=body,
        data=read.data,
    )


def is_newer(kind: str) -> bool:
    """Whether messages of a kind are ours, and this release does not know them."""
    return bool(_OURS.fullmatch(kind)) and kind not in MESSAGES


class Delivered(Struct, frozen=True):
    """What became of the attempts: how many dispatches stand where after them."""

    sent: int = 0
    waiting: int = 0
    skipped: int = 0
    dead: int = 0
    unreadable: int = 0
    done: bool = True

    def __add__(self, other: "Delivered") -> "Delivered":
        """Both together."""
        return Delivered(
            self.sent + other.sent,
            self.waiting + other.waiting,
            self.skipped + other.skipped,
            self.dead + other.dead,
            self.unreadable + other.unreadable,
            self.done and other.done,
        )

    @property
    def counts(self) -> dict[str, int]:
        """All fields by name."""
        return {name: int(getattr(self, name)) for name in self.__struct_fields__}


async def deliver(message: Message, using: Dispatching) -> Delivered:
    """Makes the first attempt at every destination that wants the message, side by side.

    When it returns, nothing is lost: what did not succeed is due later. Raises ``RejectedError``
    if it is no message of ours, and ``UnavailableError`` if the message should come again; it then
    goes on where this ended.
    """
    outgoing = outgoing_of(message.body)
    if is_newer(outgoing.kind):
        raise UnavailableError(f"{outgoing.kind} is a message of a newer release")
    wanting = [each for each in using.destinations.values() if each.wants(outgoing)]
    return await together(attempt(each, outgoing, using) for each in wanting)


# --- one dispatch --------------------------------------------------------------------------


async def attempt(to: Destination, message: OutgoingMessage, using: Dispatching) -> Delivered:
    """Attempts a dispatch, which may be new, if it is due and nobody else does.

    It is kept for later if no turn comes soon: who pushes messages waits for an answer.
    """
    try:
        async with asyncio.timeout(using.turn_s):
            await to.turns.acquire()
    except TimeoutError:
        return await _keep(to, message, using)
    try:
        return await _attempt_now(to, message, using)
    except UnreadableDispatchError as error:  # it is kept, and waits for who can read it
        using.unread(error.unreadable)
        return Delivered(unreadable=1)
    finally:
        to.turns.release()


async def _keep(to: Destination, message: OutgoingMessage, using: Dispatching) -> Delivered:
    """Keeps a dispatch as it is, or a new one that is due at once."""
    new = _new(to, message, using.clock.now())
    key = DispatchKey(to.name, message.id)
    kept = await using.dispatches.change(key, lambda known: known or new)
    return Delivered(waiting=int(kept == new))


async def _attempt_now(to: Destination, message: OutgoingMessage, using: Dispatching) -> Delivered:
    now, store = using.clock.now(), using.dispatches
    key = DispatchKey(to.name, message.id)
    circuit = await store.circuit(to.name)
    claim = _Claim(to, message, circuit, using.new_claim(), now)
    claimed = await store.change(key, claim)
    if claimed is None:
        return Delivered()
    if claimed.state is not DispatchState.SENDING:
        return counted(claimed)
    verdict = claim.verdict
    result = await _result(message, to, using, now, verdict)
    ended_at = using.clock.now()

    def ended(dispatch: Dispatch | None) -> Dispatch | None:
        if dispatch is None or dispatch.claim != claimed.claim:
            return None  # erased, or taken over after this attempt was given up
        if isinstance(result, _NotBegun):
            is_under_way = dispatch.state is DispatchState.SENDING
            return dispatch.not_begun(ended_at, result.why) if is_under_way else dispatch
        if not dispatch.state.is_open:
            return dispatch  # this decision, of which the answer was lost
        return dispatch.after(result, ended_at, may_repeat=to.may_repeat)  # twice is once

    after = await store.change(key, ended)
    if not (verdict or isinstance(result, _NotBegun)):
        await _fare(to, circuit, result, ended_at, store)
    return counted(after) if after else Delivered()


async def _fare(
    to: Destination, circuit: Circuit, result: AttemptResult, at: datetime, store: DispatchStore
) -> None:
    """Keeps how the destination fares after an attempt; mostly that has not changed."""
    if circuit.after(result, at) != circuit:
        await store.change_circuit(to.name, lambda found: found.after(result, at))


class _NotBegun(Struct, frozen=True):
    """An attempt could not begin for a reason of ours: the destination was not asked."""

    why: str


async def _result(
    message: OutgoingMessage,
    to: Destination,
    using: Dispatching,
    now: datetime,
    verdict: AttemptResult | None,
) -> AttemptResult | _NotBegun:
    """How the attempt ends, which a look at the lead precedes.

    A ``verdict`` stands instead of an attempt, unless the person was erased: then nothing is kept.
    """
    try:
        if why := await _why_not(message, to, using, now):
            return Skipped(why)
    except UnavailableError as error:
        if verdict:
            raise
        return _NotBegun(f"the lead could not be looked at: {error.message}")
    stood_still = (using.clock.now() - now).total_seconds() >= CLAIM_S
    if stood_still and not verdict:
        return _NotBegun("the process stood still until its claim ran out")
    return verdict or await _sent(message, to, using, now)


async def _sent(
    message: OutgoingMessage, to: Destination, using: Dispatching, now: datetime
) -> AttemptResult:
    """What the destination makes of it; every error is a result: no other dispatch suffers."""
    try:
        async with asyncio.timeout(ATTEMPT_S):
            return await to.send(message, now)
    except UnreachedError as error:
        return Postponed(error.message)
    except UnansweredError as error:
        return Postponed(error.message, is_certain=False)
    except TimeoutError:
        return Postponed(f"no answer in {ATTEMPT_S:g} s", is_certain=False)
    except Exception as error:  # noqa: BLE001  # one destination's bug may not stop the others
        using.failed(to.name, error)
        return Postponed(f"{type(error).__name__} in the adapter", is_certain=False)


async def _why_not(
    message: OutgoingMessage, to: Destination, using: Dispatching, now: datetime
) -> str:
    """Why the message is not sent after all; empty if it is.

    The person may have been erased since the message was made. If it goes to the person, consent
    and the sequence are looked at as they are now.
    """
    if not message.lead_id:
        return ""
    found = (await using.leads.update([message.lead_id], Look()))[message.lead_id]
    if isinstance(found, Tombstone):
        return "the person was erased"
    if not (to.writes_to_people and isinstance(found, Lead)):
        return ""
    if not found.consent(using.rules.suppression, now).may_be_mailed:
        return "the person may not be written to any more"
    return _ended_sequence(message, found) if message.kind == STEP_DUE else ""


def _ended_sequence(message: OutgoingMessage, lead: Lead) -> str:
    """Why a step of a sequence is not sent any more; empty if it is."""
    sequence, run = message.data.get("sequence"), message.data.get("run")
    enrolment = lead.enrolments.get(str(sequence))
    if enrolment is None or enrolment.run != run:
        return ""
    if enrolment.ending in ("", Ending.FINISHED):
        return ""
    return f"the sequence has ended: {enrolment.ending}"


class _Claim:
    """The decision that begins an attempt, or puts it off while the destination rests.

    ``verdict`` is what is said instead of an attempt, if no attempt may follow.
    """

    def __init__(
        self, to: Destination, message: OutgoingMessage, circuit: Circuit, claim: str, now: datetime
    ) -> None:
        self.verdict: AttemptResult | None = None
        self._to = to
        self._circuit = circuit
        self._claim = claim
        self._now = now
        self._new = _new(to, message, now)

    def __call__(self, known: Dispatch | None) -> Dispatch | None:
        dispatch, now = known or self._new, self._now
        if dispatch.claim == self._claim:
            return dispatch  # this decision, of which the answer was lost
        if not dispatch.is_due(now):
            return None
        self.verdict = dispatch.verdict(may_repeat=self._to.may_repeat)
        if self._circuit.disabled_at and self.verdict is None:
            self.verdict = Declined(f"the destination is disabled: {self._circuit.why}")
        if self.verdict is None and (until := self._circuit.rests_until(now)):
            return dispatch.put_off(until, self._circuit.why)
        return dispatch.claimed(self._claim, now, begins=self.verdict is None)


def _new(to: Destination, message: OutgoingMessage, now: datetime) -> Dispatch:
    return Dispatch(
        destination=to.name,
        id=message.id,
        kind=message.kind,
        lead_id=message.lead_id,
        body=message.body,
        begun_at=now,
        due_at=now,
    )


def counted(dispatch: Dispatch) -> Delivered:
    """One dispatch, counted by where it stands."""
    match dispatch.state:
        case DispatchState.SENT:
            return Delivered(sent=1)
        case DispatchState.SKIPPED:
            return Delivered(skipped=1)
        case DispatchState.DEAD:
            return Delivered(dead=1)
    return Delivered(waiting=1)


async def together(attempts: Iterable[Awaitable[Delivered]]) -> Delivered:
    """All of them side by side; raises the first error when all have ended."""
    delivered = Delivered()
    for each in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(each, BaseException):
            raise each
        delivered += each
    return delivered
