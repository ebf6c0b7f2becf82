"""Spam checks of forms: what they ask, what they believe, and what becomes of a post."""

import asyncio
import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import pytest
import yaml

from captcha_server import SECRET, CaptchaVendor, a_vendor, refusal
from cost import assert_within
from patience import PATIENCE_S, soon, until
from senders.configured import forms_in
from warmlead.domain.errors import ConfigurationError, Reason, RejectedError, UnavailableError
from warmlead.domain.event import Trust
from warmlead.parsing.form_bodies import nothing_is_needed
from warmlead.ports import RawRequest, Translation
from warmlead.senders.bodies import read_submissions
from warmlead.senders.captcha import TOKEN_FIELDS, CaptchaSettings, Service
from warmlead.senders.captcha_check import (
    ADDRESSES,
    AT_ONCE,
    MAX_ANSWER_BYTES,
    PERSON,
    REMEMBERED,
    REMEMBERED_FOR,
    UNCHECKED,
    CaptchaCheck,
    SiteVerify,
    Verdict,
)
from warmlead.senders.generic import GenericSource

NOW = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
POST = uuid.UUID(int=1)
FORM = "application/x-www-form-urlencoded"
NOBODY_ANSWERS = "http://127.0.0.1:1/siteverify"


@pytest.fixture
def vendor() -> Iterator[CaptchaVendor]:
    with a_vendor("turnstile") as vendor:
        yield vendor


@pytest.fixture
def google() -> Iterator[CaptchaVendor]:
    with a_vendor("recaptcha") as vendor:
        yield vendor


def settings(vendor: CaptchaVendor, **changes: Any) -> CaptchaSettings:
    service = cast("Service", vendor.service)
    given: dict[str, Any] = {"secrets": (SECRET,), "address": vendor.address, **changes}
    return CaptchaSettings(service=service, **given)


async def verdict(vendor: CaptchaVendor, token: str = "good", **changes: Any) -> Verdict:
    return await SiteVerify(settings(vendor, **changes)).judge(token, POST)


# --- what a service is asked, and what is believed ---


def test_each_service_is_asked_at_its_own_address_over_https() -> None:
    hosts = {name: address.split("/")[2] for name, address in ADDRESSES.items()}
    assert all(address.startswith("https://") for address in ADDRESSES.values())
    assert hosts == {
        "turnstile": "challenges.cloudflare.com",
        "hcaptcha": "api.hcaptcha.com",
        "recaptcha": "www.google.com",
    }


async def test_only_the_token_goes_to_the_service(vendor: CaptchaVendor) -> None:
    await outcome(vendor, a_form(note="private", page_url="https://example.com/private"))

    ((asked,), (headers,)) = vendor.asked, vendor.agents
    assert asked.keys() == {"secret", "response", "idempotency_key"}
    assert (asked["secret"], asked["response"]) == (SECRET, "good")
    assert uuid.UUID(asked["idempotency_key"]).version == 4
    assert "203.0.113.7" not in str(headers)
    assert "Browser/1" not in str(headers)


def verdict_of(host: object, hosts: frozenset[str]) -> bool:
    with a_vendor("hcaptcha") as vendor:
        vendor.good["good"] = {"hostname": host}
        return asyncio.run(verdict(vendor, hosts=hosts)).is_person


@pytest.mark.parametrize("host", ["example.com", "www.example.com", "WWW.Example.COM"])
def test_a_token_of_a_page_below_a_host_passes(host: str) -> None:
    assert verdict_of(host, frozenset({"Example.com"}))


@pytest.mark.parametrize("host", ["badexample.com", "example.com.bad.org", "", None, 5, "com"])
def test_a_token_of_another_host_does_not_pass(host: object) -> None:
    assert not verdict_of(host, frozenset({"example.com"}))


async def test_a_token_for_another_action_does_not_pass(vendor: CaptchaVendor) -> None:
    vendor.good = {"a": {"action": "contact"}, "b": {"action": "login"}, "c": {}}
    passed = [(await verdict(vendor, each, action="contact")).is_person for each in "abc"]
    assert passed == [True, False, False]


