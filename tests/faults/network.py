"""The network between the product and Google: answers cut off, services refused and slow.

Below gRPC, where nothing but bytes is lost; and a share of calls aborted, as under contention.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import NamedTuple, TypeAlias

import grpc

from faults.gcp import GcpBackend
from faults.kills import check
from faults.lives import live
from faults.lost_answers import failing_with
from faults.proxy import Proxy
from faults.sites import Act, Switches, Visit
from faults.trial import Outcome, Trial
from faults.workload import workload
from faults.zygote import in_a_process

CUT = ("rpc.Commit.before", "rpc.Publish.before")
CUTS_EACH = 8
"""So many answers of each method are lost in a trial."""

TROUBLES = 6
ABORTED_SHARE = 0.3
MOST_CALLS = 400


class Between(NamedTuple):
    """The proxies in front of the two services."""

    firestore: Proxy
    pubsub: Proxy


Schedule: TypeAlias = Callable[[Between, Random], Mapping[Visit, Act]]


def lost(between: Between, random: Random) -> Mapping[Visit, Act]:
    """Answers of commits and of publishing that do not arrive, after the server has acted."""
    proxies = dict(zip(CUT, between, strict=True))
    return {
        Visit(site, number): proxies[site].lose_next_answer
        for site in CUT
        for number in random.sample(range(1, 2 * GcpBackend.sites[site]), CUTS_EACH)
    }


def gone_and_slow(between: Between, random: Random) -> Mapping[Visit, Act]:
    """Services that refuse connections for a while, and such that answer too late."""
    acts: dict[Visit, Act] = {}
    for _ in range(TROUBLES):
        proxy = random.choice(between)
        trouble = random.choice([proxy.refuse, proxy.hold])
        site = random.choice(list(GcpBackend.sites))
        visit = Visit(site, random.randint(1, 2 * GcpBackend.sites[site]))
        acts[visit] = partial(trouble, random.uniform(0.05, 0.8))
    return acts


def aborted(between: Between, random: Random) -> Mapping[Visit, Act]:
    """Three in ten calls of every method are aborted before they reach the server."""
    del between
    act = failing_with(grpc.StatusCode.ABORTED)
    return {
        Visit(site, number): act
        for site in GcpBackend.sites
        if site.endswith("before")
        for number in range(1, MOST_CALLS)
        if random.random() < ABORTED_SHARE
    }


def run(schedule: Schedule, trial: Trial) -> Outcome:
    """One trial under such a schedule, through the proxies."""
    ended = in_a_process(lambda: asyncio.run(_work(schedule, trial)))
    violations, cuts = ended.result or ([], Counter())
    return Outcome([*violations, *([ended.wrong] if ended.wrong else [])], cuts=cuts)


async def _work(schedule: Schedule, trial: Trial) -> tuple[list[str], Counter[str]]:
    plan = workload(trial.seed)
    random = Random(f"network {trial.seed}")
    async with (
        Proxy(os.environ["FIRESTORE_EMULATOR_HOST"]) as firestore,
        Proxy(os.environ["PUBSUB_EMULATOR_HOST"]) as pubsub,
    ):
        between = Between(firestore, pubsub)
        behind = GcpBackend(firestore=firestore.address, pubsub=pubsub.address)
        switches = Switches(schedule(between, random))
        await live(behind, trial.folder, plan, Random(trial.seed), switches, heals=True)
        cuts = Counter({"Firestore": firestore.cuts, "Pub/Sub": pubsub.cuts})
    return await check(replace(trial, backend=GcpBackend()), plan, most_repeats=None), cuts
