"""Countries as people, option lists and phones write them become two letters."""

import subprocess
import sys
from pathlib import Path

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from patience import PATIENCE_S
from warmlead.senders.countries import DATA, MAX_TEXT, country_code
from warmlead.senders.labels import key_of
from warmlead.senders.person import trait_value

ROOT = Path(__file__).parents[2]

CODES = {"US": "US", "us": "US", "UK": "GB", "EL": "GR", "U.K.": "GB", "U.S.A.": "US", "USA": "US"}
CODES |= {"GBR": "GB", "DEU": "DE", "deu": "DE", "840": "US", "276": "DE", "040": "AT"}

OWN_NAMES = {"Deutschland": "DE", "Schweiz": "CH", "España": "ES", "États-Unis": "US", "日本": "JP"}
OWN_NAMES |= {"Germany": "DE", "Österreich": "AT", "Oesterreich": "AT", "Osterreich": "AT"}
OWN_NAMES |= {
    "Россия": "RU",
    "中国": "CN",
    "中國": "CN",
    "한국": "KR",
    "대한민국": "KR",
    "भारत": "IN",
}
OWN_NAMES |= {"السعودية": "SA", "Ελλάδα": "GR", "ישראל": "IL", "Việt Nam": "VN", "ประเทศไทย": "TH"}

ENGLISH = {
    "the United States": "US",
    "The Netherlands": "NL",
    "Holland": "NL",
    "Great Britain": "GB",
}
ENGLISH |= {"England": "GB", "Scotland": "GB", "Northern Ireland": "GB", "Turkey": "TR"}
ENGLISH |= {
    "Czech Republic": "CZ",
    "South Korea": "KR",
    "Korea, Republic of": "KR",
    "America": "US",
}
ENGLISH |= {"Taiwan, Province of China": "TW", "Côte d’Ivoire": "CI", "Cote d'Ivoire": "CI"}
ENGLISH |= {"Bosnia & Herzegovina": "BA", "Guinea-Bissau": "GW", "Niger": "NE", "Nigeria": "NG"}

ARTICLES = {"die Schweiz": "CH", "la France": "FR", "l'Italie": "IT", "los Estados Unidos": "US"}

PAIRS = {"United States (US)": "US", "DE - Germany": "DE", "Germany 🇩🇪": "DE", "🇩🇪": "DE"}
PAIRS |= {"🇩🇪 Germany (+49)": "DE", "Deutschland (Germany)": "DE", "US: United States": "US"}
PAIRS |= {"United Kingdom (England)": "GB", "Россия / Russia": "RU"}
PAIRS |= {"\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": "GB"}

LANGUAGES = "de fr es it pt nl pl sv da nb fi cs tr ru uk ja ko zh ar he"
MARKETS = "US GB DE FR ES IT CH AT NL BE SE NO DK FI PL CZ JP KR CN IN BR MX CA AU"

OTHER_NAMES = {"香港": "HK", "홍콩": "HK", "Гонконг": "HK", "Hong Kong SAR": "HK", "澳門": "MO"}
OTHER_NAMES |= {"臺灣": "TW", "타이완": "TW", "中華人民共和国": "CN", "КНР": "CN", "大韓民国": "KR"}
OTHER_NAMES |= {"الولايات المتحدة الأمريكية": "US", "Соединенные Штаты Америки": "US", "Mỹ": "US"}
OTHER_NAMES |= {"ארה״ב": "US", "संयुक्त राज्य अमेरिका": "US", "美利坚合众国": "US", "ABD": "US"}
OTHER_NAMES |= {"ОАЭ": "AE", "阿联酋": "AE", "دولة الإمارات العربية المتحدة": "AE", "沙特": "SA"}
OTHER_NAMES |= {"Włochy": "IT", "Østrig": "AT", "Birleşik Krallık": "GB", "Áo": "AT", "Úc": "AU"}
OTHER_NAMES |= {"République française": "FR", "United States (U.S.)": "US", "ＵＳ": "US"}

SHORT = {"EE.UU.": "US", "EUA": "US", "VS": "US", "UAE": "AE", "KSA": "SA", "GER": "DE"}
SHORT |= {"NED": "NL", "SUI": "CH", "RSA": "ZA", "XK": "XK"}

LOCALES = {"en_US": "US", "de_DE": "DE", "pt-BR": "BR", "zh-Hant-TW": "TW", "en-gb": None}

NO_COUNTRIES = ["XX", "ZZ", "EU", "AA", "AP", "UN", "SU", "YU", "QQ", "y", "US-CA", "en_XX"]

UNKNOWN = ["", "??", "-", "None", "Other", "Please select", "N/A", "n/a", "Georgia, USA"]
UNKNOWN += [
    "Berlin, Germany",
    "Congo",
    "Europe",
    "California",
    "44",
    "999",
    "🇩🇪🇫🇷",
    "Germany " * 20,
]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(CODES | OWN_NAMES | ENGLISH | ARTICLES | PAIRS | OTHER_NAMES | SHORT).items(),
        *((text, None) for text in [*UNKNOWN, *NO_COUNTRIES]),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(text: str, code: str | None) -> None:
    assert country_code(text) == code
    assert country_code(f" {text.upper()} ") == code or not text.isascii()


@pytest.mark.parametrize(("locale", "code"), LOCALES.items())
def test_a_locale_is_its_region(locale: str, code: str | None) -> None:
    assert country_code(locale) == code


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_a_country_is_known_by_its_name_in_every_language(language: str) -> None:
    names = Locale(language).territories
    missed = {code: names[code] for code in MARKETS.split() if country_code(names[code]) != code}
    assert not missed


def test_an_unknown_country_is_kept_as_written() -> None:
    assert trait_value("country", " Atlantis ") == "Atlantis"
    assert trait_value("country", "Deutschland") == "DE"


@pytest.mark.slow
def test_the_file_is_what_its_script_makes_of_the_locked_babel() -> None:
    command = [sys.executable, str(ROOT / "infra/country_names.py"), "--check"]
    checked = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
def test_every_line_of_the_file_is_found() -> None:
    lines = [line for line in DATA.read_text().splitlines() if not line.startswith("#")]
    names = [line.split("\t") for line in lines]
    missed = [key for key, code in names if len(key) > 2 and country_code(key) != code]
    assert len(lines) > 30_000
    assert not missed


@given(st.text(max_size=MAX_TEXT + 20))
def test_any_text_is_a_country_or_unknown(text: str) -> None:
    code = country_code(text)
    assert code is None or (len(code) == 2 and code.isascii() and code.isupper())


def test_the_limit_is_looked_at_before_the_text() -> None:
    class Unread(str):
        __slots__ = ()

        def strip(self, _: str | None = None) -> str:
            raise AssertionError("the text was read")

    assert country_code(Unread("x" * (MAX_TEXT + 1))) is None


def test_a_key_has_no_case_accents_and_signs() -> None:
    assert key_of("Côte d’Ivoire") == key_of("COTE D'IVOIRE") == "cotedivoire"
    assert key_of("भारत") != key_of("भरत")
