"""Observations as columns: what holds, what is not known, and nobody's personal data."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from builders import NOW
from unit.learning.leads import DAY, MODEL, RULES
from warmlead.learning.matrix import LEAST_SHARED, OTHER, Matrix, MatrixBuilder
from warmlead.learning.observations import Observation
from warmlead.model.loading import load

RECENTLY = NOW - 20 * DAY


def seen(nth: int = 0, *, at: datetime = RECENTLY, **fields: Any) -> Observation:
    """What was seen of a lead that became known a week before: nothing, but for the fields."""
    kinds = ("worths", "counts", "recent", "signals", "recent_signals", "facts")
    nothing: dict[str, Any] = {kind: {} for kind in kinds}
    numbers = {"score": 0, "engagement": 0, "fit": 0, "days_inactive": None}
    moments = {"known_at": at - 7 * DAY, "at": at, "won": False, "reached_at": None}
    return Observation(**{**nothing, **numbers, **moments, "lead_id": f"lead-{nth}", **fields})


def matrix(*observations: Observation) -> Matrix:
    builder = MatrixBuilder(RULES, NOW)
    for each in observations:
        builder.add(each)
    return builder.build()


def test_a_condition_that_does_not_hold_is_zero_and_a_fact_that_is_unknown_is_not() -> None:
    made = matrix(
        seen(0, worths={"signal:page_viewed": 1.5, "fit:large": 1.0}, facts={"employees": 400}),
        seen(1, won=True, score=38, days_inactive=4),
    )
    columns = {name: list(column) for name, column in made.columns.items()}
    assert columns["lead_id"] == ["lead-0", "lead-1"]
    assert columns["won"] == [False, True]
    assert columns["score"] == [0, 38]
    assert columns["signal:page_viewed"] == [1.5, 0]
    assert columns["fit:large"] == [1, 0]
    assert columns["bonus:regular"] == columns["signal:demo_requested"] == [0, 0]
    assert columns["fact:employees"] == pytest.approx([400, float("nan")], nan_ok=True)
    assert columns["days_inactive"] == pytest.approx([float("nan"), 4], nan_ok=True)


def test_counts_of_names_are_unknown_where_they_are_no_longer_kept() -> None:
    counts = {"counts": {"chatted": 3}, "recent": {"chatted": 2}}
    ages = [NOW - age * DAY for age in (400, 70, 40)]
    made = matrix(*(seen(n, at=at, **counts) for n, at in enumerate(ages)))
    nan = float("nan")
    assert list(made.numbers["count:chatted"]) == pytest.approx([nan, 3, 3], nan_ok=True)
    assert list(made.numbers["last_30d:chatted"]) == pytest.approx([nan, nan, 2], nan_ok=True)
    gone = matrix(seen(0, at=ages[0], **counts, signals={"page_viewed": 2}))
    assert gone.forgotten == ("count:chatted", "last_30d:chatted")
    assert list(gone.numbers["count_signal:page_viewed"]) == [2]


def test_names_that_the_model_measures_are_known_for_as_long_as_it_does() -> None:
    text = f"{MODEL}  open: {{enter: last_300d.chat_started >= 1}}\n"
    builder = MatrixBuilder(load(text, name="long").rules, NOW)
    builder.add(seen(0, at=NOW - 200 * DAY, counts={"chat_started": 3}))
    assert list(builder.build().numbers["count:chat_started"]) == [3]


def test_no_column_names_a_person() -> None:
    personal = {
        "email": "ada@example.com",
        "email_domain": "example.com",
        "first_name": "Ada",
        "name": "Ada L",
        "phone": "+49 1",
    }
    rare = {"city": "Much Hadham", "occupation": "knows ada@example.com"}
    common = {"country": "DE", "first.source": "google"}
    texts = [{**common, **personal, **rare}, *[common] * (LEAST_SHARED - 1)]
    made = matrix(*(seen(n, facts=facts) for n, facts in enumerate(texts)))
    assert {name: set(column) for name, column in made.texts.items()} == {
        "fact:country": {"DE"},
        "fact:first.source": {"google"},
        "fact:city": {OTHER, ""},
        "fact:occupation": {OTHER, ""},
    }
    assert not [name for name in made.columns if name.startswith("fact:") and "name" in name]


def test_an_address_that_many_share_is_not_shown_either() -> None:
    made = matrix(*(seen(n, facts={"tag": "x@y.example"}) for n in range(LEAST_SHARED)))
    assert set(made.texts["fact:tag"]) == {OTHER}


def test_columns_are_as_long_as_there_are_leads_whenever_they_begin() -> None:
    made = matrix(*(seen(n, counts={f"event_{n}": 1}, facts={f"f{n}": n}) for n in range(9)))
    assert {len(column) for column in made.columns.values()} == {9}
    whole = sum(np.nansum(column) for name, column in made.numbers.items() if "event" in name)
    assert whole == 9
    assert made.at[0] - made.known_at[0] == timedelta(days=7)


def test_a_matrix_of_nobody_is_empty() -> None:
    made = matrix()
    assert (len(made), {len(column) for column in made.columns.values()}) == (0, {0})
