"""The functions: the one place where use cases meet senders, the HTTP edge and a backend.

A function imports only what it needs, for its cold start. Hence the imports inside functions.
"""

import json
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, TypeAlias

from warmlead.application.accept import accept
from warmlead.domain.errors import Reason, RejectedError, UnreadableError
from warmlead.ports import Accepted, Clock, EventBus, LeadStore, RawRequest, ReportStore, Source
from warmlead.runtime.backends import (
    SystemClock,
    bus,
    embedded_bus,
    lead_ids,
    reports,
    rules,
    settings,
    start,
    store,
)
from warmlead.runtime.table import (
    DECAY,
    FOLLOWUP,
    FORMS,
    REPORT,
    SALES,
    SCORE,
    TRACK,
    Function,
    public,
)
from warmlead.senders.base import Sender, answer_sender
from warmlead.senders.registry import Senders, senders_of
from warmlead.settings import Settings
from warmlead.web.answers import Answer, navigates
from warmlead.web.edge import Dress, Edge, Limits
from warmlead.web.logging import configure_logging, log_event

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from warmlead.application.apply import Scoring
    from warmlead.application.due import EvaluationContext, RunProgress
    from warmlead.domain.event import Event
    from warmlead.domain.rules import Rules

SALES_BYTES = 1_000_000
"""The largest body from a CRM: a hundred records with all of their fields."""

RUN_S = 50.0
"""Seconds in which a scheduled function begins pages; its next call does the rest."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What a scheduled function works with."""

    store: LeadStore
    reports: ReportStore
    bus: EventBus
    rules: "Rules"
    clock: Clock


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


Handler: TypeAlias = "Callable[[Request], Awaitable[Response]]"
Work: TypeAlias = Callable[[RawRequest], Awaitable[Answer]]
Run: TypeAlias = "Callable[[RunContext, float | None], Awaitable[RunResult]]"
"""One call of a scheduled function; given are its context and its seconds, ``None``: no limit."""

_RUNS: dict[str, Callable[[], Run]] = {}
"""What builds the run of each scheduled function, by the function's name."""


@cache
def forms() -> Handler:
    """The ``forms`` function: website forms, one path per sender."""
    return _edge(FORMS, _accepting(FORMS), body_bytes=settings().form_bytes, dress=_as_page)


@cache
def track() -> Handler:
    """The ``track`` function: Segment's tracking API and the browser snippet."""
    from warmlead.web.snippet import SCRIPT_PATH, script_answer

    accepting = _accepting(TRACK)

    async def work(request: RawRequest) -> Answer:
        if request.path.endswith(SCRIPT_PATH):
            return script_answer(request)
        return await accepting(request)

    return _edge(TRACK, work, body_bytes=settings().track_batch_bytes)


@cache
def sales() -> Handler:
    """The ``sales`` function: statements of CRMs and people about a lead, one path per sender."""
    return _edge(SALES, _accepting(SALES), body_bytes=SALES_BYTES)


@cache
def score() -> Handler:
    """The ``score`` function: applies the events that Pub/Sub pushes."""
    from warmlead.application.accept import read_events, set_aside
    from warmlead.application.apply import apply
    from warmlead.buses import topology
    from warmlead.web.push import parse_push

    clock, scoring = SystemClock(), start(SCORE.demands, _scoring)

    async def work(request: RawRequest) -> Answer:
        push = parse_push(request.body)
        if not topology.SCORE.is_for(push.attributes):
            return Answer(200, b"{}", facts={"reason": "not_wanted"})
        by_hand = "lead_id" not in push.attributes
        try:
            events = read_events(push.data)
        except RejectedError as error:  # a retry does not help: acknowledged
            await set_aside(push.data, error, bus=bus(), now=request.received_at)
            if by_hand:  # a search of the archive finds it in quarantine
                await _take_out(push.message_id)
            return Answer(200, b"{}", facts={"reason": error.reason})
        if by_hand:
            await _publish_anew(events, push.message_id)
            return Answer(200, b"{}", facts={"reason": "published_by_hand"})
        applied = await apply(events, store=store(), bus=bus(), scoring=scoring, clock=clock)
        if sum(each.erased for each in applied) == len(events):
            await _take_out(push.message_id)
        return Answer(200, b"{}", facts={"events": len(events)})

    return _edge(SCORE, _pushed(work), body_bytes=20_000_000)


async def _publish_anew(events: "Sequence[Event]", message_id: str) -> None:
    """Publishes events again with our attributes, if they came without any.

    An export or erasure of a person finds messages by these attributes.
    """
    from warmlead.application.accept import by_lead
    from warmlead.domain.trigger import Topic

    await bus().publish(Topic.LEAD_EVENTS, by_lead(events, lead_ids(settings())))
    await _take_out(message_id)


async def _take_out(message_id: str) -> None:
    """Removes a message from the archive that came too late or has been published again."""
    if settings().backend == "sqlite" and (number := await embedded_bus().number_of(message_id)):
        await embedded_bus().erase([number])


def _called_by_clock(function: Function) -> Callable[[Callable[[], Run]], Callable[[], Handler]]:
    """Makes a function that a clock calls. ``build`` returns its run; its docstring is the help."""

    def decorate(build: Callable[[], Run]) -> Callable[[], Handler]:
        _RUNS[function.name] = build

        @cache
        def handler() -> Handler:
            run, needed = build(), start(function.demands, run_context)

            async def work(_: RawRequest) -> Answer:
                result = await run(needed(), RUN_S)
                log_failures(result)
                answer = json.dumps(result.answer).encode()
                return Answer(200, answer, facts=result.facts)

            return _edge(function, _pushed(work), body_bytes=10_000)

        return wraps(build)(handler)

    return decorate


