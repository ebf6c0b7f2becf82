"""The number that a person wrote: ``10k``, ``1.001-5.000``, ``> 500``, ``ca. 250 Mitarbeiter``."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

from msgspec import Struct

from warmlead.domain.money import DECIMALS, Style, in_ascii_digits, numeral_at, value_of
from warmlead.domain.text import PLAIN


class NumberPart(Enum):
    """What a word or a sign says; the value is its letter in a shape such as ``n-n``."""

    NUMBER = "n"
    ABOVE = ">"
    LEAST = "g"
    BELOW = "<"
    MOST = "l"
    OR_MORE = "+"
    OR_LESS = "_"
    TO = "-"
    BETWEEN = "b"
    AND = "&"
    ALONE = "1"
    UNIT = ""


_PHRASES = {
    NumberPart.ABOVE: """
        > | more than | over | above | greater than | exceeding | in excess of | mehr als | uber
        | ueber | plus de | mas de | mais de | mais que | acima de | piu di | oltre | meer dan
        | boven | ponad | powyzej | wiecej niz | fler an | over | mere end | mer enn | yli
        | более | больше | свыше | более чем | понад | більше | 超过 | 超過 | 大于
        | mer an | flere end | flere enn | vice nez | nad | lebih dari | di atas | hon
        | tren | 超 | 초과
        | أكثر من | فوق | יותר מ | יותר מ- | מעל | 多於 | 多于 | से अधिक | से ज्यादा
        | 'den fazla | 'dan fazla | 'ten fazla | 'tan fazla | den fazla | dan fazla
    """,
    NumberPart.LEAST: """
        >= | => | ≥ | ⩾ | at least | minimum | min | no less than | from | starting at | mindestens
        | ab | von | au moins | a partir de | des | al menos | desde | como minimo | por lo menos
        | almeno | a partire da | pelo menos | no minimo | minstens | ten minste | vanaf | van
        | co najmniej | od | minst | mindst | fra | fran | не менее | от | від | 至少
        | vahintaan | nejmene | alespon | en az | не менше | minimal | paling sedikit
        | it nhat | tu | dari
        | 最低 | 最少 | 少なくとも | 최소 | على الأقل | من | לפחות | कम से कम
    """,
    NumberPart.BELOW: """
        < | less than | fewer than | under | below | weniger als | unter | moins de | menos de
        | menos que | abaixo de | meno di | minder dan | onder | ponizej | mniej niz | mindre an
        | farre an | faerre end | mindre end | mindre enn | менее | меньше | до менее | 少于
        | 小于
        | faerre enn | mene nez | менше ніж | менше | alle | kurang dari | di bawah
        | duoi | 未満 | 미만
        | أقل من | פחות מ | פחות מ- | מתחת ל- | से कम | 'den az | 'dan az | 'ten az | 'tan az
        | den az | dan az | 'den daha az | 'dan daha az
    """,
    NumberPart.MOST: """
        <= | =< | ≤ | ⩽ | up to | at most | maximum | max | no more than | not more than | bis zu
        | maximal | hochstens | hoechstens | jusqu'a | jusqua | au plus | hasta
        | como maximo | fino a | al massimo | ate | no maximo | maximaal | hoogstens | tot en met
        | не более | 至多 | 最多
        | enintaan | nejvyse | en fazla | en cok | maks | maksimal | maksimum | paling banyak
        | toi da
        | op til | opp til | upp till | не більше | لا يزيد عن | לכל היותר | 最高 | 최대 | अधिकतम
    """,
    NumberPart.OR_MORE: """
        + | plus | or more | and more | and above | or above | and over | or over | and up
        | or higher | or greater | or larger | oder mehr | und mehr | und daruber | ou plus
        | et plus | o mas | y mas | en adelante | ou mais | e mais | o piu | e oltre | e piu
        | of meer | en meer | lub wiecej | i wiecej | eller fler | eller mere | eller mer
        | или более | и более | и больше | 以上 | 이상 | 及以上
        | -plus | eller flere | og flere | og mere | og mer | och fler | och uppat | tai enemman
        | ja enemman | a vice | nebo vice | ve uzeri | ve ustu | ve uzerinde | ve daha fazla
        | и выше | або більше | і більше | та більше | فأكثر | أو أكثر | وأكثر | ומעלה | או יותר
        | ויותר | या अधिक | या उससे अधिक | और अधिक | atau lebih | ke atas | tro len
        | 或以上 | 或更多
    """,
    NumberPart.OR_LESS: """
        or less | or fewer | or below | and below | and under | or under | oder weniger
        | und weniger | ou moins | et moins | o menos | y menos | ou menos | o meno | of minder
        | en minder | lub mniej | или менее | и менее | 以下 | 以内 | 이하
        | eller faerre | eller mindre | tai vahemman | nebo mene | ve alti | або менше
        | או פחות | أو أقل
        | فأقل | या कम | तक | atau kurang | tro xuong | 及以下 | 或以下 | まで | 까지
    """,
    NumberPart.TO: """
        - | ‐ | ‑ | ‒ | – | — | ― | − | ~ | 〜 | .. | ... | to | through | thru | till | until
        | bis | a | tot | t/m | do | til | till | до | 至 | 到 | から | ~
        | az | az do | ila | إلى | الى | حتى | עד | से | sampai | sampai dengan | s/d | hingga | den
    """,
    NumberPart.BETWEEN: "between | zwischen | entre | tra | tussen | miedzy | mellan | mellem"
    " | mellom | между | між | mezi | valilla | antara | giua | بين | בין",
    NumberPart.AND: "and | und | et | y | e | ed | en | i | och | og"
    " | dan | va | و | ו- | ל- | и | і | &",
    NumberPart.ALONE: """
        self-employed | self employed | selfemployed | freelance | freelancer | freelancers
        | sole trader | sole proprietor | sole proprietorship | solo | solopreneur | solo founder
        | just me | only me | me only | myself | myself only | just myself | only myself
        | it's just me | one person | one-person | single person | individual | independent
        | selbststandig | selbstandig | selbststaendig | freiberufler | freiberuflich
        | freiberuflerin | einzelunternehmer | einzelunternehmen | einzelunternehmerin
        | einzelperson | nur ich | ein-personen-unternehmen | solo-selbststandig
        | independant | independante | auto-entrepreneur | autoentrepreneur | micro-entrepreneur
        | travailleur independant | entreprise individuelle | moi seul | juste moi
        | autonomo | autonoma | trabajador autonomo | freelance autonomo | solo yo | empresario
        individual | libero professionista | lavoratore autonomo | ditta individuale | solo io
        | partita iva | profissional autonomo | trabalhador independente | so eu | apenas eu
        | zzp | zzp'er | zzper | zelfstandige | eenmanszaak | alleen ik | eigen baas
        | samozatrudniony | jednoosobowa dzialalnosc | egenforetagare | selvstaendig
        | selvstendig | yrittaja | самозанятый | ип | фрилансер | 個人事業主 | フリーランス
        | 个体户 | 自由职业者 | 自営業 | 프리랜서 | 개인사업자
    """,
    NumberPart.UNIT: """
        employee | employees | person | persons | people | staff | staff members | users | user
        | seats | seat | members | member | team members | team member | workers | colleagues
        | heads | headcount | fte | ftes | full-time | full time | mitarbeiter | mitarbeiterinnen
        | mitarbeitende | mitarbeitenden | mitarbeitern | mitarbeiter/innen | mitarbeiter/-innen
        | mitarbeiter*innen | mitarbeiter:innen | mitarbeiter_innen | ma | angestellte
        | angestellten | beschaftigte | beschaftigten | beschaeftigte | personen | leute | kopfe
        | employe | employes | employee(s) | salarie | salaries | salarie(e)s | personne
        | personnes | collaborateur | collaborateurs | effectif | empleado | empleados
        | empleados/as | trabajador | trabajadores | persona | personas | dipendente | dipendenti
        | persone | addetti | collaboratori | medewerker | medewerkers | werknemers | werknemer
        | personeelsleden | fte's | funcionario | funcionarios | colaborador | colaboradores
        | empregados | pessoa | pessoas | trabalhadores | pracownik | pracownikow | osob | osoby
        | zamestnancu | zamestnanci | anstallda | ansatte | medarbejdere | medarbetare
        | tyontekijaa | henkiloa | calisan | kisi | сотрудник | сотрудника | сотрудников
        | человек | працівників | співробітників | 名 | 人 | 名様 | 人員 | 員工 | 员工 | 社員
        | 従業員 | 명 | 직원 | 직원 수 | nhan vien | nguoi | nhan su | karyawan | pegawai
        | staf | orang
        | osoba | lide | lidi | henkea | henkilo | tyontekija | personel | осіб | особи | особа
        | чоловік | موظف | موظفا | موظفين | شخص | أشخاص | עובד | עובדים | איש | אנשים
        | कर्मचारी | लोग
        | about | approx | approximately | around | circa | ca | c. | roughly | some | nearly
        | almost | etwa | rund | ungefahr | ungefaehr | zirka | environ | autour de | unos | unas
        | aproximadamente | alrededor de | aprox | circa | cerca de | por volta de | all'incirca
        | ongeveer | rond | okolo | cirka | noin | yaklasik | около | примерно | близько
        | 約 | 约 | 大约 | およそ | 약 | ≈ | ≃ | ±
        | we are | we have | we're | a team of | team of | the | our | with | in | in total | total
        | worldwide | global | globally | currently | wir sind | wir haben | mit | insgesamt
        | weltweit | nous sommes | somos | siamo | size | company | de | da | di | of
        | euro | euros | eur. | dollar | dollars | pound | pounds | us$ | fr | 円 | 元 | 원 | руб
        | per year | a year | annually | p.a | pro jahr | par an | anual | , | . | : | !
    """,
}
_LABELS = """
    small | small business | smb | sme | kmu | pme | pyme | pymes | pmi | mkb | medium
    | medium-sized | mid | mid-size | midsize | mid-market | mid market | large | enterprise
    | startup | start-up | micro | corporate | corporation | klein | mittel | gross | mittelstand
    | konzern | petite | moyenne | grande | petite entreprise | grande entreprise | pequena
    | mediana | size
