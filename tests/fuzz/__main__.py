"""Fuzzes the functions; run by ``make fuzz``. Ends with 1 if any promise was broken.

Every request is made from the seed that is printed: the same seed and number make the same ones.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

from fuzz.by_sender import BODIES, HEAD, OfSender, against, senders_named
from fuzz.corpus import corpus
from fuzz.findings import Findings, requests_in
from fuzz.functions import settle
from fuzz.hunt import hunt
from fuzz.isolated import Isolated
from fuzz.over_http import over_http
from fuzz.planted import PLANTED
from fuzz.run import Run, requests_of
from fuzz.sending import Report, Sending
from fuzz.storing import Storing
from warmlead.buses.sqlite import SqliteBus
from warmlead.cli.local.emulators import VARIABLES, emulator
from warmlead.domain.identity import LeadIds
from warmlead.runtime import backends

FINDINGS = Path("build/fuzz")

REQUESTS = 100_000
OVER_HTTP = 50
"""One in so many requests goes over HTTP too, to processes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs as the command line says."""
    chosen = arguments_of(arguments)
    if chosen.planted is not None:
        return asyncio.run(_hunt(chosen.planted or list(PLANTED), chosen.seed or 0))
    seed = chosen.seed if chosen.seed is not None else SystemRandom().randrange(10**9)
    findings = Findings(chosen.findings, seed)
    if chosen.sender:
        _tell_senders(against(chosen.sender, seed, chosen.requests, findings, _progress_of))
        return _told(chosen, seed, findings)
    with _firestore() as address, tempfile.TemporaryDirectory(prefix="warmlead-fuzz-") as data:
        report = asyncio.run(_run(chosen, seed, findings, address, Path(data)))
    _tell(report)
    return _told(chosen, seed, findings)


def _told(chosen: argparse.Namespace, seed: int, findings: Findings) -> int:
    """Tells of the findings; 1 if there are any."""
    if not findings.count:
        print(f"No promise was broken{'' if chosen.replay else f'. The seed was {seed}'}.")
        return 0
    print(
        f"{findings.count} findings; the seed was {seed}. To send one again: make fuzz REPLAY=file"
    )
    for path, what in findings.written:
        print(f"  {path}  {what}")
    return 1


async def _hunt(names: list[str], seed: int) -> int:
    """Plants each slowness and looks for it; how many were not found."""
    missed = 0
    for name in names:
        hunted = await hunt(name, seed)
        print(hunted.in_words, flush=True)
        missed += hunted.found is None
    print(f"{len(names) - missed} of {len(names)} planted slownesses found")
    return missed


async def _run(
    chosen: argparse.Namespace, seed: int, findings: Findings, address: str, data: Path
) -> Report:
    settle(data)
    functions = Isolated(data)
    bus = backends.bus()
    assert isinstance(bus, SqliteBus)
    storing = Storing(address, bus, LeadIds(backends.settings().id_secret.encode()))
    run = Run(Sending(functions, bus, findings), storing, findings)
    try:
        if chosen.replay:
            for sent in chosen.replay:
                print(f"{sent.function} {sent.method} {sent.target!r} {sent.body[:2_000]!r}")
                before = findings.count
                await run.store(await run.send([sent]))
                print("  breaks a promise" if findings.count > before else "  keeps them all")
            return run.report
        beginning = corpus(chosen.captures)
        print(f"{len(beginning)} requests to begin with; seed {seed}", flush=True)
        await run.all_of(requests_of(seed, chosen.requests, beginning), _progress)
        if chosen.over_http:
            rounds = requests_of(seed + 1, chosen.over_http, beginning)
            requests = [sent for each in rounds for sent in each]
            codes = await over_http(requests, data / "http", run, findings)
            print(f"\n\nOver HTTP, to processes: {len(requests)} requests")
            _tell_codes(codes)
    finally:
        functions.close()
        await backends.file().close()
    return run.report


def arguments_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What the command line says; ``replay`` are the requests that are to be sent again."""
    parser = argparse.ArgumentParser(
        prog="make fuzz",
        usage="make fuzz [N=…] [SEED=…] [CAPTURES=folder] [REPLAY=finding] [PLANTED=1]\n"
        "       make fuzz SENDER=name [N=…] [SEED=…]\n"
        "       PYTHONPATH=tests python -m fuzz [options]",
        description=__doc__,
    )
    add = parser.add_argument
    add(
        "--requests",
        type=int,
        metavar="N",
        help=f"how many ({REQUESTS}; of each sender that is named {BODIES})",
    )
    add(
        "--over-http",
        type=int,
        metavar="N",
        help=f"as many over HTTP too (N / {OVER_HTTP})",
    )
    add("--sender", metavar="NAME", help="bodies of these senders alone (a,b), or of all")
    add("--planted", nargs="*", metavar="NAME", help="plant slownesses (all) and look for them")
    add("--seed", type=int, help="any, if it is not given")
    add("--captures", type=Path, metavar="FOLDER", help="with raw requests, *.http")
    add(
        "--findings",
        type=Path,
        default=FINDINGS,
        metavar="FOLDER",
        help="where they go (%(default)s)",
    )
    add("--replay", type=Path, metavar="FINDING", help="send its requests again, and no others")
    chosen = parser.parse_args(arguments)
    if chosen.requests is None:
        chosen.requests = BODIES if chosen.sender else REQUESTS
    if chosen.requests < 1:
        parser.error("N must be 1 or more")
    if chosen.sender:
        try:
            chosen.sender = senders_named(chosen.sender)
        except ValueError as error:
            parser.error(str(error))
    if chosen.over_http is None:
        chosen.over_http = chosen.requests // OVER_HTTP
    if chosen.captures and not any(chosen.captures.glob("*.http")):
        parser.error(f"{chosen.captures} holds no raw requests, *.http")
    if chosen.replay:
        try:
            chosen.replay = requests_in(chosen.replay)
        except ValueError as error:
            parser.error(str(error))
    return chosen


