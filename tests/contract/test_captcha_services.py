"""What every service of spam checks must do, against a server that answers as it documents."""

import uuid
from collections.abc import Iterator
from typing import cast, get_args

import pytest

from captcha_server import SECRET, CaptchaVendor, a_vendor
from warmlead.domain.errors import UnavailableError
from warmlead.senders.captcha import CaptchaSettings, Service
from warmlead.senders.captcha_check import CaptchaService, SiteVerify

ONE_POST, ANOTHER = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture(params=get_args(Service))
def vendor(request: pytest.FixtureRequest) -> Iterator[CaptchaVendor]:
    with a_vendor(request.param) as vendor:
        yield vendor


@pytest.fixture
def service(vendor: CaptchaVendor) -> CaptchaService:
    named = cast("Service", vendor.service)
    return SiteVerify(CaptchaSettings(service=named, secrets=(SECRET,), address=vendor.address))


async def test_a_good_token_is_a_persons(service: CaptchaService) -> None:
    assert (await service.judge("good", ONE_POST)).is_person


async def test_a_token_of_which_the_service_knows_nothing_is_not(service: CaptchaService) -> None:
    verdict = await service.judge("forged", ONE_POST)

    assert (verdict.is_person, verdict.why) == (False, "The token is not valid.")


async def test_a_token_is_good_for_one_post_only(service: CaptchaService) -> None:
    await service.judge("good", ONE_POST)

    verdict = await service.judge("good", ANOTHER)

    assert (verdict.is_person, verdict.why) == (False, "The token has expired, or was used before.")


async def test_without_an_answer_there_is_no_verdict(
    service: CaptchaService, vendor: CaptchaVendor
) -> None:
    vendor.answer = (503, b"")
    with pytest.raises(UnavailableError) as error:
        await service.judge("good", ONE_POST)
    assert "good" not in error.value.message
