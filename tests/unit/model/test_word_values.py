"""Values that are one of a few words are compared as words, whoever spells them how."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import an_event
from warmlead.model.coercion import MAX_WORD, word_of
from warmlead.model.conditions import CompiledCondition, Context, spellings_of
from warmlead.model.loading import load
from warmlead.model.vocabulary import ENUMERATED, STANDARD_PROPERTIES, STANDARD_TRAITS, ValueType

TYPES = {**STANDARD_TRAITS, **STANDARD_PROPERTIES, "name": ValueType.STRING}
CONTEXT = Context.of(TYPES, {})

WHITEPAPERS = [
    "whitepaper",
    "Whitepaper",
    "white paper",
    "White-Paper",
    "WHITE_PAPER",
    "White  paper",
]
WHITEPAPERS += ["white\u00a0paper", "Whitepapers", "Livre blanc"]
STUDIES = ["case study", "case_study", "Case-Study", "CaseStudy", "Case studies", "Étude de cas"]


def holds(text: str, **facts: object) -> bool:
    return CompiledCondition(text, CONTEXT)(facts)


@pytest.mark.parametrize("sent", WHITEPAPERS)
@pytest.mark.parametrize("written", ["whitepaper", "White paper", "white-paper", "white_paper"])
def test_any_spelling_of_whitepaper_means_a_whitepaper(sent: str, written: str) -> None:
    assert holds(f'kind == "{written}"', kind=sent)
    assert holds(f'"{written}" == kind', kind=sent)
    assert holds(f'kind in ["guide", "{written}"]', kind=sent)
    assert not holds(f'kind != "{written}"', kind=sent)
    assert not holds('kind == "ebook"', kind=sent)


@pytest.mark.parametrize("sent", STUDIES)
def test_any_spelling_of_case_study_means_a_case_study(sent: str) -> None:
    assert holds('kind in ["case-study", "case_study", "report"]', kind=sent)


@pytest.mark.parametrize(
    ("condition", "name", "sent"),
    [
        ('kind == "ebook"', "kind", "eBook"),
        ('kind == "ebook"', "kind", "E-Book"),
        ('channel == "live chat"', "channel", "LiveChat"),
        ('method == "google"', "method", "Google"),
        ('interval == "year"', "interval", "Annually"),
        ('industry == "Computer Software"', "industry", "COMPUTER_SOFTWARE"),
        ('seniority in ["vp", "c-level"]', "seniority", "C Level"),
        ('plan == "Pro Plus"', "plan", "pro-plus"),
    ],
)
def test_other_words_are_compared_alike(condition: str, name: str, sent: str) -> None:
    assert holds(condition, **{name: sent})


@pytest.mark.parametrize(
    ("condition", "name", "sent"),
    [
        ('path == "/Pricing"', "path", "/pricing"),
        ('title == "VP"', "title", "vp"),
        ('campaign == "Spring Sale"', "campaign", "spring-sale"),
        ('plan == "c++"', "plan", "c"),
        ('kind == "guide"', "kind", "guided tour"),
    ],
)
def test_texts_and_paths_are_compared_as_they_are(condition: str, name: str, sent: str) -> None:
    assert not holds(condition, **{name: sent})


def test_functions_see_what_was_sent() -> None:
    assert holds('kind.startsWith("white p")', kind="white paper")
    assert holds('kind.matches("(?i)^white ?paper$") || kind == "whitepaper"', kind="White Paper")
    assert not holds('kind == "pdf" && path == "PDF"', kind="Pdf", path="pdf")
    assert holds('kind == "pdf" && path == "PDF"', kind="Pdf", path="PDF")


def test_a_missing_clause_shows_the_value_as_it_was_sent() -> None:
    missing = CompiledCondition('kind == "ebook"', CONTEXT).missing({"kind": "White Paper"})
    assert missing == ('kind == "ebook" (is "White Paper")',)


def test_a_signal_is_found_in_events_of_any_spelling() -> None:
    rules = load(
        """
signals:
  guide: {on: content_downloaded, when: 'kind in ["whitepaper", "ebook"]', points: 5, decay: never}
""",
        name="words",
    ).rules
    for kind in ("White Paper", "eBook", "E-BOOK", "whitepaper"):
        event = an_event(name="content_downloaded", properties={"kind": kind})
        assert rules.classify(event) == ("guide",)
    event = an_event(name="content_downloaded", properties={"kind": "video"})
    assert rules.classify(event) == ()


def test_a_long_text_is_compared_as_it_is() -> None:
    long = "E-Book" + " " * MAX_WORD
    assert word_of("kind", long) is None
    assert not holds('kind == "ebook"', kind=long)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=120))
def test_any_value_is_the_same_word_as_itself(text: str) -> None:
    word = word_of("kind", text)
    assert (word is None) == (len(text) > MAX_WORD)
    assert word is None or word == word_of("kind", word)
    assert holds('kind == "ebook"', kind=text) == (word == "ebook")


def test_enumerated_names_are_standard_texts() -> None:
    assert all(TYPES[name] is ValueType.STRING for name in ENUMERATED)
    assert spellings_of('path == "a" && kind == r"b"', ["path", "kind"]) == {}
