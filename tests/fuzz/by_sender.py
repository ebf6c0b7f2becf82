"""A campaign against one sender after the other: bodies with its proof, in this process's child.

Nothing is scored or stored: that is the part of the campaign against the functions.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from fuzz.findings import Findings
from fuzz.isolated import Isolated
from fuzz.on_bodies import Bodies
from fuzz.sending import Answering, Report
from fuzz.sent import Sent
from senders.configured import configured_senders
from warmlead.senders.base import Sender
from warmlead.senders.proofs import KeyInBody
from warmlead.senders.registry import REGISTRY
from warmlead.senders.webhooks import WebhookSender

ALL = "all"
BODIES = 20_000
"""So many bodies of each sender are sent, unless it is said."""

ROUND = 256
"""So many bodies are made at once."""

MISTRUSTED = ("signature_missing", "signature_invalid", "signature_expired")


class OfSender(NamedTuple):
    """What came of the bodies of one sender."""

    name: str
    report: Report
    findings: int

    @property
    def in_words(self) -> str:
        """One line of the table."""
        said, rate = self.report, self.report.sent / max(0.001, self.report.took_s)
        accepted = 100 * said.accepted / max(1, said.sent)
        return (
            f"  {self.name:<12} {said.sent:>8} {accepted:>8.1f} % {self.mistrusted:>10}"
            f" {said.suspects:>9} {self.findings:>9} {rate:>7.0f}/s"
        )

    @property
    def mistrusted(self) -> int:
        """How many bodies did not pass the signature, and so were not translated."""
        return sum(self.report.codes[code] for code in MISTRUSTED)


HEAD = "  Sender         bodies   accepted mistrusted tried again findings"


def senders_named(names: str) -> list[str]:
    """The senders of these names, with commas between, or all; ``ValueError`` for others."""
    known = [each.name for each in REGISTRY]
    if names == ALL:
        return known
    found = names.split(",")
    for name in found:
        if name not in known:
            raise ValueError(
                f"There is no sender {name!r}; there are {', '.join(known)}, and {ALL}"
            )
    return found


def bodies_of(name: str, seed: int, count: int) -> Iterator[list[Sent]]:
    """The bodies of a campaign in rounds: the same ones for the same arguments."""
    bodies = Bodies(name, _kept_by(name))
    for number in range(0, count, ROUND):
        random = Random(f"{seed} {name} {number}")
        yield [bodies.mutant(random) for _ in range(min(ROUND, count - number))]


@cache
def _senders() -> Mapping[str, Sender]:
    return configured_senders()


def _kept_by(name: str) -> str:
    """The field of the body that proves its origin, if there is one."""
    sender = _senders()[name]
    proof = sender.proof if isinstance(sender, WebhookSender) else None
    return proof.field if isinstance(proof, KeyInBody) else ""


def against(
    names: Sequence[str],
    seed: int,
    count: int,
    findings: Findings,
    progress: Callable[[str, Report], None],
) -> Iterator[OfSender]:
    """Sends so many bodies of each sender to its function; tells of progress."""
    with TemporaryDirectory(prefix="warmlead-fuzz-") as folder:
        functions = Isolated(Path(folder))
        try:
            for name in names:
                began, before = time.perf_counter(), findings.count
                answering = Answering(functions, findings)
                for requests in bodies_of(name, seed, count):
                    answering.answer(requests)
                    progress(name, answering.report)
                answering.report.took_s = time.perf_counter() - began
                yield OfSender(name, answering.report, findings.count - before)
        finally:
            functions.close()
