"""What a trail keeps of events besides their number: visits, different values, amounts, the latest.

A *meter* says what is read of the events of a signal or name. What it has read depends on the set
of events alone, whatever the order and however often each came:

- Of visits the times of a UTC day are kept, joined to spans wherever they are close.
- Of values and amounts the first 20 of a day are kept, by a hash of the value, or of the event.
- Of the latest value the time and the event decide.
- Of a trait the fact that wins is kept for each day on which it was stated, and that of all before.
"""

import base64
import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sized
from enum import StrEnum
from typing import NamedTuple, TypeAlias, TypeVar

from msgspec import Struct, structs

from warmlead.domain.event import Event
from warmlead.domain.history import MAX_PER_DAY, NAME_DAYS, day_of, to_ms
from warmlead.domain.measures import COUNTS, Measure, MeasureKind
from warmlead.domain.packed_history import DAY_MS
from warmlead.domain.traits import TraitFact, stated

VISIT_GAP_S = 30 * 60
"""What is further apart, in seconds, belongs to two visits.

As Google Analytics has it: https://support.google.com/analytics/answer/9191807
"""

VISIT_EVENTS = frozenset(
    (
        *("page_viewed", "page_left", "screen_viewed", "app_opened", "outbound_link_clicked"),
        *("file_downloaded", "site_searched", "video_started", "video_watched", "form_started"),
        *("calculator_used", "product_viewed", "products_searched", "product_list_viewed"),
        *("product_added", "product_removed", "cart_viewed", "checkout_started"),
    )
)
"""What people do in a visit to a website, an app or a shop: any of it keeps the visit going."""

MAX_AMOUNT = 1_000_000_000
"""The greatest amount that one event adds to a sum."""

MAX_LATEST = 200
"""The longest text, in characters, that is kept as the latest value; a longer one is cut."""

DAY_S = 86_400

_KEY_CHARS = 10


class MeterKind(StrEnum):
    """What is read of events."""

    VISITS = "visits"
    DISTINCT = "distinct"
    SUM = "sum"
    LATEST = "latest"
    BEFORE = "before"
    """The values of a trait as they were."""


class Meter(Struct, frozen=True, order=True):
    """What is read of the events of a signal or name, and over how many UTC days it is measured.

    Without a ``label`` it reads the visits that all events make, or a trait. Of the latest value
    ``days`` is 0: it is kept for good.
    """

    kind: MeterKind
    label: str = ""
    of_property: str = ""
    days: int = 0

    @property
    def name(self) -> str:
        """What it is called: ``visits.page_viewed``, ``distinct.page_viewed.path``."""
        return ".".join(filter(None, (self.kind, self.label, self.of_property)))

    @property
    def kept_days(self) -> int:
        """For how many days its readings are kept: longer than measured, as counts are.

        A visit that began the day before has to be known.
        """
        return max(NAME_DAYS, self.days + 1)


ALL_VISITS = Meter(MeterKind.VISITS).name
"""The name of the meter of what keeps visits going."""

Span: TypeAlias = tuple[int, int]
"""The first and the last second of a UTC day in which something was done."""

Spans: TypeAlias = tuple[Span, ...]
Values: TypeAlias = tuple[str, ...]
"""Hashes of different values, in order."""

Amounts: TypeAlias = Mapping[str, int]
"""Whole amounts by the beginning of their event's key."""


class LatestValue(NamedTuple):
    """The value of a property when it was last known; ordered by time."""

    at_ms: int
    key: str
    value_json: str

    @property
    def value(self) -> str | int | float | bool:
        """The value."""
        value: str | int | float | bool = json.loads(self.value_json)
        return value


class Readings(Struct, frozen=True):
    """What the meters have read, by their names; by UTC day but for the latest values.

    Of a trait it is the fact of each day that wins.
    """

    visits: Mapping[str, Mapping[int, Spans]] = {}
    values: Mapping[str, Mapping[int, Values]] = {}
    amounts: Mapping[str, Mapping[int, Amounts]] = {}
    latest: Mapping[str, LatestValue] = {}
    traits: Mapping[str, Mapping[int, TraitFact]] = {}


