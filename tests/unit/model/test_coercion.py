"""Values as forms and clients write them become values of the declared type, or unknown."""

import pytest

from warmlead.domain.event import Property
from warmlead.model.coercion import coerce, know, not_understood
from warmlead.model.vocabulary import STANDARD_TRAITS, ValueType

AGREED = (
    "Ja|Ja, gerne|Oui|Sí|Sim|Sì|Tak|Ano|Evet|Kyllä|Да|Так|はい|同意します|同意する|네|동의합니다"
    "|是|是的|同意|نعم|أوافق|כן|מסכים|हाँ|Ya|Setuju|Có|Đồng ý|checked|on|x|X|✓|✔|☑|✅|true"
    "|I agree|I agree to receive e-mails|Ich stimme zu|Ich bin einverstanden"
    "|J'accepte|Je suis d'accord"
    "|Acepto|Aceito|Accetto|Akkoord|Zgadzam się|Wyrażam zgodę|Jag godkänner|Jeg accepterer|Hyväksyn"
    "|Souhlasím|Kabul ediyorum|Согласен|Я согласна|Погоджуюсь|我同意|Zustimmung erteilt|Godkänn"
)
REFUSED = (
    "Nein|Non|No|Não|Nee|Nej|Nei|Ei|Ne|Hayır|Нет|Ні|いいえ|同意しません|아니요|동의하지 않음|否"
    "|不同意|لا|לא"
    "|नहीं|Tidak|Không|✗|✘|☐|❌|unchecked|false|Ich stimme nicht zu|No acepto|Je refuse"
    "|Nie zgadzam się"
    "|Não aceito|Non accetto|Не согласен|لا أوافق|לא מסכים|Tidak setuju|Không đồng ý|Nesouhlasím"
    "|Jeg accepterer ikke|Jag godkänner inte|En hyväksy|Kabul etmiyorum|I do not agree"
    "|Ik ga niet akkoord"
)


@pytest.mark.parametrize(
    ("given", "whole"),
    [
        (180, 180),
        (250.0, 250),
        (250.9, 250),
        ("180", 180),
        (" 180 ", 180),
        ("1,000", 1000),
        ("1,234,567", 1234567),
        ("1 000", 1000),
        ("10'000", 10000),
        ("250.0", 250),
        ("-5", -5),
        ("51-200", 51),
        ("51 - 200", 51),
        ("51–200 employees", 51),
        ("51 to 200", 51),
        ("1,001-5,000", 1001),
        ("500+", 500),
        ("10,000+ employees", 10000),
        ("500 or more", 500),
        ("180 people", 180),
        (["180"], 180),
        ("many", None),
        ("", None),
        ("12.5.2024", None),
        ("180 Main Street", None),
        ("1e400", None),
        ("9" * 400, None),
        (2**70, None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (None, None),
        (["1", "2"], None),
    ],
)
def test_integers(given: Property, whole: int | None) -> None:
    assert coerce(given, ValueType.INTEGER) == whole


@pytest.mark.parametrize(
    ("given", "truth"),
    [
        *[(text, True) for text in ("true", "Yes", "ON", "1", " y ")],
        *[(text, False) for text in ("false", "No", "off", "0", "n")],
        *[(text, True) for text in AGREED.split("|")],
        *[(text, False) for text in REFUSED.split("|")],
        (["0", "1"], True),
        (True, True),
        (False, False),
        (1, True),
        (0.0, False),
        (2, None),
        ("maybe", None),
        ("", None),
        ("newsletter", None),
        ("Yes, but do not call me", None),
        ("Ja, aber keine Anrufe", None),
        ("Ich möchte keine E-Mails", False),
        ("Newsletter (keine Werbung)", None),
        ("Nord", None),
    ],
)
def test_booleans(given: Property, truth: bool | None) -> None:
    assert coerce(given, ValueType.BOOLEAN) is truth


@pytest.mark.parametrize(
    ("given", "text"),
    [("x", "x"), (5, "5"), (5.0, "5"), (5.5, "5.5"), (True, "true"), (["x"], "x"), ([], None)],
)
def test_strings(given: Property, text: str | None) -> None:
    assert coerce(given, ValueType.STRING) == text


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("12,5 €", 12.5),
        ("$12.50", 12.5),
        ("1.5k", 1500.0),
        ("-3.25", -3.25),
        ("1.200", None),
        ("1,200", 1200.0),
        ("1,200k", None),
        (">5", None),
    ],
)
def test_decimal_numbers(given: str, number: float | None) -> None:
    assert coerce(given, ValueType.NUMBER) == number


def test_numbers() -> None:
    assert coerce(3, ValueType.NUMBER) == 3.0
    assert isinstance(coerce("3", ValueType.NUMBER), float)


def test_lists() -> None:
    assert coerce("a", ValueType.LIST) == ["a"]
    assert coerce(["a", 5, None, True], ValueType.LIST) == ["a", "5", "true"]
    assert coerce(None, ValueType.LIST) is None


def test_facts_about_an_address_ignore_what_the_sender_states() -> None:
    given: dict[str, Property] = {
        "email": "ann@GMail.com",
        "free_mailbox": False,
        "email_domain": "example.com",
    }

    assert know(given, STANDARD_TRAITS) == {
        "email": "ann@GMail.com",
        "email_domain": "gmail.com",
        "free_mailbox": True,
    }
    assert know({"free_mailbox": True}, STANDARD_TRAITS) == {}
    assert know({"email": "ann@acme.example"}, STANDARD_TRAITS)["free_mailbox"] is False


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "privaterelay.appleid.com",
        "mozmail.com",
        "ada.mozmail.com",
        "duck.com",
        "ada.anonaddy.com",
        "mailinator.com",
        "team.mailinator.com",
        "yopmail.com",
        "guerrillamail.com",
        "trashmail.de",
    ],
)
def test_a_relay_and_a_disposable_mailbox_are_no_business_address(domain: str) -> None:
    assert know({"email": f"ann@{domain}"}, STANDARD_TRAITS)["free_mailbox"] is True


@pytest.mark.parametrize("domain", ["appleid.com", "notduck.com", "gmail.com.example", "duck.co"])
def test_a_business_address_may_resemble_one(domain: str) -> None:
    assert know({"email": f"ann@{domain}"}, STANDARD_TRAITS)["free_mailbox"] is False


def test_unknown_and_mistyped_traits_are_absent() -> None:
    given: dict[str, Property] = {"employees": "lots", "country": "US", "shoe_size": 44}

    assert know(given, STANDARD_TRAITS) == {"country": "US"}


def test_a_country_that_was_not_recognised_is_unknown() -> None:
    assert know({"country": "Atlantis"}, STANDARD_TRAITS) == {}
    assert (
        know({"country": "XX"}, STANDARD_TRAITS) == know({"country": "EU"}, STANDARD_TRAITS) == {}
    )
    assert know({"country": ["DE"]}, STANDARD_TRAITS) == {"country": "DE"}
    assert know({"country": 3}, {"country": ValueType.INTEGER}) == {"country": 3}


def test_values_that_were_not_understood_are_named() -> None:
    given: dict[str, Property] = {
        "employees": "lots",
        "country": "Atlantis",
        "annual_revenue": "1.2 million",
        "company": "",
        "shoe_size": "big",
        "email_domain": "example.com",
    }

    assert not_understood(given, STANDARD_TRAITS) == ("country", "employees")
