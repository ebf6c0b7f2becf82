"""Mutants of real requests: of their bytes, their JSON, their head, and what wraps them."""

import re
from collections.abc import Callable, Sequence
from random import Random

from fuzz.around import with_mutated_head, wrapped
from fuzz.corpus import push_of, pushed_in
from fuzz.in_bytes import spliced, with_mutated_bytes
from fuzz.in_json import with_mutated_json
from fuzz.sent import Sent
from warmlead.runtime.table import FORMS, SALES, SCORE, TRACK, names, public

MOST_BYTES = 1_500_000
"""No mutant is larger: what is refused for its size is refused at two thirds of this."""

PEOPLE = 40
"""A request of the corpus is sent for so many people in turn, lest one lead has all events."""

FUNCTIONS = {
    **dict.fromkeys(names(public()), 10),
    TRACK.name: 40,
    FORMS.name: 30,
    SALES.name: 20,
    SCORE.name: 10,
}
"""In which proportion mutants go to the functions."""

KINDS: dict[str, tuple[int, Callable[[Sent, Random, Sequence[Sent]], Sent]]] = {
    "its bytes": (30, with_mutated_bytes),
    "its JSON": (38, with_mutated_json),
    "splices": (8, spliced),
    "its head": (14, with_mutated_head),
    "its wrapping": (10, wrapped),
}
"""How many of a hundred mutants are made how."""

ALSO_HEAD = 0.15
ALSO_WRAPPED = 0.1
"""The shares of mutants that have a second mutation."""

OF_PUSHED = 0.8
"""The share of mutated pushes in which the mutation is in what is pushed."""

_WHO = re.compile(rb'("(?:anonymousId|userId|previousId|anonymous_id|user_id|customer)": ?")')


class Mutator:
    """Makes mutants; the same ones from the same randomness and the same corpus."""

    def __init__(self, corpus: Sequence[Sent], random: Random) -> None:
        self._of = {name: [sent for sent in corpus if sent.function == name] for name in FUNCTIONS}
        self._corpus = corpus
        self._random = random

    def mutant(self) -> Sent:
        """A request with one kind of mutation, and now and then a second one."""
        random = self._random
        (function,) = random.choices(list(FUNCTIONS), weights=list(FUNCTIONS.values()))
        original = random.choice(self._of[function] or self._corpus)
        (made_by,) = random.choices(list(KINDS), weights=[weight for weight, _ in KINDS.values()])
        sent = self._mutated(of_person(original, random.randrange(PEOPLE)), made_by)
        if random.random() < ALSO_HEAD:
            sent = with_mutated_head(sent, random)
        if random.random() < ALSO_WRAPPED:
            sent = wrapped(sent, random)
        if len(sent.body) > MOST_BYTES:
            sent = sent.with_body(sent.body[:MOST_BYTES])
        return sent._replace(made_by=made_by)

    def _mutated(self, sent: Sent, made_by: str) -> Sent:
        _, mutate = KINDS[made_by]
        pushed = pushed_in(sent)
        if pushed and self._random.random() < OF_PUSHED:
            return push_of(mutate(sent.with_body(pushed), self._random, self._corpus).body)
        return mutate(sent, self._random, self._corpus)


def of_person(sent: Sent, number: int) -> Sent:
    """The request as another person would have caused it, where that is easily seen."""
    mailbox = b"p%d.example" % number
    moved = sent._replace(target=sent.target.replace(b"example.com", mailbox))
    body = _WHO.sub(rb"\g<1>%d-" % number, sent.body).replace(b"example.com", mailbox)
    return moved.with_body(body) if body != sent.body else moved
