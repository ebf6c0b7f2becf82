"""The journey of a lead: the last notable things that the person did, and the details of each.

An event is notable if one of its signals makes steps (``Rules.shown``). A trail keeps few steps,
chosen by what they are and not by the order in which they arrive:

- Of two copies of an event the earlier one counts.
- What was done again on the same UTC day, with the same details, is one step, at the latest time.
- Of one signal the latest 5 are kept, and of one trust the latest 20. So a flood of one kind of
  event displaces only steps of that kind, and what anybody can send displaces no signed step.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from warmlead.domain.event import LANDING_PAGE, Event, Property, Trust
from warmlead.domain.history import day_of, from_ms, to_ms
from warmlead.domain.packed_history import KeptEvent
from warmlead.domain.rules import Rules
from warmlead.domain.text import one_line

MAX_STEPS = 20
"""Limit of the steps of one trust that are kept of an identifier, and of all that are shown."""

MAX_OF_SIGNAL = 5
"""Limit of the steps of one signal and trust: a flood of it leaves room for others."""

MAX_DETAIL = 500
"""The longest detail, in characters; a longer one is cut."""

MAX_DETAILS_BYTES = 1_200
"""The limit of the JSON of the details of one step."""

MESSAGE = "message"
"""The detail that stands for the words of a form, whatever the form calls their field."""

_WORDS = (
    *(MESSAGE, "your_message", "messages", "message_body", "body", "text", "comment", "comments"),
    *("question", "questions", "your_question", "inquiry", "enquiry", "notes", "details"),
    *("additional_information", "how_can_we_help", "how_can_we_help_you", "what_can_we_do_for_you"),
    *("nachricht", "ihre_nachricht", "deine_nachricht", "anmerkung", "kommentar", "mitteilung"),
    *("votre_message", "commentaire", "commentaires", "mensaje", "su_mensaje", "comentario"),
    *("comentarios", "mensagem", "sua_mensagem", "messaggio", "bericht", "uw_bericht", "besked"),
    *("meddelande", "melding", "viesti", "wiadomosc", "zprava", "uzenet", "mesaj"),
)
"""Names of the fields in which forms have free text, as they are kept: snake_case."""

OF_THE_VISIT: Mapping[str, str] = MappingProxyType(
    {
        "campaign": "utm_campaign",
        "source": "utm_source",
        "medium": "utm_medium",
        "term": "utm_term",
        "referrer": "referrer",
        LANDING_PAGE: LANDING_PAGE,
    }
)
"""The details that are those of the visit, if the event has no such property of its own."""

_TAG = re.compile(r"<[A-Za-z/!?@#][^<>]*>")
_OPENED_TAG = re.compile(r"<(?=[A-Za-z/!?@#])")


class NotableStep(NamedTuple):
    """One notable thing that a person did; ordered by time.

    ``name`` is the event's, ``signal`` the weightiest of its signals that makes steps. ``details``
    are names and texts of properties, each text on one line and without markup.
    """

    at_ms: int
    key: str
    rank: int  # 1 signed, 0 public
    name: str
    signal: str
    details: tuple[tuple[str, str], ...] = ()

    @property
    def at(self) -> datetime:
        """When it was done, UTC."""
        return from_ms(self.at_ms)

    @property
    def trust(self) -> Trust:
        """How the event came."""
        return Trust.SIGNED if self.rank else Trust.PUBLIC


def step_of(event: Event, signals: Collection[str], rules: Rules) -> NotableStep | None:
    """The step that an event with these signals is; ``None`` if it is not notable."""
    making = [name for name in signals if name in rules.shown]
    if not making or not (event.automated is None or rules.robots_count):
        return None
    making.sort(key=lambda name: (-_weight(name, rules), name))
    named = dict.fromkeys(shown for name in making for shown in rules.shown[name])
    return NotableStep(
        to_ms(event.occurred_at),
        event.key,
        event.trust.rank,
        event.name,
        making[0],
        _details(event, named),
    )


def repeats(kept: KeptEvent | None, event: Event) -> bool:
    """Whether an event comes again of which the copy that was kept is no later.

    A sender that states no time gives a repeat the time of its receipt. It is no step of its own:
    it may have been displaced from the journey, and would come back as the latest.
    """
    return kept is not None and kept.at_ms <= to_ms(event.occurred_at)


def _weight(signal: str, rules: Rules) -> int:
    policy = rules.scoring.signals.get(signal)
    return abs(policy.points) if policy else 0


def _details(event: Event, named: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The named properties as texts, cut to what a step may take."""
    found: list[tuple[str, str]] = []
    left = MAX_DETAILS_BYTES
    for name in named:
        sources = _WORDS if name == MESSAGE else (name,)
        text = next(filter(None, (_text(event.properties.get(one)) for one in sources)), "")
        text = text or _text(event.attribution.get(OF_THE_VISIT.get(name, "")))
        text = _cut(text, left - len(name))
        if text:
            found.append((name, text))
            left -= len(name) + _size(text)
    return tuple(found)


