"""Plants one slowness after the other, and looks whether attacks find it.

What is found must be gone without the slowness: the same requests are sent to the functions as
they are.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

from fuzz.attacks import attack
from fuzz.findings import Finding, Findings
from fuzz.isolated import Isolated
from fuzz.patterns import patterns
from fuzz.planted import PLANTED, plant
from fuzz.sending import Sending
from warmlead.buses.sqlite import SqliteBus
from warmlead.runtime.backends import SystemClock
from warmlead.sqlite_file import SqliteFile

AT_ONCE = 8
MOST = 480
"""So many requests are sent to find a slowness, before it counts as not found."""


class Hunted(NamedTuple):
    """What came of a hunt: after how many requests which one showed it, if one did."""

    name: str
    sent: int
    found: Finding | None

    @property
    def in_words(self) -> str:
        """What people read of it."""
        says = PLANTED[self.name].says
        if self.found is None:
            return f"NOT FOUND {self.name}: {says}\n    by {self.sent} requests"
        (sent,) = self.found.requests
        what, details = self.found.what, self.found.details.splitlines()[:1]
        told = f"{sent.function} {sent.target[:40].decode()}, {len(sent.body)} bytes: {what}"
        return f"found {self.name}: {says}\n    after {self.sent}: {told} {' '.join(details)[:90]}"


async def hunt(name: str, seed: int, most: int = MOST) -> Hunted:
    """Attacks the functions with a slowness in them until it shows, or for long enough."""
    slowness, random = PLANTED[name], Random(f"{seed} {name}")
    plant(name)  # here too, where attacks are made: a pattern of it is to be attacked
    patterns.cache_clear()
    sent = 0
    async with _sending(name) as (planted, findings), _sending("") as (clean, others):
        while sent < most:
            requests = [
                attack(random, slowness.most, slowness.shapes, slowness.units)
                for _ in range(AT_ONCE)
            ]
            seen = len(findings.found)
            await planted.send(requests)
            sent += AT_ONCE
            slow = [found for found in findings.found[seen:] if found.is_of_cost]
            for finding in slow:
                before = others.count
                await clean.send(finding.requests)
                if others.count == before:
                    return Hunted(name, sent, finding)
    return Hunted(name, sent, None)


@asynccontextmanager
async def _sending(planted: str) -> AsyncIterator[tuple[Sending, Findings]]:
    with tempfile.TemporaryDirectory(prefix="warmlead-hunt-") as folder:
        data = Path(folder)
        functions, findings = Isolated(data, planted), Findings(data / "findings", 0)
        async with SqliteFile(data / "warmlead.sqlite3") as file:
            try:
                yield Sending(functions, SqliteBus(file, SystemClock(), {}), findings), findings
            finally:
                functions.close()
