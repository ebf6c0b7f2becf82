import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import assert_within
from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.strict_json import (
    MAX_CONTAINERS,
    MAX_FAULTS,
    JsonFault,
    fault_in,
    loads,
    parse,
    text_of,
)

sound = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
)


@given(sound, st.booleans())
def test_sound_json_is_read_as_the_usual_parser_reads_it(value: object, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode(errors="replace")

    assert loads(body) == json.loads(body)
    assert not parse(body).suspect or b"\\u" in body


def test_a_byte_order_mark_is_tolerated() -> None:
    assert loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_pairs_of_surrogates_are_characters() -> None:
    assert loads(b'["\\ud83d\\ude80", "\\\\ud800", "\\u00eb"]') == ["🚀", "\\ud800", "ë"]


HUGE = b"9" * 5000
FAULTY = [
    (b"NaN", Reason.JSON_NOT_A_NUMBER),
    (b"-Infinity", Reason.JSON_NOT_A_NUMBER),
    (b"1e999", Reason.JSON_NOT_A_NUMBER),
    (b"9223372036854775808", Reason.JSON_INTEGER_TOO_LARGE),
    (b"-9223372036854775809", Reason.JSON_INTEGER_TOO_LARGE),
    (HUGE, Reason.JSON_INTEGER_TOO_LARGE),
    (b'{"a": 1, "a": 2}', Reason.JSON_DUPLICATE_KEY),
    (b'{"a": 1, "\\u0061": 2}', Reason.JSON_DUPLICATE_KEY),
    (b'{"x": {"a": {}, "b": 1, "a": []}}', Reason.JSON_DUPLICATE_KEY),
    (b'"\\ud800"', Reason.JSON_SURROGATE),
    (b'"\\udc00\\ud800"', Reason.JSON_SURROGATE),
    (b'{"\\ud800": 1}', Reason.JSON_SURROGATE),
    (b'"\xff\xfe"', Reason.CHARSET_INVALID),
    (b'"\xed\xa0\x80"', Reason.CHARSET_INVALID),
    (b"[" * 40 + b"]" * 40, Reason.JSON_TOO_DEEP),
    (b"[" * 100_000 + b"]" * 100_000, Reason.JSON_TOO_DEEP),
    (b'{"a":[' * 9_000 + b'"]}\\"[", 1' + b"]}" * 9_000, Reason.JSON_TOO_DEEP),
    (b"[" * 300 + b"{]" + b"]" * 300, Reason.JSON_TOO_DEEP),
]


@pytest.mark.parametrize(("text", "reason"), FAULTY)
def test_a_local_fault_refuses_a_whole_body(text: bytes, reason: Reason) -> None:
    with pytest.raises(RejectedError) as refusal:
        loads(text)

    assert refusal.value.reason is reason


@pytest.mark.parametrize(("text", "reason"), FAULTY)
def test_a_local_fault_costs_no_neighbour(text: bytes, reason: Reason) -> None:
    document = parse(b'{"batch": [{"a": 1}, ' + text + b', {"b": "\\ud83d\\ude80"}]}')

    assert document.suspect
    assert isinstance(document.value, dict)
    first, faulty, last = document.value["batch"]
    assert fault_in(first) is None
    assert fault_in(last) is None
    assert (first, last) == ({"a": 1}, {"b": "🚀"})
    found = fault_in(faulty)
    assert found
    assert found.reason is reason


@pytest.mark.parametrize("body", [b"", b" \n\t"])
def test_an_empty_body_is_named_as_such(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        loads(body)

    assert refusal.value.reason is Reason.BODY_EMPTY


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[1,]", b"{'a': 1}", b"[1] x", b'"a', b"]", b"}{", b'{"a"}', b"\\", b"\0"),
        *(b'["\\x"]', b'["\\u12"]', b'["\n"]', b"[01]", b"[.5]", b"nul", b"1 2", b"\xff"),
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        loads(body)

    assert refusal.value.reason is Reason.JSON_INVALID


def test_a_refusal_does_not_repeat_the_body() -> None:
    with pytest.raises(RejectedError) as refusal:
        loads(b'{"email": "ada@example.com"')

    assert "ada" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'[{"a":' * 300 + b"1"])