NO_READINGS = Readings()

ValuesOf: TypeAlias = Callable[[Event, Meter], Iterable[object]]
"""The values that an event has for a meter, of the declared type; none if it is unknown."""


def meters_of(measures: Iterable[Measure], kept_as: Mapping[str, str]) -> dict[str, Meter]:
    """The meters that measures need, by name."""
    meters: dict[str, Meter] = {}
    for measure in sorted(measures):
        if measure.kind in COUNTS:
            continue
        kind, label = MeterKind(measure.kind), kept_as.get(measure.label, measure.label)
        for meter in (
            Meter(kind, label, measure.of_property, measure.days),
            *((Meter(kind, days=measure.days),) if kind is MeterKind.VISITS else ()),
        ):
            if meter.name not in meters or meters[meter.name].days < meter.days:
                meters[meter.name] = meter
    return meters


# --- reading -------------------------------------------------------------------------------


def readings_of(
    event: Event, signals: Iterable[str], meters: Collection[Meter], values_of: ValuesOf
) -> Readings:
    """What the meters read of one event, which is these signals."""
    labels = {event.name, *signals}
    if event.name in VISIT_EVENTS:
        labels.add("")
    at_ms = to_ms(event.occurred_at)
    day, second = day_of(at_ms), at_ms % DAY_MS // 1000
    visits: dict[str, Mapping[int, Spans]] = {}
    values: dict[str, Mapping[int, Values]] = {}
    amounts: dict[str, Mapping[int, Amounts]] = {}
    latest: dict[str, LatestValue] = {}
    for meter in meters:
        if meter.label not in labels or meter.kind is MeterKind.BEFORE:
            continue
        if meter.kind is MeterKind.VISITS:
            visits[meter.name] = {day: ((second, second),)}
        elif not (found := list(values_of(event, meter))):
            continue
        elif meter.kind is MeterKind.DISTINCT:
            values[meter.name] = {day: tuple(sorted(set(map(_hash_of, found)))[:MAX_PER_DAY])}
        elif meter.kind is MeterKind.LATEST:
            latest[meter.name] = LatestValue(at_ms, event.key, _latest_json(found[0]))
        elif amount := _amount(found[0]):
            amounts[meter.name] = {day: {event.key[:_KEY_CHARS]: amount}}
    traits = {
        meter.name: {day: stated(event, meter.of_property, MAX_LATEST)}
        for meter in meters
        if meter.kind is MeterKind.BEFORE and meter.of_property in event.traits
    }
    return Readings(visits, values, amounts, latest, traits)


def _hash_of(value: object) -> str:
    text = json.dumps(value).encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(text, digest_size=6).digest()).decode()


def _amount(value: object) -> int:
    """The value as a whole number, halves up; 0 if it adds nothing."""
    if not isinstance(value, int | float) or not value > 0:
        return 0
    return MAX_AMOUNT if value >= MAX_AMOUNT else int(value + 0.5)


def _latest_json(value: object) -> str:
    return json.dumps(value[:MAX_LATEST] if isinstance(value, str) else value)


# --- joining -------------------------------------------------------------------------------

T = TypeVar("T")


def joined_readings(one: Readings, other: Readings) -> Readings:
    """What two of them have read; the same object if the other adds nothing to the one."""
    latest = dict(one.latest)
    for name, value in other.latest.items():
        latest[name] = max(value, latest.get(name, value))
    joined = Readings(
        _joined(one.visits, other.visits, _spans_of_both),
        _joined(one.values, other.values, _values_of_both),
        _joined(one.amounts, other.amounts, _amounts_of_both),
        latest,
        _joined(one.traits, other.traits, max),
    )
    return one if joined == one else joined