"""
_SCALES = {
    10**3: """
        k | thousand | thousands | thsd | tsd | tausend | mille | duizend | tys | тыс | 千 | 천
        | tusen | tusind | tuhat | tuhatta | tisic | bin | ribu | rb | nghin | ngan
        | тысяч | тыс. | тисяч | हजार | हज़ार | ألف | آلاف | אלף | 仟
    """,
    10**4: "万 | 萬 | 만",
    10**5: "lakh | lakhs | lac",
    10**6: """
        m | mm | mn | mln | mio | million | millions | millionen | mill | millon | millones
        | milione | milioni | milhao | milhoes | miljoen | miljoner | millioner | mln. | млн
        | миллион | миллиона | миллионов | 百万 | 百萬 | 백만
        | мільйон | мільйонів | juta | trieu | milyon | miljoonaa | milionu | مليون | מיליון
    """,
    10**7: "crore | crores | cr",
    10**8: "亿 | 億 | 억",
    10**9: """
        b | bn | billion | billions | mrd | mia | milliarde | milliarden | milliard | milliards
        | miliardo | miliardi | miljard | млрд
    """,
}


def _each(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split("|") if phrase.strip()]


PHRASES = MappingProxyType(
    {
        **{code.lower(): NumberPart.UNIT for code in DECIMALS},
        **{phrase: part for part, text in _PHRASES.items() for phrase in _each(text)},
    }
)
"""Each phrase with what it says. Longer ones are looked for first."""

LABELS = frozenset(_each(_LABELS))
"""What a company of some size is called; it may stand before the number that says how large."""

SCALES = MappingProxyType(
    {word: Decimal(factor) for factor, text in _SCALES.items() for word in _each(text)}
)
"""Words and letters behind a number by which it is multiplied. ``billion`` is 10⁹."""

LONGEST = max(map(len, (*PHRASES, *LABELS, *SCALES)))


MAX_TEXT = 100
"""The longest text that may be a number. The length is checked before anything else."""

_MAX_PARTS = 8
_LOWER = frozenset({"n", "n+", "gn", "gn+", "n-n", "gn-n", "nln", "bn&n", "bn-n", "gn&n"})
_UPPER = frozenset({"<n", "n<", "ln", "-n", "n_", "ln_"})
_DASHES = "-‐‑‒–—―−"
_MINUS = "-−"
_PLAIN = str.maketrans(dict(PLAIN))
_NO_RANGE = frozenset({*_DASHES, "~", "〜", "a"})
"""Before a number: a dash behind a label, ``~200``, an article."""


class _Item(Struct, frozen=True):
    """A part of the text; ``value`` is a number's, ``unscaled`` the one before its ``k``."""

    part: NumberPart
    value: Decimal = Decimal(0)
    unscaled: Decimal = Decimal(0)


