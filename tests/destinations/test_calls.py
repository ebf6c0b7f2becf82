"""Answers of a tool's JSON interface: what can be read, what must be, and what ends an attempt."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.crm_server import Asked, CrmServer, Said, running
from warmlead.destinations.calls import JsonApi, Reply, StoppedError, part, read
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed
from warmlead.ports.dispatching import OutboundAnswer
from warmlead.web.outbound import MAX_ANSWER_BYTES, HttpOutbound


class Saying(CrmServer):
    """Says one thing, whatever it is asked, and remembers the last request."""

    def __init__(self, said: Said) -> None:
        super().__init__()
        self._said = said
        self.last: Asked | None = None

    def handle(self, asked: Asked) -> Said:
        self.last = asked
        return self._said


def declined(reply: Reply) -> AttemptResult:
    return Declined(f"status {reply.status}")


def api_of(server: CrmServer, headers: Mapping[str, str] | None = None) -> JsonApi:
    outbound = HttpOutbound(allow_local=True)
    return JsonApi(outbound, server.address, declined, headers or {})


LONG = b'{"notes": "' + b"x" * MAX_ANSWER_BYTES + b'"}'


async def test_an_answer_that_is_too_long_is_an_uncertain_end() -> None:
    with running(Saying(Said(200, LONG))) as server:
        with pytest.raises(StoppedError) as ended:
            await api_of(server).call("GET", "/persons")
        assert ended.value.result == Postponed(
            "the answer is not JSON, or too long", is_certain=False
        )
        reply = await api_of(server).call("PATCH", "/persons/1", body={}, is_told=False)
        assert (reply.status, reply.data) == (200, None)


async def test_an_error_ends_the_attempt_unless_it_is_expected() -> None:
    with running(Saying(Said(404, {"why": "gone"}))) as server:
        assert (await api_of(server).call("GET", "/x", expected=(404,))).at("why") == "gone"
        with pytest.raises(StoppedError) as ended:
            await api_of(server).call("GET", "/x")
        assert ended.value.result == Declined("status 404")


async def test_a_request_has_its_query_its_headers_and_its_json() -> None:
    with running(Saying(Said(204))) as server:
        query = {"term": "ada+x@example.com", "fields": "a,b"}
        await api_of(server, {"x-api-token": "t"}).call("POST", "/s", query=query, body={"ä": 1})
        assert server.last is not None
        assert server.last.query == query
        assert server.last.json == {"ä": 1}
        assert server.last.headers["x-api-token"] == "t"
        assert server.last.headers["content-type"] == "application/json"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    ),
    st.lists(st.text() | st.integers(-3, 9)),
)
def test_any_json_can_be_asked_for_any_place(data: object, path: list[str | int]) -> None:
    reply = Reply(OutboundAnswer(200, {}, b""), data)
    found = reply.at(*path)
    assert all(isinstance(one, dict) for one in reply.items(*path))
    assert path or found == data


@given(st.binary(max_size=200), st.integers(200, 599))
def test_any_body_is_read_or_ends_the_attempt(body: bytes, status: int) -> None:
    answer = OutboundAnswer(status, {}, body)
    try:
        assert read(answer).answer == answer
    except StoppedError:
        assert answer.is_success


@given(st.text())
def test_a_part_of_a_path_stays_one_part(text: str) -> None:
    encoded = part(text.encode("utf-8", "ignore").decode())
    assert encoded.isascii()
    assert not set(encoded) & set("/?#& ")
