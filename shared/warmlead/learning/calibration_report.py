"""What a calibration found: the shapes of its JSON, and of what its page and tables show."""

from datetime import datetime

from warmlead.application.explain import Shape, shaped
from warmlead.learning.backtest import public_of
from warmlead.learning.backtest_report import (
    AskedReport,
    ExpectedBand,
    Likely,
    PublicShare,
    ScoreTenth,
    asked,
)
from warmlead.learning.calibrating import Calibration
from warmlead.learning.judging import AtThreshold, Decile, Estimate
from warmlead.learning.lines import ConditionLine
from warmlead.learning.observations import Question
from warmlead.learning.observing import Observed
from warmlead.learning.proving import BarProof, LaterProof
from warmlead.model.document import path_text
from warmlead.model.loading import Model


class LearnedCondition(Shape):
    """A condition: in how many leads it held, what became of these, and its points.

    ``lift`` is the rate as a multiple of that of all leads. ``before`` is ``None`` of a condition
    that is proposed. ``points`` is the interval in which the learned points are 19 times in 20;
    without numbers where nothing was learned. ``marks`` are ``added``, ``few``, ``alike``,
    ``leak``, ``against_author``, ``against_ready``, ``uncertain``, ``capped``.
    """

    section: str
    name: str
    title: str
    asks: str
    leads: int
    won: int
    rate: Likely
    lift: float | None
    before: int | None
    after: int
    points: Likely
    is_small: bool
    marks: list[str]
    notes: list[str]


class RestatedBar(Shape):
    """Points that a condition asks for, before and after, and how many leads have as many."""

    path: str
    what: str
    sign: str
    before: int
    after: int
    passed: int
    passing: int


class SaysTooMuch(Shape):
    """A trait or a condition that tells the outcome because it was known already."""

    name: str
    why: str
    is_refused: bool


class BarPassed(Shape):
    """What the bar of the stage lets pass of the later leads."""

    bar: int
    passed: int
    won: int
    mqls_a_week: float
    precision: Likely
    recall: Likely


class AucSteps(Shape):
    """The AUC of the later leads after each step from exact weights to scores.

    ``points`` are rounded, ``limited`` have the limits of groups and the inactivity, ``scores`` the
    floor too.
    """

    weights: float
    points: float
    limited: float
    scores: float


class FoldedAuc(Shape):
    """Means of five folds over all leads: by exact weights, by points; and the error."""

    weights: float
    points: float
    calibration_error: float


class ChosenPenalty(Shape):
    """How strongly the weights were held back, and whether towards the author's points."""

    strength: float
    anchored: bool
    held_out_loss: float


class CalibrationReport(AskedReport):
    """A calibration: points learned from older leads, and judged by the newest ones.

    ``older`` leads were learned from; all figures before and after are of the ``newer``
    ones, the first of which became known at ``newer_from``.
    ``left_out`` counts the leads that were not looked at, by reason; ``unknown`` names what the
    model counts and histories do not know. ``text`` is the changed model file.
    """

    model: str
    version: str
    leads: int
    won: int
    older: int
    newer: int
    newer_from: datetime
    left_out: dict[str, int]
    public: PublicShare
    unknown: dict[str, int]
    most_points: int
    step: int
    penalty: ChosenPenalty
    conditions: list[LearnedCondition]
    too_much: list[SaysTooMuch]
    base_before: int
    base_after: int
    grades_before: dict[str, int]
    grades_after: dict[str, int]
    bars: list[RestatedBar]
    unread_bars: list[str]
    undone: list[str]
    auc_before: Likely
    auc_after: Likely
    auc_gain: Likely
    steps: AucSteps
    folded: FoldedAuc
    stage: str | None
    bar_before: BarPassed | None
    bar_after: BarPassed | None
    tenths_before: list[ScoreTenth]
    tenths_after: list[ScoreTenth]
    calibration_error: float
    expected: list[ExpectedBand]
    text: str


