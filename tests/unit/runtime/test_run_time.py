"""A run begins work only as long as all of it can end while its caller waits."""

import pytest

from warmlead.application.redeliver import LAST_S
from warmlead.runtime.functions import RUN_S, run_s
from warmlead.runtime.table import DECAY, REDELIVER

TERRAFORM_S = 100
"""The timeout that ``infra/modules/warmlead/sizing.tf`` gives to ``redeliver``."""


def timeout(seconds: float) -> dict[str, str]:
    return {"CLOUD_RUN_TIMEOUT_SECONDS": str(seconds)}


@pytest.mark.parametrize("call_s", [60, 75, 100, 540])
def test_the_last_attempt_ends_while_the_caller_waits(call_s: float) -> None:
    assert run_s(REDELIVER, timeout(call_s)) + LAST_S <= call_s


def test_a_run_that_reaches_out_uses_what_it_has() -> None:
    assert run_s(REDELIVER, {}) == 60 - LAST_S
    assert run_s(REDELIVER, timeout(TERRAFORM_S)) == RUN_S
    assert run_s(DECAY, timeout(TERRAFORM_S)) == run_s(DECAY, {}) == RUN_S


def test_a_caller_that_hardly_waits_gets_something_done_all_the_same() -> None:
    assert run_s(REDELIVER, timeout(5)) > 0