def written_number(text: str, *, whole: bool) -> Decimal | None:
    """The number that the text states, or the lower bound of what it states; else ``None``.

    ``whole`` says that things are counted: ``1.200`` is 1200, ``> 500`` is 501, and ``< 10`` at
    least 1. Otherwise ``1.200`` may be two numbers, and such bounds are none: all are unknown.
    """
    if len(text) > MAX_TEXT:
        return None
    plain = in_ascii_digits(text.strip())
    if plain is None or len(plain) > MAX_TEXT:
        return None
    return _without_label(_folded(plain, whole=whole), whole=whole)


def _folded(text: str, *, whole: bool) -> str:
    """Lower case, no accents, single blanks. ``text`` has been held to its limit."""
    text = " ".join(_spaced(text.replace("’", "'"), whole=whole).casefold().split())
    if text.isascii():
        return text
    # Hangul syllables and ``й`` come apart as well: what is not Latin is put together again.
    kept, is_latin = [], False
    for letter in unicodedata.normalize("NFD", text):
        if not unicodedata.combining(letter):
            is_latin = letter.isascii()
        elif is_latin:
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_PLAIN)


def _spaced(text: str, *, whole: bool) -> str:
    """``SIZE_51_TO_200`` with blanks, and the option ``51_200`` of counts as the range it is.

    A zero after ``_`` does not begin an upper bound: ``10_000`` stays as it is, and is not a range.
    """
    pieces = text.split("_")
    for at, piece in enumerate(pieces[1:], 1):
        is_between = pieces[at - 1][-1:].isdecimal() and piece[:1].isdecimal()
        mark = " " if not is_between else "-" if whole and piece[0] != "0" else "_"
        pieces[at] = mark + piece
    return "".join(pieces)


