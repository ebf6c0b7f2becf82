"""A YAML file that people write: its values, the place of each, and what is wrong with them.

Takes what every reader of YAML takes, and of that only what a model needs: mappings, lists and
scalars of YAML 1.2's core schema. Tags, anchors and aliases are faults, so a file can neither run
code nor grow when it is read.
"""

import difflib
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

import yaml

from warmlead.model.misread import Position, end_of_condition, explained, position_of, quoted

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_CHARACTERS = 500_000
"""The longest file that is read; a longer one is not a model that anyone reviewed."""

_ALIKE = 0.6
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+\.\d*)(?:[eE][-+]?\d+)?|[-+]?\d+[eE][-+]?\d+")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_NEEDS_QUOTES = re.compile(r"""^[!"'&*%@`]|[][{},?]|: | #""")
"""What a text without quotes may not hold, wherever it stands."""

_ESCAPES = {"x": 4, "u": 6, "U": 10}  # length of \xHH, \uHHHH, \UHHHHHHHH


class Severity(StrEnum):
    """An ``error`` keeps a file from being used; a ``warning`` is worth a second look.

    A ``note`` is worth knowing, and needs no answer.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or doubt. ``line`` and ``column`` count from 1; ``path`` names the place."""

    severity: Severity
    line: int
    column: int
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}"
        subject = f"{self.path}: {self.message}" if self.path else self.message
        return f"{place}: {subject}" + (f" ({self.suggestion})" if self.suggestion else "")


def did_you_mean(name: str, known: Iterable[str], *, alike: float = _ALIKE) -> str:
    """``did you mean "country"?``, or nothing if no known name is like it (0 to 1)."""
    close = closest(name, known, alike=alike)
    return f'did you mean "{close}"?' if close else ""


def closest(name: str, known: Iterable[str], *, alike: float = _ALIKE) -> str:
    """The known name that is most like it; empty if none is."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=alike)
    return close[0] if close else ""


def path_text(path: Path) -> str:
    """A path as people write it: ``sequences.re-engage.steps[1].after``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A file's values with the place of each key and value, and what could not be read."""

    text: str
    value: Plain
    keys: Mapping[Path, Position]
    values: Mapping[Path, yaml.Node]
    faults: Sequence[Finding]

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
        """The path without the parts of a value for which the author wrote one in short.

        One item for a list of it, one name for a mapping with it.
        """
        above = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in self.values), ())
        if self._is_scalar(above):
            return above
        while path and path not in self.values and isinstance(path[-1], int):
            path = path[:-1]
        return path

    def _is_scalar(self, path: Path) -> bool:
        return isinstance(self.values.get(path), yaml.ScalarNode)

    def of_value(self, path: Path) -> Position:
        """Where the value stands; for one that is missing, the nearest thing that holds it."""
        node = self.values.get(path)
        return self.of_key(path) if node is None else position_of(node.start_mark)

    def of_key(self, path: Path) -> Position:
        """Where the key of the value stands, or the nearest one above it."""
        while path:
            if path in self.keys:
                return self.keys[path]
            if path in self.values:
                return position_of(self.values[path].start_mark)
            path = path[:-1]
        return Position(1, 1)

    def siblings(self, path: Path) -> Mapping[str, Plain]:
        """The mapping in which the key at a path stands; empty if there is none."""
        holder: Plain = self.value
        for part in path[:-1]:
            if isinstance(holder, dict) and isinstance(part, str):
                holder = holder.get(part)
            elif isinstance(holder, list) and isinstance(part, int) and part < len(holder):
                holder = holder[part]
            else:
                return {}
        return holder if isinstance(holder, dict) else {}

    def in_quotes(self, path: Path, better: str) -> str:
        """What to write for a text without quotes, if the ``better`` one needs them; else empty."""
        node = self.values.get(path)
        if not isinstance(node, yaml.ScalarNode) or node.style or not _NEEDS_QUOTES.search(better):
            return ""
        written = self.text[node.start_mark.index : node.end_mark.index]
        return "" if "\n" in written else f"write {quoted(better)} for {written}"

    def source(self, path: Path) -> str:
        """The key and its value as they are written; empty if there is no such key."""
        node = self.values.get(path)
        if node is None or path not in self.keys:
            return ""
        line, column = self.keys[path]
        start = _line_starts(self.text)[line - 1] + column - 1
        return self.text[start : node.end_mark.index]

    def before(self, path: Path, count: int) -> str:
        """At most so many characters that stand before a key on its line."""
        line, column = self.keys[path]
        start = _line_starts(self.text)[line - 1]
        return self.text[start : start + column - 1][-count:]

    def inside(self, path: Path, offset: int) -> Position:
        """Where the character ``offset`` of the text value at the path stands."""
        node = self.values.get(path)
        if not isinstance(node, yaml.ScalarNode):
            return self.of_value(path)
        places = _places_in(self.text, node)
        index = places[min(max(0, offset), len(places) - 1)]
        starts = _line_starts(self.text)
        line = bisect_right(starts, index)
        start = max(starts[line - 1], self.text.rfind("\r", starts[line - 1], index) + 1)
        return Position(line, index - start + 1)


