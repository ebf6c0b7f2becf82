"""The text of a condition: its words and signs, and the clauses of which it is made."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from typing import TypeAlias

from msgspec import Struct

_TOKEN = re.compile(
    r'''
      (?P<space>\s+|//[^\n]*)
    | (?P<string>[rRbB]{0,2}(?:"""(?:\\.|[^\\])*?(?:"""|\\?\Z)|\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\\?\Z)
                              |"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?))
    | (?P<number>(?:\d+\.\d*|\.\d+|0[xX][0-9a-fA-F]+|\d+)(?:[eE][-+]?\d+)?[uU]?)
    | (?P<name>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*)
    | (?P<sign>&&|\|\||[<>=!]=|.)
    ''',
    re.VERBOSE | re.DOTALL | re.ASCII,
)
"""Linear in the text: a quote that nothing closes is a string to the end of its line or text."""

KEPT = 500
"""How many conditions are kept taken apart: more than most models have; each is asked for often."""

_EQUALITY = frozenset({"==", "!="})


class Token(Struct, frozen=True):
    """A word or sign of a condition: ``string``, ``number``, ``name`` (dots included) or ``sign``.

    ``at`` is the index of its first character.
    """

    kind: str
    text: str
    at: int

    @property
    def end(self) -> int:
        """The index after its last character."""
        return self.at + len(self.text)


class Clause(Struct, frozen=True):
    """A part of a condition that is true or false as a whole."""

    text: str
    at: int
    tokens: tuple[Token, ...]


class Every(Struct, frozen=True):
    """Clauses that must all hold."""

    parts: "tuple[Tree, ...]"


class Either(Struct, frozen=True):
    """Clauses of which one must hold."""

    parts: "tuple[Tree, ...]"


Tree: TypeAlias = Clause | Every | Either


@lru_cache(KEPT)
def words(text: str) -> tuple[Token, ...]:
    """The words and signs of a condition, without space and comments."""
    found = _TOKEN.finditer(text)
    return tuple(
        Token(match.lastgroup or "", match[0], match.start())
        for match in found
        if match.lastgroup != "space"
    )


CONDITIONS = frozenset({"when", "enter", "leave", "start", "stop", "goal"})
"""Words of a model for conditions: their spacing and comments make no difference."""


def canonical(condition: str | None) -> str:
    """A condition without its spacing and comments."""
    return " ".join(token.text for token in words(condition or ""))


def compared_with(name: str, text: str) -> Iterator[Token]:
    """The string literals with which a condition compares a name: by ``==``, ``!=`` or ``in``."""
    tokens = words(text)
    for at, token in enumerate(tokens):
        if token.kind != "name" or token.text != name:
            continue
        if tokens[at - 1 : at] and tokens[at - 1].text in _EQUALITY:
            yield from _strings(tokens[max(0, at - 2) : at - 1])
        following = tokens[at + 1].text if at + 1 < len(tokens) else ""
        if following in _EQUALITY:
            yield from _strings(tokens[at + 2 : at + 3])
        elif following == "in":
            listed = takewhile(lambda one: one.text != "]", tokens[at + 2 :])
            yield from _strings(listed)


def _strings(tokens: Iterable[Token]) -> Iterator[Token]:
    return (token for token in tokens if token.kind == "string")


@lru_cache(KEPT)
def tree_of(text: str) -> Tree:
    """The condition's clauses; parentheses that change nothing are gone."""
    return _tree(text, words(text))


def clauses_of(tree: Tree) -> Iterator[Clause]:
    """All clauses, from left to right."""
    if isinstance(tree, Clause):
        yield tree
    else:
        for part in tree.parts:
            yield from clauses_of(part)


def _tree(text: str, tokens: Sequence[Token]) -> Tree:
    while _wrapped(tokens):
        tokens = tokens[1:-1]
    whole = Clause(text[tokens[0].at : tokens[-1].end], tokens[0].at, tuple(tokens))
    if any(token.text == "?" for token in _outside(tokens)):
        return whole
    for sign, kind in (("||", Either), ("&&", Every)):
        pieces = _split(tokens, sign)
        if len(pieces) > 1:
            trees = [_tree(text, piece) for piece in pieces]
            parts: list[Tree] = []
            for tree in trees:
                parts.extend(tree.parts if isinstance(tree, kind) else [tree])
            return kind(tuple(parts))
    return whole


def _depths(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with the number of brackets open after it, or before it if it closes one."""
    depth = 0
    for token in tokens:
        if token.kind == "sign" and token.text in "([{":
            depth += 1
        yield token, depth
        if token.kind == "sign" and token.text in ")]}":
            depth -= 1


def _outside(tokens: Sequence[Token]) -> Iterator[Token]:
    return (token for token, depth in _depths(tokens) if not depth and token.kind == "sign")


def _wrapped(tokens: Sequence[Token]) -> bool:
    """Whether the first parenthesis closes at the very end."""
    if len(tokens) <= 2 or tokens[0].text != "(" or tokens[-1].text != ")":  # noqa: PLR2004  # "(" and ")"
        return False
    return all(depth for _, depth in _depths(tokens[:-1]))


def _split(tokens: Sequence[Token], sign: str) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    borders = {token.at for token in _outside(tokens) if token.text == sign}
    for token in tokens:
        if token.at in borders:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces
