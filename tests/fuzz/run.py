"""A run: requests are made, sent and judged, round by round; what they published is stored."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random

from fuzz.attacks import attack
from fuzz.corpus import heavy
from fuzz.findings import Finding, Findings
from fuzz.grammar import grammatical
from fuzz.mutation import Mutator
from fuzz.sending import Pushed, Report, Sending
from fuzz.sent import Sent
from fuzz.storing import Storing

ROUND = 1_024
"""So many requests are sent before what they published is stored."""

GRAMMATICAL = 0.12
"""The share of requests that the grammar makes; mutants cost a tenth of them."""

ATTACKS = 0.15
"""The share of requests whose cost might grow faster than they do."""

OF_GRAMMAR = 0.25
"""The share of mutants that are made of the grammar's requests, not of the corpus."""


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
        attacks = [attack(random) for _ in range(round(size * ATTACKS))]
        mutators = [Mutator(corpus, random), Mutator([*of_grammar, *corpus[:1]], random)]
        mutants = [
            mutators[random.random() < OF_GRAMMAR].mutant()
            for _ in range(size - len(of_grammar) - len(attacks))
        ]
        made = [*of_grammar, *attacks, *mutants]
        random.shuffle(made)
        yield made
        left -= size
        number += 1


class Run:
    """Sends requests, and stores what they published."""

    def __init__(self, sending: Sending, storing: Storing, findings: Findings) -> None:
        self._sending = sending
        self._storing = storing
        self._findings = findings

    @property
    def report(self) -> Report:
        """What has been seen so far."""
        return self._sending.report

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
        return await self._sending.send(requests)

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