def test_a_body_that_nests_without_an_end_is_refused_before_it_is_parsed(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        loads(body)

    assert refusal.value.reason is Reason.JSON_TOO_DEEP


@pytest.mark.slow
@pytest.mark.parametrize("part", ["[]", '{"a":[]}', '["\\\\"]', '"\\"",[]'])
def test_leaving_out_what_is_too_deep_takes_time_in_proportion(part: str) -> None:
    deep = "[" * 1_000 + ",".join([part] * (200_000 // len(part))) + "]" * 1_000
    body = json.dumps({"batch": [1]}).replace("1", deep).encode()
    assert_within(0.1, lambda: parse(body))


def test_brackets_in_texts_do_not_nest() -> None:
    assert loads(b'["' + b"[{" * 1000 + b'", "\\"[", "\\\\"]')


def test_thirty_two_levels_are_allowed() -> None:
    assert loads(b"[" * 32 + b"]" * 32)


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:\\u d8019eE-+.NaIfinty', max_size=60))
def test_arbitrary_input_raises_only_rejections(body: bytes) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    try:
        value = loads(raw)
    except RejectedError:
        return

    assert value == json.loads(raw)


@pytest.mark.parametrize(("text", "_"), FAULTY)
def test_a_faulty_value_can_be_written_down_again(text: bytes, _: object) -> None:
    written = text_of(parse(b'{"a": [' + text + b"]}").value)

    assert written.isascii()
    assert parse(written.encode()).suspect


def test_a_duplicate_key_is_written_down_with_both_values() -> None:
    document = parse(b'{"a": 1, "a": NaN}')

    assert isinstance(document.value, JsonFault)
    assert text_of(document.value) == '{"a":1,"a":NaN}'


@given(
    st.recursive(
        st.sampled_from(['""', '"é"', "0", "null", "-1.5", "NaN", "1e999", "9" * 30]),
        lambda parts: (
            st.lists(parts, max_size=4).map(lambda found: f"[{','.join(found)}]")
            | st.lists(st.tuples(st.sampled_from("ab"), parts), max_size=4).map(
                lambda found: "{" + ",".join(f'"{key}":{part}' for key, part in found) + "}"
            )
        ),
        max_leaves=20,
    )
)
def test_a_faulty_value_is_quarantined_with_its_original_text(text: str) -> None:
    assert text_of(parse(text.encode()).value) == text.replace("é", r"\u00e9")


@pytest.mark.slow
def test_a_body_with_thousands_of_faults_is_refused_as_a_whole() -> None:
    assert parse(b"[" + b",".join([b"NaN"] * MAX_FAULTS) + b"]").suspect
    for fault, reason in (
        (b"NaN", Reason.JSON_NOT_A_NUMBER),
        (b'{"a":1,"a":1}', Reason.JSON_DUPLICATE_KEY),
        (b"9" * 30, Reason.JSON_INTEGER_TOO_LARGE),
    ):
        with pytest.raises(RejectedError) as refusal:
            parse(b"[" + b",".join([fault] * (MAX_FAULTS + 1)) + b"]")
        assert refusal.value.reason is reason


def test_each_value_too_many_is_a_fault() -> None:
    assert parse(b'{"a":0' + b',"a":1' * MAX_FAULTS + b"}").suspect
    with pytest.raises(RejectedError):
        parse(b'{"a":0' + b',"a":1' * (MAX_FAULTS + 1) + b"}")


@pytest.mark.slow
def test_a_batch_of_half_a_megabyte_takes_milliseconds() -> None:
    event = {"properties": {"path": "/a", "title": "T" * 900}, "context": {"page": {"a": [1]}}}
    body = json.dumps({"batch": [event] * 500}).encode()
    assert len(body) > 450_000

    assert_within(0.1, lambda: parse(body))


@pytest.mark.slow
def test_a_body_of_nothing_but_brackets_is_refused_before_it_is_read() -> None:
    many = b"[" + b",".join([b"[]"] * MAX_CONTAINERS) + b"]"
    with pytest.raises(RejectedError) as refusal:
        parse(many)
    assert refusal.value.reason is Reason.BODY_TOO_LARGE
    assert_within(0.025 * len(many) / 100_000, lambda: suppressed(many))
    few = b'["' + b"[]" * MAX_CONTAINERS + b'"]'
    assert parse(few).value == ["[]" * MAX_CONTAINERS]


def suppressed(body: bytes) -> None:
    with suppress(RejectedError):
        parse(body)
