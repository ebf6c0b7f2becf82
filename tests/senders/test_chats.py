"""What is the same in all chats: words without markup, questions, names that are nobody's."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cost import assert_within
from senders.configured import FIXTURES, sender_of
from senders.test_conformance import fixture, signed
from warmlead.domain.event import Trust
from warmlead.model.loading import load
from warmlead.runtime.table import CHAT
from warmlead.senders.chats import (
    MAX_WORDS,
    MOST_MESSAGES,
    from_html,
    id_of,
    is_question,
    message,
    name_of,
    on_page,
    plain,
    rating,
)
from warmlead.senders.registry import REGISTRY, by_name

ASKS = [
    "Do you have SSO?",
    "What does it cost",
    "Hi Grace, does it work with Salesforce",
    "Hello. Can I talk to sales",
    "Guten Tag, gibt es eine Schnittstelle",
    "¿Cuánto cuesta",
    "Ça marche avec HubSpot ?",
    "多少钱？",
    "كم السعر؟",
    "Πόσο κοστίζει\u037e",
    "see https://example.com/a and tell me: how",
]
TELLS = [
    "We need 20 more seats.",
    "https://example.com/?utm_source=a",
    "look at www.example.com/?a=1",
    "We use it, which is great",
    "I was there",
    "Why",
    "",
    "Thanks!",
]


@pytest.mark.parametrize("words", ASKS)
def test_a_question_is_known_by_its_mark_or_its_first_word(words: str) -> None:
    assert is_question(words)


@pytest.mark.parametrize("words", TELLS)
def test_what_is_only_told_is_no_question(words: str) -> None:
    assert not is_question(words)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p>Hello <b>you</b> &amp; all</p>\n<p>Bye</p>", "Hello you & all Bye"),
        ("a < b", "a < b"),
        ("&#" + "9" * 5_000 + ";", "\ufffd"),
        ({"text": "no text"}, ""),
        (None, ""),
    ],
)
def test_markup_is_left_out(body: object, words: str) -> None:
    assert from_html(body) == words


def test_plain_text_keeps_its_angle_brackets_on_one_line() -> None:
    assert plain("a <b> c\n\n d") == "a <b> c d"


def test_a_long_message_is_cut() -> None:
    assert plain("é" * 5_000) == "é" * MAX_WORDS
    assert len(from_html("<p>" + "a " * 5_000)) <= MAX_WORDS


@pytest.mark.parametrize("unit", ["<", "<a", "&", "&#x", "a.", "? ", "a," * 3, " ", "-a"])
def test_a_huge_message_costs_no_more_than_its_beginning(unit: str) -> None:
    body = unit * (1_000_000 // len(unit))
    assert_within(0.05, lambda: is_question(from_html(body)))


@pytest.mark.parametrize(
    "made_up",
    ["visitor314", "Visitor", "Guest 12", "V1561719148780935", "little-haze-776", "a@example.com"],
)
def test_a_name_that_a_tool_made_up_is_nobodys(made_up: str) -> None:
    assert name_of(made_up) == ""


@pytest.mark.parametrize("name", ["Ada Lovelace", "Jean-Luc", "Anne-Marie-Louise", "V. 2"])
def test_the_name_of_a_person_is_kept(name: str) -> None:
    assert name_of(name) == name


def test_an_id_without_one_of_its_parts_is_none() -> None:
    assert id_of("message", 2**53 + 1) == "message-9007199254740993"
    assert id_of("message", "") is None
    assert id_of("rating", "c-1", None) is None


def test_what_a_tool_does_not_tell_is_left_out() -> None:
    assert "first" not in message("Hello")
    assert "is_question" not in message("")
    assert message("Why not?", first=False)["first"] is False
    assert rating("very good")["rating"] is None
    assert rating(True)["rating"] is None  # what JSON may hold


@pytest.mark.parametrize("url", [None, 3, "", "https://example.com", "https://example.com/?a=1"])
def test_a_page_without_a_path_is_no_property(url: object) -> None:
    assert on_page(url) == {}


def test_the_path_of_a_page_is_a_property() -> None:
    assert on_page("https://example.com/pricing?a=1#b") == {"path": "/pricing"}


def test_a_model_can_name_who_opens_a_chat_with_a_question() -> None:
    page = Path(__file__).parents[2] / "docs/model.md"
    (example,) = re.findall(r"`(asked_in_chat: \{.*?\})`", page.read_text(encoding="utf-8"))
    rules = load(f"signals: {{{example}}}", name="the example of the page").rules
    openers = set()
    for path in FIXTURES:
        if by_name(sender_of(path)).function == CHAT.name:
            sender, request, _ = fixture(path)
            for _, event in sender.translate(request, Trust.SIGNED).events:
                asked = event.properties.get("first") and event.properties.get("is_question")
                assert bool(rules.classify(event)) is bool(asked)
                openers |= {sender.name} if asked else set()

    tell_no_first = {"crisp"}
    assert openers == {one.name for one in REGISTRY if one.function == CHAT.name} - tell_no_first


@pytest.mark.parametrize("sender", ["tawk", "intercom", "livechat"])
def test_a_list_makes_no_more_events_than_people_write(sender: str) -> None:
    made = []
    for path in FIXTURES:
        if sender_of(path) != sender:
            continue
        receiver, request, _ = fixture(path)
        body = json.loads(request.body)
        if lengthened(body, 5 * MOST_MESSAGES):
            longer = signed(receiver, replace(request, body=json.dumps(body).encode()))
            events = receiver.translate(longer, receiver.verify(longer)).events
            made.append(len(events))
    assert MOST_MESSAGES // 2 < max(made) <= 2 * MOST_MESSAGES + 2


def lengthened(value: object, times: int) -> bool:
    """Repeats the items of each list in a body, each with an id of its own."""
    if isinstance(value, dict):
        return sum(lengthened(one, times) for one in value.values()) > 0
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    items = list(value)
    value += [{**one, "id": f"{n}-{at}"} for n in range(times) for at, one in enumerate(items)]
    return True
