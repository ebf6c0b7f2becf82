"""What a model wants of events: which names it knows, and with which values it compares."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from warmlead.domain.event import AUTOMATED_EVENTS, SALES_EVENTS, Event
from warmlead.domain.event_names import our_name
from warmlead.domain.stages import is_signed_only
from warmlead.model.condition_syntax import compared_with
from warmlead.model.conditions import Context
from warmlead.model.measuring import label_in
from warmlead.model.plan import Plan

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


def wants_of(plan: Plan) -> Wants:
    """What a model wants."""
    of_events = Context.of(plan.event_types, {})
    signals: dict[str, list[str]] = {}
    asked: dict[str, dict[str, frozenset[str]]] = {}
    for name, signal in sorted(plan.signals.items()):
        texts = signal.when or ""
        for event in () if is_signed_only(name) else sorted(signal.on):
            signals.setdefault(event, []).append(name)
            of_event = asked.setdefault(event, {})
            for each in of_events.names(texts):
                literals = {token.text[1:-1] for token in compared_with(each, texts)}
                of_event[each] = of_event.get(each, frozenset()) | literals
    counted = {our_name(label_in(name)) for name in plan.stage_types if "." in name}
    counted -= plan.signals.keys()
    by_nature = {*_BOOKKEEPING, *SALES_EVENTS, *AUTOMATED_EVENTS.values()}
    return Wants(signals, asked, frozenset(counted | by_nature))


def is_wanted(wants: Wants, classify: Callable[[Event], Sequence[str]]) -> Callable[[Event], bool]:
    """Tells whether an event is some signal, or one of which no signal asks anything.

    ``classify`` names the signals of an event.
    """

    def told(event: Event) -> bool:
        asked = event.name in wants.signals and event.name not in wants.passed_over
        return not asked or bool(classify(event))

    return told
