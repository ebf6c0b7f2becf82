"""A run: requests are made, sent in bunches and judged; what they published is stored."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from fuzz.corpus import heavy, pushed_in
from fuzz.findings import Finding, Findings
from fuzz.functions import Functions, Outcome
from fuzz.grammar import grammatical
from fuzz.mutation import Mutator
from fuzz.sent import Sent
from fuzz.storing import Storing
from fuzz.verdict import fault_of
from warmlead.application.messages import read_events, read_quarantined
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.errors import RejectedError
from warmlead.domain.trigger import Topic

Pushed = tuple[bytes, Sequence[Sent]]
"""A message of lead events, and the requests of which one brought it."""

BUNCH = 64
ROUND = 1_024
"""So many requests are sent before what they published is stored."""

GRAMMATICAL = 0.12
"""The share of requests that the grammar makes; mutants cost a tenth of them."""

OF_GRAMMAR = 0.25
"""The share of mutants that are made of the grammar's requests, not of the corpus."""


@dataclass(slots=True)
class Report:
    """What a run has seen; accepted are requests whose events were published, or forgotten."""

    sent: int = 0
    accepted: int = 0
    by_function: Counter[str] = field(default_factory=Counter)
    by_maker: Counter[str] = field(default_factory=Counter)
    accepted_by_maker: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    events: int = 0
    leads: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    took_s: float = 0.0


def requests_of(seed: int, count: int, corpus: Sequence[Sent]) -> Iterator[list[Sent]]:
    """All requests of a run, round by round: the same ones for the same arguments."""
    beginning = [*corpus, *heavy()][:count]
    yield beginning
    left = count - len(beginning)
    number = 0
    while left > 0:
        random = Random(f"{seed} {number}")
        size = min(ROUND, left)
        of_grammar = grammatical(round(size * GRAMMATICAL), random)
        mutators = [Mutator(corpus, random), Mutator([*of_grammar, *corpus[:1]], random)]
        mutants = [
            mutators[random.random() < OF_GRAMMAR].mutant() for _ in range(size - len(of_grammar))
        ]
        made = [*of_grammar, *mutants]
        random.shuffle(made)
        yield made
        left -= size
        number += 1


class Run:
    """Sends requests to the functions of this process, and stores what they published."""

    def __init__(
        self, functions: Functions, bus: SqliteBus, storing: Storing, findings: Findings
    ) -> None:
        self.report = Report()
        self._functions = functions
        self._published = Published(bus)
        self._storing = storing
        self._findings = findings

    async def all_of(
        self, rounds: Iterator[list[Sent]], progress: Callable[[Report], None]
    ) -> None:
        """Works through the rounds, storing one while the next is sent; tells of progress."""
        began = time.perf_counter()
        storing: asyncio.Future[None] | None = None
        for requests in rounds:
            pushed = await self.send(requests)
            if storing:
                await storing
            storing = asyncio.ensure_future(self.store(pushed))
            progress(self.report)
        if storing:
            await storing
            progress(self.report)
        self.report.took_s = time.perf_counter() - began

    async def send(self, requests: Sequence[Sent]) -> list[Pushed]:
        """Sends the requests and judges the answers; returns what they published."""
        pushed: list[Pushed] = []
        for start in range(0, len(requests), BUNCH):
            bunch = requests[start : start + BUNCH]
            outcomes = await self._functions.answer_all(bunch)
            for sent, outcome in zip(bunch, outcomes, strict=True):
                self._judge(sent, outcome)
                if outcome.answer and outcome.answer.status == 200 and sent.function == "score":
                    pushed += [(data, [sent]) for data in _events_in(sent)]
            pushed += [(body, bunch) for body in await self._published.since_last()]
        return pushed

    async def store(self, pushed: Sequence[Pushed]) -> None:
        """Stores what was published."""
        stored = await self._storing.store([body for body, _ in pushed])
        self.report.events += stored.events
        self.report.leads += stored.leads
        self.report.set_aside += stored.set_aside
        for index, fault in stored.faults.items():
            body, candidates = pushed[index]
            details = f"{fault}\n{body.decode('utf-8', 'replace')}"
            self._findings.add(Finding("accepted, but not stored", details, candidates))

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
