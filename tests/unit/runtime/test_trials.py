"""The process that tries models and stories: it has limits, and knows no secret."""

import asyncio
import time

import pytest

from warmlead.dashboard.trials import MODEL_BYTES, TrialRequest, TrialResult
from warmlead.domain.errors import UnavailableError
from warmlead.model.loading import ready_model, ready_text
from warmlead.model.plan import write_compiled
from warmlead.runtime import trials
from warmlead.runtime.trials import TOO_COSTLY, Trials

pytestmark = pytest.mark.slow

IN_FORCE = write_compiled(ready_model("b2b-saas").plan)
TEXT = ready_text("product-led")
BOMB = "a: &a [x,x,x,x,x,x]\n" + "".join(
    f"{after}: &{after} [*{before},*{before},*{before},*{before},*{before},*{before}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


async def test_a_question_is_answered_by_a_process_of_its_own() -> None:
    verdict = await Trials()(TrialRequest(IN_FORCE, TEXT, ready="golden-month"))
    assert verdict.version == ready_model("product-led").version
    assert len(verdict.differences) > 50
    assert verdict.story is not None
    assert verdict.story.days[0].days == "1"


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: " + "[" * (MODEL_BYTES - 10),
        "signals: [" + "a," * (MODEL_BYTES // 2 - 10) + "]",
        "".join(f"k{n}: 1\n" for n in range(MODEL_BYTES // 10)),
    ],
    ids=["aliases", "lists", "items", "keys"],
)
async def test_hostile_files_end_in_time(text: str) -> None:
    began = time.monotonic()
    verdict = await Trials(within_s=20)(TrialRequest(IN_FORCE, text))
    assert verdict.failed or verdict.findings
    assert verdict.version == ""
    assert time.monotonic() - began < 30


async def test_what_takes_too_long_is_ended_and_told() -> None:
    verdict = await Trials(within_s=0.01)(TrialRequest(IN_FORCE, TEXT))
    assert verdict == TrialResult(failed=TOO_COSTLY)


async def test_a_process_that_fails_is_our_fault() -> None:
    with pytest.raises(RuntimeError, match="ended with 1"):
        await Trials()(TrialRequest("no compiled model"))


async def test_questions_wait_for_each_other_and_not_for_long() -> None:
    asking = Trials(within_s=20, wait_s=0.2)
    first = asyncio.create_task(asking(TrialRequest(IN_FORCE)))
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await asking(TrialRequest(IN_FORCE))
    assert (await first).failed == ""
    assert (await asking(TrialRequest(IN_FORCE))).failed == ""


async def test_more_than_a_few_are_refused_at_once() -> None:
    asking = Trials(within_s=20, wait_s=0.2)
    many = [asyncio.create_task(asking(TrialRequest(IN_FORCE))) for _ in range(9)]
    told = await asyncio.gather(*many, return_exceptions=True)
    assert sum(isinstance(each, TrialResult) for each in told) == 1
    assert sum(isinstance(each, UnavailableError) for each in told) == 8


def test_the_process_knows_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLEAD_ID_SECRET", "a secret")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/a/key")
    assert not {"WARMLEAD_ID_SECRET", "GOOGLE_APPLICATION_CREDENTIALS"} & set(trials.environment())
