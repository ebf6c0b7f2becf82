"""A place of a condition that CEL cannot compile: the words from there on, and what they name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from warmlead.model.condition_syntax import Token
from warmlead.model.conditions import Context
from warmlead.model.lint.miscounts import Meant
from warmlead.model.lint.synonyms import our_word

ENDS = ("", ")", "&&", "||", "and", "or")
_STARTS = ("", "(", "&&", "||", "and", "or", "!", "not")
"""What stands behind a clause, and in front of one."""

Phrase: TypeAlias = tuple[str, ...]

NEAR = 200
"""How many words around a place are looked at, so that the work is linear in the text."""


@dataclass(frozen=True, slots=True)
class WordPlace:
    """A place of a condition: the words from there on."""

    text: str
    tokens: Sequence[Token]
    i: int
    context: Context

    def token(self, n: int = 0) -> Token:
        """The token so many behind the place; an end that is empty beyond the last."""
        at = self.i + n
        return self.tokens[at] if 0 <= at < len(self.tokens) else Token("end", "", len(self.text))

    def word(self, n: int = 0) -> str:
        """The text of a token in small letters."""
        return self.token(n).text.lower()

    def kind(self, n: int = 0) -> str:
        """The kind of a token."""
        return self.token(n).kind

    def begins(self, phrase: Sequence[str], n: int = 0) -> bool:
        """Whether these words stand there."""
        return all(self.word(n + k) == word for k, word in enumerate(phrase))

    def all_of(self, phrases: Iterable[Phrase], n: int = 0) -> Iterator[Phrase]:
        """Those of the phrases that begin there."""
        first = self.word(n)  # hardly any begins so
        return (each for each in phrases if each[0] == first and self.begins(each, n))

    def first_of(self, phrases: Mapping[Phrase, str], n: int = 0) -> tuple[int, str]:
        """How many words the first of the phrases has that begins there, and what it means."""
        phrase: Phrase = next(self.all_of(phrases, n), ())
        return len(phrase), phrases.get(phrase, "")

    def ours(self, n: int = 0) -> str:
        """What Warmlead calls a name; empty if conditions cannot name it here."""
        name, types = self.token(n).text, self.context.types
        if self.kind(n) != "name":
            return ""
        return name if name in types else our_word(name, types)

    @property
    def is_first(self) -> bool:
        """Whether a clause begins there."""
        return self.word(-1) in _STARTS

    def quoted(self, text: str) -> str:
        """A text in the quotation marks that the condition uses."""
        quote = "'" if "'" in self.text and '"' not in self.text else '"'
        return f"{quote}{text}{quote}"

    def literal(self, n: int) -> str:
        """A token as a text: in quotation marks if it has none."""
        token = self.token(n)
        return token.text if token.kind == "string" else self.quoted(token.text)

    def until(self, closing: str, n: int) -> int:
        """How far the sign that closes a bracket is; 0 if it is not near."""
        depth = 0
        for k in range(n, n + NEAR):
            depth += (self.word(k) in ("(", "[")) - (self.word(k) in (")", "]"))
            if self.word(k) == closing and depth <= 0:
                return k
        return 0


def meant(place: WordPlace, last: int, instead: str, message: str) -> Meant:
    """What to write from a place up to the word that many words behind it, and why."""
    return Meant(place.i + last, instead, message)
