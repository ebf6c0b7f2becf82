"""Bad items among good ones: neighbours are counted, and each bad one lies in quarantine."""

import json
from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

import pytest

from patience import until
from served import Served, serving

pytestmark = pytest.mark.xdist_group("bad-among-good")

KEY = {"Authorization": "Basic bG9jYWw6", "Content-Type": "application/json"}
VISITOR = "visitor-among-the-bad"
EMAIL = "grace@example.com"


def call(**fields: Any) -> str:
    """A sound page view; the text ``"#"`` is to be replaced by what JSON cannot say in Python."""
    sound = {"type": "track", "anonymousId": VISITOR, "event": "Site Searched"}
    return json.dumps({**sound, **fields})


HUGE = b"9" * 30


def spoilt(value: bytes) -> bytes:
    return call(properties={"value": "#"}).encode().replace(b'"#"', value)


BAD_CALLS: Mapping[str, bytes] = {
    "event_too_large": call(integrations={"padding": "x" * 33_000}).encode(),
    "event_type_unknown": call(type="click").encode(),
    "event_invalid": b"5",
    "event_name_missing": call(event=None).encode(),
    "event_name_invalid": call(event=[]).encode(),
    "identity_missing": call(anonymousId="undefined").encode().replace(b"{", b'{"no": %s, ' % HUGE),
    "identity_invalid": call(anonymousId="a\0").encode(),
    "email_invalid": b'{"type": "identify", "traits": {"email": "grace@"}}',
}
"""Every fault that costs a call of a batch, once."""

FLAWED_CALLS = (
    *(spoilt(b"NaN"), spoilt(b'{"a": 1, "a": 2}'), spoilt(rb'"\ud800"'), spoilt(HUGE)),
    *(spoilt(b"[" * 40 + b"]" * 40), spoilt(b'"\xff"'), call(messageId={}).encode()),
    *(call(userId="a\0").encode(), call(timestamp="yesterday").encode()),
    *(call(timestamp="1999-12-31").encode(), call(context=["a"]).encode()),
    call(properties={f"f{i}": i for i in range(101)}).encode(),
)
"""Calls of which a part cannot be used."""

BAD_SUBMISSIONS: Mapping[str, bytes] = {
    "email_invalid": b'{"email": "grace@"}',
    "identity_missing": b'{"name": "Grace"}',
    "event_invalid": b"null",
}


def among_good(bad: Mapping[str, bytes], good: list[str]) -> bytes:
    """A list of good, bad, good, bad … and good ones at the end."""
    items = [item for pair in zip(good, bad.values(), strict=False) for item in (pair[0], pair[1])]
    rest = good[len(bad) :]
    return b",".join(item.encode() if isinstance(item, str) else item for item in [*items, *rest])


GOOD_CALLS = [call(messageId=f"good-{i}") for i in range(len(BAD_CALLS) + 1)]
GOOD_SUBMISSIONS = [json.dumps({"email": EMAIL, "row": i}) for i in range(len(BAD_SUBMISSIONS) + 1)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("bad-among-good") / "data") as served:
        batch = b'{"batch":[' + among_good(BAD_CALLS, GOOD_CALLS) + b"]}"
        said = post(served, "/v1/batch", batch)
        assert [one["code"] for one in said["refused"]] == list(BAD_CALLS)
        assert [one["index"] for one in said["refused"]] == [
            2 * i + 1 for i in range(len(BAD_CALLS))
        ]
        listed = b"[" + among_good(BAD_SUBMISSIONS, GOOD_SUBMISSIONS) + b"]"
        said = post(served, "/forms/generic", listed)
        assert [one["code"] for one in said["refused"]] == list(BAD_SUBMISSIONS)
        yield served


def post(server: Served, path: str, body: bytes) -> Any:
    status, answer = server.post(path, body, KEY)
    assert status == 200, answer
    return json.loads(answer)


def events_of(server: Served, who: str) -> dict[str, int]:
    events: dict[str, int] = (server.lead(who) or {"events": {}})["events"]
    return events


def all_good_are_counted(server: Served) -> bool:
    return events_of(server, VISITOR) == {"site_searched": len(GOOD_CALLS)} and events_of(
        server, EMAIL
    ) == {"form_submitted": len(GOOD_SUBMISSIONS)}


def test_good_neighbours_are_counted_and_bad_ones_lie_in_quarantine(server: Served) -> None:
    until(lambda: all_good_are_counted(server))
    lying = server.json("quarantine", "list")
    reasons = [entry["reason"] for entry in lying]
    assert reasons[: len(BAD_CALLS)] == list(BAD_CALLS)
    assert reasons[len(BAD_CALLS) : len(BAD_CALLS) + len(BAD_SUBMISSIONS)] == list(BAD_SUBMISSIONS)
    assert {entry["kind"] for entry in lying} == {"item"}
    kept = dict(zip(reasons, (entry["content"] for entry in lying), strict=True))
    assert kept["identity_missing"] == '{"name":"Grace"}'
    assert lying[5]["content"].count("9") == 30  # as it was sent, to be judged


def test_an_unusable_field_does_not_cost_its_call(server: Served) -> None:
    flawed = [item.replace(VISITOR.encode(), b"flawed") for item in FLAWED_CALLS]
    said = post(server, "/v1/batch", b'{"batch":[' + b",".join(flawed) + b"]}")
    assert "refused" not in said
    assert {one["index"] for one in said["notes"]} == set(range(len(flawed)))
    until(lambda: sum(events_of(server, "flawed").values()) == len(flawed))
    shown = server.json("lead", "show", "flawed")
    assert len(shown["notes"]) >= 10
    assert "timestamp: was left out (time_invalid)" in shown["notes"]


def test_a_second_try_changes_nothing_while_the_cause_is_there(server: Served) -> None:
    until(lambda: all_good_are_counted(server))
    before = server.json("quarantine", "list")
    assert server.json("quarantine", "replay") == {"released": 0, "kept": len(before)}
    assert server.json("quarantine", "list") == before
    assert all_good_are_counted(server)


def test_once_the_cause_is_mended_each_is_counted_once(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    who = {"anonymousId": "writes-much"}
    large = [call(integrations={"padding": "x" * 33_000, "no": i}, **who) for i in range(3)]
    batch = ",".join([call(**who), *large])
    with serving(tmp_path_factory.mktemp("mended") / "data") as served:
        post(served, "/v1/batch", f'{{"batch":[{batch}]}}'.encode())
        mended = copy(served)  # the same data, asked with other settings
        mended.environment = {**served.environment, "WARMLEAD_TRACK_EVENT_BYTES": "100000"}
        first, *_ = mended.json("quarantine", "list")
        assert mended.json("quarantine", "replay", str(first["number"])) == {
            "released": 1,
            "kept": 0,
        }
        assert mended.json("quarantine", "replay") == {"released": 2, "kept": 0}
        assert mended.json("quarantine", "replay") == {"released": 0, "kept": 0}
        assert mended.json("quarantine", "list") == []
        # Without an id of the sender's, each is still an event of its own.
        until(lambda: events_of(served, "writes-much") == {"site_searched": 4})
