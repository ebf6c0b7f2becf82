"""Requests are sent in bunches and judged: what they are answered, and what they cost."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fuzz.budget import budget_of, in_words, unpacked_bytes
from fuzz.corpus import push_of, pushed_in
from fuzz.findings import COSTS_TOO_MUCH, FROZEN, Finding, Findings
from fuzz.functions import Outcome
from fuzz.isolated import Frozen, Isolated
from fuzz.sent import Sent
from fuzz.verdict import fault_of
from warmlead.application.accept import read_events, read_quarantined
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.trigger import Topic

Pushed = tuple[bytes, Sequence[Sent]]
"""A message of lead events, and the requests of which one brought it."""

BUNCH = 64
BUNCH_BYTES = 4_000_000

TOO_MUCH = frozenset(
    (
        *(Reason.BODY_TOO_LARGE, Reason.FORM_TOO_MANY_FIELDS, Reason.TOO_MANY_FIELDS),
        *(Reason.TOO_MANY_EVENTS, Reason.EVENT_TOO_LARGE, Reason.JSON_TOO_DEEP),
    )
)
"""What can be refused for these reasons can be so before any work is done on it."""


@dataclass(slots=True)
class Report:
    """What a run has seen; accepted are requests whose events were published, or forgotten.

    ``suspects`` are the requests that seemed to cost too much and were tried again.
    """

    sent: int = 0
    accepted: int = 0
    suspects: int = 0
    by_function: Counter[str] = field(default_factory=Counter)
    by_maker: Counter[str] = field(default_factory=Counter)
    accepted_by_maker: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    events: int = 0
    leads: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    took_s: float = 0.0


def bunches_of(requests: Sequence[Sent]) -> Iterator[list[Sent]]:
    """The requests in bunches that are sent side by side: not too many, nor too much."""
    bunch: list[Sent] = []
    size = 0
    for sent in requests:
        size += len(sent.body)
        if bunch and (len(bunch) == BUNCH or size > BUNCH_BYTES):
            yield bunch
            bunch, size = [], len(sent.body)
        bunch.append(sent)
    if bunch:
        yield bunch


class Answering:
    """Sends requests to the functions, and judges what they are answered and what that costs."""

    def __init__(self, functions: Isolated, findings: Findings) -> None:
        self.report = Report()
        self._functions = functions
        self._findings = findings

    def answer(self, requests: Sequence[Sent]) -> None:
        """Sends the requests and judges the answers; what they publish is left where it is."""
        for bunch in bunches_of(requests):
            self._sent(bunch)

    def _sent(self, bunch: list[Sent]) -> list[Pushed]:
        """Sends a bunch and judges it; returns the messages in the pushes that were accepted."""
        answers = self._functions.answers(bunch)
        if isinstance(answers, Frozen):
            index = self._culprit(answers, bunch)
            self._froze(answers, bunch[index])
            left = [*bunch[:index], *bunch[index + 1 :]]
            return self._sent(left) if left else []
        pushed: list[Pushed] = []
        for sent, outcome in zip(bunch, answers, strict=True):
            self._judge(sent, outcome)
            self._judge_cost(sent, outcome)
            if outcome.answer and outcome.answer.status == 200 and sent.function == "score":
                pushed += [(data, [sent]) for data in _events_in(sent)]
        return pushed

    def _culprit(self, frozen: Frozen, bunch: Sequence[Sent]) -> int:
        """Which request of a bunch froze the process: known, unless another thread did the work."""
        if frozen.is_known:
            return frozen.place
        by_itself = (
            i for i, s in enumerate(bunch) if isinstance(self._functions.answers([s]), Frozen)
        )
        return next(by_itself, frozen.place)

    def _judge(self, sent: Sent, outcome: Outcome) -> None:
        report, answer = self.report, outcome.answer
        report.sent += 1
        report.by_function[sent.function] += 1
        report.by_maker[sent.made_by] += 1
        if answer is None:
            self._findings.add(Finding("crashed", outcome.raised or "", [sent]))
            return
        is_accepted = answer.status in (200, 303) and sent.method in ("POST", "GET")
        report.accepted += is_accepted
        report.accepted_by_maker[sent.made_by] += is_accepted
        report.codes[answer.code] += 1
        if fault := fault_of(sent, answer):
            self._findings.add(Finding(fault, answer.body.decode("utf-8", "replace"), [sent]))
        for line in outcome.logged:
            self._findings.add(Finding("logged", line, [sent]))

    def _judge_cost(self, sent: Sent, outcome: Outcome) -> None:
        """A request that seems to cost too much is tried again by itself."""
        size = unpacked_bytes(sent)
        refused = outcome.answer is not None and outcome.answer.code in TOO_MUCH
        allowed = budget_of(sent, refused=refused)
        if outcome.cost_s <= allowed:
            return
        self.report.suspects += 1
        cost_s = self._functions.cost_s(sent)
        if isinstance(cost_s, Frozen):
            self._froze(cost_s, sent)
        elif cost_s > allowed:
            self._findings.add(Finding(COSTS_TOO_MUCH, in_words(cost_s, allowed, size), [sent]))

    def _froze(self, frozen: Frozen, sent: Sent) -> None:
        self.report.sent += 1
        self._findings.add(Finding(FROZEN, frozen.where, [sent]))


class Sending(Answering):
    """Sends requests to the functions, and judges what becomes of them, scoring included."""

    def __init__(self, functions: Isolated, bus: SqliteBus, findings: Findings) -> None:
        super().__init__(functions, findings)
        self._published = Published(bus)

    async def send(self, requests: Sequence[Sent]) -> list[Pushed]:
        """Sends the requests and judges the answers; returns what they published."""
        pushed: list[Pushed] = []
        for bunch in bunches_of(requests):
            accepted = await asyncio.to_thread(self._sent, bunch)
            accepted += [(body, bunch) for body in await self._published.since_last()]
            await asyncio.to_thread(self._judge_scoring, [body for body, _ in accepted])
            pushed += accepted
        return pushed

    def _judge_scoring(self, messages: list[bytes]) -> None:
        """Judges what it costs to score messages."""
        while messages:
            scored = self._functions.scored(messages)
            if isinstance(scored, Frozen):
                self._froze(scored, push_of(messages[scored.place]))
                messages = messages[scored.place + 1 :]
                continue
            for message, steps in zip(messages, scored, strict=True):
                for step in steps:
                    if step.cost_s > step.allowed_s:
                        told = in_words(step.cost_s, step.allowed_s, len(message))
                        what = f"{COSTS_TOO_MUCH} when {step.what}"
                        self._findings.add(Finding(what, told, [push_of(message)]))
            return


class Published:
    """What lies on a bus of SQLite that was not there the last time."""

    def __init__(self, bus: SqliteBus) -> None:
        self._bus = bus
        self._seen = 0

    async def since_last(self) -> list[bytes]:
        """The new messages of lead events. What is new in quarantine must be readable."""
        after = self._seen
        found = []
        async for each in self._bus.read(Topic.LEAD_EVENTS, after=after):
            found.append(each.message.body)
            self._seen = max(self._seen, each.number)
        async for each in self._bus.read(Topic.QUARANTINE, after=after):
            read_quarantined(each.message.body)
            self._seen = max(self._seen, each.number)
        return found


def _events_in(push: Sent) -> list[bytes]:
    """The message of events in an accepted push, if that is what was pushed."""
    data = pushed_in(push)
    try:
        return [data] if data and read_events(data) else []
    except RejectedError:
        return []