@pytest.mark.parametrize(
    ("score", "passes"), [(0.5, True), (0.9, True), (1, True), (0.4, False), (0, False)]
)
async def test_a_score_below_the_least_does_not_pass(
    google: CaptchaVendor, score: float, passes: bool
) -> None:
    google.good["good"] = {"score": score}
    found = await verdict(google, least_score=0.5)
    assert found.is_person is passes
    assert passes or f"{score:.1f}" in found.why


@pytest.mark.parametrize(("risk", "passes"), [(0.1, True), (0.9, False)])
async def test_the_scores_of_hcaptcha_are_risks(risk: float, passes: bool) -> None:
    with a_vendor("hcaptcha") as vendor:
        vendor.good["good"] = {"score": risk}
        assert (await verdict(vendor, least_score=0.5)).is_person is passes


@pytest.mark.parametrize("score", [None, "0.9", True, "NaN"])
async def test_no_score_where_one_is_demanded_is_no_verdict(
    google: CaptchaVendor, score: object
) -> None:
    google.good["good"] = {"score": score}
    with pytest.raises(UnavailableError):
        await verdict(google, least_score=0.5)


async def test_hcaptcha_is_told_the_site_key() -> None:
    with a_vendor("hcaptcha") as vendor:
        await verdict(vendor, site_key="10000000-ffff-ffff-ffff-000000000001")
    ((asked),) = vendor.asked
    assert asked["sitekey"] == "10000000-ffff-ffff-ffff-000000000001"
    assert "idempotency_key" not in asked


@pytest.mark.parametrize("secrets", [(SECRET, "older"), ("newer", SECRET)])
async def test_the_secret_may_be_rotated(vendor: CaptchaVendor, secrets: tuple[str, ...]) -> None:
    assert (await verdict(vendor, secrets=secrets)).is_person


@pytest.mark.parametrize(
    "codes",
    [
        ["invalid-input-response"],
        ["missing-input-response"],
        ["bad-request"],
        ["sitekey-secret-mismatch"],
        ["invalid-or-already-seen-response"],
        ["expired-input-response"],
        ["browser-error"],
        ["a-new-code"],
        [],
    ],
)
async def test_what_a_token_may_bring_about_is_not_an_outage(
    vendor: CaptchaVendor, codes: list[str]
) -> None:
    for status in (200, 400):
        vendor.answer = (status, json.dumps(refusal(*codes)).encode())
        assert not (await verdict(vendor)).is_person


