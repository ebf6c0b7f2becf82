"""What the page of the model asks of a file or a story, and what it is told."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec import Struct

from warmlead.model.differences import Difference
from warmlead.model.plan import Plan

MODEL_BYTES = 256 * 1024
"""The longest model that is tried, in bytes of UTF-8."""

STORY_BYTES = 32 * 1024
"""The longest story that is played, in bytes of UTF-8."""

MOST_EVENTS = 200
"""The most events of a story that is played, each of its repeats counted."""

MOST_DAYS = 120
"""How many days of a story are played."""


class TrialRequest(Struct, frozen=True):
    """A model file, a story, or both.

    ``model`` and ``story`` are texts; empty if there is none. ``ready`` is the name of a story
    that comes with Warmlead, instead of ``story``. The story is played under the model of the
    file, or else under the one ``in_force``, which is a compiled model.
    """

    in_force: str
    model: str = ""
    story: str = ""
    ready: str = ""


class TrialNote(Struct, frozen=True):
    """One fault (``error``), doubt (``warning``) or ``note``, and its place in the text."""

    severity: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str


class StoryStep(Struct, frozen=True):
    """One thing that came about in a story; ``time`` is empty if it is that of the one before."""

    time: str
    kind: str
    text: str


class StoryDays(Struct, frozen=True):
    """A day of a story, or quiet days together; ``score`` is ``None`` while nobody knew the lead.

    The numbers are those at the end of the last day.
    """

    days: str
    date: str
    score: int | None
    stage: str
    steps: Sequence[StoryStep] = ()


class PlayedStory(Struct, frozen=True):
    """A story that was played. ``sums`` are texts under headings. ``cut``: it goes on."""

    about: str
    model: str
    days: Sequence[StoryDays]
    sums: Sequence[tuple[str, str]]
    cut: bool = False


class TrialResult(Struct, frozen=True):
    """What came of it. ``version`` is empty unless a file was given that can be used.

    ``kept_otherwise`` is what past events do not count for before a replay. ``failed`` says why
    there is no verdict at all.
    """

    version: str = ""
    findings: Sequence[TrialNote] = ()
    differences: Sequence[Difference] = ()
    kept_otherwise: Sequence[str] = ()
    story_findings: Sequence[TrialNote] = ()
    story: PlayedStory | None = None
    failed: str = ""


Ask: TypeAlias = Callable[[TrialRequest], Awaitable[TrialResult]]
"""Tries a file or a story. Applies and keeps nothing, and ends within a limited time.

Raises ``UnavailableError`` while it has too much to do.
"""


class ModelInForce(Struct, frozen=True):
    """The model of this process: its plan, and how another one is tried beside it."""

    plan: Callable[[], Plan]
    ask: Ask
