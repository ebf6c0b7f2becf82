"""What is kept of events: each counted once, at most 20 a day, folded after 31 days."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from unit.domain.worlds import brute_tally
from warmlead.domain.history import (
    EXACT_DAYS,
    MAX_PER_DAY,
    NAME_DAYS,
    History,
    day_of,
    fold,
    from_ms,
    tally,
    to_date,
    to_ms,
)
from warmlead.domain.packed_history import DAY_MS, KeptEvent
from warmlead.domain.recording import record

DAY = 20_000  # 2024-10-04
START_MS = DAY * DAY_MS
NOTHING = History()

reproducible = settings(max_examples=examples(300), derandomize=True)


def kept_event(
    nth: int,
    at_ms: int = START_MS,
    *,
    key: str = "",
    received_ms: int | None = None,
    name: str = "page_viewed",
    signals: tuple[str, ...] = ("visit",),
) -> KeptEvent:
    received = at_ms if received_ms is None else received_ms
    return KeptEvent(at_ms + nth, key or f"key-{nth:03}", received, name, signals)


@st.composite
def kept_events(draw: st.DrawFn, most: int = 60) -> list[KeptEvent]:
    """Events of a few days under a few labels, so many that some days have more than 20."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from([0, 0, 0, 1, 2]),
                st.integers(0, 5),
                st.sampled_from([-300_000, 0, 0, DAY_MS, 20 * DAY_MS]),
                st.sampled_from(["page_viewed", "page_viewed", "login"]),
                st.sampled_from([(), ("visit",), ("visit",), ("pricing", "visit")]),
            ),
            max_size=most,
        )
    )
    return [
        KeptEvent(at, f"key-{nth:03}", at + delay, name, signals)
        for nth, (day, minute, delay, name, signals) in enumerate(drawn)
        for at in [START_MS + day * DAY_MS + minute * 60_000]
    ]


# --- time --------------------------------------------------------------------------------


@reproducible
@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive_the_way_to_a_time_and_back(moment_ms: int) -> None:
    assert to_ms(from_ms(moment_ms)) == moment_ms


@reproducible
@given(st.integers(0, 4_000_000_000_000), st.integers(0, 999))
def test_a_part_of_a_millisecond_is_dropped(moment_ms: int, microseconds: int) -> None:
    assert to_ms(from_ms(moment_ms) + timedelta(microseconds=microseconds)) == moment_ms


def test_days_are_utc_days() -> None:
    midnight = to_ms(datetime(2024, 2, 29, tzinfo=UTC))
    assert to_date(day_of(midnight)) == date(2024, 2, 29)
    assert to_date(day_of(midnight - 1)) == date(2024, 2, 28)
    assert to_date(day_of(midnight + DAY_MS)) == date(2024, 3, 1)


# --- record ------------------------------------------------------------------------------


@reproducible
@given(kept_events(), st.randoms(use_true_random=False))
def test_order_and_repetition_leave_no_trace(events: list[KeptEvent], chance: Random) -> None:
    expected = record(NOTHING, events)
    shuffled = events * 2
    chance.shuffle(shuffled)
    one_by_one = NOTHING
    for event in shuffled:
        one_by_one = record(one_by_one, [event])
    assert one_by_one == expected
    assert record(expected, events) == expected


def test_an_event_that_is_there_already_changes_nothing() -> None:
    history = record(NOTHING, [kept_event(1)])
    assert record(history, [kept_event(1)]) is history


def test_the_copy_received_first_stays() -> None:
    first = kept_event(1, received_ms=START_MS + 1000)
    second = kept_event(1, received_ms=START_MS + 5000)
    assert record(record(NOTHING, [second]), [first]).kept == {first.key: first}
    assert record(record(NOTHING, [first]), [second]).kept == {first.key: first}


