"""Calls of Google's APIs that fail, or that succeed while their answer is an error.

The application cannot tell these apart, and must not have to.
"""

import asyncio
from random import Random

import grpc
import grpc.aio

from faults.gcp import GcpBackend
from faults.kills import check
from faults.lives import live
from faults.sites import Act, Switches, Visit
from faults.trial import Outcome, Trial
from faults.workload import workload
from faults.zygote import in_a_process

CODES = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.CANCELLED,
)


def failing_with(code: grpc.StatusCode) -> Act:
    """What raises such an error in the place of an answer."""

    def act() -> None:
        nothing = grpc.aio.Metadata()
        raise grpc.aio.AioRpcError(code, nothing, nothing, "by the campaign")

    return act


def run(trial: Trial) -> Outcome:
    """One trial: twenty calls fail, most of them after they have done what they were asked."""
    ended = in_a_process(lambda: asyncio.run(_work(trial)))
    violations = [*(ended.result or []), *([ended.wrong] if ended.wrong else [])]
    return Outcome(violations)


def schedule(seed: int) -> dict[Visit, Act]:
    """Which calls fail, and how."""
    random = Random(f"lost answers {seed}")
    sites = [site for site, _ in GcpBackend.sites.items() if site != "rpc.GetDocument.answered"]
    weights = [4 if site.endswith("answered") else 1 for site in sites]
    chosen = random.choices(sites, weights, k=20)
    return {
        Visit(site, random.randint(1, 2 * GcpBackend.sites[site])): failing_with(
            random.choice(CODES)
        )
        for site in chosen
    }


async def _work(trial: Trial) -> list[str]:
    plan = workload(trial.seed)
    random, switches = Random(trial.seed), Switches(schedule(trial.seed))
    await live(trial.backend, trial.folder, plan, random, switches, heals=True)
    return await check(trial, plan, most_repeats=None)
