"""By which words a lead is found."""

import pytest

from builders import a_lead, an_event
from warmlead.domain.event import Trust
from warmlead.domain.lead import Lead
from warmlead.domain.search import (
    LONGEST,
    MOST_READ,
    MOST_WORDS,
    folded,
    prefixes,
    sought_word,
    words_of,
)


def named(email: str | None = None, **traits: str) -> Lead:
    return a_lead(an_event(email=email, user_id="u-1", traits=traits, trust=Trust.SIGNED))


def finds(text: str, lead: Lead) -> bool:
    word = sought_word(text)
    found = bool(word) and any(each.startswith(word) for each in words_of(lead))
    assert found == (word in prefixes(words_of(lead)))  # in either way of looking
    return found


@pytest.mark.parametrize(
    "text",
    [
        *("ma", "Maria", "MÜLLER", "muller", "josé", "maria josé mü", "müller maria"),
        *("analytical", "engines", "Engines Ltd.", "m.mueller@", "m.mueller@acme"),
        *("acme.example", "ACME", "maria josé müller-lüdenscheidt"),
    ],
)
def test_a_lead_is_found_by_the_beginning_of_a_word_and_what_follows(text: str) -> None:
    lead = named(
        "m.mueller@acme.example",
        first_name="María-José",
        last_name="Müller",
        company="Analytical Engines Ltd.",
    )
    assert finds(text, lead)


@pytest.mark.parametrize("text", ["m", "", "  ", "aria", "gines", "muller ltd", "-", "ltd maria"])
def test_what_begins_no_word_finds_nobody(text: str) -> None:
    assert not finds(text, named("m@acme.example", first_name="Maria", company="Engines Ltd"))


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("Łódź Straße", "lodz strasse"),
        ("Øystein Ægir", "oystein aegir"),
        ("Иван Йоркский", "иван"),
        ("山田太郎", "山田"),
        ("김철수", "김철"),
        ("ＡＣＭＥ", "acme"),
        ("O’Neill", "o neill"),
        ("A\u200bda Love\u00adlace", "ada lovelace"),
        ("A\ufe0fd\u2060a", "ada"),
        ("𝐀𝐝𝐚", "ada"),
    ],
)
def test_names_of_all_scripts_are_found_without_their_accents(written: str, sought: str) -> None:
    assert finds(sought, named(name=written))


def test_nothing_is_kept_of_whom_nobody_could_name() -> None:
    assert words_of(a_lead(an_event(email=None, anonymous_id="browser-1"))) == ()


def test_a_changed_name_has_other_words() -> None:
    assert finds("ada", named(name="Ada"))
    assert not finds("ada", named(name="Grace"))


def test_words_are_few_and_short_whatever_is_sent() -> None:
    lead = named(name=" ".join(f"w{n}" for n in range(500)), company="ﷺ" * 500)
    words = words_of(lead)
    assert len(words) <= MOST_WORDS
    assert max(map(len, words)) <= LONGEST


def test_no_more_of_a_text_is_read_than_people_write() -> None:
    assert folded("a" + "\u0301" * MOST_READ + "b") == "a"
    assert len(folded("ﷺ" * 500)) <= MOST_READ


@pytest.mark.parametrize("flooded", ["first_name", "last_name", "name", "company"])
def test_many_words_in_one_field_drive_out_no_other(flooded: str) -> None:
    many = " ".join(f"w{n}" for n in range(500))
    told = {"first_name": "Ada", "name": "Grace", "company": "Analytical Engines", flooded: many}
    lead = named("m.mueller@acme.example", **told)
    first = {"first_name": "ada", "name": "grace", "company": "engines"}
    assert all(finds(word, lead) for field, word in first.items() if field != flooded)
    assert finds("m mueller", lead)
    assert finds("acme", lead)
