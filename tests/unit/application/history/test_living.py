"""Persons as they would have been scored if their events had come when they happened."""

from datetime import UTC, datetime
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, StandingClock, lead_ids
from effort import examples
from unit.application.history.persons import DAY, THEN, of_then, was
from unit.application.living import LIVING
from warmlead.application.history.living import Living
from warmlead.domain.event import Event

LIFE = Living(LIVING, lead_ids)


def moves_of(*events: Event, until: datetime = NOW) -> list[tuple[float, str]]:
    """Days after ``THEN``, and stages that were entered."""
    lived = LIFE.lived(events, until)
    return [((move.at - THEN) / DAY, move.to_stage) for _, move in lived.moves]


def views(day: float, count: int = 3) -> list[Event]:
    return [of_then("page_viewed", day, id=f"v-{day}-{n}") for n in range(count)]


def test_moves_are_as_of_then_and_midnights_count() -> None:
    """30 points are an MQL; they halve in a week, and 20 is where the stage is left."""
    moves = moves_of(*views(0.25))
    assert moves[0] == (0.25, "mql")
    left, stage = moves[1]
    assert stage == "lead"
    assert (THEN + left * DAY) == datetime(*(THEN + left * DAY).timetuple()[:3], tzinfo=UTC)
    assert 4 < left < 6
    assert len(moves) == 2


def test_a_lead_may_come_back_after_years() -> None:
    stages = [stage for _, stage in moves_of(*views(0), *views(700))]
    assert stages == ["mql", "lead", "mql", "lead"]


def test_every_word_of_sales_is_looked_at_by_itself() -> None:
    said = [of_then(f"sales_{word}", 1) for word in ("won", "accepted", "opportunity")]
    stages = [stage for _, stage in moves_of(*views(0), *said)]
    assert stages == ["mql", "sql", "opportunity", "customer"]


def test_who_was_in_a_stage_by_records_stays_there_whatever_the_score() -> None:
    assert moves_of(of_then("page_viewed", 0), was("mql", 1)) == [(0, "lead"), (1, "mql")]


def test_a_deal_that_was_won_before_the_first_contact_was_won_by_an_mql() -> None:
    won = of_then("sales_won", 1)
    moves = moves_of(of_then("contact_requested", 2), was("mql", 2), won)
    assert sorted(moves) == [(1, "customer"), (2, "mql")]
    assert [stage for _, stage in moves] == ["mql", "customer"]


def test_nothing_is_sent_offered_or_enrolled() -> None:
    (lead,) = LIFE.lived([*views(0), was("mql", 1)], NOW).leads
    assert (lead.outbox, lead.offer, dict(lead.enrolments)) == ((), None, {})


EVENTS = st.lists(
    st.builds(
        lambda name, day, number: of_then(name, day, id=f"{name}-{day}-{number}"),
        st.sampled_from(["page_viewed", "contact_requested", "sales_accepted", "sales_won"]),
        st.integers(0, 60),
        st.integers(0, 3),
    ),
    max_size=12,
    unique_by=lambda event: event.id,
)


@settings(max_examples=examples(100), deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(events: list[Event], random: Random) -> None:
    shuffled = sorted(events, key=lambda _: random.random())
    assert LIFE.lived(shuffled, NOW) == LIFE.lived(events, NOW)


def test_the_clock_of_the_machine_plays_no_part() -> None:
    late = StandingClock(NOW).forward(DAY)
    events = views(0)
    assert LIFE.lived(events, NOW).moves == LIFE.lived(events, late).moves
