"""The review of a month: what the bar let through, what sales sent back, what to change.

It is made of the month's report, the look at the model, and what calibration would change.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from warmlead.application.explain import Shape
from warmlead.learning.backtest_report import Likely, PublicShare
from warmlead.learning.calibration_report import CalibrationReport
from warmlead.messages.feedback import AnswerFigures
from warmlead.messages.kpis import KpiReport
from warmlead.messages.watch import MonthlyLook
from warmlead.messages.wording import title_of
from warmlead.reporting.statistics import SMALL_SAMPLE, wilson

FEWEST_ANSWERS = 5
"""Answers of sales to leads with something in common, below which they are not shown."""

MOST_ROWS = 12
"""Rows of one table, those with the most refusals first."""

MOST_CHANGES = 12
"""Conditions whose points calibration would change most."""

SAYS_NOTHING = ("bad_data", "duplicate")
"""Refusals that say nothing of the lead's interest: nothing is learned from them."""


class PassedBand(Shape):
    """The MQLs of the month with scores in a band, and how far they have come since."""

    band: str
    mqls: int
    sqls: int
    customers: int


class AnsweredGroup(Shape):
    """Answers of sales about leads that have something in common: ``facet`` says what.

    ``share`` is that of the accepted. ``is_worse``: even the upper end is below the share of all.
    """

    facet: str
    name: str
    accepted: int
    rejected: int
    share: Likely
    is_worse: bool
    is_small: bool


class PointChange(Shape):
    """What calibration would make of a condition's points."""

    name: str
    title: str
    before: int | None
    after: int
    leads: int
    rate: Likely


class SuggestedChange(Shape):
    """What calibration would change: learned from older leads, judged by the newest.

    ``is_better``: the gain is certain, 19 times in 20.
    """

    leads: int
    won: int
    outcome: str
    auc_before: Likely
    auc_after: Likely
    gain: Likely
    is_better: bool
    public: PublicShare
    changes: list[PointChange]


class MonthReview(Shape):
    """The review of a month, for one page.

    ``accepted`` and ``rejected`` are answers of sales in the month. ``look`` is ``None`` until the
    leads of the month can be judged, from ``look_from`` on. ``suggested`` is ``None`` if there are
    too few leads; ``missing`` then says how many more.
    """

    month: str
    model: str
    version: str
    as_of: datetime
    became_known: int
    mqls: int
    accepted: int
    rejected: int
    passed: list[PassedBand]
    reasons: dict[str, int]
    unused: int
    answers: list[AnsweredGroup]
    look: MonthlyLook | None
    look_from: datetime | None
    suggested: SuggestedChange | None
    missing: str


def passed_of(report: KpiReport) -> list[PassedBand]:
    """The MQLs of the month by the band of their score, the lowest first."""
    found = report.breakdowns.get("score", {}).items()
    return [
        PassedBand(band=band, mqls=f.mql, sqls=f.became_sql, customers=f.became_customer)
        for band, f in sorted(found, key=lambda each: _start(each[0]))
        if f.mql
    ]


def _start(band: str) -> int:
    first = band.partition("-")[0]
    return int(first) if first.isdecimal() else -1


def answered_of(report: KpiReport) -> tuple[int, int]:
    """How many leads sales accepted, and how many it rejected; each answer is in one band."""
    answers = report.feedback.by_score.values()
    return sum(each.accepted for each in answers), sum(each.rejected for each in answers)


def answers_of(report: KpiReport, titles: Mapping[str, str]) -> list[AnsweredGroup]:
    """What sales made of leads by score, channel, source and signal, the worst of each first."""
    feedback = report.feedback
    accepted, rejected = answered_of(report)
    whole = accepted / (accepted + rejected) if accepted + rejected else 0.0
    signals = {title_of(name, titles): each for name, each in feedback.by_signal.items()}
    groups: dict[str, Mapping[str, AnswerFigures]] = {
        "score": feedback.by_score,
        "channel": feedback.by_channel,
        "source": feedback.by_source,
        "signal": signals,
    }
    return [row for facet, values in groups.items() for row in _rows(facet, values, whole)]


def _rows(facet: str, values: Mapping[str, AnswerFigures], whole: float) -> Iterable[AnsweredGroup]:
    rows = [
        _answered(facet, name, each, whole)
        for name, each in values.items()
        if each.accepted + each.rejected >= FEWEST_ANSWERS
    ]
    return sorted(rows, key=lambda row: (-row.rejected, row.name))[:MOST_ROWS]


def _answered(facet: str, name: str, found: AnswerFigures, whole: float) -> AnsweredGroup:
    of = found.accepted + found.rejected
    low, high = wilson(found.accepted, of)
    return AnsweredGroup(
        facet=facet,
        name=name,
        accepted=found.accepted,
        rejected=found.rejected,
        share=Likely(value=found.accepted / of, low=low, high=high),
        is_worse=high < whole,
        is_small=of < SMALL_SAMPLE,
    )


def suggestion_of(made: CalibrationReport) -> SuggestedChange:
    """What a calibration would change, in short."""
    moved = [line for line in made.conditions if line.before != line.after]
    moved.sort(key=lambda line: (-abs(line.after - (line.before or 0)), line.name))
    return SuggestedChange(
        leads=made.leads,
        won=made.won,
        outcome=made.outcome,
        auc_before=made.auc_before,
        auc_after=made.auc_after,
        gain=made.auc_gain,
        is_better=(made.auc_gain.low or 0) > 0,
        public=made.public,
        changes=[
            PointChange(
                name=line.name,
                title=line.title,
                before=line.before,
                after=line.after,
                leads=line.leads,
                rate=line.rate,
            )
            for line in moved[:MOST_CHANGES]
        ],
    )
