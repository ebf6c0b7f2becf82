"""Every source against every one of its fixtures: what arrives, and the events that it means.

Each fixture says in ``modelled_on`` which real client its form was taken from.
"""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote_plus

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost import assert_linear
from effort import examples
from senders.configured import (
    FIXTURES,
    NOW,
    configured_senders,
    meant,
    request_in,
    sampled,
    sender_of,
    started_anew,
)
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.ports import Accepted, RawRequest
from warmlead.runtime.table import SALES
from warmlead.senders.base import Sender
from warmlead.senders.registry import REGISTRY, by_name
from warmlead.web.answers import STATUS, Answer

SENDERS = configured_senders()
SPEAK_FOR_SALES = {
    name: sender for name, sender in SENDERS.items() if by_name(name).function == SALES.name
}
Case: TypeAlias = tuple[Sender, RawRequest, dict[str, Any]]


def fixture(path: Path) -> Case:
    said = json.loads(path.read_text())
    return SENDERS[sender_of(path)], request_in(said), said


@pytest.fixture(params=FIXTURES, ids=lambda path: f"{sender_of(path)}/{path.stem}")
def case(request: pytest.FixtureRequest) -> Case:
    return fixture(request.param)


@pytest.fixture(params=sampled(FIXTURES))
def sample(request: pytest.FixtureRequest) -> Case:
    return fixture(request.param)


def test_every_registered_sender_is_held_to_its_fixtures() -> None:
    registered = {each.name for each in REGISTRY}
    assert set(SENDERS) == registered
    assert set(map(sender_of, FIXTURES)) == registered


def test_a_fixture_says_on_what_it_is_modelled(sample: Case) -> None:
    assert sample[2]["modelled_on"]


def test_a_fixture_means_its_events(case: Case) -> None:
    sender, request, said = case

    translation = sender.translate(request, sender.verify(request))

    found = meant(translation)
    assert found == said["expected"]
    refused = [{"index": one.index, "reason": one.error.reason} for one in translation.refused]
    assert refused == said["refused"]
    done = {*(one["index"] for one in (*found, *refused, *said.get("ignored", [])))}
    assert done == set(range(translation.items))
    assert all(event.source == sender.name for _, event in translation.events)


def test_a_repeat_has_the_same_ids(sample: Case) -> None:
    sender, request, said = sample
    again = replace(request, request_id="another")

    ids = [event.id for _, event in sender.translate(again, sender.verify(again)).events]

    known = [one["id"] for one in said["expected"]]
    # Without an id of the sender's, only the content of a form tells that it came before.
    assert [id_ for id_ in known if not id_.startswith("req-")] == [
        id_ for id_ in ids if not id_.startswith("another-")
    ]


def signed(sender: Sender, request: RawRequest) -> RawRequest:
    proof = {name.lower(): value for name, value in sender.sign(request).items()}
    return replace(request, headers={**request.headers, **proof})


def test_what_a_sender_signs_anew_is_as_authentic_as_its_fixture(sample: Case) -> None:
    sender, request, _ = sample
    changed = replace(request, body=request.body + b" ")

    assert sender.verify(signed(sender, changed)) is sender.verify(request)


WIDENED = {
    sender_of(path): path
    for path in reversed(FIXTURES)
    if json.loads(path.read_text())["body"].startswith(("{", "["))
}


@pytest.mark.slow
@pytest.mark.parametrize("path", WIDENED.values(), ids=WIDENED)
def test_four_times_as_many_fields_cost_about_four_times_as_much(path: Path) -> None:
    """A sender's record may have thousands of fields, at any place."""
    sender, request, _ = fixture(path)

    def work(fields: int) -> None:
        body = json.dumps(widened(json.loads(request.body), fields)).encode()
        wider = signed(sender, replace(request, body=body))
        with suppress(RejectedError):
            sender.translate(wider, sender.verify(wider))

    assert_linear(lambda: work(300), lambda: work(1_200))


def widened(value: Any, fields: int) -> Any:
    """A body with more fields in each of its objects, named and valued as those that it has."""
    if isinstance(value, list):
        return [widened(one, fields) for one in value[:2]]
    if not isinstance(value, dict):
        return value
    inner = {name: widened(one, fields) for name, one in value.items()}
    names, values = list(inner), [one for one in inner.values() if isinstance(one, str)] or [""]
    more = {
        f"{names[n % len(names)]}{n}": values[n % len(values)]
        for n in range(fields if names else 0)
    }
    return {**inner, **more}


@pytest.mark.parametrize(
    "path",
    [path for path in FIXTURES if sender_of(path) in SPEAK_FOR_SALES],
    ids=lambda path: f"{sender_of(path)}/{path.stem}",
)
def test_a_request_without_any_proof_is_refused_by_sales_until_it_is_signed(path: Path) -> None:
    sender, request, _ = fixture(path)
    bare = replace(request, query="", headers={})

    with pytest.raises(RejectedError) as refusal:
        sender.verify(bare)
    assert STATUS[Reason(refusal.value.reason)] == 401
    assert sender.verify(signed(sender, bare)) is Trust.SIGNED


def test_success_is_200_or_a_redirect(sample: Case) -> None:
    sender, request, _ = sample

    answer = sender.answer(request, Accepted(1, [], 1))

    assert answer.status == 200 or (answer.status, bool(answer.headers)) == (303, True)


