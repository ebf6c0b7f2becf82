"""The fields of a person are found by what forms call them, in some twenty languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.senders.label_words import OTHER_SCRIPTS, SPELLINGS
from warmlead.senders.labels import key_of, meaning_of_name
from warmlead.senders.person import field_name, flatten, standard_name

ADDRESSES = ["email", "E-Mail", "Email-2", "EMAIL ADDRESS", "emailAddress", "e-mail:", "Mail"]
ADDRESSES += ["What is your email?", "What's your e-mail address?", "Your work email *"]
ADDRESSES += ["Business Email Address*", "Email (required)", "Please enter your e-mail"]
ADDRESSES += ["E-Mail-Adresse", "Ihre E-Mail-Adresse", "E-Mail-Adresse (geschäftlich)"]
ADDRESSES += ["Wie lautet Ihre E-Mail-Adresse?", "Geschäftliche E-Mail", "Emailadresse"]
ADDRESSES += ["Adresse e-mail", "Votre adresse e-mail professionnelle", "Courriel", "Adresse mail"]
ADDRESSES += ["Quelle est votre adresse e-mail ?", "correo electrónico", "Correo corporativo"]
ADDRESSES += ["Dirección de correo electrónico", "Il tuo indirizzo email", "Posta elettronica"]
ADDRESSES += ["Endereço de e-mail", "Correio eletrónico", "E-mailadres", "Uw zakelijke e-mailadres"]
ADDRESSES += ["Adres e-mail", "E-postadress", "E-post", "Sähköposti", "E-posta", "E-mailová adresa"]
ADDRESSES += [
    "Địa chỉ email",
    "Alamat email",
    "メールアドレス",
    "メールアドレス（必須）",
    "Eメール *",
]
ADDRESSES += [
    "邮箱",
    "您的邮箱",
    "電子郵件",
    "이메일",
    "이메일 주소",
    "почта",
    "Ваша почта",
    "E-mail адрес",
]
ADDRESSES += ["Електронна пошта", "Ηλεκτρονικό ταχυδρομείο", "البريد الإلكتروني", "الايميل"]
ADDRESSES += ["דוא״ל", "אימייל", "อีเมล", "ईमेल"]

GROUPED = ["form_fields[email]", "fields[email][value]", "contact[email]", "data[merges][EMAIL]"]
GROUPED += [
    "q4_email",
    "your-email",
    "properties[email][value]",
    "lead.email",
    "answers[your_email]",
]

OTHERS_ADDRESSES = ["email_subject", "email_consent", "no_email", "friend_email", "referrer email"]
OTHERS_ADDRESSES += ["manager's email", "email_verified", "email opt-in", "is_email", "emails"]
OTHERS_ADDRESSES += [
    "fields[email][type]",
    "fields[email][title]",
    "友達のメールアドレス",
    "mailing list",
]
OTHERS_ADDRESSES += ["correo de referencia", "E-Mail-Betreff", "email frequency", "postal mail"]

OTHER_FIELDS = {"Vorname": "first_name", "Prénom": "first_name", "Nombre": "first_name"}
OTHER_FIELDS |= {"Voornaam": "first_name", "Imię": "first_name", "Имя": "first_name"}
OTHER_FIELDS |= {
    "Nachname": "last_name",
    "Nom": "last_name",
    "Apellidos": "last_name",
    "姓": "last_name",
}
OTHER_FIELDS |= {"お名前": "name", "Nombre completo": "name", "Ihr Name": "name", "ФИО": "name"}
OTHER_FIELDS |= {"Unternehmen": "company", "Entreprise": "company", "Empresa": "company"}
OTHER_FIELDS |= {
    "会社名": "company",
    "公司名称": "company",
    "Bedrijfsnaam": "company",
    "회사명": "company",
}
OTHER_FIELDS |= {
    "Telefonnummer": "phone",
    "Téléphone": "phone",
    "電話番号": "phone",
    "手机": "phone",
}
OTHER_FIELDS |= {"Work phone": "phone", "Телефон": "phone", "Celular": "phone"}
OTHER_FIELDS |= {"Land": "country", "Pays": "country", "País": "country", "国": "country"}
OTHER_FIELDS |= {"Country/Region": "country", "Страна": "country", "国家/地区": "country"}
OTHER_FIELDS |= {"Position": "title", "Fonction": "title", "Puesto": "title", "役職": "title"}
OTHER_FIELDS |= {"Должность": "title", "What is your job title?": "title"}
OTHER_FIELDS |= {"Unternehmensgröße": "employees", "Anzahl Mitarbeiter": "employees"}
OTHER_FIELDS |= {"Anzahl Mitarbeiter:innen": "employees", "Mitarbeiter*innen": "employees"}
OTHER_FIELDS |= {"Wie viele Mitarbeiter haben Sie?": "employees", "Mitarbeitende": "employees"}
OTHER_FIELDS |= {"Telefon (tagsüber)": "phone", "Telefon (freiwillige Angabe)": "phone"}
OTHER_FIELDS |= {"Rückrufnummer": "phone", "Phone (daytime)": "phone"}
OTHER_FIELDS |= {
    "Ansprechpartner:in": "name",
    "Ansprechpartner/in": "name",
    "Kontaktperson": "name",
}
OTHER_FIELDS |= {"Company Size": "employees", "Nombre de salariés": "employees"}
OTHER_FIELDS |= {"How many employees does your company have?": "employees", "従業員数": "employees"}
OTHER_FIELDS |= {"Tamaño de la empresa": "employees", "Numero di dipendenti": "employees"}

IN_EVERY_LANGUAGE = {
    "email": """
        Work email | Firmenmail | Geschäftliche E-Mail-Adresse | Adresse e-mail professionnelle
        | Email d'entreprise | Correo de la empresa | Correo electrónico de trabajo
        | E-mail da empresa | E-mail corporativo | Email aziendale | Zakelijk e-mailadres
        | Służbowy adres e-mail | Jobbmejl | Arbejdsmail | Jobb e-post | Työsähköposti
        | Firemní e-mail | Kurumsal e-posta | Рабочая почта | Корпоративный e-mail
        | Робоча пошта | 勤務先メールアドレス | 会社のメールアドレス | ご担当者様メールアドレス
        | 회사 이메일 | 업무용 이메일 주소 | 工作邮箱 | 公司郵箱 | البريد الإلكتروني للعمل
        | אימייל עסקי | Email kantor | Email công ty | Địa chỉ email công việc
    """,
    "first_name": """
        First name | Vorname | Prénom | Primer nombre | Primeiro nome | Nome proprio | Voornaam
        | Imię | Förnamn | Fornavn | Etunimi | Jméno | Adınız | Имя | Ім'я | 下の名前 | 이름 | 名
        | الاسم الأول | שם פרטי | पहला नाम | Nama depan
    """,
    "last_name": """
        Surname | Nachname | Nom de famille | Apellido | Sobrenome | Cognome | Achternaam | Nazwisko
        | Efternamn | Etternavn | Efternavn | Sukunimi | Příjmení | Soyadı | Soyadınız | Фамилия
        | Прізвище | 姓 | 성 | 姓氏 | اسم العائلة | שם משפחה | उपनाम | Nama belakang
    """,
    "name": """
        Your name | Vor- und Nachname | Nom et prénom | Nombre y apellidos | Nome completo
        | Nome e cognome | Voor- en achternaam | Imię i nazwisko | För- och efternamn | Fullt navn
        | Koko nimi | Jméno a příjmení | Adınız Soyadınız | Фамилия и имя | Ім'я та прізвище
        | お名前（漢字） | ご担当者名 | 담당자명 | 联系人姓名 | 聯絡人 | الاسم الكامل | שם מלא
        | पूरा नाम | Nama lengkap | Họ và tên | First name / Last name | Name, Vorname
    """,
    "phone": """
        Phone no. | Handynummer | Numéro de téléphone | Teléfono móvil | Telefone celular
        | Numero di cellulare | Telefoonnummer | Numer telefonu | Telefonnr. | Mobilnummer | Tlf.
        | Puhelinnumero | Telefonní číslo | Cep telefonu | Номер телефона | Контактний телефон
        | 携帯電話番号 | 휴대전화 번호 | 手机号码 | 聯絡電話 | رقم الجوال | מספר טלפון | फ़ोन नंबर
        | Nomor HP | Số điện thoại
    """,
    "title": """
        Role | Your role | Rolle | Position | Cargo | Cargo actual | Puesto | Função | Ruolo
        | Functie | Stanowisko | Befattning | Stilling | Stillingsbetegnelse | Titteli
        | Tehtävänimike | Pracovní pozice | Ünvan | Görev | Pozisyon | Роль в компании | Должность
        | Посада | 役職・職種 | 役職／職種 | 肩書き | ご役職 | 직책/직위 | 직함 | 职位 | 職稱
        | المنصب | תפקיד | पदनाम | Jabatan | Chức danh | Chức vụ | Job title / Role
    """,
    "company": """
        Company name | Name der Firma | Nom de l'entreprise | Nombre de la compañía | Organização
        | Nome da empresa | Ragione sociale | Naam organisatie | Nazwa firmy | Företag
        | Virksomhedens navn | Bedrift | Yrityksen nimi | Název společnosti | Şirket adı
        | Название организации | Назва компанії | 勤務先 | 会社名・団体名 | 貴社名 | 회사 이름
        | 工作单位 | 公司名稱 | اسم الشركة | שם הארגון | कंपनी का नाम | Nama perusahaan
        | Tên doanh nghiệp | Company / Organisation
    """,
    "employees": """
        Number of employees | Company size | Größe des Unternehmens | Effectif de l'entreprise
        | Número de empleados | Porte da empresa | Numero di dipendenti | Aantal medewerkers
        | Wielkość przedsiębiorstwa | Företagets storlek | Virksomhedens størrelse | Antall ansatte
        | Yrityksen koko | Velikost společnosti | Şirket büyüklüğü | Çalışan sayısı
        | Количество сотрудников | Кількість працівників | 従業員規模 | 직원 수 | 公司规模
        | 員工人數 | عدد الموظفين | גודל החברה | Jumlah karyawan | Quy mô công ty
        | Số lượng nhân viên | Company size (number of employees)
    """,
    "country": """
        Country / Territory | Land/Region | Land oder Region | Pays / Région | País o región
        | Paese/Regione | Land of regio | Kraj / Region | Maa | Země | Ülke | Ülke/Bölge | Страна
        | Країна | 国または地域 | お住まいの国 | 국가/지역 | 国家或地区 | 國家/地區 | الدولة
        | מדינה | देश | Negara | Quốc gia
    """,
    "city": """
        City | Stadt | Ville | Ciudad | Cidade | Città | Woonplaats | Miejscowość | Kaupunki | Město
        | Şehir | Город | Місто | 市区町村 | 城市 | 도시 | المدينة | עיר | शहर | Kota | Thành phố
    """,
    "website": """
        Website URL | Webseite | Site web | Sitio web | Sito web | Strona internetowa | Hemsida
        | Hjemmeside | Nettside | Verkkosivusto | Webové stránky | Сайт компании | ホームページURL
        | 웹사이트 | 公司网站 | 網址 | الموقع الإلكتروني | אתר | वेबसाइट | Situs web
    """,
    "consent": """
        Consent | Einwilligung | Consentement | Consentimiento | Consentimento | Consenso
        | Toestemming | Zgoda | Samtycke | Samtykke | Suostumus | Souhlas | Согласие | Згода | 同意
        | 동의 | موافقة | הסכמה | Persetujuan | Đồng ý
    """,
}
AROUND: dict[str, str | None] = {
    "E-Mail *": "email",
    "1. E-Mail": "email",
    "2) Firma": "company",
    "【必須】お名前": "name",
}
AROUND |= {"メールアドレス 必須": "email", "必須 会社名": "company", "1. メールアドレス": "email"}
AROUND |= {"（必須）電話番号": "phone", "이메일 (필수)": "email", "※役職": "title", "①氏名": "name"}
AROUND |= {
    "Email / Courriel": "email",
    "Email（メールアドレス）": "email",
    "Firma (wymagane)": "company",
}
AROUND |= {
    "Electronic mail / Email": None,
    "Email / Phone": "email",
    "Электронная почта *": "email",
}

ASKED = {"Hi, what's your first name?": "first_name", "And your last name?": "last_name"}
ASKED |= {"First up, what's your name?": "name", "Hallo! Wie heißen Sie?": "name"}
ASKED |= {"Comment vous appelez-vous ?": "name", "¿Cómo te llamas?": "name"}
ASKED |= {"Thanks! What is your work email address?": "email", "Hi. Email?": "email"}
ASKED |= {"Und Ihre geschäftliche E-Mail-Adresse?": "email"}
ASKED |= {"Which company do you work for?": "company", "What's your company called?": "company"}
ASKED |= {
    "Für welches Unternehmen arbeiten Sie?": "company",
    "Wie heißt Ihr Unternehmen?": "company",
}
ASKED |= {"Pour quelle entreprise travaillez-vous ?": "company"}
ASKED |= {"¿En qué empresa trabajas?": "company", "What's your role at your company?": "title"}
ASKED |= {"Combien d'employés compte votre entreprise ?": "employees"}
ASKED |= {"Which country are you based in?": "country", "What industry are you in?": "industry"}

NOT_ASKED_OF_THE_PERSON = [
    "Hi, what's your friend's name?",
    "Thanks! What is your manager's email?",
    "Which company do you compete with?",
    "No spam! Your friend's email?",
    "What's the name of your competitor?",
    "Hi there!",
]

TWO_THINGS = ["Name / Firma", "Website / E-Mail", "City / Country", "PLZ / Ort", "Name (company)"]
TWO_THINGS += [
    "お名前（カナ）",
    "会社電話番号",
    "会社名（カナ）",
    "友達の会社名",
    "Name of child / Name",
]
TWO_THINGS += ["部署名・役職", "Event name", "Product role", "Rolle der Bühne", "Phone / Fax"]
TWO_THINGS += [
    "Email a friend",
    "Имя друга",
    "친구 이메일",
    "朋友的邮箱",
    "Email / Website / Other",
]

NO_TRAITS = [
    "form_name",
    "user_id",
    "username",
    "message",
    "data",
    "value",
    "lead_value",
    "company_phone",
]
NO_TRAITS += ["company_value", "ご要望", "備考", "", "_", "?", "field_1", "q4"]


@pytest.mark.parametrize("label", [*ADDRESSES, *GROUPED])
def test_an_address_is_found(label: str) -> None:
    assert standard_name(label) == "email"
    assert standard_name(field_name(label)) == "email"


@pytest.mark.parametrize("label", OTHERS_ADDRESSES)
def test_other_peoples_addresses_are_not_taken_for_the_persons(label: str) -> None:
    assert standard_name(label) is None


@pytest.mark.parametrize(
    ("label", "trait"),
    [*OTHER_FIELDS.items(), *((label, None) for label in NO_TRAITS)],
)
def test_other_fields_are_found(label: str, trait: str | None) -> None:
    assert standard_name(label) == trait
    assert standard_name(field_name(label)) == trait


@pytest.mark.parametrize("trait", IN_EVERY_LANGUAGE)
def test_a_field_is_found_in_every_language(trait: str) -> None:
    labels = [" ".join(label.split()) for label in IN_EVERY_LANGUAGE[trait].split("|")]
    asked = [f"{label}{mark}" for label in labels for mark in ("", " *", ":")]
    assert [label for label in asked if standard_name(label) != trait] == []


@pytest.mark.parametrize(
    ("label", "trait"), [*AROUND.items(), *((label, None) for label in TWO_THINGS)]
)
def test_decoration_around_a_label_is_ignored(label: str, trait: str | None) -> None:
    assert standard_name(label) == trait


@pytest.mark.parametrize(
    ("question", "trait"), [*ASKED.items(), *((one, None) for one in NOT_ASKED_OF_THE_PERSON)]
)
def test_a_question_as_in_a_talk_is_understood(question: str, trait: str | None) -> None:
    assert standard_name(question) == trait


def test_letters_that_cannot_be_taken_apart_compare_plainly() -> None:
    spelt = ["Çalışan sayısı", "Dział", "Størrelse", "Địa chỉ", "Æble", "Œuvre", "Straße", "þing"]
    plain = ["calisan_sayisi", "dzial", "storrelse", "dia_chi", "aeble", "oeuvre", "strasse"]
    assert [field_name(label) for label in spelt] == [*plain, "thing"]


def test_a_plain_address_goes_before_one_at_work_in_every_script() -> None:
    ranks = [
        meaning_of_name(field_name(label)) for label in ("이메일", "업무용 이메일", "회사 이메일")
    ]
    assert [meaning.rank for meaning in ranks if meaning] == [0, 1, 2]


def test_labels_of_other_scripts_become_the_names_of_traits() -> None:
    told: list[tuple[str, str]] = []
    labelled = {"メールアドレス": "ada@example.com", "会社名": "A", "国": "日本"}
    flat = flatten(labelled, lambda field, what: told.append((field, what)))
    assert flat == {"email": "ada@example.com", "company": "A", "country": "日本"}
    assert not told


def test_each_spelling_means_one_trait() -> None:
    spellings = [
        (spelling, trait) for trait, text in SPELLINGS.items() for spelling in text.split()
    ]
    assert len({spelling for spelling, _ in spellings}) == len(spellings)
    for spelling, trait in spellings:
        assert field_name(spelling) == spelling
        assert standard_name(spelling) == trait


def test_each_label_of_another_script_means_one_trait() -> None:
    labels = [(one, trait) for trait, text in OTHER_SCRIPTS.items() for one in text.split("|")]
    keys = [key_of(label) for label, _ in labels]
    assert len(set(keys)) == len(keys)
    assert [label for label, trait in labels if standard_name(label) != trait] == []


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_label_is_a_trait_or_none(label: str) -> None:
    assert standard_name(label) in {*SPELLINGS, None}
