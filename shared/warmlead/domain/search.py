"""By which words people find a lead: names, company and addresses, as anybody would type them."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice, zip_longest
from typing import TypeAlias

from warmlead.domain.identity import Kind
from warmlead.domain.lead import Lead
from warmlead.domain.text import in_one_spelling, without_marks
from warmlead.domain.traits import values_of

SHORTEST = 2
"""The fewest characters by which leads are found: one would find a tenth of them."""

LONGEST = 15
"""How many characters of a word and what follows it count: nearly nobody shares so many."""

MOST_WORDS = 20
"""The most words by which one lead is found."""

MOST_READ = 80
"""How many characters of a name or an address are read."""

Words: TypeAlias = tuple[str, ...]

_BETWEEN = re.compile(r"[\W_]+")
_SPACED = {code: " " for code in range(128) if not chr(code).isalnum()}
_NAMES = (("first_name", "last_name"), ("last_name", "first_name"), ("name",), ("company",))
_TRAITS = sorted({name for names in _NAMES for name in names})


def words_of(lead: Lead) -> Words:
    """The words by which a lead is found, each with what follows it, sorted; cut at ``LONGEST``.

    The words of its name, in either order of its parts, and of its company; each address from its
    beginning, and from its host on. Of more than ``MOST_WORDS`` the first of each of these.
    """
    names, addresses = tuple(_names(lead)), tuple(_addresses(lead))
    return _words_in(names, addresses) if names or addresses else ()


@lru_cache(maxsize=1_000)
def _words_in(names: tuple[str, ...], addresses: tuple[str, ...]) -> Words:
    """Kept, since most writes of a lead change none of them."""
    beginnings = [_from_each_word(folded(name)) for name in names]
    beginnings += (iter((folded(a), folded(a.rpartition("@")[2]))) for a in addresses)
    # In turns: whoever fills in a form with many words drives out none of the address.
    texts = chain.from_iterable(zip_longest(*beginnings, fillvalue=""))
    cut = (text[:LONGEST].rstrip() for text in texts)
    words = sorted(islice(dict.fromkeys(word for word in cut if len(word) >= SHORTEST), MOST_WORDS))
    following = zip(words, [*words[1:], ""], strict=True)
    return tuple(word for word, after in following if after[: len(word)] != word)


def _from_each_word(text: str) -> Iterator[str]:
    while text:
        yield text
        text = text.partition(" ")[2]


def folded(text: str) -> str:
    """A text as it is compared: words of small letters and digits, without accents.

    One space lies between words, whatever did. Other scripts keep their letters; a script without
    spaces between words is one word.
    """
    text = text[:MOST_READ].lower()
    if text.isascii():  # in a fifth of the time
        return " ".join(text.translate(_SPACED).split())
    text = "".join(map(_plain, in_one_spelling(text)))[:MOST_READ]  # some become several
    return _BETWEEN.sub(" ", text.lower()).strip()  # the letters of formulas have become small


def sought_word(text: str) -> str:
    """What is looked for among the beginnings of words; empty if the text is too short."""
    word = folded(text)[:LONGEST].rstrip()
    return word if len(word) >= SHORTEST else ""


def prefixes(words: Iterable[str]) -> list[str]:
    """Everything that can be looked for and finds one of some words; for stores without ranges."""
    ends = ((word, end) for word in words for end in range(SHORTEST, len(word) + 1))
    return [*dict.fromkeys(word[:end] for word, end in ends if word[end - 1] != " ")]


_plain = lru_cache(maxsize=2_000)(without_marks)


def _names(lead: Lead) -> Iterator[str]:
    trails = lead.trails.values()
    stated = {n: [trail.traits[n] for trail in trails if n in trail.traits] for n in _TRAITS}
    facts = {name: max(of_name) for name, of_name in stated.items() if of_name}
    traits = values_of(facts) if facts else {}
    for names in _NAMES if facts else ():
        if text := " ".join(str(traits[name]) for name in names if name in traits):
            yield text


def _addresses(lead: Lead) -> Iterator[str]:
    trails = lead.trails
    return (
        trails[id_].identifier.value
        for id_ in sorted(trails)
        if trails[id_].identifier.kind is Kind.EMAIL
    )
