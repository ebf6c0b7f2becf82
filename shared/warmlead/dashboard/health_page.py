"""The page of health: whether what time causes was done in time, and what waits for a person."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import counted, page
from warmlead.domain.history import day_at
from warmlead.reporting.periods import Span, last_period
from warmlead.web.answers import Answer

PATIENCE = timedelta(minutes=5)
"""How late what is due may be: the clock of the cloud calls every minute."""

DECAY_BY = timedelta(hours=6)
"""By which time of a UTC day the leads of the day are re-evaluated."""

REPORTED_BY = timedelta(hours=2)
"""By which time of a UTC day yesterday is reported."""


class Check(Struct, frozen=True):
    """One thing that was looked at: ``remedy`` is a command to begin with if it is not ``fine``."""

    title: str
    is_fine: bool
    found: str
    remedy: str = ""


async def health_page(parts: Parts, now: datetime) -> Answer:
    """The page of the checks; what needs somebody stands first."""
    ordered = sorted(await checks(parts, now), key=lambda check: check.is_fine)
    return page("health.html", here="health", checks=ordered, now=now)


async def checks(parts: Parts, now: datetime) -> Sequence[Check]:
    """Each check; each reads one lead of a shard at most."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [
        await _follow_up(parts, now),
        await _decay(parts, now, is_late=now - midnight > DECAY_BY),
        await _unsent(parts, now),
        await _reported(parts, now, is_late=now - midnight > REPORTED_BY),
        *await _set_aside(parts),
    ]


async def _follow_up(parts: Parts, now: datetime) -> Check:
    title = "Nurture steps and deadlines"
    for shard in range(parts.leads.shards):
        if await parts.leads.due_for_followup(now - PATIENCE, shard=shard, most=1):
            late = PATIENCE.seconds // 60
            found = f"Some were due more than {late} minutes ago. Is followup called?"
            return Check(title, False, found, "warmlead run followup")
    return Check(title, True, "All that was due is done.")


async def _decay(parts: Parts, now: datetime, *, is_late: bool) -> Check:
    title = "Scores that fade"
    day = day_at(now) - (not is_late)
    for shard in range(parts.leads.shards):
        if await parts.leads.due_for_decay(day, shard=shard, most=1):
            found = "Some leads are not re-evaluated yet. Is decay called?"
            return Check(title, False, found, "warmlead run decay")
    return Check(title, True, "All leads that were due are re-evaluated.")


async def _unsent(parts: Parts, now: datetime) -> Check:
    title = "Messages of leads"
    async for lead in parts.leads.with_unsent_triggers():
        waiting = min(trigger.at for trigger in lead.outbox)
        if now - waiting > PATIENCE:
            found = f"Some wait since {waiting:%Y-%m-%d %H:%M} UTC. Does the bus answer?"
            return Check(title, False, found, "warmlead run followup")
        break
    return Check(title, True, "None waits for long.")


async def _reported(parts: Parts, now: datetime, *, is_late: bool) -> Check:
    title = "Reports"
    day = last_period(Span.DAY, now if is_late else now - timedelta(days=1))
    if await parts.reports.report(day.name) is None:
        return Check(title, False, f"{day.name} is not reported.", "warmlead run report")
    return Check(title, True, f"{day.name} is reported.")


async def _set_aside(parts: Parts) -> Sequence[Check]:
    """What waits for a person, where the bus counts it; in the cloud the alerts watch it."""
    if parts.counted is None:
        return ()
    aside, dead = await parts.counted()
    return (
        Check(
            "Quarantine",
            not aside,
            f"{counted(aside, 'post')} could not be counted."
            if aside
            else "Everything was counted.",
            "warmlead quarantine list" if aside else "",
        ),
        Check(
            "Messages that were given up",
            not dead,
            f"{counted(dead, 'message')} failed too often." if dead else "None.",
            "warmlead triggers --help" if dead else "",
        ),
    )
