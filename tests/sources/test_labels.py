"""The fields of a person are found by what forms call them, in some twenty languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warmlead.sources.fields import field_name, flatten
from warmlead.sources.labels import SPELLINGS
from warmlead.sources.traits import standard_name

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
OTHER_FIELDS |= {"Company Size": "employees", "Nombre de salariés": "employees"}
OTHER_FIELDS |= {"How many employees does your company have?": "employees", "従業員数": "employees"}
OTHER_FIELDS |= {"Tamaño de la empresa": "employees", "Numero di dipendenti": "employees"}

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
def test_what_is_not_the_persons_address_is_not_taken_for_it(label: str) -> None:
    assert standard_name(label) is None


@pytest.mark.parametrize(
    ("label", "trait"),
    [*OTHER_FIELDS.items(), *((label, None) for label in NO_TRAITS)],
)
def test_other_fields_are_found(label: str, trait: str | None) -> None:
    assert standard_name(label) == trait
    assert standard_name(field_name(label)) == trait


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


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_label_is_a_trait_or_none(label: str) -> None:
    assert standard_name(label) in {*SPELLINGS, None}
