"""Connects the dashboard with the stores, the bus and the model of this process."""

from functools import cache

from warmlead.buses import topology
from warmlead.dashboard.access import access_of
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.site import DashboardSite
from warmlead.dashboard.trials import ModelInForce
from warmlead.runtime.backends import (
    bus,
    dispatches,
    embedded_bus,
    lead_ids,
    plan,
    reports,
    rules,
    store,
)
from warmlead.runtime.trials import Trials
from warmlead.settings import Settings


def site_of(using: Settings) -> DashboardSite:
    """The pages under these settings; raises ``ConfigurationError`` if they cannot be made."""
    scoring, ids = rules(using), lead_ids(using)
    model = ModelInForce(cache(lambda: plan(using.model)), Trials())
    counted = set_aside if using.backend == "sqlite" else None

    @cache
    def parts() -> Parts:
        return Parts(store(), reports(), bus(), dispatches(), scoring, ids, model, counted)

    return DashboardSite(parts, access_of(using), using.dashboard_tokens)


async def set_aside() -> tuple[int, int]:
    """How many posts are in quarantine, and how many messages were given up, on one machine."""
    aside, _ = await embedded_bus().counts(topology.QUARANTINE.name)
    each = [await embedded_bus().counts(one.name) for one in topology.SUBSCRIPTIONS]
    return aside, sum(dead for _, dead in each)
