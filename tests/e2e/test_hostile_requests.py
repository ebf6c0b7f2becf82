"""Bad input against a running server: never a 5xx, a hang, an echo, a lead or a line in a log."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.hostile_contents import FORM_KEPT, FORM_ROWS, JSON_KEPT, JSON_ROWS
from e2e.hostile_edges import HEADERS, KEYS, PATHS, SIGNATURES
from e2e.hostile_events import ID_KEPT, ID_ROWS, SEGMENT_KEPT, SEGMENT_ROWS, TIME_KEPT
from e2e.hostile_requests import BODIES, CANARY, EMAIL, ENCODINGS, ENCODINGS_KEPT, FORMS, Row
from e2e.odd_requests import TOLERATED
from e2e.wire import Answered, exchange
from patience import PATIENCE_S, until
from served import Served, serving

pytestmark = pytest.mark.xdist_group("hostile")  # they share one server, and what it went through

AT_THE_EDGE = [*BODIES, *ENCODINGS, *HEADERS, *PATHS, *KEYS, *SIGNATURES]
BAD = [*AT_THE_EDGE, *JSON_ROWS, *FORM_ROWS, *ID_ROWS, *SEGMENT_ROWS]
KEPT = [*ENCODINGS_KEPT, *JSON_KEPT, *FORM_KEPT, *ID_KEPT, *TIME_KEPT, *SEGMENT_KEPT]
"""Requests of somebody who can be known, with a part that cannot be used."""

UNTOLD = frozenset(
    [
        *("UTF-16", "UTF-16 without a mark", "form: not JSON", "a list as e-mail", "no boundary"),
        *("another boundary", "a boundary of 30 KB", "an empty boundary", "no last boundary"),
        *("context that is a list", "traits that are a list"),
    ]
)
"""Those of the kept of which nothing is lost."""

SET_ASIDE = (
    *("form_invalid", "media_type_unsupported", "json_invalid", "json_too_deep", "event_invalid"),
    *("identity_missing", "email_invalid"),
)
"""Why a post to a form may be in quarantine."""

NOTHING_TO_KEEP = ("form: NaN", "only separators", "only a password")
FAITHFUL = "faithful@example.com"


@dataclass(frozen=True)
class Siege:
    """What came of all the rows, the bad ones first, and what was left of the server."""

    answers: Mapping[str, Answered]
    leads_of_the_bad: list[dict[str, Any]]
    quarantine_of_the_bad: list[dict[str, Any]]
    honeypot_left_no_lead: bool
    log: str


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    forms = folder / "forms.yaml"
    forms.write_text(json.dumps(FORMS))  # JSON is YAML
    data = folder / "data"
    with serving(data, WARMLEAD_FORMS=str(forms), WARMLEAD_BODY_TIMEOUT_S="5") as served:
        yield served


@pytest.fixture(scope="module")
def siege(besieged: Served) -> Siege:
    answers = {row.name: exchange(besieged.base, row.sent) for row in BAD}
    _is_counted(besieged, "after-the-bad")
    leads = besieged.json("lead", "list")
    quarantine = besieged.json("quarantine", "list")
    honeypot = next(row for row in TOLERATED if "honeypot" in row.name)
    answers[honeypot.name] = exchange(besieged.base, honeypot.sent)
    _is_counted(besieged, "after-the-robot")
    robot_is_nobody = besieged.lead(EMAIL) is None
    answers |= {row.name: exchange(besieged.base, row.sent) for row in (*TOLERATED, *KEPT)}
    (log,) = besieged.data.parent.glob("serve-*.log")
    return Siege(answers, leads, quarantine, robot_is_nobody, log.read_text())


def _is_counted(server: Served, event: str) -> None:
    """A good event is answered 200 and counted, so all that came before it has been worked on."""
    body = json.dumps({"userId": FAITHFUL, "event": event, "messageId": event}).encode()
    status, _ = server.post("/v1/track?writeKey=local", body)
    assert status == 200
    until(lambda: event.replace("-", "_") in (server.lead(FAITHFUL) or {"events": {}})["events"])


def test_the_rows_have_unique_names() -> None:
    names = [row.name for row in (*BAD, *TOLERATED, *KEPT)]
    assert len(BAD) >= 100
    assert len(KEPT) >= 50
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", [*BAD, *TOLERATED, *KEPT], ids=lambda row: row.name)
def test_bad_input_is_answered_in_time_with_its_reason(row: Row, siege: Siege) -> None:
    answer = siege.answers[row.name]
    assert answer.status == row.status, answer.body
    assert answer.took_s < PATIENCE_S
    assert CANARY.encode() not in answer.body
    assert CANARY not in str(answer.headers)
    if row.status >= 400:
        _is_an_error(answer, row.code)
    elif "pixel" in row.name:
        assert answer.headers["content-type"] == "image/gif"
    elif row.status == 204:
        assert answer.body == b""
    elif row.status:
        said = json.loads(answer.body)
        assert said.pop("success") is True
        assert [item["code"] for item in said.get("refused", [])] == ([row.code] * bool(row.code))
        if row in KEPT:
            assert bool(said.get("notes")) is (row.name not in UNTOLD)


def _is_an_error(answer: Answered, code: str | None) -> None:
    if code is None:
        assert not answer.body.startswith(b"{")  # what stands before us speaks plainly
        return
    error = json.loads(answer.body)
    assert error.keys() == {"code", "message"}
    assert error["code"] == code
    assert error["message"]


def test_refused_requests_make_no_lead(siege: Siege) -> None:
    assert [lead["email"] for lead in siege.leads_of_the_bad] == [FAITHFUL]
    assert siege.honeypot_left_no_lead


def test_only_forms_and_calls_are_set_aside_and_each_is_bounded(siege: Siege) -> None:
    lying = siege.quarantine_of_the_bad
    assert {entry["source"] for entry in lying} == {"generic", "segment"}
    assert {"identity_missing", "email_invalid", "form_invalid"} <= {e["reason"] for e in lying}
    of_forms = [entry for entry in lying if entry["source"] == "generic"]
    assert len(of_forms) == sum(_is_set_aside(row) for row in BAD)
    assert all(len(entry["content"]) <= 70_000 for entry in lying)


def _is_set_aside(row: Row) -> bool:
    """Whether it is a post that a form takes, with something in it, but of nobody."""
    is_form = row.sent.head.startswith(b"POST /forms/generic HTTP")
    return is_form and row.code in SET_ASIDE and row.name not in NOTHING_TO_KEEP


def test_the_log_holds_no_sent_content(siege: Siege) -> None:
    assert CANARY not in siege.log
    assert "hostile.example" not in siege.log
    assert "Traceback" not in siege.log
    assert not re.search(r"\bERROR\b|status=5", siege.log)
    assert siege.log.count("request_answered") > 150


def test_the_server_still_works(besieged: Served, siege: Siege) -> None:
    assert siege.answers
    _is_counted(besieged, "after-it-all")
    assert besieged.json("lead", "show", FAITHFUL)["events"]["after_the_bad"] == 1
