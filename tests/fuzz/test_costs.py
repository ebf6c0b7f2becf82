"""All work on a sender's text is linear: four times the text costs about four times as much.

Processor time, the median of several tries. A quadratic function takes sixteen times as much
for the larger text, so eight is far from either.
"""

import json
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import pytest

from builders import NOW
from cost import assert_within
from fuzz.budget import budget_s, repeated
from warmlead.application.privacy.erase import _identifiers_in
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust, snake_case
from warmlead.model.conditions import Context, Formula
from warmlead.model.document import Severity
from warmlead.model.loading import check, ready_text
from warmlead.model.vocabulary import ValueType
from warmlead.parsing.strict_json import fault_in, parse, text_of
from warmlead.parsing.times import parse_time
from warmlead.ports import RawRequest, Source
from warmlead.senders.attribution import visit_of
from warmlead.senders.forms import set_aside
from warmlead.senders.person import event_name
from warmlead.senders.salesforce import SalesforceSource
from warmlead.senders.salesforce.source import ENVELOPE, OUTBOUND, SalesforceSettings, read_xml
from warmlead.senders.segment import SegmentSource
from warmlead.senders.submission import FormMapping
from warmlead.web.edge import cors_headers

TIMES = 4
MOST_TIMES = 8
NOISE_S = 0.002

Work = Callable[[Any], object]


def refused(work: Work) -> Work:
    def tried(given: Any) -> object:
        try:
            return work(given)
        except RejectedError as error:
            return error

    return tried


def quarantined(raw: str) -> list[object]:
    return list(_identifiers_in(raw))


def of_json(text: str) -> object:
    value = parse(text.encode()).value
    return fault_in(value) or text_of(value)


def as_sent(text: str) -> object:
    return text_of(parse(text.encode()).value)


def of_url(url: str) -> object:
    return visit_of(url=url, referrer=url, campaign={"source": url}, fields={"gclid": url})


