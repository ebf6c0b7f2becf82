"""The back-test: what models would have made of past leads, and what became of them."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappush, heapreplace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from warmlead.application.explain import shaped, view
from warmlead.application.listing import known_as, row_of
from warmlead.domain.evaluation import Evaluation
from warmlead.learning.backtest_report import (
    UNKNOWN_PAST,
    AtBar,
    BacktestReport,
    ChangedLead,
    ChangedLeads,
    ExpectedBand,
    JudgedModel,
    Likely,
    ModelChange,
    PublicShare,
    PublicSource,
    Reliable,
    ScoreTenth,
    UnderModel,
    asked,
)
from warmlead.learning.bars import would_enter
from warmlead.learning.cases import Case, LeftOut
from warmlead.learning.gaps import KnownPast
from warmlead.learning.gates import enough
from warmlead.learning.judging import (
    Estimate,
    auc,
    auc_gain,
    folds,
    lift_by_decile,
    log_loss,
    reliability,
    share,
)
from warmlead.learning.observations import Question
from warmlead.learning.observing import OTHER_SOURCES, Observed, cases, evaluated
from warmlead.learning.probability import platt
from warmlead.messages.wording import reasons
from warmlead.model.loading import Model
from warmlead.ports import LeadStore
from warmlead.ports.reporting import ReportStore

EXAMPLES = 10
"""How many leads are shown for which a model decides otherwise, in each direction."""

FOLDS = 5

_WEEK = timedelta(days=7)
_STOPPED, _PASSED, _UNCERTAIN = 0, 1, 2

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


async def backtest_of(
    store: LeadStore,
    reports: ReportStore,
    models: Sequence[Model],
    question: Question,
    *,
    now: datetime,
    bar: int | None = None,
    as_if_none: bool = False,
    observed: Observed | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> BacktestReport:
    """Judges all models in one pass over the leads, each as of its own time.

    A lead passes if it would have entered a stage of the model at that time, or, with ``bar``, if
    its score is at least that. Leads of whom a model counts what their history does not know are
    left out, unless ``as_if_none``: then what is not known counts as none. Raises
    ``TooFewLeadsError`` with what is missing, and ``UnavailableError``.
    """
    told = Observed() if observed is None else observed
    test = Backtest(models, now, bar=bar, as_if_none=as_if_none)
    async for case in cases(store, reports, question, now, told):
        test.add(case)
        progress(told.seen)
    if told.horizon is not None:
        question = structs.replace(question, within=told.horizon)
    return test.report(question, told)


class Backtest:
    """Judges models by cases that are added one by one; keeps few bytes of each."""

    def __init__(
        self, models: Sequence[Model], now: datetime, *, bar: int | None, as_if_none: bool = False
    ) -> None:
        self._now = now
        self._bar = bar
        self._as_if_none = as_if_none
        self._tested = [_Tested(model, now) for model in models]
        self._won, self._known_s = bytearray(), array("d")
        self._is_known = bytearray()
        self._changes = [_Changes(models[0], model) for model in models[1:]]

    def add(self, case: Case) -> None:
        """Asks every model about one lead."""
        verdicts = [tested.asked(case, self._bar) for tested in self._tested]
        is_known = self._as_if_none or all(verdict.is_known for verdict in verdicts)
        self._won.append(case.won)
        self._known_s.append(case.known_at.timestamp())
        self._is_known.append(is_known)
        if is_known:
            for change, verdict in zip(self._changes, verdicts[1:], strict=True):
                change.add(case, verdicts[0], verdict)

    def report(self, question: Question, observed: Observed) -> BacktestReport:
        """What was found; ``question`` says the horizon that was used.

        Raises ``TooFewLeadsError`` with what is missing.
        """
        chosen = np.frombuffer(self._is_known, np.uint8).astype(bool)
        won = np.frombuffer(self._won, np.uint8).astype(bool)[chosen]
        unknown = int((~chosen).sum())
        labels = (label for each in self._tested for label in each.gaps)
        enough(len(won), int(won.sum())).require(unknown, labels)
        weeks = weeks_of(question, np.frombuffer(self._known_s, np.float64)[chosen])
        first = self._tested[0].scores(chosen)
        return BacktestReport(
            **asked(question, self._now),
            leads=len(won),
            won=int(won.sum()),
            weeks=round(weeks, 1),
            left_out=reasons_left_out(observed.left_out, unknown),
            public=public_of(observed),
            models=[
                each.judged(
                    chosen,
                    won,
                    question,
                    first=None if each is self._tested[0] else first,
                    weeks=weeks,
                )
                for each in self._tested
            ],
            changes=[change.told() for change in self._changes],
        )


def reasons_left_out(left_out: Mapping[LeftOut, int], unknown: int) -> dict[str, int]:
    """The leads that are not judged, by reason; of ``unknown`` the history knows too little."""
    told = {str(why): leads for why, leads in sorted(left_out.items())}
    return {**told, UNKNOWN_PAST: unknown} if unknown else told


def public_of(observed: Observed) -> PublicShare:
    """The leads that anybody can have made up; the sources with the most first."""
    found = sorted(observed.public.items(), key=lambda each: (-each[1].leads, each[0]))
    shown = [PublicSource(source=name, leads=n, won=won) for name, (n, won) in found[:MOST_PUBLIC]]
    if rest := [each for _, each in found[MOST_PUBLIC:]]:
        leads, won = (sum(column) for column in zip(*rest, strict=True))
        shown.append(PublicSource(source=OTHER_SOURCES, leads=leads, won=won))
    return PublicShare(
        leads=sum(each.leads for each in shown),
        won=sum(each.won for each in shown),
        of=observed.ripe,
        of_won=observed.won,
        sources=shown,
    )


MOST_PUBLIC = 10
"""How many sources of such leads are shown apart."""


def weeks_of(question: Question, known_s: Floats) -> float:
    """The time from the first lead to the last, or from the beginning that was asked for.

    At least one week. ``known_s`` is when each became known, in seconds since 1970 UTC.
    """
    start = question.since.timestamp() if question.since else float(known_s.min())
    return max(1.0, (float(known_s.max()) - start) / _WEEK.total_seconds())


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a model makes of a lead at its moment."""

    model: Model
    evaluation: Evaluation
    passes: int
    is_known: bool

    @property
    def score(self) -> int:
        return self.evaluation.totals.score

    def in_words(self) -> UnderModel:
        rules = self.model.rules
        told = reasons(self.evaluation.score, rules.titles, rules.shown)
        return UnderModel(score=self.score, reasons=list(told))


