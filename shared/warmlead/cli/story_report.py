"""A played story as data of a stable shape: its days, what came about on each, and the sums."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import JsonValue

from warmlead.application.shapes import Shape
from warmlead.application.simulate import Course, Scene, Story
from warmlead.domain.event import Event
from warmlead.domain.lifecycle import Transition, moved_back
from warmlead.domain.money import DECIMALS
from warmlead.domain.nurture import Ending
from warmlead.domain.rules import Rules
from warmlead.domain.sales import EVENT_PREFIX
from warmlead.ports import Message

_MOVE = ("from_stage", "to_stage", "cycle", "reason", "score", "fit", "hours_in_stage", "source")
_TIMES = {1: "", 2: " (2nd time)", 3: " (3rd time)"}


class LineKind(StrEnum):
    """What a line tells of."""

    DID = "did"
    SAID = "said"
    MOVED = "moved"
    SEQUENCE = "sequence"
    SENT = "sent"
    REFUSED = "refused"


class Line(Shape):
    """One thing that came about: in words, and as data that depends on the kind."""

    at: datetime
    kind: LineKind
    text: str
    data: dict[str, JsonValue]


class DayRow(Shape):
    """A UTC day, and the lead at its end; ``score`` is null while nobody knew of it."""

    day: int
    date: date
    score: int | None
    engagement: int | None
    fit: int | None
    stage: str | None
    lines: list[Line]


class Summary(Shape):
    """The sums. ``again`` counts for each stage how often it was entered after the first time."""

    highest_score: int
    stages: list[str]
    entered: dict[str, int]
    again: dict[str, int]
    moved_back: int
    messages: dict[str, int]
    sales: dict[str, int]
    value: str | None


class StoryReport(Shape):
    """All of a story."""

    about: str
    model: str
    model_version: str
    days: list[DayRow]
    summary: Summary


def report_of(story: Story, rules: Rules, *, about: str, model: str) -> StoryReport:
    """The story as data."""
    days = [
        DayRow(
            day=number,
            date=evening.day.date(),
            score=evening.worth.score if evening.worth else None,
            engagement=evening.worth.engagement if evening.worth else None,
            fit=evening.worth.fit if evening.worth else None,
            stage=evening.worth.stage if evening.worth else None,
            lines=[
                line
                for scene in story.scenes
                if scene.at.date() == evening.day.date()
                for line in _lines(scene, rules)
            ],
        )
        for number, evening in enumerate(story.evenings, start=1)
    ]
    return StoryReport(
        about=about,
        model=model,
        model_version=rules.version,
        days=days,
        summary=_summary(story, rules),
    )


def _lines(scene: Scene, rules: Rules) -> Iterator[Line]:
    """What came about at a moment: its cause first, then what followed."""
    for event in _each_once(scene.events):
        yield _event(scene, event, rules)
    if scene.refused:
        text = f"{scene.refused} not counted"
        yield Line(at=scene.at, kind=LineKind.REFUSED, text=text, data={"events": scene.refused})
    for move in scene.moves:
        yield _move(scene.at, move)
    finished = [each for each in scene.courses if each.ending == Ending.FINISHED]
    for course in scene.courses:
        if course not in finished:
            yield _course(scene.at, course)
    for topic, message in scene.sent:
        yield _sent(scene.at, topic, message)
    for course in finished:  # with the last message
        yield _course(scene.at, course)


def _each_once(events: Sequence[Event]) -> list[tuple[Event, int]]:
    """Events that differ by their ids alone as one, and how many they are."""
    counted: dict[str, tuple[Event, int]] = {}
    for event in events:
        what = f"{event.name}{json.dumps(event.properties, sort_keys=True)}"
        first, count = counted.get(what, (event, 0))
        counted[what] = first, count + 1
    return list(counted.values())


def _event(scene: Scene, happened: tuple[Event, int], rules: Rules) -> Line:
    event, times = happened
    signals = rules.classify(event)
    data: dict[str, JsonValue] = {
        "event": event.name,
        "times": times,
        "signals": list(signals),
        "properties": {**event.properties},  # type: ignore[dict-item]  # what JSON holds, as JSON
    }
    if said := _said(event):
        return Line(at=scene.at, kind=LineKind.SAID, text=said, data=data)
    details = [str(each) for each in event.properties.values() if isinstance(each, str | int)]
    words = " ".join([event.name, *details, *([f"×{times}"] if times > 1 else [])])
    return Line(
        at=scene.at,
        kind=LineKind.DID,
        text=words if signals or event.traits else f"{words} (no signal)",
        data=data,
    )


def _said(event: Event) -> str:
    """What sales said, in words; empty if the event is none of sales."""
    if not event.name.startswith(EVENT_PREFIX):
        return ""
    said = f"sales: {event.name.removeprefix(EVENT_PREFIX)}"
    if reason := event.properties.get("reason"):
        said += f" ({str(reason).replace('_', ' ')})"
    if amount := _money(event.properties.get("value_cents"), event.properties.get("currency")):
        said += f", {amount}"
    return said


def _money(cents: object, currency: object) -> str:
    if not isinstance(cents, int) or not isinstance(currency, str):
        return ""
    decimals = DECIMALS.get(currency, 0)
    return f"{Decimal(cents).scaleb(-decimals):,.{decimals}f} {currency}"


def _move(at: datetime, move: Transition) -> Line:
    again = _TIMES.get(move.cycle, f" ({move.cycle}th time)")
    data: dict[str, JsonValue] = {name: getattr(move, name) for name in _MOVE}
    why = "" if move.reason.startswith("sales: ") else f": {move.reason}"
    return Line(at=at, kind=LineKind.MOVED, text=f"{move.to_stage}{again}{why}", data=data)


def _course(at: datetime, course: Course) -> Line:
    what = f"{course.sequence} ends: {course.ending}" if course.ending else ""
    return Line(
        at=at,
        kind=LineKind.SEQUENCE,
        text=what or f"{course.sequence} begins",
        data={"sequence": course.sequence, "run": course.run, "ending": course.ending},
    )


def _sent(at: datetime, topic: str, message: Message) -> Line:
    event: dict[str, Any] = json.loads(message.body)
    data: dict[str, JsonValue] = {
        "topic": topic,
        "attributes": {**message.attributes},
        "event": event,
    }
    return Line(
        at=at, kind=LineKind.SENT, text=_in_words(str(event["type"]), event["data"]), data=data
    )


def _in_words(kind: str, data: dict[str, Any]) -> str:
    owner = data.get("owner") or "sales"
    match _short(kind):
        case "nurture.step_due":
            return f"{data['message']} ({data['step']} of {data['steps']})"
        case "handoff.offered":
            return f"offered to {owner}"
        case "handoff.reminder":
            return f"{owner} is reminded"
        case "handoff.breached":
            return f"{owner} broke its promise: {data['promise'].replace('_', ' ')}"
    return f"stage entered: {data['stage']}"


def _short(kind: str) -> str:
    return kind.removeprefix("warmlead.").rpartition(".v")[0]


def _summary(story: Story, rules: Rules) -> Summary:
    moves = [move for scene in story.scenes for move in scene.moves]
    entered = Counter(move.to_stage for move in moves)
    sent = [message for scene in story.scenes for _, message in scene.sent]
    kinds = Counter(_short(message.attributes["type"]) for message in sent)
    worths = [scene.worth for scene in story.scenes]
    worths += [evening.worth for evening in story.evenings if evening.worth]
    statements = story.lead.statements if story.lead else []
    worth = [each for each in statements if each.value_cents is not None]
    return Summary(
        highest_score=max((each.score for each in worths), default=0),
        stages=[*(move.from_stage for move in moves[:1]), *(move.to_stage for move in moves)],
        entered=dict(entered),
        again={stage: count - 1 for stage, count in entered.items() if count > 1},
        moved_back=moved_back(moves, rules.stage_order),
        messages=dict(
            Counter(m.attributes["sequence"] for m in sent if "sequence" in m.attributes)
        ),
        sales={each: kinds[f"handoff.{each}"] for each in ("offered", "reminder", "breached")},
        value=_money(worth[-1].value_cents, worth[-1].currency) if worth else None,
    )
