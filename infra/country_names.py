"""Writes the names of all countries in all languages of CLDR. Run by ``make countries``.

The names come from the pinned ``babel``, which holds Unicode's CLDR; other names that people and
option lists use are added here. With ``--check`` nothing is changed.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import babel
from babel import Locale, localedata
from babel.core import get_global

from warmlead.domain.country_codes import CODES
from warmlead.senders.countries import ABBREVIATED, DATA
from warmlead.senders.labels import key_of

LICENCE = DATA.with_suffix(".LICENSE")
NOT_COUNTRIES = frozenset(
    {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
)
"""Codes of CLDR that ISO 3166-1 gives to no country; Kosovo's ``XK`` is in general use."""

INVENTED = frozenset({"tok", "vo", "eo", "ia", "ie", "jbo"})
"""Languages whose names are left out: nobody's form is in them, and they resemble others."""

LEFT_OUT = frozenset({"congo", "male"})
"""What means one country in CLDR, but several or something else to those who fill in forms."""

UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
"""As they are written where a keyboard has none."""

HEADER = """\
# The names of countries in the languages of CLDR, and other names in use, as keys: lower case,
# letters and digits alone. Written by `make countries` from babel {version}; do not edit.
# Copyright © Unicode, Inc. SPDX-License-Identifier: Unicode-3.0, see country_names.LICENSE.
"""

