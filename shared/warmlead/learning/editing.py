"""Changes to a model file's text: numbers replaced where they stand, and entries added.

Whatever is not changed stays as its author wrote it: comments, order, quotes, spacing.
"""

import copy
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from warmlead.model.document import Path, Plain, YamlDocument, path_text, read
from warmlead.model.misread import quoted

LONGEST_LINE = 100
"""An entry that is longer than this on one line is written over several."""

_BEFORE_NEW = ("signals", "groups", "bonuses", "fit", "base", "floor")
"""A new section is put behind the last of these, which make the points, as it does."""


class EditError(Exception):
    """The changed text would not say what was meant."""


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Restated:
    """A number that takes the place of the characters of a text from ``start`` to ``end``."""

    start: int
    end: int
    number: int


@dataclass(slots=True)
class ModelText:
    """The text of a model file, and the changes to be made in it.

    Raises ``EditError`` if it is not a mapping that can be read.
    """

    text: str
    _document: YamlDocument = field(init=False)
    _wanted: dict[str, Plain] = field(init=False)
    _edits: list[_Edit] = field(default_factory=list)
    _added: dict[str, dict[str, Mapping[str, Plain]]] = field(default_factory=dict)
    _stated: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reads the text."""
        self._document = read(self.text)
        if self._document.faults or not isinstance(self._document.value, dict):
            raise EditError("the model file cannot be read")
        self._wanted = copy.deepcopy(self._document.value)

    def state(self, path: Path, number: int) -> None:
        """Puts a whole number in the place of the one at a path."""
        node = self._document.values.get(path)
        if not isinstance(node, yaml.ScalarNode):
            raise EditError(f"{path_text(path)} is not a number")
        self._set(path, number)
        self._edits.append(_Edit(node.start_mark.index, node.end_mark.index, str(number)))

    def state_top(self, key: str, number: int) -> None:
        """States a number at the top of the file, such as ``base``, anew or for the first time."""
        if key in self._wanted:
            self.state((key,), number)
            return
        self._wanted[key] = number
        self._stated[key] = f"{key}: {number}"

    def restate(self, path: Path, numbers: Sequence[Restated]) -> None:
        """Puts numbers in the place of others in the text at a path, such as a condition."""
        path = self._document.written(path)
        text = self._at(path)
        if not isinstance(text, str):
            raise EditError(f"{path_text(path)} is no text")
        for one in sorted(numbers, key=lambda one: one.start, reverse=True):
            text = f"{text[: one.start]}{one.number}{text[one.end :]}"
            first, last = self._index(path, one.start), self._index(path, one.end - 1)
            self._edits.append(_Edit(first, last + 1, str(one.number)))
        self._set(path, text)

    def add(self, section: str, name: str, entry: Mapping[str, Plain]) -> None:
        """Puts a new entry behind those of a section, in their style."""
        entries = self._wanted.setdefault(section, {})
        if not isinstance(entries, dict) or name in entries:
            raise EditError(f"{section}.{name} cannot be added")
        entries[name] = dict(entry)
        self._added.setdefault(section, {})[name] = entry

    def state_section(self, name: str, section: Mapping[str, Plain]) -> None:
        """Writes a whole section: in the place of the one that is there, or behind all others."""
        node = self._document.values.get((name,))
        if node is not None:
            end = self._end(node)
            self._edits.append(_Edit(node.start_mark.index, end, _flow(section)))
        elif self._root.flow_style:
            self._stated[name] = f"{name}: {_flow(section)}"
        else:
            lines = _lines(name, section, indent="")
            at = self._end_of_line(self._end(self._root))
            self._edits.append(_Edit(at, at, self._newline * 2 + self._newline.join(lines)))
        self._wanted[name] = dict(section)

    def changed(self) -> str:
        """The text with all changes; raises ``EditError`` if it does not say exactly that."""
        text = self.text
        edits = [*self._edits, *self._additions()]
        for edit in reversed(sorted(edits, key=lambda one: one.start)):  # noqa: C413  # of two at one place the last is put first, so that it comes behind the other
            text = text[: edit.start] + edit.text + text[edit.end :]
        found = read(text)
        if found.faults or found.value != self._wanted:
            raise EditError("the changed text does not say what was meant")
        return text

    def _at(self, path: Path) -> Plain:
        value: Plain = self._wanted
        for part in path:
            if isinstance(value, dict) and part in value:
                value = value[str(part)]
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                raise EditError(f"there is no {path_text(path)}")
        return value

    def _set(self, path: Path, value: Plain) -> None:
        holder, last = self._at(path[:-1]), path[-1]
        if isinstance(holder, dict):
            holder[str(last)] = value
        elif isinstance(holder, list) and isinstance(last, int):
            holder[last] = value

    def _index(self, path: Path, offset: int) -> int:
        """Where a character of the text at a path stands in the file."""
        line, column = self._document.inside(path, offset)
        starts = [0, *(found.end() for found in re.finditer(r"\r\n|\n|\r", self.text))]
        return starts[line - 1] + column - 1

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @property
    def _root(self) -> yaml.MappingNode:
        root = self._document.values[()]
        if not isinstance(root, yaml.MappingNode):
            raise EditError("the model file is no mapping")
        return root

    def _additions(self) -> list[_Edit]:
        edits, fresh = list[_Edit](), dict(self._stated)
        for section, entries in self._added.items():
            node = self._document.values.get((section,))
            if isinstance(node, yaml.MappingNode):
                edits.append(self._into(node, entries))
            else:
                fresh[section] = self._section(section, entries)
        return [*edits, *([self._behind_points(fresh.values())] if fresh else [])]

    def _section(self, name: str, entries: Mapping[str, Mapping[str, Plain]]) -> str:
        if self._root.flow_style:
            return f"{name}: {{{_in_flow(entries)}}}"
        lines = [line for each in entries.items() for line in _lines(*each, indent="  ")]
        return self._newline.join([f"{name}:", *lines])

    def _into(self, node: yaml.MappingNode, entries: Mapping[str, Mapping[str, Plain]]) -> _Edit:
        """The entries, put into a section that is there."""
        if node.flow_style:
            at = self._end(node.value[-1][1]) if node.value else node.start_mark.index + 1
            return _Edit(at, at, f", {_in_flow(entries)}" if node.value else _in_flow(entries))
        indent = " " * node.value[0][0].start_mark.column
        lines = [line for each in entries.items() for line in _lines(*each, indent=indent)]
        at = self._end_of_line(self._end(node))
        return _Edit(at, at, self._newline + self._newline.join(lines))

    def _behind_points(self, parts: Collection[str]) -> _Edit:
        """Whole sections, put behind those that make points."""
        root = self._root
        if root.flow_style:
            at = self._end(root.value[-1][1])
            return _Edit(at, at, "".join(f", {part}" for part in parts))
        known = [value for key, value in root.value if key.value in _BEFORE_NEW]
        at = self._end_of_line(self._end(max(known, key=lambda node: node.start_mark.index)))
        following = self.text[at:].splitlines()[1:2]
        blank = self._newline if not following or not following[0].strip() else ""
        return _Edit(at, at, "".join(f"{self._newline}{blank}{part}" for part in parts))

    def _end_of_line(self, at: int) -> int:
        """The end of the line, behind the comment on it."""
        found = re.compile(r"\r\n|\n|\r").search(self.text, at)
        return found.start() if found else len(self.text)

    def _end(self, node: yaml.Node) -> int:
        """The index behind the last character of a value, without the space that follows."""
        if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        written = self.text[node.start_mark.index : node.end_mark.index]
        return node.start_mark.index + len(written.rstrip())


def _in_flow(entries: Mapping[str, Mapping[str, Plain]]) -> str:
    return ", ".join(f"{name}: {_flow(entry)}" for name, entry in entries.items())


def _flow(value: "Mapping[str, Plain] | Plain") -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _lines(name: str, entry: Mapping[str, Plain], *, indent: str) -> list[str]:
    """The entry on one line, or on several if it is long."""
    line = f"{indent}{name}: {_flow(entry)}"
    if len(line) <= LONGEST_LINE:
        return [line]
    return [f"{indent}{name}:", *(f"{indent}  {k}: {_flow(v)}" for k, v in entry.items())]


def _scalar(value: Plain) -> str:
    """A number, or a text, in quotes if YAML would read it as something else without them."""
    if not isinstance(value, str):
        return str(value)
    plain = read(f"{{x: {value}}}")
    return value if not plain.faults and plain.value == {"x": value} else quoted(value)
