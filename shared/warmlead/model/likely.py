"""What people write for the keys and values of a model file, and what they mean."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from warmlead.model.document import Path, Plain
from warmlead.model.vocabulary import STANDARD_PROPERTIES, STANDARD_TRAITS, ValueType

_ROOT: Path = ()


def _by_other(words: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({other: key for key, text in words.items() for other in text.split()})


_CONDITION = "if where condition filter criteria match"
_THRESHOLD = "threshold min_score score points"
_POINTS = "score value weight point"
_TITLE = "name label description"
_KEYS: Mapping[str, Mapping[str, str]] = {
    "": _by_other(
        {
            "signals": "events behavior behaviour rules actions scoring",
            "fit": "demographics firmographics profile icp",
            "stages": "stage lifecycle",
            "sequences": "nurture nurturing campaigns workflows drips",
            "inactivity": "decay",
            "suppression": "consent",
            "handoff": "sla sales promises",
            "groups": "caps limits categories",
            "bonuses": "bonus extras combinations",
            "grades": "grade",
            "base": "base_points base_score start_score initial_score",
            "floor": "minimum min_score minimum_score lowest",
            "alerts": "alert notifications hot_actions",
            "updates": "update sync mirror",
            "targets": "target goals goal kpis objectives",
            "traits": "fields attributes custom_traits",
            "properties": "custom_properties",
        }
    ),
    "signals": _by_other(
        {
            "points": _POINTS,
            "on": "event events trigger triggers",
            "when": _CONDITION,
            "per_day": "daily_limit max_per_day limit cap daily_max",
            "max_count": "max_total per_lifetime lifetime total_max times",
            "half_life": "halflife fades decays",
            "expires_after": "expires expiry expire ttl valid_for",
            "group": "category bucket",
            "title": _TITLE,
        }
    ),
    "fit": _by_other({"points": _POINTS, "when": _CONDITION, "title": _TITLE}),
    "bonuses": _by_other({"points": _POINTS, "when": _CONDITION, "title": _TITLE}),
    "alerts": _by_other(
        {
            "on": "signal signals event events trigger triggers",
            "when": _CONDITION,
            "stages": "stage",
            "again_after": "cooldown rest repeat every mute",
            "title": _TITLE,
        }
    ),
    "updates": _by_other(
        {"fields": "field attributes properties", "at_most_every": "every interval throttle"}
    ),
    "groups": _by_other({"max": "cap limit maximum at_most points", "min": "minimum floor"}),
    "inactivity": _by_other({"lose": "decay loses share", "every": "each", "after": "days"}),
    "stages": _by_other(
        {
            "enter": f"when enter_when entry start {_THRESHOLD} {_CONDITION}",
            "leave": "exit leave_when exit_when until",
            "bypass": "immediately fast_track skip",
            "title": _TITLE,
        }
    ),
    "sequences": _by_other(
        {
            "start": f"when trigger enter enroll_when {_CONDITION}",
            "stop": "end exit until stop_when unenroll_when",
            "steps": "emails mails messages",
            "hours": "schedule window office_hours",
            "again_after": "repeat repeat_after",
            "title": _TITLE,
        }
    ),
    "steps": _by_other(
        {"after": "delay wait day days", "message": "email mail template name", "when": _CONDITION}
    ),
    "hours": _by_other(
        {"from": "start begin opens", "to": "end until closes", "time_zone": "timezone tz zone"}
    ),
    "routes": _by_other({"owner": "user to assignee", "owners": "users team", "when": _CONDITION}),
    "bypass": _by_other({"signal": "on event name", "when": _CONDITION}),
    "handoff": _by_other(
        {
            "first_touch_within": "first_touch first_contact sla touch_within",
            "accept_within": "accept acceptance",
            "remind_after": "reminder",
            "hours": "business_hours office_hours working_hours schedule",
            "routes": "owners assignment routing",
        }
    ),
}


def _part_of(holder: Path) -> str:
    """Which part of the file holds the key: a section, or ``steps``, ``hours``, ``bypass`` …"""
    named = [part for part in holder if isinstance(part, str)]
    for part in ("steps", "hours", "routes", "bypass"):
        if part in named[1:]:
            return part
    return named[0] if named else ""


_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "thresholds": "each stage has its own: stages: {mql: {enter: score >= 50}}",
        "threshold": "each stage has its own: stages: {mql: {enter: score >= 50}}",
        "scores": "a model has one score: give a product line a group and a stage of its own, or "
        "run a deployment for each",
        "products": "give a product line a group and a stage of its own",
        "owners": "name them in routes: handoff: {routes: [{owner: ann}]}",
    }
)
"""What to do instead of a section that no model has."""


def advice_on(section: str) -> str:
    """What to do instead of a section that no model has; empty if nothing is known of it."""
    return _ADVICE.get(section, "")


def likely_key(holder: Path, key: str) -> str:
    """The key that is meant by one that the schema does not know; empty if that is not known."""
    return _KEYS.get(_part_of(holder), {}).get(key.lower().replace("-", "_"), "")


_NUMBER = re.compile(r"[-+]?\d+(?:\.0+)?")
_AMOUNT = re.compile(r"(\d{1,5}(?:\.\d)?)\s*([a-z]+)", re.IGNORECASE)
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10_080, "y": 525_600}
_UNITS = (
    ("minutes", "m"), ("mins", "m"), ("hours", "h"), ("hrs", "h"), ("days", "d"), ("weeks", "w"),
    ("years", "y"),
)  # fmt: skip
_MONTH = ("mo", "month", "months")
_HALF_DAY = 12
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|h|uhr)?", re.IGNORECASE)


def likely_number(given: object) -> str:
    """The whole number in a text such as ``10 points``; empty if there is not just one."""
    if isinstance(given, float):
        return str(int(given)) if given.is_integer() else ""
    found = re.findall(r"[-+]?\d+", given) if isinstance(given, str) else []
    return found[0].removeprefix("+") if len(found) == 1 and "." not in str(given) else ""


def likely_duration(given: object) -> str:
    """A duration as the file writes it, of ``2 weeks``, ``30 days`` or ``1.5h``; else empty."""
    found = _AMOUNT.fullmatch(given.strip()) if isinstance(given, str) else None
    if found is None:
        return ""
    word = found[2].lower()
    if word in _MONTH:
        return f"{round(float(found[1]) * 30)}d"
    unit = next((unit for name, unit in _UNITS if name.startswith(word)), "")
    minutes = float(found[1]) * _MINUTES.get(unit, 0)
    for letter in "dhm":
        if minutes and not minutes % _MINUTES[letter]:
            return f"{int(minutes) // _MINUTES[letter]}{letter}"
    return ""


def likely_share(given: object) -> str:
    """A percentage, of ``10`` or ``0.1``; else empty."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 100:  # noqa: PLR2004  # per cent
        return ""
    return f"{given * 100:g}%" if given < 1 else f"{given:g}%"


