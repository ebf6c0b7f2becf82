"""Which signals of a model make steps of the journey, and what their steps show."""

from collections.abc import Mapping

from warmlead.domain.event_names import our_name
from warmlead.model.schema import ModelFile, Signal

NOTABLE_POINTS = 5
"""The points, won or lost, from which a signal without ``show`` makes steps."""


def shown_by(file: ModelFile, passive: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    """The properties that a step shows, for each signal that makes steps.

    ``passive`` events are not the lead's doing, so they are steps only if their signal says so.
    """
    return {
        name: tuple(dict.fromkeys(signal.show or ()))
        for name, signal in file.signals.items()
        if _makes_steps(signal, passive)
    }


def _makes_steps(signal: Signal, passive: frozenset[str]) -> bool:
    if signal.show is not None:
        return bool(signal.show)
    is_theirs = any(our_name(event) not in passive for event in signal.on)
    return is_theirs and abs(signal.points) >= NOTABLE_POINTS
