"""What a job title says of the part that somebody has in a purchase: ``title_level``.

The one vocabulary of all models, in the languages of most forms. Written by hand, after the titles
that people state at sign-up. Words in Latin, Cyrillic, Greek, Hebrew and Arabic letters are whole
words, without accents; terms of scripts without blanks may stand anywhere in the title.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from functools import cache, lru_cache

from msgspec import Struct

from warmlead.domain.text import without_marks

MAX_TITLE = 200
"""Characters of a title that are read. This is looked at before anything else."""


class TitleLevel(StrEnum):
    """The part in a purchase."""

    DECIDES = "decides"  # leads the company, or a part of it
    MANAGES = "manages"  # leads a team or a project, and is asked
    OUTSIDE = "outside"  # learns, works for themselves, or no longer works
    OTHER = "other"


_DECIDES = """
    chief ceo cfo cio cmo coo cto cdo cso cpo cro ciso chro founder cofounder owner president vp svp
    evp head director chairman chairwoman chairperson proprietor
    geschaftsfuhrer geschaftsfuhrerin geschaeftsfuehrer geschaeftsfuehrerin geschaftsfuhrung
    geschaftsleitung geschaeftsleitung geschaftsleiter geschaftsleiterin inhaber inhaberin vorstand
    vorstandin vorstandsvorsitzender vorstandsvorsitzende vorstandsmitglied prokurist prokuristin
    gesellschafter gesellschafterin leiter leiterin leitung abteilungsleiter abteilungsleiterin
    abteilungsleitung bereichsleiter bereichsleiterin bereichsleitung vertriebsleiter
    vertriebsleiterin vertriebsleitung marketingleiter marketingleiterin marketingleitung
    entwicklungsleiter einkaufsleiter einkaufsleiterin personalleiter personalleiterin werksleiter
    werkleiter betriebsleiter betriebsleiterin produktionsleiter niederlassungsleiter standortleiter
    finanzleiter verkaufsleiter verkaufsleiterin hauptabteilungsleiter direktor direktorin grunder
    grunderin gruender gruenderin mitgrunder mitgrunderin unternehmer unternehmerin eigentumer
    eigentumerin
    directeur directrice dirigeant dirigeante gerant gerante pdg dsi daf drh presidente fondateur
    fondatrice cofondateur cofondatrice proprietaire
    director directora propietario propietaria dueno duena fundador fundadora cofundador cofundadora
    presidenta socio socia
    diretor diretora proprietario proprietaria dono dona
    direttore direttrice titolare fondatore fondatrice cofondatore dirigente
    eigenaar eigenaresse oprichter bestuurder hoofd directielid zaakvoerder
    dyrektor dyrektorka prezes wlasciciel wlascicielka zalozyciel zalozycielka wiceprezes szef
    vd agare grundare medgrundare ordforande forsaljningschef marknadschef ekonomichef
    personalchef avdelningschef salgschef marketingchef okonomichef afdelingschef avdelingssjef
    salgssjef markedssjef ejer eier grunder stifter medstifter
    toimitusjohtaja omistaja perustaja
    reditel reditelka jednatel jednatelka majitel majitelka zakladatel zakladatelka predseda
    direktoru kurucu kurucusu sahibi baskan baskani
    ugyvezeto tulajdonos igazgato
    direktur pemilik pendiri presiden
    директор директора гендиректор руководитель начальник владелец владелица собственник основатель
    сооснователь учредитель президент глава
    керівник власник власниця засновник засновниця голова
    διευθυντης διευθυντρια ιδρυτης ιδιοκτητης προεδρος
    רئيس رئيس الرئيس مؤسس المؤسس مالك المالك
    מנכל מנכלית סמנכל סמנכלית מייסד מייסדת בעלים נשיא נשיאה דירקטור דירקטורית
"""
_DECIDES_IN_WORDS = """
    managing partner | founding partner | vice president | general manager | c level | c suite
    | chef d entreprise | directeur general | consejero delegado | gerente general
    | director general
    | amministratore delegato | amministratore unico | consigliere delegato
    | czlonek zarzadu | daglig leder | it chef | administrerende direktor | adm dir | yonetim kurulu
    | genel mudur | giam doc | tong giam doc | pho giam doc | chu tich | nha sang lap
    | chu doanh nghiep | kepala divisi | kepala departemen | direktur utama
    | المدير التنفيذي | مدير تنفيذي | المدير العام | مدير عام | מנהל כללי | ראש אגף | ראש מחלקה
