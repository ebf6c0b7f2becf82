"""What a back-test found: the shapes of its JSON, and of what its page and tables show."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from warmlead.application.explain import Shape
from warmlead.learning.observations import Question

UNKNOWN_PAST = "unknown_past"
"""Why a lead is left out of whom a model counts what the history does not know."""


class AskedReport(Shape):
    """What was asked of leads; the base of reports that judge them. ``as_of`` is when it was asked.

    Leads that became known from ``since`` on and before ``until`` are looked at, each
    ``after_hours`` it became known. The outcome counts ``within_days`` since then.
    """

    outcome: str
    since: datetime | None
    until: datetime | None
    after_hours: float
    within_days: float
    as_of: datetime


def asked(question: Question, as_of: datetime) -> dict[str, Any]:
    """The fields of ``AskedReport``; ``question`` says the horizon that was used."""
    return {
        "outcome": question.outcome,
        "since": question.since,
        "until": question.until,
        "after_hours": question.after / timedelta(hours=1),
        "within_days": (question.within or timedelta(0)) / timedelta(days=1),
        "as_of": as_of,
    }


class Likely(Shape):
    """A number with the interval in which the true one is 19 times in 20.

    All are ``None`` if there was nothing to compute it of.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None


class AtBar(Shape):
    """What a model's bar lets pass.

    ``bar`` says in words what it is; it is empty if the model has no stage. ``unknown`` leads are
    left out here: their history does not know what the conditions of the stages count.
    ``precision`` is the share of those who pass that reached the outcome, ``recall`` the share of
    those who reached it that pass.
    """

    bar: str
    leads: int
    unknown: int
    passed: int
    won: int
    mqls_a_week: float
    precision: Likely
    recall: Likely


class ScoreTenth(Shape):
    """A tenth of the leads by score, the highest first; lift: their rate beside that of all.

    Leads of one score that two tenths share are shared in proportion, so ``won`` may be a fraction.
    """

    leads: int
    won: float
    rate: float
    lift: float
    least_score: int


class ExpectedBand(Shape):
    """Leads of about the same expected rate: what was expected, and what came."""

    leads: int
    won: int
    expected: float
    came: Likely


class Reliable(Shape):
    """Whether of leads with a probability of 30 % about 30 % reached the outcome.

    ``calibration_error`` is the mean distance, weighted by leads (expected calibration error).
    ``source``: ``model``, if the model states its probability of this outcome within this time, or
    else ``folds``: each fifth of the leads is judged by a curve through the others.
    """

    source: str
    calibration_error: float
    log_loss: float
    bands: list[ExpectedBand]


class JudgedModel(Shape):
    """One model, as of each lead's own time.

    ``auc`` is the probability that of a lead that reached the outcome and one that did not, the
    first has the higher score (ties count half). ``gain`` is its distance from that of the first
    model, on the same leads. ``gaps`` names what the model counts and histories do not know, with
    the number of leads concerned.
    """

    name: str
    version: str
    auc: Likely
    gain: Likely | None
    at_bar: AtBar
    tenths: list[ScoreTenth]
    reliability: Reliable
    gaps: dict[str, int]


class UnderModel(Shape):
    """What one model makes of a lead: score, and the contributions that matter most, in words."""

    score: int
    reasons: list[str]


class ChangedLead(Shape):
    """A lead for which a model decides otherwise than the first one.

    ``who`` is for the terminal alone: no JSON and no page has it.
    """

    id: str
    known_at: datetime
    judged_at: datetime
    won: bool
    before: UnderModel
    after: UnderModel
    who: str = Field(default="", exclude=True)


class ChangedLeads(Shape):
    """All leads for which a model decides otherwise in one direction, and some of them."""

    leads: int
    won: int
    rate: Likely
    examples: list[ChangedLead]


class ModelChange(Shape):
    """Whom a model would let pass besides, and whom no more, beside the first one."""

    before: str
    after: str
    more: ChangedLeads
    fewer: ChangedLeads


class PublicSource(Shape):
    """Leads with the same source of their first visit."""

    source: str
    leads: int
    won: int


class PublicShare(Shape):
    """How many of the ripe leads anybody can have made up: only the public has said who they are.

    ``of`` and ``of_won`` are of all ripe leads. ``sources`` are those with the most such leads.
    """

    leads: int
    won: int
    of: int
    of_won: int
    sources: list[PublicSource]


class BacktestReport(AskedReport):
    """A back-test of one or several models on the same leads.

    ``left_out`` counts the leads that are not judged, by reason; ``unknown_past`` are those of whom
    some model counts what their history does not know. ``weeks`` is the time in which the judged
    ones became known.
    """

    leads: int
    won: int
    weeks: float
    left_out: dict[str, int]
    public: PublicShare
    models: list[JudgedModel]
    changes: list[ModelChange]
