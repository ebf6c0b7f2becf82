"""YAML read into plain values, with the line and column of everything in it.

Only what a model needs: mappings, lists and scalars of YAML 1.2's core schema. Tags, anchors
and aliases are refused, so a file can neither run code nor grow when it is read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

import yaml

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_CHARACTERS = 500_000
"""Limit for a model file: nobody reviews a longer one."""

_INTEGER = re.compile(r"[-+]?\d{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+\.\d*)(?:[eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_ESCAPES = {"x": 4, "u": 6, "U": 10}  # length of \xHH, \uHHHH, \UHHHHHHHH


class Position(NamedTuple):
    """A place in the file; both count from 1."""

    line: int
    column: int


class Misread(NamedTuple):
    """Something that YAML does not allow, or that we do not."""

    position: Position
    path: Path
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file's values with the place of each key and value, and what could not be read.

    ``unquoted`` are places of unquoted text that holds brackets inside ``{ }``.
    """

    text: str
    value: Plain
    keys: Mapping[Path, Position]
    values: Mapping[Path, yaml.Node]
    faults: Sequence[Misread]
    unquoted: Sequence[Position]

    def renamed(self, old: str, new: str) -> "YamlDocument":
        """The document with another name for a key of its root."""

        def moved(path: Path) -> Path:
            return (new, *path[1:]) if path and path[0] == old else path

        root = self.value if isinstance(self.value, dict) else {}
        return replace(
            self,
            value={new if key == old else key: value for key, value in root.items()},
            keys={moved(path): place for path, place in self.keys.items()},
            values={moved(path): node for path, node in self.values.items()},
        )

    def written(self, path: Path) -> Path:
        """The path without numbers of items where the author wrote one value and no list."""
        while path and isinstance(path[-1], int) and path not in self.values:
            path = path[:-1]
        return path

    def of_value(self, path: Path) -> Position:
        """Where the value stands; for one that is missing, the nearest thing that holds it."""
        node = self.values.get(path)
        return self.of_key(path) if node is None else _position(node.start_mark)

    def of_key(self, path: Path) -> Position:
        """Where the key of the value stands, or the nearest one above it."""
        while path:
            if path in self.keys:
                return self.keys[path]
            if path in self.values:
                return _position(self.values[path].start_mark)
            path = path[:-1]
        return Position(1, 1)

    def inside(self, path: Path, offset: int) -> Position:
        """Where the character ``offset`` of the text value at the path stands."""
        node = self.values.get(path)
        if not isinstance(node, yaml.ScalarNode):
            return self.of_value(path)
        index = _index_in(self.text, node, offset)
        line_start = max(self.text.rfind("\n", 0, index), self.text.rfind("\r", 0, index)) + 1
        return Position(self.text.count("\n", 0, index) + 1, index - line_start + 1)


def read(text: str) -> YamlDocument:
    """The document in the text. Every error is among its ``faults``; it never raises."""
    if len(text) > MAX_CHARACTERS:
        return _unreadable(text, Position(1, 1), f"the file exceeds {MAX_CHARACTERS} characters")
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        building = _Building()
        value = building.plain(root, ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _unreadable(text, _position(mark), _problem(error), _hint(text, error))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return _unreadable(text, place, "a character that YAML does not allow")
    except RecursionError:
        return _unreadable(text, Position(1, 1), "values are nested too deeply")
    finally:
        if loader is not None:
            loader.dispose()
    return YamlDocument(
        text, value, building.keys, building.values, building.faults, tuple(loader.unquoted)
    )


def _unreadable(text: str, position: Position, message: str, suggestion: str = "") -> YamlDocument:
    return YamlDocument(text, None, {}, {}, [Misread(position, (), message, suggestion)], ())


def _problem(error: yaml.MarkedYAMLError) -> str:
    told = ", ".join(part for part in (error.context, error.problem) if part)
    return "not readable as YAML: " + (told or "syntax error").splitlines()[0]


def _hint(text: str, error: yaml.MarkedYAMLError) -> str:
    at, began = error.problem_mark, error.context_mark
    lines = text.splitlines()
    line = lines[at.line] if at and at.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces, not with tabs"
    if at and began and "flow" in (error.context or "") and began.line < at.line:
        return f"it began on line {began.line + 1}, column {began.column + 1}"
    if "{" in line and any(sign in line for sign in ("&&", "||", "==", "[", "!")):
        return "put the condition in quotes"
    return ""


def _position(mark: yaml.Mark | None) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)


