"""The page on which a model file and a story are tried: what differs, and what a lead would see."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import groupby
from typing import TypeVar

from markupsafe import escape
from msgspec import Struct, structs

from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import page
from warmlead.dashboard.trials import (
    MODEL_BYTES,
    MOST_DAYS,
    MOST_EVENTS,
    STORY_BYTES,
    PlayedStory,
    StoryDays,
    TrialNote,
    TrialRequest,
    TrialResult,
)
from warmlead.domain.errors import Reason, RejectedError
from warmlead.model.differences import Difference
from warmlead.model.plan import write_compiled
from warmlead.web.answers import Answer

PATH = "/model/try"
OWN = "own"
"""The choice of a story that stands in the form."""

LONGEST_TEXT = 300
"""How many characters are shown of one text."""

PAGE_BYTES = 58_000
"""Above this weight the page does not give back what was filled in."""

FINDING_BYTES = 8_000
DIFFERENCE_BYTES = 14_000
STORY_PAGE_BYTES = 18_000
"""What each part of the page may weigh, in bytes of HTML: with the rest less than 60 KB."""

ROW_BYTES = 250
STEP_BYTES = 80
"""What a row and a step of a story weigh besides their texts: the tags of the template."""

T = TypeVar("T")


class Form(Struct, frozen=True):
    """What was filled in; ``was_long``: the page does not give back its texts."""

    model: str = ""
    story: str = ""
    chosen: str = ""
    was_long: bool = False


class Shown(Struct, frozen=True):
    """A verdict as the page shows it; what it leaves out is counted."""

    verdict: TrialResult
    findings: Sequence[TrialNote]
    findings_left: int
    sections: Sequence[tuple[str, Sequence[Difference]]]
    differences_left: int
    story_findings: Sequence[TrialNote]
    story_findings_left: int
    days: Sequence[StoryDays]
    days_left: int


def form_page(key: str) -> Answer:
    """The empty form."""
    return _page(key, Form(chosen=stories()[0]), None)


async def tried_page(parts: Parts, key: str, filled: Mapping[str, str]) -> Answer:
    """What came of a filled form; raises ``RejectedError`` if nobody can fill it in like that."""
    model, story, chosen = (filled.get(name, "") for name in ("model", "text", "story"))
    for what, text, most in (("model", model, MODEL_BYTES), ("story", story, STORY_BYTES)):
        if len(text.encode()) > most:
            message = f"The {what} is larger than {most} bytes."
            raise RejectedError(Reason.BODY_TOO_LARGE, message)
    if chosen not in ("", OWN, *stories()):
        raise RejectedError(Reason.FIELD_INVALID, "There is no such story.")
    ready = "" if chosen == OWN else chosen
    own = story if chosen == OWN else ""
    form = Form(model, story, chosen)
    if not (model.strip() or ready or own.strip()):
        return _page(key, form, TrialResult(failed="Nothing was given: paste or choose something."))
    asked = TrialRequest(write_compiled(parts.model.plan()), model, own, ready)
    return _page(key, form, await parts.model.ask(asked))


@cache
def stories() -> Sequence[str]:
    """The names of the stories that come with Warmlead."""
    files = (file.name for file in (resources.files("warmlead.model") / "ready/stories").iterdir())
    return sorted(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))


def _page(key: str, form: Form, verdict: TrialResult | None) -> Answer:
    """The page, without what was filled in if it would be too heavy with it."""
    answer = _rendered(key, form, verdict)
    if len(answer.body) <= PAGE_BYTES:
        return answer
    return _rendered(key, structs.replace(form, model="", story="", was_long=True), verdict)


def _rendered(key: str, form: Form, verdict: TrialResult | None) -> Answer:
    return page(
        "try.html",
        here="model",
        key=key,
        form=form,
        stories=stories(),
        own=OWN,
        shown=shown(verdict) if verdict else None,
        played=_cut_story(verdict.story) if verdict and verdict.story else None,
        most_days=MOST_DAYS,
        most_events=MOST_EVENTS,
        model_kb=MODEL_BYTES // 1024,
        story_kb=STORY_BYTES // 1024,
    )


def shown(verdict: TrialResult) -> Shown:
    """The verdict within the weight of a page."""
    findings, findings_left = fitting(
        map(_cut_finding, verdict.findings), _texts_of_finding, FINDING_BYTES
    )
    of_story, of_story_left = fitting(
        map(_cut_finding, verdict.story_findings), _texts_of_finding, FINDING_BYTES
    )
    rows, rows_left = fitting(
        map(_cut_difference, verdict.differences),
        lambda row: (row.name, row.what, row.before, row.after),
        DIFFERENCE_BYTES,
    )
    days, days_left = fitting(
        map(_cut_days, verdict.story.days if verdict.story else ()),
        lambda row: (row.stage, *(" " * STEP_BYTES + step.text for step in row.steps)),
        STORY_PAGE_BYTES,
    )
    grouped = groupby(rows, key=lambda row: row.section)
    return Shown(
        verdict,
        findings,
        findings_left,
        [(section, list(of_section)) for section, of_section in grouped],
        rows_left,
        of_story,
        of_story_left,
        days,
        days_left,
    )


def fitting(
    rows: Iterable[T], texts: Callable[[T], Sequence[str]], most_bytes: int
) -> tuple[Sequence[T], int]:
    """The first rows whose HTML fits, and how many are left out."""
    every = list(rows)
    weight = 0
    for number, row in enumerate(every):
        weight += ROW_BYTES + sum(map(_weight, texts(row)))
        if weight > most_bytes:
            return every[:number], len(every) - number
    return every, 0


def _weight(text: str) -> int:
    """The bytes of a text in HTML."""
    return len(escape(text).encode())


def cut(text: str) -> str:
    """The text, or its beginning if it is long; on one line."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _cut_finding(found: TrialNote) -> TrialNote:
    return structs.replace(
        found,
        path=cut(found.path),
        message=cut(found.message),
        suggestion=cut(found.suggestion),
    )


def _texts_of_finding(found: TrialNote) -> Sequence[str]:
    return found.path, found.message, found.suggestion


def _cut_difference(row: Difference) -> Difference:
    return structs.replace(
        row, name=cut(row.name), what=cut(row.what), before=cut(row.before), after=cut(row.after)
    )


def _cut_days(row: StoryDays) -> StoryDays:
    steps = [structs.replace(step, text=cut(step.text)) for step in row.steps]
    return structs.replace(row, steps=steps)


def _cut_story(story: PlayedStory) -> PlayedStory:
    sums = [(heading, cut(text)) for heading, text in story.sums]
    return structs.replace(story, about=cut(story.about), sums=sums, days=())