def _joined(
    one: Mapping[str, Mapping[int, T]],
    other: Mapping[str, Mapping[int, T]],
    of_both: Callable[[T, T], T],
) -> Mapping[str, Mapping[int, T]]:
    if not other:
        return one
    joined = dict(one)
    for name, days in other.items():
        mine = joined.get(name, {})
        new = {day: of_both(mine[day], read) if day in mine else read for day, read in days.items()}
        joined[name] = {**mine, **new}
    return joined


def _spans_of_both(one: Spans, other: Spans) -> Spans:
    return joined_spans([*one, *other])


def joined_spans(spans: Iterable[Span]) -> Spans:
    """The spans in order; those that are not too far apart are one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start - joined[-1][1] <= VISIT_GAP_S:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _values_of_both(one: Values, other: Values) -> Values:
    return tuple(sorted({*one, *other})[:MAX_PER_DAY])


def _amounts_of_both(one: Amounts, other: Amounts) -> Amounts:
    both = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = min(one[key], other[key])
    return {key: both[key] for key in sorted(both)[:MAX_PER_DAY]}


def kept_readings(readings: Readings, today: int, meters: Mapping[str, Meter]) -> Readings:
    """The readings that the meters still need on a UTC day number."""
    if readings is NO_READINGS:
        return readings
    kept = Readings(
        _kept(readings.visits, today, meters),
        _kept(readings.values, today, meters),
        _kept(readings.amounts, today, meters),
        {name: value for name, value in readings.latest.items() if name in meters},
        {
            name: _with_one_before(readings.traits[name], today - meters[name].kept_days)
            for name in readings.traits.keys() & meters.keys()
        },
    )
    return readings if kept == readings else kept


def _kept(
    read: Mapping[str, Mapping[int, T]], today: int, meters: Mapping[str, Meter]
) -> dict[str, dict[int, T]]:
    kept = {}
    for name in read.keys() & meters.keys():
        oldest = today - meters[name].kept_days
        if recent := {day: each for day, each in read[name].items() if day > oldest}:
            kept[name] = recent
    return kept


def trait_read_by(meter: str) -> str:
    """The trait whose past values a meter keeps, by the meter's name."""
    return meter.removeprefix(f"{MeterKind.BEFORE}.")


def facts_as_of(
    present: Mapping[str, TraitFact], readings: Readings, day: int
) -> dict[str, TraitFact]:
    """The facts that won at the end of a UTC day number; those that no meter reads are present."""
    facts = dict(present)
    for name, days in readings.traits.items():
        trait = trait_read_by(name)
        known = [*days.values(), *((facts.pop(trait),) if trait in facts else ())]
        if before := [fact for fact in known if day_of(fact.at_ms) <= day]:
            facts[trait] = max(before)
    return facts


def _with_one_before(days: Mapping[int, TraitFact], until: int) -> dict[int, TraitFact]:
    """The facts by day; of those until a day the one that wins."""
    kept = {day: fact for day, fact in days.items() if day > until}
    if before := [(fact, day) for day, fact in days.items() if day <= until]:
        fact, day = max(before)
        kept[day] = fact
    return kept


def redated(readings: Readings, to_day: Callable[[int], int]) -> Readings:
    """The readings with each UTC day number as another; days that meet are joined."""
    return Readings(
        _redated(readings.visits, to_day, _spans_of_both),
        _redated(readings.values, to_day, _values_of_both),
        _redated(readings.amounts, to_day, _amounts_of_both),
        readings.latest,
        _redated(readings.traits, to_day, max),
    )


def _redated(
    read: Mapping[str, Mapping[int, T]], to_day: Callable[[int], int], of_both: Callable[[T, T], T]
) -> dict[str, dict[int, T]]:
    moved: dict[str, dict[int, T]] = {}
    for name, days in read.items():
        mine = moved.setdefault(name, {})
        for day, each in days.items():
            to = to_day(day)
            mine[to] = of_both(mine[to], each) if to in mine else each
    return moved


