"""Which of the mails that come in are replies, and who of their senders wants no more."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from cost import assert_linear
from warmlead.senders.replies import (
    AUTOMATIC,
    OTHER,
    REFUSAL,
    REPLY,
    Mail,
    headers_in,
    headers_of,
    own_words,
    said_by,
)

ANSWERS = {"in-reply-to": "<sent-1@example.org>", "message-id": "<m-1@brnolabs.example>"}


def mail(
    *,
    sender: str = "Ada Lovelace <ada@brnolabs.example>",
    subject: str = "Re: What is new",
    words: str = "Thursday suits us.",
    headers: Mapping[str, str] = ANSWERS,
) -> Mail:
    return Mail(sender=sender, headers=headers, subject=subject, words=words)


def kind_of(one: Mail) -> str:
    return said_by(one, frozenset(("example.org",))).kind


def test_a_mail_that_answers_one_is_a_reply_of_its_sender() -> None:
    said = said_by(mail())

    assert (said.kind, said.fact.email) == (REPLY, "ada@brnolabs.example")
    assert said.fact.traits == {"name": "Ada Lovelace"}
    assert said.fact.properties == {"subject": "Re: What is new"}
    assert "Thursday" not in repr(said)


def test_a_mail_that_answers_none_is_no_reply_whatever_its_subject_says() -> None:
    assert kind_of(mail(headers={"message-id": "<m-1@brnolabs.example>"})) == OTHER
    assert kind_of(mail(headers={"references": "<sent-1@example.org>"})) == REPLY


@pytest.mark.parametrize(
    "more",
    [
        {"auto-submitted": "auto-replied"},
        {"auto-submitted": "Auto-Generated (rejected)"},
        {"precedence": "Bulk"},
        {"precedence": "auto_reply"},
        {"x-autoreply": "yes"},
        {"x-auto-response-suppress": "All"},
        {"list-id": "<news.x.example>"},
        {"return-path": "<>"},
        {"content-type": "multipart/report; report-type=delivery-status"},
        {"x-spam-status": "Yes, score=9"},
        {"x-mailgun-sflag": "Yes"},
    ],
)
def test_what_a_program_wrote_is_no_reply_even_if_it_asks_for_no_more(
    more: dict[str, str],
) -> None:
    assert kind_of(mail(headers={**ANSWERS, **more}, words="unsubscribe")) == AUTOMATIC


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("auto-submitted", "no"),
        ("precedence", "normal"),
        ("x-auto-response-suppress", "DR, OOF"),
        ("return-path", "<ada@brnolabs.example>"),
        ("x-spam-status", "No, score=1.7"),
        ("content-type", "multipart/alternative"),
    ],
)
def test_headers_that_peoples_mails_have_too_change_nothing(header: str, value: str) -> None:
    assert kind_of(mail(headers={**ANSWERS, header: value})) == REPLY


@pytest.mark.parametrize(
    "subject",
    [
        *("Automatic reply: What is new", "Out of Office", "AUTO-REPLY: back on Monday"),
        *("Abwesenheitsnotiz: Neues", "Réponse automatique : Nouveautés", "自動返信: お知らせ"),
        *("Undeliverable: What is new", "Gelesen: Neues"),
    ],
)
def test_the_subject_of_a_programs_answer_is_known_in_several_languages(subject: str) -> None:
    assert kind_of(mail(subject=subject)) == AUTOMATIC


@pytest.mark.parametrize(
    "sender",
    [
        "MAILER-DAEMON@mx.example.com",
        "Mail System <mailer-daemon@x.example>",
        *("No-Reply <no-reply@x.example>", "noreply+1@x.example", "bounces-7@x.example"),
    ],
)
def test_nobodys_address_sends_no_reply(sender: str) -> None:
    assert kind_of(mail(sender=sender)) == AUTOMATIC


@pytest.mark.parametrize("address", ["grace@example.org", "grace@mail.example.org"])
def test_ones_own_people_are_no_leads(address: str) -> None:
    assert kind_of(mail(sender=f"Grace <{address}>")) == OTHER
    assert said_by(mail(sender=f"Grace <{address}>")).kind == REPLY, "without own hosts"


@pytest.mark.parametrize(
    "words",
    [
        *(
            "unsubscribe",
            "UNSUBSCRIBE!",
            "Stop.",
            "Please remove me from your list.",
            "stop please",
        ),
        *("Hi, could you take me off this list? Thanks", "I want to opt out of these e-mails"),
        *("Bitte abmelden", "Bitte keine weiteren Mails!", "Veuillez me désinscrire"),
        *("Quiero darme de baja", "Cancellami dalla lista", "Graag uitschrijven", "отпишите меня"),
        *("配信停止をお願いします", "請幫我取消訂閱", "수신거부"),
        "Me de\u0301sinscrire svp",
    ],
)
def test_a_reply_that_asks_for_no_more_is_a_refusal(words: str) -> None:
    quoted = f"{words}\n\nOn Mon, 2 Mar 2026, Grace wrote:\n> What is new\n"
    assert kind_of(mail(words=quoted)) == REFUSAL


@pytest.mark.parametrize(
    "words",
    [
        "Stop by our booth on Thursday!",
        "Thanks!\n> To unsubscribe, follow this link",
        "Danke!\n\nVon: Grace\nGesendet: Montag\nHier abmelden",
        "Merci\n\nLe lun. 2 mars 2026, Grace a écrit :\nse désinscrire",
        "Ja\n_____________\nabmelden",
        "Sounds good. " + "We would like to see it in action. " * 8 + "unsubscribe",
        "",
    ],
)
def test_what_is_quoted_or_said_of_something_else_is_no_refusal(words: str) -> None:
    assert kind_of(mail(words=words)) == REPLY


@pytest.mark.parametrize(
    ("subject", "words", "kind"),
    [
        ("unsubscribe", "", REFUSAL),
        ("Unsubscribe", "This message was sent by the mail program.", REFUSAL),
        ("abmelden", "\n", REFUSAL),
        ("", "please unsubscribe me", REFUSAL),
        ("Our offer", "Great news! " * 9 + "To unsubscribe, answer this mail.", OTHER),
        ("How do people unsubscribe from your lists?", "I wonder about your product.", OTHER),
    ],
)
def test_a_mail_that_answers_none_is_a_refusal_only_if_it_says_nothing_else(
    subject: str, words: str, kind: str
) -> None:
    assert kind_of(mail(subject=subject, words=words, headers={})) == kind


@pytest.mark.parametrize(
    ("sender", "email"),
    [
        ("ada@brnolabs.example", "ada@brnolabs.example"),
        ('"Lovelace, Ada" <ada@brnolabs.example>', "ada@brnolabs.example"),
        ('"grace@example.com" <ada@brnolabs.example>', "ada@brnolabs.example"),
        ('"<grace@example.com>" <ada@brnolabs.example>', "ada@brnolabs.example"),
    ],
)
def test_the_address_is_that_in_brackets_and_not_one_in_the_name(sender: str, email: str) -> None:
    assert said_by(mail(sender=sender)).fact.email == email


def test_a_mail_counts_once_by_its_own_id_and_its_sender() -> None:
    ids = {
        said_by(each).fact.id
        for each in (
            mail(),
            mail(subject="again"),
            mail(sender="bob@brnolabs.example"),
            mail(headers={**ANSWERS, "message-id": "<m-2@brnolabs.example>"}),
        )
    }
    assert len(ids) == 3
    assert said_by(mail(headers={"references": "<a@b>"})).fact.id is None


def test_headers_are_read_with_their_continuations_and_the_first_counts() -> None:
    raw = "Received: by a\nIn-Reply-To:\n <sent-1@example.org>\nReceived: by b\nno header\nX: a:b\n"
    assert headers_in(raw) == {
        "received": "by a",
        "in-reply-to": "<sent-1@example.org>",
        "no header": "",
        "x": "a:b",
    }
    assert headers_of([("A", ["1", "2"]), (None, 5), ("a", "3"), ("b", {})])["a"] == "1"


def test_half_a_surrogate_in_a_header_costs_nothing() -> None:
    headers = headers_of([("In-Reply-To", "<a@b>"), ("Message-ID", "<\ud83d@b>"), ("\ude00", "")])

    assert headers["message-id"] == "<?@b>"
    assert said_by(mail(headers=headers)).fact.id


@pytest.mark.slow
def test_a_huge_mail_costs_no_more_than_its_size() -> None:
    folded = "X: a\n" + " b\n" * 300_000
    costs: list[Callable[[int], object]] = [
        lambda n: headers_in(folded[: 3 * n]),
        lambda n: own_words("é\u0301" * n),
        lambda n: kind_of(mail(words="a\u0301\u0323" * n, sender="<" * n, subject=" - " * n)),
    ]
    for cost in costs:
        assert_linear(partial(cost, 50_000), partial(cost, 200_000))
