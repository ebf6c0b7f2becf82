"""Where a person stands, under the model in force and under one beside it, as rows of an export."""

from collections.abc import Iterable
from datetime import datetime

from warmlead.application.explain import Shape, shaped
from warmlead.domain.history import to_date
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.nurture_record import NurtureRecord, NurtureTurn
from warmlead.domain.shadow import Shadow
from warmlead.domain.stages import MoveCause, Progress


class ExportedStage(Shape):
    """Where the person stands."""

    stage: str
    since: datetime
    learnt_at: datetime
    qualified: datetime | None
    held: bool
    resting_since: datetime | None
    moved_from: str
    moved_because: str
    moved_by_model_on: str | None
    moves_of_that_day: int
    entered: dict[str, int]
    peak_score: int
    cooling_since: datetime | None
    cooling_until: datetime | None
    verdict: str
    grounds: str | None


class ExportedKnowledge(Shape):
    """What the lead was last counted by, and from which day on it has each of these in full."""

    marks: str
    since: dict[str, str]


class ExportedShadowMove(Shape):
    """A move that the model would have made that runs beside the one in force."""

    at: datetime
    learnt: datetime | None
    from_stage: str
    to_stage: str
    score: int
    fit: int
    cause: MoveCause
    reason: str
    detail: str


class ExportedShadow(Shape):
    """How the lead stands under the model that runs beside the one in force; nothing follows."""

    version: str
    since: datetime
    stage: ExportedStage
    score: int
    engagement: int
    fit: int
    scored_on: str | None
    knowledge: ExportedKnowledge | None
    moves: list[ExportedShadowMove]


class ExportedNurture(Shape):
    """What became of a run of a sequence: ``turn`` says what, ``number`` and ``message`` a step."""

    at: datetime
    turn: NurtureTurn
    sequence: str
    run: int
    number: int
    message: str
    ending: str


def nurture_rows(records: Iterable[NurtureRecord]) -> list[ExportedNurture]:
    """The rows of what became of sequences."""
    return [
        shaped(ExportedNurture, fact, at=record.at) for record in records for fact in record.facts
    ]


def shadow_row(shadow: Shadow) -> ExportedShadow:
    """The row of a shadow."""
    return shaped(
        ExportedShadow,
        shadow,
        stage=stage_row(shadow.progress),
        scored_on=None if shadow.day is None else _date(shadow.day),
        knowledge=knowledge_row(shadow.knowledge) if shadow.knowledge else None,
        moves=[shaped(ExportedShadowMove, move) for move in shadow.moves],
    )


def knowledge_row(knowledge: Knowledge) -> ExportedKnowledge:
    """The row of what a history knows."""
    since = {label: _date(day) for label, day in sorted(knowledge.since.items())}
    return shaped(ExportedKnowledge, knowledge, since=since)


def stage_row(progress: Progress) -> ExportedStage:
    """The row of where somebody stands."""
    cooling = progress.cooling
    return shaped(
        ExportedStage,
        progress,
        entered=dict(sorted(progress.entered.items())),
        cooling_since=cooling.since if cooling else None,
        cooling_until=cooling.until if cooling else None,
        resting_since=progress.rest.since if progress.rest else None,
        moved_from=progress.rest.from_stage if progress.rest else "",
        moved_because=progress.rest.reason if progress.rest else "",
        moved_by_model_on=_date(progress.moved.day) if progress.moved else None,
        moves_of_that_day=progress.moved.count if progress.moved else 0,
    )


def _date(day: int) -> str:
    return to_date(day).isoformat()
