"""The page on which a model file and a story are tried, and the page of unmatched events."""

import re
from collections.abc import Sequence
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, an_event
from effort import examples
from unit.dashboard.seen import Seen, a_dashboard
from warmlead.dashboard import unmatched_page
from warmlead.dashboard.trials import (
    MODEL_BYTES,
    STORY_BYTES,
    ModelInForce,
    PlayedStory,
    StoryDays,
    StoryStep,
    TrialNote,
    TrialRequest,
    TrialResult,
)
from warmlead.dashboard.try_page import PAGE_BYTES, ROW_BYTES, fitting, form_page, stories
from warmlead.domain.event import Trust
from warmlead.model.differences import Difference
from warmlead.model.loading import ready_text
from warmlead.simulation.ready import ready_stories

TEXT = ready_text("b2b-saas")
MOST_BYTES = 60_000
STORY = """
about: Ada asks
lead: {email: ada@example.com}
events:
  - {at: day 1 10:00, event: demo_requested}
"""


def words(body: bytes) -> str:
    """What a page says."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", body.decode())).split())


@pytest.mark.slow
async def test_a_file_is_compared_with_the_model_in_force(seen: Seen) -> None:
    changed = TEXT.replace("demo_requested, points: 50", "demo_requested, points: 60")
    answer = await seen.try_(model=changed, story="")
    assert answer.status == 200
    assert "Signals demo_requested points changed 50 → 60" in words(answer.body)
    same = await seen.try_(model=TEXT, story="")
    assert "The file does the same as the model in force" in words(same.body)


@pytest.mark.slow
async def test_faults_come_with_their_place_and_what_to_write(seen: Seen) -> None:
    faulty = TEXT.replace("demo_requested, points: 50", "demo_requested, pionts: 50")
    line = faulty[: faulty.index("pionts")].count("\n") + 1
    said = words((await seen.try_(model=faulty, story="")).body)
    assert "The file cannot be used yet" in said
    assert f"line {line}, column" in said
    assert 'unknown key "pionts" (did you mean "points"?)' in said
    assert "What differs" not in said


@pytest.mark.slow
async def test_a_story_is_played_under_the_file_or_else_under_the_model_in_force(
    seen: Seen,
) -> None:
    cheap = TEXT.replace("demo_requested, points: 50", "demo_requested, points: 7")
    scores = []
    for model in ("", cheap):
        said = words((await seen.try_(model=model, story="own", text=STORY)).body)
        assert "Ada asks" in said
        scores.append(said.partition("Day 1 2026-01-05 ")[2].partition(" ")[0])
    assert scores == ["55", "12"]  # with the 5 of an address of a company


@pytest.mark.slow
async def test_a_ready_made_story_shows_moves_and_messages(seen: Seen) -> None:
    said = words((await seen.try_(model="", story=stories()[0])).body)
    assert "→ mql: " in said
    assert "sent: offered to sales" in said


@pytest.mark.slow
async def test_faults_of_a_story_are_told_and_a_long_one_is_refused(seen: Seen) -> None:
    faulty = STORY.replace("day 1 10:00", "noon")
    assert "is not a time" in words((await seen.try_(story="own", text=faulty)).body)
    many = STORY + "".join(
        f"  - {{at: day 2 10:{n:02}, event: page_viewed, times: 20}}\n" for n in range(20)
    )
    said = words((await seen.try_(story="own", text=many)).body)
    assert "401 events: a page plays 200 at most" in said


async def test_the_form_is_private_and_of_this_page(seen: Seen) -> None:
    assert (await seen.try_(key="0" * 64, model="x")).status == 403
    assert (await seen.try_(model="x", story="nobody's")).status == 400
    assert (await seen.try_(model="x" * (MODEL_BYTES + 1))).status == 413
    assert (await seen.try_(text="x" * (STORY_BYTES + 1))).status == 413
    assert "Nothing was given" in words((await seen.try_(story="", model="  ")).body)


async def test_another_site_cannot_send_the_form(seen: Seen) -> None:
    headers = {"content-type": "multipart/form-data; boundary=b", "sec-fetch-site": "cross-site"}
    assert (await seen.ask("POST", "/model/try", headers, b"")).status == 403
    assert (await seen.ask("POST", "/model/try", {"cookie": ""}, b"")).status == 401


def test_the_stories_of_the_form_are_those_of_the_command() -> None:
    assert list(stories()) == ready_stories()


async def judged(folder: Path, verdict: TrialResult, model: str) -> bytes:
    """The page of a verdict."""

    async def ask(_: TrialRequest) -> TrialResult:
        return verdict

    async with a_dashboard(folder) as seen:
        object.__setattr__(seen.parts, "model", ModelInForce(seen.parts.model.plan, ask))
        answer = await seen.try_(model=model, story="")
    assert answer.status == 200
    return answer.body


@pytest.mark.parametrize("text", ["<'\">&" * 500, "ab" * 900, "😀" * 900, ""], ids=range(4))
async def test_the_page_is_small_and_escaped_whatever_it_is_told(tmp_path: Path, text: str) -> None:
    findings = [TrialNote("error", 1, 1, text, text, text)] * 500
    steps = [StoryStep("10:00", "did", text)] * 40
    story = PlayedStory(text, text, [StoryDays("1", "2026-01-05", 5, text[:50], steps)] * 400, [])
    verdict = TrialResult(
        "abc",
        findings,
        [Difference("Fit", text, "changed", text, text, text)] * 500,
        [text] * 500,
        findings,
        story,
    )
    body = await judged(tmp_path, verdict, "x" * 50_000)
    assert len(body) < MOST_BYTES
    assert "too long to stand here again" in words(body)
    assert b"<'" not in body


async def test_a_text_that_is_not_long_stands_in_the_form_again(tmp_path: Path) -> None:
    body = await judged(tmp_path, TrialResult(), "\n  <b>: &amp;\n")
    assert b">\n\n  &lt;b&gt;: &amp;amp;\n</textarea>" in body


def test_the_empty_form_is_light() -> None:
    assert len(form_page("k" * 64).body) < PAGE_BYTES / 4


@given(rows=st.lists(st.text(max_size=50)), most=st.integers(0, 5_000))
@settings(max_examples=examples(100))
def test_rows_are_left_out_from_the_end_and_counted(rows: list[str], most: int) -> None:
    def texts(row: str) -> Sequence[str]:
        return (row,)

    fit, left = fitting(rows, texts, most)
    assert [*fit] == rows[: len(rows) - left]
    assert len(fit) * ROW_BYTES <= most


# --- unmatched events ----------------------------------------------------------------------


async def test_what_no_signal_wanted_is_named_the_most_frequent_first(seen: Seen) -> None:
    for number, name in enumerate(("quiz_taken", "demo_reqested", "quiz_taken", "demo_requested")):
        event = an_event(name=name, email="ada@example.com", trust=Trust.SIGNED, id=f"e{number}")
        await seen.apply(event)
    said = words((await seen.get("/model/unmatched")).body)
    assert f"4 events since {NOW - timedelta(days=31):%Y-%m-%d}, 1 matched" in said
    assert f"2 quiz_taken 1 {NOW:%Y-%m-%d} 1 demo_reqested did you mean demo_requested?" in said
    assert "Counted in 1 lead:" in said


async def test_the_page_of_unmatched_events_reads_few_leads(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmatched_page, "MOST_LEADS", 2)
    for number in range(7):
        at = NOW - timedelta(days=number)
        event = an_event(
            name="quiz_taken", email=f"p{number}@example.com", trust=Trust.SIGNED,
            occurred_at=at, received_at=at, id=f"e{number}",
        )  # fmt: skip
        await seen.apply(event, now=at)
    said = words((await seen.get("/model/unmatched")).body)
    counted = re.search(r"Counted in (\d) leads", said)
    assert counted
    assert 2 <= int(counted[1]) <= 4


async def test_an_empty_installation_has_the_page_too(seen: Seen) -> None:
    assert "Nothing came yet." in words((await seen.get("/model/unmatched")).body)
