"""Every regular expression of the product, and texts that each of them nearly matches.

Nobody lists them: the source is read for them, so a pattern that is added tomorrow is attacked
tomorrow. A near match runs one of the pattern's repeats for as long as it is asked to, and then
ends in what does not fit: where two repeats can share the run, or one is inside another, that is
what makes a matcher try every way to share it.
"""

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from re import _constants as codes  # type: ignore[attr-defined]  # the parser of re itself
from re import _parser as parser  # type: ignore[attr-defined]  # the parser of re itself
from typing import Any

import warmlead

_PRODUCT = Path(warmlead.__file__).parent
_CALLS = ("compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
_MANY = 8
"""A repeat that may come so often is worth running."""

# What repeats are run with: the first of these that fits is not better than the others.
_RUN_OF = " \t\n0189azAZé.,-+_'\"/:;@%&=?#[](){}<>~!*$^|\\`\u00a0\u202f\u2028\x00\x1f購\U0001f600"
_ENDS = ("", "!", "x", "\x00", "\n", "é", " ", "@")

_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    codes.CATEGORY_DIGIT: str.isdecimal,
    codes.CATEGORY_NOT_DIGIT: lambda sign: not sign.isdecimal(),
    codes.CATEGORY_SPACE: str.isspace,
    codes.CATEGORY_NOT_SPACE: lambda sign: not sign.isspace(),
    codes.CATEGORY_WORD: lambda sign: sign.isalnum() or sign == "_",
    codes.CATEGORY_NOT_WORD: lambda sign: not (sign.isalnum() or sign == "_"),
}
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


@cache
def patterns() -> Sequence[re.Pattern[Any]]:
    """The product's patterns, each once: those in the source, and those that modules now hold."""
    found = {**dict(_in_source()), **dict(_in_modules())}
    return [pattern for _, pattern in sorted(found.items())]


def _key(pattern: re.Pattern[Any]) -> tuple[str, int]:
    return repr(pattern.pattern), pattern.flags


def _in_modules() -> Iterator[tuple[tuple[str, int], re.Pattern[Any]]]:
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] == "warmlead":
            for value in vars(module).values():
                if isinstance(value, re.Pattern):
                    yield _key(value), value