OTHER_NAMES = """
AE UAE|AE Emirates|AE الإمارات|BA Bosnia|BO Plurinational State of Bolivia
BO Bolivia (Plurinational State of)|BN Brunei Darussalam|CD DR Congo|CD DRC
CD Democratic Republic of the Congo|CD Congo, The Democratic Republic of the
CD Congo, Democratic Republic of the|CG Republic of the Congo|CI Ivory Coast|CN PRC
CN PR China|CN People's Republic of China|CN Mainland China|CN 中华人民共和国|CV Cape Verde
CV Cabo Verde|CH Swiss Confederation|CH Confoederatio Helvetica|CZ Czech Republic
CZ Tschechische Republik|CZ Tschechei|CZ République tchèque|CZ República Checa
CZ Repubblica Ceca|CZ Česká republika|DE BRD|DE Bundesrepublik Deutschland
DE Federal Republic of Germany|ES Kingdom of Spain|FK Falkland Islands (Malvinas)
FM Micronesia, Federated States of|FM Federated States of Micronesia|GB Great Britain
GB Britain|GB England|GB Scotland|GB Wales|GB Northern Ireland|GB gbeng|GB gbsct|GB gbwls
GB United Kingdom of Great Britain|GB United Kingdom of Great Britain and Northern Ireland
GB Grossbritannien|GB Schottland|GB Nordirland|GB Grande-Bretagne|GB Angleterre|GB Écosse
GB Pays de Galles|GB Gran Bretaña|GB Inglaterra|GB Escocia|GB Gran Bretagna|GB Inghilterra
GB Scozia|GB Grã-Bretanha|GB Escócia|GB Groot-Brittannië|GB Engeland|GB Schotland
GB Storbritannia|GB Storbritannien|GB İngiltere|GB Wielka Brytania|GB Anglia|GB Velká Británie
GB Anglie|GB Великобритания|GB Англия|GB 英格兰|GB 英格蘭|GE Republic of Georgia|HK Hong Kong
HK Hongkong|HK Hong Kong, China|IE Republic of Ireland|IE Éire|IR Iran, Islamic Republic of
IR Islamic Republic of Iran|KP Korea, Democratic People's Republic of
KP Democratic People's Republic of Korea|KP DPRK|KR Korea|KR Korea, Republic of
KR Republic of Korea|KR 한국|KR Korea (South)|KR Korea, South|KR ROK
LA Lao People's Democratic Republic|LA Lao|MD Moldova, Republic of|MD Republic of Moldova
MF Saint Martin (French part)|MK Macedonia|MK FYROM|MK Republic of North Macedonia
MK Macedonia, the former Yugoslav Republic of|MM Burma|MM Myanmar|MO Macau|MO Macao|NL Holland
NL The Netherlands|NL Holanda|NL Olanda|NL Hollande|NL Голландия|PS Palestine
PS State of Palestine|PS Palestine, State of|RU Russian Federation|RU Российская Федерация
SA السعودية|SA Saudi|SK Slovak Republic|SX Sint Maarten (Dutch part)|SY Syrian Arab Republic
SZ Swaziland|TH ประเทศไทย|TL East Timor|TR Turkey|TR Republic of Türkiye|TW Taiwan
TW Taiwan, Province of China|TW Taiwan, Republic of China|TW ROC
TZ Tanzania, United Republic of|TZ United Republic of Tanzania|US USA
US United States of America|US America|US The States|US EEUU|US EE. UU.
US Estados Unidos de América|US Estados Unidos da América|US États-Unis d'Amérique
US Vereinigte Staaten von Amerika|US Amerika|US Stati Uniti d'America
US Verenigde Staten van Amerika|US Stany Zjednoczone Ameryki|US США|US アメリカ
US 米国|US 美國|US 미국
VA Vatican|VA Holy See|VA Holy See (Vatican City State)|VE Venezuela, Bolivarian Republic of
VE Bolivarian Republic of Venezuela|VE Venezuela (Bolivarian Republic of)
VG Virgin Islands, British|VI Virgin Islands, U.S.|VN Vietnam|VN Viet Nam
VN Socialist Republic of Vietnam
HK 香港|HK 홍콩|HK Гонконг|HK هونغ كونغ|HK הונג קונג|HK 香港特別行政區|HK हांगकांग
HK Hong Kong SAR|HK Hong Kong (SAR)|HK Hongkong SAR|HK Hồng Kông|HK ฮ่องกง|HK Χονγκ Κονγκ
MO 澳門|MO 澳门|MO マカオ|MO 마카오|MO Макао|MO ماكاو|MO מקאו|MO Ma Cao|MO Makao|MO Macao SAR
MO Macau SAR|TW 臺灣|TW 타이완|TW 中華民國|CN 中華人民共和国|CN 中華人民共和國|CN 中国大陆
CN 中國大陸|CN 대륙 중국|CN 중화인민공화국|CN КНР|CN Китайская Народная Республика
CN Volksrepublik China|CN República Popular China|CN République populaire de Chine
US الولايات المتحدة الأمريكية|US أمريكا|US Соединенные Штаты Америки|US Сполучені Штати Америки
US Америка|US ABD|US ארצות הברית של אמריקה|US ארה״ב|US संयुक्त राज्य अमेरिका|US अमेरिका
US Spojené státy americké|US Förenta staterna|US Amerikas förenta stater
US Amerikas forenede stater|US Amerikas forente stater|US Amerikan yhdysvallat
US Hợp chủng quốc Hoa Kỳ|US EUA|US U.S. of A.|US 美利坚合众国|US 美利堅合眾國|US 미합중국
AE دولة الإمارات العربية المتحدة|AE دولة الإمارات|AE 阿联酋|AE 阿聯酋|AE VAE|AE Emiratos Árabes
AE Emirados Árabes|AE אמירויות|AE איחוד האמירויות|SA KSA|SA Kingdom of Saudi Arabia|SA 沙特
SA المملكة السعودية|GB بريطانيا|GB إنجلترا|GB אנגליה|GB בריטניה|GB Соединенное Королевство
GB Inggris|GB Britannien|GB Großbritannien und Nordirland|GB Anh quốc|GB 大不列颠
GB Velká Británie a Severní Irsko|GB Storbritannien och Nordirland|GB Büyük Britanya|KR 大韓民国
KR 大韓民國|KR 韓國|KR 南韓|KR 南韩|KR Южная Корея|KR Rep. of Korea|KP 朝鲜|KP 北韓|KP 北朝鮮
KP Северная Корея|JP 日本国|JP 日本國|JP Nihon|JP Nippon|DE GER|DE Bundesrepublik|NL NED|CH SUI
DK DEN|PT POR|HR CRO|GR GRE|BG BUL|ZA RSA|PH PHI|VN VIE|UY URU|LV LAT|AT Republik Österreich
CH Schweizerische Eidgenossenschaft|CH Confédération suisse|NL Koninkrijk der Nederlanden
NL Hollanda|CZ Čechy|CZ Чешская Республика|BY Белоруссия|BY Республика Беларусь
KZ Республика Казахстан|RU РФ|TR Türkiye Cumhuriyeti|EG جمهورية مصر العربية|IN इंडिया
IN Republic of India|IN Bharat|ID Republik Indonesia|ID Republic of Indonesia
BR República Federativa do Brasil|MX Méjico|MX Estados Unidos Mexicanos|ES Reino de España
FR République française|FR France métropolitaine|FR Metropolitan France|IT Repubblica Italiana
PL Rzeczpospolita Polska|SE Konungariket Sverige|DK Kongeriget Danmark|NO Kongeriket Norge
FI Suomen tasavalta|PT República Portuguesa|SG Republic of Singapore|IE Ireland (Republic)
CD RDC|LU Grand-Duché de Luxembourg|BE Königreich Belgien|IL State of Israel|IL מדינת ישראל
AU Commonwealth of Australia|PH Republic of the Philippines
"""


