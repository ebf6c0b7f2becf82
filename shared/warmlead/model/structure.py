"""A model file held to the schema, and the report of what is wrong, in words for its author."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from warmlead.domain.event import snake_case
from warmlead.model.document import (
    Finding,
    Path,
    Plain,
    Severity,
    YamlDocument,
    closest,
    did_you_mean,
    path_text,
)
from warmlead.model.likely import (
    advice_on,
    likely_condition,
    likely_duration,
    likely_enter,
    likely_entry,
    likely_key,
    likely_number,
    likely_property,
    likely_share,
    likely_threshold,
    likely_time,
)
from warmlead.model.lint.synonyms import TRAIT_SYNONYMS, code_of_country
from warmlead.model.probable import WrittenProbability
from warmlead.model.schema import (
    Alert,
    Bonus,
    Bypass,
    FitRule,
    Group,
    Handoff,
    HandoffHours,
    Hours,
    Inactivity,
    ModelFile,
    Route,
    Sequence,
    Signal,
    Stage,
    StageHandoff,
    Step,
    Suppression,
    Targets,
    Updates,
)
from warmlead.model.values import LABEL_PATTERN, OWNER_PATTERN

_MESSAGES: Mapping[str, str] = {
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "too_long": "must not have more than {max_length} entries",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
}
"""What to say of each type of pydantic's errors that needs no more than its own context."""

_FIELDS = {"points": "score", "fit": "grade", "email": "traits", "company": "traits"}
_FIELDS |= {"owners": "owner", "consent_status": "consent", "lifecycle_stage": "stage"}
"""What authors call the fields of ``updates``."""

_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def in_words(fault: ErrorDetails, keys: Iterable[str]) -> tuple[str, str]:
    """A message and a suggestion; ``keys`` are those that the schema knows at the place."""
    given, context = fault["input"], fault.get("ctx", {})
    key = str(fault["loc"][-1])
    match fault["type"]:
        case "extra_forbidden":
            cut = "" if given is not None else "quote text that has a comma: it ends the value"
            return f'unknown key "{key}"', did_you_mean(key, keys) or cut
        case "missing":
            return f'"{key}" is missing', ""
        case "value_error":
            message = fault["msg"].removeprefix("Value error, ")
            is_bare = isinstance(given, int) and "duration" in message
            meant = getattr(context.get("error"), "suggestion", "")
            return message, f"write {given}d for days" if is_bare else meant
        case "string_pattern_mismatch" if context["pattern"] == OWNER_PATTERN:
            bare = str(given).strip()
            better = f"write {bare}" if bare and bare.isprintable() else ""
            return "must be one line of up to 100 characters, without spaces around it", better
        case "string_pattern_mismatch":
            return name_fault(str(given), hyphens=context["pattern"] == LABEL_PATTERN)
    template = _MESSAGES.get(fault["type"], fault["msg"].replace("{", "{{").replace("}", "}}"))
    return template.format(**context).replace("'", '"'), _suggestion(fault["type"], given, context)


def _suggestion(type_: str, given: object, context: Mapping[str, object]) -> str:
    if type_ == "int_type" and (number := likely_number(given)):
        return f"write {number} without quotes" if given == number else f"write {number}"
    if type_ == "string_type" and isinstance(given, int | float):
        return "put it in quotes"
    if type_ == "bool_type" and (switch := _SWITCHES.get(str(given).lower())):
        return f"write {switch}"
    if type_ == "literal_error" and str(given) in _FIELDS:
        return f'did you mean "{_FIELDS[str(given)]}"?'
    if type_ == "literal_error":
        return did_you_mean(str(given), str(context["expected"]).split("'")[1::2])
    return ""


def name_fault(name: str, *, hyphens: bool) -> tuple[str, str]:
    """What to say of a name that is not written as names are."""
    also = " (or hyphens)" if hyphens else ""
    better = snake_case(name)
    return (
        f'"{name}" is not a valid name: small letters, digits and _{also}, a letter first',
        f'write "{better}"' if better and better != name else "",
    )


_ENTRIES: Mapping[str, type[BaseModel]] = {
    "signals": Signal,
    "groups": Group,
    "fit": FitRule,
    "bonuses": Bonus,
    "stages": Stage,
    "alerts": Alert,
    "sequences": Sequence,
}
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "inactivity": Inactivity,
    "handoff": Handoff,
    "suppression": Suppression,
    "updates": Updates,
    "targets": Targets,
    "probability": WrittenProbability,
}
_PARTS: Mapping[str, type[BaseModel]] = {
    "steps": Step,
    "hours": Hours,
    "bypass": Bypass,
}

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
        return not any(path[: len(bad)] == bad for bad in self.replaced)


def with_sections_named(document: YamlDocument) -> tuple[YamlDocument, list[Finding]]:
    """The document with misspelt sections under their right names, and a finding for each.

    So that everything that refers to what is in them need not be reported too.
    """
    findings = []
    given = document.value if isinstance(document.value, dict) else {}
    for key in given.keys() - ModelFile.model_fields.keys():
        lacking = [name for name in ModelFile.model_fields if name not in given]
        close = closest(key, lacking) or likely_key((), key)
        if close and close not in given:
            line, column = document.of_key((key,))
            message, suggestion = f'unknown key "{key}"', f'did you mean "{close}"?'
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
    meant = {_meant(fault["loc"][:-1], str(key), holder) for key in holder}
    return str(fault["loc"][-1]) in meant


