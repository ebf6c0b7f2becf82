"""The words beside a number, in the languages of most forms, by what they do to it.

Written by hand: the labels of company sizes and revenues that form builders, LinkedIn and CRMs
offer, translated. Lower case, without accents; ``ß`` is ``ss``, ``ł`` is ``l``. A word of ``ABOVE``
and ``BELOW`` may stand before its number or behind it: ``超过500``, ``500人超``.
"""

from decimal import Decimal
from enum import Enum
from types import MappingProxyType

from warmlead.domain.money import DECIMALS


class Part(Enum):
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
    Part.ABOVE: """
        > | more than | over | above | greater than | exceeding | in excess of | mehr als | uber
        | ueber | plus de | mas de | mais de | mais que | acima de | piu di | oltre | meer dan
        | boven | ponad | powyzej | wiecej niz | fler an | over | mere end | mer enn | yli
        | более | больше | свыше | более чем | понад | більше | 超过 | 超過 | 大于
        | mer an | flere end | flere enn | vice nez | nad | lebih dari | di atas | hon
        | tren | 超 | 초과
        | أكثر من | فوق | יותר מ | יותר מ- | מעל | 多於 | 多于 | से अधिक | से ज्यादा
        | 'den fazla | 'dan fazla | 'ten fazla | 'tan fazla | den fazla | dan fazla
    """,
    Part.LEAST: """
        >= | => | ≥ | ⩾ | at least | minimum | min | no less than | from | starting at | mindestens
        | ab | von | au moins | a partir de | des | al menos | desde | como minimo | por lo menos
        | almeno | a partire da | pelo menos | no minimo | minstens | ten minste | vanaf | van
        | co najmniej | od | minst | mindst | fra | fran | не менее | от | від | 至少
        | vahintaan | nejmene | alespon | en az | не менше | minimal | paling sedikit
        | it nhat | tu | dari
        | 最低 | 最少 | 少なくとも | 최소 | على الأقل | من | לפחות | कम से कम
    """,
    Part.BELOW: """
        < | less than | fewer than | under | below | weniger als | unter | moins de | menos de
        | menos que | abaixo de | meno di | minder dan | onder | ponizej | mniej niz | mindre an
        | farre an | faerre end | mindre end | mindre enn | менее | меньше | до менее | 少于
        | 小于
        | faerre enn | mene nez | менше ніж | менше | alle | kurang dari | di bawah
        | duoi | 未満 | 미만
        | أقل من | פחות מ | פחות מ- | מתחת ל- | से कम | 'den az | 'dan az | 'ten az | 'tan az
        | den az | dan az | 'den daha az | 'dan daha az
    """,
    Part.MOST: """
        <= | =< | ≤ | ⩽ | up to | at most | maximum | max | no more than | not more than | bis zu
        | maximal | hochstens | hoechstens | jusqu'a | jusqua | au plus | hasta
        | como maximo | fino a | al massimo | ate | no maximo | maximaal | hoogstens | tot en met
        | не более | 至多 | 最多
        | enintaan | nejvyse | en fazla | en cok | maks | maksimal | maksimum | paling banyak
        | toi da
        | op til | opp til | upp till | не більше | لا يزيد عن | לכל היותר | 最高 | 최대 | अधिकतम
    """,
    Part.OR_MORE: """
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
    Part.OR_LESS: """
        or less | or fewer | or below | and below | and under | or under | oder weniger
        | und weniger | ou moins | et moins | o menos | y menos | ou menos | o meno | of minder
        | en minder | lub mniej | или менее | и менее | 以下 | 以内 | 이하
        | eller faerre | eller mindre | tai vahemman | nebo mene | ve alti | або менше
        | או פחות | أو أقل
        | فأقل | या कम | तक | atau kurang | tro xuong | 及以下 | 或以下 | まで | 까지
    """,
    Part.TO: """
        - | ‐ | ‑ | ‒ | – | — | ― | − | ~ | 〜 | .. | ... | to | through | thru | till | until
        | bis | a | tot | t/m | do | til | till | до | 至 | 到 | から | ~
        | az | az do | ila | إلى | الى | حتى | עד | से | sampai | sampai dengan | s/d | hingga | den
    """,
    Part.BETWEEN: "between | zwischen | entre | tra | tussen | miedzy | mellan | mellem"
    " | mellom | между | між | mezi | valilla | antara | giua | بين | בין",
    Part.AND: "and | und | et | y | e | ed | en | i | och | og"
    " | dan | va | و | ו- | ל- | и | і | &",
    Part.ALONE: """
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
    Part.UNIT: """
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
        **{code.lower(): Part.UNIT for code in DECIMALS},
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