@pytest.mark.parametrize("body", [b"<html>Blocked</html>", b'{"success": true}', b"", b"[]"])
async def test_an_error_that_a_token_may_cause_is_a_refusal_and_is_logged(
    vendor: CaptchaVendor, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    vendor.answer = (403, body)
    assert not (await verdict(vendor)).is_person
    ((line),) = caplog.records
    assert line.__dict__["fields"] == {"status": 403, "reason": "client_error"}


OUTAGES = {
    "an error": (500, b'{"success": true}'),
    "a limit": (429, b'{"success": false, "error-codes": []}'),
    "too late": (408, b'{"success": false, "error-codes": []}'),
    "a page": (200, b"<html>Maintenance</html>"),
    "nothing": (200, b""),
    "a list": (200, b"[true]"),
    "no verdict": (200, b"{}"),
    "a text": (200, b'{"success": "true"}'),
    "a redirect": (302, b'{"success": true}'),
    "a redirect of a post": (307, b'{"success": true}'),
    "too much": (200, b'{"success": true, "x": "' + b"x" * MAX_ANSWER_BYTES + b'"}'),
    "its own error": (200, json.dumps(refusal("internal-error")).encode()),
    "an unknown secret, as an error": (400, json.dumps(refusal("invalid-input-secret")).encode()),
    "an unknown secret": (200, json.dumps(refusal("invalid-input-secret")).encode()),
}


@pytest.mark.parametrize("answer", OUTAGES.values(), ids=OUTAGES)
async def test_what_no_token_can_bring_about_is_an_outage(
    vendor: CaptchaVendor, answer: tuple[int, bytes]
) -> None:
    vendor.answer = answer
    with pytest.raises(UnavailableError) as error:
        await verdict(vendor)
    assert SECRET not in error.value.message
    assert len(vendor.asked) == 1, "no redirect is followed"


async def test_another_secret_is_tried_only_if_the_first_is_unknown(vendor: CaptchaVendor) -> None:
    vendor.answer = (200, json.dumps(refusal("internal-error")).encode())
    with pytest.raises(UnavailableError):
        await verdict(vendor, secrets=("newer", SECRET))
    assert [asked["secret"] for asked in vendor.asked] == ["newer"]


async def test_the_log_tells_an_outage_and_a_fault_of_the_settings(
    vendor: CaptchaVendor, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.answer = (502, b"")
    for secret in (SECRET, "unknown"):
        with pytest.raises(UnavailableError):
            await verdict(vendor, secrets=(secret,))
        vendor.answer = None
    lines = [(one.levelname, one.__dict__["fields"]) for one in caplog.records]
    assert lines == [
        ("WARNING", {"status": 502, "reason": "no_verdict"}),
        ("ERROR", {"status": None, "reason": "secret_unknown"}),
    ]


async def test_no_answer_in_time_is_an_outage_and_the_loop_goes_on(vendor: CaptchaVendor) -> None:
    vendor.may_answer.clear()
    waiting = asyncio.ensure_future(verdict(vendor, timeout_s=0.3))
    beats = 0
    while not waiting.done():
        await asyncio.sleep(0.01)
        beats += 1
    assert isinstance(waiting.exception(), UnavailableError)
    assert beats > 3


# --- what becomes of a post ---


def a_form(token: object = "good", field: str = "cf-turnstile-response", **more: str) -> bytes:
    fields = {"email": "ada@example.com", **more}
    return urlencode({**fields, field: token} if token is not None else fields).encode()


def source(vendor: CaptchaVendor, address: str | None = None, **changes: Any) -> GenericSource:
    captcha = {
        "service": vendor.service,
        "secrets": [SECRET],
        "address": address or vendor.address,
        **changes,
    }
    forms = {
        "contact": {
            "allow_unsigned": True,
            "captcha": captcha,
            "redirect": "https://ours.example/",
        },
        "wish": {
            "allow_unsigned": True,
            "captcha": captcha,
            "event": {"from": "topic", "map": {"Support": None}, "otherwise": "demo_requested"},
        },
        "either": {"allow_unsigned": True, "secrets": ["a-key"], "captcha": captcha},
        "open": {"allow_unsigned": True},
    }
    return GenericSource(forms_in(forms), key="a secret of ours")


def a_post(body: bytes, name: str = "contact", **headers: str) -> RawRequest:
    given = {"content-type": FORM, "user-agent": "Browser/1", "x-forwarded-for": "203.0.113.7"}
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return RawRequest("POST", f"/generic/{name}", "", {**given, **named}, body, NOW, "req")


async def translated(sender: GenericSource, request: RawRequest) -> Translation:
    """What accepting makes of a request, before it is published."""
    trust = sender.verify(request)
    return sender.translate(await sender.completed(request), trust)


async def outcome(
    vendor: CaptchaVendor, body: bytes, name: str = "contact", **changes: Any
) -> Translation:
    return await translated(source(vendor, **changes), a_post(body, name))


def reasons(found: Translation) -> list[Reason]:
    return [one.error.reason for one in found.refused]


async def test_a_good_token_makes_the_post_an_event_and_is_not_kept(vendor: CaptchaVendor) -> None:
    ((_, event),) = (await outcome(vendor, a_form(company="Engines"))).events

    assert (event.email, event.trust, event.automated) == ("ada@example.com", Trust.PUBLIC, None)
    assert event.traits == {"company": "Engines"}
    assert event.properties == {"form": "contact"}
    assert event.notes == ()


@pytest.mark.parametrize("service", TOKEN_FIELDS)
async def test_the_token_is_found_where_the_widget_of_the_service_puts_it(service: str) -> None:
    with a_vendor(service) as vendor:
        body = a_form(field=TOKEN_FIELDS[service])
        assert len((await outcome(vendor, body)).events) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"Check": "good"},
        {"check": ["good", "good"]},
        {"check": ["", "good"]},
    ],
)
async def test_the_token_may_stand_in_a_field_of_ones_own_and_is_not_kept_there(
    vendor: CaptchaVendor, fields: Mapping[str, Any]
) -> None:
    body = json.dumps({"email": "ada@example.com", **fields}).encode()

    ((_, event),) = (await outcome(vendor, body, field="check")).events
    ((refused),) = (await outcome(vendor, body.replace(b"good", b"bad"), field="check")).refused

    assert event.properties == {"form": "contact"}
    assert json.loads(refused.raw) == {"email": "ada@example.com"}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, Reason.CAPTCHA_MISSING),
        ("", Reason.CAPTCHA_MISSING),
        ("forged", Reason.CAPTCHA_FAILED),
        ("two words", Reason.CAPTCHA_FAILED),
        ("<script>", Reason.CAPTCHA_FAILED),
        ("x" * 8_193, Reason.CAPTCHA_FAILED),
        ("töken", Reason.CAPTCHA_FAILED),
    ],
)
async def test_a_post_that_does_not_pass_is_set_aside_without_its_token(
    vendor: CaptchaVendor, token: str | None, reason: Reason
) -> None:
    found = await outcome(vendor, a_form(token, company="Engines"))

    assert (reasons(found), found.events) == ([reason], [])
    assert found.keeps_refused
    kept = json.loads(found.refused[0].raw)
    assert kept == {"email": "ada@example.com", "company": "Engines"}
    assert [asked["response"] for asked in vendor.asked] == ["forged"] * (token == "forged")