def _in_source() -> Iterator[tuple[tuple[str, int], re.Pattern[Any]]]:
    for path in sorted(_PRODUCT.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and (pattern := _compiled(call, path)):
                yield _key(pattern), pattern


def _compiled(call: ast.Call, path: Path) -> re.Pattern[Any] | None:
    """The pattern that a call is given, if it is one that matches, or declares, a pattern."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "pattern"]
    is_of_re = isinstance(call.func, ast.Attribute) and call.func.attr in _CALLS
    of_re = is_of_re and isinstance(call.func.value, ast.Name) and call.func.value.id == "re"  # type: ignore[attr-defined]  # it is an attribute
    if not of_re and not named:
        return None
    told = named or call.args[:1]
    flags = call.args[1:2] if of_re and call.func.attr == "compile" else []  # type: ignore[attr-defined]  # of_re: an attribute
    try:
        return re.compile(*(_value(part, path) for part in (*told, *flags)))
    except (NameError, TypeError, re.error):  # made of what is known at run time only
        return None


def _value(expression: ast.expr, path: Path) -> Any:
    compiled = compile(ast.Expression(expression), str(path), "eval")
    try:
        return eval(compiled, {"re": re})
    except NameError:
        module = ".".join(path.relative_to(_PRODUCT.parent).with_suffix("").parts)
        return eval(compiled, dict(vars(importlib.import_module(module))))


# --- near matches --------------------------------------------------------------------------


def near_match(pattern: re.Pattern[Any], size: int, random: Random) -> str:
    """A text of about so many characters that the pattern nearly matches."""
    source = pattern.pattern
    if isinstance(source, bytes):
        tree = parser.parse(source.decode("latin-1"))
    else:
        tree = parser.parse(source, pattern.flags)
    repeats = list(_repeats(tree))
    if not repeats or random.random() < 0.2:
        whole = _Near(random, None, "", 0).text(tree) or "x"
        return whole * (size // len(whole)) + random.choice(_ENDS)
    run = random.choice(repeats)
    fitting = [sign for sign in _RUN_OF if _fits(run[1][2], sign)]
    sign = random.choice(fitting) if fitting else ""
    return _Near(random, run, sign, size).text(tree) + random.choice(_ENDS)


def _repeats(tree: Any) -> Iterator[Any]:
    """Every repeat that may come often, at any depth."""
    for node in tree:
        op, argument = node
        if op in _REPEATS:
            if argument[1] >= _MANY:
                yield node
            yield from _repeats(argument[2])
        for part in _parts(op, argument):
            yield from _repeats(part)


def _parts(op: Any, argument: Any) -> Sequence[Any]:
    if op is codes.SUBPATTERN:
        return [argument[-1]]
    if op is codes.BRANCH:
        return list(argument[1])
    return [argument] if op is codes.ATOMIC_GROUP else []


class _Near:
    """Makes texts that fit a tree; ``run`` is repeated to the size, with the sign if it can be."""

    def __init__(self, random: Random, run: Any, sign: str, size: int) -> None:
        self._random = random
        self._run = run
        self._sign = sign
        self._size = size

    def text(self, tree: Any) -> str:
        """A text that fits the whole tree."""
        return "".join(map(self._of, tree))

    def _of(self, node: Any) -> str:
        op, argument = node
        if op in _REPEATS:
            return self._repeated(node, *argument)
        if op is codes.BRANCH:
            having = [part for part in argument[1] if self._holds_run(part)]
            return self.text(self._random.choice(having or argument[1]))
        if op in (codes.LITERAL, codes.IN, codes.NOT_LITERAL, codes.ANY):
            return self._sign_in(node)
        return "".join(map(self.text, _parts(op, argument)))

    def _repeated(self, node: Any, least: int, most: int, body: Any) -> str:
        if node is self._run and self._sign:
            return self._sign * min(self._size, int(most))
        one = self.text(body)
        if node is self._run:
            return one * max(1, min(self._size // max(1, len(one)), int(most)))
        wanted = 1 if self._holds_run(body) else self._random.choice((0, 1))
        return one * max(least, min(wanted, int(most)))

    def _holds_run(self, tree: Any) -> bool:
        return any(each is self._run for each in _repeats(tree))

    def _sign_in(self, node: Any) -> str:
        op, argument = node
        fitting = [each for each in _RUN_OF if _is_in(node, each)]
        if fitting and op is not codes.LITERAL:
            return self._random.choice(fitting)
        op, argument = node if op is codes.LITERAL else argument[0]
        return chr(argument[0] if op is codes.RANGE else argument)


def _fits(body: Any, sign: str) -> bool:
    """Whether the sign alone is what is repeated."""
    return len(body) == 1 and _is_in(body[0], sign)


def _is_in(node: Any, sign: str) -> bool:
    op, argument = node
    if op is codes.LITERAL:
        return bool(chr(argument) == sign)
    if op is codes.NOT_LITERAL:
        return bool(chr(argument) != sign)
    if op is codes.ANY:
        return True
    if op is codes.IN:
        negated = argument[0][0] is codes.NEGATE
        return negated != any(_is_member(item, sign) for item in argument)
    if op is codes.BRANCH:
        return any(_fits(part, sign) for part in argument[1])
    return any(_fits(part, sign) for part in _parts(op, argument))


def _is_member(item: Any, sign: str) -> bool:
    op, argument = item
    if op is codes.RANGE:
        return bool(argument[0] <= ord(sign) <= argument[1])
    if op is codes.CATEGORY:
        return bool(_CATEGORIES[argument](sign))
    return op is codes.LITERAL and bool(argument == ord(sign))