class _Tested:
    """One model, with its verdicts in columns."""

    def __init__(self, model: Model, now: datetime) -> None:
        self._model = model
        self._past = KnownPast(model, now)
        self.gaps: Counter[str] = Counter()
        self._scores, self._passes = array("q"), bytearray()
        self._bar = ""

    def asked(self, case: Case, bar: int | None) -> _Verdict:
        """The verdict on a lead, which is kept."""
        rules = self._model.rules
        evaluation, gaps = evaluated(case, rules), self._past.gaps(case.lead, case.at)
        self.gaps.update(gaps.of_score | gaps.of_stage)
        if bar is not None:
            self._bar, passes = f"score >= {bar}", int(evaluation.totals.score >= bar)
        else:
            self._bar = " or ".join(policy.name for policy in rules.stages)
            enters = would_enter(rules.stages, evaluation.standing, case.known_at, case.at)
            passes = _UNCERTAIN if gaps.of_stage else int(enters)
        self._scores.append(evaluation.totals.score)
        self._passes.append(passes)
        return _Verdict(self._model, evaluation, passes, not gaps.of_score)

    def scores(self, chosen: Flags) -> Floats:
        """The scores of the chosen leads."""
        return np.frombuffer(self._scores, np.int64)[chosen].astype(np.float64)

    def judged(
        self, chosen: Flags, won: Flags, question: Question, *, first: Floats | None, weeks: float
    ) -> JudgedModel:
        """What is found of the model, on the chosen leads; ``first`` are scores of another."""
        scores = self.scores(chosen)
        return JudgedModel(
            name=self._model.name,
            version=self._model.version,
            auc=likely(auc(scores, won)),
            gain=None if first is None else likely(auc_gain(scores, first, won)),
            at_bar=self._at_bar(chosen, won, weeks),
            tenths=[
                shaped(ScoreTenth, each, leads=each.n, least_score=int(each.lowest))
                for each in lift_by_decile(scores, won)
            ],
            reliability=self._reliable(scores, won, question),
            gaps=dict(sorted(self.gaps.items())),
        )

    def _reliable(self, scores: Floats, won: Flags, question: Question) -> Reliable:
        """How reliable the probabilities of the model are, or those that follow from its scores."""
        stated = self._model.rules.probability
        asked = (question.outcome, question.within)
        if stated is not None and (stated.outcome, stated.within) == asked:
            source, chances = "model", np.array(_each(stated.of, scores))
        else:
            source, chances = "folds", _by_folds(scores, won)
        found = reliability(chances, won)
        return Reliable(
            source=source,
            calibration_error=found.ece,
            log_loss=log_loss(chances, won),
            bands=[
                ExpectedBand(
                    leads=each.n,
                    won=each.won,
                    expected=each.predicted,
                    came=likely(each.observed),
                )
                for each in found.bins
            ],
        )

    def _at_bar(self, chosen: Flags, won: Flags, weeks: float) -> AtBar:
        passes = np.frombuffer(self._passes, np.uint8)[chosen]
        is_certain, passed = passes != _UNCERTAIN, passes == _PASSED
        both, of = int((passed & won).sum()), int(passed.sum())
        every = int((won & is_certain).sum())
        known = int(is_certain.sum())
        return AtBar(
            bar=self._bar,
            leads=known,
            unknown=len(won) - known,
            passed=of,
            won=both,
            mqls_a_week=round(of / weeks, 2),
            precision=likely(share(both, of)),
            recall=likely(share(both, every)),
        )


class _Changes:
    """The leads for which a model decides otherwise than the first one."""

    def __init__(self, before: Model, after: Model) -> None:
        self._names = before.name, after.name
        self._more, self._fewer = _Flips(), _Flips()

    def add(self, case: Case, before: _Verdict, after: _Verdict) -> None:
        """Looks whether a lead is one of them."""
        gain = after.score - before.score
        match before.passes, after.passes:
            case (0, 1):
                self._more.add(case, before, after, gain)
            case (1, 0):
                self._fewer.add(case, before, after, -gain)

    def told(self) -> ModelChange:
        """How many there are, and examples."""
        before, after = self._names
        return ModelChange(
            before=before, after=after, more=self._more.told(), fewer=self._fewer.told()
        )


class _Flips:
    """Those of one direction: their number, and those whose scores differ most."""

    def __init__(self) -> None:
        self._leads = self._won = 0
        self._most: list[tuple[int, str, ChangedLead]] = []

    def add(self, case: Case, before: _Verdict, after: _Verdict, gain: int) -> None:
        self._leads += 1
        self._won += case.won
        place = (gain, case.lead.id)
        if len(self._most) == EXAMPLES and place < self._most[0][:2]:
            return
        entry = (*place, _changed(case, before, after))
        if len(self._most) < EXAMPLES:
            heappush(self._most, entry)
        else:
            heapreplace(self._most, entry)

    def told(self) -> ChangedLeads:
        return ChangedLeads(
            leads=self._leads,
            won=self._won,
            rate=likely(share(self._won, self._leads)),
            examples=[changed for *_, changed in sorted(self._most, reverse=True, key=_place)],
        )


def _place(entry: tuple[int, str, ChangedLead]) -> tuple[int, str]:
    return entry[:2]


def _changed(case: Case, before: _Verdict, after: _Verdict) -> ChangedLead:
    row = row_of(view(case.lead, before.model.rules, case.at, known_at=case.at))
    return ChangedLead(
        id=case.lead.id,
        known_at=case.known_at,
        judged_at=case.at,
        won=case.won,
        before=before.in_words(),
        after=after.in_words(),
        who=known_as(row),
    )


def likely(found: Estimate | None) -> Likely:
    """The estimate as it is reported; an empty one if there is none."""
    return Likely() if found is None else shaped(Likely, found)


def _by_folds(scores: Floats, won: Flags) -> Floats:
    """Probabilities of each fold of the leads, by a curve through the others."""
    chances = np.empty(len(scores))
    for train, test in folds(len(scores), FOLDS, won, seed=0):
        curve = platt(scores[train].tolist(), won[train].tolist())
        chances[test] = _each(curve.of, scores[test])
    return chances


def _each(of: Callable[[int], float], scores: Floats) -> list[float]:
    """The probabilities of some scores, each score computed once."""
    by_score = {score: of(int(score)) for score in set(scores.tolist())}
    return [by_score[score] for score in scores.tolist()]
