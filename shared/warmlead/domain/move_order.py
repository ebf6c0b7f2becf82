"""Moves between stages in order: which was learnt first, and which led backward."""

from collections.abc import Iterable, Sequence

from warmlead.domain.stages import ANONYMOUS, DISQUALIFIED, Transition


def in_order_learnt(moves: Iterable[Transition]) -> list[Transition]:
    """Moves in the order in which they were learnt; of those learnt together each goes on."""
    left = sorted(moves, key=lambda move: (move.learnt_at, move.at))
    ordered: list[Transition] = []
    stage = ANONYMOUS
    while left:
        together = [move for move in left if move.learnt_at == left[0].learnt_at]
        goes_on = [i for i, move in enumerate(together) if move.from_stage == stage]
        place = goes_on[0] if goes_on else 0
        ordered.append(left.pop(place))
        stage = ordered[-1].to_stage
    return ordered


def moved_back(moves: Iterable[Transition], stages: Sequence[str]) -> int:
    """Number of moves backward: to an earlier stage, ``recycled`` or ``disqualified``.

    ``stages`` is the order of all stages, the furthest last. A move out of ``disqualified`` is
    forward, to any stage.
    """
    rank = {stage: i for i, stage in enumerate(stages)} | {DISQUALIFIED: -1}
    return sum(rank.get(m.to_stage, 0) < rank.get(m.from_stage, 0) for m in moves)
