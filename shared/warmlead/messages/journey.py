"""The journey of a lead in words, as messages, the commands and an export show it."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from warmlead.domain.event import Trust
from warmlead.domain.history import to_ms
from warmlead.domain.journey import NotableStep, fitting
from warmlead.domain.rules import Rules
from warmlead.domain.text import printable
from warmlead.messages.wording import title_of

MAX_JOURNEY_BYTES = 8_000
"""The limit of the journey in a message, as it stands in the lead until the message is sent.

A lead may wait with several messages: it must not outgrow its store, 1 MiB in Firestore.
"""


class ToldStep(Struct, frozen=True):
    """One step in words: ``what`` is the signal's name, or the event's if the model has it not."""

    at: datetime
    what: str
    title: str
    details: dict[str, str]
    trust: Trust


def journey_of(
    steps: Collection[NotableStep], rules: Rules, until: datetime | None = None
) -> Sequence[ToldStep]:
    """The steps that are shown, the latest first; of those until a moment, if one is given."""
    past = steps if until is None else [step for step in steps if step.at_ms <= to_ms(until)]
    return [_told(step, rules) for step in fitting(past)]


def journey_in_message(
    steps: Collection[NotableStep], rules: Rules, room: int = MAX_JOURNEY_BYTES
) -> list[dict[str, Any]]:
    """The steps that a message has room for, as its fields, the latest first."""

    def size(step: NotableStep) -> int:
        return len(json.dumps(json.dumps(_fields(_told(step, rules)), default=str)))

    shown = fitting(fitting(steps), room, size)
    return [_fields(_told(step, rules)) for step in shown]


def _told(step: NotableStep, rules: Rules) -> ToldStep:
    what = step.signal if step.signal in rules.scoring.signals else step.name
    title = title_of(what, rules.titles)
    details = {name: printable(text) for name, text in step.details}
    return ToldStep(step.at, what, title[:1].upper() + title[1:], details, step.trust)


def _fields(told: ToldStep) -> dict[str, Any]:
    return {name: getattr(told, name) for name in ToldStep.__struct_fields__}
