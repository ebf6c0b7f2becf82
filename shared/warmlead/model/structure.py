"""A model file held to the schema, and the report of what is wrong, in words for its author."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from warmlead.domain.event import snake_case
from warmlead.model.advice import (
    in_words,
    keys_of,
    likely_value,
    meant_key,
    model_at,
)
from warmlead.model.document import (
    Finding,
    Path,
    Plain,
    Severity,
    YamlDocument,
    closest,
    path_text,
)
from warmlead.model.likely import (
    likely_key,
)
from warmlead.model.schema import (
    ModelFile,
)

_STAND_INS: Mapping[str, Plain] = {
    "on": "stand_in",
    "points": 0,
    "when": "true",
    "after": "1d",
    "lose": "1%",
    "every": "1d",
    "enter": "true",
    "start": "true",
    "stop": "true",
    "steps": [],
    "message": "stand-in",
    "first_touch_within": "1h",
    "accept_within": "1h",
    "from": "00:00",
    "to": "24:00",
    "time_zone": "UTC",
    "signals": {"stand_in": {"on": "stand_in", "points": 0, "decay": "never"}},
}
"""What takes the place of a faulty value that the schema requires."""

_ENTRY_STAND_INS: Mapping[str, Plain] = {
    "signals": {"on": "stand_in", "points": 0, "decay": "never"},
    "groups": {},
    "fit": {"when": "true", "points": 0},
    "bonuses": {"when": "true", "points": 0},
    "stages": {"enter": "true"},
    "alerts": {"on": "stand_in"},
    "sequences": {"start": "true", "stop": "true", "steps": []},
    "grades": 0,
    "traits": "string",
    "properties": "string",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """The file as far as it is sound. Nothing at or under a ``replaced`` path is the author's."""

    file: ModelFile
    replaced: frozenset[Path]
    findings: tuple[Finding, ...]

    def is_whole(self, *sections: str) -> bool:
        """Whether nothing in these sections had to be replaced: their sums can be trusted."""
        return not any(path[0] in sections for path in self.replaced)

    def is_own(self, path: Path) -> bool:
        """Whether the value at a path is what the author wrote."""
        return not any(path[:n] in self.replaced for n in range(len(path) + 1))


def with_sections_named(document: YamlDocument) -> tuple[YamlDocument, list[Finding]]:
    """The document with misspelt sections under their right names, and a finding for each.

    So that everything that refers to what is in them need not be reported too.
    """
    findings = []
    given = document.value if isinstance(document.value, dict) else {}
    for key in given.keys() - ModelFile.model_fields.keys():
        lacking = [name for name in ModelFile.model_fields if name not in given]
        close = closest(snake_case(key), lacking) or likely_key((), key)
        if close and close not in given:
            line, column = document.of_key((key,))
            message = f'unknown key "{key}"'
            suggestion = f"write {close} for {key}" if " " in key else f'did you mean "{close}"?'
            findings.append(Finding(Severity.ERROR, line, column, key, message, suggestion))
            document = document.renamed(key, close)
            given = document.value if isinstance(document.value, dict) else {}
    return document, findings


def hold_to_schema(document: YamlDocument) -> Sound:
    """The model in the document, with a finding for everything that the schema does not allow."""
    value = copy.deepcopy(document.value) if isinstance(document.value, dict) else {}
    replaced: set[Path] = set()
    findings: list[Finding] = []
    while True:
        try:
            return Sound(ModelFile.model_validate(value), frozenset(replaced), tuple(findings))
        except ValidationError as error:
            told = error.errors(include_url=False)
            for fault in told:
                path = _cut(fault["loc"])
                if _is_misnamed(value, fault):
                    continue
                if path not in replaced or _is_inside_list(fault["loc"]):
                    findings.append(_finding(document, fault))
            for path in (_cut(fault["loc"]) for fault in told):
                replaced.add(path)
                _mend(value, path)


def _is_misnamed(value: Mapping[str, Any], fault: ErrorDetails) -> bool:
    """Whether a key is missing because it stands there under another name, which is reported."""
    if fault["type"] != "missing":
        return False
    holder: Any = value
    for part in fault["loc"][:-1]:
        holder = holder[part]
    meant = {meant_key(fault["loc"][:-1], str(key), holder) for key in holder}
    return str(fault["loc"][-1]) in meant


