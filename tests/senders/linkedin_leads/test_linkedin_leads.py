"""LinkedIn's challenge, and its leads: fetched by their ids, from LinkedIn alone."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from senders.configured import USING
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.domain.event import Trust
from warmlead.ports import Fetched, RawRequest
from warmlead.senders.linkedin_leads import LinkedInLeadsSettings, LinkedInLeadsSource
from warmlead.senders.registry import sections_of

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
FIXTURES = Path(__file__).parent / "fixtures"
SECTION = {"secrets": ["client-secret", "older"], "access_token": "AQV8", "version": "202610"}
FILE = sections_of("forms", {"/linkedin-leads": SECTION}, production=False)
SETTINGS = cast("LinkedInLeadsSettings", FILE["/linkedin-leads"])
CODE = "890e4665-4dfe-4d07-811c-b4d1184b5f8a"


class Api:
    """The port to LinkedIn's API, with one answer for every lead."""

    def __init__(self, answer: Fetched | dict[str, Any] | None = None) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._answer = answer

    async def get(self, address: str, headers: Mapping[str, str]) -> Fetched:
        self.asked.append((address, headers))
        if self._answer is None:
            raise UnavailableError("api.linkedin.com does not answer")
        found = self._answer
        return found if isinstance(found, Fetched) else Fetched(200, json.dumps(found).encode())


def source(api: Api) -> LinkedInLeadsSource:
    return LinkedInLeadsSource(SETTINGS, own_hosts=frozenset(), fetcher=api)


def body_of(fixture: str) -> dict[str, Any]:
    said = json.loads((FIXTURES / f"{fixture}.json").read_text())
    return cast("dict[str, Any]", json.loads(said["body"]))


def notified(**changes: object) -> RawRequest:
    body = {**body_of("created__as_delivered_id_only"), **changes}
    return RawRequest("POST", "/linkedin-leads", "", {}, json.dumps(body).encode(), NOW, "req")


LEAD = body_of("created__completed")["lead"]


async def emails(api: Api, request: RawRequest) -> list[str | None]:
    sender = source(api)
    translation = sender.translate(await sender.completed(request), Trust.SIGNED)
    return [event.email for _, event in translation.events]


async def test_the_lead_of_a_notification_is_fetched_with_the_questions_of_its_form() -> None:
    api = Api(LEAD)

    assert await emails(api, notified()) == ["hedy@example.com"]

    ((address, headers),) = api.asked
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("https", "api.linkedin.com")
    assert parts.path == "/rest/leadFormResponses/aaaabbbb-0000-cccc-1111-dddd2222eeee-5"
    assert "form:(hiddenFields,creationLocale,name,id,content)" in parts.query
    assert list(parse_qs(parts.query)) == ["fields"]
    assert headers == {
        "Authorization": "Bearer AQV8",
        "LinkedIn-Version": "202610",
        "X-Restli-Protocol-Version": "2.0.0",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"leadAction": "DELETED"},
        {"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS"},
        {"leadGenFormResponse": "urn:li:leadGenFormResponse:../me"},
        {"leadGenFormResponse": "urn:li:share:1"},
        {"leadGenFormResponse": ""},
        {"leadGenFormResponse": None},
        {"leadGenFormResponse": {"a": 1}},
        {"leadGenFormResponse": 5},
        {"leadGenFormResponse": "urn:li:leadGenFormResponse:a?b=1"},
        {"leadGenFormResponse": f"urn:li:leadGenFormResponse:{'1' * 129}"},
    ],
)
async def test_nothing_is_fetched_that_is_not_the_id_of_a_new_lead(
    changes: dict[str, object],
) -> None:
    api = Api(LEAD)

    assert await emails(api, notified(**changes)) == []
    assert api.asked == []


