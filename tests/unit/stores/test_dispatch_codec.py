"""Dispatches and circuits as the first release with destinations wrote them are read for good.

The texts are what its codec wrote. They are never made anew to let a test pass.
"""

from datetime import timedelta

import pytest

from builders import NOW
from warmlead.domain.dispatch import Circuit, Dispatch, DispatchState
from warmlead.stores.dispatch_codec import read_circuit, read_dispatch

COMMON = (
    '"destination":"crm","id":"m1","kind":"k","lead_id":"ada","body":"",'
    '"begun_at":"2026-03-10T12:00:00Z",'
)
WAITING = (
    "{" + COMMON + '"due_at":"2026-03-10T12:00:05.291195Z","attempts":1,"claim":"c1",'
    '"why":"it answered 503"}'
)
SENT = (
    "{" + COMMON + '"state":"sent","attempts":2,"claim":"c2","reference":"17",'
    '"ended_at":"2026-03-10T12:00:00Z"}'
)
DISABLED = (
    '{"failures":5,"open_until":"2026-03-10T12:00:30Z","disabled_at":"2026-03-10T12:00:00Z",'
    '"why":"it answered 410"}'
)


def test_a_dispatch_that_waits() -> None:
    assert read_dispatch(WAITING, b"{}") == Dispatch(
        destination="crm",
        id="m1",
        kind="k",
        lead_id="ada",
        body=b"{}",
        begun_at=NOW,
        due_at=NOW + timedelta(seconds=5, microseconds=291_195),
        attempts=1,
        claim="c1",
        why="it answered 503",
    )


def test_a_dispatch_that_is_over() -> None:
    read = read_dispatch(SENT, b"")
    assert (read.state, read.attempts, read.reference) == (DispatchState.SENT, 2, "17")
    assert (read.due_at, read.ended_at, read.body) == (None, NOW, b"")


def test_a_circuit() -> None:
    until = NOW + timedelta(seconds=30)
    wanted = Circuit(failures=5, open_until=until, disabled_at=NOW, why="it answered 410")
    assert read_circuit(DISABLED) == wanted
    assert read_circuit(None) == Circuit()


@pytest.mark.parametrize("text", [WAITING, SENT])
def test_fields_of_a_newer_release_are_left_out(text: str) -> None:
    newer = text[:-1] + ',"priority":3}'
    assert read_dispatch(newer, b"") == read_dispatch(text, b"")