def _is_inside_list(loc: Path) -> bool:
    return any(isinstance(part, int) for part in loc)


def _cut(loc: Path) -> Path:
    """The path down to the first list: a list with a fault is replaced as a whole.

    So is what calibration writes: half of it means nothing.
    """
    if loc[0] == "probability":
        return loc[:1]
    for i, part in enumerate(loc):
        if isinstance(part, int):
            return loc[:i]
    return loc


def _mend(value: dict[str, Any], path: Path) -> None:
    """Takes the faulty value out, and puts a stand-in where the schema requires something."""
    *above, key = path
    holder: Any = value
    for part in above:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        return  # what holds it has been replaced already
    holder.pop(key, None)
    if len(above) == 1 and above[0] in _ENTRY_STAND_INS:
        holder[key] = copy.deepcopy(_ENTRY_STAND_INS[str(above[0])])
    elif _is_required(path):
        holder[key] = copy.deepcopy(_STAND_INS[str(key)])


def _is_required(path: Path) -> bool:
    model = model_at(path[:-1])
    field = keys_of(model).get(str(path[-1])) if model else None
    return field is not None and field.is_required()


def _finding(document: YamlDocument, fault: ErrorDetails) -> Finding:
    loc = document.written(fault["loc"])
    at_key = fault["type"] in ("extra_forbidden", "missing")
    place = document.of_key(loc) if at_key else document.of_value(loc)
    if fault["type"] == "missing":
        place = document.of_key(loc[:-1])
    model = model_at(loc[:-1])
    message, suggestion = in_words(fault, keys_of(model) if model else ())
    if better := likely_value(document, fault, loc):
        suggestion = better
        if better.endswith(f" for {document.source(loc)}") or at_key:
            place = document.of_key(loc)
        if at_key and better.endswith(f",{loc[-1]}"):  # the number begins before it
            place = document.of_key((*loc[:-1], better.split()[1].rstrip(":")))
    return Finding(Severity.ERROR, place.line, place.column, path_text(loc), message, suggestion)


class Report:
    """Collects findings with their places, and leaves out what is only about a stand-in.

    ``path`` names a value of the file; ``at`` is the index of a character of its text.
    """

    def __init__(self, document: YamlDocument, sound: Sound) -> None:
        self._document = document
        self._sound = sound
        self._touched = {bad[:n] for bad in sound.replaced for n in range(len(bad) + 1)}
        self._findings: list[Finding] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, in the order of finding."""
        return tuple(self._findings)

    def error(
        self,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        at: int | None = None,
        key: bool = False,
    ) -> None:
        """A fault: at the value, at a character within it, or at its key."""
        self._add(Severity.ERROR, path, message, suggestion, at, key=key)

    def warn(
        self,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        at: int | None = None,
        key: bool = False,
    ) -> None:
        """A doubt: at the value, at a character within it, or at its key."""
        self._add(Severity.WARNING, path, message, suggestion, at, key=key)

    def is_untouched(self, path: Path) -> bool:
        """Whether nothing within the value has been found wrong before."""
        return path not in self._touched

    def in_quotes(self, path: Path, mended: str) -> str:
        """What to write for a whole text value, if the mended one needs quotes; else empty."""
        return self._document.in_quotes(self._document.written(path), mended)

    def note(
        self,
        path: Path,
        message: str,
        suggestion: str = "",
        *,
        at: int | None = None,
        key: bool = False,
    ) -> None:
        """What is worth knowing: at the value, at a character within it, or at its key."""
        self._add(Severity.NOTE, path, message, suggestion, at, key=key)

    def _add(
        self,
        severity: Severity,
        path: Path,
        message: str,
        suggestion: str,
        at: int | None,
        *,
        key: bool,
    ) -> None:
        if not self._sound.is_own(path):
            return
        path = self._document.written(path)
        if key:
            place = self._document.of_key(path)
        elif at is None:
            place = self._document.of_value(path)
        else:
            place = self._document.inside(path, at)
        text = path_text(path)
        self._findings.append(
            Finding(severity, place.line, place.column, text, message, suggestion)
        )