def test_no_key_of_the_sender_is_kept(sample: Case) -> None:
    sender, request, _ = sample

    translation = sender.translate(request, Trust.PUBLIC)
    kept = msgspec.json.encode([event for _, event in translation.events]).decode()

    assert "writeKey" not in kept
    assert "write_key" not in kept


@given(st.data())
@settings(max_examples=examples(300))
def test_damaged_requests_raise_nothing_but_rejections(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FIXTURES))
    _, request, _ = fixture(path)
    sender = started_anew(sender_of(path))
    body = bytearray(request.body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    damaged = replace(
        request,
        body=bytes(body),
        query=request.query + data.draw(st.text(max_size=5)),
        path=data.draw(st.sampled_from([request.path, "/", "/v1/b", "/generic/x"])),
        headers={**request.headers, "content-type": data.draw(content_types)},
    )

    assert_only_rejects(sender, damaged)


@given(st.data())
@settings(max_examples=examples(300))
def test_damaged_statements_raise_nothing_but_rejections(data: st.DataObject) -> None:
    """Past the signature, which would refuse all of them."""
    paths = [path for path in FIXTURES if sender_of(path) in SPEAK_FOR_SALES]
    sender, request, _ = fixture(data.draw(st.sampled_from(paths)))
    body = bytearray(request.body)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))

    assert_only_rejects(sender, replace(request, body=bytes(body)), verified=True)


STOPS = (403, 406)
"""What makes Postmark and Mailgun stop, where others stop at any 4xx."""

content_types = st.sampled_from(
    [
        *("application/json", "text/plain", "application/x-www-form-urlencoded", "", "a/b; =;"),
        *("multipart/form-data; boundary=----WebKitFormBoundaryAb1", "multipart/form-data"),
        *("text/plain; charset=utf-7", "application/x-www-form-urlencoded; charset=latin1"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["a", "name", "email", "url"]) | st.text(), inner, max_size=4
        )
    ),
    max_leaves=12,
)
calls = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "page", "screen", "group", "alias"])},
    optional=dict.fromkeys(
        (
            *("userId", "anonymousId", "previousId", "groupId", "messageId", "event", "name"),
            *("timestamp", "originalTimestamp", "sentAt", "context", "traits", "properties"),
        ),
        json_values,
    ),
)


@given(st.lists(calls | json_values, max_size=3), json_values)
@settings(max_examples=examples(300))
def test_any_json_in_a_batch_is_an_event_or_a_refusal(items: list[object], context: object) -> None:
    body = json.dumps({"batch": items, "context": context, "writeKey": "pub"}).encode()
    request = RawRequest("POST", "/v1/batch", "", {}, body, NOW, "req")

    assert_only_rejects(SENDERS["segment"], request)


@given(st.dictionaries(st.text(), json_values, max_size=5) | st.lists(json_values, max_size=3))
@settings(max_examples=examples(300))
def test_any_json_to_a_form_is_an_event_or_a_refusal(payload: dict[str, object]) -> None:
    request = RawRequest(
        "POST", "/generic/contact", "", {}, json.dumps(payload).encode(), NOW, "req"
    )

    assert_only_rejects(SENDERS["generic"], request)


@given(st.sampled_from(sorted(SPEAK_FOR_SALES)), st.data())
@settings(max_examples=examples(600))
def test_any_json_to_sales_is_an_event_or_a_refusal(name: str, data: st.DataObject) -> None:
    payload = data.draw(statements_of(name) | json_values | st.lists(statements_of(name)))
    headers = {"content-type": "application/json"}
    body = json.dumps(payload).encode()
    request = RawRequest("POST", f"/{name}", "", headers, body, NOW, "req")

    assert_only_rejects(SPEAK_FOR_SALES[name], request, verified=True)


def statements_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Something like what the sender sends: its fields, with anything in them."""
    bodies = [json.loads(json_of(path)) for path in FIXTURES if sender_of(path) == name]
    items = [item for body in bodies for item in (body if isinstance(body, list) else [body])]
    known: dict[str, Any] = {}
    for item in items:
        known |= item
    fields = {
        key: st.just(value)
        | json_values
        | (st.dictionaries(st.sampled_from(sorted(value)), json_values) if value else json_values)
        if isinstance(value, dict)
        else st.just(value) | json_values
        for key, value in known.items()
    }
    return st.sampled_from(items) | st.fixed_dictionaries({}, optional=fields)


def json_of(path: Path) -> str:
    """The JSON in a fixture's body: the whole of it, or a field of a form; ``{}`` for XML."""
    body = str(json.loads(path.read_text())["body"])
    if body.startswith("payload="):
        return unquote_plus(body.removeprefix("payload="))
    return "{}" if body.startswith("<") else body


def assert_only_rejects(sender: Sender, request: RawRequest, *, verified: bool = False) -> None:
    """Whatever is in the request, it ends in events, refusals or a ``RejectedError``."""
    try:
        trust = Trust.SIGNED if verified else sender.verify(request)
        translation = sender.translate(request, trust)
        answer = sender.answer(request, translation.accepted)
    except RejectedError as error:
        answer = sender.answer_failure(request, Answer(400, error.message.encode()))
        assert answer.status in (200, 400, *STOPS)
        return
    for _, event in translation.events:
        msgspec.json.encode(event)  # storable: no half surrogate, no NaN
        assert event.key
    for one in translation.refused:
        one.raw.decode()
    is_told = translation.keeps_refused and translation.refused and not translation.events
    assert answer.status in ((200, 400, 415) if is_told else (200, 303))