def likely_time(given: object) -> str:
    """A time of day, of ``9am``, ``17h`` or ``9``; else empty."""
    found = _CLOCK.fullmatch(str(given).strip()) if isinstance(given, str | int) else None
    if found is None:
        return ""
    hour, minute, half = int(found[1]), found[2] or "00", (found[3] or "").lower()
    if half in ("am", "pm"):
        hour = hour % _HALF_DAY + (_HALF_DAY if half == "pm" else 0)
    return f'"{hour:02}:{minute}"' if hour < 24 and int(minute) < 60 else ""  # noqa: PLR2004  # a clock


_USUAL_GRADES = (40, 25, 10, 0)
_SPAN = re.compile(r"(\d{1,2}(?:[:.]\d{2})?)\s*(?:-|–|to)\s*(\d{1,2}(?:[:.]\d{2})?)")


def likely_entry(path: Path, given: Plain) -> str:
    """A mapping, for the value that was written where one must stand; else empty."""
    match path, given:
        case ("groups", _), int():
            return f"{{max: {given}}}"
        case ("signals", str(name)), int():
            return f"{{on: {name}, points: {given}, half_life: 30d}}"
        case ("stages", _), str() if not set(given) & set("[]{},:"):
            return f"{{enter: {given}}}"
        case ("stages", _), int():
            return f"{{enter: score >= {given}}}"
        case ("sequences", _, "steps", int(index)), str():
            return f"{{after: {3 * index}d, message: {given}}}"
    return _likely_section(path, given)


