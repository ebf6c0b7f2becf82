"""The functions: the one place where use cases meet senders, the HTTP edge and a backend.

A function imports only what it needs, for its cold start. Hence the imports inside functions.
"""

import json
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from warmlead.application.accept import accept
from warmlead.domain.errors import Reason, RejectedError, UnreadableError
from warmlead.ports import Accepted, RawRequest, Source
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
from warmlead.senders import registry
from warmlead.senders.base import Sender, answer_sender
from warmlead.senders.registry import senders_of
from warmlead.settings import Settings
from warmlead.web.answers import Answer, navigates
from warmlead.web.edge import Dress, Edge, Limits
from warmlead.web.logging import configure_logging, log_event

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from warmlead.application.apply import Scoring
    from warmlead.application.due import EvaluationContext, RunProgress
    from warmlead.application.report import Reporting
    from warmlead.domain.event import Event
    from warmlead.senders.crm import SalesSender
    from warmlead.senders.generic import FormSettings

SALES_BYTES = 1_000_000
"""The largest body from a CRM: a hundred records with all of their fields."""

RUN_S = 50.0
"""Time in which a scheduled function begins pages; Cloud Scheduler calls again for the rest."""

_log = logging.getLogger(__name__)

Handler: TypeAlias = "Callable[[Request], Awaitable[Response]]"
Work: TypeAlias = Callable[[RawRequest], Awaitable[Answer]]


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
    """Publishes events without attributes again with them, so that the archive finds them.

    Export and erasure search by these attributes.
    """
    from warmlead.application.accept import by_lead
    from warmlead.domain.trigger import Topic

    await bus().publish(Topic.LEAD_EVENTS, by_lead(events, lead_ids(settings())))
    await _take_out(message_id)


async def _take_out(message_id: str) -> None:
    """Deletes messages that came too late, or were published again, from the archive of the bus."""
    if settings().backend == "sqlite" and (number := await embedded_bus().number_of(message_id)):
        await embedded_bus().erase([number])


@cache
def decay() -> Handler:
    """The ``decay`` function: re-evaluates leads that are due, over several calls if needed."""
    from warmlead.application.decay import decay as let_fade

    needed = start(DECAY.demands, settling)

    async def work(_: RawRequest) -> Answer:
        return _told(await let_fade(needed(), budget_s=RUN_S))

    return _edge(DECAY, _pushed(work), body_bytes=10_000)


@cache
def followup() -> Handler:
    """The ``followup`` function: steps and deadlines that are due, and unsent triggers."""
    from warmlead.application.followup import follow_up

    needed = start(FOLLOWUP.demands, settling)

    async def work(_: RawRequest) -> Answer:
        run = await follow_up(needed(), budget_s=RUN_S)
        return _told(run.due, swept=run.swept, done=run.done)

    return _edge(FOLLOWUP, _pushed(work), body_bytes=10_000)


@cache
def report() -> Handler:
    """The ``report`` function: the KPIs of the periods that are over."""
    from warmlead.application.report import report_due

    needed, clock = start(REPORT.demands, reporting), SystemClock()

    async def work(_: RawRequest) -> Answer:
        made = await report_due(needed(), clock.now())
        told = {"periods": [each.period for each in made]}
        return Answer(200, json.dumps(told).encode(), facts={"count": len(made)})

    return _edge(REPORT, _pushed(work), body_bytes=10_000)


def reporting(using: Settings) -> "Callable[[], Reporting]":
    """The parts of a report; the model is read at once, the rest when used."""
    from warmlead.application.report import Reporting

    model = rules(using)
    return lambda: Reporting(store(), reports(), bus(), model, _tell_unreadable)


def settling(using: Settings) -> "Callable[[], EvaluationContext]":
    """The parts of the scheduled functions; the model is read at once, the rest when used."""
    from warmlead.application.due import EvaluationContext

    model, clock = rules(using), SystemClock()
    return lambda: EvaluationContext(store(), bus(), model, clock)


def _told(progress: "RunProgress", **others: int) -> Answer:
    """The result of a run, for its caller and the log."""
    tell_failures(progress)
    facts = {**progress.counts, **others}
    return Answer(200, json.dumps(facts).encode(), facts=facts)


def tell_failures(progress: "RunProgress") -> None:
    """Logs which leads could not be evaluated, and why."""
    for lead_id, error in progress.failures:
        level = logging.ERROR
        if isinstance(error, UnreadableError):
            _tell_unreadable(error)
        else:
            log_event(_log, "lead_not_settled", level=level, error=error, lead_id=lead_id)


def _tell_unreadable(error: UnreadableError) -> None:
    """Logs which leads cannot be read, and why."""
    for lead_id, problem in error.problems.items():
        log_event(_log, "lead_unreadable", level=logging.ERROR, lead_id=lead_id, reason=problem)


def _pushed(work: Work) -> Work:
    """The work, only for the account that may push, if one is set."""
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
    found = [senders_of(function.name, using, os.environ) for function in public()]
    return {sender.name: sender for each in found for sender in each.all()}


def _accepting(function: Function) -> Work:
    """Routes requests to the function's senders, by the first part of the path."""
    senders = start(function.demands, lambda using: senders_of(function.name, using, os.environ))
    ids = lead_ids(settings())

    async def taken(request: RawRequest, sender: Sender) -> Accepted:
        return await accept(request, sender, bus=bus(), ids=ids)

    async def work(request: RawRequest) -> Answer:
        sender = senders.at(request.path)
        if sender is None:
            raise RejectedError(Reason.NOT_FOUND, "No sender of this name is configured.")
        return await answer_sender(request, sender, taken)

    return work


def _as_page(headers: Mapping[str, str], answer: Answer) -> Answer:
    """The answer as a page, if a person sees it."""
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


def form_settings(using: Settings) -> "Mapping[str, FormSettings]":
    """The configured forms, by name; raises ``ConfigurationError`` with every fault of the file."""
    from warmlead.senders.generic.settings import form_settings as of_file

    return of_file(using, os.environ)


def sales_senders(using: Settings) -> "list[SalesSender]":
    """The configured senders of sales; raises ``ConfigurationError`` with every fault."""
    return registry.sales_senders(using, os.environ)


def _scoring(using: Settings) -> "Scoring":
    from warmlead.application.apply import Scoring

    return Scoring(rules(using), lead_ids(using))


FILES: tuple[Callable[[Settings], object], ...] = (rules, form_settings, sales_senders)
"""What reads the files that settings name; each raises ``ConfigurationError`` with every fault."""
