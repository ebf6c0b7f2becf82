"""When a change of a lead is sent to the tools that mirror it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.mirror import (
    NOT_MIRRORED,
    Mirror,
    Mirrored,
    Refreshed,
    UpdatePolicy,
    merge_mirrors,
    refreshed,
    without_update,
)

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = UpdatePolicy(frozenset({Mirrored.SCORE, Mirrored.STAGE}), 10 * MINUTE, 60 * MINUTE)
NO_WAIT = timedelta(0)


def values(score: int = 10, stage: str = "lead", id_: str = "a") -> dict[str, object]:
    return {"id": id_, "score": score, "stage": stage, "traits": {"at": score}}


def sent_at(now: datetime, **known: Any) -> Mirror:
    """A mirror whose tools know some values."""
    return refreshed(POLICY, NOT_MIRRORED, values(**known), now, wait=NO_WAIT).mirror


def test_the_first_update_has_all_fields() -> None:
    found = refreshed(POLICY, NOT_MIRRORED, values(), NOON, wait=NO_WAIT)
    assert found.changed == ("id", "score", "stage")
    assert (found.mirror.count, found.mirror.at, found.mirror.due) == (1, NOON, None)


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (values(), ()),
        (values(11), ("score",)),
        (values(11, "mql"), ("score", "stage")),
        (values(id_="b"), ("id",)),
        ({**values(), "traits": {}}, ()),
    ],
)
def test_an_update_names_the_fields_that_differ(
    now: dict[str, object], changed: tuple[str, ...]
) -> None:
    before = sent_at(NOON - 20 * MINUTE)
    found = refreshed(POLICY, before, now, NOON, wait=NO_WAIT)
    assert found.changed == changed
    assert found.mirror.count == (2 if changed else 1)


def test_a_change_waits_until_the_time_since_the_last_update_is_over() -> None:
    before = sent_at(NOON)
    soon = refreshed(POLICY, before, values(11), NOON + 4 * MINUTE, wait=NO_WAIT)
    assert soon == Refreshed(Mirror(before.prints, 1, NOON, NOON + 10 * MINUTE))
    later = refreshed(POLICY, soon.mirror, values(12), NOON + 10 * MINUTE, wait=NO_WAIT)
    assert (later.changed, later.mirror.due) == (("score",), None)


def test_a_change_that_is_undone_is_not_sent() -> None:
    before = sent_at(NOON)
    soon = refreshed(POLICY, before, values(11), NOON + MINUTE, wait=NO_WAIT).mirror
    assert refreshed(POLICY, soon, values(), NOON + 2 * MINUTE, wait=NO_WAIT) == Refreshed(before)


def test_a_change_without_an_event_waits_once_and_an_event_hurries_it() -> None:
    before = sent_at(NOON - 60 * MINUTE)
    first = refreshed(POLICY, before, values(11), NOON, wait=30 * MINUTE).mirror
    assert first.due == NOON + 30 * MINUTE
    again = refreshed(POLICY, first, values(12), NOON + 5 * MINUTE, wait=30 * MINUTE).mirror
    assert again.due == NOON + 30 * MINUTE
    assert refreshed(POLICY, again, values(12), NOON + 30 * MINUTE, wait=30 * MINUTE).changed
    assert refreshed(POLICY, again, values(12), NOON + 6 * MINUTE, wait=NO_WAIT).changed


@pytest.mark.slow
def test_leads_are_distributed_evenly_and_each_always_waits_as_long() -> None:
    waits = [POLICY.wait(f"lead-{i}") for i in range(6_000)]
    assert waits == [POLICY.wait(f"lead-{i}") for i in range(6_000)]
    assert all(NO_WAIT <= wait < POLICY.spread for wait in waits)
    minutes = [sum(wait // MINUTE == minute for wait in waits) for minute in range(60)]
    assert min(minutes) > 50
    assert max(minutes) < 150


steps = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 2), st.booleans()), max_size=30)


@given(steps)
def test_updates_are_apart_and_every_change_is_sent_in_the_end(
    doings: list[tuple[int, int, bool]],
) -> None:
    mirror, now, updates = NOT_MIRRORED, NOON, list[datetime]()
    score = 0
    for minutes, score, by_event in doings:
        now += minutes * MINUTE
        wait = NO_WAIT if by_event else 7 * MINUTE
        found = refreshed(POLICY, mirror, values(score), now, wait=wait)
        updates += [now] if found.changed else []
        assert found.mirror.count == len(updates)
        again = refreshed(POLICY, found.mirror, values(score), now, wait=wait)
        assert again == Refreshed(found.mirror)
        mirror = found.mirror
    assert all(later - one >= POLICY.at_most_every for one, later in pairwise(updates))
    if mirror.due:
        assert refreshed(POLICY, mirror, values(score), mirror.due, wait=7 * MINUTE).changed
    else:
        assert refreshed(POLICY, mirror, values(score), now, wait=NO_WAIT).changed in {
            (),
            ("id", "score", "stage") if not doings else (),
        }


mirrors = st.builds(
    lambda count, minute, due, score: Mirror(
        {"score": str(score)}, count, NOON + minute * MINUTE, due and NOON + due * MINUTE
    ),
    st.integers(1, 5),
    st.integers(0, 5),
    st.none() | st.integers(1, 5),
    st.integers(0, 3),
)


@given(st.lists(mirrors | st.just(NOT_MIRRORED), max_size=4))
def test_mirrors_merge_in_any_order_and_never_count_back(several: list[Mirror]) -> None:
    merged = merge_mirrors(several)
    assert merged == merge_mirrors(several[::-1])
    assert merged.count >= max((each.count for each in several), default=0)
    dues = [each.due for each in several if each.due]
    assert merged.due == min(dues, default=None)


def test_a_lead_that_is_not_mirrored_any_more_waits_for_nothing() -> None:
    waiting = Mirror({"score": "1"}, 1, NOON, NOON + MINUTE)
    assert without_update(waiting) == Mirror({"score": "1"}, 1, NOON)
