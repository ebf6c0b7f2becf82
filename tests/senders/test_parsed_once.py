"""A request's body is parsed, and its items are judged, once from its arrival to its answer."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import CodeType, FrameType
from typing import Any, Self

import pytest

from senders.configured import FIXTURES, sampled
from senders.test_conformance import SENDERS, fixture
from warmlead.domain.event import Trust
from warmlead.parsing import form_bodies, strict_json
from warmlead.ports import RawRequest
from warmlead.senders.base import Sender
from warmlead.senders.crm import SalesSender
from warmlead.senders.forms import FormSender
from warmlead.senders.salesforce.source import read_outbound
from warmlead.senders.segment.calls import translate_call

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
PARSERS: tuple[Callable[..., Any], ...] = (
    strict_json.parse,
    strict_json.loads,
    form_bodies.parse_urlencoded,
    form_bodies.parse_text_plain,
    form_bodies.parse_multipart,
    read_outbound,
)
JUDGES: tuple[Callable[..., Any], ...] = (
    FormSender._judge,  # noqa: SLF001  # judges one fact of an item
    SalesSender._judged,  # noqa: SLF001  # the same
    translate_call,
)


def code_of(functions: Sequence[Callable[..., Any]]) -> set[CodeType]:
    return {function.__code__ for function in functions}


class Counting:
    """Counts how often each text is parsed and how many items are judged; patches nothing."""

    def __init__(self) -> None:
        self.parsed: Counter[tuple[str, bytes]] = Counter()
        self.judged = 0
        self._parsers, self._judges = code_of(PARSERS), code_of(JUDGES)

    def __enter__(self) -> Self:
        self._before = sys.getprofile()
        sys.setprofile(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _see(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        if frame.f_code in self._judges:
            self.judged += 1
        caller = frame.f_back
        if frame.f_code in self._parsers and (caller is None or caller.f_code not in self._parsers):
            self.parsed[frame.f_code.co_name, frame.f_locals["body"]] += 1


def answers(sender: Sender, *requests: RawRequest) -> tuple[int, int]:
    """Answers requests that arrive at once; how many items say something, and how many facts."""
    translated = [sender.translate(each, sender.verify(each)).accepted for each in requests]
    for request, accepted in zip(requests, translated, strict=True):
        sender.answer(request, accepted)
    facts = [one.events + len(one.refused) + len(one.ignored) for one in translated]
    items = [one.items for one in translated]
    silent = sum(len(one.ignored) + len(one.refused) for one in translated)
    return sum(items) - silent, sum(map(max, items, facts))


@pytest.mark.parametrize("path", sampled(FIXTURES))
def test_no_sender_parses_a_text_or_judges_an_item_twice(path: Any) -> None:
    sender, request, _ = fixture(path)
    another = replace(request, request_id="of another client")

    with Counting() as counted:
        items, facts = answers(sender, request, another)

    assert counted.parsed or not request.body  # a pixel has a query, which may be no JSON
    assert set(counted.parsed.values()) <= {2}, "once for each of the two requests"
    assert items <= counted.judged <= facts, "an item may tell several facts"


@pytest.mark.parametrize("settings", [{}, {"sec-fetch-mode": "navigate"}])
def test_a_form_of_a_browser_is_parsed_once(settings: dict[str, str]) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", **settings}
    body = b"email=ada%40example.com&_redirect=https%3A%2F%2Fexample.com%2Fthanks"
    request = RawRequest("POST", "/generic/contact", "", headers, body, NOW, "req")

    with Counting() as counted:
        answers(SENDERS["generic"], request)

    assert (counted.parsed, counted.judged) == (Counter([("parse_urlencoded", body)]), 1)


def test_data_in_an_envelope_is_parsed_once() -> None:
    data = b'{"email": "ada@example.com"}'
    body = (
        b'{"specversion": "1.0", "id": "1", "source": "/forms", "type": "form.sent",'
        b' "data_base64": "eyJlbWFpbCI6ICJhZGFAZXhhbXBsZS5jb20ifQ=="}'
    )
    headers = {"content-type": "application/cloudevents+json"}
    request = RawRequest("POST", "/generic/contact", "", headers, body, NOW, "req")

    with Counting() as counted:
        answers(SENDERS["generic"], request)

    assert counted.parsed == Counter([("parse", body), ("parse", data)])


def test_a_pixel_with_its_key_in_its_data_is_parsed_once() -> None:
    query = "data=eyJ3cml0ZUtleSI6ICJwdWIiLCAidXNlcklkIjogInUtMSIsICJldmVudCI6ICJTZWVuIn0="
    request = RawRequest("GET", "/v1/pixel/track", query, {}, b"", NOW, "req")
    sender = SENDERS["segment"]

    with Counting() as counted:
        assert sender.verify(request) is Trust.PUBLIC
        (_, event), *_ = sender.translate(request, Trust.PUBLIC).events

    assert event.user_id == "u-1"
    assert list(counted.parsed.values()) == [1]