def main() -> int:
    """Writes the file, or tells whether it is what would be written."""
    names, licence = file_text(), _licence_text()
    if "--check" in sys.argv[1:]:
        fresh = DATA.read_text() == names and LICENCE.read_text() == licence
        if not fresh:
            print(f"{DATA.name} is not what babel holds: run `make countries` and commit it")
        return 0 if fresh else 1
    DATA.write_text(names)
    LICENCE.write_text(licence)
    print(f"{DATA.name}: {len(_settled())} names of {len(_codes())} countries")
    return 0


def file_text() -> str:
    """The whole file, in the order of its bytes. The header sorts before every key."""
    lines = sorted(f"{key}\t{code}\n".encode() for key, code in _settled().items())
    return HEADER.format(version=version("babel")) + b"".join(lines).decode()


def _settled() -> dict[str, str]:
    """Each key with the one country that it means.

    Codes and our own names come first, then English; what then means several is left out.
    """
    settled = {key_of(code): code for code in sorted(_codes())}
    settled |= {key_of(alias): code for alias, code in _aliases()}
    settled |= {key_of(name): code for code, name in _other_names()}
    for names in (_names_in("en"), _all_names()):
        meant: dict[str, set[str]] = defaultdict(set)
        for code, name in names:
            meant[key_of(name)].add(code)
        fresh = {key: codes for key, codes in meant.items() if key not in settled}
        settled |= {key: min(codes) for key, codes in fresh.items() if len(codes) == 1}
    return {key: code for key, code in settled.items() if _is_name(key) and key not in LEFT_OUT}


def _is_name(key: str) -> bool:
    """Not what two Latin letters are left of, such as Vietnamese ``Úc``: those would be a code."""
    return len(key) > 2 or not key.isascii() or key.upper() in {*_codes(), *ABBREVIATED}  # noqa: PLR2004  # alpha-2


def _codes() -> frozenset[str]:
    """The codes of ISO 3166-1, which are those that CLDR has names for."""
    territories = Locale("en").territories
    named = {c for c in territories if len(c) == 2 and c.isalpha() and c not in NOT_COUNTRIES}  # noqa: PLR2004  # alpha-2
    if named != CODES:
        sys.exit(f"domain/country_codes.py differs from babel in {sorted(named ^ CODES)}")
    return CODES


def _aliases() -> Iterator[tuple[str, str]]:
    """Codes of three letters and three digits, also of countries that became another one."""
    codes = _codes()
    for alias, replaced in get_global("territory_aliases").items():
        if len(alias) == len("DEU") and len(replaced) == 1 and replaced[0] in codes:
            yield alias, replaced[0]
    yield from ABBREVIATED.items()


def _other_names() -> Iterator[tuple[str, str]]:
    for entry in OTHER_NAMES.replace("\n", "|").split("|"):
        if entry:
            code, _, name = entry.partition(" ")
            yield code, name


def _all_names() -> Iterator[tuple[str, str]]:
    for language in localedata.locale_identifiers():
        if language.partition("_")[0] not in INVENTED:
            yield from _names_in(language)


def _names_in(language: str) -> Iterator[tuple[str, str]]:
    codes = _codes()
    for code, name in Locale.parse(language).territories.items():
        # Two Latin letters are always a code.
        if code in codes and not (len(name) == 2 and name.isascii()):  # noqa: PLR2004  # alpha-2
            yield code, name
            yield code, name.translate(UMLAUTS)


def _licence_text() -> str:
    return Path(babel.__file__).with_name("locale-data").joinpath("LICENSE.unicode").read_text()


if __name__ == "__main__":
    sys.exit(main())