def _likely_section(path: Path, given: Plain) -> str:
    """A section or list, for the one word that was written in its place; else empty."""
    match path, given:
        case ("updates",), True:
            return "{}"
        case ("updates", "fields"), "all":
            return "[score, grade, stage, traits, consent, owner]"
        case ("grades",), [*names] if 0 < len(names) <= len(_USUAL_GRADES):
            usual = zip(names, _USUAL_GRADES[-len(names) :], strict=True)
            return f"{{{', '.join(f'{name}: {least}' for name, least in usual)}}}"
        case ((*_, "hours"), str()) if span := _SPAN.fullmatch(given.strip()):
            begins, ends = likely_time(span[1]), likely_time(span[2])
            zone = "time_zone: Europe/Berlin"
            return (
                f"{{days: mon-fri, from: {begins}, to: {ends}, {zone}}}" if begins and ends else ""
            )
    return ""


def likely_threshold(path: Path, given: object) -> str:
    """A condition, for the bare number that was written where one must stand; else empty."""
    if isinstance(given, bool) or not isinstance(given, int) or path[:1] != ("stages",):
        return ""
    return {"enter": f"score >= {given}", "leave": f"score < {given}"}.get(str(path[-1]), "")


_RANGE = re.compile(r"(\d+)\s*(?:-|–|to|\.\.)\s*(\d+)")
_BOUND = re.compile(r"(>=|<=|>|<)\s*(\d+)|(\d+)\s*\+")


def likely_condition(trait: str, given: Plain) -> str:
    """The condition that is meant by a trait used as the key of a fit rule; else empty."""
    type_ = STANDARD_TRAITS.get(trait)
    if type_ is ValueType.INTEGER:
        return _of_number(trait, given)
    if type_ is ValueType.BOOLEAN and isinstance(given, bool):
        return trait if given else f"{trait} == false"
    if type_ is ValueType.STRING and isinstance(given, str) and '"' not in given:
        return f'{trait} == "{given}"'
    return ""


def likely_enter(key: str, given: Plain) -> str:
    """The condition that is meant by a threshold as the key of a stage; else empty."""
    number = str(given) if isinstance(given, int) else likely_number(given)
    return f"score >= {number}" if key in _THRESHOLD.split() and number else ""


def likely_property(name: str, given: Plain) -> str:
    """The condition that is meant by a property of events used as the key of a signal."""
    type_ = STANDARD_PROPERTIES.get(name)
    if type_ is ValueType.STRING and isinstance(given, str) and given and '"' not in given:
        if name == "path" and given.endswith("*"):
            return f'{name}.startsWith("{given.strip("*")}")'
        return f'{name} == "{given}"'
    return _of_number(name, given) if type_ is ValueType.INTEGER else ""


def _of_number(trait: str, given: Plain) -> str:
    if isinstance(given, int) and not isinstance(given, bool):
        return f"{trait} == {given}"
    text = given.strip() if isinstance(given, str) else ""
    if found := _RANGE.fullmatch(text):
        return f"{trait} >= {found[1]} && {trait} <= {found[2]}"
    if found := _BOUND.fullmatch(text):
        return f"{trait} {found[1]} {found[2]}" if found[1] else f"{trait} >= {found[3]}"
    return ""
