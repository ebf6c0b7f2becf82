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
    PEOPLE = "HTTP, private"


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
    run is enough for a UTC day; further calls of the clock continue an incomplete one. One that
    ``reaches_out`` waits for tools of others, so nothing else may wait for it.
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
    reaches_out: bool = False


SHORTEST_S = 60.0
"""The shortest interval of a clock, in seconds."""

MODEL = "WARMLEAD_MODEL"
SHADOW_MODEL = "WARMLEAD_SHADOW_MODEL"
DESTINATIONS = "WARMLEAD_DESTINATIONS"
ACCEPTED = (Topic.LEAD_EVENTS, Topic.QUARANTINE)
"""The topics of an accepting function."""


def _accepting(
    name: str, *, extra: str, sent_by: str, demands: "tuple[Needed, ...]" = ("id_secret",)
) -> Function:
    """An accepting function; the setting of its senders' file has its name."""
    return Function(
        name=name,
        called_by=CalledBy.SENDERS,
        extra=extra,
        demands=demands,
        files=(f"WARMLEAD_{name.upper()}",),
        publishes=ACCEPTED,
        sent_by=sent_by,
    )


FORMS = _accepting("forms", extra="forms", sent_by="Website forms")
CHAT = _accepting("chat", extra="webhooks", sent_by="Chat widgets")
TRACK = _accepting(
    "track", extra="track", sent_by="Browser, SDKs", demands=("write_keys", "id_secret")
)
SALES = _accepting("sales", extra="webhooks", sent_by="CRM, sales")
MAIL = _accepting("mail", extra="mail", sent_by="Mail tools")
SCORE = Function(
    name="score",
    called_by=CalledBy.BUS,
    extra="leads",
    demands=("id_secret", "push"),
    files=(MODEL, SHADOW_MODEL),
    needs_database=True,
    publishes=(*TRIGGER_TOPICS, Topic.QUARANTINE),
)
DECAY = Function(
    name="decay",
    called_by=CalledBy.CLOCK,
    extra="leads",
    demands=("push",),
    files=(MODEL, SHADOW_MODEL),
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
    files=(MODEL, SHADOW_MODEL),
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
DELIVER = Function(
    name="deliver",
    called_by=CalledBy.BUS,
    extra="deliver",
    demands=("push",),
    files=(MODEL, DESTINATIONS),
    needs_database=True,
    reaches_out=True,
)
REDELIVER = Function(
    name="redeliver",
    called_by=CalledBy.CLOCK,
    extra="deliver",
    demands=("push",),
    files=(MODEL, DESTINATIONS),
    needs_database=True,
    every_s=SHORTEST_S,
    reaches_out=True,
)

DASHBOARD = Function(
    name="dashboard",
    called_by=CalledBy.PEOPLE,
    extra="dashboard",
    demands=("id_secret", "dashboard"),
    files=(MODEL,),
    needs_database=True,
    publishes=(Topic.LEAD_EVENTS,),
)

TABLE = (
    *(FORMS, CHAT, TRACK, SALES, MAIL),
    *(SCORE, DECAY, FOLLOWUP, REPORT, DELIVER, REDELIVER),
    DASHBOARD,
)
"""Every function, in the order in which a lead meets them."""


def names(functions: Iterable[Function] = TABLE) -> tuple[str, ...]:
    """The names of functions; by default of all."""
    return tuple(each.name for each in functions)


def public() -> tuple[Function, ...]:
    """The functions that senders reach; the bus and the clock call the others."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.SENDERS)


def public_named(name: str) -> Function:
    """The function of this name that senders reach; it must exist."""
    return next(each for each in public() if each.name == name)


def private() -> tuple[Function, ...]:
    """The functions that people open, and nobody else may reach."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.PEOPLE)


def pushed() -> tuple[Function, ...]:
    """The functions to which the bus pushes messages."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.BUS)


def scheduled() -> tuple[Function, ...]:
    """The functions that a clock calls."""
    return tuple(each for each in TABLE if each.called_by is CalledBy.CLOCK)


def files_of_senders() -> dict[str, Function]:
    """The settings that name a file of senders, each with its function."""
    return {setting: each for each in public() for setting in each.files}


def with_database() -> tuple[Function, ...]:
    """The functions that read or write leads."""
    return tuple(each for each in TABLE if each.needs_database)


def intervals_s() -> dict[str, float]:
    """Seconds between two calls of the clock, for each function that it calls."""
    return {each.name: each.every_s for each in TABLE if each.every_s is not None}
