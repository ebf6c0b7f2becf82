"""Where the bar of a model could be: capacity, target and value on the curve of past leads."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np
from msgspec import Struct, structs

from warmlead.application.explain import shaped
from warmlead.learning.backtest import likely, public_of, reasons_left_out, weeks_of
from warmlead.learning.backtest_report import asked
from warmlead.learning.bar_report import BarRange, BarReport, BarView, CurveStep
from warmlead.learning.bars import ALWAYS, NEVER, ScoreBar, bar_of, bar_score
from warmlead.learning.cases import Case
from warmlead.learning.gaps import KnownPast
from warmlead.learning.gates import TooFewLeadsError, enough
from warmlead.learning.judging import share
from warmlead.learning.observations import Question
from warmlead.learning.observing import Observed, cases, evaluated
from warmlead.learning.thresholds import ChosenBar, Curve, curve
from warmlead.model.loading import Model
from warmlead.ports import LeadStore
from warmlead.ports.reporting import ReportStore

MOST_STEPS = 60
"""How many bars of the curve are shown."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What the bar should do; a view that is ``None`` is not asked for.

    ``mqls_a_week`` is how many leads sales can call. ``rate``, from 0 to 1, is the share of those
    who pass that should reach the outcome. ``contact_cost`` and ``deal_value`` are in one unit.
    """

    mqls_a_week: float | None = None
    rate: float | None = None
    contact_cost: float | None = None
    deal_value: float | None = None


async def bar_views(
    store: LeadStore,
    reports: ReportStore,
    model: Model,
    question: Question,
    wanted: Wanted,
    *,
    now: datetime,
    as_if_none: bool = False,
    observed: Observed | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> BarReport:
    """The views of the curve of a model, in one pass over the leads, each as of its own time.

    Raises ``TooFewLeadsError`` with what is missing, and ``UnavailableError``.
    """
    told = Observed() if observed is None else observed
    asked = BarCurve(model, now, as_if_none=as_if_none)
    async for case in cases(store, reports, question, now, told):
        asked.add(case)
        progress(told.seen)
    if told.horizon is not None:
        question = structs.replace(question, within=told.horizon)
    return asked.report(question, wanted, told)


class BarCurve:
    """Collects which bars leads would pass under a model."""

    def __init__(self, model: Model, now: datetime, *, as_if_none: bool = False) -> None:
        self._model = model
        self._now = now
        self._as_if_none = as_if_none
        self._past = KnownPast(model, now)
        self._bar = bar_of({stage.name: stage.enter for stage in model.plan.stages})
        self._policy = next(
            (each for each in model.rules.stages if self._bar and each.name == self._bar.stage),
            None,
        )
        self._bars, self._won, self._known_s = array("q"), bytearray(), array("d")
        self._unknown = 0
        self._gaps: Counter[str] = Counter()

    def add(self, case: Case) -> None:
        """Looks which bar one lead would pass."""
        gaps = self._past.gaps(case.lead, case.at)
        if lacking := gaps.of_score | (gaps.of_stage if self._policy else frozenset()):
            self._gaps.update(lacking)
            if not self._as_if_none:
                self._unknown += 1
                return
        seen = evaluated(case, self._model.rules)
        bar = seen.totals.score
        if self._policy:
            bar = bar_score(self._policy, seen.standing, case.known_at, case.at)
        self._bars.append(bar)
        self._won.append(case.won)
        self._known_s.append(case.known_at.timestamp())

    def report(self, question: Question, wanted: Wanted, observed: Observed) -> BarReport:
        """The views; raises ``TooFewLeadsError`` with what is missing."""
        bars = np.frombuffer(self._bars, np.int64).copy()
        won = np.frombuffer(self._won, np.uint8).astype(bool)
        enough(len(won), int(won.sum())).require(self._unknown, self._gaps)
        decided = bars[(bars != ALWAYS) & (bars != NEVER)]
        if not decided.size:
            where = f" but for the score, nobody meets the conditions of {self._stage}"
            raise TooFewLeadsError(f"there is nothing to choose:{where}")
        weeks = weeks_of(question, np.frombuffer(self._known_s, np.float64))
        highest = int(decided.max())
        always, never = int((bars == ALWAYS).sum()), int((bars == NEVER).sum())
        bars[bars == ALWAYS] = max(highest, self._bar.score if self._bar else highest) + 1
        may = bars != NEVER
        found = curve(bars[may], won[may], weeks=weeks)
        views = _Views(found, int(won.sum()))
        return BarReport(
            model=self._model.name,
            version=self._model.version,
            stage=self._stage,
            **asked(question, self._now),
            leads=len(won),
            won=int(won.sum()),
            weeks=round(weeks, 1),
            always=always,
            never=never,
            left_out=reasons_left_out(observed.left_out, self._unknown),
            public=public_of(observed),
            gaps=dict(sorted(self._gaps.items())),
            views=list(views.of(self._bar, wanted)),
            curve=list(views.steps(highest)),
        )

    @property
    def _stage(self) -> str:
        return self._bar.stage if self._bar else ""


class _Views:
    """The views of one curve; ``winners`` counts all who won, those who pass no bar among them."""

    def __init__(self, found: Curve, winners: int) -> None:
        self._curve = found
        self._winners = winners

    def of(self, bar: ScoreBar | None, wanted: Wanted) -> Iterator[BarView]:
        """Those that are wanted; that of today if the model has a bar."""
        if bar is not None:
            yield self._view("today", f"score >= {bar.score}", self._curve.at(bar.score))
        if wanted.mqls_a_week is not None:
            chosen = self._curve.capacity(wanted.mqls_a_week)
            yield self._view("capacity", f"{wanted.mqls_a_week:g} a week", chosen)
        if wanted.rate is not None:
            chosen = self._curve.target(wanted.rate)
            yield self._view("target", f"{wanted.rate:.1%}", chosen)
        if wanted.contact_cost is not None and wanted.deal_value is not None:
            chosen = self._curve.value(wanted.contact_cost, wanted.deal_value)
            asked = f"{wanted.deal_value:g} a deal, {wanted.contact_cost:g} a contact"
            yield self._view("value", asked, chosen)

    def _view(self, name: str, asked: str, chosen: ChosenBar) -> BarView:
        return BarView(
            view=name,
            asked=asked,
            bar=chosen.bar,
            nearest=chosen.nearest,
            why=chosen.why,
            passed=chosen.passed,
            won=chosen.won,
            mqls_a_week=round(chosen.mqls_a_week, 2),
            precision=likely(chosen.precision),
            recall=likely(share(chosen.won, self._winners)),
            value_a_week=None if chosen.value_a_week is None else round(chosen.value_a_week, 2),
            range=None if chosen.interval is None else shaped(BarRange, chosen.interval),
        )

    def steps(self, highest: int) -> Iterator[CurveStep]:
        """Bars of the curve, the lowest first: all, or some at equal distances of leads."""
        bars = self._curve.bars[self._curve.bars <= highest]
        places = np.unique(np.linspace(0, len(bars) - 1, min(MOST_STEPS, len(bars))).astype(int))
        for bar in bars[places][::-1].tolist():
            at = self._curve.at(bar)
            yield CurveStep(
                bar=bar,
                passed=at.passed,
                won=at.won,
                mqls_a_week=round(at.mqls_a_week, 2),
                precision=likely(at.precision),
            )