"""
_DECIDES_ANYWHERE = """
    代表取締役 取締役 社長 会長 代表 役員 部長 本部長 事業部長 局長 所長 支店長
    工場長 オーナー 経営者 創業者
    最高経営責任者 最高技術責任者 責任者
    대표 사장 회장 이사 상무 전무 본부장 부장 실장 창업자 임원 최고경영자
    总监 總監 总经理 總經理 董事 总裁 總裁 创始人 創始人 創辦人 首席 老板 老闆
    负责人 負責人 部长 副总 副總
    合伙人 合夥人 厂长 廠長
    निदेशक संस्थापक मालिक अध्यक्ष सीईओ
    ผู้อำนวยการ กรรมการ เจ้าของ ผู้ก่อตั้ง
"""
_MANAGES = """
    manager lead principal supervisor teamlead
    teamleiter teamleiterin teamleitung gruppenleiter gruppenleiterin projektleiter projektleiterin
    projektmanager projektmanagerin produktmanager produktmanagerin marketingmanager
    marketingmanagerin filialleiter filialleiterin schichtleiter bauleiter projektleitung managerin
    responsable gestionnaire superviseur
    gerente jefe jefa encargado encargada supervisora subdirector subdirectora
    coordenador coordenadora coordinador coordinadora gestor gestora
    responsabile capo coordinatore coordinatrice
    teamleider projectleider leidinggevende coordinator
    kierownik kierowniczka menedzer menadzer
    ledare projektledare gruppchef teamchef leder projektleder teamleder prosjektleder
    esimies tiiminvetaja
    vedouci manazer manazerka
    mudur muduru yonetici yoneticisi
    manajer kepala
    менеджер управляющий заведующий управляющая
    завідувач
    مدير مديرة المدير
    מנהל מנהלת ראש
"""
_MANAGES_IN_WORDS = """
    chef de projet | chef de produit | chef de service | chef d equipe
    | truong phong | quan ly | truong nhom
"""
_MANAGES_ANYWHERE = """
    課長 係長 主任 次長 店長 室長 マネージャー マネジャー リーダー ディレクター 과장
    차장 팀장 매니저 经理 經理 主管 组长 組長
    课长 課长 प्रबंधक ผู้จัดการ
"""
_OUTSIDE = """
    student students intern interns freelancer freelance retired pensioner trainee apprentice
    studentin studierende studierender praktikant praktikantin werkstudent werkstudentin azubi
    auszubildende auszubildender rentner rentnerin
    etudiant etudiante stagiaire apprenti apprentie retraite retraitee
    estudiante becario becaria practicante jubilado jubilada
    estudante estagiario estagiaria aposentado aposentada
    studente studentessa stagista tirocinante pensionato pensionata
    stagiair stagiaire gepensioneerd
    studentka stazysta stazystka praktykant emeryt
    praktikant pensionerad studerende pensionist opiskelija harjoittelija elakelainen
    stazista duchodce ogrenci stajyer emekli mahasiswa magang pensiunan
    студент студентка стажер практикант пенсионер пенсионерка стажист
    طالب طالبة متدرب متقاعد סטודנט סטודנטית מתמחה מתלמד פנסיונר פרילנסר
"""
_OUTSIDE_ANYWHERE = """
    学生 學生 インターン 実習生 研修生 フリーランス 实习 實習 退休 退職 自由职业
    학생 인턴 프리랜서 은퇴
    छात्र इंटर्न นักศึกษา นักเรียน
"""
_ASSISTS = """
    assistant assistants secretary receptionist
    assistent assistentin assistenz sekretar sekretarin sekretaer sekretaerin
    assistante secretaire asistente secretario secretaria assistente secretaria segretario
    segretaria assistenti secretaresse asystent asystentka sekretarz sekretarka sekreterare
    avustaja assistentti sihteeri asistent asistentka asistani asistan sekreter
    asisten sekretaris
    ассистент ассистентка помощник помощница секретарь асистент асистентка помічник помічниця
    секретар βοηθος مساعد مساعدة سكرتير سكرتيرة עוזר עוזרת מזכיר מזכירה
