"""What may leave keeps its letters, and loses what steers terminals, pages and eyes."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Property
from warmlead.domain.text import UNPRINTABLE, cleaned, one_line, printable, swept

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
WALES = (
    "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"  # gbwls, and its end
)

any_text = st.text(st.characters(codec=None), max_size=60)


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lovelace",
        "Zoë Müller-Größe",
        "line one\n\tline two",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner
        "\u05d3\u05d5\u05d3 \u05d1\u05df",  # Hebrew
        "\u0639\u0644\u064a",  # Arabic
        "\u0e20\u0e32\u0e29\u0e32\u200b\u0e44\u0e17\u0e22",  # Thai, with a place to break
        FAMILY,
        WALES,
        "no\u00a0break, soft\u00adhyphen",
    ],
)
def test_what_people_write_is_kept(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mAda\x1b[0m", "[31mAda[0m"),
        ("\x9b31mAda", "31mAda"),
        ("A\x00d\x7fa\x08", "Ada"),
        ("\u202eadA", "adA"),
        ("\u2066A\u2069\u200ed\u200fa\u061c", "Ada"),
        ("\ufeffAda\ufffe\U0010ffff\ufdd0", "Ada"),
        ("\ud83dAda\udc00", "Ada"),
        ("Ada\U000e0041\U000e0064\U000e007f", "Ada"),  # a hidden word in tags
        ("\U0001f3f4\U000e0068\U000e0069\U000e007f", "\U0001f3f4"),  # and one behind a flag
        ("a\ufff9b\ufffac\ufffb", "abc"),
        ("one\r\ntwo\rthree\u2028four\u2029five\x85six", "one\ntwo\nthree\nfour\nfive\nsix"),
    ],
)
def test_control_characters_are_removed(text: str, left: str) -> None:
    assert printable(text) == left


def test_a_text_on_one_line_has_no_other_end_than_its_own() -> None:
    assert one_line("Ada\nscore 100\x1b[2K\r\tMQL") == "Ada score 100[2K MQL"


@given(any_text)
def test_no_control_character_survives(text: str) -> None:
    left = printable(text).replace(WALES, "")
    assert not UNPRINTABLE.search(left.replace("\n", "").replace("\t", ""))
    assert not {unicodedata.category(sign) for sign in left if sign not in "\n\t"} & {"Cc", "Cs"}
    assert not UNPRINTABLE.search(one_line(text).replace(WALES, ""))


@given(any_text)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert printable(printable(text)) == printable(text)
    assert one_line(one_line(text)) == one_line(text)


def test_fields_keep_their_types_and_lose_what_is_left_empty() -> None:
    fields: dict[str, Property] = {
        "name": "A\x00da",
        "size": 5,
        "tags": ["a\x1b", 1, None],
        "blank": "\x00",
        "no": None,
    }
    assert cleaned(fields) == {"name": "Ada", "size": 5, "tags": ["a", 1, None], "no": None}


def test_json_is_cleaned_to_its_ends() -> None:
    assert swept({"a\x1b": [{"b": ("\u202ec", 1.5, True, None)}]}) == {
        "a": [{"b": ["c", 1.5, True, None]}]
    }


def test_an_error_quotes_no_control_characters() -> None:
    error = RejectedError(Reason.FIELD_INVALID, "There is no form a\x1b]0;x\x07\nb.")
    assert error.message == "There is no form a]0;x b."
    assert "\x1b" not in str(error)
