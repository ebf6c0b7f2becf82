"""What people write for the keys and values of a model file, and what they mean."""

import math
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from warmlead.domain.event import snake_case
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
            "signals": "events behavior behaviour rules actions scoring lead_scoring "
            "scoring_rules behavioral behavioral_scoring",
            "fit": "demographics demographic firmographics firmographic profile icp "
            "positive_attributes negative_attributes",
            "stages": "stage lifecycle lifecycle_stages lifecycle_stage",
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
        {
            "after": "delay wait day days",
            "message": "email mail template name subject asset content",
            "when": _CONDITION,
        }
    ),
    "hours": _by_other(
        {"from": "start begin opens", "to": "end until closes", "time_zone": "timezone tz zone"}
    ),
    "routes": _by_other(
        {
            "owner": "user to assignee assign_to assigned_to else default fallback otherwise",
            "owners": "users team round_robin rotate",
            "when": _CONDITION,
        }
    ),
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
    return _KEYS.get(_part_of(holder), {}).get(snake_case(key), "")


_AMOUNT = re.compile(r"(\d{1,5}(?:\.\d)?)\s*([a-z]+)", re.IGNORECASE)
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10_080, "y": 525_600}
_UNITS = (
    ("minutes", "m"), ("mins", "m"), ("hours", "h"), ("hrs", "h"), ("days", "d"), ("weeks", "w"),
    ("years", "y"), ("minuten", "m"), ("stunden", "h"), ("tage", "d"), ("wochen", "w"),
    ("jahre", "y"),
)  # fmt: skip
_MINUS = str.maketrans("−–—", "---")
_SHARE = re.compile(
    r"(\d{1,3}(?:[.,]\d+)?)\s*(?:%|per ?cent|prozent|pct|points?|pts)?", re.IGNORECASE
)
_TENS = ("ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_IN_WORDS = {word: str(10 * n) for n, word in enumerate(_TENS, start=1)}
_IN_WORDS |= {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "hundred": "100"}
_IN_WORDS |= {"very high": "40", "high": "20", "medium": "10", "low": "5", "none": "0"}
"""Numbers in words, and how strong signals are in words."""

_MONTH = ("mo", "month", "months", "monat", "monate")
_SPOKEN = {"minutely": "1m", "hourly": "1h", "daily": "1d", "weekly": "7d", "monthly": "30d"}
_SPOKEN |= {"hour": "1h", "day": "1d", "week": "7d", "month": "30d", "year": "365d"}
_SPOKEN |= dict.fromkeys(("now", "immediately", "realtime", "real-time", "asap", "instantly"), "1m")
_SPOKEN |= dict.fromkeys(("1 business day", "1 working day", "next business day"), "8h")
_ISO = re.compile(r"pt?(\d{1,5})([dhmwy])", re.ASCII)
_HALF_DAY = 12
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|h|uhr)?", re.IGNORECASE)


def likely_number(given: object) -> str:
    """The whole number in a text such as ``10 points``; empty if there is not just one."""
    plain = "" if isinstance(given, bool) else str(given).translate(_MINUS)
    if not isinstance(given, int | float | str):
        return ""
    if word := _IN_WORDS.get(plain.strip().lower()):
        return word
    plain = re.sub(r"\b(?:minus|negative)\s+", "-", plain, flags=re.IGNORECASE)
    found = re.findall(r"[-+]?\d+(?:[.,]\d+)*", plain)
    return _whole(found[0]) if len(found) == 1 else ""


def _whole(number: str) -> str:
    """The nearest whole number, halves up, of one with a point or a comma."""
    if re.fullmatch(r"[-+]?\d{1,3}(?:[.,]\d{3})+", number):
        return str(int(re.sub(r"[.,]", "", number)))
    try:
        return str(math.floor(float(number.replace(",", ".")) + 0.5))
    except ValueError:
        return ""


def likely_duration(given: object) -> str:
    """A duration as the file writes it, of ``2 weeks``, ``30 Tage`` or ``daily``; else empty."""
    text = given.strip().lower() if isinstance(given, str) else ""
    if text in _SPOKEN:
        return _SPOKEN[text]
    if clock := re.fullmatch(r"(\d{1,2}):(\d{2})(?::00)?", text, re.ASCII):
        return f"{int(clock[1]) * 60 + int(clock[2])}m" if int(clock[2]) else f"{int(clock[1])}h"
    first, _, rest = text.partition(" ")
    text = f"{_IN_WORDS.get(first, first)} {rest}".strip()
    text = _ISO.sub(r"\1\2", text) if _ISO.fullmatch(text) else text
    text = f"{text.split()[1]} d" if re.fullmatch(r"day \d{1,3}", text, re.ASCII) else text
    found = _AMOUNT.fullmatch(text)
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
    """A percentage, of ``10``, ``0.1``, ``12,5 %`` or ``10 percent``; else empty."""
    if isinstance(given, str) and (found := _SHARE.fullmatch(given.strip())):
        given = float(found[1].replace(",", "."))
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
        case ("groups", _), int() | str() if number := likely_number(given):
            return f"{{max: {number}}}"
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
        case ("updates" | "suppression",), True:
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
    if type_ is ValueType.STRING and isinstance(given, list) and given:
        return _one_of(trait, map(str, given))
    return ""


def _one_of(name: str, texts: Iterable[str]) -> str:
    listed = ", ".join(f'"{text}"' for text in texts)
    return f"{name} in [{listed}]"


def likely_text(path: Path, given: Plain) -> str:
    """A condition, for the list that was written where one must stand; else empty."""
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given) or not given:
        return ""
    names = [str(each) for each in given]
    if all(re.fullmatch(r"[\w-]+", name) for name in names):
        return _one_of("stage", names)
    return (" || " if path[-1] in ("stop", "leave", "goal") else " && ").join(names)


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
