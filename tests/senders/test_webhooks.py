"""The base of senders of signed webhooks: which proof counts, and how much one request may say."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from cost import assert_within
from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Trust
from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import RawRequest
from warmlead.senders.chats import MOST_MESSAGES
from warmlead.senders.proofs import EitherProof, KeyInAddress, Signed
from warmlead.senders.submission import FormMapping
from warmlead.senders.tawk import TawkSettings, TawkSource
from warmlead.senders.webhooks import MAX_ITEMS, Asked, fields_of

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECRET = "a-secret-of-the-tests-of-proofs"
EITHER = EitherProof(Signed(WebhookScheme(header="X-Signed")), KeyInAddress())


def request(
    body: bytes = b"{}", *, query: str = "", headers: Mapping[str, str] | None = None
) -> RawRequest:
    return RawRequest("POST", "/tawk", query, headers or {}, body, NOW, "a request")


def reason_of(asked: RawRequest) -> str | None:
    try:
        EITHER.verify(asked, [SECRET], lambda: pytest.fail("the body is not looked at"))
    except RejectedError as error:
        return error.reason
    return None


def test_a_request_is_held_to_the_proof_that_it_claims() -> None:
    key = f"key={SECRET}"
    signed = {name.lower(): one for name, one in EITHER.sign(request(), SECRET).items()}

    assert reason_of(request(headers=signed)) is None
    assert reason_of(request(query=key)) is None
    assert reason_of(request(b"{ }", headers=signed)) == Reason.SIGNATURE_INVALID
    assert reason_of(request(query="key=another")) == Reason.SIGNATURE_INVALID


def test_a_wrong_signature_is_not_mended_by_a_right_key() -> None:
    wrong = request(query=f"key={SECRET}", headers={"x-signed": "00"})
    assert reason_of(wrong) == Reason.SIGNATURE_INVALID


def test_a_request_that_claims_nothing_is_told_of_the_better_proof() -> None:
    with pytest.raises(RejectedError, match="X-Signed"):
        EITHER.verify(request(), [SECRET], lambda: pytest.fail("the body is not looked at"))


def transcript(messages: int) -> dict[str, object]:
    said = [{"sender": {"t": "v"}, "msg": "a"}, *[{"sender": {"t": "a"}, "msg": "b"}]]
    chat = {"id": "c", "visitor": {}, "messages": [said[0]] * messages + said[1:]}
    return {"event": "chat:transcript_created", "chat": chat}


@pytest.mark.slow
def test_of_many_questions_only_the_first_are_looked_up_and_an_address_is_found_by_its_kind() -> (
    None
):
    questions = [Asked((f"会社、{number}", f"q{number}"), "x") for number in range(10_000)]
    asked = [*questions, Asked(("Where do we write to?",), "ada@example.com", kind="INPUT_EMAIL")]

    found = fields_of(asked, FormMapping())
    assert (found["会社、9999"], found["email"]) == ("x", "ada@example.com")
    assert_within(0.15, lambda: fields_of(asked, FormMapping()))


def test_all_that_a_request_says_is_limited_and_the_rest_is_set_aside() -> None:
    tawk = TawkSource(TawkSettings(secrets=(SECRET,)), own_hosts=frozenset())

    def told(*transcripts: int) -> tuple[int, list[str]]:
        body = json.dumps([transcript(each) for each in transcripts]).encode()
        found = tawk.translate(request(body), Trust.SIGNED)
        return len(found.events), [one.error.reason for one in found.refused]

    too_many = str(Reason.TOO_MANY_EVENTS)
    most = [MOST_MESSAGES] * (MAX_ITEMS // MOST_MESSAGES)
    assert told(*most) == (MAX_ITEMS, [])
    assert told(*most, 1) == (MAX_ITEMS, [too_many])
    assert told(*most[1:], MOST_MESSAGES - 1, 2, 2) == (MAX_ITEMS, [too_many, too_many])
    assert told(MOST_MESSAGES + 1) == (MOST_MESSAGES, [])
    assert told(2) == (2, [])