def _text(value: Property) -> str:
    """The value on one line, without characters or markup that a reader's tool might act upon."""
    if isinstance(value, list):
        return _plain(", ".join(str(one) for one in value if one not in (None, "")))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else _plain(str(value))


def _plain(text: str) -> str:
    """The text without tags; a sign that could still open one stands by itself."""
    text = one_line(text[: 8 * MAX_DETAIL])  # first: what goes may stand within a tag
    if "<" in text:
        text = _OPENED_TAG.sub("< ", _TAG.sub(" ", text))
    cut = " ".join(text.split())
    return cut if len(cut) <= MAX_DETAIL else f"{cut[: MAX_DETAIL - 1]}…"


def _size(text: str) -> int:
    return len(json.dumps(text))


def _cut(text: str, most_bytes: int) -> str:
    """The start of a text whose JSON has a limit."""
    if _size(text) <= most_bytes:
        return text
    while text and _size(text) > most_bytes - len("\\u2026"):
        text = text[: len(text) * 9 // 10]
    return f"{text.rstrip()}…" if text else ""


def kept_steps(steps: Iterable[NotableStep]) -> tuple[NotableStep, ...]:
    """The steps that are kept, the latest first; the order of arrival makes no difference."""
    once: dict[str, NotableStep] = {}
    for step in steps:  # of two copies of an event the smaller one counts, as in its history
        once[step.key] = min(step, once.get(step.key, step))
    latest: dict[tuple[object, ...], NotableStep] = {}
    for step in once.values():
        what = (step.rank, step.signal, step.name, day_of(step.at_ms), step.details)
        latest[what] = max(step, latest.get(what, step))
    kept: list[NotableStep] = []
    of_trust: Counter[int] = Counter()
    of_signal: Counter[tuple[int, str]] = Counter()
    for step in sorted(latest.values(), reverse=True):
        signal = (step.rank, step.signal)
        if of_trust[step.rank] < MAX_STEPS and of_signal[signal] < MAX_OF_SIGNAL:
            kept.append(step)
            of_trust[step.rank] += 1
            of_signal[signal] += 1
    return tuple(kept)


def fitting(
    steps: Collection[NotableStep],
    room: int = MAX_STEPS,
    size: Callable[[NotableStep], int] = lambda _: 1,
) -> tuple[NotableStep, ...]:
    """The steps for which there is room, the latest first.

    Half of the room is for signed steps and half for public ones, as far as there are any; what is
    left is for the latest of all. So neither displaces the other.
    """
    latest = sorted(steps, reverse=True)
    taken: set[NotableStep] = set()
    used = 0
    shares = (
        ([step for step in latest if step.rank], room // 2),
        ([step for step in latest if not step.rank], room // 2),
        (latest, room),
    )
    for part, share in shares:
        left = min(share, room - used)
        for step in part:
            if step not in taken and (needed := size(step)) <= left:
                taken.add(step)
                left -= needed
                used += needed
    return tuple(step for step in latest if step in taken)
