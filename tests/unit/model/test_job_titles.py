"""A job title says in any language whether somebody decides, manages, learns or does neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import assert_within
from warmlead.model.coercion import know
from warmlead.model.job_titles import MAX_TITLE, TitleLevel, title_level
from warmlead.model.vocabulary import STANDARD_TRAITS

TITLES = {
    TitleLevel.DECIDES: """
        CEO | Chief Revenue Officer | Co-Founder & CTO | VP Marketing | Vice President, Sales
        | Head of IT | director | Managing Partner | Business Owner | Geschäftsführerin
        | Geschaeftsfuehrer | Leiter Vertrieb | Bereichsleiterin Einkauf | Vorstand | Inhaber
        | Directeur commercial | Directrice marketing | PDG | Gérant | Chef d'entreprise | Président
        | Directora de Marketing | Gerente general | Socio fundador | Dueña | Diretor comercial
        | Sócia | Direttore vendite | Amministratore delegato | Titolare | Eigenaar
        | Hoofd inkoop | Dyrektor handlowy | Właściciel | Prezes zarządu | VD | Marknadschef
        | Försäljningschef | Salgsdirektør | Administrerende direktør | Daglig leder | Ejer
        | Toimitusjohtaja | Markkinointijohtaja | Jednatel | Ředitelka nákupu | Genel Müdür
        | Kurucu ortak | Генеральный директор | Руководитель отдела продаж | Владелец
        | Керівник відділу | Засновниця | 代表取締役社長 | 営業部長 | 執行役員 | 대표이사
        | 마케팅 본부장 | 상무
        | 市场总监 | 總經理 | 创始人 | 董事长 | الرئيس التنفيذي | المدير العام | مؤسس
        | מנכ״ל | סמנכ"ל שיווק | בעלים
        | निदेशक | Direktur Utama | Giám đốc | Tổng giám đốc
    """,
    TitleLevel.MANAGES: """
        Marketing Manager | Tech Lead | Principal Engineer | Assistant Director | Teamleiterin
        | Projektleiter | Chef de projet | Responsable informatique | Jefe de ventas | Coordenadora
        | Responsabile acquisti | Teamleider | Kierownik | Projektledare | Myyntipäällikkö
        | Vedoucí oddělení | Pazarlama Müdürü | Менеджер по продажам | 課長 | マネージャー
        | 팀장 | 项目经理
        | مدير المبيعات | מנהלת מוצר | Manajer Pemasaran | Trưởng phòng
    """,
    TitleLevel.OUTSIDE: """
        Student | Intern to the CEO | Retired director | Freelancer | Werkstudentin | Praktikant
        | Étudiante | Stagiaire | Estudiante | Estagiário | Studentessa | Stażystka | Opiskelija
        | Stajyer | Студент | 学生 | インターン | 실습 학생 | 实习生 | طالب | סטודנטית | Mahasiswa
    """,
    TitleLevel.OTHER: """
        Director's assistant | Assistant to the CEO | Executive Assistant to the President
        | Assistentin der Geschäftsführung | Assistante de direction du directeur
        | Asistente del director | Asystentka prezesa | Секретарь директора | 社長秘書
        | 総务部长助理
        | 总经理助理 | 대표 비서 | Trợ lý giám đốc | Engineer | Headhunter | Product Owner
        | Begleiter
        | Presidential guard | Ownership analyst | International sales | Directory editor
        | Buchhalter
        | Leadership coach | Programmierer | Desarrollador | エンジニア | 工程师 | مهندس
        | Art Director
    """,
}


@pytest.mark.parametrize("level", TITLES)
def test_a_title_tells_the_part_in_a_purchase(level: TitleLevel) -> None:
    titles = [" ".join(title.split()) for title in TITLES[level].split("|")]
    spelt = [spelling for title in titles for spelling in (title, title.upper(), f"  {title} ")]
    told = {title: title_level(title) for title in spelt}
    assert {title: found for title, found in told.items() if found is not level} == {}


def test_the_level_of_a_title_ignores_what_the_sender_states() -> None:
    assert know({"title": "CEO", "title_level": "outside"}, STANDARD_TRAITS) == {
        "title": "CEO",
        "title_level": "decides",
    }
    assert know({"title_level": "decides"}, STANDARD_TRAITS) == {}


@given(st.text(max_size=MAX_TITLE + 20))
def test_any_title_has_a_level(title: str) -> None:
    assert title_level(title) in TitleLevel


@pytest.mark.slow
def test_a_title_is_cut_before_it_is_read() -> None:
    assert title_level("x" * MAX_TITLE + " CEO") is TitleLevel.OTHER
    assert_within(0.01, lambda: title_level("ﷺ" * 8_000))
