"""Runs an import: person after person, each in one commit; it can be stopped and run again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from typing import TypeAlias, TypeVar

from msgspec import structs

from warmlead.application.history.taking_in import Importing, TakenIn, TakingIn
from warmlead.domain.errors import UnreadableError
from warmlead.domain.event import Event
from warmlead.ports import LeadStore
from warmlead.ports.imports import ImportRecord, ImportStore, Spend

PERSONS_TOGETHER = 200
"""How many persons are taken in side by side."""

SPENDS_TOGETHER = 500

NOTED_EVERY = 5
"""After how many of these groups the place is noted from which a stopped import goes on."""

MOST_FAILURES = 20

Person: TypeAlias = tuple[str, Sequence[Event]]
"""The place of a person in the order of places, and the person's events."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has done; ``failed`` persons stay as they were, with the first errors."""

    taken: TakenIn = field(default_factory=TakenIn)
    persons: int = 0
    failed: int = 0
    failures: tuple[tuple[str, Exception], ...] = ()


async def take_in(
    persons: Iterable[Person],
    spends: Iterable[Spend],
    record: ImportRecord,
    importing: Importing,
    *,
    store: LeadStore,
    imports: ImportStore,
    progress: Callable[[int], None],
) -> Imported:
    """Takes in the persons, who are in the order of their places, and the spend.

    The ``record`` says what was done before; it is kept as the work goes on. ``progress`` is told
    how many persons are done. Raises ``UnavailableError`` if it should be run again.
    """
    await imports.keep(record)
    for some in _groups(spends, SPENDS_TOGETHER):
        await imports.keep_spend(some)
    done = Imported()
    for count, group in enumerate(_groups(persons, PERSONS_TOGETHER), 1):
        done = _added(done, await _take_in(group, importing, store))
        progress(done.persons)
        if count % NOTED_EVERY == 0:
            await imports.keep(_noted(record, done, placed=group[-1][0]))
    ended = _noted(record, done, placed="")
    await imports.keep(structs.replace(ended, ended_at=importing.now))
    return done


def _noted(record: ImportRecord, done: Imported, *, placed: str) -> ImportRecord:
    return structs.replace(
        record,
        placed=placed,
        persons=record.persons + done.persons,
        moves=record.moves + done.taken.moves,
    )


async def _take_in(
    group: Sequence[Person], importing: Importing, store: LeadStore
) -> list[tuple[str, TakenIn | Exception]]:
    changes = [TakingIn(events, importing) for _, events in group]
    outcomes = await store.update_each([(change.ids, change) for change in changes])
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, UnreadableError):
            raise outcome
    return [(change.ids[0], each) for change, each in zip(changes, outcomes, strict=True)]


def _added(done: Imported, outcomes: Sequence[tuple[str, TakenIn | Exception]]) -> Imported:
    good = [each for _, each in outcomes if isinstance(each, TakenIn)]
    bad = [(id_, each) for id_, each in outcomes if isinstance(each, Exception)]
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
