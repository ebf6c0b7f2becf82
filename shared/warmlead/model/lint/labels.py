"""The labels by which other tools show fields, ``Number of employees``; and numbers in words.

They are read as one word each, so that what is asked of them is found as of any other name.
"""

from collections.abc import Iterator, Sequence

from warmlead.domain.event import snake_case
from warmlead.model.condition_syntax import Token, words
from warmlead.model.conditions import Context
from warmlead.model.lint.amounts import amount
from warmlead.model.lint.miscounts import OF_A_WEBSITE, bare_count
from warmlead.model.lint.synonyms import origin_meant, our_word
from warmlead.model.lint.unaskable import unaskable_name

_LONGEST = 5
"""The most words of a label."""

_STARTS = ("", "(", "&&", "||", "and", "or", "!", "not")
_IN_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: str(n) for n, word in enumerate(_IN_WORDS, start=1)}
_BEFORE_NUMBERS = ("<", "<=", ">", ">=", "==", "=", "least", "most", "than")


class Reread(Token, frozen=True):
    """What several words are read as. ``until`` is the index after the last of them."""

    until: int

    @property
    def end(self) -> int:
        """The index after the last character as it is written."""
        return self.until


def reread(text: str, context: Context) -> list[Token]:
    """The words of a condition, with each label and number as the one word that is meant by it."""
    tokens = words(text)
    found: list[Token] = []
    i = 0
    while i < len(tokens):
        before = tokens[i - 1].text.lower() if i else ""
        length, meant = _label(tokens, i, context) if before in _STARTS else (0, "")
        kind = "name"
        if not length:
            kind = "number"
            length, meant = _number(tokens[i], before) or amount(text, tokens, i, context.types)
        last = tokens[i + max(length, 1) - 1]
        found.append(Reread(kind, meant, tokens[i].at, last.end) if length else tokens[i])
        i += max(length, 1)
    return found


def _label(tokens: Sequence[Token], i: int, context: Context) -> tuple[int, str]:
    """How many words the longest label has that begins at a place, and the name that it means."""
    said = list(_words_of_label(tokens[i : i + _LONGEST]))
    for length in range(len(said), 1, -1):
        meant = _meant(snake_case(" ".join(said[:length])), context)
        if meant and said[length - 1] != "/":
            return length, meant
    return 0, ""


def _words_of_label(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.text != "/" and (token.kind != "name" or "." in token.text):
            return
        yield token.text


def _meant(name: str, context: Context) -> str:
    """What a label means: a name that conditions know, or one of which it is known what to say."""
    if name in context.types:
        return name
    meant = our_word(name, context.types) or origin_meant(name)
    if meant in context.types:
        return meant
    if bare_count(name) in OF_A_WEBSITE and context.countable:
        return name
    return name if unaskable_name(name, context) else ""


def _number(token: Token, before: str) -> tuple[int, str] | None:
    """``three``, where a number stands."""
    number = _NUMBERS.get(token.text.lower()) if token.kind == "name" else None
    return (1, number) if number and before in _BEFORE_NUMBERS else None