async def test_a_post_that_names_nobody_is_told_so_only_after_the_check(
    vendor: CaptchaVendor,
) -> None:
    nobody = urlencode({"name": "Ada", "cf-turnstile-response": "good"}).encode()
    without = b"name=Ada"
    assert reasons(await outcome(vendor, nobody)) == [Reason.IDENTITY_MISSING]
    assert reasons(await outcome(vendor, without)) == [Reason.CAPTCHA_MISSING]


async def test_a_body_that_cannot_be_read_passes_no_check(vendor: CaptchaVendor) -> None:
    sender = source(vendor)
    request = a_post(b"email=ada@example.com", content_type="image/png")

    found = await translated(sender, request)
    assert reasons(found) == [Reason.CAPTCHA_MISSING]
    assert b"ada@example.com" in found.refused[0].raw
    assert reasons(await translated(sender, replace(request, path="/generic/open"))) == [
        Reason.MEDIA_TYPE_UNSUPPORTED
    ]


async def test_of_a_list_the_first_is_checked_and_others_are_set_aside(
    vendor: CaptchaVendor,
) -> None:
    vendor.good = {"good": {}, "too": {}}
    each = [
        {"email": f"{token}@example.com", "cf-turnstile-response": token} for token in vendor.good
    ]
    found = await outcome(vendor, json.dumps(each).encode())

    assert [event.email for _, event in found.events] == ["good@example.com"]
    assert [(one.index, one.error.reason) for one in found.refused] == [(1, Reason.CAPTCHA_MISSING)]
    assert len(vendor.asked) == 1


async def test_neither_a_robots_trap_nor_what_is_unwanted_is_kept(vendor: CaptchaVendor) -> None:
    trapped = await outcome(vendor, a_form(_gotcha="x"))
    unwanted = await outcome(vendor, a_form(None, topic="Support"), "wish")

    assert vendor.asked == []
    assert (trapped.events, trapped.refused) == ([], [])
    assert (unwanted.events, unwanted.refused) == ([], [])
    assert len(unwanted.ignored) == 1


async def test_signed_posts_and_other_forms_are_not_checked(vendor: CaptchaVendor) -> None:
    sender = source(vendor)
    signed = replace(a_post(a_form(None), "either"), query="key=a-key")

    for request in (signed, a_post(a_form(None), "open")):
        assert len((await translated(sender, request)).events) == 1
    assert reasons(await translated(sender, a_post(a_form(None), "either"))) == [
        Reason.CAPTCHA_MISSING
    ]
    assert vendor.asked == []


async def test_json_with_faults_and_envelopes_are_checked_too(vendor: CaptchaVendor) -> None:
    vendor.good = {"good": {}, "too": {}}
    faulty = b'{"email": "ada@example.com", "x": NaN, "x": 1, "cf-turnstile-response": "good"}'
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/forms",
        "type": "form.sent",
        "data": {"email": "ada@example.com", "cf_turnstile_response": "too"},
    }
    for body in (faulty, json.dumps(envelope).encode()):
        assert len((await outcome(vendor, body)).events) == 1


