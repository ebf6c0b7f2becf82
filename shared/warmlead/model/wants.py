"""What a model wants of events: which names it knows, and with which values it compares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS
from warmlead.domain.event_names import our_name
from warmlead.model.condition_syntax import compared_with
from warmlead.model.conditions import contexts_of, stage_conditions
from warmlead.model.measuring import label_in
from warmlead.model.schema import ModelFile

_BOOKKEEPING = ("identified", "grouped", "aliased")
"""Events that tell who somebody is, and nothing that they did."""


@dataclass(frozen=True, slots=True)
class Wants:
    """``signals`` are by the name of their event, and ``asked`` are what their conditions name.

    ``asked``: event → property → the texts with which it is compared. ``passed_over`` are names
    that a condition counts, or that bring no points by their nature.
    """

    signals: Mapping[str, Sequence[str]]
    asked: Mapping[str, Mapping[str, frozenset[str]]]
    passed_over: frozenset[str]


def wants_of(file: ModelFile) -> Wants:
    """What the model in a file wants."""
    contexts = contexts_of(file)
    signals: dict[str, list[str]] = {}
    asked: dict[str, dict[str, frozenset[str]]] = {}
    for name, signal in sorted(file.signals.items()):
        texts = signal.when or ""
        for event in dict.fromkeys(map(our_name, signal.on)):
            signals.setdefault(event, []).append(name)
            of_event = asked.setdefault(event, {})
            for each in contexts.event.names(texts):
                literals = {token.text[1:-1] for token in compared_with(each, texts)}
                of_event[each] = of_event.get(each, frozenset()) | literals
    named = {n for text in stage_conditions(file) for n in contexts.stage.names(text) if "." in n}
    counted = {our_name(label_in(name)) for name in named} - file.signals.keys()
    by_nature = {*_BOOKKEEPING, *SALES_EVENTS, *AUTOMATED_EVENTS.values()}
    return Wants(signals, asked, frozenset(counted | by_nature))
