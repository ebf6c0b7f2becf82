"""What one model says otherwise than another."""

import pytest
import yaml

from warmlead.model.differences import Difference, differences, kept_otherwise
from warmlead.model.document import read
from warmlead.model.loading import load, ready_model, ready_text
from warmlead.model.plan import Plan

IN_FORCE = ready_model("b2b-saas").plan
TEXT = ready_text("b2b-saas")

SMALL = """
signals:
  demo_requested: {on: demo_requested, points: 50, half_life: 60d}
  watched: {on: video_watched, when: percent >= 50, points: 15, half_life: 60d, title: Watched}
fit: {in_usa: {when: country == "US", points: 10}}
stages: {mql: {enter: score >= 50 && fit >= 0, leave: score < 35, cooldown: 30d}}
handoff:
  first_touch_within: 1h
  accept_within: 24h
  hours: {days: mon-fri, from: "09:00", to: "17:00", time_zone: UTC, holidays: [12-24, US]}
sequences:
  learn: {start: stage == "mql", stop: stage == "sql", steps: [{after: 0d, message: hello}]}
  again: {start: days_inactive >= 30, stop: stage == "sql", steps: [{after: 1d, message: hi}]}
"""


def plan_of(text: str) -> Plan:
    return load(text, name="test").plan


def changed(before: str, after: str, text: str = SMALL) -> list[Difference]:
    assert before in text
    return differences(plan_of(text), plan_of(text.replace(before, after)))


def test_a_model_says_the_same_as_itself_however_it_is_written() -> None:
    assert differences(IN_FORCE, plan_of(TEXT)) == []
    assert changed("percent >= 50,", "percent>=50,") == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("points: 50", "points: 60", ("Signals", "demo_requested", "points", "50", "60")),
        (
            "percent >= 50",
            "percent >= 80",
            ("Signals", "watched", "when", "percent >= 50", "percent >= 80"),
        ),
        ("title: Watched", "title: Saw", ("Signals", "watched", "title", "Watched", "Saw")),
        (
            "title: Watched",
            "title: Watched, show: [percent]",
            ("Signals", "watched", "shown in journeys", "yes", "percent"),
        ),
        ("points: 10}", "points: 12}", ("Fit", "in_usa", "points", "10", "12")),
        ("cooldown: 30d", "cooldown: 36h", ("Stages", "mql", "cooldown", "30d", "36h")),
        (
            "message: hello",
            "message: hey",
            ("Sequences", "learn", "steps 1 message", "hello", "hey"),
        ),
        ("accept_within: 24h", "accept_within: 90m", ("Handoff", "", "accept within", "1d", "90m")),
        ('to: "17:00"', 'to: "24:00"', ("Handoff", "", "hours closes", "17:00", "24:00")),
    ],
    ids=lambda each: str(each)[:30],
)
def test_a_change_is_named_with_what_was_and_what_is(
    before: str, after: str, expected: tuple[str, str, str, str, str]
) -> None:
    section, name, what, was, is_ = expected
    assert changed(before, after) == [Difference(section, name, "changed", what, was, is_)]


def test_a_part_that_comes_or_goes_is_one_line() -> None:
    fewer = SMALL.replace('fit: {in_usa: {when: country == "US", points: 10}}\n', "")
    (gone,) = differences(plan_of(SMALL), plan_of(fewer))
    assert gone == Difference(
        "Fit", "in_usa", "removed", before='points: 10; when: country == "US"'
    )
    (new,) = differences(plan_of(fewer), plan_of(SMALL))
    assert new == Difference("Fit", "in_usa", "added", after=gone.before)


def test_the_order_of_sequences_is_a_difference() -> None:
    first, second = SMALL.splitlines()[-2:]
    swapped = SMALL.replace(f"{first}\n{second}", f"{second}\n{first}")
    (order,) = differences(plan_of(SMALL), plan_of(swapped))
    assert (order.what, order.before, order.after) == ("order", "learn, again", "again, learn")


def test_days_are_named() -> None:
    (days,) = changed("mon-fri", "mon-sat")
    assert (days.before, days.after) == (
        "Mon, Tue, Wed, Thu, Fri",
        "Mon, Tue, Wed, Thu, Fri, Sat",
    )


def test_a_changed_holiday_is_a_difference_and_a_later_compilation_is_none() -> None:
    (holidays,) = changed("12-24, US", "12-31, US")
    assert "2026-12-24" in holidays.before
    assert "2026-12-31" in holidays.after


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ecommerce", "product-led"])
def test_models_differ_if_and_only_if_their_versions_do(name: str) -> None:
    other = ready_model(name).plan
    assert other.version != IN_FORCE.version
    there, back = differences(IN_FORCE, other), differences(other, IN_FORCE)
    assert len(there) == len(back) > 50
    assert {(each.before, each.after) for each in there} == {
        (each.after, each.before) for each in back
    }


@pytest.mark.slow
@pytest.mark.parametrize("section", ["alerts", "grades", "inactivity", "sequences", "handoff"])
def test_no_section_is_forgotten(section: str) -> None:
    content = read(TEXT).value
    assert isinstance(content, dict)
    fewer = {name: part for name, part in content.items() if name != section}
    found = differences(IN_FORCE, plan_of(yaml.safe_dump(fewer, sort_keys=False, width=10_000)))
    assert {each.section for each in found} <= {section.title(), "Score"}
    assert found


def test_what_past_events_do_not_count_for_is_named() -> None:
    new = SMALL.replace("percent >= 50", "percent >= 80")
    assert kept_otherwise(plan_of(SMALL), plan_of(new)) == ["watched"]
    assert kept_otherwise(plan_of(SMALL), plan_of(SMALL.replace("50, half", "60, half"))) == []
