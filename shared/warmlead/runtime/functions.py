"""The functions: the one place where use cases meet senders, the HTTP edge and a backend.

A function imports only what it needs, for its cold start. Hence the imports inside functions.
"""

import json
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, TypeAlias

from warmlead.application.accept import accept
from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import Accepted, RawRequest, Source
from warmlead.runtime.backends import (
    SystemClock,
    bus,
    embedded_bus,
    lead_ids,
    rules,
    settings,
    start,
    store,
)
from warmlead.runtime.runs import (
    Run,
    RunContext,
    RunResult,
    destinations,
    dispatching,
    evaluation,
    log_failures,
    log_unreadable,
    read_destinations,
    result_of,
    run_context,
)
from warmlead.runtime.table import (
    CHAT,
    DASHBOARD,
    DECAY,
    DELIVER,
    FOLLOWUP,
    FORMS,
    MAIL,
    REDELIVER,
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
from warmlead.web.logging import configure_logging

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from warmlead.application.apply import Scoring
    from warmlead.domain.event import Event

WEBHOOK_BYTES = 1_000_000
"""The largest body of a tool's webhook: a hundred records of a CRM with all of their fields."""

MAIL_BYTES = 2_000_000
"""The largest body from a mail tool: a thousand events of SendGrid with their custom fields."""

RUN_S = 50.0
"""Seconds in which a scheduled function begins pages; its next call does the rest."""

CALL_S = 60.0
"""Seconds for which a caller waits unless the platform says otherwise: its default."""

_log = logging.getLogger(__name__)


Handler: TypeAlias = "Callable[[Request], Awaitable[Response]]"
Work: TypeAlias = Callable[[RawRequest], Awaitable[Answer]]
_RUNS: dict[str, Callable[[], Run]] = {}
"""What builds the run of each scheduled function, by the function's name."""


@cache
def forms() -> Handler:
    """The ``forms`` function: website forms, one path per sender."""
    return _edge(FORMS, _accepting(FORMS), body_bytes=settings().form_bytes, dress=_as_page)


@cache
def chat() -> Handler:
    """The ``chat`` function: what visitors say in chats, one path per sender."""
    return _edge(CHAT, _accepting(CHAT), body_bytes=WEBHOOK_BYTES)


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
    return _edge(SALES, _accepting(SALES), body_bytes=WEBHOOK_BYTES)


@cache
def mail() -> Handler:
    """The ``mail`` function: what mail tools report about their mails, one path per sender."""
    return _edge(MAIL, _accepting(MAIL), body_bytes=MAIL_BYTES)


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
    if settings().backend == "sqlite":
        await embedded_bus().drop(message_id)


def _called_by_clock(function: Function) -> Callable[[Callable[[], Run]], Callable[[], Handler]]:
    """Makes a function that a clock calls. ``build`` returns its run; its docstring is the help."""

    def decorate(build: Callable[[], Run]) -> Callable[[], Handler]:
        _RUNS[function.name] = build

        @cache
        def handler() -> Handler:
            run, needed = build(), start(function.demands, run_context)

            async def work(_: RawRequest) -> Answer:
                result = await run(needed(), run_s(function, os.environ))
                log_failures(result)
                answer = json.dumps(result.answer).encode()
                return Answer(200, answer, facts=result.facts)

            return _edge(function, _pushed(work), body_bytes=10_000)

        return wraps(build)(handler)

    return decorate


def run_s(function: Function, environ: Mapping[str, str]) -> float:
    """Seconds in which a run begins new work, so that all of it ends while the caller waits.

    An attempt at a tool may take longer than any page of leads.
    """
    if not function.reaches_out:
        return RUN_S
    from warmlead.application.redeliver import LAST_S

    call_s = float(environ.get("CLOUD_RUN_TIMEOUT_SECONDS") or CALL_S)
    return min(RUN_S, max(call_s - LAST_S, 1.0))


@_called_by_clock(DECAY)
def decay() -> Run:
    """Re-evaluate all leads that are due for decay.

    Scores fade, stages are lost, sequences begin or end. Reads only leads that are due, and after
    an update those of the earlier release, once.
    """
    from warmlead.application.due import decay as decay_leads

    async def run(using: RunContext, budget_s: float | None) -> RunResult:
        progress = await decay_leads(evaluation(using), budget_s=budget_s)
        return result_of(progress, done=progress.done)

    return run


@_called_by_clock(FOLLOWUP)
def followup() -> Run:
    """Do what is due: nurture steps, deadlines, unsent triggers.

    Deadlines are those that sales promised. Unsent triggers are those that a crash left behind.
    Reads only leads that are due.
    """
    from warmlead.application.due import follow_up

    async def run(using: RunContext, budget_s: float | None) -> RunResult:
        done = await follow_up(evaluation(using), budget_s=budget_s)
        return result_of(done.due, swept=done.swept, done=done.done)

    return run


@_called_by_clock(REPORT)
def report() -> Run:
    """Report the KPIs of yesterday, and of the last week and month if they are missing.

    Makes kept reports again that are no longer right. Once a month, also looks whether the scores
    of new leads and their outcomes still agree with what the model learned from.
    """
    from warmlead.application.report import Reporting, report_due
    from warmlead.learning.watching import watch_due

    async def run(using: RunContext, _: float | None) -> RunResult:
        reporting = Reporting(
            using.store, using.reports, using.bus, using.rules, log_unreadable, using.imports()
        )
        now = using.clock.now()
        made = await report_due(reporting, now)
        look = await watch_due(reporting, now)
        periods = [each.period for each in made]
        answer = {"periods": periods, **({"looked_at": look.month} if look else {})}
        return RunResult(answer=answer, facts={"count": len(made)})

    return run


@cache
def deliver() -> Handler:
    """The ``deliver`` function: hands the messages that Pub/Sub pushes to the configured tools."""
    from warmlead.application import deliver as delivering
    from warmlead.ports import Message
    from warmlead.web.push import parse_push

    needed = start(DELIVER.demands, run_context, read_destinations)
    to = destinations()

    async def work(request: RawRequest) -> Answer:
        push = parse_push(request.body)
        if not to:
            return Answer(200, b"{}", facts={"reason": "no_destinations"})
        try:
            done = await delivering.deliver(
                Message(push.data, push.attributes), dispatching(needed())
            )
        except RejectedError as error:  # published by hand; a retry does not help: acknowledged
            return Answer(200, b"{}", facts={"reason": error.reason})
        return Answer(200, b"{}", facts=done.counts)

    return _edge(DELIVER, _pushed(work), body_bytes=20_000_000)


@cache
def dashboard() -> Handler:
    """The ``dashboard`` function: pages and an API for the people of marketing and sales."""
    from warmlead.dashboard.site import BODY_BYTES
    from warmlead.runtime.dashboard import site_of

    site = start(DASHBOARD.demands, site_of)
    return _edge(DASHBOARD, site.answer, body_bytes=BODY_BYTES, dress=site.dressed, is_private=True)


@_called_by_clock(REDELIVER)
def redeliver() -> Run:
    """Send messages again to tools that have failed, and are due.

    Each destination has its own schedule: ten attempts in three days. Reads only what is due.
    """
    from warmlead.application.redeliver import redeliver as redeliver_due

    start((), read_destinations)

    async def run(using: RunContext, budget_s: float | None) -> RunResult:
        done = await redeliver_due(dispatching(using), budget_s=budget_s)
        return RunResult(answer=done.counts, facts=done.counts, done=done.done)

    return run


def run_of(function: Function) -> Run:
    """What one call of a scheduled function does."""
    return _RUNS[function.name]()


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
    add_it = "".join(
        f" Add it to the file that {name} names, and restart." for name in function.files
    )

    async def taken(request: RawRequest, sender: Sender) -> Accepted:
        return await accept(request, sender, bus=bus(), ids=ids)

    async def work(request: RawRequest) -> Answer:
        sender = configured.at(request.path)
        if sender is None:
            text = f"No sender is configured at this path.{add_it}"
            raise RejectedError(Reason.NOT_FOUND, text)
        return await answer_sender(request, sender, taken)

    return work


def _as_page(headers: Mapping[str, str], answer: Answer) -> Answer:
    """The answer as a page, if a person's browser navigated to it."""
    if not navigates(headers):
        return answer
    from warmlead.web.pages import page

    return page(headers, answer)


def _edge(
    function: Function,
    work: Work,
    *,
    body_bytes: int,
    dress: Dress | None = None,
    is_private: bool = False,
) -> Handler:
    configure_logging(human=not settings().production)
    edge = Edge(
        work,
        function=function.name,
        limits=Limits(body_bytes, settings().body_timeout_s),
        clock=SystemClock(),
        new_id=lambda: uuid.uuid4().hex,
        dress=dress,
        is_private=is_private,
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
    read_destinations,
)
"""What reads the files that settings name; each raises ``ConfigurationError`` with every fault."""