def readings_within(readings: Readings, is_within: Callable[[int], bool]) -> Readings:
    """What happened on some UTC days; they are asked for by their numbers."""

    def within(read: Mapping[str, Mapping[int, T]]) -> dict[str, dict[int, T]]:
        return {
            n: {d: each for d, each in days.items() if is_within(d)} for n, days in read.items()
        }

    return Readings(
        within(readings.visits),
        within(readings.values),
        within(readings.amounts),
        {n: value for n, value in readings.latest.items() if is_within(day_of(value.at_ms))},
        within(readings.traits),
    )


_BYTES_OF_A_DAY = 10  # its number, and what stands around it
_BYTES_OF_A_SPAN = 12
_BYTES_OF_A_HASH = 8
_BYTES_OF_AN_AMOUNT = 24
_BYTES_OF_A_LATEST = 60  # beside the value: its meter, time and event


def with_amounts_once(readings: Readings) -> Readings:
    """The readings with the amount of each event on the earliest of its days alone.

    A sender that states no time gives a repeat on another day the time of its receipt.
    """
    once = {name: _each_once(days) for name, days in readings.amounts.items()}
    if once == readings.amounts:
        return readings
    return structs.replace(readings, amounts=once)


def _each_once(days: Mapping[int, Amounts]) -> dict[int, Amounts]:
    seen: set[str] = set()
    once: dict[int, Amounts] = {}
    for day in sorted(days):
        once[day] = {key: amount for key, amount in days[day].items() if key not in seen}
        seen |= days[day].keys()
    return once


def bytes_of_readings(readings: Readings) -> int:
    """The approximate size in a store."""
    if readings is NO_READINGS:
        return 0
    read: tuple[tuple[int, Mapping[str, Mapping[int, Sized]]], ...] = (
        (_BYTES_OF_A_SPAN, readings.visits),
        (_BYTES_OF_A_HASH, readings.values),
        (_BYTES_OF_AN_AMOUNT, readings.amounts),
    )
    of_days = sum(
        _BYTES_OF_A_DAY + size * len(each)
        for size, meters in read
        for days in meters.values()
        for each in days.values()
    )
    latest = (_BYTES_OF_A_LATEST + len(each.value_json) for each in readings.latest.values())
    facts = (fact for days in readings.traits.values() for fact in days.values())
    return of_days + sum(latest) + sum(_BYTES_OF_A_LATEST + len(f.value_json) for f in facts)


# --- measuring -----------------------------------------------------------------------------


def meter_of(measure: Measure, label: str) -> Meter:
    """The meter of a measure whose events are kept under the ``label``."""
    return Meter(MeterKind(measure.kind), label, measure.of_property)


def measured(measure: Measure, name: str, readings: Readings, today: int) -> int:
    """The value of a measure on a UTC day number; ``name`` is that of its meter."""
    after = today - measure.days
    match measure.kind:
        case MeasureKind.VISITS:
            return _visits(readings, name, after, today)
        case MeasureKind.DISTINCT:
            days = readings.values.get(name, {})
            of_days = (values for day, values in days.items() if after < day <= today)
            return len(set[str]().union(*of_days))
        case _:
            amounts = readings.amounts.get(name, {})
            return sum(
                sum(of_day.values()) for day, of_day in amounts.items() if after < day <= today
            )


def _visits(readings: Readings, name: str, after: int, today: int) -> int:
    """The visits that began behind one day, up to another, and had an event of a meter."""
    own = _absolute(readings.visits.get(name, {}), after, today)
    if not own:
        return 0
    others = _absolute(readings.visits.get(ALL_VISITS, {}), after, today)
    starts = [start for start, _ in joined_spans([*own, *others])]
    seen = {starts[bisect_right(starts, start) - 1] for start, _ in own}
    return sum(start >= (after + 1) * DAY_S for start in seen)


def _absolute(days: Mapping[int, Spans], first: int, last: int) -> list[Span]:
    """The spans of some UTC days, in seconds since 1970."""
    return [
        (day * DAY_S + start, day * DAY_S + end)
        for day, spans in days.items()
        if first <= day <= last
        for start, end in spans
    ]