def _meant(holder: Path, key: str, written: Mapping[str, Plain]) -> str:
    """The key that is meant by an unknown one of a mapping; empty if that is not known."""
    model = _model_at(holder)
    known = _keys_of(model) if model else {}
    if key in known:
        return ""
    if model is FitRule and _as_condition(key, written[key]):
        close = "when"
    else:
        close = likely_key(holder, key) or closest(key, known)
    return "" if close in written else close


def _as_condition(key: str, given: Plain) -> str:
    """The condition for a trait that stands as a key in a fit rule; empty if it is none."""
    trait = TRAIT_SYNONYMS.get(key, key)
    if trait == "country" and isinstance(given, str):
        given = code_of_country(given) or given
    return likely_condition(trait, given)


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
    model = _model_at(path[:-1])
    field = _keys_of(model).get(str(path[-1])) if model else None
    return field is not None and field.is_required()


def _keys_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The keys that the schema knows, as the file writes them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(path: Path) -> type[BaseModel] | None:
    """What the schema expects at a path."""
    match path:
        case ():
            return ModelFile
        case (section,):
            return _SECTIONS.get(str(section))
        case ("handoff", *within):
            return _handoff_at(within)
        case (section, _):
            return _ENTRIES.get(str(section))
        case ("stages" | "sequences", _, part, *_):
            return _PARTS.get(str(part))
    return None


def _handoff_at(within: list[str | int]) -> type[BaseModel] | None:
    match within:
        case ("routes", _) | ("stages", _, "routes", _):
            return Route
        case ("stages", _):
            return StageHandoff
        case ("hours",):
            return HandoffHours
    return None


def _finding(document: YamlDocument, fault: ErrorDetails) -> Finding:
    loc = document.written(fault["loc"])
    at_key = fault["type"] in ("extra_forbidden", "missing")
    place = document.of_key(loc) if at_key else document.of_value(loc)
    if fault["type"] == "missing":
        place = document.of_key(loc[:-1])
    model = _model_at(loc[:-1])
    message, suggestion = in_words(fault, _keys_of(model) if model else ())
    if better := _likely(document, fault, loc):
        suggestion = better
        if better.endswith(f" for {document.source(loc)}") or at_key:
            place = document.of_key(loc)
    return Finding(Severity.ERROR, place.line, place.column, path_text(loc), message, suggestion)


def _likely(document: YamlDocument, fault: ErrorDetails, loc: Path) -> str:
    """What to write for what people often write; empty if nothing is known of it."""
    given, type_ = fault["input"], fault["type"]
    if type_ == "extra_forbidden":
        return _likely_key(document, loc, given)
    found = ""
    if type_ == "literal_error" and loc[0] == "signals" and loc[-1] == "decay":
        length = likely_duration(given)
        found = f"half_life: {length} for {document.source(loc)}" if length else ""
    elif type_ == "value_error":
        told = str(fault["msg"])
        likely = {"duration": likely_duration, "share": likely_share, "time of": likely_time}
        found = next((guess(given) for word, guess in likely.items() if word in told), "")
    elif type_ == "string_type":
        found = likely_threshold(loc, given)
        if loc[-1] == "owner" and isinstance(given, list):
            source = document.source(loc)
            found = f"{source.replace('owner', 'owners', 1)} for {source}"
    elif type_ in ("model_type", "dict_type", "list_type"):
        found = likely_entry(loc, given)
        if found and isinstance(given, list):
            found = f"{loc[-1]}: {found} for {document.source(loc)}"
    return f"write {found}" if found else ""


def _likely_key(document: YamlDocument, loc: Path, given: Plain) -> str:
    """What to write for a key that the schema does not know; empty if nothing is known of it."""
    key, holder, source = str(loc[-1]), document.siblings(loc), document.source(loc)
    if loc[0] == "signals" and key in ("once", "once_ever") and given is True:
        return f"write max_count: 1 for {source}"
    if len(loc) == 3 and loc[0] == "signals" and key in ("max", "min") and "group" not in holder:  # noqa: PLR2004  # a key of a signal
        name = loc[1]
        return f"write group: {name} for {source}, and add to groups: {name}: {{{key}: {given}}}"
    if asked := _condition_for(loc[0], key, given, holder):
        return f"write {asked} for {source}"
    meant = _meant(loc[:-1], key, holder)
    if meant:
        return f'did you mean "{meant}"?'
    return advice_on(key) if len(loc) == 1 else ""


def _condition_for(section: str | int, key: str, given: Plain, holder: Mapping[str, Plain]) -> str:
    """The condition that is meant by a property, a trait or a threshold as a key, with its key."""
    wanted = "enter" if section == "stages" else "when"
    asking = {"signals": likely_property, "stages": likely_enter, "fit": _as_condition}
    ask = asking.get(str(section))
    asked = ask(key, given) if ask and wanted not in holder else ""
    return f"{wanted}: {asked}" if asked else ""


class Report:
    """Collects findings with their places, and leaves out what is only about a stand-in.

    ``path`` names a value of the file; ``at`` is the index of a character of its text.
    """

    def __init__(self, document: YamlDocument, sound: Sound) -> None:
        self._document = document
        self._sound = sound
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
        return not any(bad[: len(path)] == path for bad in self._sound.replaced)

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
