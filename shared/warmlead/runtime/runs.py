"""Runs of the scheduled functions: what they work with, what they have done, and what is logged.

As in ``functions``, a function imports only what it needs, for its cold start.
"""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from warmlead.domain.errors import UnreadableError
from warmlead.ports import Clock, EventBus, LeadStore
from warmlead.runtime.backends import (
    System,
    SystemClock,
    bus,
    dispatches,
    imports,
    reports,
    rules,
    settings,
    store,
)
from warmlead.settings import Settings
from warmlead.web.logging import log_event

if TYPE_CHECKING:
    from warmlead.application.deliver import Dispatching
    from warmlead.application.due import EvaluationContext, RunProgress
    from warmlead.application.report import Reporting
    from warmlead.domain.rules import Rules
    from warmlead.ports.dispatching import Destination, DispatchStore, UnreadableDispatch
    from warmlead.ports.imports import ImportStore
    from warmlead.ports.reporting import ReportStore

_log = logging.getLogger(__name__)


def read_destinations(using: Settings) -> "Mapping[str, Destination]":
    """The tools that messages are sent to, by name; ``ConfigurationError`` with every fault."""
    from warmlead.destinations.registry import destinations_of

    return destinations_of(using, os.environ)


@cache
def destinations() -> "Mapping[str, Destination]":
    """The tools of this process."""
    return read_destinations(settings())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What a scheduled function works with; what few of them need is opened when it is needed."""

    store: LeadStore
    reports: "ReportStore"
    bus: EventBus
    rules: "Rules"
    clock: Clock
    dispatches: "Callable[[], DispatchStore]" = dispatches
    destinations: "Callable[[], Mapping[str, Destination]]" = destinations
    imports: "Callable[[], ImportStore]" = imports


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one call of a scheduled function has done.

    ``answer`` goes to the caller as JSON, ``facts`` are the counts for logs and people.
    ``failures`` are leads that could not be evaluated, each by its id. If a run is not ``done``,
    the next call continues it.
    """

    answer: Mapping[str, object]
    facts: Mapping[str, int]
    failures: Sequence[tuple[str, Exception]] = ()
    done: bool = True

    @property
    def has_effect(self) -> bool:
        """Whether the run found anything to do."""
        return any(number for name, number in self.facts.items() if name != "done")


Run: TypeAlias = "Callable[[RunContext, float | None], Awaitable[RunResult]]"
"""One call of a scheduled function; given are its context and its seconds, ``None``: no limit."""


def run_context(using: Settings) -> Callable[[], RunContext]:
    """Reads the model; what it returns opens the rest that a run works with."""
    model, clock = rules(using), SystemClock()
    return lambda: RunContext(store=store(), reports=reports(), bus=bus(), rules=model, clock=clock)


def evaluation(using: RunContext) -> "EvaluationContext":
    """What evaluating leads that are due needs, in this process."""
    from warmlead.application.due import EvaluationContext

    return EvaluationContext(using.store, using.bus, using.rules, using.clock)


def reporting_of(system: System, on_unreadable: Callable[[UnreadableError], None]) -> "Reporting":
    """What a report needs, in an open backend."""
    from warmlead.application.report import Reporting

    return Reporting(
        system.store,
        system.reports,
        system.bus,
        system.model.rules,
        on_unreadable,
        system.imports,
    )


def result_of(progress: "RunProgress", *, done: bool, **others: int) -> RunResult:
    """The result of a run over leads that were due."""
    facts = {**progress.counts, **others, "done": done}
    return RunResult(answer=facts, facts=facts, failures=progress.failures, done=done)


def dispatching(using: RunContext) -> "Dispatching":
    """What delivering needs, in this process."""
    from warmlead.application.deliver import Dispatching

    return Dispatching(
        dispatches=using.dispatches(),
        leads=using.store,
        destinations=using.destinations(),
        rules=using.rules,
        clock=using.clock,
        failed=_log_adapter_failed,
        unread=_log_dispatch_unreadable,
    )


def _log_adapter_failed(name: str, error: BaseException) -> None:
    log_event(_log, "destination_failed", level=logging.ERROR, error=error, destination=name)


def _log_dispatch_unreadable(unreadable: "UnreadableDispatch") -> None:
    log_event(
        _log,
        "dispatch_unreadable",
        level=logging.ERROR,
        destination=unreadable.destination,
        dispatch=unreadable.id,
        reason=unreadable.problem,
    )


def log_failures(result: RunResult) -> None:
    """Logs which leads a run could not evaluate, and why."""
    for lead_id, error in result.failures:
        if isinstance(error, UnreadableError):
            log_unreadable(error)
        else:
            level = logging.ERROR
            log_event(_log, "lead_not_evaluated", level=level, error=error, lead_id=lead_id)


def log_unreadable(error: UnreadableError) -> None:
    """Logs which leads cannot be read, and why."""
    for lead_id, problem in error.problems.items():
        log_event(_log, "lead_unreadable", level=logging.ERROR, lead_id=lead_id, reason=problem)
