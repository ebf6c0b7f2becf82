"""A played story as data of a stable shape: each day, and what came about in words."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any

from pydantic import JsonValue

from warmlead.application.explain import Shape
from warmlead.domain.event import Event
from warmlead.domain.money import DECIMALS
from warmlead.domain.move_order import moved_back
from warmlead.domain.nurture import Ending
from warmlead.domain.rules import Rules
from warmlead.domain.sales import DETAILS, EVENT_PREFIX
from warmlead.domain.stages import MODEL, Transition
from warmlead.messages.wording import done
from warmlead.ports import Message
from warmlead.simulation.play import Scene, SequenceChange, Story

_MOVE = ("from_stage", "to_stage", "cycle", "reason", "score", "fit", "hours_in_stage", "source")
_TIMES = {1: "", 2: " (2nd time)", 3: " (3rd time)"}


class LineKind(StrEnum):
    """The kind of a line."""

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
    """A UTC day, and the lead at its end; ``score`` is null while nobody knew of it.

    The score is the sum of ``engagement``, ``fit``, ``base`` and what the ``floor`` adds.
    """

    day: int
    date: date
    score: int | None
    engagement: int | None
    fit: int | None
    base: int | None
    floor: int | None
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
    alerts: dict[str, int]
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
            date=day.day.date(),
            score=day.day_score.score if day.day_score else None,
            engagement=day.day_score.engagement if day.day_score else None,
            fit=day.day_score.fit if day.day_score else None,
            base=day.day_score.base if day.day_score else None,
            floor=day.day_score.floor if day.day_score else None,
            stage=day.day_score.stage if day.day_score else None,
            lines=[
                line
                for scene in story.scenes
                if scene.at.date() == day.day.date()
                for line in _lines(scene, rules)
            ],
        )
        for number, day in enumerate(story.days, start=1)
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
    finished = [each for each in scene.sequence_changes if each.ending == Ending.FINISHED]
    for change in scene.sequence_changes:
        if change not in finished:
            yield _sequence_change(scene.at, change)
    for topic, message in scene.sent:
        yield _sent(scene.at, topic, message)
    for change in finished:  # with the last message
        yield _sequence_change(scene.at, change)


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
        text = said + _late(event.occurred_at, scene.at)
        return Line(at=scene.at, kind=LineKind.SAID, text=text, data=data)
    details = [str(each) for each in event.properties.values() if isinstance(each, str | int)]
    words = " ".join([event.name, *details, *([f"×{times}"] if times > 1 else [])])
    words += _late(event.occurred_at, scene.at)
    return Line(
        at=scene.at,
        kind=LineKind.DID,
        text=words if signals or event.traits else f"{words} (no signal)",
        data=data,
    )


def _late(at: datetime, learnt_at: datetime) -> str:
    """When it was so, if it is learnt on a later day."""
    return f", on {at.day} {at:%b %H:%M}" if at.date() < learnt_at.date() else ""


def _said(event: Event) -> str:
    """What sales stated, as a sentence; empty for other events."""
    if not event.name.startswith(EVENT_PREFIX):
        return ""
    said = f"sales: {event.name.removeprefix(EVENT_PREFIX)}"
    if reason := event.properties.get("reason"):
        said += f" ({str(reason).replace('_', ' ')})"
    told = (f"{name} {event.properties[name]}" for name in DETAILS if name in event.properties)
    if details := ", ".join(told):
        said += f", {details}"
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
    data["effective_at"] = move.at.isoformat()
    why = "" if move.source != MODEL else f": {move.reason}"
    since = f"{again} since {move.at.day} {move.at:%b}" if move.is_late else again
    return Line(at=at, kind=LineKind.MOVED, text=f"{move.to_stage}{since}{why}", data=data)


def _sequence_change(at: datetime, change: SequenceChange) -> Line:
    what = f"{change.sequence} ends: {change.ending}" if change.ending else ""
    return Line(
        at=at,
        kind=LineKind.SEQUENCE,
        text=what or f"{change.sequence} begins",
        data={"sequence": change.sequence, "run": change.run, "ending": change.ending},
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
        case "lead.alerted" | "lead.updated":
            return _of_lead(data, owner)
        case "handoff.offered":
            before = data.get("supersedes")
            return f"offered to {owner}" + (f", in place of offer {before}" if before else "")
        case "handoff.reminder":
            return f"{owner} is reminded"
        case "handoff.breached":
            return f"{owner} broke its promise: {data['promise'].replace('_', ' ')}"
    return f"stage entered: {data['stage']}"


def _of_lead(data: dict[str, Any], owner: str) -> str:
    """What an alert or an update says."""
    if "acts" in data:
        return f"alert to {owner}: {done(data['acts'])}"
    return f"updated: {', '.join(data['changed'])}"


def _short(kind: str) -> str:
    return kind.removeprefix("warmlead.").rpartition(".v")[0]


def _summary(story: Story, rules: Rules) -> Summary:
    moves = [move for scene in story.scenes for move in scene.moves]
    entered = Counter(move.to_stage for move in moves)
    sent = [message for scene in story.scenes for _, message in scene.sent]
    kinds = Counter(_short(message.attributes["type"]) for message in sent)
    scores = [scene.day_score for scene in story.scenes]
    scores += [day.day_score for day in story.days if day.day_score]
    statements = story.lead.statements if story.lead else []
    valued = [each for each in statements if each.value_cents is not None]
    return Summary(
        highest_score=max((each.score for each in scores), default=0),
        stages=[*(move.from_stage for move in moves[:1]), *(move.to_stage for move in moves)],
        entered=dict(entered),
        again={stage: count - 1 for stage, count in entered.items() if count > 1},
        moved_back=moved_back(moves, rules.stage_order),
        messages=dict(
            Counter(m.attributes["sequence"] for m in sent if "sequence" in m.attributes)
        ),
        alerts=dict(Counter(m.attributes["alert"] for m in sent if "alert" in m.attributes)),
        sales={each: kinds[f"handoff.{each}"] for each in ("offered", "reminder", "breached")},
        value=_money(valued[-1].value_cents, valued[-1].currency) if valued else None,
    )


def together(days: Sequence[DayRow]) -> Iterator[list[DayRow]]:
    """Each day on which something came about by itself, and those between them together."""
    for _, rows in groupby(days, key=lambda row: row.day if row.lines else 0):
        yield list(rows)


def in_words(summary: Summary) -> Iterator[tuple[str, str]]:
    """The sums, each under a heading; an empty one goes on with the heading before."""
    sales = summary.sales
    yield "score", f"{summary.highest_score} at most"
    yield "stages", " → ".join(summary.stages) or "none was entered"
    if summary.moved_back:
        again = [f"{stage} again {_times(count)}" for stage, count in summary.again.items()]
        yield "", ", ".join([f"moved back {_times(summary.moved_back)}", *again])
    sent = [f"{count} of {name}" for name, count in summary.messages.items()]
    yield "messages", ", ".join(sent) or "none"
    if sales["offered"]:
        broken = f"{sales['breached']} promise" + ("" if sales["breached"] == 1 else "s")
        told = f"offered {_times(sales['offered'])}, reminded {_times(sales['reminder'])}"
        yield "sales", f"{told}, {broken} broken"
    if summary.alerts:
        yield "alerts", ", ".join(f"{name} {_times(n)}" for name, n in summary.alerts.items())
    if summary.value:
        yield "value", summary.value


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