WORK: dict[str, tuple[Work, Callable[[int], Any]]] = {
    "a name of marks": (snake_case, lambda n: "\u0315\u0300" * n),
    "a name of words": (snake_case, lambda n: "aB " * n),
    "a name that grows": (snake_case, lambda n: "\ufdfa" * n),
    "an event's name": (event_name, lambda n: "é\u0315" * n),
    "a time of digits": (refused(lambda text: parse_time(text, "a")), lambda n: "1" * n),
    "a time that goes on": (
        refused(lambda text: parse_time(text, "a")),
        lambda n: "2026-3-2" + " " * n,
    ),
    "a URL of parameters": (of_url, lambda n: "https://a.example/?" + "utm_source=%25&" * n),
    "a URL of escapes": (of_url, lambda n: "https://a.example/?utm_source=" + "%25" * n),
    "a URL of question marks": (of_url, lambda n: "https://" + "?" * n),
    "an origin": (lambda text: cors_headers({"origin": text}), lambda n: "a://" + "a" * n),
    "JSON of escapes": (of_json, lambda n: '"' + "\\u0041" * n + '"'),
    "JSON of faults": (refused(of_json), lambda n: "[" + "NaN," * n + "1]"),
    "JSON of a fault among much": (as_sent, lambda n: "[" + '{"a":1},' * n + "NaN]"),
    "JSON of keys that are there twice": (
        as_sent,
        lambda n: "[" + '{"a":1,"a":[{}]},' * (n // 4) + "1]",
    ),
    "JSON of keys": (of_json, lambda n: "{" + ",".join(f'"{i}":1' for i in range(n)) + "}"),
    "XML of elements": (refused(read_xml), lambda n: b"<a>" + b"<b/>" * n + b"</a>"),
    "XML of attributes": (
        refused(read_xml),
        lambda n: b"<a" + b"".join(b' a%d="b"' % i for i in range(n)) + b"/>",
    ),
    "XML of namespaces": (
        refused(read_xml),
        lambda n: b"<a" + b"".join(b' xmlns:a%d="b"' % i for i in range(n)) + b"/>",
    ),
    "XML of entities": (refused(read_xml), lambda n: b"<a>" + b"&lt;" * n + b"</a>"),
    "set aside: addresses": (quarantined, lambda n: "a@" * n),
    "set aside: no address": (quarantined, lambda n: "a" * n),
    "set aside: names": (quarantined, lambda n: json.dumps({"é\u0315" * n + "id": "1"})),
}  # fmt: skip


@pytest.mark.parametrize("what", WORK)
def test_work_on_a_senders_text_grows_with_it_and_no_faster(what: str) -> None:
    work, make = WORK[what]

    assert_proportional(work, make, 4_000)


def assert_proportional(work: Work, make: Callable[[int], Any], size: int) -> None:
    few, many = make(size), make(TIMES * size)
    small, large = repeated(lambda: work(few)), repeated(lambda: work(many))
    assert large < MOST_TIMES * small + NOISE_S, f"{large:.4f} s against {small:.4f} s"


def test_the_check_detects_quadratic_work() -> None:
    def doubles(values: list[int]) -> list[int]:
        return [each for place, each in enumerate(values) if each not in values[:place]]

    with pytest.raises(AssertionError):
        assert_proportional(doubles, lambda n: list(range(n)), 1_000)


# --- whole requests ------------------------------------------------------------------------

KEY = "a-write-key"
ORGANIZATION = "00D000000000001AAA"
TRACK = SegmentSource({KEY: Trust.PUBLIC})
SALES = SalesforceSource(
    SalesforceSettings(
        tokens=(KEY,), organizations=(ORGANIZATION,), stages={"Status": {"Open": "accepted"}}
    )
)


def accepted(source: Source, path: str, body: bytes) -> object:
    """What becomes of a request; its key is where it costs most to find it."""
    query = f"token={KEY}" if source is SALES else ""
    headers = {"content-type": "text/xml" if body.startswith(b"<") else "application/json"}
    request = RawRequest("POST", path, query, headers, body, NOW, "a-request")
    try:
        return source.translate(request, source.verify(request))
    except RejectedError as error:
        return error.reason


def batch(item: str, size: int = 499_000) -> bytes:
    """A batch of so many equal items; its write key stands in it, as browsers send it."""
    items = ",".join([item] * (size // (len(item) + 1)))
    return f'{{"writeKey":"{KEY}","batch":[{items}]}}'.encode()


def outbound(size: int = 290_000) -> bytes:
    one = "<Notification><Id>04l00000000000AAAA</Id><sObject><Id>1</Id></sObject></Notification>"
    return (
        f'<Envelope xmlns="{ENVELOPE}"><Body><notifications xmlns="{OUTBOUND}">'
        f"<OrganizationId>{ORGANIZATION}</OrganizationId>{one * (size // len(one))}"
        "</notifications></Body></Envelope>"
    ).encode()


def of_arabic_domains(size: int = 100_000) -> bytes:
    letters = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
    random = Random(1)
    calls: list[str] = []
    while sum(len(call.encode()) + 1 for call in calls) < size:
        labels = ("".join(random.choices(letters, k=14)) for _ in range(8))
        calls.append(f'{{"type":"identify","traits":{{"email":"a@{".".join(labels)}"}}}}')
    return f'{{"writeKey":"{KEY}","batch":[{",".join(calls)}]}}'.encode()


TOO_MANY: dict[str, tuple[Source, str, bytes]] = {
    "lists": (TRACK, "/v1/batch", batch("[]")),
    "nested lists": (TRACK, "/v1/batch", batch("[" * 30 + "]" * 30)),
    "numbers": (TRACK, "/v1/batch", batch("1")),
    "maps": (TRACK, "/v1/batch", batch('{"a":1}')),
    "notifications": (SALES, "/salesforce", outbound()),
}


@pytest.mark.parametrize("what", TOO_MANY)
def test_a_body_refused_for_its_item_count_costs_half(what: str) -> None:
    source, path, body = TOO_MANY[what]
    assert accepted(source, path, body) in (Reason.TOO_MANY_EVENTS, Reason.BODY_TOO_LARGE)

    assert_within(budget_s(len(body), refused=True), lambda: accepted(source, path, body))


@pytest.mark.parametrize("body", [batch("[" * 180 + "]" * 180), of_arabic_domains()])
def test_the_most_expensive_body_costs_no_more_than_its_size_allows(body: bytes) -> None:
    assert_within(budget_s(len(body)), lambda: accepted(TRACK, "/v1/batch", body))


def test_setting_many_small_records_aside_costs_no_more_than_their_size_allows() -> None:
    items = [{"answers": [{"a": number}] * 100} for number in range(100)]
    size = len(json.dumps(items, separators=(",", ":")))

    assert_within(budget_s(size), lambda: [set_aside(item, FormMapping()) for item in items])


# --- what a model's author writes ----------------------------------------------------------

EVIL = (
    ("(a+)+$", "a", "!"),
    ("^(([a-z ])+.)+[A-Z]([a-z])+$", "a", "!"),
    ("(x+x+)+y", "x", ""),
    (r"(\\s*,?\\s*)*;", " ", "x"),
    ("(.*a){12}", "a", ""),
    ("(a|aa)+$", "a", "b"),
)


@pytest.mark.parametrize(("pattern", "run", "end"), EVIL)
def test_no_pattern_of_a_model_takes_more_than_its_share_for_any_text(
    pattern: str, run: str, end: str
) -> None:
    context = Context.of({"title": ValueType.STRING}, {})
    formula = Formula(f'title.matches("{pattern}")', context)
    anew = count()  # an answer that was given before is remembered

    assert_proportional(
        lambda text: formula({"title": f"{next(anew)}{text}"}), lambda n: run * n + end, 4_000
    )


@pytest.mark.parametrize("pattern", ["(?=a)b", "(?<!a)b", r"(a)\\1", "(?>a+)b", "(a{1000}){1000}"])
def test_a_pattern_that_cannot_be_matched_in_linear_time_makes_no_model(pattern: str) -> None:
    rule = f"\nfit:\n  odd: {{when: 'title.matches(\"{pattern}\")', points: 5}}\n"
    text = ready_text("b2b-saas").replace("\nfit:\n", rule, 1)

    (found,) = [found for found in check(text) if found.severity is not Severity.NOTE]

    assert found.severity is Severity.ERROR
    assert "the regular expression does not compile" in str(found)