async def test_the_token_is_found_among_many_fields(vendor: CaptchaVendor) -> None:
    many = {f"q{number}": "x" for number in range(700)}
    fields = [*many.items()]
    fields.insert(450, ("cf-turnstile-response", "good"))
    body = urlencode([("email", "ada@example.com"), *fields]).encode()
    assert len((await outcome(vendor, body)).events) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.BODY_EMPTY),
        (b"[]", Reason.BODY_EMPTY),
        (b"[1" + b",1" * 100 + b"]", Reason.TOO_MANY_EVENTS),
    ],
)
async def test_a_post_that_holds_nothing_to_keep_is_refused_as_ever(
    vendor: CaptchaVendor, body: bytes, reason: Reason
) -> None:
    with pytest.raises(RejectedError) as error:
        await outcome(vendor, body)
    assert error.value.reason is reason


async def test_no_token_of_a_body_that_cannot_be_read_is_kept(vendor: CaptchaVendor) -> None:
    request = a_post(a_form("secret-token"), content_type="image/png")
    (refused,) = (await translated(source(vendor), request)).refused
    assert b"secret-token" not in refused.raw


# --- an outage ---


async def test_in_an_outage_a_post_is_accepted_with_a_note_or_set_aside(
    vendor: CaptchaVendor,
) -> None:
    accepted = await outcome(vendor, a_form(), address=NOBODY_ANSWERS)
    aside = await outcome(vendor, a_form(), address=NOBODY_ANSWERS, on_outage="set_aside")

    ((_, event),) = accepted.events
    assert (event.email, event.notes) == ("ada@example.com", (UNCHECKED,))
    assert reasons(aside) == [Reason.CAPTCHA_UNCHECKED]


async def test_an_outage_lets_nobody_pass_without_a_token(vendor: CaptchaVendor) -> None:
    found = await outcome(vendor, a_form(None), address=NOBODY_ANSWERS)
    assert reasons(found) == [Reason.CAPTCHA_MISSING]


# --- a post that comes again ---


@pytest.mark.parametrize("service", TOKEN_FIELDS)
async def test_a_post_that_is_repeated_has_the_verdict_that_it_had(service: str) -> None:
    with a_vendor(service) as vendor:
        sender, body = source(vendor), a_form(field=TOKEN_FIELDS[service])
        both = await soon(asyncio.gather(*(translated(sender, a_post(body)) for _ in range(2))))
        later = await translated(sender, a_post(body))

    assert len({found.events[0][1].id for found in (*both, later)}) == 1
    assert len(vendor.asked) == 1


@pytest.mark.parametrize("service", TOKEN_FIELDS)
async def test_another_post_with_the_token_does_not_pass(service: str) -> None:
    with a_vendor(service) as vendor:
        sender, field = source(vendor), TOKEN_FIELDS[service]
        await translated(sender, a_post(a_form(field=field)))
        others = [
            a_post(a_form(field=field, note="another")),
            a_post(a_form(field=field), "wish"),
            a_post(a_form(field=field), webhook_id="another"),
            a_post(a_form(field=field), ce_id="another"),
            a_post(a_form(field=field), content_type="text/plain"),
        ]
        found = [await translated(sender, one) for one in others]

    assert [reasons(one) for one in found] == [[Reason.CAPTCHA_FAILED]] * 5
    assert "used before" in found[0].refused[0].error.message


async def test_turnstile_takes_a_repeated_post_at_another_instance_too(
    vendor: CaptchaVendor,
) -> None:
    for _ in range(2):
        assert len((await outcome(vendor, a_form())).events) == 1
    assert len(vendor.asked) == 2


async def test_what_turnstile_learns_of_a_post_is_keyed(vendor: CaptchaVendor) -> None:
    captcha = {"service": "turnstile", "secrets": [SECRET], "address": vendor.address}
    forms = forms_in({"contact": {"allow_unsigned": True, "captcha": captcha}})
    for key in ("ours", "ours", "theirs"):
        await translated(GenericSource(forms, key=key), a_post(a_form()))
    first, same, other = (asked["idempotency_key"] for asked in vendor.asked)
    assert first == same != other


