"""The schema's complaints, in words for the person who wrote the file."""

from collections.abc import Iterable, Mapping

from pydantic_core import ErrorDetails

from warmlead.domain.event import snake_case
from warmlead.model.findings import did_you_mean
from warmlead.model.schema import LABEL_PATTERN, OWNER_PATTERN

_MESSAGES: Mapping[str, str] = {
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
}
"""What to say of each type of pydantic's errors that needs no more than its own context."""

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
            return "must be one line of up to 100 characters, without space around it", ""
        case "string_pattern_mismatch":
            return name_fault(str(given), hyphens=context["pattern"] == LABEL_PATTERN)
    template = _MESSAGES.get(fault["type"], fault["msg"].replace("{", "{{").replace("}", "}}"))
    return template.format(**context).replace("'", '"'), _suggestion(fault["type"], given, context)


def _suggestion(type_: str, given: object, context: Mapping[str, object]) -> str:
    if type_ == "int_type" and isinstance(given, str) and given.lstrip("-").isdigit():
        return f"write {given} without quotes"
    if type_ == "string_type" and isinstance(given, int | float):
        return "put it in quotes"
    if type_ == "bool_type" and (switch := _SWITCHES.get(str(given).lower())):
        return f"write {switch}"
    if type_ == "literal_error":
        return did_you_mean(str(given), str(context["expected"]).split("'")[1::2])
    return ""


def name_fault(name: str, *, hyphens: bool) -> tuple[str, str]:
    """What to say of a name that is not written as names are."""
    also = ", with hyphens if you like" if hyphens else ""
    better = snake_case(name)
    return (
        f'"{name}" is no name: small letters, digits and _{also}, a letter first',
        f'write "{better}"' if better and better != name else "",
    )
