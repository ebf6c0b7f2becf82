"""Nurture sequences: who starts, what is due when, what ends it; never two messages at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from warmlead.domain.nurture import (
    Due,
    Ending,
    Enrolment,
    Late,
    SendingHours,
    SequencePolicy,
    SequenceStep,
    merge_enrolments,
    next_due,
    nurture,
)
from warmlead.domain.stages import Condition, Facts

MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Is:
    """Holds if a fact is so."""

    name: str
    value: object = True

    def __call__(self, facts: Facts) -> bool:
        return facts.get(self.name) == self.value

    def missing(self, facts: Facts) -> tuple[str, ...]:
        return () if self(facts) else (self.name,)


WELCOME = SequencePolicy(
    "welcome",
    start=Is("stage", "mql"),
    stop=Is("stage", "sql"),
    steps=(
        SequenceStep(timedelta(0), "guide"),
        SequenceStep(3 * DAY, "study"),
        SequenceStep(7 * DAY, "offer"),
    ),
)
MQL: Facts = {"stage": "mql"}


class Lead:
    """A lead's enrolments, looked at from time to time."""

    def __init__(self, *policies: SequencePolicy) -> None:
        self.policies = policies
        self.enrolments: dict[str, Enrolment] = {}

    def at(self, now: datetime, facts: Facts = MQL, *, suppressed: bool = False) -> list[str]:
        self.enrolments, due = nurture(
            self.policies, self.enrolments, facts, now, suppressed=suppressed
        )
        return messages(due)

    def on(self, day: float, facts: Facts = MQL, *, suppressed: bool = False) -> list[str]:
        return self.at(MONDAY + day * DAY, facts, suppressed=suppressed)


def messages(due: Sequence[Due]) -> list[str]:
    return [step.step.message for step in due]


def test_each_step_is_due_once_and_at_its_time() -> None:
    lead = Lead(WELCOME)
    assert [lead.on(day) for day in (0, 0, 2.9, 3, 3, 6.9, 7, 8)] == [
        *(["guide"], [], [], ["study"], [], [], ["offer"], []),
    ]
    assert lead.enrolments["welcome"].ending == Ending.FINISHED


def test_a_step_says_which_it_is_and_of_which_run() -> None:
    _, (due,) = nurture([WELCOME], {}, MQL, MONDAY, suppressed=False)
    assert (due.policy.name, due.run, due.number, due.step.message) == ("welcome", 1, 1, "guide")


def test_a_lead_that_does_not_meet_the_condition_does_not_start() -> None:
    lead = Lead(WELCOME)
    assert lead.on(0, {"stage": "lead"}) == []
    assert lead.enrolments == {}


def test_a_lead_at_the_stop_or_goal_condition_does_not_start() -> None:
    both = replace(WELCOME, stop=Is("rejected"), goal=Is("booked"))
    for ended in ("rejected", "booked"):
        lead = Lead(both)
        assert lead.on(0, {**MQL, ended: True}) == []
        assert lead.enrolments == {}
        assert lead.on(1) == ["guide"]


def test_an_anonymous_lead_does_not_start() -> None:
    lead = Lead(replace(WELCOME, start=Is("visited")))
    assert lead.on(0, {"stage": "anonymous", "visited": True}) == []
    assert lead.enrolments == {}
    assert lead.on(1, {"stage": "lead", "visited": True}) == ["guide"]


def test_a_sequence_that_has_become_shorter_ends_where_it_was() -> None:
    lead = Lead(WELCOME)
    for day in (0, 3):
        lead.on(day)
    lead.policies = (replace(WELCOME, steps=WELCOME.steps[:2]),)
    assert lead.on(7) == []
    assert lead.enrolments["welcome"].ending == Ending.FINISHED


def test_the_stop_condition_ends_a_sequence_before_its_due_step() -> None:
    lead = Lead(WELCOME)
    lead.on(0)
    assert lead.on(3, {"stage": "sql"}) == []
    assert lead.enrolments["welcome"].ending == Ending.STOPPED
    assert lead.on(7) == []


def test_the_goal_ends_a_sequence_and_is_distinguished_from_a_stop() -> None:
    lead = Lead(replace(WELCOME, goal=Is("booked")))
    lead.on(0)
    assert lead.on(3, {"stage": "sql", "booked": True}) == []
    assert lead.enrolments["welcome"].ending == Ending.GOAL


