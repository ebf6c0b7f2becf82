"""What clicks in mails would leave on their trail, kept apart until it is known who clicked.

Steps of the journey and readings cannot be taken back: a step displaces others, and what meters
have read is no longer known by event. So those of a click wait beside it, for as long as the click
itself is kept, and count meanwhile if a person seems to have clicked.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from warmlead.domain.journey import NotableStep, kept_steps
from warmlead.domain.readings import NO_READINGS, Readings, joined_readings


class Unjudged(Struct, frozen=True):
    """The step that a click would be, and what meters would read of it."""

    step: NotableStep | None = None
    readings: Readings = NO_READINGS


UnjudgedByKey: TypeAlias = Mapping[str, Unjudged]


def joined_unjudged(one: UnjudgedByKey, other: UnjudgedByKey) -> UnjudgedByKey:
    """What is known of the clicks of both, by their keys; the one if the other adds nothing."""
    joined = dict(one)
    for key, each in other.items():
        joined[key] = _of_copies(joined[key], each) if key in joined else each
    return one if joined == one else joined


def _of_copies(one: Unjudged, other: Unjudged) -> Unjudged:
    steps = [each.step for each in (one, other) if each.step]
    return Unjudged(min(steps, default=None), joined_readings(one.readings, other.readings))


def steps_with(
    steps: tuple[NotableStep, ...], others: Iterable[Unjudged]
) -> tuple[NotableStep, ...]:
    """The steps with those of some clicks."""
    return kept_steps((*steps, *(each.step for each in others if each.step)))


def readings_with(readings: Readings, others: Iterable[Unjudged]) -> Readings:
    """The readings with those of some clicks."""
    for each in others:
        readings = joined_readings(readings, each.readings)
    return readings
