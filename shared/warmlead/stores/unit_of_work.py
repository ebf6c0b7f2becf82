"""Updates that are decided together and written in one commit: what every lead store does alike.

Refuses to read or write: it says which records it must be shown, and which have changed.
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Transition
from warmlead.ports import Change, Commit, Loaded, Need, Tombstone
from warmlead.stores.documents import LeadDocument


class Alias(NamedTuple):
    """What is at the id of an identifier that a lead of another id holds."""

    lead_id: str


Record: TypeAlias = LeadDocument | Alias | Tombstone | None
"""What is kept at an id; ``None``: nothing."""

Deciding: TypeAlias = Generator[frozenset[str], None, Any]
"""Yields the ids whose records must be learnt before it can go on; returns the result."""


class UnitOfWork:
    """The records as a commit sees them: as they were learnt, and what was decided since."""

    def __init__(self) -> None:
        self.moves: list[tuple[str, Transition]] = []
        self._records: dict[str, Record] = {}
        self._changed: set[str] = set()

    def learn(self, records: Mapping[str, Record]) -> None:
        """Takes note of what is kept at ids that were asked for."""
        self._records.update(records)

    @property
    def changed(self) -> dict[str, Record]:
        """The records to be written, in order of id; ``None`` is to be deleted."""
        return {id_: self._records[id_] for id_ in sorted(self._changed)}

    @property
    def relied_on(self) -> list[str]:
        """The ids of leads, and of nothing, on which decisions rest but that do not change."""
        rest = self._records.keys() - self._changed
        return sorted(id_ for id_ in rest if not isinstance(self._records[id_], Alias))

    def decide(self, ids: Iterable[str], change: Change[Any]) -> Deciding:
        """Has the change decide once it has been shown every lead that it needs."""
        loaded: dict[str, Lead | Tombstone | None] = {}
        wanted = frozenset(ids)
        while True:
            loaded |= yield from self._find_all(wanted)
            decision = change(loaded)
            if not isinstance(decision, Need):
                return (yield from self._take(decision))
            wanted = decision.ids - loaded.keys()
            if not wanted:
                raise RuntimeError("a change needs only leads that it has been shown")

    def find(self, id_: str) -> Deciding:
        """The lead or tombstone at an id, following aliases."""
        return (yield from self._find_all(frozenset([id_])))[id_]

    def _find_all(self, ids: frozenset[str]) -> Generator[frozenset[str], None, Loaded]:
        """What is at the ids; aliases are followed, and a circle of them holds nobody."""
        ends: dict[str, Lead | Tombstone | None] = {}
        seen: dict[str, list[str]] = {id_: [id_] for id_ in ids}
        while seen:
            yield from self._known(path[-1] for path in seen.values())
            for id_, path in list(seen.items()):
                record = self._records[path[-1]]
                if isinstance(record, Alias) and record.lead_id not in path:
                    path.append(record.lead_id)
                    continue
                ends[id_] = _held(record)
                del seen[id_]
        return ends

    def _known(self, ids: Iterable[str]) -> Generator[frozenset[str], None, None]:
        if unknown := frozenset(id_ for id_ in ids if id_ not in self._records):
            yield unknown

    def _take(self, commit: Commit[Any]) -> Deciding:
        """Lets those that come later see what was decided."""
        aliases = {id_: lead_id for id_, lead_id in commit.aliases.items() if id_ != lead_id}
        leads = {lead.id: lead for lead in commit.leads}
        # A record is overwritten only as it was seen, lest another writer's be lost.
        yield from self._known([*leads, *aliases, *commit.tombstones])
        for id_, lead in leads.items():
            before = self._records[id_]
            extra = before.extra if isinstance(before, LeadDocument) else {}
            self._records[id_] = LeadDocument(lead, extra)
        self._records |= {id_: Alias(lead_id) for id_, lead_id in aliases.items()}
        self._records |= commit.tombstones
        self._changed.update(leads, aliases, commit.tombstones)
        self.moves += commit.transitions
        return commit.result


def _held(record: Record) -> Lead | Tombstone | None:
    if isinstance(record, LeadDocument):
        return record.lead
    return record if isinstance(record, Tombstone) else None
