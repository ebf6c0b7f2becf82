"""``score`` and what is scheduled, called by others than the account that may push."""

import base64
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from authority import ACCOUNT, AUDIENCE, Authority, Key, an_authority, bad_headers
from functions.test_alone import PRODUCTION, SECRETS, alone, an_event, as_production, post

OURS, STRANGER = Key("ours"), Key("stranger")


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    with an_authority(OURS) as authority:
        yield authority


def settings(authority: Authority) -> Mapping[str, str]:
    return {
        "WARMLEAD_PUSH_AUDIENCE": AUDIENCE,
        "WARMLEAD_PUSH_ACCOUNT": ACCOUNT,
        "WARMLEAD_PUSH_CERTS": authority.url,
    }


def leads(data: Path) -> int:
    with closing(sqlite3.connect(data / "warmlead.sqlite3")) as file:
        count: int = file.execute("SELECT count(*) FROM leads").fetchone()[0]
        return count


def answered(log: Path) -> list[dict[str, Any]]:
    """What the function has logged of the posts that it answered."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("method") == "POST"]


def test_score_refuses_other_callers(tmp_path: Path, authority: Authority) -> None:
    data = tmp_path / "data"
    with alone("score", data, **settings(authority)) as base:
        good = {"Authorization": f"Bearer {authority.keys[0].token()}"}
        assert post(base, as_production(an_event("first")), good)[0] == 200
        refusals = {}
        for number, (fault, header) in enumerate(bad_headers(authority.keys[0], STRANGER).items()):
            headers = {} if header is None else {"Authorization": header}
            refusals[fault] = post(base, as_production(an_event(f"bad-{number}")), headers)
        assert {status for status, _ in refusals.values()} == {401}, refusals
        assert {answer["code"] for _, answer in refusals.values()} == {"unauthorized"}
        assert leads(data) == 1
        assert post(base, as_production(an_event("last")), good)[0] == 200
    assert leads(data) == 2


@pytest.mark.parametrize("function", ["decay", "followup"])
def test_scheduled_functions_refuse_other_callers(
    tmp_path: Path, authority: Authority, function: str
) -> None:
    with alone(function, tmp_path / "data", **settings(authority)) as base:
        assert post(base, b"{}", {})[0] == 401
        good = {"Authorization": f"Bearer {authority.keys[0].token()}"}
        status, told = post(base, b"{}", good)
        assert (status, told["looked_at"], told["done"]) == (200, 0, True)


def test_report_refuses_other_callers(tmp_path: Path, authority: Authority) -> None:
    with alone("report", tmp_path / "data", **settings(authority)) as base:
        assert post(base, b"{}", {})[0] == 401
        good = {"Authorization": f"Bearer {authority.keys[0].token()}"}
        assert [len(post(base, b"{}", good)[1]["periods"]) for _ in range(2)] == [3, 1]


def test_score_is_unavailable_without_certificates(tmp_path: Path) -> None:
    with an_authority(OURS) as gone:
        pass
    data = tmp_path / "data"
    with alone("score", data, **settings(gone)) as base:
        good = {"Authorization": f"Bearer {gone.keys[0].token()}"}
        status, answer = post(base, as_production(an_event("first")), good)
        assert (status, answer["code"]) == (503, "unavailable")


def test_score_does_nothing_for_a_message_of_another_type(tmp_path: Path) -> None:
    data = tmp_path / "data"
    unchecked = {"WARMLEAD_PUSH_AUTH": "iam"}
    with alone("score", data, **PRODUCTION, **SECRETS, **unchecked) as base:  # logs JSON
        for attributes in ({"type": "warmlead.lead_events.v2"}, {"type": "", "lead_id": "a"}):
            pushed = json.loads(as_production(an_event("other")))
            pushed["message"]["attributes"] = attributes
            assert post(base, json.dumps(pushed).encode(), {}) == (200, {})
        assert post(base, as_production(an_event("ours")), {}) == (200, {})
    assert leads(data) == 1
    told = answered(tmp_path / "score.log")
    assert [line.get("reason") for line in told] == ["not_wanted"] * 2 + [None]
    assert told[-1]["events"] == 1


def test_score_publishes_anew_what_was_published_by_hand(tmp_path: Path) -> None:
    data = tmp_path / "data"
    unchecked = {"WARMLEAD_PUSH_AUTH": "iam"}
    with alone("score", data, **PRODUCTION, **SECRETS, **unchecked) as base:
        for attributes, body in (({}, None), ({"kind": "x"}, None), ({}, b"by hand")):
            pushed = json.loads(as_production(an_event("by-hand")))
            pushed["message"]["attributes"] = attributes
            if body:
                pushed["message"]["data"] = base64.b64encode(body).decode()
            assert post(base, json.dumps(pushed).encode(), {}) == (200, {})
    told = answered(tmp_path / "score.log")
    reasons = ["published_by_hand", "published_by_hand", "message_invalid"]
    assert [line.get("reason") for line in told] == reasons
    with closing(sqlite3.connect(data / "warmlead.sqlite3")) as connection:
        rows = connection.execute("SELECT topic, attributes FROM messages ORDER BY number")
        found = [(topic, json.loads(attributes)) for topic, attributes in rows]
    assert [topic for topic, _ in found] == ["lead-events", "lead-events", "quarantine"]
    assert found[0][1].keys() == {"type", "lead_id", "source", "events"}
