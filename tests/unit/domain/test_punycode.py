"""Labels of domains in ASCII: what the package ``idna`` makes of them, valid or not."""

import unicodedata
from random import Random

import idna
import pytest

from effort import examples, stride
from warmlead.domain.identifiers import MOST_LETTERS, a_label, runs_one_way
from warmlead.domain.text import in_usual_width

SCRIPTS = (
    *("ابتثجحخدذرزسشصضطظعغ", "אבגדהוזחט", "abcdefghij-0189", "äöüßçñéèσς"),
    *("日本語漢字カタカナー・ひら", "कखगघािी्"),
    *("กขคงจ่้", "한국어", "ᠠᠡ", "٠١٢٣", "۰۱۲", "·l", "𐌀𐍈😀", "\u200c\u200d"),
)  # fmt: skip
LENGTHS = (1, 2, 3, 5, 8, 14, 30, 45, 58, 59, 60)


def label_of(random: Random) -> str:
    scripts = random.sample(SCRIPTS, random.choice([1, 1, 1, 2, 3]))
    letters = [random.choice(random.choice(scripts)) for _ in range(random.choice(LENGTHS))]
    return unicodedata.normalize("NFC", "".join(letters))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(examples(4)))
def test_a_label_is_encoded_as_by_the_idna_package(seed: int) -> None:
    random, valid = Random(seed), 0
    for label in (label_of(random) for _ in range(4_000)):
        if label.isascii():
            continue
        try:
            expected = idna.alabel(label).decode()
        except UnicodeError:
            expected = ""
        try:
            made = a_label(label)
        except UnicodeError:
            made = ""
        assert (made if len(made) <= 63 else "") == expected, label
        valid += bool(expected)
    assert valid > 1_000


def test_too_long_a_label_is_not_looked_at() -> None:
    assert a_label("ü" * MOST_LETTERS).startswith("xn--")
    with pytest.raises(UnicodeError):
        a_label("ü" * (MOST_LETTERS + 1))


@pytest.mark.slow
def test_letters_with_one_direction_map_to_themselves() -> None:
    found = [letter for letter in map(chr, range(0, 0x110000, stride())) if runs_one_way(letter)]
    assert len(found) > 100_000 // stride()
    for letter in found:
        assert idna.uts46_remap(letter, std3_rules=False) == letter


def test_wide_and_narrow_letters_become_usual_ones() -> None:
    for letter in map(chr, range(0, 0x110000, stride())):
        width, _, usual = unicodedata.decomposition(letter).partition(" ")
        if width in ("<wide>", "<narrow>"):
            assert in_usual_width(letter) == chr(int(usual, 16))
