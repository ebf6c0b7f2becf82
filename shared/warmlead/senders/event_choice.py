"""How a settings file names events: what YAML makes of it, and its faults, each with its place."""

import re
from collections.abc import Iterator
from typing import Any

from warmlead.settings import SettingFault

EVENT_NAME = r"\A[a-z][a-z0-9_]{0,63}\Z"

_NAME = re.compile(EVENT_NAME)
_RULE = "must be an event's name: small letters, digits and _, a letter first"
_SWITCHES = {True: ("true", "yes", "on"), False: ("false", "no", "off")}
"""The words that YAML reads as a truth value; which of them stood there is not known."""


def with_texts(section: object) -> object:
    """A section with the values of its choices as texts: YAML reads ``Yes`` and ``10`` otherwise.

    An answer that is in quotes in the file goes before what an unquoted one may stand for.
    """
    if not isinstance(section, dict):
        return section
    made = dict(section)
    if isinstance(section.get("event"), dict):
        made["event"] = _with_text_values(section["event"])
    if isinstance(section.get("forms"), dict):
        made["forms"] = {str(name): with_texts(one) for name, one in section["forms"].items()}
    return made


def _with_text_values(choice: dict[Any, Any]) -> dict[Any, Any]:
    given = choice.get("map")
    if not isinstance(given, dict):
        return choice
    names: dict[str, Any] = {}
    for value, name in given.items():
        if isinstance(value, bool):
            names |= {word: name for word in _SWITCHES[value] if word not in given}
        else:
            names["" if value is None else str(value)] = name
    return {**choice, "map": names}


def faults_of_events(section: object, where: tuple[str, ...]) -> Iterator[SettingFault]:
    """What is wrong with the names of events in a section, and in each of its ``forms``."""
    if not isinstance(section, dict):
        return
    if "event" in section:
        yield from _faults_of_event(section["event"], (*where, "event"))
    yield from _faults_of_names(section.get("events"), (*where, "events"))
    forms = section.get("forms")
    for name, one in forms.items() if isinstance(forms, dict) else ():
        yield from faults_of_events(one, (*where, "forms", str(name)))


def _faults_of_event(event: object, where: tuple[str, ...]) -> Iterator[SettingFault]:
    if not isinstance(event, dict):
        if not _is_name(event):
            yield SettingFault(where, f"{_RULE}; or have from, map and otherwise")
        return
    if "otherwise" in event:
        yield from _faults_of_names({"otherwise": event["otherwise"]}, where)
    names = event.get("map")
    yield from _faults_of_names(names, (*where, "map"))
    seen: set[str] = set()
    for value in names if isinstance(names, dict) else ():
        if (same := plain(value)) in seen:
            yield SettingFault((*where, "map", str(value)), "is there twice; case does not count")
        seen.add(same)


def _faults_of_names(names: object, where: tuple[str, ...]) -> Iterator[SettingFault]:
    for said, name in names.items() if isinstance(names, dict) else ():
        if name is not None and not _is_name(name):
            yield SettingFault((*where, str(said)), f"{_RULE}; or null")


def _is_name(given: object) -> bool:
    return isinstance(given, str) and _NAME.match(given) is not None


MAX_VALUE = 1_000
"""The characters of an answer, and of a value in the file, that are compared."""


def plain(value: object) -> str:
    """An answer as it is compared: without case, and without blanks around it."""
    return "" if value is None else str(value)[:MAX_VALUE].strip().casefold()
