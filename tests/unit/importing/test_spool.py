"""Events by person, whatever the order of rows and files."""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import an_event
from effort import examples
from warmlead.domain.event import Event
from warmlead.importing.spool import Spool

WHO = st.fixed_dictionaries(
    {
        "email": st.sampled_from([None, "ada@example.com", "bob@example.com"]),
        "user_id": st.sampled_from(["1", "2", "3", "4"]),
    }
)
EVENTS = st.lists(
    st.builds(lambda id_, who: an_event(id=id_, **who), st.text("ab", min_size=1), WHO)
)


def spooled(events: list[Event], *, after: str = "") -> list[tuple[str, list[str]]]:
    with TemporaryDirectory() as folder, Spool(Path(folder, "spool")) as spool:
        for event in events:
            spool.add(event)
        return [(at, [e.key for e in own]) for at, own in spool.persons(after=after)]


@settings(max_examples=examples(100), deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_persons_are_the_same_in_any_order_of_rows(events: list[Event], random: Random) -> None:
    shuffled = sorted(events, key=lambda _: random.random())
    assert spooled(shuffled) == spooled(events)


def test_an_event_counts_once_and_identifiers_join_persons() -> None:
    ada = an_event(id="a", email="ada@example.com", user_id="1")
    later = an_event(id="b", user_id="1", email=None)
    bob = an_event(id="c", email="bob@example.com")
    with TemporaryDirectory() as folder, Spool(Path(folder, "spool")) as spool:
        for event in (ada, later, bob, ada):
            spool.add(event)
        assert (spool.count, spool.repeated) == (2, 1)
        persons = [sorted(e.id for e in events) for _, events in spool.persons()]
    assert sorted(persons) == [["a", "b"], ["c"]]


def test_a_run_that_was_stopped_goes_on_behind_the_last_person() -> None:
    events = [an_event(id=n, email=f"{n}@example.com") for n in "abcde"]
    every = spooled(events)
    assert spooled(events, after=every[2][0]) == every[3:]
