"""What is measured of events over days, each number worked out by hand."""

from collections.abc import Mapping

import pytest

from warmlead.domain.measures import (
    Measure,
    MeasureKind,
    is_measurable,
    longest_days,
    names_kept,
    parse_measure,
)

TODAY = 20_000
LAST, DAYS, MOMENTUM, VISITS, DISTINCT, SUM = MeasureKind


def by_age(counts: Mapping[int, int]) -> dict[int, int]:
    return {TODAY - age: count for age, count in counts.items()}


@pytest.mark.parametrize(
    ("kind", "days", "counts", "number"),
    [
        (LAST, 1, {0: 2}, 2),
        (LAST, 1, {1: 2}, 0),
        (LAST, 7, {6: 2}, 2),  # today is the first of the seven
        (LAST, 7, {7: 2}, 0),
        (LAST, 7, {-1: 2}, 0),  # dated tomorrow
        (LAST, 400, {399: 2, 400: 5}, 2),
        (DAYS, 30, {0: 20}, 1),  # twenty views of one day are one visit
        (DAYS, 30, {0: 1, 3: 4, 29: 1}, 3),
        (DAYS, 30, {30: 1, -1: 1}, 0),
        (MOMENTUM, 7, {}, 0),
        (MOMENTUM, 7, {0: 2, 7: 2, 14: 2, 21: 2}, 100),  # as in the weeks before
        (MOMENTUM, 7, {0: 4, 7: 2, 14: 2, 21: 2}, 200),
        (MOMENTUM, 7, {0: 4, 27: 3}, 400),  # the mean of 0, 0 and 3 is 1
        (MOMENTUM, 7, {0: 4, 28: 3}, 1200),  # nothing in those weeks counts as one event
        (MOMENTUM, 7, {0: 1, 7: 7}, 42),  # 42.86, and what is left over is dropped
        (MOMENTUM, 7, {7: 9}, 0),
    ],
)
def test_a_measure_is_of_the_days_that_end_today(
    kind: MeasureKind, days: int, counts: Mapping[int, int], number: int
) -> None:
    assert Measure(kind, days, "page_viewed").of(by_age(counts), TODAY) == number


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("last_30d.page_viewed", Measure(LAST, 30, "page_viewed")),
        ("days_14d.visit", Measure(DAYS, 14, "visit")),
        ("momentum_7d.visit", Measure(MOMENTUM, 7, "visit")),
        ("visits_30d.visit", Measure(VISITS, 30, "visit")),
        ("distinct_30d.visit.path", Measure(DISTINCT, 30, "visit", "path")),
        ("sum_7d.visit.seconds", Measure(SUM, 7, "visit", "seconds")),
        ("sum_7d.visit", None),
        ("visits_7d.visit.path", None),
        ("last_30.visit", None),
        ("last_30d", None),
        ("lasts_30d.visit", None),
        ("last_30d.visit.size", None),
        ("first.channel", None),
    ],
)
def test_a_measure_is_read_from_its_name(name: str, measure: Measure | None) -> None:
    found = parse_measure(name)
    assert found == measure
    assert found is None or found.fact == name


@pytest.mark.parametrize(("kind", "most"), [(LAST, 400), (DAYS, 400), (MOMENTUM, 100), (SUM, 400)])
def test_a_measure_looks_back_400_days_at_most(kind: MeasureKind, most: int) -> None:
    assert longest_days(kind) == most
    allowed = [days for days in range(500) if is_measurable(Measure(kind, days, "visit"))]
    assert allowed == list(range(1, most + 1))
    assert Measure(kind, most, "visit").reach_days == 400


def test_names_are_kept_as_long_as_they_are_measured() -> None:
    measures = [
        Measure(LAST, 90, "page_viewed"),
        Measure(LAST, 91, "login"),
        Measure(MOMENTUM, 30, "login"),
        Measure(DAYS, 400, "visit"),
        Measure(DAYS, 200, "published"),
        Measure(VISITS, 300, "page_viewed"),  # of which meters are kept, and no counts
    ]
    assert names_kept(measures, {"visit"}, {"published": "ours"}) == {"login": 120, "ours": 200}
