"""What meters read of events, each number worked out by hand."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from unit.domain.worlds import event_of, values_of
from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.measures import Measure, MeasureKind
from warmlead.domain.readings import (
    MAX_AMOUNT,
    NO_READINGS,
    Meter,
    MeterKind,
    Readings,
    bytes_of_readings,
    facts_as_of,
    joined_readings,
    kept_readings,
    measured,
    meter_of,
    meters_of,
    readings_of,
    with_amounts_once,
)
from warmlead.domain.traits import TraitFact
from warmlead.stores.readings_codec import write_readings

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = day_of(to_ms(NOON))
VISITS = Measure(MeasureKind.VISITS, 7, "page_viewed")
PRICING = Measure(MeasureKind.VISITS, 7, "pricing")
PATHS = Measure(MeasureKind.DISTINCT, 7, "page_viewed", "path")
SECONDS = Measure(MeasureKind.SUM, 7, "page_viewed", "seconds")
METERS = meters_of([VISITS, PRICING, PATHS, SECONDS], {})
LATEST = Meter(MeterKind.LATEST, "page_viewed", "path")


def read(events: Sequence[Event], *signals: str) -> Readings:
    found = NO_READINGS
    for event in events:
        meters = [*METERS.values(), LATEST]
        found = joined_readings(found, readings_of(event, signals, meters, values_of))
    return found


def viewed(minutes: float, name: str = "page_viewed", **properties: Property) -> Event:
    """A page that was viewed so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    id_ = f"{minutes}{name}{properties}"
    return event_of(id_, at, name=name, properties=properties, anonymous_id="b")


def copies_of(**properties: Property) -> list[Event]:
    """One event, as it came three days ago and a day ago."""
    return [
        event_of("one", NOON - days * DAY, properties=properties, anonymous_id="b")
        for days in (3, 1)
    ]


def value(measure: Measure, readings: Readings, today: int = TODAY) -> int:
    return measured(measure, meter_of(measure, measure.label).name, readings, today)


@pytest.mark.parametrize(
    ("minutes", "visits"),
    [
        ((), 0),
        ((0,), 1),
        ((0, 30), 1),
        ((0, 30.02), 2),
        ((0, 20, 40, 60), 1),  # an hour in which nobody rests for long
        ((0, 40, 20), 1),  # the page between came last
        ((-720, 719), 2),
        ((-725, -715), 0),  # across midnight: it began the day before
    ],
)
def test_a_pause_of_more_than_half_an_hour_makes_another_visit(
    minutes: Sequence[float], visits: int
) -> None:
    today = Measure(MeasureKind.VISITS, 1, "page_viewed")
    assert value(today, read([viewed(each) for each in minutes])) == visits


def test_a_visit_across_midnight_counts_once_on_the_day_on_which_it_began() -> None:
    readings = read([viewed(-725), viewed(-715), viewed(-690), viewed(0)])
    assert value(VISITS, readings) == 2
    assert value(VISITS, readings, TODAY - 1) == 1
    assert value(VISITS, readings, TODAY + 6) == 1  # of seven days, today is the first


def test_whatever_is_done_on_the_website_keeps_a_visit_going() -> None:
    pricing = [readings_of(viewed(at), ["pricing"], METERS.values(), values_of) for at in (0, 50)]
    apart, together = NO_READINGS, read([viewed(25, "video_watched")])
    for each in pricing:
        apart, together = joined_readings(apart, each), joined_readings(together, each)
    assert value(PRICING, apart) == 2
    assert value(PRICING, together) == 1


def test_an_event_that_is_of_no_website_keeps_no_visit_going() -> None:
    assert value(VISITS, read([viewed(0), viewed(25, "email_opened"), viewed(50)])) == 2


def test_a_value_that_comes_again_is_not_another_one() -> None:
    paths = ("/a", "/b", "/a", None)
    assert value(PATHS, read([viewed(n, path=path) for n, path in enumerate(paths)])) == 2
    assert value(PATHS, read([viewed(0, path="/a"), viewed(-1440, path="/a")])) == 1


def test_of_a_day_twenty_values_and_amounts_are_kept_whatever_the_order() -> None:
    events = [viewed(n, path=f"/{n}", seconds=n + 1) for n in range(30)]
    found = read(events)
    assert value(PATHS, found) == 20
    kept = sorted((event.key, nth + 1) for nth, event in enumerate(events))[:20]
    assert value(SECONDS, found) == sum(seconds for _, seconds in kept)
    assert read([*reversed(events), *events]) == found


@pytest.mark.parametrize(
    ("seconds", "total"),
    [
        (12, 12),
        (0.5, 1),
        (0.49, 0),
        (-5, 0),
        (float("nan"), 0),
        ("12", 0),
        (10**12, MAX_AMOUNT),
        (float("inf"), MAX_AMOUNT),
    ],
)
def test_an_amount_is_a_whole_number_within_bounds(seconds: Property, total: int) -> None:
    assert value(SECONDS, read([viewed(0, seconds=seconds)])) == total


def test_an_event_that_comes_twice_adds_its_amount_once() -> None:
    event = viewed(0, seconds=40)
    assert value(SECONDS, read([event, event, viewed(1, seconds=2)])) == 42


@pytest.mark.parametrize("other_way", [False, True])
def test_an_event_that_comes_again_on_another_day_adds_its_amount_on_the_earlier_one(
    other_way: bool,  # a parameter
) -> None:
    copies = [
        event_of("one", NOON - ago, properties={"seconds": 40}, anonymous_id="b")
        for ago in (3 * DAY, DAY)
    ]
    readings = read([*(copies[::-1] if other_way else copies), viewed(1, seconds=2)])
    once = with_amounts_once(readings)
    assert value(SECONDS, once) == 42
    assert value(SECONDS, once, TODAY + 4) == 2  # the earlier day is out of the window
    assert with_amounts_once(once) is once


