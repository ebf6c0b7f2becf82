"""The progress of a person of whom several were kept."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from msgspec.structs import astuple

from warmlead.domain.stages import Progress


def most_entered(parts: Iterable[Progress]) -> dict[str, int]:
    """How often each stage was entered, of several counts the most."""
    entered: dict[str, int] = {}
    for part in parts:
        for stage, count in part.entered.items():
            entered[stage] = max(count, entered.get(stage, 0))
    return entered


def merge_progress(stages: Sequence[str], parts: Sequence[Progress]) -> Progress:
    """The progress of one person of whom several were kept: the furthest stage, counters' maxima.

    ``stages`` is the order of all stages, the furthest last.
    """
    rank = {stage: i for i, stage in enumerate(stages)}
    furthest = min(parts, key=lambda p: (-rank.get(p.stage, 0), p.rest is not None, p.since))
    coolings = [part.cooling for part in parts if part.cooling]
    return replace(
        furthest,
        entered=most_entered(parts),
        peak_score=max(part.peak_score for part in parts),
        cooling=max(coolings, key=lambda c: c.until, default=None),
        moved=max((p.moved for p in parts if p.moved), key=astuple, default=None),
    )