def report_of(
    made: Calibration, model: Model, question: Question, observed: Observed, as_of: datetime
) -> CalibrationReport:
    """The report of a calibration; ``question`` says the horizon that was used."""
    proof, stage = made.proof, made.proof.at_bar
    tried = next(
        each
        for each in made.penalty.tried
        if (each.strength, each.anchored) == (made.penalty.strength, made.penalty.anchored)
    )
    return CalibrationReport(
        model=model.name,
        version=model.version,
        **asked(question, as_of),
        leads=made.leads,
        won=made.won,
        older=len(made.parts.older),
        newer=len(made.parts.newer),
        newer_from=made.parts.newer_from,
        left_out={str(why): leads for why, leads in observed.left_out.items()}
        | ({"unknown_past": made.unknown_leads} if made.unknown_leads else {}),
        public=public_of(observed),
        unknown=dict(made.unknown),
        most_points=made.limits.most,
        step=made.limits.step,
        penalty=ChosenPenalty(
            strength=tried.strength, anchored=tried.anchored, held_out_loss=tried.loss
        ),
        conditions=[_condition(line) for line in made.lines],
        too_much=[shaped(SaysTooMuch, leak) for leak in made.leaks],
        base_before=made.base[0],
        base_after=made.base[1],
        grades_before=dict(made.grades[0]),
        grades_after=dict(made.grades[1]),
        bars=[shaped(RestatedBar, bar, path=path_text(bar.path)) for bar in made.bars.bars],
        unread_bars=[path_text(path) for path in made.bars.unread],
        undone=[str(finding) for finding in made.revision.undone],
        auc_before=likely(proof.before),
        auc_after=likely(proof.after),
        auc_gain=likely(proof.gain),
        steps=shaped(AucSteps, proof.steps),
        folded=FoldedAuc(
            weights=proof.folded.weights,
            points=proof.folded.points,
            calibration_error=proof.folded.ece,
        ),
        stage=stage.stage if stage else None,
        bar_before=_passed(stage, 0) if stage else None,
        bar_after=_passed(stage, 1) if stage else None,
        tenths_before=[_tenth(each) for each in proof.deciles[0]],
        tenths_after=[_tenth(each) for each in proof.deciles[1]],
        calibration_error=proof.reliability.ece,
        expected=_expected(proof),
        text=made.revision.text,
    )


def likely(found: Estimate | None) -> Likely:
    """An estimate as it is shown; without numbers if there is none."""
    return Likely() if found is None else Likely(value=found.value, low=found.low, high=found.high)


def _condition(line: ConditionLine) -> LearnedCondition:
    learned = line.low is not None
    points = Likely(value=float(line.after), low=line.low, high=line.high) if learned else Likely()
    return LearnedCondition(
        section=line.section,
        name=line.name,
        title=line.title,
        asks=line.asks,
        leads=line.n,
        won=line.won,
        rate=likely(line.rate),
        lift=line.lift,
        before=line.before,
        after=line.after,
        points=points,
        is_small=line.is_small,
        marks=[str(mark) for mark in line.marks],
        notes=[mark.words for mark in line.marks],
    )


def _passed(proof: BarProof, when: int) -> BarPassed:
    at: AtThreshold = (proof.before, proof.after)[when]
    return BarPassed(
        bar=round(at.bar),
        passed=at.passed,
        won=at.won,
        mqls_a_week=(proof.before_a_week, proof.after_a_week)[when],
        precision=likely(at.precision),
        recall=likely(at.recall),
    )


def _tenth(decile: Decile) -> ScoreTenth:
    return ScoreTenth(
        leads=decile.n,
        won=decile.won,
        rate=decile.rate,
        lift=decile.lift,
        least_score=round(decile.lowest),
    )


def _expected(proof: LaterProof) -> list[ExpectedBand]:
    return [
        ExpectedBand(
            leads=each.n, won=each.won, expected=each.predicted, came=likely(each.observed)
        )
        for each in proof.reliability.bins
    ]