@reproducible
@given(kept_events(most=15), st.integers(1, 3), st.randoms(use_true_random=False))
def test_copies_of_other_days_leave_no_trace(
    events: list[KeptEvent], days: int, chance: Random
) -> None:
    later = [
        event._replace(at_ms=event.at_ms + days * DAY_MS, received_ms=event.received_ms + DAY_MS)
        for event in chance.sample(events, len(events) // 2)
    ]
    shuffled = [*events, *later]
    chance.shuffle(shuffled)
    assert record(NOTHING, shuffled) == record(NOTHING, events)


def test_a_copy_under_another_name_leaves_no_trace() -> None:
    first = kept_event(1, name="login")
    second = kept_event(1, START_MS + DAY_MS)
    assert record(record(NOTHING, [second]), [first]) == record(NOTHING, [first])
    assert record(record(NOTHING, [first]), [second]) == record(NOTHING, [first])


def test_the_first_twenty_of_a_day_are_kept_and_the_next_day_has_its_own() -> None:
    today = [kept_event(nth) for nth in range(MAX_PER_DAY + 5)]
    tomorrow = kept_event(900, START_MS + DAY_MS)
    kept = record(NOTHING, [tomorrow, *reversed(today)]).kept
    assert set(kept) == {event.key for event in (*today[:MAX_PER_DAY], tomorrow)}


def test_an_event_over_its_names_daily_limit_is_kept_if_a_signal_needs_it() -> None:
    many = [kept_event(nth, signals=()) for nth in range(MAX_PER_DAY)]
    pricing = kept_event(500, signals=("pricing",))
    plain = kept_event(501, signals=())
    kept = record(NOTHING, [*many, pricing, plain]).kept
    assert pricing.key in kept
    assert plain.key not in kept


def test_the_first_event_is_the_first_received_regardless_of_its_stated_time() -> None:
    day_of_work = [kept_event(100 + nth, received_ms=START_MS) for nth in range(MAX_PER_DAY)]
    backdated = kept_event(1, received_ms=START_MS + DAY_MS)
    assert backdated.key not in record(NOTHING, [backdated, *day_of_work]).kept


def test_folded_events_count_towards_the_daily_limit() -> None:
    on_time = [kept_event(nth, received_ms=START_MS) for nth in range(10, 10 + MAX_PER_DAY)]
    late = kept_event(1, received_ms=START_MS + 20 * DAY_MS)
    later_ms = START_MS + 40 * DAY_MS
    known_before = fold(record(NOTHING, [late, *on_time]), later_ms)
    known_after = fold(record(fold(record(NOTHING, on_time), later_ms), [late]), later_ms)
    assert known_before == known_after
    assert known_after.signal_days == {"visit": {DAY: MAX_PER_DAY}}


# --- fold --------------------------------------------------------------------------------


def test_an_event_is_kept_by_itself_for_exactly_31_days_from_its_receipt() -> None:
    received_ms = START_MS + 5 * DAY_MS + 12_345
    event = kept_event(1, received_ms=received_ms)
    history = record(NOTHING, [event])
    last_ms = received_ms + EXACT_DAYS * DAY_MS
    assert fold(history, last_ms) is history
    folded = fold(history, last_ms + 1)
    assert folded.kept == {}
    assert folded.signal_days == {"visit": {DAY: 1}}
    assert folded.name_days == {"page_viewed": {DAY: 1}}
    assert folded.last_day == {"page_viewed": DAY}


@reproducible
@given(kept_events(), st.integers(0, 130), st.integers(0, 130))
def test_folding_now_and_then_is_folding_once(
    events: list[KeptEvent], one: int, other: int
) -> None:
    sooner, later = (START_MS + days * DAY_MS for days in sorted((one, other)))
    history = record(NOTHING, events)
    assert fold(fold(history, sooner), later) == fold(history, later)


@reproducible
@given(kept_events(), st.integers(0, 80))
def test_folding_counts_neither_more_nor_less(events: list[KeptEvent], days: int) -> None:
    history = record(NOTHING, events)
    assert tally([fold(history, START_MS + days * DAY_MS)]) == tally([history])


def test_daily_counts_of_names_expire_after_90_days_and_those_of_signals_never() -> None:
    history = record(NOTHING, [kept_event(1), kept_event(2, START_MS + DAY_MS)])
    of_last_day = START_MS + NAME_DAYS * DAY_MS - 1
    assert fold(history, of_last_day).name_days == {"page_viewed": {DAY: 1, DAY + 1: 1}}
    folded = fold(history, of_last_day + 1)
    assert folded.name_days == {"page_viewed": {DAY + 1: 1}}
    assert fold(folded, of_last_day + 1 + DAY_MS).name_days == {}
    assert fold(folded, of_last_day + 1 + 999 * DAY_MS).signal_days == {
        "visit": {DAY: 1, DAY + 1: 1}
    }
    assert fold(folded, of_last_day + 1 + 999 * DAY_MS).last_day == {"page_viewed": DAY + 1}


def test_counts_of_a_name_that_a_model_measures_for_longer_expire_later() -> None:
    history = record(NOTHING, [kept_event(1), kept_event(2, name="login")])
    kept = {"page_viewed": 200}
    of_last_day = START_MS + 200 * DAY_MS - 1
    assert fold(history, of_last_day, kept).name_days == {"page_viewed": {DAY: 1}}
    assert fold(history, of_last_day + 1, kept).name_days == {}


# --- tally -------------------------------------------------------------------------------


@reproducible
@given(kept_events())
def test_a_tally_counts_every_event_up_to_twenty_a_day(events: list[KeptEvent]) -> None:
    assert tally([record(NOTHING, events)]) == brute_tally(events)


def test_an_event_in_two_histories_counts_once() -> None:
    shared = kept_event(1)
    one = record(NOTHING, [shared, kept_event(2)])
    other = record(NOTHING, [shared, kept_event(3)])
    assert tally([one, other]).signals == {"visit": {DAY: 3}}
    assert tally([other, one]) == tally([one, other])


@reproducible
@given(kept_events(), st.integers(-1, 25))
def test_a_past_tally_counts_only_events_known_then(events: list[KeptEvent], days: int) -> None:
    then_ms = START_MS + days * DAY_MS + 120_000
    known = [event for event in events if event.received_ms <= then_ms]
    assert tally([record(NOTHING, events)], known_at_ms=then_ms) == brute_tally(known)


def test_a_past_tally_counts_folded_events_by_their_days() -> None:
    events = [kept_event(1), kept_event(2, START_MS + 3 * DAY_MS)]
    folded = fold(record(NOTHING, events), START_MS + 60 * DAY_MS)
    between_ms = START_MS + 2 * DAY_MS
    known = tally([folded], known_at_ms=between_ms)
    assert known.signals == {"visit": {DAY: 1}}
    assert known.last_day == {"page_viewed": DAY}


def test_an_event_s_labels_are_its_name_and_its_signals() -> None:
    event = kept_event(0, name="page_viewed", signals=("page_viewed", "pricing"))
    assert event.labels == ((False, "page_viewed"), (True, "page_viewed"), (True, "pricing"))
    assert event.day == DAY
