"""Checks the section ``probability``: whether its numbers fit together, and still fit the model."""

from itertools import pairwise

from warmlead.domain.stages import BUILT_IN_STAGES
from warmlead.model.document import did_you_mean
from warmlead.model.probable import WrittenBand, WrittenProbability
from warmlead.model.schema import ModelFile
from warmlead.model.structure import Report
from warmlead.model.versions import scoring_of

FEWEST_LEADS = 100
FEWEST_WON = 30
"""With fewer than these a probability is hardly more than a guess."""

_AGAIN = "calibrate the model again: warmlead model calibrate"


def check_probability(file: ModelFile, report: Report) -> None:
    """Finds an outcome that is no stage, numbers that contradict each other, and stale ones."""
    written = file.probability
    if written is None:
        return
    stages = {*file.stages, *BUILT_IN_STAGES}
    if written.outcome not in stages:
        guess = did_you_mean(written.outcome, stages)
        message = f'the model has no stage "{written.outcome}"'
        report.error(("probability", "outcome"), message, guess)
    if written.within <= written.after:
        message = "is not longer than after: nobody could reach the outcome behind the judgement"
        report.error(("probability", "within"), message)
    if written.won > written.leads:
        report.error(("probability", "won"), f"is more than all leads: {written.leads}")
    _check_bands(written, report)
    _doubt(written, report)
    if written.scoring not in (None, scoring_of(file)):
        message = "the points have changed since it was learned, so no probability is shown"
        report.warn(("probability",), message, _AGAIN, key=True)


def _check_bands(written: WrittenProbability, report: Report) -> None:
    path, bands = ("probability", "bands"), written.bands
    if not bands:
        return
    if any(band.won > band.leads for band in bands):
        report.error(path, "in a band more leads won than there were")
    elif _sums(bands) != (written.leads, written.won):
        report.error(path, "their leads and won do not add up to those of the section")
    bounds = [band.below for band in bands]
    last = bounds.pop()
    given = [bound for bound in bounds if bound is not None]
    if last is not None or len(given) < len(bounds):
        report.error(path, "every band but the last one is below a score, and the last is not")
    elif any(one >= other for one, other in pairwise(given)):
        report.error(path, "must be in the order of their scores, the lowest first")


def _sums(bands: list[WrittenBand]) -> tuple[int, int]:
    return sum(band.leads for band in bands), sum(band.won for band in bands)


def _doubt(written: WrittenProbability, report: Report) -> None:
    """Doubts what is possible, and hardly true."""
    if written.slope < 0:
        message = "the higher the score, the fewer leads reach the outcome: the points mislead"
        report.warn(("probability", "slope"), message, _AGAIN)
    if written.leads < FEWEST_LEADS or written.won < FEWEST_WON:
        message = (
            f"was learned of {written.leads} leads, {written.won} of them won: below "
            f"{FEWEST_LEADS} and {FEWEST_WON} it is hardly more than a guess"
        )
        report.warn(("probability",), message, key=True)
