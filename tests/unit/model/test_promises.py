"""The handoff section, compiled: promises of each stage, owners' hours, dates of holidays."""

import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.handoff import Deadline, HandoffPolicy, Offer
from warmlead.model.loading import load, plan_of
from warmlead.model.plan import read_compiled, rules_of, write_compiled

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TODAY = date(2026, 11, 29)
TEXT = """\
signals:
  demo: {on: demo_requested, points: 10, half_life: 30d}
stages:
  mql: {enter: score >= 10, leave: score < 5}
  pql: {enter: score >= 30, leave: score < 20}
  hot: {enter: score >= 60, leave: score < 50}
handoff:
  first_touch_within: 1h
  accept_within: 16h
  remind_after: 45m
  hours: {days: mon-fri, from: "09:00", to: "18:00", time_zone: Europe/Berlin, holidays: DE}
  routes:
    - {when: country == "US", owner: ann, time_zone: America/New_York, holidays: [US, 12-24]}
    - {owner: bob}
  stages:
    mql: none
    pql: {first_touch_within: 30m, routes: [{owner: cyn}]}
"""


def compiled(text: str = TEXT) -> HandoffPolicy:
    """The policy, as a function reads it of a compiled model."""
    written = write_compiled(load(text, name="model").plan)
    policy = rules_of(read_compiled(written.encode(), name="model.json")).handoff
    assert policy is not None
    return policy


def test_a_stage_has_its_own_promises_those_of_all_or_none() -> None:
    policy = compiled()
    pql, hot = policy.promises_of("pql"), policy.promises_of("hot")

    assert policy.promises_of("mql") is None
    assert pql is not None
    assert (pql.first_touch_within, pql.accept_within) == (30 * MINUTE, 16 * HOUR)
    assert pql.remind_after == 15 * MINUTE  # half of its own, whatever holds for the others
    assert hot is policy
    assert hot.remind_after == 45 * MINUTE


def test_a_stage_has_its_own_owners_or_those_of_all() -> None:
    policy = compiled()
    owners = [policy.owner_of("lead", stage, {"country": "US"}) for stage in ("mql", "pql", "hot")]

    assert owners == ["", "cyn", "ann"]


@pytest.mark.parametrize(
    ("stage", "owner", "touch_by"),
    [  # offered on Thursday, 24 December 2026, at 16:00 UTC: 17:00 in Berlin, 11:00 in New York
        ("hot", "bob", "2026-12-24T17:00"),
        ("hot", "ann", "2026-12-28T15:00"),  # both are holidays of hers
        ("hot", "", "2026-12-24T17:00"),
        ("pql", "cyn", "2026-12-24T16:30"),
    ],
)
def test_a_deadline_is_in_the_office_hours_of_the_owner(
    stage: str, owner: str, touch_by: str
) -> None:
    offer = Offer(1, stage, datetime(2026, 12, 24, 16, tzinfo=UTC), owner=owner)

    due = compiled().deadline_of(offer, Deadline.TOUCH_BREACHED)
    assert due == datetime.fromisoformat(touch_by).replace(tzinfo=UTC)


def test_a_compiled_model_says_until_when_it_knows_public_holidays() -> None:
    plan = plan_of(load(TEXT, name="model").file, TODAY)

    assert plan.holidays_until == date(2029, 12, 31)
    assert [plan.holidays_run_out(date(2029, 9, day)) for day in (2, 3)] == [False, True]
    assert plan.handoff is not None
    assert plan.handoff.hours is not None
    known = {day for day in plan.handoff.hours.holidays if (day.month, day.day) == (12, 25)}
    assert known == {date(year, 12, 25) for year in range(2025, 2030)}


def test_a_model_without_public_holidays_never_runs_out() -> None:
    text = TEXT.replace("holidays: DE", "holidays: [12-24, 2026-12-28]").replace(
        "US, 12-24", "12-31"
    )
    plan = plan_of(load(text, name="model").file, TODAY)

    assert not plan.holidays_run_out(date(2099, 1, 1))


def test_only_a_model_with_public_holidays_needs_the_package_of_their_dates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)

    with pytest.raises(ConfigurationError, match=r"warmlead\[cli\]"):
        load(TEXT, name="model")
    of_dates = TEXT.replace("holidays: DE", "holidays: 12-24").replace("US, 12-24", "12-31")
    assert load(of_dates, name="model").plan.holidays_until is None


@pytest.mark.parametrize(
    ("find", "instead"),
    [
        ("days: mon-fri", "days: [fri, mon-thu]"),
        ("days: mon-fri, ", ""),
        ("[US, 12-24]", "[12-24, US]"),
        ("    mql: none\n", "    mql: none\n    hot: {accept_within: 16h}\n"),
        ("{first_touch_within: 30m, ", "{first_touch_within: 30m, remind_after: 15m, "),
    ],
)
def test_what_is_written_differently_and_means_the_same_is_the_same_version(
    find: str, instead: str
) -> None:
    assert load(TEXT.replace(find, instead), name="m").version == load(TEXT, name="m").version


@pytest.mark.parametrize(
    ("find", "instead"),
    [
        ("mon-fri", "mon-sat"),
        ("18:00", "17:00"),
        ("Europe/Berlin", "Europe/Paris"),
        ("holidays: DE}", "holidays: DE-BY}"),
        ("[US, 12-24]", "US"),
        ("America/New_York", "America/Chicago"),
        ("    mql: none\n", ""),
        ("30m", "20m"),
        ("owner: cyn", "owner: dan"),
    ],
)
def test_what_means_something_else_is_another_version(find: str, instead: str) -> None:
    assert load(TEXT.replace(find, instead), name="m").version != load(TEXT, name="m").version


def test_offers_are_looked_for_as_far_back_as_a_promise_may_be_open() -> None:
    policy = compiled()
    for day in range(20, 32):
        moment = datetime(2026, 12, day, 8, tzinfo=UTC)
        since = policy.oldest_open(moment)
        for owner in ("ann", "bob"):
            before = Offer(1, "hot", since - MINUTE, owner=owner)
            assert policy.deadline_of(before, Deadline.ACCEPT_BREACHED) < moment
        assert moment - since < timedelta(days=21)

    always = replace(policy, hours=None, routes=(), stages={})
    assert always.oldest_open(moment) == moment - 16 * HOUR
