"""What meters have read of a person's events, as rows of an export."""

from datetime import datetime

from pydantic import JsonValue

from warmlead.application.explain import Shape
from warmlead.domain.history import from_ms, to_date
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.readings import Readings, trait_read_by


class ExportedSpan(Shape):
    """A time without a long pause in which the person did what the meter reads."""

    meter: str
    start: datetime
    end: datetime


class ExportedValues(Shape):
    """The different values of a day, as hashes."""

    meter: str
    day: str
    hashes: list[str]


class ExportedAmount(Shape):
    """What one event of a day adds to a sum; ``event`` is the beginning of its key."""

    meter: str
    day: str
    event: str
    amount: int


class ExportedLatest(Shape):
    """The latest value of a property."""

    meter: str
    at: datetime
    event: str
    value: JsonValue


class ExportedPastTrait(Shape):
    """What was stated last of a trait on a day, by whom it is trusted most."""

    trait: str
    value: JsonValue
    trust: str
    at: datetime
    event: str


class ExportedReadings(Shape):
    """What the meters of the model have read."""

    visits: list[ExportedSpan]
    values: list[ExportedValues]
    amounts: list[ExportedAmount]
    latest: list[ExportedLatest]
    traits: list[ExportedPastTrait]


def exported_readings(readings: Readings) -> ExportedReadings:
    """The readings in one order: by meter, then by time."""
    return ExportedReadings(
        visits=[
            ExportedSpan(meter=name, start=_time(day, start), end=_time(day, end))
            for name, days in sorted(readings.visits.items())
            for day, spans in sorted(days.items())
            for start, end in spans
        ],
        values=[
            ExportedValues(meter=name, day=to_date(day).isoformat(), hashes=list(hashes))
            for name, days in sorted(readings.values.items())
            for day, hashes in sorted(days.items())
        ],
        amounts=[
            ExportedAmount(meter=name, day=to_date(day).isoformat(), event=event, amount=amount)
            for name, days in sorted(readings.amounts.items())
            for day, of_day in sorted(days.items())
            for event, amount in sorted(of_day.items())
        ],
        latest=[
            ExportedLatest(meter=name, at=from_ms(each.at_ms), event=each.key, value=each.value)
            for name, each in sorted(readings.latest.items())
        ],
        traits=[
            ExportedPastTrait(
                trait=trait_read_by(name),
                value=fact.value,
                trust="signed" if fact.rank else "public",
                at=from_ms(fact.at_ms),
                event=fact.key,
            )
            for name, days in sorted(readings.traits.items())
            for _, fact in sorted(days.items())
        ],
    )


def _time(day: int, second: int) -> datetime:
    return from_ms(day * DAY_MS + second * 1000)
