"""What to say of what the schema does not allow, in words for the author, and what to write."""

import re
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as SequenceOf
from types import MappingProxyType

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from warmlead.domain.event import snake_case
from warmlead.model.document import (
    Path,
    Plain,
    YamlDocument,
    closest,
    did_you_mean,
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
    likely_text,
    likely_threshold,
    likely_time,
)
from warmlead.model.lint.synonyms import TRAIT_SYNONYMS, code_of_country, stage_meant
from warmlead.model.misread import quoted, without_blank
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
from warmlead.model.values import LABEL_PATTERN, LONGEST_NAME, OWNER_PATTERN
from warmlead.model.vocabulary import STAGE_NAMES

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


_WORDS: Mapping[str, SequenceOf[str]] = MappingProxyType(
    {
        other: meant.split()
        for meant, others in {
            "score": "points lead_score",
            "grade": "fit",
            "traits": "email company",
            "owner": "owners lead_owner",
            "consent": "consent_status",
            "stage": "lifecycle_stage lead_status",
            "string": "text str varchar dropdown picklist enum select date datetime url phone",
            "integer": "int whole currency percent",
            "number": "float decimal double numeric",
            "boolean": "bool checkbox yes_no flag",
            "list": "array multiselect multi_select checkboxes",
            "anyone signed": "true yes on any everyone",
            "never": "false no off",
        }.items()
        for other in others.split()
    }
)
"""What authors call the words that stand in ``updates``, for types, and for whose word counts."""

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
            return message, f"write {given}d" if is_bare else meant
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
    if type_ == "literal_error":
        return _one_of(given, str(context["expected"]).split("'")[1::2])
    return ""


def _one_of(given: object, allowed: SequenceOf[str]) -> str:
    """Which of the words that are allowed is meant."""
    said = snake_case(str(given))
    meant = next((word for word in _WORDS.get(said, ()) if word in allowed), "")
    meant = meant or (allowed[0] if len(allowed) == 1 else "") or closest(said, allowed)
    if not meant:
        return ""
    is_word = isinstance(given, str) and re.fullmatch(r"[\w.-]+", given)
    return f'did you mean "{meant}"?' if is_word else f"write {meant}"


def name_fault(name: str, *, hyphens: bool) -> tuple[str, str]:
    """What to say of a name that is not written as names are."""
    also = " (or hyphens)" if hyphens else ""
    better = snake_case(name)[:LONGEST_NAME].strip("_")
    if re.match(LABEL_PATTERN, name[:1]) and len(name) > LONGEST_NAME:
        told = f"is longer than {LONGEST_NAME} characters"
        return f'"{name[:20]}…" {told}', f"write {better}"
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


def meant_key(holder: Path, key: str, written: Mapping[str, Plain]) -> str:
    """The key that is meant by an unknown one of a mapping; empty if that is not known."""
    model = model_at(holder)
    known = keys_of(model) if model else {}
    if key in known:
        return ""
    if model is FitRule and _as_condition(key, written[key]):
        close = "when"
    else:
        close = likely_key(holder, key) or closest(snake_case(key), known)
    return "" if close in written else close


def _as_condition(key: str, given: Plain) -> str:
    """The condition for a trait that stands as a key in a fit rule; empty if it is none."""
    trait = TRAIT_SYNONYMS.get(snake_case(key), snake_case(key))
    if trait == "country" and isinstance(given, str):
        given = code_of_country(given) or given
    if trait == "country" and isinstance(given, list):
        given = [code_of_country(str(each)) or each for each in given]
    return likely_condition(trait, given)


def keys_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The keys that the schema knows, as the file writes them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def model_at(path: Path) -> type[BaseModel] | None:
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