def test_a_suppressed_lead_gets_no_step_and_does_not_start() -> None:
    lead = Lead(WELCOME)
    lead.on(0)
    assert lead.on(3, suppressed=True) == []
    assert lead.enrolments["welcome"].ending == Ending.SUPPRESSED
    stranger = Lead(WELCOME)
    assert stranger.on(0, suppressed=True) == []
    assert stranger.enrolments == {}


def test_a_sequence_that_the_model_no_longer_has_ends() -> None:
    lead = Lead(WELCOME)
    lead.on(0)
    lead.policies = ()
    assert lead.on(3) == []
    assert lead.enrolments["welcome"].ending == Ending.REMOVED


# --- again, and several ---------------------------------------------------------------------


def test_one_run_is_all_unless_the_model_says_otherwise() -> None:
    lead = Lead(WELCOME)
    for day in (0, 3, 7):
        lead.on(day)
    assert lead.on(400) == []


def test_another_run_may_start_a_while_after_the_last_has_ended() -> None:
    lead = Lead(replace(WELCOME, again_after=30 * DAY))
    for day in (0, 3, 7):
        lead.on(day)
    assert lead.on(36.9) == []
    assert lead.on(37) == ["guide"]
    assert lead.enrolments["welcome"].run == 2


def test_a_lead_is_in_one_sequence_at_a_time() -> None:
    other = replace(WELCOME, name="other", steps=(SequenceStep(timedelta(0), "other"),))
    lead = Lead(WELCOME, other)
    assert lead.on(0) == ["guide"]
    assert [lead.on(3), lead.on(7)] == [["study"], ["offer"]]
    assert lead.on(8) == ["other"]


def test_a_sequence_alongside_runs_beside_others() -> None:
    beside = replace(
        WELCOME, name="news", steps=(SequenceStep(timedelta(0), "news"),), alongside=True
    )
    assert Lead(WELCOME, beside).on(0) == ["guide", "news"]


# --- late -----------------------------------------------------------------------------------


def test_after_an_outage_the_steps_move_back_and_do_not_burst() -> None:
    lead = Lead(WELCOME)
    lead.on(0)
    assert lead.on(10) == ["study"]
    assert lead.on(10) == []
    assert lead.on(13.9) == []
    assert lead.on(14) == ["offer"]


def test_missed_steps_are_skipped_if_the_model_says_so() -> None:
    lead = Lead(replace(WELCOME, late=Late.SKIP))
    lead.on(0)
    assert lead.on(10) == ["offer"]
    assert lead.enrolments["welcome"].ending == Ending.FINISHED


def test_a_minute_late_is_no_delay() -> None:
    lead = Lead(WELCOME)
    lead.on(0)
    minute = timedelta(minutes=1)
    assert lead.at(MONDAY + 3 * DAY + minute) == ["study"]
    assert next_due(lead.enrolments) == MONDAY + 7 * DAY


# --- hours ----------------------------------------------------------------------------------

OFFICE = SendingHours(frozenset(range(5)), time(9), time(17), "Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-03-09T10:30:00+00:00", "2026-03-09T10:30:00+00:00"),  # 11:30 in Berlin
        ("2026-03-09T05:00:00+00:00", "2026-03-09T08:00:00+00:00"),
        ("2026-03-09T16:00:00+00:00", "2026-03-10T08:00:00+00:00"),  # 17:00: closed
        ("2026-03-13T16:30:00+00:00", "2026-03-16T08:00:00+00:00"),  # Friday evening
        ("2026-03-28T12:00:00+00:00", "2026-03-30T07:00:00+00:00"),  # summer time begins
    ],
)
def test_a_message_waits_until_the_office_opens(moment: str, opens: str) -> None:
    assert OFFICE.next_open(datetime.fromisoformat(moment)) == datetime.fromisoformat(opens)


def test_every_step_of_a_sequence_keeps_to_the_hours() -> None:
    lead = Lead(replace(WELCOME, hours=OFFICE))
    friday_night = MONDAY + 4 * DAY + timedelta(hours=12)
    assert lead.at(friday_night) == []
    assert next_due(lead.enrolments) == datetime(2026, 3, 16, 8, tzinfo=UTC)


@pytest.mark.parametrize(("late", "message"), [(Late.SHIFT, "study"), (Late.SKIP, "offer")])
def test_steps_delayed_by_an_outage_wait_for_the_hours(late: Late, message: str) -> None:
    lead = Lead(replace(WELCOME, hours=OFFICE, late=late))
    assert lead.at(MONDAY) == ["guide"]
    sunday = MONDAY + 13 * DAY
    assert lead.at(sunday) == []
    assert next_due(lead.enrolments) == datetime(2026, 3, 23, 8, tzinfo=UTC)
    assert lead.at(datetime(2026, 3, 23, 8, 0, 30, tzinfo=UTC)) == [message]


