"""Named places in the path of an event, and what is to happen when one of them is visited."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple, TypeAlias

Act: TypeAlias = Callable[[], None]
"""What happens at a site: the process dies, or an error is raised in the place of an answer."""


class Visit(NamedTuple):
    """The n-th time that a process comes by a site; ``number`` counts from 1."""

    site: str
    number: int


_doing: ContextVar[str] = ContextVar("doing", default="other")


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Names the use case under way, as sites below it are named after it."""
    token = _doing.set(what)
    try:
        yield
    finally:
        _doing.reset(token)


def now_doing(what: str) -> None:
    """Names what the present task goes on to, until ``doing`` ends around it."""
    _doing.set(what)


def under_way() -> str:
    """The use case under way."""
    return _doing.get()


class Switches:
    """Counts the visits of one process to each site, and acts at those that were chosen."""

    def __init__(self, acts: Mapping[Visit, Act] | None = None) -> None:
        self.visits: Counter[str] = Counter()
        self._acts = dict(acts or {})

    def visit(self, site: str) -> None:
        """The process is at the site."""
        self.visits[site] += 1
        act = self._acts.get(Visit(site, self.visits[site]))
        if act is not None:
            act()


def die() -> None:
    """The process ends at once, as when its machine is taken away."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_in(delay_s: float) -> None:
    """The process ends in a moment, wherever it then is: SIGALRM as nobody handles it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, delay_s)


ANYWHERE = "anywhere"
"""The site of ``die_in``; its visit is the delay in quarters of a millisecond."""

ACCEPT = (
    "accept.events.before",
    "accept.events.after",
    "accept.quarantine.before",
    "accept.quarantine.after",
    "accept.answered",
    "client.told",
)
APPLY = (
    "apply.lead.before",
    "apply.lead.read",
    "apply.lead.decided",
    "apply.lead.after",
    "apply.quarantine.before",
    "apply.quarantine.after",
    "apply.trigger.before",
    "apply.trigger.after",
    "apply.clear.before",
    "apply.clear.decided",
    "apply.clear.after",
    "apply.done",
)
SWEEP = (
    "sweep.trigger.before",
    "sweep.trigger.after",
    "sweep.clear.before",
    "sweep.clear.decided",
    "sweep.clear.after",
)


def _of_run(run: str) -> tuple[str, ...]:
    """The sites of a scheduled run: finding leads that are due, settling, sending, clearing."""
    return tuple(
        f"{run}.{site}"
        for site in (
            "page.before",
            "page.read",
            "lead.before",
            "lead.read",
            "lead.decided",
            "lead.after",
            "trigger.before",
            "trigger.after",
            "clear.before",
            "clear.decided",
            "clear.after",
            "done",
        )
    )


DECAY = _of_run("decay")
FOLLOWUP = _of_run("followup")
PORTS = (*ACCEPT, *APPLY, *SWEEP, *DECAY, *FOLLOWUP)
"""The sites that every backend has: in the use cases, before and after each call of a port."""
