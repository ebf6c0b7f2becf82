"""Updates that are decided together and written in one commit: the common part of all stores.

It has no I/O: it asks for the records that it needs, and returns those that have changed.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct, structs

from warmlead.domain.errors import UnreadableError
from warmlead.domain.history import from_ms
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureRecord
from warmlead.domain.stages import Transition
from warmlead.ports import (
    Change,
    Commit,
    JointChange,
    Loaded,
    Need,
    ToleratesUnreadable,
    Tombstone,
    Unreadable,
    Update,
)
from warmlead.stores.codec import LeadDocument

T = TypeVar("T")


class Alias(Struct, frozen=True):
    """The record at the id of an identifier that belongs to a lead with another id."""

    lead_id: str


Record: TypeAlias = LeadDocument | Unreadable | Alias | Tombstone | None
"""What is kept at an id; ``None``: nothing."""

Deciding: TypeAlias = Generator[frozenset[str], None, Any]
"""Yields the ids whose records it needs before it can go on; returns the result."""


class Raised(Struct, frozen=True):
    """The answer to an update whose change raised an error: it wrote nothing."""

    error: Exception


class UnitOfWork:
    """The records as a commit sees them: as they were read, with the decisions since.

    ``moves`` and ``nurtured`` are recorded after those of the ``erased`` ids are deleted, and the
    moves that are ``retracted``: ids, each with an import.
    """

    def __init__(self) -> None:
        self.moves: list[tuple[str, Transition]] = []
        self.nurtured: list[tuple[str, NurtureRecord]] = []
        self.erased: set[str] = set()
        self.retracted: set[tuple[str, str]] = set()
        self._records: dict[str, Record] = {}
        self._changed: set[str] = set()
        self._followed: set[str] = set()
        self._looked_at: set[str] = set()

    def learn(self, records: Mapping[str, Record]) -> None:
        """Adds the records at requested ids."""
        self._records.update(records)

    @property
    def changed(self) -> dict[str, Record]:
        """The records to be written, in order of id; ``None`` is to be deleted."""
        return {id_: self._records[id_] for id_ in sorted(self._changed)}

    @property
    def relied_on(self) -> set[str]:
        """The ids on which the changes depend, but which do not change; some have no record."""
        rest = self._followed - self._changed
        return {id_ for id_ in rest if not isinstance(self._records[id_], Alias)}

    @property
    def looked_at(self) -> set[str]:
        """The ids whose change was decided to be none, and that do not change."""
        return self._looked_at - self._changed - self.relied_on

    def decide_all(self, updates: Sequence[Update[Any]]) -> Deciding:
        """The answer of each update, ``Raised`` if its change raised an error.

        Changes of one lead that can be joined are decided together; if that fails, one by one.
        """
        found = yield from self._find_all(frozenset(id_ for ids, _ in updates for id_ in ids))
        together: dict[object, list[int]] = {}
        for place, (ids, change) in enumerate(updates):
            key = (_home(ids[0], found), type(change)) if isinstance(change, JointChange) else place
            together.setdefault(key, []).append(place)
        answers: list[Any] = [None] * len(updates)
        for places in together.values():
            some = [updates[place] for place in places]
            for place, answer in zip(places, (yield from self._decide_some(some)), strict=True):
                answers[place] = answer
        return answers

    def _decide_some(self, updates: Sequence[Update[Any]]) -> Deciding:
        """The answers of some updates of one lead."""
        joint = [change for _, change in updates if isinstance(change, JointChange)]
        if len(joint) > 1:
            first, *others = joint
            all_ids = {id_ for ids, _ in updates for id_ in ids}
            answers = yield from self._try(all_ids, first.joined_with(others))
            if not isinstance(answers, Raised):
                return answers
        one_by_one = []
        for ids, change in updates:
            one_by_one.append((yield from self._try(ids, change)))
        return one_by_one

    def _try(self, ids: Iterable[str], change: Change[Any]) -> Deciding:
        try:
            return (yield from self.decide(ids, change))
        except Exception as error:  # noqa: BLE001  # a change's own error, for its own caller
            return Raised(error)

    def decide(self, ids: Iterable[str], change: Change[Any]) -> Deciding:
        """Lets the change decide as soon as it has every lead that it needs."""
        loaded: dict[str, Lead | Tombstone | Unreadable | None] = {}
        path: set[str] = set()
        wanted = frozenset(ids)
        while True:
            loaded |= yield from self._find_all(wanted, path)
            if not isinstance(change, ToleratesUnreadable):
                _refuse_unreadable(loaded)
            self._looked_at |= path
            decision = change(loaded)
            if not isinstance(decision, Need):
                return (yield from self._take(decision, path))
            wanted = decision.ids - loaded.keys()
            if not wanted:
                raise RuntimeError("a change needs only leads that it has been shown")

    def find(self, id_: str) -> Deciding:
        """The lead or tombstone at an id, following aliases; raises ``UnreadableError``."""
        found = yield from self.find_all([id_])
        _refuse_unreadable(found)
        return found[id_]

    def find_all(self, ids: Iterable[str]) -> Deciding:
        """What is at each of some ids, following aliases."""
        return (yield from self._find_all(frozenset(ids)))

    def _find_all(
        self, ids: frozenset[str], on_the_way: set[str] | None = None
    ) -> Generator[frozenset[str], None, Loaded]:
        """The records at the ids; aliases are followed, and a circle of them has no lead.

        All ids on the way are added to ``on_the_way``.
        """
        ends: dict[str, Lead | Tombstone | Unreadable | None] = {}
        seen: dict[str, list[str]] = {id_: [id_] for id_ in ids}
        while seen:
            yield from self._known(path[-1] for path in seen.values())
            for id_, path in list(seen.items()):
                record = self._records[path[-1]]
                if isinstance(record, Alias) and record.lead_id not in path:
                    path.append(record.lead_id)
                    continue
                ends[id_] = _held(record)
                if on_the_way is not None:
                    on_the_way.update(path)
                del seen[id_]
        return ends

    def _known(self, ids: Iterable[str]) -> Generator[frozenset[str], None, None]:
        if unknown := frozenset(id_ for id_ in ids if id_ not in self._records):
            yield unknown

    def _take(self, commit: Commit[Any], seen: set[str]) -> Deciding:
        """Shows the decision to later updates, with the records that it has ``seen``."""
        aliases = {id_: lead_id for id_, lead_id in commit.aliases.items() if id_ != lead_id}
        leads = {lead.id: lead for lead in commit.leads}
        # A record is overwritten only as it was seen, lest another writer's be lost.
        yield from self._known([*leads, *aliases, *commit.tombstones, *commit.removed])
        for id_, lead in leads.items():
            before = self._records[id_]
            extra = before.extra if isinstance(before, LeadDocument) else {}
            self._records[id_] = LeadDocument(lead, extra)
        self._records |= {id_: Alias(lead_id) for id_, lead_id in aliases.items()}
        self._records |= commit.tombstones
        self._records |= dict.fromkeys(commit.removed)
        if leads or aliases or commit.tombstones or commit.removed:
            self._changed.update(leads, aliases, commit.tombstones, commit.removed)
            self._followed |= seen
        if commit.tombstones:
            self.erased.update(commit.tombstones)
            gone_ids = commit.tombstones.keys()
            self.moves = [move for move in self.moves if move[0] not in gone_ids]
            self.nurtured = [each for each in self.nurtured if each[0] not in gone_ids]
        if gone := set(commit.retracted):
            self.retracted |= gone
            self.moves = [(i, move) for i, move in self.moves if (i, move.imported) not in gone]
        self.moves += commit.transitions
        self.nurtured += commit.nurtured
        return commit.result


def erasures_at(id_: str, record: Record) -> Iterator[Tombstone]:
    """The erasures of which the record at an id knows."""
    if isinstance(record, Tombstone):
        yield structs.replace(record, ids=record.ids or (id_,))
    elif isinstance(record, LeadDocument):
        for trail_id, trail in record.lead.trails.items():
            if trail.erased_ms is not None:
                yield Tombstone(from_ms(trail.erased_ms), (trail_id,))


def _held(record: Record) -> Lead | Tombstone | Unreadable | None:
    if isinstance(record, LeadDocument):
        return record.lead
    return record if isinstance(record, Tombstone | Unreadable) else None


def _refuse_unreadable(loaded: Loaded) -> None:
    problems = {each.id: each.problem for each in loaded.values() if isinstance(each, Unreadable)}
    if problems:
        raise UnreadableError(problems)


def _home(id_: str, found: Loaded) -> str:
    lead = found[id_]
    return lead.id if isinstance(lead, Lead | Unreadable) else id_


def passed_on(answer: T | BaseException) -> T | Exception:
    """An answer, or the error that stands for it; raises what ends the program."""
    if isinstance(answer, BaseException) and not isinstance(answer, Exception):
        raise answer
    return answer