def test_a_step_that_was_due_just_before_closing_is_not_held_back() -> None:
    lead = Lead(replace(WELCOME, hours=OFFICE))
    assert lead.at(datetime(2026, 3, 9, 15, 59, tzinfo=UTC)) == ["guide"]
    assert lead.at(datetime(2026, 3, 12, 16, 0, 30, tzinfo=UTC)) == ["study"]


# --- merging --------------------------------------------------------------------------------


def test_merging_keeps_the_enrolment_that_went_furthest() -> None:
    first = Enrolment("welcome", 1, MONDAY, position=2, next_at=MONDAY)
    second = Enrolment("welcome", 2, MONDAY, position=0, next_at=MONDAY)
    other = Enrolment("other", 1, MONDAY)
    parts = [{"welcome": first}, {"welcome": second, "other": other}]
    assert merge_enrolments(parts) == {"welcome": second, "other": other}
    assert merge_enrolments(parts[::-1]) == merge_enrolments(parts)


HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
NO_TIME = timedelta(0)
WEEKDAYS_9_TO_5 = SendingHours(frozenset(range(5)), time(9), time(17), "UTC")


@pytest.mark.parametrize(
    ("late", "sent", "next_at"),
    [  # the step was due on Monday at 16:30; the office closes at 17:00
        (HOUR - INSTANT, ["guide"], MONDAY.replace(hour=16, minute=30) + DAY),
        (HOUR, ["guide"], MONDAY.replace(hour=16, minute=30) + DAY),
        (HOUR + INSTANT, [], MONDAY + DAY),
    ],
)
def test_a_step_that_is_more_than_an_hour_late_waits_for_the_hours_to_begin(
    late: timedelta, sent: list[str], next_at: datetime
) -> None:
    steps: list[SequenceStep[Condition]] = [
        SequenceStep(7.5 * HOUR, "guide"),
        SequenceStep(7.5 * HOUR + DAY, "study"),
    ]
    lead = Lead(replace(WELCOME, steps=tuple(steps), hours=WEEKDAYS_9_TO_5))
    assert lead.at(MONDAY) == []
    due = MONDAY.replace(hour=16, minute=30)
    assert next_due(lead.enrolments) == due

    assert lead.at(due + late) == sent
    assert next_due(lead.enrolments) == next_at


@pytest.mark.parametrize(
    ("late", "next_after"),
    [
        (NO_TIME, 3 * DAY),
        (HOUR, 3 * DAY),
        (HOUR + INSTANT, 3 * DAY + HOUR + INSTANT),  # missed: the next keeps its distance
    ],
)
def test_a_step_up_to_an_hour_late_does_not_move_the_next(
    late: timedelta, next_after: timedelta
) -> None:
    steps: list[SequenceStep[Condition]] = [
        SequenceStep(DAY, "guide"),
        SequenceStep(4 * DAY, "study"),
    ]
    lead = Lead(replace(WELCOME, steps=tuple(steps)))
    lead.on(0)

    assert lead.at(MONDAY + DAY + late) == ["guide"]
    assert next_due(lead.enrolments) == MONDAY + DAY + next_after


def test_a_step_that_would_follow_at_the_same_moment_keeps_its_distance() -> None:
    steps: list[SequenceStep[Condition]] = [
        SequenceStep(DAY, "guide"),
        SequenceStep(DAY + HOUR, "study"),
    ]
    lead = Lead(replace(WELCOME, steps=tuple(steps)))
    lead.on(0)

    assert lead.at(MONDAY + DAY + HOUR) == ["guide"]
    assert next_due(lead.enrolments) == MONDAY + DAY + 2 * HOUR


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        (MONDAY - INSTANT, MONDAY),
        (MONDAY, MONDAY),
        (MONDAY + 8 * HOUR - INSTANT, MONDAY + 8 * HOUR - INSTANT),
        (MONDAY + 8 * HOUR, MONDAY + DAY),
        (MONDAY + 4 * DAY + 8 * HOUR, MONDAY + 7 * DAY),  # on Friday evening
    ],
)
def test_hours_begin_at_their_first_moment_and_end_before_their_last(
    moment: datetime, opens: datetime
) -> None:
    assert WEEKDAYS_9_TO_5.next_open(moment) == opens


