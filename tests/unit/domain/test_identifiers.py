"""Addresses as people and programs write them, each in one spelling."""

import string
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost import assert_within
from effort import examples
from warmlead.domain.identifiers import normalise_email
from warmlead.domain.text import in_one_spelling

JOINED = "نامه\u200cای"  # two words that a joiner keeps apart
INVISIBLE = ("\u200b", "\ufeff", "\u00ad", "\u200e", "\u2060", "\u200d", "\ufe0f", "\u202e")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM\n", "ada@example.com"),
        ("ada.l+news@example.com", "ada.l+news@example.com"),
        ("a@b.co", "a@b.co"),
        ("o'hara_1%x@sub.example-1.org", "o'hara_1%x@sub.example-1.org"),
        ("ada@Bücher.de", "ada@xn--bcher-kva.de"),
        ("ada@xn--bcher-kva.de", "ada@xn--bcher-kva.de"),
        ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("ADA@ＥＸＡＭＰＬＥ.com", "ada@example.com"),
        ("jürgen@example.com", "jürgen@example.com"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@example.com"),  # an input method in full width
        ("ﾊﾞ@example.com", "バ@example.com"),
        ("ada @ example.com", "ada@example.com"),
        ("ada\u3000@\u00a0example.com", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),  # the root, written
        ("ada%40example.com", "ada@example.com"),
        ("ada%2540example.com", "ada@example.com"),
        ("ada%2Bnews%40example.com", "ada+news@example.com"),
        ("ada@example.com%20", "ada@example.com"),
        ("%20%0Aada@example.com%0d", "ada@example.com"),
        ("ada&#64;example.com", "ada@example.com"),
        ("ada&#x40;example.com", "ada@example.com"),
        ("ada@@example.com", "ada@example.com"),
        ("ada%2bnews@example.com", "ada+news@example.com"),
        ("ΟΔΟΣ@example.com", "οδος@example.com"),
        ("STRASSE@example.com", "strasse@example.com"),
    ],
)
def test_addresses_are_written_in_one_way(text: str, address: str) -> None:
    assert normalise_email(text) == address
    assert normalise_email(address) == address


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "ada", "ada@", "@example.com", "ada@example", "ada@localhost"),
        *("ada@@bob@example.com", "ada@bob@example.com", "ada lovelace@example.com"),
        *(".ada@example.com", "ada.@example.com", "a..da@example.com"),
        *("ada@.com", "ada@example..com", "ada@example.com..", "ada@-example.com"),
        *("ada@example-.com", "ada@exa_mple.com", "ada@exam ple.com", "ada@com."),
        *("ada@127.0.0.1", "ada@[127.0.0.1]", "ada@[IPv6:::1]"),
        *("Ada <ada@example.com>", "mailto:ada@example.com", '"ada"@example.com'),
        *("ada,bob@example.com", "ada@example.com,bob@example.com", "ada;@example.com"),
        *("ada\x00@example.com", "a\nda@example.com", "ada@exam\x00ple.com", "\ud800@example.com"),
        *("x" * 65 + "@example.com", "ada@" + "x" * 64 + ".com", "ada@" + "xy." * 90 + "com"),
        *("ada@\ud800.com", "ada@xn--.com", "undefined", "null", "ada\ufffd@example.com"),
        *("ada\u00a0lovelace@example.com", "a\x85da@example.com", "\u200b@example.com"),
        "ada@1א.com",  # IDNA's rule for letters that run from right to left
        "ada@☃.example",  # a symbol, which IDNA 2008 allows nowhere
    ],
)
def test_an_invalid_address_is_refused(text: str) -> None:
    assert normalise_email(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max@massanfertigung.example", "max@maßanfertigung.example"),
        ("max@strasse.example", "max@STRAẞE.example"),
        ("max@οδος.example", "max@οδοσ.example"),
        (f"max@{JOINED}.example", f"max@{JOINED}.example".replace("\u200c", "")),
        ("strasse@example.com", "straße@example.com"),
        ("ilker@example.com", "ılker@example.com"),
        ("finn@example.com", "ﬁnn@example.com"),
        ("sam@example.com", "ſam@example.com"),
    ],
)
def test_letters_that_look_or_fold_alike_are_two_people(one: str, other: str) -> None:
    assert normalise_email(one) is not None
    assert normalise_email(other) is not None
    assert normalise_email(one) != normalise_email(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("max@maßanfertigung.example", "max@xn--maanfertigung-cdb.example"),
        ("max@maßanfertigung.example", "MAX@XN--MAANFERTIGUNG-CDB.EXAMPLE"),
        ("max@οδος.example", "max@xn--pxavbm.example"),
        (f"max@{JOINED}.example", "max@xn--mgba3gch31f060k.example"),
        ("josé@example.com", "jose\u0301@example.com"),
        ("JOSÉ@example.com", "jose\u0301@example.com"),
        ("ada@bücher.example", "ada@bu\u0308cher.example"),
    ],
)
def test_spellings_of_one_address_are_one_person(one: str, other: str) -> None:
    assert normalise_email(one) == normalise_email(other) is not None


