"""The monthly look at a model: do scores and outcomes still agree with the reference?

Scores by the population stability index, outcomes by calibration in the large. Both limits are
those of months with so few leads, so that in nineteen of twenty years without a change no look
raises an alarm.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from warmlead.learning.drift import in_the_large, psi
from warmlead.learning.observations import Question
from warmlead.learning.population import Population
from warmlead.learning.reference import Reference
from warmlead.messages.watch import Alarm, BandShift, MonthlyLook, OutcomeCheck, ScoreShift
from warmlead.reporting.periods import Period, Span, last_period

_DAY = timedelta(days=1)

FEWEST_LEADS = 30
"""Leads of a month with which shares say something."""

LOOKS_A_YEAR = 24
"""Twelve at scores and twelve at outcomes, which share the false alarms of a year."""

LEAST_PSI = 0.1
"""A smaller shift is none to act upon, however certain it is: the usual border of credit scoring.
"""

LEAST_SHARE = 0.2
"""The same for outcomes: a difference of a fifth of those expected."""


class LookedAt(Struct, frozen=True):
    """What a look sees: the month's own leads, the months that have ripened, and the reference."""

    leads: Population
    ripe: Sequence["Ripe"]
    reference: Reference | None


class Ripe(Struct, frozen=True):
    """A month whose outcomes have ripened, and its leads."""

    month: Period
    leads: Population


def ripened(month: Period, question: Question) -> list[Period]:
    """The months whose outcomes have ripened since the look at the month before.

    A look at a month is due when the last of its leads can be judged.
    """
    since, until = due(before(month), question), due(month, question)
    found = [month]
    while ripe_at(found[-1], question) > since:
        found.append(before(found[-1]))
    return [each for each in reversed(found) if since < ripe_at(each, question) <= until]


def before(month: Period) -> Period:
    """The month before."""
    return last_period(Span.MONTH, month.start)


def last_ripe(month: Period, question: Question, count: int) -> list[Period]:
    """The last months whose outcomes were ripe when a look at a month was due, in order."""
    newest = before(month)
    while ripe_at(newest, question) > due(month, question):
        newest = before(newest)
    found = [newest]
    while len(found) < count:
        found.append(before(found[-1]))
    return found[::-1]


def due(month: Period, question: Question) -> datetime:
    """From when on a look at a month can be made: all its leads can be judged."""
    return month.end + question.after


def ripe_at(month: Period, question: Question) -> datetime:
    """When the outcomes of a month's leads are known."""
    return month.end + _within(question)


def _within(question: Question) -> timedelta:
    if question.within is None:
        raise ValueError("a watch needs the time within which an outcome counts")
    return question.within


def look(month: Period, version: str, question: Question, seen: LookedAt) -> MonthlyLook:
    """The look at a month: a pure function of what was judged."""
    reference, missing = seen.reference, [] if seen.reference else [NO_REFERENCE]
    scores = _shift(reference, seen.leads, missing) if reference else None
    checks = [_check(reference, each, missing) for each in seen.ripe] if reference else []
    outcomes = [each for each in checks if each]
    drifting = [each for each in outcomes if each.is_alarm]
    alarms: list[Alarm] = ["outcomes"] if drifting else []
    reasons = [_outcomes_in_words(each) for each in drifting]
    if scores and scores.is_alarm:
        alarms.insert(0, "scores")
        reasons.insert(0, _scores_in_words(scores))
    return MonthlyLook(
        month=month.name,
        model_version=version,
        outcome=question.outcome,
        after_days=question.after / _DAY,
        within_days=_within(question) / _DAY,
        reference=reference.origin if reference else "",
        reference_leads=reference.leads if reference else 0,
        reference_won=reference.won if reference else 0,
        became_known=seen.leads.known,
        alarms=alarms,
        reasons=reasons,
        scores=scores,
        outcomes=outcomes,
        missing=missing,
    )


NO_REFERENCE = (
    "There is no reference yet: the model file states none, and there are no three months with"
    " ripe outcomes and 100 leads with different scores."
)


def _shift(reference: Reference, leads: Population, missing: list[str]) -> ScoreShift | None:
    of = len(leads.judged)
    if of < FEWEST_LEADS:
        missing.append(f"{of} leads became known: at least {FEWEST_LEADS} are needed.")
        return None
    before = [band.leads for band in reference.bands]
    now = reference.counts([each.score for each in leads.judged])
    found = psi(before, now, looks=LOOKS_A_YEAR)
    limit = max(LEAST_PSI, found.limit)
    ends = [band.below for band in reference.bands]
    return ScoreShift(
        leads=of,
        psi=round(found.value, 4),
        limit=round(limit, 4),
        is_alarm=found.value > limit,
        bands=[
            BandShift(below=end, reference=was, leads=is_)
            for end, was, is_ in zip(ends, before, now, strict=True)
        ],
    )


def _check(reference: Reference, ripe: Ripe, missing: list[str]) -> OutcomeCheck | None:
    scores = [each.score for each in ripe.leads.judged]
    if not scores:
        missing.append(f"Of {ripe.month.name} there are no leads whose outcome is known.")
        return None
    likely = reference.likely(scores)
    expected, won = sum(likely), sum(each.won for each in ripe.leads.judged)
    found = in_the_large(
        expected,
        sum(p * (1 - p) for p in likely),
        won,
        leads=len(scores),
        learned_from=reference.leads,
        looks=LOOKS_A_YEAR,
    )
    if found.small:
        missing.append(
            f"Of {len(scores)} leads of {ripe.month.name} {expected:.1f} were expected to reach the"
            " outcome: that is too close to none or all."
        )
        return None
    spread = len(scores) * (found.high - found.low) / 2
    return OutcomeCheck(
        month=ripe.month.name,
        leads=len(scores),
        won=won,
        expected=round(expected, 2),
        low=round(max(0.0, expected - spread), 2),
        high=round(expected + spread, 2),
        is_alarm=found.alarmed and abs(won - expected) >= LEAST_SHARE * expected,
    )


def _scores_in_words(found: ScoreShift) -> str:
    """Where the leads have gone, by the band that changed most."""
    of = sum(band.reference for band in found.bands)
    most, start = max(
        (
            (band, found.bands[place - 1].below if place else None)
            for place, band in enumerate(found.bands)
        ),
        key=lambda each: abs(each[0].leads / found.leads - each[0].reference / of),
    )
    return (
        f"The scores have shifted (PSI {found.psi:.2f}, limit {found.limit:.2f}): "
        f"{most.leads / found.leads:.0%} of the leads have {_range(start, most.below)}, "
        f"{most.reference / of:.0%} had it in the reference."
    )


def _range(start: int | None, below: int | None) -> str:
    """A band in words."""
    if start is None:
        return f"less than {below} points"
    return f"{start} points or more" if below is None else f"{start} to {below - 1} points"


def _outcomes_in_words(found: OutcomeCheck) -> str:
    return (
        f"Of {found.leads} leads of {found.month} {found.won} reached the outcome, "
        f"{found.expected:.0f} were expected, usually from {found.low:.0f} to {found.high:.0f}."
    )