def test_an_event_that_comes_again_at_another_time_is_a_visit_each_time() -> None:
    copies = [
        event_of("one", NOON - ago, properties={"path": "/a"}, anonymous_id="b")
        for ago in (3 * DAY, DAY)
    ]
    readings = read(copies)
    assert readings == read(copies[::-1])
    assert (value(VISITS, readings), value(PATHS, readings)) == (2, 1)
    assert readings.latest[LATEST.name].at_ms == to_ms(NOON - DAY)


def test_what_adds_nothing_leaves_the_readings_as_they_are() -> None:
    event = viewed(0, path="/a", seconds=3)
    readings = read([event])
    assert joined_readings(readings, read([event])) is readings
    assert kept_readings(readings, TODAY, {**METERS, LATEST.name: LATEST}) is readings


def test_the_latest_value_is_that_of_the_last_event_that_has_one() -> None:
    readings = read([viewed(5, path="/b"), viewed(0, path="/a"), viewed(9)])
    assert readings.latest[LATEST.name].value == "/b"


def test_a_latest_text_is_cut() -> None:
    assert read([viewed(0, path="x" * 500)]).latest[LATEST.name].value == "x" * 200


def stated(days: float, employees: Property, trust: Trust = Trust.PUBLIC) -> Event:
    """What was stated so many days before noon."""
    at = NOON - timedelta(days=days)
    return event_of(
        f"{days}{employees}", at, traits={"employees": employees}, trust=trust, anonymous_id="b"
    )


@pytest.mark.parametrize(
    ("facts", "then"),
    [
        ([], None),
        ([stated(29, 60)], None),  # nobody knew
        ([stated(31, 40)], 40),
        ([stated(30, 40), stated(29, 60)], 40),
        ([stated(40, 30), stated(31, 40), stated(0, 60)], 40),
        ([stated(40, 30, Trust.SIGNED), stated(31, 40)], 30),
        ([stated(40, 30), stated(31, None)], None),  # taken back
        ([stated(150, 30, Trust.SIGNED), stated(120, 40), stated(100, 50)], 30),
    ],
)
def test_a_trait_as_it_was_is_what_won_by_that_day(facts: Sequence[Event], then: Property) -> None:
    meter = Meter(MeterKind.BEFORE, "", "employees", 30)
    found = NO_READINGS
    for fact in facts:
        found = joined_readings(found, readings_of(fact, (), [meter], values_of))
        found = kept_readings(found, TODAY, {meter.name: meter})
    known = facts_as_of({}, found, TODAY - 30)
    assert (known["employees"].value if known else None) == then


def test_of_the_time_before_the_window_one_fact_is_kept() -> None:
    meter = Meter(MeterKind.BEFORE, "", "employees", 30)
    found = NO_READINGS
    for days in range(400):
        event = stated(days, days)
        found = joined_readings(found, readings_of(event, (), [meter], values_of))
    kept = kept_readings(found, TODAY, {meter.name: meter}).traits[meter.name]
    assert len(kept) == 91
    assert min(kept) == TODAY - 90


def test_a_past_text_is_cut_and_a_list_is_not_kept() -> None:
    meters = [Meter(MeterKind.BEFORE, "", name, 30) for name in ("title", "tags")]
    event = event_of("1", NOON, traits={"title": "x" * 500, "tags": ["a"]}, anonymous_id="b")
    read = readings_of(event, (), meters, values_of)
    values = {name: fact.value for name, fact in facts_as_of({}, read, TODAY).items()}
    assert values == {"title": "x" * 200, "tags": None}


def test_without_a_meter_a_trait_is_as_it_is_now() -> None:
    fact = TraitFact(1, to_ms(NOON), "k", '"DE"')
    assert facts_as_of({"country": fact}, NO_READINGS, TODAY - 30) == {"country": fact}


def test_readings_end_with_their_window_and_with_their_meter() -> None:
    readings = read([viewed(0, path="/a", seconds=3)])
    meters = {**METERS, LATEST.name: LATEST}
    assert kept_readings(readings, TODAY + 89, meters) == readings
    later = kept_readings(readings, TODAY + 90, meters)
    assert later == Readings(latest=readings.latest)  # the latest stays
    assert kept_readings(readings, TODAY, {}) == NO_READINGS


def test_a_longer_window_is_kept_with_the_day_before_it() -> None:
    long = meters_of([Measure(MeasureKind.VISITS, 200, "page_viewed"), VISITS], {})
    assert {name: meter.kept_days for name, meter in long.items()} == {
        "visits": 201,
        "visits.page_viewed": 201,
    }


def test_a_published_name_is_read_under_ours() -> None:
    assert meters_of([SECONDS], {"page_viewed": "ours"}).keys() == {"sum.ours.seconds"}


def test_a_full_day_takes_few_bytes_and_no_more_than_is_said() -> None:
    events = [viewed(n * 30.1 - 720, path=f"/{n}", seconds=10**9) for n in range(47)]
    events += [viewed(n / 10, path=f"/more/{n}", seconds=10**9) for n in range(100)]
    readings = read(events, "pricing")
    stored = len(json.dumps(write_readings(readings), separators=(",", ":")))
    assert stored < 2_500
    assert stored - 300 < bytes_of_readings(readings) < 3 * stored
