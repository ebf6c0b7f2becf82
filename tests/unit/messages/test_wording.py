"""What people read of a score: each kind of contribution as a phrase."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from warmlead.domain.event import Automation
from warmlead.domain.journey import NotableStep
from warmlead.domain.probability import Probability
from warmlead.domain.scoring import MICRO, Contribution, Part, Score
from warmlead.messages.wording import (
    MAX_REASONS,
    describe,
    done,
    losses,
    reasons,
    such_leads,
    title_of,
    unseen,
)

TITLES = {"demo": "asked for a demo", "web": "the website"}
MONDAY, TUESDAY = date(2026, 3, 9), date(2026, 3, 10)


def line(part: Part, name: str = "demo", points: int = 1, **fields: Any) -> Contribution:
    return Contribution(part, name, points * MICRO, points, **fields)


def times(count: int, first: date = MONDAY, last: date = MONDAY) -> dict[str, Any]:
    return {"count": count, "first_day": first, "last_day": last}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("demo", "asked for a demo"),
        ("pricing_page_viewed", "pricing page viewed"),
        ("re-engage", "re engage"),
        ("", ""),
    ],
)
def test_a_name_without_a_title_is_read_with_spaces(name: str, title: str) -> None:
    assert title_of(name, TITLES) == title


@pytest.mark.parametrize(
    ("contribution", "phrase"),
    [
        (line(Part.SIGNAL, **times(1)), "Asked for a demo once, on 2026-03-09"),
        (line(Part.SIGNAL, **times(2)), "Asked for a demo 2 times, on 2026-03-09"),
        (
            line(Part.SIGNAL, **times(2, last=TUESDAY)),
            "Asked for a demo 2 times, last on 2026-03-10",
        ),
        (line(Part.FIT, "in_usa"), "Fits: in usa"),
        (line(Part.FIT, "in_usa", 0), "Fits: in usa"),
        (line(Part.FIT, "in_usa", -1), "Speaks against: in usa"),
        (line(Part.GROUP_LIMIT, "web", -1), "Limit: the most that the website may count"),
        (line(Part.GROUP_LIMIT, "web", 1), "Limit: the least that the website may count"),
        (line(Part.INACTIVITY, steps=1), "Faded for inactivity, once"),
        (line(Part.INACTIVITY, steps=2), "Faded for inactivity, 2 times"),
        (line(Part.FLOOR), "A score never falls below 0"),
        (line(Part.FLOOR, raw_points=-20), "A score never falls below -20"),
        (line(Part.BASE, "base"), "What every lead begins with"),
        (line(Part.BONUS, "regular_visitor"), "Bonus: regular visitor"),
        (line(Part.BONUS, "regular_visitor", -5), "Deduction: regular visitor"),
    ],
)
def test_each_contribution_is_a_phrase(contribution: Contribution, phrase: str) -> None:
    assert describe(contribution, TITLES) == phrase


def test_every_part_of_a_score_has_words() -> None:
    assert all(describe(line(part, **times(1)), {}) for part in Part)


@pytest.mark.parametrize(
    ("per_day", "decay", "words"),
    [
        (0, 0, ()),
        (10 * MICRO, 0, ("10 for the daily limit",)),
        (0, 3_200_000, ("3.2 for age",)),
        (0, -3_200_000, ("−3.2 for age",)),  # of a signal that counts against the lead
        (5 * MICRO, 40_000, ("5 for the daily limit", "0 for age")),
    ],
)
def test_what_was_taken_is_told_in_points(per_day: int, decay: int, words: tuple[str, ...]) -> None:
    taken = line(Part.SIGNAL, per_day_took_micro=per_day, decay_took_micro=decay)
    assert losses(taken) == words


def score(*points: int) -> Score:
    lines = [line(Part.FIT, f"rule_{i}", each) for i, each in enumerate(points)]
    return Score(0, 0, 0, None, tuple(lines))


@pytest.mark.parametrize(
    ("points", "first_words"),
    [
        ((), []),
        ((0,), []),
        ((1, 20), ["+20", "+1"]),
        ((1, -20), ["-20", "+1"]),
        ((3, -3), ["+3", "-3"]),  # as weighty: by name
        ((1, 2, 3, 4, 5, 6), ["+6", "+5", "+4", "+3", "+2"]),
    ],
)
def test_the_weightiest_reasons_come_first(points: tuple[int, ...], first_words: list[str]) -> None:
    given = reasons(score(*points), {})
    assert [reason.split()[0] for reason in given] == first_words
    assert len(given) <= MAX_REASONS


def of(part: Part, name: str, points: int, day: date = MONDAY) -> Contribution:
    return line(part, name, points, **(times(1, day, day) if part is Part.SIGNAL else {}))


def signals(*named: tuple[str, int, date]) -> list[Contribution]:
    return [of(Part.SIGNAL, name, points, day) for name, points, day in named]


@pytest.mark.parametrize(
    ("lines", "notable", "names"),
    [
        (  # what was done last, then the weightiest
            signals(("paper", 20, MONDAY), ("pricing", 10, TUESDAY), ("webinar", 15, MONDAY)),
            {"paper", "pricing", "webinar"},
            ["Pricing", "Paper", "Webinar"],
        ),
        (  # of one day the weightiest
            signals(("paper", 20, TUESDAY), ("pricing", 10, TUESDAY)),
            {"paper", "pricing"},
            ["Paper", "Pricing"],
        ),
        (  # what is not notable does not lead
            signals(("paper", 20, MONDAY), ("view", 1, TUESDAY)),
            {"paper"},
            ["Paper", "View"],
        ),
        (  # five things done leave room for two of fit
            [
                *signals(*((f"s{n}", 30 - n, MONDAY) for n in range(5)), ("last", 6, TUESDAY)),
                *(of(Part.FIT, f"fit{n}", 5 - n) for n in range(3)),
            ],
            {"last"},
            ["Last", "S0", "S1", "Fits: fit0", "Fits: fit1"],
        ),
        (  # fit that leads keeps its place
            [*signals(("a", 5, MONDAY)), of(Part.FIT, "x", 15), of(Part.FIT, "y", 10)],
            {"a"},
            ["A", "Fits: x", "Fits: y"],
        ),
    ],
)
def test_reasons_begin_with_what_was_done_last_and_leave_room_for_fit(
    lines: list[Contribution], notable: set[str], names: list[str]
) -> None:
    given = reasons(Score(0, 0, 0, None, tuple(lines)), {}, notable)
    told = [reason.partition(" ")[2].partition(" once")[0] for reason in given]
    assert told == names


def test_of_one_day_what_was_done_last_is_what_the_journey_ends_with() -> None:
    lines = [line(Part.SIGNAL, name, points, **times(1)) for name, points in (("a", 9), ("b", 5))]
    steps = [NotableStep(2, "", 1, "b", "b"), NotableStep(1, "", 1, "a", "a")]
    given = reasons(Score(0, 0, 0, None, tuple(lines)), {}, {"a", "b"}, steps)
    assert [reason.partition(" ")[0] for reason in given] == ["+5", "+9"]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, ""),
        ({Automation.PREVIEW: 0}, "0 link previews"),
        ({Automation.PREVIEW: 1}, "1 link preview"),
        (
            {Automation.ROBOT: 12, Automation.PREVIEW: 1},
            "12 requests of declared robots, 1 link preview",
        ),
    ],
)
def test_automated_requests_are_counted_in_words(
    counts: Mapping[Automation, int], words: str
) -> None:
    assert unseen(counts) == words


def test_every_kind_of_automated_request_has_words() -> None:
    assert all(unseen({kind: count}) for kind in Automation for count in (1, 2))


def test_acts_are_told_by_their_titles_and_counted() -> None:
    acts = [{"title": "Demo requested", "times": 2}, {"title": "Mail answered", "times": 1}]
    assert done(acts) == "Demo requested 2 times, Mail answered"


@pytest.mark.parametrize(
    ("outcome", "score", "words"),
    [
        ("customer", 49, "of 100 such leads 34 became customers (1,842 leads)"),
        ("sql", 62, "of 100 such leads 50 became SQLs (1,842 leads)"),
        ("pql", 0, "of 100 such leads 4 became pql (1,842 leads)"),
        ("customer", -90, "of 100 such leads fewer than 1 became customers (1,842 leads)"),
        ("customer", 300, "of 100 such leads more than 99 became customers (1,842 leads)"),
    ],
)
def test_a_share_is_told_of_100_leads_and_never_as_certain(
    outcome: str, score: int, words: str
) -> None:
    week, quarter = timedelta(days=7), timedelta(days=90)
    learned = Probability(outcome, week, quarter, -3.1, 0.05, leads=1_842, won=191)

    assert such_leads(learned, score) == words
