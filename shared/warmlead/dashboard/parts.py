"""What the pages and the API work with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from warmlead.dashboard.trials import ModelInForce
from warmlead.domain.identity import LeadIds
from warmlead.domain.rules import Rules
from warmlead.ports import EventBus, LeadStore
from warmlead.ports.dispatching import DispatchStore
from warmlead.ports.reporting import ReportStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The stores, the bus and the rules of this process.

    ``counted`` tells how many posts are in quarantine and how many messages were given up, where
    the bus can count them; in the cloud alerts watch both. ``model`` is the model in force, beside
    which others are tried.
    """

    leads: LeadStore
    reports: ReportStore
    bus: EventBus
    dispatches: DispatchStore
    rules: Rules
    ids: LeadIds
    model: ModelInForce
    counted: Callable[[], Awaitable[tuple[int, int]]] | None = None