def _without_label(text: str, *, whole: bool) -> Decimal | None:
    """``SMB (50-200)`` is what stands in its brackets, and ``50-200 (SMB)`` what stands before."""
    before, opened, rest = text.partition("(")
    if not opened:
        return _stated(text, whole=whole)
    inner, _, after = rest.partition(")")
    if after.strip():  # salarié(e)s
        return _stated(before + inner + after, whole=whole)
    if _has_digit(before):
        return None if _has_digit(inner) else _stated(before, whole=whole)
    inside, alone = _stated(inner, whole=whole), _stated(before, whole=whole)
    return inside if alone in (None, inside) else None


def _has_digit(text: str) -> bool:
    return any(letter.isdecimal() for letter in text)


def _stated(text: str, *, whole: bool) -> Decimal | None:
    style = Style.WHOLE if whole else Style.DECIMAL
    items: list[_Item] = []
    for item in _items(text, style):
        if item is None or len(items) == _MAX_PARTS:
            return None
        items.append(item)
    shape = "".join(item.part.value for item in items)
    numbers = [item for item in items if item.part is NumberPart.NUMBER]
    if shape in _LOWER and _is_rising(numbers):
        return _lower(numbers)
    if not whole:
        return None
    return _bounded(shape, numbers)


def _bounded(shape: str, numbers: Sequence[_Item]) -> Decimal | None:
    """What is only bounded, of things that are counted: at least one is there."""
    if shape in {">n", "n>"}:
        return Decimal(math.floor(numbers[0].value) + 1)
    if shape in _UPPER:
        most = (
            math.ceil(numbers[0].value) - 1 if NumberPart.BELOW.value in shape else numbers[0].value
        )
        return min(Decimal(1), Decimal(math.floor(most)))
    if shape in {"1", "n1", "1n"} and all(number.value == 1 for number in numbers):
        return Decimal(1)
    return None


