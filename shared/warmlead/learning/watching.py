"""Looks at the months of the model in force, keeps what was seen, and publishes each alarm once.

A month is looked at once a version of the model: when the last of its leads can be judged.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from warmlead.application.report import Reporting
from warmlead.domain.probability import Probability
from warmlead.domain.trigger import Topic
from warmlead.learning.kept_looks import KeptLook, keep_look, kept_of
from warmlead.learning.monthly_look import LookedAt, Ripe, due, last_ripe, look, ripened
from warmlead.learning.observations import Question
from warmlead.learning.population import population
from warmlead.learning.reference import MODEL_FILE, Reference, reference_of
from warmlead.messages.contract import ModelDriftedMessage
from warmlead.messages.watch import MonthlyLook
from warmlead.ports import Message
from warmlead.reporting.periods import Period, Span, last_period

USUAL = Question(outcome="customer", after=timedelta(days=7), within=timedelta(days=90))
"""What is asked of a model that states no probability."""

REFERENCE_MONTHS = 3
FEWEST_OF_REFERENCE = 100
"""Leads of a reference; fewer make none."""


def question_of(stated: Probability | None) -> Question:
    """What a watch asks: of what the model states the probability, or else what is usual."""
    if stated is None:
        return USUAL
    return Question(outcome=stated.outcome, after=stated.after, within=stated.within)


# --- looks -----------------------------------------------------------------------------------


async def watch_due(reporting: Reporting, now: datetime) -> MonthlyLook | None:
    """Looks at the last month whose leads can all be judged, unless that was done.

    Keeps the look, then publishes its alarm. If it is killed and run again, the same bytes are
    published under the same id. Raises ``UnavailableError`` if it should be run again.
    """
    month = last_due(question_of(reporting.rules.probability), now)
    version = reporting.rules.version
    kept = next(
        (e for e in await kept_of(reporting.reports, month) if e.model_version == version), None
    )
    if kept and kept.is_told:
        return None
    if kept is None:
        made = await look_at(reporting, month, now, keeps=True)
        kept = KeptLook(version, made.model_dump_json(), is_told=not made.alarms)
        await keep_look(reporting.reports, month, kept)  # first: what is published is what is kept
    made = MonthlyLook.model_validate_json(kept.look)
    if not kept.is_told:
        await reporting.bus.publish(Topic.KPI, [to_alarm(made, due_of(made, month))])
        await keep_look(reporting.reports, month, replace(kept, is_told=True))
    return made


def last_due(question: Question, now: datetime) -> Period:
    """The last month whose leads can all be judged."""
    month = last_period(Span.MONTH, now)
    while due(month, question) > now:
        month = last_period(Span.MONTH, month.start)
    return month


def due_of(made: MonthlyLook, month: Period) -> datetime:
    """When a look could be made first."""
    return month.end + timedelta(days=made.after_days)


def to_alarm(made: MonthlyLook, at: datetime) -> Message:
    """The message about a look with an alarm; one id for a month and a version of the model."""
    subject = f"{made.month}/{made.model_version}"
    id_ = hashlib.sha256(f"drift\n{subject}".encode()).hexdigest()[:32]
    event = ModelDriftedMessage(id=id_, subject=subject, time=at, data=made)
    attributes = {
        "type": event.type,
        "period": made.month,
        "content-type": "application/cloudevents+json",
        "id": id_,
    }
    return Message(event.model_dump_json().encode(), attributes)


async def look_at(
    reporting: Reporting, month: Period, now: datetime, *, keeps: bool = False
) -> MonthlyLook:
    """The look at a month under the model in force; keeps a new reference only if it ``keeps``.

    Raises ``UnavailableError``.
    """
    question = question_of(reporting.rules.probability)
    reference = await _reference(reporting, month, question, now, keeps=keeps)
    scored = replace(question, within=question.after)  # a score needs no outcome
    leads = await population(reporting, month, scored, now)
    ripe = [
        Ripe(each, await population(reporting, each, question, now))
        for each in (ripened(month, question) if reference else ())
    ]
    return look(month, reporting.rules.version, question, LookedAt(leads, ripe, reference))


async def _reference(
    reporting: Reporting, month: Period, question: Question, now: datetime, *, keeps: bool
) -> Reference | None:
    """What the model file states; else what was kept; else the three months that ripened last."""
    stated = reporting.rules.probability
    if stated and stated.bands:
        return Reference(MODEL_FILE, stated.bands, stated)
    key = f"reference-{reporting.rules.version}-{question.outcome}"
    text = await reporting.reports.report(key)
    made = msgspec.json.decode(text, type=Reference) if text else None
    if made is None:
        months = last_ripe(month, question, REFERENCE_MONTHS)
        made = await _of_months(reporting, months, question, now)
        if made and keeps:
            await reporting.reports.keep(key, msgspec.json.encode(made).decode())
    return replace(made, probability=stated) if made else None


async def _of_months(
    reporting: Reporting, months: Sequence[Period], question: Question, now: datetime
) -> Reference | None:
    """The reference of ripe months; ``None`` if one had nobody, or they had too few leads."""
    found = [await population(reporting, each, question, now) for each in months]
    judged = [each for of_month in found for each in of_month.judged]
    if len(judged) < FEWEST_OF_REFERENCE or not all(each.judged for each in found):
        return None
    return reference_of(judged, f"{months[0].name} to {months[-1].name}")
