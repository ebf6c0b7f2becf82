"""What an import says of a person, kept apart from all else: it can be taken back as a whole.

The data of an import are a trail of their own (``Kind.IMPORT``), linked to the identifiers of the
person. The identifiers themselves hold nothing of it but those links.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from warmlead.domain.consent import REFUSALS, with_facts
from warmlead.domain.history import NO_HISTORY, Counts, History
from warmlead.domain.identity import Claim, Identifier, Kind, LeadIds, best_claims
from warmlead.domain.identity_resolution import joined
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.recording import record

MAX_NAME_LENGTH = 40
"""The longest name of an import, in characters."""

_SOURCE = "import:"


def source_of(name: str) -> str:
    """The source of the events of an import; also the key of claims that it makes."""
    return f"{_SOURCE}{name}"


def layers_of(trails: Mapping[str, Trail], name: str) -> dict[str, Trail]:
    """The trails of an import among those of a lead, by id."""
    return {id_: trail for id_, trail in trails.items() if is_layer(trail, name)}


def is_layer(trail: Trail, name: str) -> bool:
    """Whether a trail holds what an import of this name says."""
    kind, value = trail.identifier
    return kind is Kind.IMPORT and value.startswith(f"{name}/")


def imports_of(lead: Lead) -> list[str]:
    """The names of the imports that say something of the lead."""
    named = (t.identifier for t in lead.trails.values() if t.identifier.kind is Kind.IMPORT)
    return sorted({each.value.partition("/")[0] for each in named})


def as_layer(lived: Lead, name: str, ids: LeadIds, known: frozenset[str]) -> tuple[str, Trail]:
    """Everything that an import says of a lead as one trail, with its id.

    ``known`` are the traits that the model knows.
    """
    identifier = Identifier(Kind.IMPORT, f"{name}/{lived.id}")
    named = [id_ for id_, t in lived.trails.items() if t.identifier.kind < Kind.ANONYMOUS]
    whole: Trail | None = None
    for _, trail in sorted(lived.trails.items()):
        bare = replace(trail, identifier=identifier, links=frozenset(), claims=(), is_signed=False)
        whole = bare if whole is None else joined(whole, bare, known)
    links = frozenset(named or [lived.id])
    return ids.of(identifier), replace(whole or Trail(identifier), links=links)


def with_layer(
    trails: Mapping[str, Trail], lived: Lead, layer_id: str, layer: Trail, name: str
) -> dict[str, Trail]:
    """The trails with the identifiers of an imported lead, and with its layer.

    An anonymous id stays open to what browsers claim of it.
    """
    after = dict(trails)
    for id_, said in lived.trails.items():
        trail = after.get(id_, Trail(said.identifier))
        claims = [claim._replace(key=source_of(name)) for claim in said.claims]
        after[id_] = replace(
            trail,
            is_signed=trail.is_signed or (said.is_signed and said.identifier.kind < Kind.ANONYMOUS),
            claims=best_claims([*trail.claims, *claims]),
            links=trail.links | {layer_id} if id_ in layer.links else trail.links,
        )
    after[layer_id] = layer
    return after


def without_layers(trails: Mapping[str, Trail], name: str) -> dict[str, Trail]:
    """The trails without what an import says; a refusal of mail stays with the person.

    Identifiers that nothing else has named are not among them.
    """
    gone = layers_of(trails, name)
    after = {
        id_: replace(
            trail,
            links=trail.links - gone.keys(),
            claims=tuple(_others(trail.claims, name)),
        )
        for id_, trail in trails.items()
        if id_ not in gone
    }
    for layer in gone.values():
        refused = [fact for fact in layer.consent if fact.cause in REFUSALS]
        home = min((after[i].identifier, i) for i in layer.links if i in after)[1]
        if refused:
            consent = with_facts(after[home].consent, refused)
            after[home] = replace(after[home], consent=consent)
    return {id_: trail for id_, trail in after.items() if not _is_bare(trail)}


def _others(claims: Iterable[Claim], name: str) -> Iterable[Claim]:
    return (claim for claim in claims if claim.key != source_of(name))


def _is_bare(trail: Trail) -> bool:
    """Whether nothing is known under the identifier."""
    return replace(trail, is_signed=False) == Trail(trail.identifier)


def united(one: Trail, other: Trail, known: frozenset[str]) -> Trail:
    """What an import says in two runs, as of one time; what both say counts once.

    Of events that are only counts the larger count of a day is taken: those of one run may be among
    those of the other. ``known`` are the traits that the model knows.
    """
    identifier = one.identifier
    both = joined(
        replace(one, history=NO_HISTORY),
        replace(other, history=NO_HISTORY, identifier=identifier),
        known,
    )
    here, there = one.history, other.history
    counts = History(
        signal_days=_most(here.signal_days, there.signal_days),
        name_days=_most(here.name_days, there.name_days),
        last_day=_latest(here.last_day, there.last_day),
    )
    kept = [*here.kept.values(), *there.kept.values()]
    return replace(both, history=record(counts, kept) if kept else counts)


def _most(one: Counts, other: Counts) -> Counts:
    return {label: _latest(one.get(label, {}), other.get(label, {})) for label in {**one, **other}}


Key = TypeVar("Key")


def _latest(one: Mapping[Key, int], other: Mapping[Key, int]) -> dict[Key, int]:
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in {**one, **other}}


def says_as_much(one: Trail, other: Trail, known: frozenset[str]) -> bool:
    """Whether ``one`` says everything that ``other`` says."""
    return _content(united(one, other, known)) == _content(one)


def _content(trail: Trail) -> tuple[object, ...]:
    history = trail.history
    counts = (dict(history.kept), history.signal_days, history.name_days, history.last_day)
    bare = replace(trail, history=NO_HISTORY, links=frozenset())
    return bare, counts