@pytest.mark.parametrize("hidden", INVISIBLE)
@pytest.mark.parametrize("place", range(16))
def test_invisible_characters_do_not_make_another_person(hidden: str, place: int) -> None:
    text = "ada@example.com"
    assert normalise_email(text[:place] + hidden + text[place:]) == text


@pytest.mark.parametrize(
    "domain",
    [
        *("a--b.de", "ab--c.de", "1-2-3.com", "123.com", "xn--zzzzzzzz.com", "xn--a.com"),
        *("xn--i-7iq.ws", "r3---sn.example.net", "0.pool.example"),
    ],
)
def test_a_name_that_the_dns_carries_is_a_domain(domain: str) -> None:
    assert normalise_email(f"ada@{domain}") == f"ada@{domain}"


def test_a_name_that_the_dns_carries_may_stand_beside_one_of_other_letters() -> None:
    assert normalise_email("ada@r3---x.bücher.de") == "ada@r3---x.xn--bcher-kva.de"


@pytest.mark.parametrize(
    "text",
    [
        *("none@none.none", "null@null.com", "NULL@null.com", "undefined@undefined.undefined"),
        *("noemail@noemail.com", "unknown@unknown.unknown", "na@na.com", "null@null.null.com"),
        *("none@none.co.uk", "na@na.com.au", "null@example.com", "UNDEFINED@gmail.com"),
        *("{{email}}@example.com", "${user}@example.com", "*|FNAME|*@example.com"),
        *("{first.last}@example.com", "%FIRSTNAME%@example.com", "u-#{id}@example.com"),
        *("{{lead.Email Address}}", "*|EMAIL|*", "%%emailaddr%%", "[email\u00a0protected]"),
    ],
)
def test_placeholders_for_a_missing_address_are_no_address(text: str) -> None:
    assert normalise_email(text) is None


@pytest.mark.parametrize(
    "address",
    [
        *("test@test.com", "noreply@example.com", "no-reply@example.com", "info@example.com"),
        *("none@example.co.uk", "none@nonesuch.com", "john.null@null.com", "unknown@gmail.com"),
    ],
)
def test_unusual_mailboxes_are_valid(address: str) -> None:
    assert normalise_email(address) == address


@settings(max_examples=examples(500), derandomize=True)
@given(st.one_of(st.emails(), st.text(), st.text(string.printable + "@@.." + "ßςİ％＠\u200d%40")))
def test_normalising_an_address_is_idempotent(text: str) -> None:
    address = normalise_email(text)
    assert address is None or (normalise_email(address) == address and len(address) <= 254)


@settings(max_examples=examples(500), derandomize=True)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_unicode_forms_of_one_address_are_one_person(name: str) -> None:
    text = f"{name}@example.com"
    forms = {normalise_email(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert len(forms) == 1


@settings(max_examples=examples(500), derandomize=True)
@given(st.text(st.characters() | st.sampled_from("\u200c\u200d\u034f\u00ad\u0301e"), max_size=20))
def test_a_spelling_has_one_spelling(text: str) -> None:
    assert in_one_spelling(in_one_spelling(text)) == in_one_spelling(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a@" + "ü." * 4000,
        "ü." * 4000 + "@example.com",
        "a" + "\u0301\u0316" * 4000 + "@example.com",
        "a@" + "ب\u064b\u200c" * 4000 + ".de",
        " " * 100_000 + "a@b.de" + " " * 100_000 + "x",
        "%25" * 40_000 + "40",
        "@" * 100_000,
        "{{" * 50_000,
    ],
    ids=["labels", "local", "marks", "joiners", "blanks", "percent", "at", "braces"],
)
def test_the_length_is_looked_at_before_the_work(text: str) -> None:
    assert normalise_email(text) is None
    assert_within(0.01, lambda: normalise_email(text))


@pytest.mark.slow
@pytest.mark.parametrize("joined", ["ü." * 15, "ب\u064b\u200c" * 80, "σς" * 60, "u\u0308" * 110])
def test_an_address_of_the_greatest_length_costs_little(joined: str) -> None:
    texts = [f"{nth}@{joined}{nth}.de" for nth in range(300)]
    assert_within(0.3, lambda: [normalise_email(text) for text in texts])


@pytest.mark.slow
def test_only_letters_beyond_ascii_cost_the_import_of_their_library() -> None:
    said = (
        "import sys; from warmlead.domain.identity import normalise_email, normalise_id;"
        "normalise_email('Ada@XN--BCHER-KVA.de'); normalise_id('u1'); normalise_email('é@b.de');"
        "assert 'idna' not in sys.modules;"
        "normalise_email('a@bücher.de'); assert 'idna' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", said], check=True)
