"""What a browser uploads with a form of ours."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW
from effort import examples
from unit.dashboard.seen import multipart
from warmlead.dashboard.uploads import MOST_PARTS, uploaded
from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest

TYPE = "multipart/form-data; boundary=between"


def read(body: bytes, content_type: str = TYPE) -> dict[str, str]:
    request = RawRequest("POST", "/", "", {"content-type": content_type}, body, NOW, "")
    return dict(uploaded(request))


def test_fields_and_files_are_texts() -> None:
    file = (
        b'--between\r\nContent-Disposition: form-data; name="model"; filename="m.yaml"\r\n'
        b"Content-Type: application/yaml\r\n\r\n\xef\xbb\xbfsignals:\r\n  \xc3\xa4: 1\r\n\r\n"
    )
    assert read(file + multipart({"key": "k"})) == {"model": "signals:\n  ä: 1\n", "key": "k"}


def test_of_a_file_and_a_text_the_one_that_was_filled_in_counts_and_the_file_first() -> None:
    none = b'--between\r\nContent-Disposition: form-data; name="a"; filename=""\r\n\r\n\r\n'
    assert read(none + multipart({"a": "text"})) == {"a": "text"}
    file = none.replace(b"\r\n\r\n\r\n", b"\r\n\r\nfile\r\n")
    assert read(file + multipart({"a": "text"})) == {"a": "file"}


@given(text=st.text(st.characters(codec="utf-8")), other=st.binary(max_size=60))
@settings(max_examples=examples(200))
def test_any_text_comes_through_and_any_body_is_read_or_refused(text: str, other: bytes) -> None:
    found = read(multipart({"a": text.replace("\r", "")})).get("a", "")
    assert found == text.replace("\r", "").removeprefix("\ufeff") or "--between" in text
    with pytest.raises(RejectedError):
        read(other)


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (multipart({"a": "1"}), "application/json", Reason.MEDIA_TYPE_UNSUPPORTED),
        (multipart({"a": "1"}), "multipart/form-data", Reason.FORM_INVALID),
        (multipart({"a": "1"}), f"{TYPE}{'x' * 90}", Reason.FORM_INVALID),
        (multipart({"a": "1"})[:-6], TYPE, Reason.FORM_INVALID),
        (multipart({str(n): "1" for n in range(MOST_PARTS + 5)}), TYPE, Reason.FORM_INVALID),
        (b"--between\r\n\r\n1\r\n--between--\r\n", TYPE, Reason.FORM_INVALID),
        (multipart({"a": "?"}).replace(b"?", b"\xff"), TYPE, Reason.CHARSET_INVALID),
    ],
    ids=range(7),
)
def test_what_no_browser_sends_is_refused(body: bytes, content_type: str, reason: Reason) -> None:
    with pytest.raises(RejectedError) as refused:
        read(body, content_type)
    assert refused.value.reason == reason