@_called_by_clock(DECAY)
def decay() -> Run:
    """Re-evaluate all leads that are due for decay.

    Scores fade, stages are lost, sequences begin or end. Reads only leads that are due.
    """
    from warmlead.application.due import decay as decay_leads

    async def run(using: RunContext, budget_s: float | None) -> RunResult:
        progress = await decay_leads(_evaluation(using), budget_s=budget_s)
        return _result(progress, done=progress.done)

    return run


@_called_by_clock(FOLLOWUP)
def followup() -> Run:
    """Do what is due: nurture steps, deadlines, unsent triggers.

    Deadlines are those that sales promised. Unsent triggers are those that a crash left behind.
    Reads only leads that are due.
    """
    from warmlead.application.due import follow_up

    async def run(using: RunContext, budget_s: float | None) -> RunResult:
        done = await follow_up(_evaluation(using), budget_s=budget_s)
        return _result(done.due, swept=done.swept, done=done.done)

    return run


@_called_by_clock(REPORT)
def report() -> Run:
    """Report the KPIs of yesterday, and of the last week and month if they are missing."""
    from warmlead.application.report import Reporting, report_due

    async def run(using: RunContext, _: float | None) -> RunResult:
        reporting = Reporting(using.store, using.reports, using.bus, using.rules, _log_unreadable)
        made = await report_due(reporting, using.clock.now())
        return RunResult(
            answer={"periods": [each.period for each in made]}, facts={"count": len(made)}
        )

    return run


def run_of(function: Function) -> Run:
    """What one call of a scheduled function does."""
    return _RUNS[function.name]()


def run_context(using: Settings) -> Callable[[], RunContext]:
    """Reads the model; what it returns opens the rest that a run works with."""
    model, clock = rules(using), SystemClock()
    return lambda: RunContext(store=store(), reports=reports(), bus=bus(), rules=model, clock=clock)


def _evaluation(using: RunContext) -> "EvaluationContext":
    from warmlead.application.due import EvaluationContext

    return EvaluationContext(using.store, using.bus, using.rules, using.clock)


def _result(progress: "RunProgress", *, done: bool, **others: int) -> RunResult:
    """The result of a run over leads that were due."""
    facts = {**progress.counts, **others, "done": done}
    return RunResult(answer=facts, facts=facts, failures=progress.failures, done=done)


def log_failures(result: RunResult) -> None:
    """Logs which leads a run could not evaluate, and why."""
    for lead_id, error in result.failures:
        if isinstance(error, UnreadableError):
            _log_unreadable(error)
        else:
            level = logging.ERROR
            log_event(_log, "lead_not_evaluated", level=level, error=error, lead_id=lead_id)


def _log_unreadable(error: UnreadableError) -> None:
    """Logs which leads cannot be read, and why."""
    for lead_id, problem in error.problems.items():
        log_event(_log, "lead_unreadable", level=logging.ERROR, lead_id=lead_id, reason=problem)


def _pushed(work: Work) -> Work:
    """The work, for callers with a valid token only, if an account is set."""
    using = settings()
    if not using.push_audience:
        return work
    from warmlead.web.push import Certificates, PushTokens

    certificates = Certificates(using.push_certs)
    tokens = PushTokens(certificates, audience=using.push_audience, account=using.push_account)

    async def checked(request: RawRequest) -> Answer:
        await tokens.check(request.headers)
        return await work(request)

    return checked


def sources(using: Settings) -> Mapping[str, Source]:
    """Every sender, by name."""
    found = [senders(function, using) for function in public()]
    return {sender.name: sender for each in found for sender in each.all()}


def _accepting(function: Function) -> Work:
    """Routes requests to the function's senders, by the first part of the path."""
    configured = start(function.demands, partial(senders, function))
    ids = lead_ids(settings())

    async def taken(request: RawRequest, sender: Sender) -> Accepted:
        return await accept(request, sender, bus=bus(), ids=ids)

    async def work(request: RawRequest) -> Answer:
        sender = configured.at(request.path)
        if sender is None:
            raise RejectedError(
                Reason.NOT_FOUND,
                "No sender is configured at this path. "
                "Add it to the file that WARMLEAD_SALES or WARMLEAD_FORMS names, and restart.",
            )
        return await answer_sender(request, sender, taken)

    return work


def _as_page(headers: Mapping[str, str], answer: Answer) -> Answer:
    """The answer as a page, if a person's browser navigated to it."""
    if not navigates(headers):
        return answer
    from warmlead.web.pages import page

    return page(headers, answer)


def _edge(
    function: Function, work: Work, *, body_bytes: int, dress: Dress | None = None
) -> Handler:
    configure_logging(human=not settings().production)
    edge = Edge(
        work,
        function=function.name,
        limits=Limits(body_bytes, settings().body_timeout_s),
        clock=SystemClock(),
        new_id=lambda: uuid.uuid4().hex,
        dress=dress,
    )
    return edge.answer


def senders(function: Function, using: Settings) -> Senders:
    """A function's senders as they are configured; ``ConfigurationError`` with every fault."""
    return senders_of(function.name, using, os.environ)


def _scoring(using: Settings) -> "Scoring":
    from warmlead.application.apply import Scoring

    return Scoring(rules(using), lead_ids(using))


FILES: tuple[Callable[[Settings], object], ...] = (
    rules,
    *(partial(senders, function) for function in public()),
)
"""What reads the files that settings name; each raises ``ConfigurationError`` with every fault."""
