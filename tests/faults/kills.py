"""SIGKILL at a named site, up to three times in one trial, the second and third while recovering.

What the dead process was asked for is asked again by the client, delivered again by the bus, and
swept by the next minute; then every promise is checked.
"""

import asyncio
from random import Random

from builders import StandingClock
from faults.backends import Backend
from faults.checker import violations
from faults.deployment import MODEL
from faults.journal import Journal
from faults.lives import live
from faults.sites import ACCEPT, ANYWHERE, APPLY, PORTS, SWEEP, Switches, Visit, die, die_in
from faults.trial import Outcome, Trial
from faults.workload import Workload, workload
from faults.zygote import in_a_process
from warmlead.model.loading import Model

_OFTEN = {
    "accept.quarantine.before": 1,
    "accept.quarantine.after": 1,
    "apply.quarantine.before": 1,
    "apply.quarantine.after": 1,
    **{site: 2 for site in APPLY if ".trigger." in site or ".clear." in site},
    **dict.fromkeys(SWEEP, 1),
}
"""About how often a life comes by a site, where that is less than it is for others."""

_LEAVING = (
    "apply.lead.after",
    "apply.trigger.before",
    "apply.trigger.after",
    "apply.clear.before",
    "apply.clear.decided",
)
"""Where a kill leaves a trigger for the sweep."""


def schedule(seed: int, backend: Backend) -> list[Visit]:
    """The visits at which the trial's processes are killed, one for each life but the last."""
    random = Random(f"kills {seed}")
    kills: list[Visit] = []
    for _ in range(random.choice([1, 2, 2, 3])):
        site = random.choice([*PORTS, *backend.sites, ANYWHERE, ANYWHERE])
        if site in SWEEP and not kills:
            kills.append(_visit(random, random.choice(_LEAVING), backend))
        kills.append(_visit(random, site, backend))
    return kills


def _visit(random: Random, site: str, backend: Backend) -> Visit:
    if site == ANYWHERE:
        return Visit(site, random.randint(4, 160))
    usual = 6 if site in ACCEPT else 5
    most = backend.sites.get(site) or _OFTEN.get(site, usual)
    return Visit(site, random.randint(1, most))


def run(trial: Trial) -> Outcome:
    """One trial: lives that are killed, one that heals, and the checker."""
    plan = workload(trial.seed)
    outcome = Outcome()
    for number, kill in enumerate(schedule(trial.seed, trial.backend)):
        ended = in_a_process(lambda n=number, k=kill: _live(trial, plan, n, k))  # type: ignore[misc]
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
    # A sweep sends for several leads at once. Only where nothing else happens at the same time
    # does every repeat have a kill to answer for it.
    most = kills * len(plan.people)
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