"""
_ASSISTS_IN_WORDS = "tro ly | thu ky | office of the ceo"
_ASSISTS_ANYWHERE = """
    秘書 秘书 アシスタント 補佐 助理 비서 보조 어시스턴트 सहायक सचिव ผู้ช่วย เลขานุการ
"""
_NO_ONE_OF_RANK = """
    product owner | process owner | service owner | system owner | data owner | home owner
    | head hunter | art director | funeral director | casting director | sous chef | head chef
    | chef de partie | chef de rang | chef de cuisine | lead generation
    | student affairs | student services | student success | student life
"""
"""What has a word of rank in it and means another thing."""

_DEPUTY = "assistant"
_DEPUTY_OF = frozenset(("director", "manager", "vice", "vp", "head"))
"""An assistant director is one who manages; the director's assistant is none."""

_DIRECTORS = "direktor direktorin johtaja"
"""Long words that end so are directors: ``Salgsdirektør``, ``Markkinointijohtaja``."""

_HEADS_OF_TEAMS = "paallikko"

_WORD = re.compile(r"[^\W_]+")
_QUOTES = str.maketrans(dict.fromkeys('"״׳'))
"""Within Hebrew abbreviations: ``מנכ״ל``."""


class _Terms(Struct, frozen=True):
    """What identifies a level: words, phrases between blanks, terms anywhere, ends of words."""

    level: TitleLevel
    words: frozenset[str]
    phrases: tuple[str, ...]
    anywhere: frozenset[str]
    ends: tuple[str, ...] = ()

    def tell(self, words: Sequence[str], title: str) -> bool:
        """Whether they are in the title, which is also given in words."""
        return (
            not self.words.isdisjoint(words)
            or any(word.endswith(self.ends) for word in words)
            or (not title.isascii() and any(term in title for term in self.anywhere))
        )


def _plain(text: str) -> str:
    return text if text.isascii() else "".join(map(without_marks, text))


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(f" {' '.join(phrase.split())} " for phrase in _plain(text).split("|"))


def _terms(level: TitleLevel, words: str, phrases: str, anywhere: str, ends: str = "") -> _Terms:
    found = _phrases(phrases) if phrases else ()
    several = frozenset(_plain(words).split()), found, frozenset(anywhere.split())
    return _Terms(level, *several, tuple(ends.split()))


@cache
def _levels() -> tuple[_Terms, ...]:
    """In the order in which they count; made when the first title comes."""
    return (
        _terms(TitleLevel.OUTSIDE, _OUTSIDE, "", _OUTSIDE_ANYWHERE),
        _terms(TitleLevel.OTHER, _ASSISTS, _ASSISTS_IN_WORDS, _ASSISTS_ANYWHERE),
        _terms(TitleLevel.DECIDES, _DECIDES, _DECIDES_IN_WORDS, _DECIDES_ANYWHERE, _DIRECTORS),
        _terms(TitleLevel.MANAGES, _MANAGES, _MANAGES_IN_WORDS, _MANAGES_ANYWHERE, _HEADS_OF_TEAMS),
    )


_NO_RANK = _phrases(_NO_ONE_OF_RANK)


def title_level(title: str) -> TitleLevel:
    """What the title says. Who learns goes before who assists, and that before who decides.

    ``Intern to the CEO`` is ``outside``, ``Director's assistant`` is ``other``. All work is linear
    in the first ``MAX_TITLE`` characters.
    """
    return _level(title[:MAX_TITLE])


@lru_cache(maxsize=1_024)
def _level(title: str) -> TitleLevel:
    plain = unicodedata.normalize("NFKC", title).casefold().translate(_QUOTES)
    words = _WORD.findall(_plain(plain))
    text = f" {' '.join(words)} "
    for phrase in _NO_RANK:
        text = text.replace(phrase, " ")
    words = text.split()
    if words[:1] == [_DEPUTY] and not _DEPUTY_OF.isdisjoint(words[1:2]):
        return TitleLevel.MANAGES
    for outer in _levels()[:2]:
        if outer.tell(words, plain) or any(phrase in text for phrase in outer.phrases):
            return outer.level
    for inner in _levels()[2:]:
        if any(phrase in text for phrase in inner.phrases):
            return inner.level
    return next((one.level for one in _levels()[2:] if one.tell(words, plain)), TitleLevel.OTHER)