class _Loader(yaml.SafeLoader):
    """Composes nodes, and reads ``[ … ]`` within unquoted text inside ``{ }`` as text.

    YAML has no other reading of it, so no valid file changes its meaning, and conditions such
    as ``stage in ["sql"]`` need no quotes.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.unquoted: list[Position] = []

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stub
        for what, mark in (("anchors and aliases", "anchor"), ("tags", "tag")):
            if getattr(event, mark, None):
                problem = f"{what} are not allowed in a model"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]  # PyYAML's stub
        return super().compose_node(parent, index)

    def scan_plain(self) -> yaml.ScalarToken:
        token = super().scan_plain()
        value, end = token.value, token.end_mark
        while self.flow_level and self.peek() == "[" and (bracket := self._bracket()):
            gap = " " if self.index > end.index else ""
            self.unquoted.append(_position(self.get_mark()))
            self.forward(len(bracket))
            end = self.get_mark()
            value += gap + bracket
            spaces = 0
            while self.peek(spaces) == " ":
                spaces += 1
            if self.peek(spaces) not in ",[]{}\0\r\n#":
                self.forward(spaces)
                rest = super().scan_plain()
                value, end = value + " " * spaces + rest.value, rest.end_mark
        return yaml.ScalarToken(value, True, token.start_mark, end)

    def _bracket(self) -> str:
        """The text from here to the bracket's end on this line; nothing if it has none."""
        depth, quote, length = 0, "", 0
        while (character := self.peek(length)) not in "\0\r\n":
            length += 1
            if quote:
                quote = "" if character == quote else quote
            elif character in "\"'":
                quote = character
            elif character in "[]":
                depth += 1 if character == "[" else -1
                if not depth:
                    return str(self.prefix(length))
        return ""


class _Building:
    """Turns nodes into plain values, and notes where each stood."""

    def __init__(self) -> None:
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, yaml.Node] = {}
        self.faults: list[Misread] = []

    def plain(self, node: yaml.Node, path: Path) -> Plain:
        self.values[path] = node
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, i)) for i, item in enumerate(node.value)]
        text: str = node.value
        return text if isinstance(node, yaml.ScalarNode) and node.style else _scalar(text)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Plain]:
        mapping: dict[str, Plain] = {}
        for key, value in node.value:
            place = _position(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(Misread(place, path, "a key is plain text"))
                continue
            here = (*path, key.value)
            if key.value in mapping:
                first = self.keys[here].line
                message = f'the key "{key.value}" was given before, on line {first}'
                self.faults.append(Misread(place, here, message, "keep one of them"))
                continue
            self.keys[here] = place
            mapping[key.value] = self.plain(value, here)
        return mapping


def _scalar(text: str) -> Plain:
    """An unquoted scalar by YAML 1.2's core schema: ``yes``, ``on`` and ``1:30`` are text."""
    if text.lower() in _WORDS and text in (text.lower(), text.title(), text.upper()):
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _index_in(text: str, node: yaml.ScalarNode, offset: int) -> int:
    """The index in the file of a scalar's character, for any style and folding."""
    at = node.start_mark.index
    if node.style in ("|", ">"):
        at = text.find("\n", at) + 1
    elif node.style:
        at += 1
    value = node.value + " "
    for character in value[:offset]:
        at = _seek(text, at, character)
        if character.isspace():
            newline = text[at : at + 1] in "\r\n"
            at += text[at : at + 1].isspace()
            while newline and text[at : at + 1] == " ":
                at += 1
        elif text[at : at + 1] == "\\" and node.style == '"':
            at += _ESCAPES.get(text[at + 1 : at + 2], 2)
        else:
            at += 2 if text.startswith("''", at) and node.style == "'" else 1
    return _seek(text, at, value[offset : offset + 1] or " ")


def _seek(text: str, at: int, character: str) -> int:
    """Past the white space that folding and indentation put before a character."""
    while not character.isspace() and text[at : at + 1].isspace():
        at += 1
    return at
