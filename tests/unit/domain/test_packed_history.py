"""Packed events: the same events, whatever order they came in and whenever they were folded."""

from collections.abc import Sequence
from hashlib import blake2b
from random import Random

import pytest

from effort import examples
from unit.domain.worlds import brute_tally
from warmlead.domain.history import EXACT_DAYS, History, fold, tally
from warmlead.domain.packed_history import (
    DAY_MS,
    RECENT,
    KeptEvent,
    Packed,
    by_receipt,
    packed_prefix,
)
from warmlead.domain.recording import Recording, record

START_MS = 20_000 * DAY_MS
NAMES = ["page_viewed", "logged_in", "feature_used", "report_opened", "searched"]
SIGNALS: Sequence[tuple[str, ...]] = [(), ("visit",), ("visit", "pricing"), ("pricing",)]
SEEDS = range(examples(12))


def key_of(number: int) -> str:
    return blake2b(str(number).encode(), digest_size=8).hexdigest()


def some_events(chance: Random, count: int, days: int = 12) -> list[KeptEvent]:
    """Events of a few weeks, received when they happened or later, in order of receipt."""
    events = []
    for number in range(count):
        at_ms = START_MS + chance.randrange(days * DAY_MS)
        delay_ms = chance.choice([-300_000, 0, 0, 0, 5_000, DAY_MS, 9 * DAY_MS])
        shape = chance.choice(NAMES), chance.choice(SIGNALS)
        events.append(KeptEvent(at_ms, key_of(number), at_ms + delay_ms, *shape))
    return sorted(events, key=by_receipt)


def one_by_one(events: Sequence[KeptEvent], now_ms: int) -> History:
    history = History()
    for event in events:
        history = fold(record(history, [event]), now_ms)
    return history


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_most_of_many_events_are_packed_and_all_are_there(seed: int) -> None:
    events = some_events(Random(seed), 700)
    history = one_by_one(events, START_MS)
    assert len(history.recent) >= RECENT
    assert len(history.packed) > len(history.recent)
    assert history.kept == record(History(), events).kept
    assert [event.key for event in history.packed] == [
        event.key for event in sorted(history.packed, key=by_receipt)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_repetition_leave_no_trace_in_what_is_packed(seed: int) -> None:
    chance = Random(seed)
    events = some_events(chance, 500)
    expected = one_by_one(events, START_MS)
    shuffled = [*events, *chance.sample(events, 200)]
    chance.shuffle(shuffled)
    assert one_by_one(shuffled, START_MS) == expected
    assert fold(record(History(), shuffled), START_MS) == expected
    assert fold(record(expected, events), START_MS) == expected


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_late_and_smaller_copies_change_what_is_packed(seed: int) -> None:
    chance = Random(seed)
    events = some_events(chance, 400)
    earlier = [e._replace(at_ms=e.at_ms - DAY_MS) for e in chance.sample(events, 60)]
    later = [e._replace(at_ms=e.at_ms + 1, received_ms=e.received_ms + 1) for e in events]
    expected = fold(record(History(), [*events, *earlier]), START_MS)
    assert one_by_one([*events, *later, *earlier], START_MS) == expected
    assert one_by_one([*earlier, *events, *later], START_MS) == expected


@pytest.mark.slow
@pytest.mark.parametrize("days", [1, 2, 40])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_late_event_by_itself_changes_what_it_changes_among_others(seed: int, days: int) -> None:
    chance = Random(seed)
    some = some_events(chance, 700, days)
    some = [each._replace(name=f"{each.name}_{chance.randrange(9)}") for each in some]
    late = [each._replace(key=key_of(-n)) for n, each in enumerate(chance.sample(some, 20))]
    late += [
        each._replace(at_ms=each.at_ms - chance.randrange(DAY_MS), name=chance.choice(some).name)
        for each in chance.sample(some, 20)
    ]
    history = one_by_one(some, START_MS)
    assert history.packed
    for event in chance.sample(late, len(late)):
        among_others = Recording(history)
        among_others.add(event)
        history = record(history, [event])
        assert fold(history, START_MS) == fold(among_others.history, START_MS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_folding_now_and_then_is_folding_once_with_packed_events(seed: int) -> None:
    chance = Random(seed)
    events = some_events(chance, 500)
    step_by_step = History()
    for event in events:
        step_by_step = fold(record(step_by_step, [event]), event.received_ms)
    for days in (10, 20, 33, 40, 45, 80):
        now_ms = START_MS + days * DAY_MS
        step_by_step = fold(step_by_step, now_ms)
        assert step_by_step == fold(record(History(), events), now_ms)
        horizon_ms = now_ms - EXACT_DAYS * DAY_MS
        assert all(event.received_ms >= horizon_ms for event in step_by_step.kept.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_tally_of_packed_events_counts_each_of_them(seed: int) -> None:
    events = some_events(Random(seed), 600)
    history = one_by_one(events, START_MS)
    assert tally([history]) == brute_tally(events)
    then_ms = START_MS + 6 * DAY_MS
    known = [event for event in events if event.received_ms <= then_ms]
    assert tally([history], known_at_ms=then_ms) == brute_tally(known)


def test_packed_events_are_found_by_their_keys_alone() -> None:
    events = some_events(Random(7), 300)
    packed = Packed().with_more(events)
    assert len(packed) == 300
    assert [packed.find(event.key) for event in events] == events
    assert packed.find(key_of(10**9)) is None
    assert packed.find("not a key") is None
    assert Packed().find(events[0].key) is None


def test_a_part_of_what_is_packed_is_as_if_it_had_come_alone() -> None:
    events = some_events(Random(8), 300)
    packed = Packed().with_more(events)
    for count in (0, 1, 137, 300):
        assert packed.without_first(count) == Packed().with_more(events[count:])
        assert packed.first(count) == Packed().with_more(events[:count])


def test_events_that_cannot_be_packed_stay_unpacked() -> None:
    events = some_events(Random(9), 400)
    events[100] = events[100]._replace(key="a key of another kind")
    assert packed_prefix(events) <= 100
    history = fold(record(History(), events), START_MS)
    assert "a key of another kind" in history.recent
    assert history.kept == record(History(), events).kept
