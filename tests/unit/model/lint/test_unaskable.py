"""What no condition can ask: a sentence says why, and what it says to ask instead is sound."""

import pytest

from unit.model.lint.test_faults import SOUND, errors

ENTER = "score >= 50 && fit >= 10"
FIT = "employees >= 50"


@pytest.mark.parametrize("word", ["owner", "lead_owner", "contact.owner", "assigned_to"])
@pytest.mark.parametrize("where", [ENTER, FIT])
def test_no_condition_asks_for_the_owner_but_for_what_the_route_asks(word: str, where: str) -> None:
    (found,) = errors(SOUND.replace(where, f'{word} == "ann"', 1))

    assert found.message == (
        f'unknown name "{word}": a route chooses the owner, so no condition can ask for it'
    )
    name = word.rpartition(".")[2]
    assert found.suggestion == (
        f"ask what the route asks; if your CRM sends it, add to traits: {name}: string"
    )
    asking = SOUND.replace(where, f'{where} && {name} == "ann"', 1)
    assert errors(asking)
    assert not errors(f"{asking}traits: {{{name}: string}}\n")


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ("today() > 5", "<"),
        ("MONTH() == 3", "<"),
        ('created_at > "2026-01-01"', "<"),
        ('last_seen < "2026-01-01T00:00:00"', ">="),
        ("days_since_created < 30", "<"),
        ("lead_age > 30", ">="),
    ],
)
def test_conditions_know_no_dates_but_count_days(asked: str, instead: str) -> None:
    (found,) = errors(SOUND.replace(ENTER, f"score >= 50 && {asked}"))

    assert found.message.endswith(": conditions know no dates, they count days")
    assert found.suggestion == f"write days_inactive {instead} 30 for {asked}"
    assert not errors(SOUND.replace(ENTER, f"score >= 50 && days_inactive {instead} 30"))


@pytest.mark.parametrize("asked", ["today() > 5", "created_at > 5"])
def test_a_fit_rule_that_asks_for_a_date_is_sent_to_a_place_that_counts_days(asked: str) -> None:
    (found,) = errors(SOUND.replace(FIT, asked, 1))

    assert found.suggestion == "let a stage or a bonus ask for days: days_inactive < 30"
    bonus = "bonuses:\n  active: {when: days_inactive < 30, points: 5}\n"
    assert not errors(f"{SOUND}{bonus}")


@pytest.mark.parametrize("called", ["max", "MIN", "sum", "avg", "round"])
def test_points_are_limited_where_they_are_given(called: str) -> None:
    (found,) = errors(SOUND.replace(ENTER, f"{called}(score) >= 50"))

    assert found.message == f'there is no function "{called}": points add up by themselves'
    assert "max_count" in found.suggestion
    limited = SOUND.replace("per_day: 2, half_life: 60d", "max_count: 3, half_life: 60d")
    assert not errors(limited)


def test_what_nobody_can_ask_for_is_said_with_what_to_turn_round() -> None:
    (found,) = errors(SOUND.replace(FIT, "company is empty", 1))

    assert found.message == (
        "nobody can ask for what is not known: ask who has a company, and turn it round"
    )


def test_a_word_that_is_nearly_a_function_is_not_taken_for_itself() -> None:
    (found,) = errors(SOUND.replace(ENTER, "exists(1, 2)"))

    assert (found.message, found.suggestion) == ('there is no function "exists"', "")
