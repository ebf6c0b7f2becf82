"""Doubts texts that a value never is: a path without its slash, an address, an asterisk.

Such a condition is valid and never holds, so the behavior would silently be worth nothing.
"""

import re
from collections.abc import Iterator

from warmlead.model.coercion import word_of
from warmlead.model.condition_syntax import Token, compared_with, words
from warmlead.model.conditions import Context
from warmlead.model.document import closest
from warmlead.model.vocabulary import ValueType

_NEARLY = 0.85
_METHODS = ("startsWith", "contains", "endsWith")


def odd_texts(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """Texts that a condition compares in vain: the place of each, the doubt, the suggestion."""
    yield from _paths(text, context)
    yield from _asterisks(text, context)
    yield from _kinds(text, context)


_KINDS = {
    word_of("kind", kind): kind
    for kind in (
        *("whitepaper", "ebook", "case-study", "guide", "checklist", "report", "template"),
        *("brochure", "infographic", "presentation", "webinar", "video", "podcast"),
    )
}
"""The usual kinds of content, by the word that is compared."""


def _kinds(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """``kind == "white papr"``: nearly a usual kind."""
    if "kind" not in context.types:
        return
    for literal in compared_with("kind", text):
        said = _said(literal)
        word = word_of("kind", said) or ""
        near = "" if word in _KINDS else closest(word, filter(None, _KINDS), alike=_NEARLY)
        if near and not word.startswith(near):
            yield (
                literal.at + 1,
                f'"{said}" is hardly a kind of content',
                f"write {_KINDS[near]} for {said}",
            )


def path_of(page: str) -> str:
    """The path of a page's address, as it is kept of visits."""
    found = re.match(r"(?:https?://)?([^?#]*)", page)
    path = found[1] if found else page
    if path.startswith("/"):
        return path
    is_address = page.startswith("http") or "." in path.partition("/")[0]
    return f"/{path.partition('/')[2] if is_address else path}"


def _said(literal: Token) -> str:
    return literal.text.strip("\"'")


def _is_path(name: str, context: Context) -> bool:
    return (name == "path" or name.endswith(".path")) and (
        context.types.get(name) is ValueType.STRING
    )


def _paths(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """``path == "pricing"``, ``path.startsWith("https://example.com/pricing")``."""
    names = {name for name in context.names(text) if _is_path(name, context)}
    for name in sorted(names):
        for literal in compared_with(name, text):
            yield from _path(name, literal, "equals")
    for called, literal in _calls(text):
        name, _, method = called.text.rpartition(".")
        if method == "startsWith" and name in names:
            yield from _path(name, literal, "begins with")


def _path(name: str, literal: Token, verb: str) -> Iterator[tuple[int, str, str]]:
    said = _said(literal)
    if said and (path := path_of(said)) != said:
        message = f'{name} is a path without query, such as /pricing: it never {verb} "{said}"'
        yield literal.at + 1, message, "" if path == "/" else f"write {path} for {said}"


def _calls(text: str) -> Iterator[tuple[Token, Token]]:
    """The calls of a method on a text, each with its literal."""
    tokens = words(text)
    for called, bracket, literal in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if called.kind == "name" and bracket.text == "(" and literal.kind == "string":
            yield called, literal


def _asterisks(text: str, context: Context) -> Iterator[tuple[int, str, str]]:
    """``path == "/pricing*"``, ``title.contains("VP*")``: an asterisk stands for itself."""
    tokens = words(text)
    for name, sign, literal in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if sign.text != "==" or literal.kind != "string" or "*" not in literal.text:
            continue
        if context.types.get(name.text) is ValueType.STRING:
            guess = _instead(name.text, literal)
            written = text[name.at : literal.end]
            yield name.at, _MESSAGE, f"write {guess} for {written}" if guess else ""
    for called, literal in _calls(text):
        if called.text.rpartition(".")[2] in _METHODS and "*" in literal.text:
            bare = _said(literal).replace("*", "")
            yield literal.at + 1, _MESSAGE, f"write {bare} for {_said(literal)}"


_MESSAGE = "an asterisk stands for itself, so this hardly ever holds"


def _instead(name: str, literal: Token) -> str:
    """The question that is meant by a text with asterisks; empty if one stands within it."""
    said, quote = _said(literal), literal.text[0]
    bare = said.strip("*")
    if not bare or "*" in bare:
        return ""
    ends, begins = said.startswith("*"), said.endswith("*")
    method = "contains" if ends and begins else "endsWith" if ends else "startsWith"
    return f"{name}.{method}({quote}{bare}{quote})"
