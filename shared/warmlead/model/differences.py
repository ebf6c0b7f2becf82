"""What a model says otherwise than another one, part by part, as people write it.

Compares plans, because a deployed function has no file of its model. What a plan derives from the
rest of the model is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs

from warmlead.domain.stages import is_signed_only
from warmlead.model.condition_syntax import CONDITIONS, canonical
from warmlead.model.plan import Plan

Change: TypeAlias = Literal["added", "removed", "changed"]

Item: TypeAlias = dict[str, str]
"""What a part of a model says, by the words for it; what it leaves to the default is not in it."""

Sections: TypeAlias = dict[str, dict[str, Item]]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORDS = {
    "half_life_days": "half-life in days",
    "expires_after_days": "expires after days",
    "max_count": "counted in all",
    "lose_ppm": "loses, in millionths",
    "after_days": "after days",
    "every_days": "every days",
    "weekdays": "days",
    "bypass_when": "bypass when",
}
ORDER = "order"


class Difference(Struct, frozen=True):
    """One thing that is otherwise: ``before`` in the first model, ``after`` in the second.

    ``what`` is empty if the whole ``name`` was ``added`` or ``removed``: then ``before`` or
    ``after`` says all of it in one line. ``name`` is empty where a section has one part.
    """

    section: str
    name: str
    change: Change
    what: str = ""
    before: str = ""
    after: str = ""


def differences(old: Plan, new: Plan) -> list[Difference]:
    """All that is otherwise in the new model, section by section; none if both do the same.

    If this is empty and the versions differ, titles differ that a plan does not hold: those of
    sequences.
    """
    before, after = _sections(old, new), _sections(new, old)
    return [
        each for section in before for each in _of_section(section, before[section], after[section])
    ]


def kept_otherwise(old: Plan, new: Plan) -> list[str]:
    """What the new model counts in other events, or for longer, than the old one did.

    What the leads keep does not know these rightly until the archive is replayed.
    """
    return sorted({name for mark, name in new.marks.items() if mark not in old.marks})


def _of_section(
    section: str, before: Mapping[str, Item], after: Mapping[str, Item]
) -> Iterator[Difference]:
    for name in [*before, *(name for name in after if name not in before)]:
        was, is_ = before.get(name), after.get(name)
        if was is None:
            yield Difference(section, name, "added", after=_line(is_ or {}))
        elif is_ is None:
            yield Difference(section, name, "removed", before=_line(was))
        else:
            for what in [*was, *(what for what in is_ if what not in was)]:
                told, now = was.get(what, ""), is_.get(what, "")
                if _plain(what, told) != _plain(what, now):
                    yield Difference(section, name, "changed", what, told, now)
    kept, same = ([name for name in one if name in other] for one, other in _pair(before, after))
    if section in _ORDERED and kept != same:
        yield Difference(section, "", "changed", ORDER, ", ".join(kept), ", ".join(same))


def _pair(
    before: Mapping[str, Item], after: Mapping[str, Item]
) -> tuple[tuple[Mapping[str, Item], Mapping[str, Item]], ...]:
    return (before, after), (after, before)


def _plain(what: str, text: str) -> str:
    return text if CONDITIONS.isdisjoint(what.split()) else canonical(text)


def _line(item: Item) -> str:
    return "; ".join(f"{what}: {text}" if text != YES else what for what, text in item.items())


_ORDERED = ("Stages", "Sequences")


def _sections(plan: Plan, other: Plan) -> Sections:
    """What a plan says; of what it derives only what the other one has by the same name."""
    scoring = plan.scoring
    signals = {
        name: {**_item(plan.signals[name]), **_item(policy), **_shown(name, plan)}
        for name, policy in scoring.signals.items()
        if name in plan.signals and not is_signed_only(name)
    }
    whole = {
        "base": scoring.base,
        "floor": "none" if scoring.floor is None else scoring.floor,
        "inactivity": scoring.inactivity,
        "grades": {each.name: each.least for each in scoring.grades},
        "acts within": plan.acts_within,
        "robots count": plan.robots_count,
        "no sign of life": scoring.passive,
    }
    return {
        "Signals": _titled(signals, plan),
        "Groups": _titled(_items(scoring.groups), plan),
        "Fit": _titled(_items(plan.fit), plan),
        "Bonuses": _titled(_items(plan.bonuses), plan),
        "Stages": _titled(_items({each.name: each for each in plan.stages}), plan),
        "Sequences": _items({each.name: each for each in plan.sequences}),
        "Handoff": _of_one(_without_old_holidays(plan, other)),
        "Alerts": _items({each.name: each for each in plan.alerts}),
        "Updates": _of_one(_item(plan.updates)) if plan.updates else {},
        "Consent": _of_one(_item(plan.suppression)),
        "Score": _of_one(_item(whole)),
        "Types": _types(plan, other),
    }


def _shown(name: str, plan: Plan) -> Item:
    """What the journey of a lead shows of a signal, if it shows the signal at all."""
    if name not in plan.shown:
        return {}
    return {"shown in journeys": ", ".join(plan.shown[name]) or YES}


def _of_one(item: Item) -> dict[str, Item]:
    return {"": item} if item else {}


def _items(parts: Mapping[str, object]) -> dict[str, Item]:
    return {name: _item(part) for name, part in parts.items()}


def _titled(items: dict[str, Item], plan: Plan) -> dict[str, Item]:
    titles = plan.titles
    return {
        name: {**item, **({"title": titles[name]} if name in titles else {})}
        for name, item in items.items()
    }


def _types(plan: Plan, other: Plan) -> dict[str, Item]:
    """The types of traits, and of those properties that conditions of both models name."""
    found = {name: {"type": str(type_)} for name, type_ in sorted(plan.trait_types.items())}
    for name in sorted({*plan.event_types} & {*other.event_types}):
        found.setdefault(name, {"type": str(plan.event_types[name])})
    return found


def _without_old_holidays(plan: Plan, other: Plan) -> Item:
    """The promises; of the dates of holidays those that both models would know."""
    if plan.handoff is None:
        return {}
    item = _item(plan.handoff)
    known = [each.holidays_until for each in (plan, other) if each.holidays_until]
    last = str(min(known)) if known else ""
    for what, text in list(item.items()):
        if what.endswith("holidays") and last:
            item[what] = ", ".join(day for day in text.split(", ") if day <= last)
    return {what: text for what, text in item.items() if text}


YES = "yes"


def _item(part: object) -> Item:
    """A part as words and texts; what holds other things is written with theirs behind its own."""
    return {what: text for what, text in _flat("", part) if what != "name"}


def _flat(what: str, part: object) -> Iterator[tuple[str, str]]:
    inner = _inside(part)
    if inner is None:
        if part not in (None, "", False):
            yield what, _text(part)
        return
    for name, each in inner.items():
        yield from _flat(f"{what} {name}".strip(), each)


def _inside(part: object) -> Mapping[str, object] | None:
    """The parts of a part, by their words; ``None`` if it has none."""
    if isinstance(part, Struct):
        return {_WORDS.get(n, n.replace("_", " ")): v for n, v in structs.asdict(part).items()}
    if is_dataclass(part):
        named = {each.name: getattr(part, each.name) for each in fields(part)}
        return {_WORDS.get(n, n.replace("_", " ")): v for n, v in named.items()}
    if isinstance(part, Mapping):
        return {str(name): "none" if each is None else each for name, each in part.items()}
    if isinstance(part, tuple) and any(_inside(each) is not None for each in part):
        return {str(number): each for number, each in enumerate(part, start=1)}
    return None


def _text(value: object) -> str:
    for kind, written in _WRITTEN.items():
        if isinstance(value, kind):
            return written(value)
    return str(value)


def _of_set(values: AbstractSet[object]) -> list[str]:
    """The members in order; of numbers, which are weekdays, their names."""
    numbers = sorted(each for each in values if isinstance(each, int))
    return [_DAYS[each] for each in numbers] if numbers else sorted(map(_text, values))


def _duration(length: timedelta) -> str:
    """A length of time as models write it: ``30d``, ``36h``, ``90m``."""
    seconds = round(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


_WRITTEN: Mapping[type, Callable[[Any], str]] = {
    bool: lambda _: YES,  # what is not so is left out
    Enum: lambda value: str(value.value),
    timedelta: _duration,
    time: lambda value: "24:00" if value == time.max else f"{value:%H:%M}",
    date: str,
    float: lambda value: f"{value:g}",
    AbstractSet: lambda values: ", ".join(_of_set(values)),
    tuple: lambda values: ", ".join(map(_text, values)),
}
