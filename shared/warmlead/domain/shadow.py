"""What a second model has made of a lead since it was put beside the one in force: its shadow.

Nothing is sent because of it, and it changes nothing of the lead itself.
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from warmlead.domain.knowledge import Knowledge
from warmlead.domain.stages import MODEL, MoveCause, Progress, Transition, is_of_model

MOST_MOVES = 20
"""The limit of moves that a shadow keeps, the latest of them."""


class ShadowMove(Struct, frozen=True, order=True):
    """A move that the second model would have made, true from ``at`` on; ordered by time.

    The other fields are those of ``Transition``.
    """

    at: datetime
    from_stage: str
    to_stage: str
    score: int
    fit: int
    cause: MoveCause
    reason: str
    detail: str = ""
    learnt: datetime | None = None

    @property
    def learnt_at(self) -> datetime:
        """When it was learnt; never before it was so."""
        return self.learnt or self.at


class Shadow(Struct, frozen=True):
    """The lead as it stands under the model of a ``version``, which began ``since``.

    The score is that of its last evaluation, on a UTC ``day`` number; ``None``: it is still to
    come. ``knowledge`` is what the history knows of what this model counts. ``moves`` are those
    into and out of its own stages; those by sales are the lead's.
    """

    version: str
    since: datetime
    progress: Progress
    score: int = 0
    engagement: int = 0
    fit: int = 0
    day: int | None = None
    knowledge: Knowledge | None = None
    moves: tuple[ShadowMove, ...] = ()


def shadow_moves(
    before: Iterable[ShadowMove], moves: Iterable[Transition]
) -> tuple[ShadowMove, ...]:
    """The moves that are kept, after some more: those of the model, into or out of its stages."""
    more = [
        ShadowMove(
            move.at,
            move.from_stage,
            move.to_stage,
            move.score,
            move.fit,
            move.cause,
            move.reason,
            move.detail,
            move.learnt,
        )
        for move in moves
        if move.source == MODEL and (is_of_model(move.from_stage) or is_of_model(move.to_stage))
    ]
    return (*before, *more)[-MOST_MOVES:]


_BYTES_OF_A_SHADOW = 600  # its progress, score and version
_BYTES_OF_A_MOVE = 90  # beside its texts
_BYTES_OF_A_LABEL = 12  # beside the label of which something is not known


def bytes_of_shadow(shadow: Shadow | None) -> int:
    """The approximate size in a store."""
    if shadow is None:
        return 0
    known = shadow.knowledge or Knowledge()
    texts = (len(m.from_stage + m.to_stage + m.reason + m.detail) for m in shadow.moves)
    labels = (*known.since, *shadow.progress.entered)
    return (
        _BYTES_OF_A_SHADOW
        + sum(texts)
        + _BYTES_OF_A_MOVE * len(shadow.moves)
        + len(known.marks)
        + sum(map(len, labels))
        + _BYTES_OF_A_LABEL * len(labels)
    )
