"""The schedule of a dispatch, its ends, and when a destination is left alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW
from warmlead.domain.dispatch import (
    FAILURES_TO_OPEN,
    LONGEST_REST_S,
    LONGEST_WAIT_S,
    MAX_ATTEMPTS,
    PAUSES_S,
    SPREAD,
    AttemptResult,
    Circuit,
    Declined,
    Dispatch,
    DispatchState,
    Gone,
    Postponed,
    Sent,
    Skipped,
)
from warmlead.ports.dispatching import AT_ONCE

BUSY = Postponed("it answered 503")
LOST = Postponed("no answer", is_certain=False)


def new(id_: str = "m1") -> Dispatch:
    fields = {"kind": "k", "lead_id": "ada", "body": b"{}", "begun_at": NOW, "due_at": NOW}
    return Dispatch(destination="zapier", id=id_, **fields)  # type: ignore[arg-type]  # a test's


def attempted(result: AttemptResult, *, may_repeat: bool = True) -> Dispatch:
    claimed = new().claimed("c", NOW)
    return claimed.after(result, NOW, may_repeat=may_repeat)


@given(st.text(alphabet="abcdef0123456789", min_size=1, max_size=32))
def test_the_schedule_is_that_of_standard_webhooks(id_: str) -> None:
    dispatch, now, pauses = new(id_), NOW, []
    while dispatch.due_at is not None:
        now = dispatch.due_at
        dispatch = dispatch.claimed("c", now).after(BUSY, now, may_repeat=True)
        if dispatch.due_at:
            pauses.append((dispatch.due_at - now).total_seconds())
    assert dispatch.state is DispatchState.DEAD
    assert dispatch.attempts == MAX_ATTEMPTS == len(PAUSES_S) + 1
    assert len(pauses) == len(PAUSES_S)
    for pause, told in zip(pauses, PAUSES_S, strict=True):
        assert told <= pause <= told * (1 + SPREAD)


def test_what_failed_together_comes_back_apart() -> None:
    busy = [new(f"m{n}").claimed("c", NOW).after(BUSY, NOW, may_repeat=True) for n in range(50)]
    assert len({each.due_at for each in busy}) == 50


@pytest.mark.parametrize(
    ("result", "state", "keeps_body"),
    [
        (Sent("17"), DispatchState.SENT, False),
        (Skipped("nothing"), DispatchState.SKIPPED, False),
        (Declined("it answered 400"), DispatchState.DEAD, True),
        (Gone("it answered 410"), DispatchState.DEAD, True),
        (BUSY, DispatchState.WAITING, True),
        (LOST, DispatchState.WAITING, True),
    ],
)
def test_how_an_attempt_ends(result: AttemptResult, state: DispatchState, keeps_body: bool) -> None:
    after = attempted(result)
    assert after.state is state
    assert bool(after.body) == keeps_body
    assert (after.due_at is None) == (after.ended_at is not None)
    assert not after.is_due(NOW)


def test_an_ambiguous_end_waits_for_a_person_where_a_repeat_would_act_twice() -> None:
    dead = attempted(LOST, may_repeat=False)
    assert (dead.state, dead.body) == (DispatchState.DEAD, b"{}")
    assert "may have succeeded" in dead.why
    assert attempted(BUSY, may_repeat=False).state is DispatchState.WAITING


def test_an_attempt_that_never_ended() -> None:
    claimed = new().claimed("c1", NOW)
    assert not claimed.is_due(NOW)
    assert claimed.due_at
    later = claimed.due_at
    assert new().verdict(may_repeat=False) is None
    assert claimed.verdict(may_repeat=True) is None
    again = claimed.claimed("c2", later)
    assert (again.state, again.attempts, again.claim) == (DispatchState.SENDING, 2, "c2")
    verdict = claimed.verdict(may_repeat=False)
    assert verdict
    assert "may have succeeded" in verdict.why
    dead = claimed.claimed("c2", later, begins=False).after(verdict, later, may_repeat=False)
    assert (dead.state, dead.attempts) == (DispatchState.DEAD, 1)


def test_a_message_that_ends_every_process_is_given_up_after_the_last_attempt() -> None:
    dispatch, now = new(), NOW
    while dispatch.verdict(may_repeat=True) is None:
        dispatch = dispatch.claimed("c", now)
        assert dispatch.due_at
        now = dispatch.due_at
    assert dispatch.attempts == MAX_ATTEMPTS


def test_an_attempt_that_could_not_begin_is_none() -> None:
    waiting = new().claimed("c", NOW).not_begun(NOW, "the store is away")
    assert (waiting.state, waiting.attempts) == (DispatchState.WAITING, 0)
    assert waiting.is_due(NOW + timedelta(seconds=PAUSES_S[0]))
    assert not waiting.is_due(NOW)


def test_what_a_clock_that_ran_ahead_has_written_keeps_nothing_back() -> None:
    dispatch, circuit, ahead = new(), Circuit(), NOW + timedelta(days=900)
    dispatch = dispatch.claimed("c", ahead).after(BUSY, ahead, may_repeat=True)
    assert dispatch.is_due(NOW)
    for _ in range(FAILURES_TO_OPEN):
        circuit = circuit.after(BUSY, ahead)
    assert circuit.rests_until(ahead)
    assert circuit.rests_until(NOW) is None
    assert circuit.after(BUSY, NOW).rests_until(NOW) == NOW + timedelta(seconds=60)


def test_a_pause_that_is_asked_for_is_kept_up_to_a_day() -> None:
    def pause_s(after_s: float) -> float:
        due = attempted(Postponed("it answered 429", after_s=after_s)).due_at
        assert due
        return (due - NOW).total_seconds()

    assert pause_s(0) < 6
    assert pause_s(3_600) == 3_600
    assert pause_s(10**9) == LONGEST_WAIT_S


def test_a_dead_one_can_begin_anew() -> None:
    revived = attempted(Declined("it answered 400")).revived(NOW + timedelta(days=3))
    assert revived.is_due(NOW + timedelta(days=3))
    assert (revived.attempts, revived.why, revived.ended_at) == (0, "", None)


# --- the circuit ---------------------------------------------------------------------------


def test_a_destination_rests_after_failures_in_a_row() -> None:
    circuit = Circuit()
    for _ in range(FAILURES_TO_OPEN - 1):
        circuit = circuit.after(BUSY, NOW)
    assert circuit.rests_until(NOW) is None
    rests, now = [], NOW
    for _ in range(8):
        for _ in range(AT_ONCE):  # those that were under way with it count for one
            circuit = circuit.after(BUSY, now)
        until = circuit.rests_until(now)
        assert until
        rests.append((until - now).total_seconds())
        now = until
    assert rests == [30, 60, 120, 240, 480, LONGEST_REST_S, LONGEST_REST_S, LONGEST_REST_S]
    assert circuit.after(Sent(), now) == Circuit()


def test_a_rest_lasts_whatever_the_attempts_under_way_come_to() -> None:
    limited = Circuit().after(Postponed("it answered 429", after_s=3_600), NOW)
    until = NOW + timedelta(hours=1)
    for result in (Sent(), BUSY, Postponed("it answered 429", after_s=1), Declined("no")):
        circuit = limited
        for _ in range(AT_ONCE):
            circuit = circuit.after(result, NOW + timedelta(seconds=1))
        assert circuit.rests_until(NOW + timedelta(seconds=1)) == until
    longer = limited.after(Postponed("it answered 429", after_s=7_200), NOW)
    assert longer.rests_until(NOW) == NOW + timedelta(hours=2)


def test_a_success_in_between_begins_the_count_anew() -> None:
    circuit = Circuit()
    for _ in range(20):
        circuit = circuit.after(BUSY, NOW).after(Sent(), NOW)
    assert circuit == Circuit()


def test_a_limit_makes_the_whole_destination_wait() -> None:
    circuit = Circuit().after(Postponed("it answered 429", after_s=70), NOW)
    assert circuit.rests_until(NOW) == NOW + timedelta(seconds=70)
    assert circuit.rests_until(NOW + timedelta(seconds=70)) is None


def test_what_is_wrong_with_one_message_says_nothing_of_its_destination() -> None:
    circuit = Circuit()
    for _ in range(20):
        circuit = circuit.after(Declined("it answered 400"), NOW).after(Skipped("x"), NOW)
    assert circuit == Circuit()


def test_one_that_wants_no_more_is_disabled_until_a_person_enables_it() -> None:
    gone = Circuit().after(Gone("it answered 410"), NOW)
    assert (gone.disabled_at, gone.why) == (NOW, "it answered 410")
    later = gone.after(BUSY, NOW).after(Sent(), NOW)
    assert (later.disabled_at, later.why) == (NOW, "it answered 410")
    assert gone.enabled() == Circuit()
