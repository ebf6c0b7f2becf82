"""Traits as a trail keeps them: of each the value that wins, whatever the order of arrival."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from warmlead.domain.event import Event, Property
from warmlead.domain.history import to_ms

MAX_TRAITS = 250
"""The limit of traits of an identifier: those that the model knows stay, then signed ones."""

MAX_PUBLIC_TRAIT_BYTES = 1_500
"""The limit of the JSON of a trait that the model knows, from a public source; texts are cut."""


class TraitFact(NamedTuple):
    """A trait's value, ordered by what decides which value wins: the greatest fact does."""

    rank: int  # 1 signed, 0 public
    at_ms: int
    key: str
    value_json: str

    @property
    def value(self) -> Property:
        """The value."""
        value: Property = stored_value(self.value_json)
        return value


_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def stored_value(text: str) -> Any:  # noqa: ANN401  # whatever was stored
    """The value of a JSON text of our own.

    ``msgspec`` takes half the time of ``json``; it does not take half a surrogate pair, which a
    sender's text may hold. Raises ``ValueError`` for a text that is not JSON.
    """
    try:
        return _DECODER.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


_NAMES = ("name", "first_name", "last_name")
"""Traits that say one thing together."""


def values_of(facts: Mapping[str, TraitFact]) -> dict[str, Property]:
    """The values that are known, by name.

    If a signed source has stated a part of the person's name, no public part counts: else whoever
    fills in a form could choose by what name a mail greets somebody whom a CRM knows.
    """
    known = {name: fact.value for name, fact in sorted(facts.items())}
    named = [name for name in _NAMES if known.get(name) is not None]
    is_signed = any(facts[name].rank for name in named)
    left_out = {name for name in named if is_signed and not facts[name].rank}
    return {n: value for n, value in known.items() if value is not None and n not in left_out}


def with_traits(
    before: Mapping[str, TraitFact], event: Event, known: frozenset[str]
) -> dict[str, TraitFact]:
    """The traits with those of an event: the best value of each, those of the model first."""
    at_ms, rank = to_ms(event.occurred_at), event.trust.rank
    traits = dict(before)
    for name, value in event.traits.items():
        value_json = json.dumps(value, sort_keys=True)
        if not rank and name in known:
            value_json = _cut(value, value_json)
        fact = TraitFact(rank, at_ms, event.key, value_json)
        traits[name] = max(fact, traits.get(name, fact))
    return kept_traits(traits, known)


def stated(event: Event, name: str, most: int) -> TraitFact:
    """What an event states of a trait; of a text the first characters, of a list nothing."""
    value = event.traits[name]
    if isinstance(value, str):
        value = value[:most]
    rank = event.trust.rank
    value_json = json.dumps(None if isinstance(value, list) else value)
    return TraitFact(rank, to_ms(event.occurred_at), event.key, value_json)


def kept_traits(traits: dict[str, TraitFact], known: frozenset[str]) -> dict[str, TraitFact]:
    """As many traits as are kept: those that the model knows come first, then signed ones."""
    if len(traits) <= MAX_TRAITS:
        return traits
    ordered = sorted(traits.items(), key=lambda i: (i[0] not in known, -i[1].rank, i[0]))
    return dict(ordered[:MAX_TRAITS])


def _cut(value: Property, value_json: str) -> str:
    """The JSON of a trait, cut to the limit: the start of a text, the first entries of a list."""
    while len(value_json) > MAX_PUBLIC_TRAIT_BYTES and isinstance(value, str | list):
        fitting = len(value) * MAX_PUBLIC_TRAIT_BYTES // len(value_json)
        value = value[: fitting * 19 // 20]
        value_json = json.dumps(value, sort_keys=True)
    return value_json