async def test_a_lead_that_is_not_there_goes_to_quarantine_by_its_id() -> None:
    sender = source(Api(Fetched(404, b'{"status": 404, "message": "Not found"}')))

    translation = sender.translate(await sender.completed(notified()), Trust.SIGNED)

    (one,) = translation.refused
    assert one.error.reason is Reason.EVENT_INVALID
    assert b"urn:li:leadGenFormResponse:aaaabbbb" in one.raw


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, None),
        (Fetched(401, b'{"serviceErrorCode": 65601, "status": 401}'), "code_65601"),
        (Fetched(403, b'{"serviceErrorCode": 100, "status": 403}'), "code_100"),
        (Fetched(426, b'{"code": "NONEXISTENT_VERSION", "status": 426}'), "code_unknown"),
        (Fetched(429, b""), "code_unknown"),
        (Fetched(200, b"[]"), "code_unknown"),
        (Fetched(502, b"<html>Bad gateway</html>"), "code_unknown"),
        (Fetched(302, b""), "code_unknown"),
        (Fetched(500, b'{"serviceErrorCode": "ada@example.com"}'), "code_unknown"),
    ],
)
async def test_linkedin_is_told_503_while_a_lead_may_still_come(
    answer: Fetched | None, reason: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UnavailableError) as error:
        await emails(Api(answer), notified())

    assert "AQV8" not in error.value.message
    assert "example.com" not in error.value.message
    told = [line.__dict__["fields"]["reason"] for line in caplog.records]
    assert told == ([reason] if reason else [])


async def test_a_lead_that_the_notification_states_itself_does_not_count() -> None:
    forged = notified(lead=body_of("created__completed_of_an_event")["lead"])

    assert await emails(Api(LEAD), forged) == ["hedy@example.com"]
    assert await emails(Api(Fetched(404, b"{}")), forged) == []


# --- the address is tried ---


def tried(query: str, path: str = "/linkedin-leads") -> RawRequest:
    return RawRequest("GET", path, query, {}, b"", NOW, "req")


def test_the_challenge_is_answered_with_its_hmac_by_the_first_secret() -> None:
    answer = source(Api()).handshake(tried(f"challengeCode={CODE}&applicationId=7"))

    assert answer is not None
    expected = hmac.new(b"client-secret", CODE.encode(), hashlib.sha256).hexdigest()
    assert json.loads(answer.body) == {"challengeCode": CODE, "challengeResponse": expected}
    assert answer.status == 200


@pytest.mark.parametrize(
    "code",
    [
        'hmacsha256={"type":"LEAD_ACTION"}',
        f"hmacsha256={CODE}",
        f"{CODE}%0A",
        f"{CODE}x",
        "abc",
        CODE.replace("8", "٨"),
    ],
)
def test_no_text_is_signed_that_could_be_a_notification(code: str) -> None:
    with pytest.raises(RejectedError) as refusal:
        source(Api()).handshake(tried(f"challengeCode={code}"))
    assert refusal.value.reason is Reason.QUERY_INVALID


def test_what_is_no_challenge_is_a_delivery_and_other_paths_are_nobodys() -> None:
    sender = source(Api())
    challenge = tried(f"challengeCode={CODE}")

    for request in (
        tried(""),
        tried("other=1"),
        tried("challengeCode="),
        replace(challenge, method="POST"),
    ):
        assert sender.handshake(request) is None
    with pytest.raises(RejectedError) as refusal:
        sender.handshake(replace(challenge, path="/elsewhere"))
    assert refusal.value.reason is Reason.NOT_FOUND


def test_the_signature_is_that_of_linkedin_with_and_without_the_prefix() -> None:
    """The text as LinkedIn documents it: ``hmacsha256=`` and the body, in hexadecimal digits."""
    request = notified()
    signed = hmac.new(b"client-secret", b"hmacsha256=" + request.body, hashlib.sha256).hexdigest()
    for value in (signed, signed.upper(), f"hmacsha256={signed}"):
        sent = replace(request, headers={"x-li-signature": value})
        assert source(Api()).verify(sent) is Trust.SIGNED
    plain = hmac.new(b"client-secret", request.body, hashlib.sha256).hexdigest()
    with pytest.raises(RejectedError):
        source(Api()).verify(replace(request, headers={"x-li-signature": plain}))


def test_the_settings_do_not_show_their_secrets() -> None:
    assert not [text for text in ("client-secret", "AQV8") if text in repr(SETTINGS)]
    assert LinkedInLeadsSource.from_settings(SETTINGS, USING).paths == ["/linkedin-leads"]
