import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from authority import ACCOUNT, AUDIENCE, Authority, Key, an_authority, bad_headers
from patience import PATIENCE_S
from warmlead.domain.errors import Reason, RejectedError, UnavailableError
from warmlead.web.push import FAILED_EVERY_S, UNKNOWN_EVERY_S, Certificates, PushTokens

pytestmark = pytest.mark.slow  # starts servers

KEYS = (Key("ours"), Key("stranger"))


class Seconds:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def authority() -> Iterator[Authority]:
    with an_authority(KEYS[0]) as authority:
        yield authority


@pytest.fixture
def certificates(authority: Authority, seconds: Seconds) -> Certificates:
    return Certificates(authority.url, seconds=seconds)


@pytest.fixture
def tokens(certificates: Certificates) -> PushTokens:
    return PushTokens(certificates, audience=AUDIENCE, account=ACCOUNT)


@pytest.fixture(scope="module")
def bad() -> Mapping[str, str | None]:
    return bad_headers(*KEYS)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("claims", "times_from_now"),
    [
        ({}, {}),
        ({"iss": "accounts.google.com"}, {}),
        ({}, {"iat": 3}),
        ({}, {"nbf": -3_600}),
        ({"azp": None, "sub": None}, {"exp": 60}),
    ],
)
async def test_a_token_of_the_account_for_the_audience_is_good(
    tokens: PushTokens, claims: dict[str, Any], times_from_now: dict[str, int]
) -> None:
    times = {name: int(time.time()) + seconds for name, seconds in times_from_now.items()}
    await tokens.check(bearer(KEYS[0].token(**{**claims, **times})))


async def test_the_scheme_may_be_in_small_letters(tokens: PushTokens) -> None:
    await tokens.check({"authorization": f"bearer {KEYS[0].token()}"})


@pytest.mark.parametrize("fault", bad_headers(*KEYS))
async def test_any_other_token_is_refused(
    tokens: PushTokens, bad: Mapping[str, str | None], fault: str
) -> None:
    header = bad[fault]
    with pytest.raises(RejectedError) as refusal:
        await tokens.check({} if header is None else {"authorization": header})
    assert refusal.value.reason is Reason.UNAUTHORIZED


async def test_a_refusal_repeats_nothing_of_the_token(tokens: PushTokens) -> None:
    for header in bad_headers(*KEYS).values():
        with pytest.raises(RejectedError) as refusal:
            await tokens.check({"authorization": header or ""})
        parts = [part for part in re.split(r"[ .,]+", header or "") if len(part) > 8]
        assert not any(part in str(refusal.value) for part in parts)


# --- certificates ------------------------------------------------------------------------


async def test_certificates_are_fetched_once_for_as_long_as_they_may_be_kept(
    authority: Authority, certificates: Certificates, seconds: Seconds
) -> None:
    for _ in range(3):
        assert await certificates.of("ours") == KEYS[0].certificate
    seconds.now += 19_999
    assert await certificates.of("ours") == KEYS[0].certificate
    assert authority.asked == 1
    seconds.now += 2
    assert await certificates.of("ours") == KEYS[0].certificate
    assert authority.asked == 2


async def test_a_key_that_is_withdrawn_is_unknown_after_that(
    authority: Authority, certificates: Certificates, seconds: Seconds
) -> None:
    await certificates.of("ours")
    authority.keys = [KEYS[1]]
    seconds.now += 20_001
    assert await certificates.of("ours") is None


async def test_a_new_key_is_found_before_the_old_ones_are_stale(
    authority: Authority, certificates: Certificates, seconds: Seconds
) -> None:
    await certificates.of("ours")
    authority.keys = list(KEYS)
    seconds.now += UNKNOWN_EVERY_S
    assert await certificates.of("stranger") == KEYS[1].certificate


async def test_unknown_keys_are_asked_for_at_most_once_a_minute(
    authority: Authority, certificates: Certificates, seconds: Seconds
) -> None:
    await certificates.of("ours")
    for i in range(300):
        seconds.now += 1
        assert await certificates.of(f"invented-{i}") is None
        assert await certificates.of("ours")
    assert authority.asked <= 1 + 300 / UNKNOWN_EVERY_S


async def test_requests_at_the_same_time_share_one_fetch(
    authority: Authority, certificates: Certificates
) -> None:
    found = await asyncio.gather(*(certificates.of("ours") for _ in range(20)))
    assert found == [KEYS[0].certificate] * 20
    assert authority.asked == 1


async def test_waiting_for_certificates_holds_up_nothing_else(
    authority: Authority, certificates: Certificates
) -> None:
    authority.may_answer.clear()
    asking = asyncio.create_task(certificates.of("ours"))
    assert await asyncio.to_thread(authority.was_asked.wait, PATIENCE_S)
    assert not asking.done()
    authority.may_answer.set()
    assert await asking == KEYS[0].certificate


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (404, b"{}"),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"ours": 1}'),
        (200, b'{"keys": [{"kid": "ours"}]}'),
        (200, b"\xff"),
    ],
)
async def test_without_certificates_the_check_is_unavailable(
    authority: Authority, tokens: PushTokens, status: int, body: bytes
) -> None:
    authority.status, authority.body = status, body
    with pytest.raises(UnavailableError):
        await tokens.check(bearer(KEYS[0].token()))


async def test_a_server_that_is_away_is_asked_again_after_a_pause(
    authority: Authority, tokens: PushTokens, seconds: Seconds
) -> None:
    authority.status = 503
    for _ in range(5):
        with pytest.raises(UnavailableError):
            await tokens.check(bearer(KEYS[0].token()))
    assert authority.asked == 1
    authority.status = 200
    seconds.now += FAILED_EVERY_S
    await tokens.check(bearer(KEYS[0].token()))


async def test_an_unreachable_certificate_server_is_unavailable(seconds: Seconds) -> None:
    with an_authority(KEYS[0]) as gone:
        url = gone.url
    with pytest.raises(UnavailableError):
        await Certificates(url, seconds=seconds).of("ours")


@pytest.mark.parametrize("cache_control", ["", "no-store", "max-age=0", "max-age=-1", "max-age=x"])
async def test_certificates_are_not_fetched_for_every_request_whatever_their_age(
    authority: Authority, certificates: Certificates, cache_control: str
) -> None:
    authority.cache_control = cache_control
    for _ in range(3):
        await certificates.of("ours")
    assert authority.asked == 1


async def test_a_valid_token_does_not_wait_for_certificates_of_invalid_ones(
    authority: Authority, tokens: PushTokens
) -> None:
    await tokens.check(bearer(KEYS[0].token()))
    for _ in range(10):
        with pytest.raises(RejectedError):
            await tokens.check(bearer(KEYS[1].token()))
    await tokens.check(bearer(KEYS[0].token()))
    assert authority.asked == 1
