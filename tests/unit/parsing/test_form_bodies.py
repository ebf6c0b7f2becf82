from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import assert_within
from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.form_bodies import (
    FormValue,
    nest,
    parse_multipart,
    parse_text_plain,
    parse_urlencoded,
)

URLENCODED = "application/x-www-form-urlencoded"
TYPE = "multipart/form-data; boundary=B"


class Told:
    """What was told while a body was read."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, str]] = []

    def __call__(self, field: str, what: str) -> None:
        self.notes.append((field, what))


def untold(field: str, what: str) -> None:
    raise AssertionError((field, what))


def parts(*fields: tuple[str, str], end: str = "--B--\r\n") -> bytes:
    body = "".join(
        f"--B\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"
        for head, value in fields
    )
    return (body + end).encode()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        (b"a[]=1", {"a": ["1"]}),
        (b"a%5B%5D=1&a%5B%5D=2", {"a": ["1", "2"]}),
        (b"a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        (b"a[b][]=1&a[b][]=2", {"a": {"b": ["1", "2"]}}),
        (b"a=1&a[b]=2", {"a": "1", "a[b]": "2"}),
        (b"a[b]=1&a=2&a=3", {"a": {"b": "1", "value": ["2", "3"]}}),
        (b"a[b=1&[c]=2&a]=3", {"a[b": "1", "[c]": "2", "a]": "3"}),
        (b"a[1][2][3][4][5][6]=x", {"a[1][2][3][4][5][6]": "x"}),
        (b"a[][b]=x", {"a[][b]": "x"}),
        (b"name=Zo%C3%AB+P&x=%F0%9F%9A%80", {"name": "Zoë P", "x": "🚀"}),
        (b"a&b=&&=c", {"a": "", "b": "", "": "c"}),
        (b"a=100%&b=%zz&c=%4", {"a": "100%", "b": "%zz", "c": "%4"}),
        (b"a=1;b=2", {"a": "1;b=2"}),
        (b"", {}),
    ],
)
def test_urlencoded_fields(body: bytes, fields: dict[str, object]) -> None:
    assert parse_urlencoded(body, "", untold) == fields


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=Zo%EB&_charset_=windows-1252", ""),
        (b"_charset_=iso-8859-1&a=Zo%EB", ""),
        (b"a=Zo%EB", "application/x-www-form-urlencoded; charset=ISO-8859-1"),
        (b"a=Zo\xeb", 'application/x-www-form-urlencoded; charset="latin1"'),
    ],
)
def test_forms_in_western_charsets(body: bytes, content_type: str) -> None:
    assert parse_urlencoded(body, content_type, untold)["a"] == "Zoë"


def test_characters_outside_the_charset_arrive_as_entities() -> None:
    body = b"a=%26%2326481%3B%26%23128640%3B+%26%2355296%3B&_charset_=windows-1252"

    assert parse_urlencoded(body, "", untold)["a"] == "東🚀 &#55296;"


def test_entities_in_utf_8_stay_as_typed() -> None:
    assert parse_urlencoded(b"a=%26%2326481%3B", "", untold) == {"a": "&#26481;"}


CHARSETS = [
    *(("shift_jis", "①髙島", "cp932"), ("sjis", "東京", "cp932"), ("x-sjis", "東京", "cp932")),
    *(("euc-jp", "東京", "euc_jp"), ("iso-2022-jp", "東京", "iso2022_jp")),
    *(("EUC-KR", "서울", "cp949"), ("ks_c_5601-1987", "뷁", "cp949")),
    *(("gb2312", "北京镕", "gbk"), ("GBK", "北京", "gbk"), ("gb18030", "㐀", "gb18030")),
    *(("big5", "台北", "big5"), ("windows-1251", "Москва", "cp1251"), ("koi8-r", "Да", "koi8_r")),
    *(("iso-8859-15", "œuvre €", "iso8859_15"), ("windows-1252", "“€”", "cp1252")),
    *(("latin1", "“€”", "cp1252"), ("iso-8859-2", "Łódź", "iso8859_2"), ("tis-620", "กข", "cp874")),
]


@pytest.mark.parametrize(("label", "text", "codec"), CHARSETS)
def test_labels_mean_the_charsets_that_browsers_take_them_for(
    label: str, text: str, codec: str
) -> None:
    raw = text.encode(codec)
    escaped = b"".join(b"%%%02X" % byte for byte in raw)
    declared = f"{URLENCODED}; charset={label}"
    in_field = b"a=" + escaped + b"&_charset_=" + label.encode()
    part = b'--B\r\nContent-Disposition: form-data; name="a"\r\n'
    of_part = part + b"Content-Type: text/plain; charset=" + label.encode() + b"\r\n\r\n" + raw
    of_form = part + b"\r\n" + raw + b'\r\n--B\r\nContent-Disposition: form-data; name="_charset_"'

    assert parse_urlencoded(b"a=" + escaped, declared, untold)["a"] == text
    assert parse_urlencoded(in_field, "", untold)["a"] == text
    assert parse_text_plain(b"a=" + raw, f"text/plain; charset={label}", untold)["a"] == text
    assert parse_multipart(of_part + b"\r\n--B--", TYPE, untold)["a"] == text
    whole = of_form + b"\r\n\r\n" + label.encode() + b"\r\n--B--"
    assert parse_multipart(whole, TYPE, untold)["a"] == text


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"a=Zo%EB", "", "Zoë"),
        (b"a=Zo%EB", f"{URLENCODED}; charset=utf-8", "Zoë"),
        (b"a=Zo%EB&_charset_=utf-8", "", "Zoë"),
        (b"a=%93quoted%94&b=%C3%AB", "", "“quoted”"),
        (b"a=%ff", "", "ÿ"),
        (b"a=Z%C3%BCrich+%C3", "", "Zürich \ufffd"),
        (b"a=%81&_charset_=windows-1252", "", "\ufffd"),
        (b"a=%81&_charset_=shift_jis", "", "\ufffd"),
        (b"a=Zo%EB&_charset_=utf-7", "", "Zoë"),
        (b"a=Zo%C3%AB&_charset_=ebcdic", "", "Zoë"),
        (b"a=Zo%C3%AB", f"{URLENCODED}; charset={'x' * 500}", "Zoë"),
        (b"a=Zo%C3%AB&_charset_=hz-gb-2312", "", "Zoë"),
    ],
)
def test_a_form_with_a_wrong_charset_label_is_read_and_noted(
    body: bytes, content_type: str, text: str
) -> None:
    told = Told()

    assert parse_urlencoded(body, content_type, told)["a"] == text
    assert told.notes


def test_browsers_send_the_forms_of_pages_in_utf_16_in_utf_8() -> None:
    assert parse_urlencoded(b"a=Zo%C3%AB&_charset_=utf-16", "", untold)["a"] == "Zoë"


Parse = Callable[[bytes, str, Told], dict[str, FormValue]]


@pytest.mark.parametrize(
    ("parse", "body", "content_type"),
    [
        (parse_urlencoded, b"&".join(b"f%d=%d" % (i, i) for i in range(2_000)), ""),
        (parse_text_plain, b"\n".join(b"f%d=%d" % (i, i) for i in range(2_000)), ""),
        (parse_multipart, parts(*((f'name="f{i}"', str(i)) for i in range(2_000))), TYPE),
    ],
)
def test_an_overlong_form_keeps_its_first_and_last_fields(
    parse: Parse, body: bytes, content_type: str
) -> None:
    told = Told()

    fields = parse(body, content_type, told)

    assert 490 <= len(fields) <= 500
    assert fields["f0"] == "0"
    assert fields["f1999"] == "1999"
    assert any("fields left out" in what for _, what in told.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parse", "body", "content_type"),
    [
        (parse_urlencoded, b"a&" * 499_000 + b"email=x", ""),
        (parse_urlencoded, b"&" * 990_000 + b"email=x", ""),
        (parse_urlencoded, b"a=%" * 330_000 + b"&email=x", ""),
        (parse_urlencoded, b"a" + b"[b]" * 330_000 + b"=1&email=x", ""),
        (parse_text_plain, b"a=1" + b"\n" * 990_000 + b"email=x", ""),
        (parse_text_plain, b"a=1\n" * 240_000 + b"email=x", ""),
        (parse_multipart, b"--B\r\n\r\n\r\n" * 90_000 + parts(('name="email"', "x")), TYPE),
        (parse_multipart, b"\r" * 990_000 + b"\n" + parts(('name="email"', "x")), TYPE),
    ],
)
def test_a_megabyte_of_anything_is_read_in_linear_time(
    parse: Parse, body: bytes, content_type: str
) -> None:
    assert parse(body, content_type, Told())["email"] == "x"
    # 50 ms for each 100 KB
    assert_within(0.5, lambda: parse(body, content_type, Told()))


def test_text_plain_lines_are_fields_and_their_continuations() -> None:
    body = "name=Zoë\r\nmessage=one\r\ntwo\r\n\r\nthree\r\nx=a=b\r\n".encode()

    assert parse_text_plain(body, "", untold) == {
        "name": "Zoë",
        "message": "one\ntwo\n\nthree",
        "x": "a=b",
    }


def test_text_without_any_field_is_refused() -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_text_plain(b"just words", "", untold)

    assert refusal.value.reason is Reason.FORM_INVALID


def test_names_nest_five_deep_and_a_deeper_one_is_taken_literally() -> None:
    assert nest([("a[b][c][d][e]", "1")]) == {"a": {"b": {"c": {"d": {"e": "1"}}}}}
    assert nest([("a[b][c][d][e][]", "1")]) == {"a": {"b": {"c": {"d": {"e": ["1"]}}}}}
    assert nest([("a[b][c][d][e][f]", "1")]) == {"a[b][c][d][e][f]": "1"}


def test_multipart_fields_nest_like_any_others() -> None:
    body = parts(
        ('name="a[b]"', "1"), ('name="c[]"', "2"), ('name="c[]"', "3\r\n4"), ('name="d"', "Zoë")
    )

    assert parse_multipart(body, TYPE, untold) == {
        "a": {"b": "1"},
        "c": ["2", "3\r\n4"],
        "d": "Zoë",
    }


def test_a_file_is_its_name() -> None:
    body = parts(
        ('name="cv"; filename="cv.pdf"\r\nContent-Type: application/pdf', "%PDF"),
        ('name="empty"; filename=""', ""),
    )

    assert parse_multipart(body, TYPE, untold) == {"cv": "cv.pdf", "empty": ""}


def test_a_multipart_form_may_be_in_windows_1252() -> None:
    body = parts(('name="a"', "Zoë"), ('name="_charset_"', "windows-1252"))

    found = parse_multipart(body.replace("ë".encode(), b"\xeb"), TYPE, untold)

    assert found["a"] == "Zoë"


A = parts(('name="a"', "1"))
NAMELESS = b"--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (A, "multipart/form-data"),
        (A, "multipart/form-data; boundary="),
        (A, "multipart/form-data; boundary=" + "x" * 300),
        (A, "multipart/form-data; boundary=other"),
        (A.replace(b"\r\n", b"\n"), TYPE),
        (b"a preamble\r\n" + A, TYPE),
        (A + b"an epilogue", TYPE),
        (A[:-4], TYPE),
        (A[:-2], TYPE),
    ],
)
def test_an_odd_multipart_body_is_read_nevertheless(body: bytes, content_type: str) -> None:
    assert parse_multipart(body, content_type, untold) == {"a": "1"}


@pytest.mark.parametrize(
    "body",
    [
        NAMELESS + A,
        A[:-7] + NAMELESS + b"--B--",
        b"--B\r\nno header\r\n\r\n1\r\n" + A,
        b"--B\r\n\xff\0: y\r\n\r\nz\r\n" + A,
        b'--B\r\nContent-Disposition: form-data; name="b"\r\nX: '
        + b"x" * 9_000
        + b"\r\n\r\n1\r\n"
        + A,
        A[:-4] + b'\r\nContent-Disposition: form-data; name="email"\r\n\r\nada@example.co',
    ],
)
def test_a_part_that_cannot_be_read_costs_only_itself(body: bytes) -> None:
    told = Told()

    assert parse_multipart(body, TYPE, told) == {"a": "1"}
    assert told.notes


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"--B", b"--B--", b"--", b"words", NAMELESS + b"--B--"),
        parts(("x=1", "1")),
        b"--B\r\nno header\r\n\r\n1\r\n--B--\r\n",
        parts(('name="a"\r\nX: ' + "x" * 100_000, "1")),
        A[:-9],
    ],
)
def test_an_unreadable_multipart_body_is_refused(body: bytes) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_multipart(body, TYPE, Told())

    assert refusal.value.reason is Reason.FORM_INVALID


anything = st.binary(max_size=80) | st.text(alphabet='a=&[]%+\r\n-B";:', max_size=80).map(
    str.encode
)


@given(anything, st.sampled_from([TYPE, "", "a/b; charset=latin1", TYPE + "; charset=x"]))
def test_arbitrary_input_raises_only_rejections(body: bytes, content_type: str) -> None:
    for parse in (parse_urlencoded, parse_text_plain, parse_multipart):
        try:
            parse(body, content_type, Told())
        except RejectedError:
            continue


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "a[]", "a[a]", "a[a][]", "a[a][a]", "a[", "a[][a]", "a[value]"]),
            st.text(max_size=3),
        ),
        max_size=8,
    )
)
def test_nesting_loses_no_value(pairs: list[tuple[str, str]]) -> None:
    def count(value: FormValue) -> int:
        if isinstance(value, str):
            return 1
        return sum(map(count, value.values() if isinstance(value, dict) else value))

    assert count(nest(pairs)) == len(pairs)