def likely_value(document: YamlDocument, fault: ErrorDetails, loc: Path) -> str:
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
        if given == "never" and loc[0] == "signals" and "duration" in told:
            return f"write decay: never for {document.source(loc)}"
        likely = {"duration": likely_duration, "share": likely_share, "time of": likely_time}
        found = next((guess(given) for word, guess in likely.items() if word in told), "")
    elif type_ == "string_type":
        found = likely_threshold(loc, given)
        if loc[-1] == "owner" and isinstance(given, list):
            source = document.source(loc)
            found = f"{source.replace('owner', 'owners', 1)} for {source}"
        elif asked := likely_text(loc, given):
            source = document.source(loc)
            found = f"{loc[-1]}: {asked} for {source}"
    elif type_ in ("model_type", "dict_type", "list_type"):
        found = likely_entry(loc, given)
        if found and isinstance(given, list):
            found = f"{loc[-1]}: {found} for {document.source(loc)}"
    found = found or _likely_of_its_section(loc, type_, given)
    return f"write {found}" if found else ""


def _likely_of_its_section(loc: Path, type_: str, given: object) -> str:
    """What to write for a grade's range, for owners in one text, for what a CRM calls a stage."""
    if not isinstance(given, str):
        return ""
    if type_ == "int_type" and loc[0] == "grades":
        return likely_number(given.split("-")[0])
    if type_ == "list_type" and loc[-1] == "owners":
        return f"[{given}]"
    if type_ == "string_pattern_mismatch" and "stages" in loc:
        return f"{stage_meant(given, ('mql', *STAGE_NAMES)) or snake_case(given)} for {given}"
    return ""


def _likely_key(document: YamlDocument, loc: Path, given: Plain) -> str:
    """What to write for a key that the schema does not know; empty if nothing is known of it."""
    key, holder, source = str(loc[-1]), document.siblings(loc), document.source(loc)
    if better := _cut_short(document, loc, given):
        return better
    if loc[0] == "signals" and key in ("once", "once_ever") and given is True:
        return f"write max_count: 1 for {source}"
    if len(loc) == 3 and loc[0] == "signals" and key in ("max", "min") and "group" not in holder:  # noqa: PLR2004  # a key of a signal
        name = loc[1]
        return f"write group: {name} for {source}, and add to groups: {name}: {{{key}: {given}}}"
    if asked := _condition_for(loc[0], key, given, holder):
        return f"write {asked} for {source}"
    meant = meant_key(loc[:-1], key, holder)
    if meant:
        return f'did you mean "{meant}"?' if " " not in key else f"write {meant} for {key}"
    return advice_on(key) if len(loc) == 1 else ""


_NEAR = 100
_SPLIT_NUMBER = re.compile(r"([a-z_]+):[ ]?(-?\d+),\Z")
"""The key and the first half of a number, in front of its second half."""


def _cut_short(document: YamlDocument, loc: Path, given: Plain) -> str:
    """What to write for ``{points:40}``, and for a decimal comma: ``{points: 12,5}``.

    YAML takes the whole of the first, and the end of the second, for a key.
    """
    if given is None and ":" in str(loc[-1]):
        return f"write {without_blank(str(loc[-1]))} for {loc[-1]}"
    if not str(loc[-1]).isdigit():
        return ""
    found = _SPLIT_NUMBER.search(document.before(loc, _NEAR))
    if found is None:
        return ""
    written = f"{found[0].rstrip()}{loc[-1]}"
    return f"write {found[1]}: {likely_number(f'{found[2]},{loc[-1]}')} for {written}"


def _condition_for(section: str | int, key: str, given: Plain, holder: Mapping[str, Plain]) -> str:
    """The condition that is meant by a property, a trait or a threshold as a key, with its key."""
    wanted = "enter" if section == "stages" else "when"
    asking = {"signals": likely_property, "stages": likely_enter, "fit": _as_condition}
    ask = asking.get(str(section))
    asked = ask(key, given) if ask and wanted not in holder else ""
    if set(asked) & set("[],{}"):
        asked = quoted(asked)
    return f"{wanted}: {asked}" if asked else ""