@contextmanager
def _firestore() -> Iterator[str]:
    """The emulator that the environment names, or one of our own."""
    given = os.environ.get(VARIABLES["firestore"])
    if given:
        yield given
        return
    with emulator("firestore") as address:
        yield address


def _progress(report: Report) -> None:
    print(f"  {report.sent:>7} sent, {report.events} events stored", end="\r", flush=True)


def _progress_of(name: str, report: Report) -> None:
    print(f"  {name:<12} {report.sent:>8}", end="\r", flush=True)


def _tell_senders(campaign: Iterator[OfSender]) -> None:
    """Tells of each sender as soon as it is done."""
    print(HEAD)
    codes: Counter[str] = Counter()
    for one in campaign:
        print(one.in_words, flush=True)
        codes += one.report.codes
    print("Answer        bodies")
    _tell_codes(codes)
    print()


def _tell(report: Report) -> None:
    rate = report.sent / report.took_s if report.took_s else 0.0
    print(f"\n\n{report.sent} requests in {report.took_s:.0f} s: {rate:.0f}/s")
    print(f"{_share(report.accepted, report.sent)} accepted")
    print(f"{report.suspects} seemed to cost too much, and were tried again by themselves")
    print(f"{report.events} events on {report.leads} leads were stored and read back", end="")
    print("".join(f"; {count} {reason}" for reason, count in report.set_aside.items()), "\n")
    print("Function      requests")
    for function, count in report.by_function.most_common():
        print(f"  {function:<22} {count:>8}")
    print("Made from     requests, accepted")
    for maker, count in report.by_maker.most_common():
        print(f"  {maker:<22} {count:>8}  {_share(report.accepted_by_maker[maker], count)}")
    print("Answer        requests")
    _tell_codes(report.codes)
    print()


def _tell_codes(codes: Counter[str]) -> None:
    for code, count in codes.most_common():
        print(f"  {code:<22} {count:>8}  {_share(count, codes.total())}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.1f} %"


if __name__ == "__main__":
    sys.exit(main())
