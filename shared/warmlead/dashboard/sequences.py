"""Nurture sequences on the overview: the runs and steps of the months that were reported."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from warmlead.dashboard.cohorts import Share, share_of
from warmlead.domain.nurture import Ending
from warmlead.messages.kpis import KpiReport
from warmlead.messages.sequences import SequenceFigures, StepFigures

MOST_STEPS = 20
"""Limit of rows; all are in ``warmlead report``."""


class SequenceRow(Struct, frozen=True):
    """Runs of a sequence that began in the months, and runs that ended in them."""

    name: str
    enrolled: int
    finished: int
    goal: int
    stopped: int
    suppressed: int


class StepRow(Struct, frozen=True):
    """A step that was sent in the months, and how many persons came to a stage afterwards.

    A person counts in each month in which it was sent.
    """

    sequence: str
    step: int
    message: str
    sent: int
    to_sql: Share
    to_customer: Share


def sequence_rows(months: Sequence[KpiReport]) -> list[SequenceRow]:
    """A row for each sequence, by name."""
    rows = []
    for name, found in _by_name(months).items():
        ended = Counter[str]()
        for each in found:
            ended.update(each.ended)
        rows.append(
            SequenceRow(
                name,
                sum(each.enrolled for each in found),
                *(ended[why] for why in (Ending.FINISHED, Ending.GOAL)),
                *(ended[why] for why in (Ending.STOPPED, Ending.SUPPRESSED)),
            )
        )
    return rows


def step_rows(months: Sequence[KpiReport]) -> list[StepRow]:
    """A row for each step and message, in the order of the sequences and steps."""
    steps: dict[tuple[str, int, str], list[StepFigures]] = {}
    for name, found in _by_name(months).items():
        for step in sorted(
            (step for each in found for step in each.steps),
            key=lambda step: (step.step, step.message),
        ):
            steps.setdefault((name, step.step, step.message), []).append(step)
    return [
        StepRow(
            *key,
            sum(step.sent for step in found),
            share_of([step.to_sql for step in found]),
            share_of([step.to_customer for step in found]),
        )
        for key, found in steps.items()
    ]


def _by_name(months: Sequence[KpiReport]) -> dict[str, list[SequenceFigures]]:
    names = sorted({name for report in months for name in report.nurture})
    return {
        name: [report.nurture[name] for report in months if name in report.nurture]
        for name in names
    }
