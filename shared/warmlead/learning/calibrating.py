"""A model's points learned from outcomes: learned from older leads, and judged by later ones.

Nothing is changed: what comes out is a text that a person may accept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from warmlead.domain.scoring import ScoringPolicy
from warmlead.learning.algebra import Indexes
from warmlead.learning.anchoring import Penalty
from warmlead.learning.candidates import Candidate, suggested
from warmlead.learning.evidence import Evidence
from warmlead.learning.gates import TooFewLeadsError, enough
from warmlead.learning.judging import newest
from warmlead.learning.leaks import Leak, leaks_of
from warmlead.learning.lines import ConditionLine, lines_of
from warmlead.learning.observations import Question
from warmlead.learning.proving import LaterProof, Parted, proof_of
from warmlead.learning.rescoring import Rescored, rescored
from warmlead.learning.restating import Bars, Scores, grades_after, restated
from warmlead.learning.revising import Changes, Revision, revised
from warmlead.learning.section import with_probability
from warmlead.learning.weighing import (
    LearnedPoints,
    PointLimits,
    Points,
    points_of,
    policy_with,
    weighed,
)
from warmlead.model.loading import Model

NEWEST = 0.3
"""The share of the leads that became known last: by them the points are judged, never learned."""

LEAST_OF_EACH_PART = 10
"""Least number of leads with each outcome among the older and among the later leads."""

AT_FLOOR = 0.005
"""With the base at most this share of the older leads is below the floor."""

_MOST_POINTS = 1000


@dataclass(frozen=True, eq=False)
class Calibration:
    """Everything that a person needs to say yes or no, and the changed text.

    ``base`` and ``grades`` are before and after. ``unknown_leads`` were left out because their
    history does not know what the model counts; ``unknown`` says what that is.
    """

    leads: int
    won: int
    parts: Parted
    limits: PointLimits
    penalty: Penalty
    lines: tuple[ConditionLine, ...]
    leaks: tuple[Leak, ...]
    base: tuple[int, int]
    bars: Bars
    grades: tuple[Mapping[str, int], Mapping[str, int]]
    proof: LaterProof
    revision: Revision
    unknown_leads: int
    unknown: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """How points are to be written, and whether new conditions may be proposed."""

    limits: PointLimits
    candidates: bool = True


def usual_limits(model: Model, step: int = 1) -> PointLimits:
    """Points up to 20, or up to 50 if the author's go beyond 20: numbers of the size they know."""
    largest = max((abs(points) for points in points_of(model.file).values()), default=0)
    return PointLimits(20 if largest <= 20 else 50, step)  # noqa: PLR2004  # the two limits


def calibrated(
    text: str,
    model: Model,
    evidence: Evidence,
    wish: Wish,
    *,
    question: Question,
    stated_later: Mapping[str, int],
) -> Calibration:
    """Learns points for a model from what was observed under it.

    ``question`` says the horizon that was used. ``stated_later`` has of each trait in how many
    leads it was stated only after the moment.

    Raises:
        TooFewLeadsError: there are too few ripe leads, or too few of an outcome; says what is
            missing.
    """
    won = evidence.outcomes
    gate = enough(len(evidence), int(won.sum()))
    gate.require(evidence.left_out, evidence.unknown)
    parts = _parted(evidence)
    leaks = leaks_of(evidence, stated_later)
    refused = {leak.name for leak in leaks if leak.is_refused}
    wanted = wish.candidates and gate.bands
    candidates = suggested(model.file, evidence, parts.older, refused) if wanted else []
    learned = weighed(
        model.file,
        model.rules.scoring,
        evidence,
        parts.older,
        candidates=candidates,
        limits=wish.limits,
    )
    base = _base(model, evidence, learned, parts.older, wish.limits.step)
    before = _scores(evidence, model.rules.scoring, points_of(model.file), {})
    after = _after(model, evidence, learned, base)
    bars = restated(model.file, _by_name(before), _by_name(after))
    grades = grades_after(model.file.grades, before.fits, after.fits)
    changes = Changes(learned.points, learned.added, base, bars.bars, grades)
    revision = revised(text, model.file, changes)
    return Calibration(
        leads=len(evidence),
        won=int(won.sum()),
        parts=parts,
        limits=wish.limits,
        penalty=learned.penalty,
        lines=lines_of(model.file, evidence, learned),
        leaks=(*leaks, *learned.leaks),
        base=(model.file.base, base),
        bars=bars,
        grades=(dict(model.file.grades), grades),
        proof=proof_of(
            evidence, learned, parts, (before, after), limits=wish.limits, bars=bars.bars
        ),
        revision=replace(
            revision, text=with_probability(revision.text, after.scores, won, question)
        ),
        unknown_leads=evidence.left_out,
        unknown=evidence.unknown,
    )


def _parted(evidence: Evidence) -> Parted:
    """The older leads and the newest; raises ``TooFewLeadsError`` if these cannot judge."""
    try:
        older, newer = newest(evidence.times, NEWEST)
    except ValueError as error:
        raise TooFewLeadsError(f"there is nobody to judge by: {error}") from error
    for rows, which in ((older, "older"), (newer, "newer")):
        won = int(evidence.outcomes[rows].sum())
        if min(won, len(rows) - won) < LEAST_OF_EACH_PART:
            raise TooFewLeadsError(
                f"of the {len(rows)} {which} leads {won} won: of {LEAST_OF_EACH_PART} that must "
                "have won, and of as many that must not, some are missing"
            )
    times = evidence.times
    return Parted(older, newer, min(times[index] for index in newer))


def _base(
    model: Model, evidence: Evidence, learned: LearnedPoints, older: Indexes, step: int
) -> int:
    """The base with which hardly a lead is below the floor, where all look alike."""
    floor = model.rules.scoring.floor
    if floor is None:
        return model.file.base
    bare = _after(model, evidence, learned, 0).unbounded[older]
    lowest = int(np.quantile(bare, AT_FLOOR, method="lower"))
    needed = -(-(floor - lowest) // step) * step
    return max(model.file.base, min(_MOST_POINTS // step * step, needed))


def _after(model: Model, evidence: Evidence, learned: LearnedPoints, base: int) -> Rescored:
    """All leads' scores under what was learned."""
    scoring = policy_with(model.rules.scoring, learned.points, base)
    return _scores(evidence, scoring, learned.points, learned.suggested)


def _scores(
    evidence: Evidence,
    scoring: ScoringPolicy,
    points: Points,
    suggested_: Mapping[str, Candidate],
) -> Rescored:
    rules = {key: each for key, each in points.items() if not key.startswith("signal:")}
    holds = {key: suggested_[key].holds for key in rules if key in suggested_}
    return rescored(evidence, scoring, rules, holds)


def _by_name(scores: Rescored) -> Scores:
    return {"score": scores.scores, "fit": scores.fits, "engagement": scores.engagements}
