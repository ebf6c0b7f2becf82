"""Reads every ripe lead of a store once, and keeps what calibration needs of it."""

from collections.abc import Callable
from datetime import datetime

from warmlead.learning.evidence import Evidence
from warmlead.learning.gaps import KnownPast
from warmlead.learning.observations import Question
from warmlead.learning.observing import Observed, cases, observation_of
from warmlead.model.loading import Model
from warmlead.ports import LeadStore
from warmlead.ports.reporting import ReportStore


async def gathered(
    store: LeadStore,
    reports: ReportStore,
    model: Model,
    question: Question,
    *,
    now: datetime,
    observed: Observed,
    as_if_none: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Evidence:
    """What the ripe leads of a question say under a model; ``observed`` is told who was left out.

    Leads of whom the model counts what their history does not know are left out, unless
    ``as_if_none``: then what is not known counts as none. ``Evidence.unknown`` counts them by what
    is not known. Raises ``UnavailableError``.
    """
    evidence, past = Evidence(), KnownPast(model, now)
    async for case in cases(store, reports, question, now, observed):
        gaps = past.gaps(case.lead, case.at).of_score
        evidence.unknown.update(gaps)
        if gaps and not as_if_none:
            evidence.left_out += 1
        else:
            evidence.add(observation_of(case, model.rules))
        progress(observed.seen)
    return evidence