@pytest.mark.parametrize(("day", "sent"), [(2.9, ["guide"]), (3, ["study"]), (3.1, ["study"])])
def test_a_step_that_is_due_at_this_moment_is_not_skipped(day: float, sent: list[str]) -> None:
    steps: list[SequenceStep[Condition]] = [
        SequenceStep(DAY, "guide"),
        SequenceStep(3 * DAY, "study"),
    ]
    lead = Lead(replace(WELCOME, steps=tuple(steps), late=Late.SKIP))
    lead.on(0)
    assert lead.on(day) == sent


def test_the_last_message_of_a_sequence_has_its_moment_alone() -> None:
    other = replace(WELCOME, name="other", steps=(SequenceStep(timedelta(0), "news"),))
    lead = Lead(replace(WELCOME, steps=(SequenceStep(DAY, "guide"),)), other)
    lead.on(0)
    assert lead.on(1) == ["guide"]
    assert lead.on(1) == []
    assert lead.at(MONDAY + DAY + INSTANT) == ["news"]


# --- steps with a condition -------------------------------------------------------------------


def test_a_step_whose_condition_does_not_hold_when_it_is_due_is_left_out() -> None:
    guide, study, offer = WELCOME.steps
    lead = Lead(replace(WELCOME, steps=(guide, replace(study, when=Is("reads")), offer)))

    assert lead.on(0) == ["guide"]
    assert lead.on(3) == []
    assert next_due(lead.enrolments) == MONDAY + 7 * DAY
    _, (due,) = nurture(lead.policies, lead.enrolments, MQL, MONDAY + 7 * DAY, suppressed=False)
    assert (due.step.message, due.number) == ("offer", 3)


def test_the_condition_of_a_step_is_asked_when_the_step_is_due() -> None:
    guide, study, _ = WELCOME.steps
    lead = Lead(replace(WELCOME, steps=(guide, replace(study, when=Is("reads")))))
    lead.on(0)
    assert lead.on(3, {**MQL, "reads": True}) == ["study"]


def test_a_sequence_whose_last_steps_are_all_left_out_is_finished() -> None:
    guide, study, offer = (replace(step, when=Is("reads")) for step in WELCOME.steps)
    lead = Lead(replace(WELCOME, steps=(guide, study, offer)))

    assert [lead.on(day) for day in (0, 3, 6.9)] == [[], [], []]
    assert lead.enrolments["welcome"].ending == ""
    assert lead.on(7) == []
    assert lead.enrolments["welcome"].ending == Ending.FINISHED


@pytest.mark.parametrize(
    ("late", "message"), [(Late.SHIFT, "study"), (Late.SKIP, "study")], ids=["shift", "skip"]
)
def test_after_an_outage_only_steps_whose_condition_holds_are_sent(
    late: Late, message: str
) -> None:
    guide, study, offer = WELCOME.steps
    steps = (replace(guide, when=Is("reads")), study, replace(offer, when=Is("reads")))
    lead = Lead(replace(WELCOME, steps=steps, late=late))
    lead.on(-1)
    lead.on(0, {"stage": "lead"})
    assert lead.on(20) == [message]
    assert lead.on(20) == []


@pytest.mark.parametrize(
    "policy",
    [
        replace(WELCOME, goal=Is("demo_requested")),
        replace(WELCOME, stop=Is("demo_requested")),
    ],
    ids=["goal", "stop"],
)
def test_what_ends_a_sequence_ends_it_before_a_step_that_is_due_at_the_same_moment(
    policy: SequencePolicy,
) -> None:
    lead = Lead(policy)
    lead.on(0)
    assert lead.on(3, {**MQL, "demo_requested": True}) == []
    assert lead.enrolments["welcome"].next_at is None


# --- hours over midnight, and of the lead ------------------------------------------------------

EVENING = SendingHours(frozenset({0, 4}), time(20), time(2), "Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-03-09T12:00:00+00:00", "2026-03-09T19:00:00+00:00"),  # Monday noon
        ("2026-03-09T22:30:00+00:00", "2026-03-09T22:30:00+00:00"),
        ("2026-03-10T00:30:00+00:00", "2026-03-10T00:30:00+00:00"),  # still Monday's evening
        ("2026-03-10T01:00:00+00:00", "2026-03-13T19:00:00+00:00"),  # 2:00 on Tuesday: over
        ("2026-03-14T00:59:00+00:00", "2026-03-14T00:59:00+00:00"),  # Friday's, on Saturday
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(moment: str, opens: str) -> None:
    assert EVENING.next_open(datetime.fromisoformat(moment)) == datetime.fromisoformat(opens)


