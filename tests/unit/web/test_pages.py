"""What a visitor sees after a form was sent: plain words in their language, and nothing else."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.web.answers import Answer, answer_error, navigates
from warmlead.web.pages import TEXTS, language_of, page

SUCCESS = Answer(200, b'{"success": true}')
NOBODY = answer_error(RejectedError(Reason.IDENTITY_MISSING, "No field holds an e-mail."))
URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-mode": "navigate", "content-type": "application/json"}, True),
        ({**URLENCODED, "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, True),
        ({"content-type": "multipart/form-data; boundary=B", "accept": "text/html"}, True),
        ({**URLENCODED, "accept": "text/html", "sec-fetch-mode": "cors"}, False),
        ({**URLENCODED, "accept": "text/html", "sec-fetch-mode": "no-cors"}, False),
        ({**URLENCODED, "accept": "text/html", "x-requested-with": "XMLHttpRequest"}, False),
        ({"content-type": "application/json", "accept": "text/html"}, False),
        ({**URLENCODED, "accept": "*/*"}, False),
        ({**URLENCODED, "accept": "application/json, text/plain, */*"}, False),
        ({}, False),
    ],
)
def test_the_html_page_is_for_browsers_only(headers: dict[str, str], expected: bool) -> None:
    assert navigates(headers) is expected


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("tlh, fr;q=0.2, en;q=0.1", "fr"),
        ("en;q=0.3, ja;q=0.9", "ja"),
        ("fr;q=0, es", "es"),
        ("zh-TW", "zh-hant"),
        ("zh-Hant-HK", "zh-hant"),
        ("zh-CN,zh;q=0.9", "zh"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("PT_br", "pt"),
        ("*", "en"),
        ("de;q=x, fr", "fr"),
        ("x" * 10_000 + ",de", "en"),
    ],
)
def test_the_language_is_what_the_visitor_likes_best(header: str, language: str) -> None:
    assert language_of(header) == language


@given(st.text(alphabet="defrzh-q=;,*0.19 ", max_size=80))
def test_any_header_means_some_language(header: str) -> None:
    assert language_of(header) in TEXTS


@pytest.mark.parametrize("language", TEXTS)
def test_every_language_has_every_sentence(language: str) -> None:
    texts, english = structs.astuple(TEXTS[language]), structs.astuple(TEXTS["en"])

    assert all(texts)
    assert len(set(texts)) == len(texts)
    assert language == "en" or not set(texts[:-1]) & set(english[:-1])


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize("answer", [SUCCESS, NOBODY])
def test_a_page_is_sound_html_in_its_language(language: str, answer: Answer) -> None:
    shown = page({"accept-language": language}, answer)

    told = shown.body.decode()
    Checked().feed(told)
    assert f'<html lang="{"zh-Hant" if language == "zh-hant" else language}"' in told
    assert ('dir="rtl"' in told) is (language == "ar")
    assert shown.content_type == "text/html; charset=utf-8"
    assert (shown.status, shown.facts) == (answer.status, answer.facts)
    assert "script" not in told


class Checked(HTMLParser):
    """Fails for a tag that is not closed, but for those that never are."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the parser passes it
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (RejectedError(Reason.IDENTITY_MISSING, "x"), "address"),
        (RejectedError(Reason.EMAIL_INVALID, "x"), "address"),
        (RejectedError(Reason.CAPTCHA_MISSING, "x"), "person"),
        (RejectedError(Reason.CAPTCHA_FAILED, "x"), "person"),
        (RejectedError(Reason.BODY_TOO_LARGE, "x"), "size"),
        (RejectedError(Reason.BODY_TIMEOUT, "x"), "later"),
        (RejectedError(Reason.NOT_FOUND, "x"), "later"),
        (UnavailableError("x"), "later"),
        (ValueError("x"), "later"),
        (RejectedError(Reason.FORM_INVALID, "x"), "other"),
    ],
)
def test_a_failure_is_told_in_plain_words(error: Exception, field: str) -> None:
    answer = answer_error(error)

    shown = page({}, answer)

    assert getattr(TEXTS["en"], field) in shown.body.decode().replace("&#x27;", "'")
    assert "x</" not in shown.body.decode()
    assert answer.headers.items() <= shown.headers.items()


def test_nothing_but_the_style_may_be_loaded_or_run() -> None:
    policy = page({}, SUCCESS).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("headers", "link"),
    [
        (
            {"referer": "https://a.example/f?x=1&y", "origin": "https://a.example"},
            "https://a.example/f?x=1&amp;y",
        ),
        ({"referer": "https://a.example/", "origin": "https://b.example"}, None),
        ({"referer": "https://a.example/", "origin": "null"}, None),
        ({"referer": "https://a.example/"}, None),
        ({"referer": "javascript:alert(1)", "origin": "javascript:"}, None),
        ({"referer": 'https://a.example/"><script>', "origin": "https://a.example"}, None),
    ],
)
def test_success_leads_back_to_the_page_of_the_form(
    headers: Mapping[str, str], link: str | None
) -> None:
    found = re.search('href="([^"]*)"', page(headers, SUCCESS).body.decode())

    assert (found[1] if found else None) == link
    assert b"href" not in page(headers, NOBODY).body  # there, what was typed would be gone


@pytest.mark.parametrize(
    "answer",
    [Answer(303, headers={"Location": "https://a.example/"}), Answer(200, b"GIF", "image/gif")],
)
def test_an_answer_that_is_not_json_stays_unchanged(answer: Answer) -> None:
    assert page({}, answer) is answer
