"""Company sizes and other counts, as people and the option lists of forms write them."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.model.coercion import coerce
from warmlead.model.vocabulary import ValueType
from warmlead.model.written_numbers import LABELS, MAX_TEXT, PHRASES, SCALES, written_number

PLAIN = {"1.000": 1000, "1'000": 1000, "1’000": 1000, "1\u00a0000": 1000, "1\u202f000": 1000}
PLAIN |= {"1,00,000": 100000, "１０００": 1000, "１，０００": 1000, "١٠٠": 100, "१००": 100, "0": 0}

SCALED = {
    "10k": 10000,
    "5K+": 5000,
    "1,5k": 1500,
    "10 k": 10000,
    "5万": 50000,
    "3 crore": 30_000_000,
}
SCALED |= {"2M": 2_000_000, "2 Mio": 2_000_000, "1.2 million": 1_200_000, "1,2 Mio. €": 1_200_000}
SCALED |= {"$1,500,000": 1_500_000, "1.5 bn": 1_500_000_000, "3 Mrd. EUR": 3_000_000_000}

RANGES = {"1.001-5.000": 1001, "1k-5k": 1000, "1-5k": 1000, "500-1k": 500, "50 bis 200": 50}
RANGES |= {"between 50 and 200": 50, "zwischen 50 und 200": 50, "entre 50 et 200": 50}
RANGES |= {"de 50 à 200 salariés": 50, "von 50 bis 200": 50, "from 50 to 200 people": 50}
RANGES |= {"50…200": 50, "５０〜２００名": 50, "50 − 200": 50, "$10-50M": 10_000_000}
RANGES |= {"€1.5M - €5M": 1_500_000, "SIZE_51_TO_200": 51, "0-1 employees": 0}

AT_LEAST = {"10.000+": 10000, "≥500": 500, ">= 500": 500, "at least 20": 20, "ab 500": 500}
AT_LEAST |= {"500 plus": 500, "500 oder mehr": 500, "50名以上": 50, "100명 이상": 100}
AT_LEAST |= {"SIZE_10001_OR_MORE": 10001, "1000 y más": 1000}

ABOVE = {">500": 501, "more than 1000": 1001, "over 500": 501, "über 1.000 Mitarbeiter": 1001}
ABOVE |= {"mehr als 250": 251, "plus de 1 000": 1001, "más de 100 empleados": 101, "> 1k": 1001}
ABOVE |= {"meer dan 50 medewerkers": 51, "Более 100 сотрудников": 101, "＞５００": 501}

BELOW = {"<10": 1, "less than 10": 1, "up to 10 people": 1, "bis zu 10": 1, "bis 10": 1, "< 1": 0}
BELOW |= {"jusqu'à 10": 1, "moins de 10": 1, "menos de 10": 1, "10 or fewer": 1, "10名以下": 1}

OF_LANGUAGES = {
    51: """
        51_200 | 51–200 anställda | 51 til 200 ansatte | 51–200 työntekijää | 51 až 200 zaměstnanců
        | 51 ila 200 çalışan | от 51 до 200 человек | від 51 до 200 осіб | 51名から200名
        | 51명~200명
        | 51至200人 | من 51 إلى 200 موظف | 51 עד 200 עובדים | 51 से 200 कर्मचारी
        | 51 sampai 200 karyawan
        | từ 51 đến 200 nhân viên | mezi 51 a 200 | mellem 51 og 200 | od 51 do 200 osób
    """,
    1000: """
        1000-plus | 1.000+ | 1 000 | 1000 eller flere | 1000 tai enemmän | 1000 a více
        | 1000 ve üzeri
        | 1000 и более | 1000 і більше | 1000人及以上 | 1000 أو أكثر | 1000 ומעלה | 1000 या अधिक
        | 1000 atau lebih | 1000 trở lên | en az 1000 | minst 1000 | 最低1000
        | 1 tys. | 1 тыс. | 1 bin | 1 ribu | 1 हज़ार
    """,
    501: """
        más de 500 | mer än 500 | flere end 500 | yli 500 | více než 500 | 500'den fazla | понад 500
        | 500명 초과 | 500人超 | 超过500 | أكثر من 500 | יותר מ-500 | 500 से अधिक | lebih dari 500
        | trên 500
    """,
    1: """
        up to 50 | <50 | bis 50 | färre än 50 | færre end 50 | enintään 50 | méně než 50
        | en fazla 50
        | менше 50 | 50人未満 | 50명 미만 | 50以内 | أقل من 50 | עד 50 | 50 से कम | kurang dari 50
        | tối đa 50
    """,
}

ABOUT = {"~200": 200, "ca. 250": 250, "about 40": 40, "約200人": 200, "environ 30": 30}
UNITS = {"250 Mitarbeiter": 250, "250 Mitarbeiter/innen": 250, "250 Mitarbeiter:innen": 250}
UNITS |= {"250 employee(s)": 250, "300 dipendenti": 300, "40 funcionários": 40, "team of 12": 12}

ALONE = {"self-employed": 1, "Freelancer": 1, "Just me": 1, "sole trader": 1, "Selbstständig": 1}
ALONE |= {"Einzelunternehmer": 1, "indépendant": 1, "autónomo": 1, "zzp'er": 1, "個人事業主": 1}
ALONE |= {"1 (just me)": 1, "self-employed (1)": 1, "Myself Only": 1}

LABELLED = {"SMB (50-200)": 50, "50-200 (SMB)": 50, "Enterprise 1000+": 1000, "Small: 1-10": 1}
LABELLED |= {"Small - 1-10": 1, "Großunternehmen (1.000+)": 1000}

OPTIONS = {"2–10": 2, "10,001+ employees": 10001, "5K-10K": 5000, "1 - 10 people (micro)": 1}
OPTIONS |= {"$100M-$250M": 100_000_000, "$10B+": 10**10, "Less than $1M": 1, "11~50人": 11}
OPTIONS |= {
    "De 10 à 49 salariés": 10,
    "Mittel (50–249 Mitarbeiter)": 50,
    "Entre 11 y 50 empleados": 11,
}
OPTIONS |= {"5-10 Mio. €": 5_000_000, "от 100 до 500": 100, "10.000 of meer": 10000, "da 1 a 9": 1}

UNKNOWN = ["N/A", "many", "10²", "½", "1½", "12-5", "2024-01-05", "12.5.2024", "180 Main Street"]
UNKNOWN += [
    "10_000",
    "200_51",
    "1.200k",
    "5 in 2024",
    "555 1234",
    "1e5",
    "+",
    "10-",
    "- 5",
    "1, 2",
    "()",
]
UNKNOWN += [
    "self-employed (20)",
    "50-200 (5)",
    "1.2.3",
    "0x10",
    "Building 5 (50-200)",
    "٪",
    "1 or 2",
]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(PLAIN | SCALED | RANGES | AT_LEAST | ABOVE | BELOW).items(),
        *(ABOUT | UNITS | ALONE | LABELLED | OPTIONS).items(),
        *((text, None) for text in UNKNOWN),
    ],
)
def test_a_count_is_read_as_people_write_it(text: str, number: int | None) -> None:
    assert coerce(text, ValueType.INTEGER) == number
    assert coerce(f"  {text}\n", ValueType.INTEGER) == number


@pytest.mark.parametrize("number", OF_LANGUAGES)
def test_sizes_are_read_in_every_language(number: int) -> None:
    texts = [" ".join(text.split()) for text in OF_LANGUAGES[number].split("|")]
    assert [text for text in texts if coerce(text, ValueType.INTEGER) != number] == []


def test_an_option_of_two_bounds_is_no_range_of_a_decimal_number() -> None:
    assert coerce("51_200", ValueType.NUMBER) is None


def test_the_documented_table_is_true() -> None:
    page = (Path(__file__).parents[3] / "docs/model.md").read_text(encoding="utf-8")
    table = page.partition("| written | integer |")[2].partition("\n\n")[0]
    checked = 0
    for row in table.splitlines()[2:]:
        written, told = row.strip("| ").split(" | ")
        found = re.findall(r"\d+", told.partition(":")[0])
        numbers: list[int | None] = [*map(int, found)] or [None]
        for at, text in enumerate(re.findall(r"`([^`]+)`", written)):
            assert coerce(text, ValueType.INTEGER) == numbers[min(at, len(numbers) - 1)], text
            checked += 1
    assert checked > 30


@pytest.mark.parametrize("text", ["1" + " " * 8_000 + "x", "1" * 101, "a" * 8_192, "1," * 4_000])
def test_a_text_beyond_the_limit_is_not_read(text: str) -> None:
    assert written_number(text, whole=True) is None


def test_the_limit_is_looked_at_before_the_text() -> None:
    class Unread(str):
        __slots__ = ()

        def strip(self, _: str | None = None) -> str:
            raise AssertionError("the text was read")

    assert written_number(Unread("1" * (MAX_TEXT + 1)), whole=True) is None


_MARKS = st.sampled_from([*PHRASES, *LABELS, *SCALES, *"0123456789.,'+-~<>≥()_ \u00a0k²½€"])


@given(st.text(max_size=150) | st.lists(_MARKS, max_size=12).map("".join))
def test_any_text_is_a_number_or_unknown(text: str) -> None:
    whole = coerce(text, ValueType.INTEGER)
    decimal = coerce(text, ValueType.NUMBER)

    assert whole is None or isinstance(whole, int)
    assert decimal is None or isinstance(decimal, float)


def _grouped(number: int, sign: str) -> str:
    return f"{number:,}".replace(",", sign)


def _in_india(number: int) -> str:
    text = str(number)
    head, tail = text[:-3], text[-3:]
    pairs = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])


def _full_width(number: int) -> str:
    return "".join(chr(ord(digit) + 0xFEE0) for digit in str(number))


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_a_number_written_in_any_style_reads_back(number: int, more: int) -> None:
    above = number + more
    styles = [str(number), _in_india(number), _full_width(number)]
    styles += [_grouped(number, sign) for sign in (",", ".", "'", "’", " ", "\u00a0", "\u202f")]
    for style in styles:
        assert coerce(style, ValueType.INTEGER) == number
        assert coerce(f"ca. {style} Mitarbeiter", ValueType.INTEGER) == number
        assert coerce(f"{style}+", ValueType.INTEGER) == number
        assert coerce(f"> {style}", ValueType.INTEGER) == number + 1
        assert coerce(f"{style} – {above}", ValueType.INTEGER) == number
    assert coerce(f"{number}k", ValueType.INTEGER) == number * 1000


def test_every_word_is_written_as_it_is_looked_up() -> None:
    for phrase in (*PHRASES, *LABELS, *SCALES):
        apart = unicodedata.normalize("NFD", phrase)
        latin = [at for at, letter in enumerate(apart) if unicodedata.combining(letter)]
        assert phrase == phrase.casefold()
        assert not any(apart[at - 1].isascii() for at in latin), phrase