@lru_cache(maxsize=1)  # asked for each fault of a file, of which there may be thousands
def _line_starts(text: str) -> Sequence[int]:
    return [0, *(index + 1 for index, letter in enumerate(text) if letter == "\n")]


def read(text: str) -> YamlDocument:
    """The document in the text. Every error is among its ``faults``; it never raises."""
    if len(text) > MAX_CHARACTERS:
        return _unreadable(text, Position(1, 1), f"the file exceeds {MAX_CHARACTERS} characters")
    text = text.replace("\u00a0", " ")  # word processors put it where a space is meant
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        building = _Building(loader.cut)
        value = building.plain(root, ()) if root is not None else None
    except yaml.MarkedYAMLError as error:
        return _unreadable(text, *explained(text, error))
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return _unreadable(text, place, "a character that YAML does not allow")
    except RecursionError:
        return _unreadable(text, Position(1, 1), "values are nested too deeply")
    finally:
        if loader is not None:
            loader.dispose()
    return YamlDocument(text, value, building.keys, building.values, building.faults)


def with_quotes(text: str) -> str:
    """The text with quotes around conditions that YAML cuts short at a ``[``.

    Releases before the rule that a model is plain YAML took such files. A text that cannot be
    read is returned as it is.
    """
    loader = _Loader(text)
    try:
        loader.get_single_node()
    except (yaml.YAMLError, RecursionError):
        return text
    finally:
        loader.dispose()
    for start, end in sorted(loader.cut.items(), reverse=True):
        text = text[:start] + quoted(_folded(text[start:end])) + text[end:]
    return text


def _folded(written: str) -> str:
    return " ".join(line.strip() for line in written.splitlines())


def _unreadable(text: str, place: Position, message: str, suggestion: str = "") -> YamlDocument:
    fault = Finding(Severity.ERROR, *place, "", message, suggestion)
    return YamlDocument(text, None, {}, {}, [fault])


