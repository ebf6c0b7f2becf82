"""Meta's leads are fetched by their ids, with the token of the settings and from Meta alone."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from senders.configured import USING
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Trust
from warmlead.ports import Fetched, RawRequest
from warmlead.senders.meta_leads import MetaLeadsSettings, MetaLeadsSource
from warmlead.senders.registry import sections_of

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"
SECTION = {"secrets": ["app-secret", "older"], "tokens": ["verify-1", "ä2"], "access_token": "EAAB"}
FILE = sections_of("forms", {"/meta-leads": SECTION}, production=False)
SETTINGS = cast("MetaLeadsSettings", FILE["/meta-leads"])


class Graph:
    """The port to the Graph API, with these answers by the id of a lead."""

    def __init__(self, **leads: Fetched | dict[str, Any] | None) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._leads = leads

    async def get(self, address: str, headers: Mapping[str, str]) -> Fetched:
        self.asked.append((address, headers))
        found = self._leads["_" + urlsplit(address).path.rpartition("/")[2]]
        if found is None:
            raise UnavailableError("graph.facebook.com does not answer")
        return found if isinstance(found, Fetched) else Fetched(200, json.dumps(found).encode())


def lead(email: str) -> dict[str, Any]:
    return {
        "created_time": "2026-03-02T09:58:28+0000",
        "field_data": [{"name": "email", "values": [email]}],
    }


def refused(status: int, code: int) -> Fetched:
    return Fetched(status, json.dumps({"error": {"code": code, "message": "No."}}).encode())


def notified(*ids: object) -> RawRequest:
    changes = [{"field": "leadgen", "value": {"leadgen_id": id_, "form_id": "7"}} for id_ in ids]
    body = json.dumps({"object": "page", "entry": [{"id": "1", "changes": changes}]}).encode()
    return RawRequest("POST", "/meta-leads", "", {}, body, NOW, "req")


def source(graph: Graph) -> MetaLeadsSource:
    return MetaLeadsSource(SETTINGS, own_hosts=frozenset(), fetcher=graph)


async def emails(graph: Graph, request: RawRequest) -> list[str | None]:
    sender = source(graph)
    translation = sender.translate(await sender.completed(request), Trust.SIGNED)
    return [event.email for _, event in translation.events]


async def test_each_lead_of_a_notification_is_fetched_in_its_place() -> None:
    graph = Graph(_11=lead("a@example.com"), _22=lead("b@example.com"))

    assert await emails(graph, notified("11", 22)) == ["a@example.com", "b@example.com"]

    for address, headers in graph.asked:
        parts = urlsplit(address)
        proof = hmac.new(b"app-secret", b"EAAB", hashlib.sha256).hexdigest()
        assert (parts.scheme, parts.netloc) == ("https", "graph.facebook.com")
        assert parts.path in ("/v23.0/11", "/v23.0/22")
        assert parse_qs(parts.query)["appsecret_proof"] == [proof]
        assert "field_data" in parts.query
        assert headers == {"Authorization": "Bearer EAAB"}
        assert "EAAB" not in address


FAULTY = rb"""{"created_time": "2026-03-02T09:58:28+0000", "x": NaN, "ad_id": "1", "ad_id": "2",
    "field_data": [{"name": "email", "values": ["ada\u0040example.com"]},
                   {"name": "first_name", "values": ["\u00c4da \ud83d"]}]}"""


async def test_escapes_and_faults_of_an_answer_cost_no_person() -> None:
    sender = source(Graph(_11=Fetched(200, FAULTY), _22=lead("b@example.com")))
    delivered = notified("11", "22").body.replace(b'"1"', rb'"\u0031"')

    completed = await sender.completed(replace(notified(), body=delivered))

    (_, first), (_, second) = sender.translate(completed, Trust.SIGNED).events
    assert (first.email, second.email) == ("ada@example.com", "b@example.com")
    assert str(first.traits["first_name"]).startswith("Äda")


@pytest.mark.parametrize(
    "id_", ["../me", "1/accounts", "", None, "1 2", "٣", True, {"a": 1}, "1" * 33, "444444444444"]
)
async def test_nothing_is_fetched_that_is_not_the_id_of_a_lead(id_: object) -> None:
    graph = Graph()

    assert await emails(graph, notified(id_)) == []
    assert graph.asked == []


async def test_nothing_is_fetched_for_other_changes_and_odd_bodies() -> None:
    graph = Graph()
    other = [{"field": "feed", "value": {"leadgen_id": "11"}}]
    changes: list[object] = [other, "x", None, [None, 5]]
    for body in ({"entry": [{"changes": each}]} for each in changes):
        request = replace(notified(), body=json.dumps(body).encode())
        assert await source(graph).completed(request) is request
    many = notified(*(str(number) for number in range(1, 1_002)))
    assert await source(graph).completed(many) is many
    assert graph.asked == []


async def test_a_lead_that_does_not_exist_goes_to_quarantine_and_costs_no_neighbour() -> None:
    graph = Graph(_11=refused(400, 100), _22=lead("b@example.com"))
    sender = source(graph)

    translation = sender.translate(await sender.completed(notified("11", "22")), Trust.SIGNED)

    assert [event.email for _, event in translation.events] == ["b@example.com"]
    (one,) = translation.refused
    assert json.loads(one.raw)["value"]["leadgen_id"] == "11"
    assert one.error.reason is Reason.EVENT_INVALID


@pytest.mark.parametrize(
    "answer",
    [
        None,
        refused(401, 190),
        refused(400, 190),
        refused(403, 200),
        refused(400, 4),
        refused(500, 2),
        refused(200, 2),
        Fetched(200, b"[]"),
        Fetched(502, b"<html>Bad gateway</html>"),
        Fetched(302, b""),
    ],
)
async def test_meta_is_asked_to_send_again_while_a_lead_may_still_come(
    answer: Fetched | None,
) -> None:
    graph = Graph(_11=answer, _22=lead("b@example.com"))

    with pytest.raises(UnavailableError) as error:
        await emails(graph, notified("11", "22"))

    assert "EAAB" not in error.value.message
    assert "example.com" not in error.value.message


async def test_the_log_says_why_and_nothing_of_the_lead(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnavailableError):
        await emails(Graph(_11=refused(401, 190)), notified("11"))

    (line,) = caplog.records
    assert line.getMessage() == "lead_not_fetched"
    assert line.__dict__["fields"] == {"status": 401, "reason": "code_190", "source": "meta_leads"}


async def test_a_lead_that_the_request_states_itself_does_not_count() -> None:
    request = notified("11")
    value = json.loads(request.body)
    value["entry"][0]["changes"][0]["value"]["lead"] = lead("forged@example.com")
    request = replace(request, body=json.dumps(value).encode())

    assert await emails(Graph(_11=lead("a@example.com")), request) == ["a@example.com"]
    assert await emails(Graph(_11=refused(400, 100)), request) == []


async def test_the_delivered_fixture_becomes_the_leads_of_the_graph() -> None:
    delivered = json.loads((FIXTURES / "leadgen__as_delivered_ids_only.json").read_text())["body"]
    graph = Graph(_1459076748710713=lead("a@example.com"))

    assert await emails(graph, replace(notified(), body=delivered.encode())) == ["a@example.com"]
    assert len(graph.asked) == 1


# --- the address is tried ---


def tried(query: str) -> RawRequest:
    return RawRequest("GET", "/meta-leads", query, {}, b"", NOW, "req")


@pytest.mark.parametrize("token", ["verify-1", "%C3%A42"])
def test_the_challenge_is_answered_to_whoever_knows_the_verify_token(token: str) -> None:
    query = f"hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}"

    answer = source(Graph()).handshake(tried(query))

    assert answer is not None
    assert (answer.status, answer.body) == (200, b"1158201444")
    assert answer.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("hub.mode=subscribe&hub.challenge=1", Reason.SIGNATURE_MISSING),
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=x", Reason.SIGNATURE_INVALID),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=app-secret",
            Reason.SIGNATURE_INVALID,
        ),
        ("hub.mode=subscribe&hub.challenge=<b>&hub.verify_token=verify-1", Reason.QUERY_INVALID),
        ("hub.mode=subscribe&hub.verify_token=verify-1", Reason.QUERY_INVALID),
    ],
)
def test_no_other_challenge_is_answered(query: str, reason: Reason) -> None:
    with pytest.raises(RejectedError) as refusal:
        source(Graph()).handshake(tried(query))
    assert refusal.value.reason is reason


def test_what_is_no_challenge_is_a_delivery() -> None:
    sender = source(Graph())
    mode = "hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-1"

    for request in (tried(""), tried("hub.mode=other"), replace(tried(mode), method="POST")):
        assert sender.handshake(request) is None


def test_the_settings_do_not_show_their_secrets() -> None:
    shown = repr(SETTINGS)
    assert not [text for text in ("app-secret", "verify-1", "EAAB") if text in shown]
    assert MetaLeadsSource.from_settings(SETTINGS, USING).paths == ["/meta-leads"]