class Counting:
    """The port to a service that takes every token, and counts."""

    def __init__(self) -> None:
        self.tokens: Counter[str] = Counter()

    async def judge(self, token: str, post: uuid.UUID) -> Verdict:  # noqa: ARG002  # any post
        self.tokens[token] += 1
        return PERSON


@pytest.mark.slow
async def test_of_a_thousand_posts_the_verdict_is_remembered() -> None:
    service = Counting()
    settings = CaptchaSettings(service="turnstile", secrets=(SECRET,))
    check = CaptchaCheck(settings, service, b"")

    async def asked(number: int) -> None:
        request = a_post(a_form(f"token-{number}"))
        read = partial(read_submissions, request, is_needed=nothing_is_needed)
        await check.checked(request, read, lambda _: False)

    for number in (*range(REMEMBERED), 0, REMEMBERED, 0, 5):
        await asked(number)
    assert (service.tokens["token-0"], service.tokens["token-5"]) == (2, 1)


async def test_the_verdict_is_forgotten_after_a_while(google: CaptchaVendor) -> None:
    sender = source(google)
    request = a_post(a_form(field=TOKEN_FIELDS["recaptcha"]))
    late = replace(request, received_at=NOW + REMEMBERED_FOR + timedelta(seconds=1))

    assert reasons(await translated(sender, request)) == []
    assert reasons(await translated(sender, late)) == [Reason.CAPTCHA_FAILED]


async def test_after_an_outage_the_service_is_asked_again(vendor: CaptchaVendor) -> None:
    sender, request = source(vendor, on_outage="set_aside"), a_post(a_form("forged"))
    vendor.answer = (503, b"")
    assert reasons(await translated(sender, request)) == [Reason.CAPTCHA_UNCHECKED]
    vendor.answer = None
    assert reasons(await translated(sender, request)) == [Reason.CAPTCHA_FAILED]


async def test_a_client_that_hangs_up_takes_the_verdict_from_nobody(vendor: CaptchaVendor) -> None:
    vendor.may_answer.clear()
    sender, request = source(vendor, timeout_s=10), a_post(a_form())
    first, second = (asyncio.ensure_future(translated(sender, request)) for _ in range(2))
    await asyncio.to_thread(until, lambda: vendor.asked)
    first.cancel()
    vendor.may_answer.set()
    assert len((await soon(second)).events) == 1


# --- what it costs ---


@pytest.mark.slow
async def test_many_posts_wait_for_the_service_and_for_nothing_else(vendor: CaptchaVendor) -> None:
    vendor.may_answer.clear()
    sender = source(vendor, timeout_s=10)
    vendor.good = {f"t{number}": {} for number in range(40)}
    waiting = [asyncio.ensure_future(translated(sender, a_post(a_form(t)))) for t in vendor.good]
    await asyncio.to_thread(until, lambda: len(vendor.asked) == AT_ONCE)
    free = [asyncio.to_thread(threading.get_ident) for _ in range(100)]
    assert len(await soon(asyncio.gather(*free))) == 100, "the loop's own threads are free"
    vendor.may_answer.set()
    found = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    assert all(len(one.events) == 1 for one in found)


@pytest.mark.slow
async def test_a_service_that_hangs_holds_no_post_beyond_its_time(vendor: CaptchaVendor) -> None:
    vendor.may_answer.clear()
    sender = source(vendor, timeout_s=0.5)
    posts = [a_post(a_form(f"token-{number}")) for number in range(3 * AT_ONCE)]
    found = await soon(asyncio.gather(*(translated(sender, each) for each in posts)))
    assert [one.events[0][1].notes for one in found] == [(UNCHECKED,)] * len(posts)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", ', "k1": NaN'])
def test_a_large_body_without_a_token_costs_no_more_than_its_size(
    vendor: CaptchaVendor, fault: str
) -> None:
    fields = ", ".join(f'"k{number}": 1' for number in range(20_000))
    request = a_post(f"{{{fields}{fault}}}".encode())
    sender = source(vendor)
    budget_s = len(request.body) / 100_000 * 0.075
    assert_within(budget_s, lambda: asyncio.run(sender.completed(request)))
    assert vendor.asked == []


# --- answers ---


async def answered(sender: GenericSource, **headers: str) -> tuple[int, dict[str, str], str]:
    request = a_post(headers.pop("body", a_form().decode()).encode(), **headers)
    answer = sender.answer(request, (await translated(sender, request)).accepted)
    return answer.status, dict(answer.headers), answer.body.decode()


async def test_who_does_not_pass_is_told_what_to_do(vendor: CaptchaVendor) -> None:
    sender = source(vendor)
    for token, status, code in ((None, 400, "captcha_missing"), ("bad", 403, "captcha_failed")):
        told, _, body = await answered(sender, body=a_form(token).decode())
        assert (told, json.loads(body)["code"]) == (status, code)
        assert "in quarantine" in body
        assert "Load the page again" in body


async def test_whose_check_had_an_outage_is_thanked(vendor: CaptchaVendor) -> None:
    sender = source(vendor, NOBODY_ANSWERS, on_outage="set_aside")
    status, _, body = await answered(sender)
    assert (status, json.loads(body)["refused"][0]["code"]) == (200, "captcha_unchecked")
    status, headers, _ = await answered(sender, sec_fetch_mode="navigate")
    assert (status, headers["Location"]) == (303, "https://ours.example/")


# --- settings ---

GOOD = {"service": "turnstile", "secrets": [SECRET]}


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"captcha": {**GOOD, "service": "friendly"}}, "x.captcha.service: must be hcaptcha or"),
        ({"captcha": {"service": "turnstile"}}, "x.captcha.secrets: is missing"),
        ({"captcha": {**GOOD, "secrets": []}}, "x.captcha.secrets"),
        ({"captcha": {**GOOD, "on_outage": "refuse"}}, "must be accept or set_aside"),
        ({"captcha": {**GOOD, "timeout_s": 0}}, "must be a number above 0 and at most 10"),
        ({"captcha": {**GOOD, "timeout_s": 11}}, "must be a number above 0 and at most 10"),
        ({"captcha": {**GOOD, "least_score": 0.5}}, "turnstile gives no score"),
        ({"captcha": {**GOOD, "service": "recaptcha", "least_score": 2}}, "x.captcha.least_score"),
        ({"captcha": {**GOOD, "service": "hcaptcha", "action": "a"}}, "hcaptcha knows no actions"),
        ({"captcha": {**GOOD, "site_key": "a"}}, "site_key is for hcaptcha"),
        ({"captcha": {**GOOD, "hosts": ["https://example.com"]}}, "x.captcha.hosts"),
        ({"captcha": {**GOOD, "secrets": [["a"], {}]}}, "x.captcha.secrets"),
        ({"captcha": {**GOOD, "secret": "a"}}, "x.captcha.secret: is not known"),
        ({"captcha": "turnstile"}, "x.captcha: "),
        ({"captcha": GOOD, "allow_unsigned": False, "secrets": ["a-key"]}, "unsigned posts only"),
    ],
)
def test_a_fault_of_the_settings_is_named(form: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        forms_in({"x": {"allow_unsigned": True, **form}}, production=True)
    assert fault in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "http://127.0.0.1:9/siteverify"},
        {"secrets": ["1x0000000000000000000000000000000AA"]},
        {"secrets": ["6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe"]},
        {"secrets": ["short"]},
    ],
)
def test_neither_another_address_nor_test_secrets_are_for_production(
    change: dict[str, Any],
) -> None:
    form = {"allow_unsigned": True, "captcha": {**GOOD, **change}}
    assert forms_in({"x": form})
    with pytest.raises(ConfigurationError, match=r"x\.captcha\."):
        forms_in({"x": form}, production=True)
    assert forms_in({"x": {**form, "captcha": GOOD}}, production=True)


def test_the_documented_settings_are_good_in_production() -> None:
    page = (Path(__file__).parents[2] / "shared/warmlead/senders/generic/README.md").read_text()
    block = page.partition("### A spam check")[2].partition("```yaml\n")[2].partition("```")[0]
    documented = re.sub("env:[A-Z_]+", SECRET, block)
    assert forms_in(yaml.safe_load(documented), production=True).keys() == {"contact", "newsletter"}


def test_the_settings_do_not_show_their_secrets() -> None:
    shown = repr(forms_in({"x": {"allow_unsigned": True, "captcha": GOOD}})["x"].captcha)
    assert "turnstile" in shown
    assert SECRET not in shown
