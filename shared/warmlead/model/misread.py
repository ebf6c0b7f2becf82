"""Why YAML cannot read a model file, where, and what its author meant to write."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import yaml


class Position(NamedTuple):
    """A place in the file; both count from 1; unpacked."""

    line: int
    column: int


def explained(text: str, error: yaml.MarkedYAMLError) -> tuple[Position, str, str]:
    """Where a fault of syntax is, what it is, and what to do about it, if its line tells."""
    told = ", ".join(part for part in (error.context, error.problem) if part)
    message = "not readable as YAML: " + (told or "syntax error").splitlines()[0]
    at, began = error.problem_mark or error.context_mark, error.context_mark
    place = position_of(at)
    lines = text.splitlines()
    line = lines[at.line] if at and at.line < len(lines) else ""
    if line[place.column - 1 : place.column] == "\t":
        is_indented = not line[: place.column].strip()
        use = "indent with spaces, not with tabs" if is_indented else "write spaces, not tabs"
        return place, message, use
    found = _unfinished(lines, error, began) if began else None
    found = found or _misplaced(lines, at.line if at else 0, error.problem or "")
    if found:
        return found[0], message, found[1]
    if at and began and "flow" in (error.context or "") and began.line < at.line:
        return place, message, f"it began on line {began.line + 1}, column {began.column + 1}"
    if "got ':'" in (error.problem or ""):
        return place, message, "put a comma before each key but the first"
    start, condition = _condition_at(line, place.column - 1)
    if condition:
        return Position(place.line, start + 1), message, f"write {quoted(condition)}"
    return place, message, ""


def _unfinished(
    lines: Sequence[str], error: yaml.MarkedYAMLError, began: yaml.Mark
) -> tuple[Position, str] | None:
    """Where a key without its colon or a bracket without its partner stands, and what to write."""
    line = lines[began.line] if began.line < len(lines) else ""
    written = line.strip()
    if "could not find expected ':'" in (error.problem or "") and (
        better := without_blank(written)
    ):
        place = Position(began.line + 1, _indent(line) + 1)
        return place, f"write {better} for {written}"
    context, begun = error.context or "", line[began.column :].rstrip().rstrip(",")
    opened = sum(begun.count(sign) for sign in "{[") - sum(begun.count(sign) for sign in "}]")
    if (
        "flow" not in context
        or opened != 1
        or position_of(error.problem_mark).line == began.line + 1
    ):
        return None
    closing = "}" if "mapping" in context else "]"
    return position_of(began), f"write {begun}{closing} for {begun}"


def _misplaced(lines: Sequence[str], n: int, problem: str) -> tuple[Position, str] | None:
    """Where a line stands that is indented unlike the one above, and what to do with it."""
    line = lines[n] if n < len(lines) else ""
    written, place = line.strip(), Position(n + 1, _indent(line) + 1)
    if "found '-'" in problem and written.startswith("- "):
        return place, f"write {written.removeprefix('- ')} for {written}"
    if not problem.startswith(
        ("mapping values are not", "expected <block end>, but found '<block")
    ):
        return None
    above = next((k for k in range(n - 1, -1, -1) if lines[k].strip()), -1)
    unlike = above >= 0 and _indent(lines[above]) != _indent(line)
    return (place, f"indent this line as line {above + 1}") if unlike and written else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def without_blank(written: str) -> str:
    """``key: value`` for a key whose colon has no blank behind it, is missing, or is ``=``."""
    if found := re.fullmatch(r"([a-z][\w-]*)\s*(?::|=(?!=))\s*(\S.*)", written, re.IGNORECASE):
        return f"{found[1]}: {found[2]}"
    return f"{written}:" if re.fullmatch(r"[a-z][\w-]*", written) else ""


def quoted(text: str) -> str:
    """The text as a scalar of YAML in quotes, to be pasted."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _condition_at(line: str, column: int) -> tuple[int, str]:
    """The condition that YAML misreads at the column, and where it starts; empty if none is."""
    key_end = line.rfind(": ", 0, column + 1)
    if key_end < 0:
        return 0, ""
    start = key_end + len(": ")
    start += len(line[start:]) - len(line[start:].lstrip())
    is_flow = "{" in line[:start]
    end = end_of_condition(line, start, start) if is_flow else _before_comment(line)
    condition = line[start:end].rstrip()
    return start, condition if any(sign in condition for sign in _SIGNS) else ""


_SIGNS = ("&&", "||", "==", "!", "<", ">", " in ")
"""What a text that is meant as a condition has one of."""


def _before_comment(line: str) -> int:
    at = line.find(" #")
    return len(line) if at < 0 else at


def end_of_condition(text: str, start: int, at_least: int) -> int:
    """Where the condition that starts there ends, inside ``{ }``; 0 if a bracket or quote is open.

    It ends at a comma, a closing bracket, a colon or a comment outside its own brackets and
    quotes, and not before ``at_least``.
    """
    depth, quote = 0, ""
    for at in range(start, len(text)):
        character = text[at]
        if quote:
            if character in "\r\n":
                return 0
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif depth and character in ")]":
            depth -= 1
        elif not depth and at >= at_least and _ends(text, at):
            return at
    return 0


def _ends(text: str, at: int) -> bool:
    return text[at] in ",]}" or text[at : at + 2] in (": ", " #")


def position_of(mark: yaml.Mark | None) -> Position:
    """The place of a mark of YAML; the beginning if there is none."""
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)
