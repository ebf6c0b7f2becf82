"""The section ``probability`` of a model file: what its new scores have meant."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from warmlead.learning.algebra import Vector
from warmlead.learning.editing import ModelText
from warmlead.learning.observations import Question
from warmlead.learning.probability import platt
from warmlead.model.document import Plain
from warmlead.model.loading import load
from warmlead.model.versions import scoring_of

BANDS = 5
"""Bands of about as many leads each, by which drift is seen."""

_DAY = timedelta(days=1)
_DIGITS = 5
_MOST = 1_000.0


def with_probability(text: str, scores: NDArray[np.int64], won: Vector, question: Question) -> str:
    """The text with the probability that these scores had.

    It is left as it is where the section cannot say it: a time that is not whole days, or an
    outcome that no score foretells.
    """
    times = [each for each in (question.after, question.within) if each is not None]
    if question.within is None or any(not each or each % _DAY for each in times):
        return text
    line = platt(scores.tolist(), won.tolist())
    if max(abs(line.intercept), abs(line.slope)) > _MOST:
        return text
    into = ModelText(text)
    section: dict[str, Plain] = {
        "outcome": question.outcome,
        "after": f"{question.after // _DAY}d",
        "within": f"{question.within // _DAY}d",
        "intercept": round(line.intercept, _DIGITS),
        "slope": round(line.slope, _DIGITS),
        "leads": line.n,
        "won": line.won,
        "scoring": scoring_of(load(text, name="the changed model").file),
    }
    if bands := bands_of(scores, won):
        section["bands"] = bands
    into.state_section("probability", section)
    return into.changed()


def bands_of(scores: NDArray[np.int64], won: Vector) -> list[Plain]:
    """The leads by their scores, in bands of about as many; none if one score is nearly all."""
    quantiles = np.quantile(scores, np.arange(1, BANDS) / BANDS, method="higher")
    edges = [int(each) for each in np.unique(quantiles) if each > scores.min()]
    if not edges:
        return []
    place = np.searchsorted(edges, scores, side="right")
    leads = np.bincount(place, minlength=len(edges) + 1).tolist()
    wins = np.bincount(place, won, minlength=len(edges) + 1).astype(np.int64).tolist()
    made: list[Plain] = []
    for edge, n, winners in zip([*edges, None], leads, wins, strict=True):
        below: dict[str, Plain] = {} if edge is None else {"below": edge}
        made.append({**below, "leads": n, "won": winners})
    return made
