"""Runs an import: person after person, each in one commit; it can be stopped and run again."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import TypeAlias, TypeVar

from msgspec import structs

from warmlead.application.history.taking_in import Importing, TakenIn, TakingIn
from warmlead.domain.errors import ConfigurationError, UnreadableError
from warmlead.domain.event import Event
from warmlead.ports import LeadStore
from warmlead.ports.imports import ImportRecord, ImportStore, Spend

SPENDS_TOGETHER = 500

MOST_FAILURES = 20

Person: TypeAlias = tuple[str, Sequence[Event]]
"""The place of a person in the order of places, and the person's events."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many persons are taken in ``together``, side by side.

    After ``noted_every`` of these groups the place is noted from which a stopped import goes on.
    """

    together: int = 200
    noted_every: int = 5

    @property
    def unnoted(self) -> int:
        """The most persons that a run has taken in, when it ends, without having noted it."""
        return self.together * self.noted_every


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has done; ``failed`` persons stay as they were, with the first errors."""

    taken: TakenIn = field(default_factory=TakenIn)
    persons: int = 0
    failed: int = 0
    failures: tuple[tuple[str, Exception], ...] = ()


USUAL = Pace()


def begun(wanted: ImportRecord, known: Sequence[ImportRecord]) -> tuple[ImportRecord, bool]:
    """The record with which an import begins, and whether it is that of a run that was stopped.

    ``wanted`` is the record of an import of which nothing is ``known``. Raises
    ``ConfigurationError`` if a file is in another import, or the import was made otherwise.
    """
    files, before, moves = wanted.files, dict[str, str](), 0
    for other in known:
        shared = set(files.values()) & set(other.files.values())
        if other.name != wanted.name and shared:
            file = next(file for file, digest in files.items() if digest in shared)
            problem = f"{file} is in it; take it back first, or import under its name"
            raise ConfigurationError.one(f"The import {other.name} has the same file:", problem)
        if other.name != wanted.name:
            continue
        if shared and other.content != wanted.content:
            problem = f"take it back first: warmlead import undo {wanted.name}"
            what = f"The import {wanted.name} was made with another mapping or model:"
            raise ConfigurationError.one(what, problem)
        if other.files == files and other.content == wanted.content and other.ended_at is None:
            return other, True
        before, moves = dict(other.files), other.moves
    return structs.replace(wanted, files={**before, **files}, moves=moves), False


async def take_in(
    persons: Iterable[Person],
    spends: Iterable[Spend],
    record: ImportRecord,
    importing: Importing,
    *,
    store: LeadStore,
    imports: ImportStore,
    progress: Callable[[int], None],
    goes_on: bool = False,
    pace: Pace = USUAL,
) -> Imported:
    """Takes in the persons, who are in the order of their places, and the spend.

    The ``record`` says what was done before; it is kept as the work goes on. ``goes_on``: it is
    that of a run that was stopped, and the persons are those behind the place that it names.
    ``progress`` is told how many persons are done. Raises ``UnavailableError`` if it should be run
    again.
    """
    await imports.keep(record)
    for some in _groups(spends, SPENDS_TOGETHER):
        await imports.keep_spend(some)
    done, unnoted = Imported(), 0
    for count, group in enumerate(_groups(persons, pace.together), 1):
        changes = [TakingIn(events, importing) for _, events in group]
        outcomes = await _take_in(changes, store)
        if goes_on and done.persons < pace.unnoted:
            unnoted += await _unnoted(record, changes, outcomes, store)
        done = _added(done, changes, outcomes)
        progress(done.persons)
        if count % pace.noted_every == 0:
            await imports.keep(_noted(record, done, unnoted, placed=group[-1][0]))
    ended = _noted(record, done, unnoted, placed="")
    await imports.keep(structs.replace(ended, ended_at=importing.now))
    return done


def _noted(record: ImportRecord, done: Imported, unnoted: int, *, placed: str) -> ImportRecord:
    return structs.replace(
        record,
        placed=placed,
        persons=record.persons + done.persons,
        moves=record.moves + done.taken.moves + unnoted,
    )


_Outcomes: TypeAlias = Sequence[TakenIn | Exception]


async def _take_in(changes: Sequence[TakingIn], store: LeadStore) -> _Outcomes:
    outcomes = await store.update_each([(change.ids, change) for change in changes])
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, UnreadableError):
            raise outcome
    return outcomes


async def _unnoted(
    record: ImportRecord, changes: Sequence[TakingIn], outcomes: _Outcomes, store: LeadStore
) -> int:
    """How many moves of some persons a run that was stopped has kept without having noted them."""
    pairs = zip(changes, outcomes, strict=True)
    kept = [
        change
        for change, each in pairs
        if isinstance(each, TakenIn) and each.known and not each.leads
    ]
    return sum(await asyncio.gather(*(_moves_kept(record, change, store) for change in kept)))


async def _moves_kept(record: ImportRecord, change: TakingIn, store: LeadStore) -> int:
    found = await asyncio.gather(*(store.get(id_) for id_ in change.lead_ids))
    ids = {lead.id for lead in found if lead is not None}
    of_each = await asyncio.gather(*(store.transitions(id_) for id_ in sorted(ids)))
    moves = [move for moves in of_each for move in moves if move.imported == record.name]
    return sum(move.learnt_at >= record.began_at for move in moves)


def _added(done: Imported, changes: Sequence[TakingIn], outcomes: _Outcomes) -> Imported:
    good = [each for each in outcomes if isinstance(each, TakenIn)]
    pairs = zip(changes, outcomes, strict=True)
    bad = [(change.ids[0], each) for change, each in pairs if isinstance(each, Exception)]
    sums = {
        each.name: getattr(done.taken, each.name) + sum(getattr(one, each.name) for one in good)
        for each in fields(TakenIn)
    }
    return replace(
        done,
        taken=TakenIn(**sums),
        persons=done.persons + len(outcomes),
        failed=done.failed + len(bad),
        failures=(*done.failures, *bad)[:MOST_FAILURES],
    )


T = TypeVar("T")


def _groups(items: Iterable[T], most: int) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, most)):
        yield some
