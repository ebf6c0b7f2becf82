"""SIGKILL at a named site, up to eight times in one trial, but for the first while recovering.

What the dead process was asked for is asked again by the client, delivered again by the bus, and
swept by the next minute; then every promise is checked.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from random import Random

from builders import StandingClock
from faults.backends import Backend
from faults.checker import violations
from faults.deployment import MODEL
from faults.journal import Journal
from faults.lives import live
from faults.sites import (
    ACCEPT,
    ANYWHERE,
    APPLY,
    DECAY,
    FOLLOWUP,
    PORTS,
    SWEEP,
    Switches,
    Visit,
    die,
    die_in,
)
from faults.trial import Outcome, Trial
from faults.workload import Workload, workload
from faults.zygote import in_a_process
from warmlead.model.loading import Model

_OFTEN: Mapping[str, int] = {
    **dict.fromkeys(ACCEPT, 8),
    **dict.fromkeys(APPLY, 8),
    **dict.fromkeys(SWEEP, 1),
    **dict.fromkeys(DECAY, 2),
    **dict.fromkeys(FOLLOWUP, 2),
    "accept.quarantine.before": 1,
    "accept.quarantine.after": 1,
    "apply.quarantine.before": 1,
    "apply.quarantine.after": 1,
    **{site: 2 for site in APPLY if ".trigger." in site or ".clear." in site},
    "decay.page.before": 6,
    "followup.page.before": 8,
    "decay.done": 4,
    "followup.done": 6,
}
"""About how often half a trial comes by a site."""

_LEAVING = (
    "apply.lead.after",
    "apply.trigger.before",
    "apply.trigger.after",
    "apply.clear.before",
    "apply.clear.decided",
    "decay.lead.after",
    "followup.lead.after",
    "followup.trigger.before",
)
"""Where a kill leaves a trigger for the sweep."""

TRIGGERS_AT_ONCE = 6
"""So many may come of one settlement: a stage, an offer or alert, an update, steps."""


def schedule(seed: int, backend: Backend) -> list[Visit]:
    """The visits at which the trial's processes are killed, one for each life but the last."""
    random = Random(f"kills {seed}")
    kills: list[Visit] = []
    chosen = [*PORTS, *backend.sites, ANYWHERE, ANYWHERE]
    sites = random.sample(chosen, random.choice([4, 5, 6, 7]))
    for site in sorted(sites, key=lambda site: _when(random, site)):
        if site in SWEEP and not kills:
            kills.append(visit_of(random, random.choice(_LEAVING), backend))
        kills.append(visit_of(random, site, backend))
    return kills


def _when(random: Random, site: str) -> float:
    """Where in a trial a site is, from 0 to 1: what begins late leaves nothing early to be hit."""
    if site in ACCEPT or site in APPLY:
        return random.uniform(0, 0.6)
    if site in DECAY or site in FOLLOWUP or site in SWEEP:
        return random.uniform(0.5, 1)
    return random.random()


def visit_of(random: Random, site: str, backend: Backend) -> Visit:
    """The n-th visit of a site, such that half of the trials come by as often."""
    if site == ANYWHERE:
        return Visit(site, random.randint(4, 4 * backend.trial_ms))
    return Visit(site, random.randint(1, backend.sites.get(site) or _OFTEN[site]))


def run(trial: Trial) -> Outcome:
    """One trial: lives that are killed, one that heals, and the checker."""
    plan = workload(trial.seed)
    outcome = Outcome()
    for number, kill in enumerate(schedule(trial.seed, trial.backend)):
        ended = in_a_process(partial(_live, trial, plan, number, kill))
        outcome.kills += ended.killed
        outcome.sites[kill.site] += ended.killed
        if ended.wrong:
            outcome.violations.append(f"life {number}: {ended.wrong}")
            return outcome
    last = in_a_process(lambda: asyncio.run(_heal_and_check(trial, plan, outcome.kills)))
    if last.wrong or last.result is None:
        outcome.violations.append(f"the last life: {last.wrong or 'killed by somebody else'}")
    outcome.violations += last.result or []
    return outcome


def _live(trial: Trial, plan: Workload, number: int, kill: Visit) -> None:
    """A life that is killed, if it comes by the site so often."""
    switches = Switches({kill: die} if kill.site != ANYWHERE else {})
    if kill.site == ANYWHERE:
        die_in(kill.number / 4_000)
    random = Random(f"life {number} of {trial.seed}")
    asyncio.run(live(trial.backend, trial.folder, plan, random, switches, heals=False))


async def _heal_and_check(trial: Trial, plan: Workload, kills: int) -> list[str]:
    random = Random(f"last life of {trial.seed}")
    await live(trial.backend, trial.folder, plan, random, Switches(), heals=True)
    # What a kill left unsent may be all triggers of all leads, and two schedulers at once each
    # send it. Only where nothing else happens does every repeat have a kill to answer for it.
    most = kills * len(plan.people) * TRIGGERS_AT_ONCE * 2
    return await check(trial, plan, most_repeats=most if plan.width == 1 else None)


async def check(
    trial: Trial,
    plan: Workload,
    *,
    most_repeats: int | None,
    steady: bool = True,
    model: Model = MODEL,
) -> list[str]:
    """What the checker finds in a trial that has ended, with connections of its own."""
    journal = Journal(trial.folder / "journal")
    async with trial.backend.open(trial.folder, StandingClock(), Switches()) as installed:
        return await violations(
            plan, journal, installed, model.rules, most_repeats=most_repeats, steady=steady
        )