class _Loader(yaml.SafeLoader):
    """Composes nodes. Reads on where unquoted text inside ``{ }`` has a ``[``.

    YAML ends the text at the bracket and then finds a fault. This finds the fault too (``cut``:
    the indices where each such text starts and ends), and reads on, so that one run finds all.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.cut: dict[int, int] = {}
        self._text = text

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stub
        for what, mark in (("anchors and aliases", "anchor"), ("tags", "tag")):
            if getattr(event, mark, None):
                problem = f"{what} are not allowed in a model"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]  # PyYAML's stub
        return super().compose_node(parent, index)

    def scan_plain(self) -> yaml.ScalarToken:
        token = super().scan_plain()
        if not self.flow_level or self.peek() != "[":
            return token
        start, bracket = token.start_mark.index, self.index
        end = end_of_condition(self._text, start, bracket)
        if not end:
            return token
        written = self._text[start:end].rstrip()
        self.cut[start] = start + len(written)
        self.forward(start + len(written) - bracket)
        return yaml.ScalarToken(_folded(written), True, token.start_mark, self.get_mark())


class _Building:
    """Turns nodes into plain values, and notes where each stood."""

    def __init__(self, cut: Collection[int]) -> None:
        self.keys: dict[Path, Position] = {}
        self.values: dict[Path, yaml.Node] = {}
        self.faults: list[Finding] = []
        self._cut = cut

    def plain(self, node: yaml.Node, path: Path) -> Plain:
        self.values[path] = node
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, i)) for i, item in enumerate(node.value)]
        self._demand_whole(node, path)
        text: str = node.value
        return text if isinstance(node, yaml.ScalarNode) and node.style else _scalar(text)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Plain]:
        mapping: dict[str, Plain] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, path, "a key is plain text")
                continue
            here = (*path, key.value)
            self._demand_whole(key, here)
            if key.value in mapping:
                first = self.keys[here].line
                message = f'the key "{key.value}" was given before, on line {first}'
                apart = _hold_different_keys(mapping[key.value], value)
                moved = f"move what it holds to line {first}, and leave the key out"
                self._fault(key, here, message, moved if apart else "keep one of them")
                continue
            self.keys[here] = position_of(key.start_mark)
            mapping[key.value] = self.plain(value, here)
        return mapping

    def _demand_whole(self, node: yaml.Node, path: Path) -> None:
        """Notes a fault if YAML ends the text before its author does."""
        if node.start_mark.index in self._cut:
            message = 'text inside { } that has a "[" must be in quotes'
            is_balanced = node.value.count("(") == node.value.count(")")
            suggestion = f"write {quoted(node.value)}" if is_balanced else _QUOTE
            self._fault(node, path, message, suggestion)

    def _fault(self, node: yaml.Node, path: Path, message: str, suggestion: str = "") -> None:
        place = position_of(node.start_mark)
        self.faults.append(Finding(Severity.ERROR, *place, path_text(path), message, suggestion))


def _hold_different_keys(first: Plain, second: yaml.Node) -> bool:
    """Whether two mappings of one name can be put together."""
    if not isinstance(first, dict) or not isinstance(second, yaml.MappingNode) or second.flow_style:
        return False
    keys = (key.value for key, _ in second.value if isinstance(key, yaml.ScalarNode))
    return not any(key in first for key in keys)


_QUOTE = "put the whole condition in quotes"


def _scalar(text: str) -> Plain:
    """An unquoted scalar by YAML 1.2's core schema: ``yes``, ``on`` and ``1:30`` are text."""
    if text.lower() in _WORDS and text in (text.lower(), text.title(), text.upper()):
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


@lru_cache(maxsize=1)  # asked for each fault of a text, of which there may be thousands
def _places_in(text: str, node: yaml.ScalarNode) -> Sequence[int]:
    """The index in the file of each of a scalar's characters and of its end, however folded."""
    at = node.start_mark.index
    if node.style in ("|", ">"):
        at = text.find("\n", at) + 1
    elif node.style:
        at += 1
    places = []
    for character in node.value:
        at = _seek(text, at, character)
        places.append(at)
        if character.isspace():
            newline = text[at : at + 1] in "\r\n"
            at += text[at : at + 1].isspace()
            while newline and text[at : at + 1] == " ":
                at += 1
        elif text[at : at + 1] == "\\" and node.style == '"':
            at += _ESCAPES.get(text[at + 1 : at + 2], 2)
        else:
            at += 2 if text.startswith("''", at) and node.style == "'" else 1
    return [*places, at]


def _seek(text: str, at: int, character: str) -> int:
    """Past the white space that folding and indentation put before a character."""
    while not character.isspace() and text[at : at + 1].isspace():
        at += 1
    return at
