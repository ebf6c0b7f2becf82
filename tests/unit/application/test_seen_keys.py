"""Seen keys: a set of numbers of 64 bits that takes little memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.application.seen_keys import SeenKeys

KEYS = st.integers(0, 2**64 - 1) | st.integers(0, 9) | st.integers(0, 9).map(lambda n: n << 40)


@given(st.lists(KEYS, max_size=400))
@settings(max_examples=examples(300))
def test_it_knows_exactly_what_was_added(keys: list[int]) -> None:
    seen, known = SeenKeys(), set[int]()
    for key in keys:
        assert seen.add(key) == (key not in known)
        known.add(key)
    assert len(seen) == len(known)


def test_nothing_is_forgotten_while_it_grows() -> None:
    seen = SeenKeys()
    keys = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(5_000)]
    assert all(seen.add(key) for key in keys)
    assert not any(seen.add(key) for key in keys)
    assert len(seen) == 5_000
