"""Answers in parts become the values that people meant."""

from typing import Any

import pytest
from hypothesis import given

from senders.test_conformance import json_values
from warmlead.senders.answer_parts import in_parts
from warmlead.senders.submission import FormMapping
from warmlead.senders.webhooks import fields_of


def fields(name: str, value: Any) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields_of(in_parts((name,), value), FormMapping()).items()
        if value
    }


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", {"first": "Ada", "last": "Byron"}, {"first_name": "Ada", "last_name": "Byron"}),
        ("fullName", {"prefix": "Dr.", "first": "Ada", "last": ""}, {"first_name": "Ada"}),
        ("studentsName", {"first": "Ada", "last": "Byron"}, {"studentsName": "Ada Byron"}),
        ("phone", {"full": "(202) 555-0199"}, {"phone": "(202) 555-0199"}),
        ("phone", {"area": "202", "phone": "5550199"}, {"phone": "202 5550199"}),
        ("phone", {"country": 1, "area": 202, "phone": 555}, {"phone": "1 202 555"}),
        ("day", {"month": "3", "day": 9, "year": "2026"}, {"day": "2026-03-09"}),
        ("day", {"month": "", "day": "", "year": ""}, {}),
        ("day", {"month": "March", "day": "9", "year": "2026"}, {}),
        (
            "home",
            {"city": "Rome", "postal": "00184"},
            {"home": {"city": "Rome", "postal_code": "00184"}},
        ),
        ("size", 5, {"size": 5}),
        ("size", {}, {}),
        ("likes", ["a", "b"], {"likes": ["a", "b"]}),
    ],
)
def test_parts_become_one_answer(name: str, value: object, expected: dict[str, Any]) -> None:
    assert fields(name, value) == expected


@given(json_values)
def test_any_value_is_an_answer(value: object) -> None:
    fields("name", value)