def _is_rising(numbers: Sequence[_Item]) -> bool:
    return len(numbers) == 1 or numbers[0].value < numbers[1].value


def _lower(numbers: Sequence[_Item]) -> Decimal:
    """The first number. In ``1-5k`` what stands behind the second counts for both."""
    first, last = numbers[0], numbers[-1]
    unscaled = first.value == first.unscaled
    if unscaled and last.value != last.unscaled and first.value < last.unscaled:
        return first.value * (last.value / last.unscaled)
    return first.value


def _items(text: str, style: Style) -> Iterator[_Item | None]:
    """The parts that mean something; ``None`` for what cannot be understood."""
    at, numbers = 0, 0
    while at < len(text):
        letter = text[at]
        if letter == " " or unicodedata.category(letter) == "Sc":
            at += 1
        elif letter.isdecimal() or _is_signed(text, at):
            found, at = _number(text, at, style)
            numbers += 1
            yield found
        else:
            phrase = _phrase_at(text, at)
            yield from _meaning(phrase, at, is_before=numbers == 0)
            at += len(phrase) or 1


def _is_signed(text: str, at: int) -> bool:
    return at == 0 and text[at] in _MINUS + "+" and text[1:2].isdecimal()


def _number(text: str, at: int, style: Style) -> tuple[_Item | None, int]:
    sign = -1 if text[at] in _MINUS else 1
    numeral = numeral_at(text, at if text[at].isdecimal() else at + 1)
    value = value_of(numeral, style)
    word = _word_at(text, numeral.end, SCALES)
    factor = SCALES.get(word.strip(), Decimal(1))
    if factor != 1:  # 1.200k is 1,200 or 1,200,000
        value = value_of(numeral, Style.UNKNOWN)
    if value is None:
        return None, numeral.end + len(word)
    value *= sign
    return _Item(NumberPart.NUMBER, value * factor, value), numeral.end + len(word)


def _meaning(phrase: str, at: int, *, is_before: bool) -> Iterator[_Item | None]:
    """The meaning of a phrase; ``is_before`` says that no number has come yet."""
    part = PHRASES.get(phrase)
    if part is None:
        if phrase not in LABELS or not is_before:
            yield None
    elif part is NumberPart.TO and is_before and phrase in _NO_RANGE:
        if at == 0 and phrase in _DASHES:
            yield None  # "- 5" may be five less than nothing
    elif part is not NumberPart.UNIT:
        yield _Item(part)


def _phrase_at(text: str, at: int) -> str:
    return _word_at(text, at, PHRASES) or _word_at(text, at, LABELS)


def _word_at(text: str, at: int, known: object) -> str:
    """The longest known phrase that begins here, with a blank before it, and ends here too."""
    start = at + (text[at : at + 1] == " ")
    for end in range(min(len(text), start + LONGEST), start, -1):
        phrase = text[start:end]
        if phrase in known and _ends(text, end):  # type: ignore[operator]  # a set or a mapping
            return text[at:end]
    return ""


def _ends(text: str, end: int) -> bool:
    """Whether a word may end here. Scripts without blanks have no ends of words."""
    return not (
        text[end - 1].isalpha() and text[end : end + 1].isalpha() and text[end - 1] < "\u0e00"
    )
