import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.web.form_data import FormValue, nest, parse_text_plain, parse_urlencoded
from warmlead.web.multipart import parse_multipart

TYPE = "multipart/form-data; boundary=B"


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
    assert parse_urlencoded(body) == fields


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
    assert parse_urlencoded(body, content_type)["a"] == "Zoë"


def test_what_a_charset_lacks_comes_as_entities() -> None:
    body = b"a=%26%2326481%3B%26%23128640%3B+%26%2355296%3B&_charset_=windows-1252"

    assert parse_urlencoded(body)["a"] == "東🚀 &#55296;"


def test_entities_in_utf8_are_what_somebody_typed() -> None:
    assert parse_urlencoded(b"a=%26%2326481%3B") == {"a": "&#26481;"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=%ff", ""),
        (b"a=%ED%A0%80", ""),
        (b"a=1&_charset_=utf-16", ""),
        (b"a=1", "application/x-www-form-urlencoded; charset=shift_jis"),
        (b"a=%81&_charset_=windows-1252", ""),
    ],
)
def test_other_charsets_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_urlencoded(body, content_type)

    assert refusal.value.reason is Reason.CHARSET_INVALID


def test_too_many_fields_are_refused() -> None:
    assert len(parse_urlencoded(b"&".join(b"f%d=1" % i for i in range(200)))) == 200
    with pytest.raises(RejectedError, match="form_too_many_fields"):
        parse_urlencoded(b"a=1&" * 201)
    with pytest.raises(RejectedError, match="form_too_many_fields"):
        parse_text_plain(b"a=1\n" * 201)
    with pytest.raises(RejectedError, match="form_too_many_fields"):
        parse_multipart(parts(*[('name="a"', "1")] * 201), TYPE)


def test_text_plain_lines_are_fields_and_their_continuations() -> None:
    body = "name=Zoë\r\nmessage=one\r\ntwo\r\n\r\nthree\r\nx=a=b\r\n".encode()

    assert parse_text_plain(body) == {"name": "Zoë", "message": "one\ntwo\n\nthree", "x": "a=b"}


def test_text_without_any_field_is_refused() -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_text_plain(b"just words")

    assert refusal.value.reason is Reason.FORM_INVALID


def test_multipart_fields_nest_like_any_others() -> None:
    body = parts(
        ('name="a[b]"', "1"), ('name="c[]"', "2"), ('name="c[]"', "3\r\n4"), ('name="d"', "Zoë")
    )

    assert parse_multipart(body, TYPE) == {"a": {"b": "1"}, "c": ["2", "3\r\n4"], "d": "Zoë"}


def test_a_file_is_its_name() -> None:
    body = parts(
        ('name="cv"; filename="cv.pdf"\r\nContent-Type: application/pdf', "%PDF"),
        ('name="empty"; filename=""', ""),
    )

    assert parse_multipart(body, TYPE) == {"cv": "cv.pdf", "empty": ""}


def test_a_multipart_form_may_be_in_windows_1252() -> None:
    body = parts(('name="a"', "Zoë"), ('name="_charset_"', "windows-1252"))

    found = parse_multipart(body.replace("ë".encode(), b"\xeb"), TYPE)

    assert found["a"] == "Zoë"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (parts(('name="a"', "1")), "multipart/form-data"),
        (parts(('name="a"', "1")), "multipart/form-data; boundary="),
        (parts(('name="a"', "1")), "multipart/form-data; boundary=" + "x" * 300),
        (parts(('name="a"', "1")), "multipart/form-data; boundary=other"),
        (parts(('name="a"', "1"), end=""), TYPE),
        (parts(("x=1", "1")), TYPE),
        (b"--B\r\nno header\r\n\r\n1\r\n--B--\r\n", TYPE),
        (b"", TYPE),
        (b"--B", TYPE),
        (parts(('name="a"\r\nX: ' + "x" * 100_000, "1")), TYPE),
    ],
)
def test_malformed_multipart_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        parse_multipart(body, content_type)

    assert refusal.value.reason is Reason.FORM_INVALID


anything = st.binary(max_size=80) | st.text(alphabet='a=&[]%+\r\n-B";:', max_size=80).map(
    str.encode
)


@given(anything, st.sampled_from([TYPE, "", "a/b; charset=latin1", TYPE + "; charset=x"]))
def test_nothing_but_rejections_escapes(body: bytes, content_type: str) -> None:
    for parse in (parse_urlencoded, parse_text_plain, parse_multipart):
        try:
            parse(body, content_type)
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