@pytest.mark.parametrize(
    ("facts", "opens"),
    [
        ({"time_zone": "Asia/Tokyo", "country": "FR"}, "2026-03-09T00:00:00+00:00"),
        ({"time_zone": "CEST or so", "country": "JP"}, "2026-03-09T00:00:00+00:00"),
        ({"country": "JP"}, "2026-03-09T00:00:00+00:00"),
        ({"country": "US"}, "2026-03-09T08:00:00+00:00"),  # several clocks: as the model says
        ({}, "2026-03-09T08:00:00+00:00"),
    ],
)
def test_hours_of_the_lead_follow_its_own_clock_where_it_is_known(facts: Facts, opens: str) -> None:
    hours = replace(OFFICE, of_lead=True)
    lead = Lead(replace(WELCOME, hours=hours))
    sunday = datetime(2026, 3, 8, 12, tzinfo=UTC)
    lead.at(sunday, {**MQL, **facts})
    assert next_due(lead.enrolments) == datetime.fromisoformat(opens)


def test_a_lead_that_moves_gets_the_next_step_by_its_new_clock() -> None:
    hours = replace(OFFICE, of_lead=True)
    lead = Lead(replace(WELCOME, hours=hours))
    assert lead.at(MONDAY, {**MQL, "country": "DE"}) == ["guide"]
    thursday = MONDAY + 3 * DAY
    assert lead.at(thursday, {**MQL, "country": "JP"}) == []  # it is 18:00 there
    friday_morning = datetime(2026, 3, 13, 0, tzinfo=UTC)
    assert next_due(lead.enrolments) == friday_morning
    assert lead.at(friday_morning, {**MQL, "country": "JP"}) == ["study"]


ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
CHANGES = [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 24, 20, tzinfo=UTC)]
CHANGES += [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)]
CHANGES += [datetime(2026, 4, 4, 10, tzinfo=UTC), datetime(2026, 10, 3, 10, tzinfo=UTC), MONDAY]
MINUTE = timedelta(minutes=1)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))


def is_open(hours: SendingHours, moment: datetime) -> bool:
    """By the clock on the wall alone."""
    wall = moment.astimezone(ZoneInfo(hours.zone))
    clock, today = wall.time(), wall.weekday() in hours.weekdays
    if hours.opens < hours.closes:
        return today and hours.opens <= clock < hours.closes
    yesterday = (wall.weekday() - 1) % 7 in hours.weekdays
    return (today and clock >= hours.opens) or (yesterday and clock < hours.closes)


@given(
    st.builds(
        SendingHours,
        st.frozensets(st.integers(0, 6), min_size=1),
        times,
        st.one_of(times, st.just(time.max)),
        st.sampled_from(ZONES),
    ).filter(lambda hours: hours.opens != hours.closes),
    st.sampled_from(CHANGES),
    st.integers(-600, 2_000),
)
@settings(max_examples=examples(200), deadline=None)
def test_the_next_opening_is_that_of_a_search_minute_by_minute(
    hours: SendingHours, near: datetime, minutes: int
) -> None:
    moment = near + minutes * MINUTE
    found = hours.next_open(moment)
    assert is_open(hours, found)
    assert found >= moment
    tried = moment
    while tried < found:
        assert not is_open(hours, tried), (tried, found)
        tried += MINUTE


@given(
    st.lists(st.tuples(st.integers(0, 60 * 24 * 12), st.booleans(), st.booleans()), max_size=25),
    st.sampled_from(Late),
    st.sampled_from([None, EVENING, OFFICE]),
    st.lists(st.booleans(), min_size=5, max_size=5),
)
@settings(max_examples=examples(200), deadline=None)
def test_a_lead_never_gets_two_messages_of_a_sequence_within_a_minute(
    visits: list[tuple[int, bool, bool]],
    late: Late,
    hours: SendingHours | None,
    asking: list[bool],
) -> None:
    steps: tuple[SequenceStep[Condition], ...] = tuple(
        SequenceStep(n * HOUR * (1 + n), f"m{n}", "", Is("reads") if asks else None)
        for n, asks in enumerate(asking)
    )
    lead = Lead(replace(WELCOME, steps=steps, late=late, hours=hours))
    sent: list[tuple[datetime, str]] = []
    for minute, reads, _ in sorted(visits):
        now = MONDAY + minute * MINUTE
        sent += [(now, message) for message in lead.at(now, {**MQL, "reads": reads})]
        assert lead.at(now, {**MQL, "reads": reads}) == []

    names = [message for _, message in sent]
    assert names == sorted(set(names))
    assert all(later - earlier >= MINUTE for (earlier, _), (later, _) in pairwise(sent))
