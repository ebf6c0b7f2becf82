"""What a lead's history knows under a model that has changed: by label, since which day."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from unit.domain.worlds import rules_of
from warmlead.domain.history import NAME_DAYS
from warmlead.domain.knowledge import Knowledge, known_since, known_together, learnt, replayed
from warmlead.domain.measures import Measure, MeasureKind
from warmlead.domain.readings import Meter, MeterKind
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import ScoringPolicy, SignalPolicy

TODAY = 20_000
A, B, C, LONG = "aaaaa", "bbbbb", "ccccc", "lllll"


def model(marks: Mapping[str, str], *, login_days: int = 200) -> Rules:
    """A model with the signals that the marks name, which measures logins over many days."""
    signals = {label: SignalPolicy(1) for label in marks.values() if label != "login"}
    measured = [Measure(MeasureKind.LAST, login_days, "login")]
    return replace(rules_of(ScoringPolicy(signals, {}), measures=measured), marks=marks)


OLD = model({A: "visit", B: "demo"})
NEW = model({A: "visit", C: "demo", LONG: "login"})


def test_a_new_lead_knows_everything() -> None:
    knowledge = learnt(None, NEW, TODAY)
    assert knowledge == Knowledge(A + C + LONG)
    assert known_since(knowledge, NEW, TODAY + 1) == {}


def test_a_lead_under_the_same_model_learns_nothing_new() -> None:
    knowledge = learnt(None, OLD, TODAY)
    assert learnt(knowledge, OLD, TODAY + 5) is knowledge


def test_a_changed_signal_is_known_from_the_day_of_the_change_on() -> None:
    knowledge = learnt(learnt(None, OLD, TODAY - 100), NEW, TODAY)
    known = {"demo": TODAY, "login": TODAY - NAME_DAYS + 1}
    assert knowledge == Knowledge(A + C + LONG, known)
    assert known_since(knowledge, NEW, TODAY + 10) == known
    assert learnt(knowledge, NEW, TODAY + 10) is knowledge


@pytest.mark.parametrize(("days", "is_known"), [(109, False), (110, True)])
def test_a_name_is_known_once_it_was_kept_for_the_whole_window(
    days: int, *, is_known: bool
) -> None:
    knowledge = learnt(learnt(None, OLD, TODAY), NEW, TODAY)
    assert ("login" not in known_since(knowledge, NEW, TODAY + days)) is is_known


def test_a_model_that_is_taken_back_knows_nothing_of_the_time_between() -> None:
    changed = learnt(learnt(None, OLD, TODAY), NEW, TODAY + 1)
    assert known_since(learnt(changed, OLD, TODAY + 5), OLD, TODAY + 5) == {"demo": TODAY + 5}


def test_a_lead_that_was_not_evaluated_since_is_as_if_it_were_now() -> None:
    assert known_since(learnt(None, OLD, TODAY), NEW, TODAY + 3)["demo"] == TODAY + 3


@pytest.mark.parametrize(
    ("whole_since", "since"), [(None, {}), (TODAY - 50, {"demo": TODAY - 50, "login": TODAY - 89})]
)
def test_a_replay_makes_known_what_the_archive_still_has(
    whole_since: int | None, since: Mapping[str, int]
) -> None:
    knowledge = learnt(learnt(None, OLD, TODAY), NEW, TODAY)
    assert replayed(knowledge, whole_since) == Knowledge(A + C + LONG, since)
    assert replayed(None, whole_since) is None


@pytest.mark.parametrize(("days", "is_known"), [(28, False), (29, True)])
def test_a_new_meter_is_known_once_it_has_read_for_the_whole_window(
    days: int, *, is_known: bool
) -> None:
    visits = rules_of(measures=[Measure(MeasureKind.VISITS, 30, "page_viewed")])
    marked = replace(visits, marks={A: "visits", B: "visits.page_viewed"})
    knowledge = learnt(Knowledge(C), marked, TODAY)
    assert knowledge == Knowledge(A + B, {"visits": TODAY, "visits.page_viewed": TODAY})
    assert ("visits.page_viewed" not in known_since(knowledge, marked, TODAY + days)) is is_known


def test_what_was_last_done_before_a_new_meter_stays_unknown() -> None:
    latest = Meter(MeterKind.LATEST, "paper", "topic")
    marked = replace(rules_of(meters=[latest]), marks={A: latest.name})
    knowledge = learnt(Knowledge(C), marked, TODAY)
    assert known_since(knowledge, marked, TODAY + 1_000) == {"latest.paper.topic": TODAY}


def test_leads_of_one_person_know_together_what_each_of_them_knows() -> None:
    one, other = Knowledge(A + C, {"demo": TODAY}), Knowledge(A + B, {"demo": TODAY - 5, "x": 1})
    together = Knowledge(A, {"demo": TODAY, "x": 1})
    assert known_together([one, other]) == known_together([other, None, one]) == together
    assert known_together([None, None]) is None


def test_a_model_without_marks_leaves_no_trace() -> None:
    assert learnt(None, rules_of(), TODAY) is None
