"""The table of functions: each function's name, its caller, its needs and what it publishes.

Deployment, the commands of one machine, the documentation's tests and the functions themselves
read it. It imports only the standard library and names of the domain, because every function
imports it, and because locks are written before anything is installed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from warmlead.domain.trigger import TRIGGER_TOPICS, Topic

if TYPE_CHECKING:
    from warmlead.settings import Needed


class CalledBy(StrEnum):
    """Who calls a function."""

    SENDERS = "HTTP"
    BUS = "Pub/Sub push"
    CLOCK = "Cloud Scheduler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function.

    ``name`` is its folder below ``functions``, its entry point, its name in logs and the first part
    of its path. ``extra`` is the extra of ``pyproject.toml`` that installs what it imports.
    ``demands`` is what must be set in production. ``files`` are the settings that name a file;
    staging puts it beside the entry point. ``needs_database`` says whether it reads or writes
    leads. ``publishes`` are topics. ``sent_by`` says in a few words who sends requests to it.
    ``every_s`` is how many seconds lie between two calls of the clock, at least 60 (Cloud
    Scheduler's shortest interval); ``None`` if the clock does not call. With ``daily`` one complete
    run is enough for a UTC day; further calls of the clock continue an incomplete one.
    """

    name: str
    called_by: CalledBy
    extra: str
    demands: "tuple[Needed, ...]" = ()
    files: tuple[str, ...] = ()
    needs_database: bool = False
    publishes: tuple[Topic, ...] = ()
    sent_by: str = ""
    every_s: float | None = None
    daily: bool = False


SHORTEST_S = 60.0
"""The shortest interval of a clock, in seconds."""

MODEL = "WARMLEAD_MODEL"
ACCEPTED = (Topic.LEAD_EVENTS, Topic.QUARANTINE)
"""The topics of an accepting function."""

FORMS = Function(
    name="forms",
    called_by=CalledBy.SENDERS,
    extra="forms",
    demands=("id_secret",),
    files=("WARMLEAD_FORMS",),
    publishes=ACCEPTED,
    sent_by="Website forms",
)
TRACK = Function(
    name="track",
    called_by=CalledBy.SENDERS,
    extra="track",
    demands=("write_keys", "id_secret"),
    publishes=ACCEPTED,
    sent_by="Browser, SDKs",
)
SALES = Function(
    name="sales",
    called_by=CalledBy.SENDERS,
    extra="sales",
    demands=("id_secret",),
    files=("WARMLEAD_SALES",),
    publishes=ACCEPTED,
    sent_by="CRM, sales",
)
SCORE = Function(
    name="score",
    called_by=CalledBy.BUS,
    extra="leads",
    demands=("id_secret", "push"),
    files=(MODEL,),
    needs_database=True,
    publishes=(*TRIGGER_TOPICS, Topic.QUARANTINE),
)
DECAY = Function(
    name="decay",
    called_by=CalledBy.CLOCK,
    extra="leads",
    demands=("push",),
    files=(MODEL,),
    needs_database=True,
    publishes=TRIGGER_TOPICS,
    every_s=300.0,
    daily=True,
)
FOLLOWUP = Function(
    name="followup",
    called_by=CalledBy.CLOCK,
    extra="leads",
    demands=("push",),
    files=(MODEL,),
    needs_database=True,
    publishes=TRIGGER_TOPICS,
    every_s=SHORTEST_S,
)
REPORT = Function(
    name="report",
    called_by=CalledBy.CLOCK,
    extra="leads",
    demands=("push",),
    files=(MODEL,),
    needs_database=True,
    publishes=(Topic.KPI,),
    every_s=86_400.0,
    daily=True,
)

TABLE = (FORMS, TRACK, SALES, SCORE, DECAY, FOLLOWUP, REPORT)
"""Every function, in the order in which a lead meets them."""


def names(functions: Iterable[Function] = TABLE) -> tuple[str, ...]:
    """The names of functions; by default of all."""
    return tuple(each.name for each in functions)


def public() -> tuple[Function, ...]:
    """The functions that senders reach; the bus and the clock call the others."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.SENDERS)


def pushed() -> tuple[Function, ...]:
    """The functions to which the bus pushes messages."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.BUS)


def scheduled() -> tuple[Function, ...]:
    """The functions that a clock calls."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.CLOCK)


def with_database() -> tuple[Function, ...]:
    """The functions that read or write leads."""
    return tuple(each for each in TABLE if each.needs_database)


def intervals_s() -> dict[str, float]:
    """Seconds between two calls of the clock, for each function that it calls."""
    return {each.name: each.every_s for each in TABLE if each.every_s is not None}
