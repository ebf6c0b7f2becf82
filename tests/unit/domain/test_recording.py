"""Events recorded one by one and many at once: the same history, and the same told of it."""

from random import Random

import pytest

from effort import examples
from unit.domain.test_packed_history import START_MS, key_of, some_events
from warmlead.domain.history import History, fold
from warmlead.domain.packed_history import DAY_MS, KeptEvent, Packed
from warmlead.domain.recording import NOTHING_RECORDED, Recorded, Recording, record, recorded_one

SEEDS = range(examples(8))


def crowded(chance: Random, count: int) -> list[KeptEvent]:
    """Events of few days, with smaller and larger copies, in no order."""
    marks = ("", "", "", "mail", "maillink")
    events = [e._replace(mark=chance.choice(marks)) for e in some_events(chance, count, days=4)]
    copies = [
        event._replace(
            at_ms=event.at_ms + days * DAY_MS,
            received_ms=event.received_ms + days * 1_000,
            name=chance.choice([event.name, "once"]),
            mark=chance.choice([event.mark, event.mark, ""]),
        )
        for event in chance.sample(events, count // 3)
        for days in [chance.choice([-1, 1])]
    ]
    mixed = [*events, *copies]
    chance.shuffle(mixed)
    return mixed


def told_of(before: History, after: History) -> tuple[set[KeptEvent], set[KeptEvent], set[str]]:
    """What came, what went, and the names that came or left, between two histories."""
    was, now = set(before.kept.values()), set(after.kept.values())
    return now - was, was - now, {*before.last_day} ^ {*after.last_day}


def said(recorded: Recorded) -> tuple[set[KeptEvent], set[KeptEvent], set[str]]:
    names = {name for name in (recorded.came, recorded.left) if name}
    return ({recorded.come} if recorded.come else set()), set(recorded.gone), names


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_both_ways_of_recording_report_the_same_changes(seed: int) -> None:
    chance = Random(seed)
    history = fold(Recording(History()).history, START_MS)
    for event in some_events(chance, 300):
        history = fold(recorded_one(history, event)[0], START_MS)
    recording = Recording(history)
    for event in crowded(chance, 150):
        after, one = recorded_one(history, event)
        many = recording.add(event)
        assert said(one) == said(many) == told_of(history, after)
        assert (one == NOTHING_RECORDED) is (many == NOTHING_RECORDED)
        history = fold(after, START_MS)
        assert fold(recording.history, START_MS) == history
    assert history.packed


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_removed_event_leaves_no_trace(seed: int) -> None:
    chance = Random(seed)
    recording = Recording(History())
    for event in crowded(chance, 300):
        if chance.random() < 0.5:
            before = recording.history
            recording.take_back(recording.add(event))
            assert recording.history == before
        recording.add(event)


def test_a_history_in_which_nothing_stays_is_the_one_it_was() -> None:
    history = fold(record(History(), some_events(Random(1), 150)), START_MS)
    (event,) = some_events(Random(2), 1)
    recording = Recording(history)
    recording.take_back(recording.add(event._replace(key=key_of(999))))
    assert recording.history is history


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 300])
def test_any_number_of_packed_events_can_be_unpacked(count: int) -> None:
    events = some_events(Random(count), count)
    packed = Packed().with_more(events)
    assert list(packed) == events
    assert list(packed.slice(count // 3, count)) == events[count // 3 :]
    assert list(packed.keys()) == [event.key for event in events]
    assert [packed.place_of(key_of(number)) is not None for number in range(count)] == [
        True
    ] * count
