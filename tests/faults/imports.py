"""An import is killed and run again, and taken back through kills: as if nobody had disturbed it.

What the files say is simple enough to say by hand which moves they make, and when. Some persons
are leads already. The import that nobody disturbs is made in a file of its own.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any, NamedTuple, TypeAlias

from builders import NOW, StandingClock, an_event, lead_ids
from faults.backends import Backend, Installed, SqliteBackend
from faults.deployment import MODEL
from faults.sites import ANYWHERE, Switches, Visit, die, die_in, doing
from faults.trial import Outcome, Trial
from faults.watched import WatchedStore
from faults.zygote import Ended, in_a_process
from warmlead.application.apply import Scoring, apply
from warmlead.application.history.living import Living
from warmlead.application.history.running import Pace, Person, begun, take_in
from warmlead.application.history.taking_back import take_back
from warmlead.application.history.taking_in import Importing
from warmlead.domain.event import Event
from warmlead.domain.lead import Lead
from warmlead.domain.stages import Transition
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.ports import LeadStore
from warmlead.ports.imports import ImportRecord, ImportStore, Spend

NAME = "demo"
PERSONS = 20
PACE = Pace(together=2, noted_every=2)
"""Small groups, so that few persons fill several."""

DAY = timedelta(days=1)
THEN = NOW - 800 * DAY
BETWEEN_LIVES = timedelta(minutes=1)
"""So short that no promise to a lead comes due within a trial: an import would keep it."""


class History(NamedTuple):
    """What the files say of each person, and of spend; ``alive`` are leads before the import."""

    persons: Sequence[Person]
    spend: Sequence[Spend]
    alive: Sequence[Event]


class Known(NamedTuple):
    """A lead and its moves."""

    lead: Lead
    moves: Sequence[Transition]

    def timeless(self, *, with_promises: bool = True) -> object:
        """All that does not depend on when the import ran; what it has ended stays ended."""
        lead = self.lead
        moves = [replace(move, learnt=None) if move.imported else move for move in self.moves]
        progress = replace(lead.progress, learnt=None, rest=None, moved=None)
        offer = lead.offer and replace(lead.offer, closed_at=None)
        runs = [replace(each, ended_at=None) for _, each in sorted(lead.enrolments.items())]
        promised = (runs, offer) if with_promises else (sorted(lead.enrolments), bool(offer))
        return moves, progress, lead.trails, lead.created_at, lead.snapshot, lead.outbox, promised


class Kept(NamedTuple):
    """What is kept: leads by id, records of imports, spend, and the ids of what was published."""

    leads: Mapping[str, Known]
    records: Sequence[ImportRecord]
    spend: Sequence[Spend]
    published: Sequence[str]


def history_of(seed: int) -> History:
    """The files of a trial, the same for each seed."""
    random = Random(f"imports {seed}")
    persons = [(f"{n:03}", _person(random, _email(n))) for n in range(PERSONS)]
    day = (THEN + DAY).date()
    spend = [
        Spend(key=f"{n}", day=day, amount_cents=n, currency="EUR", imported=NAME) for n in range(3)
    ]
    alive = [
        an_event(id=f"live-{n}", name="demo_requested", email=_email(n))
        for n in random.sample(range(PERSONS), 4)
    ]
    return History(persons, spend, alive)


def _email(number: int) -> str:
    return f"person-{number}@example.com"


def _person(random: Random, email: str) -> Sequence[Event]:
    """A visit; perhaps an MQL some days later, and perhaps a deal that was won or lost."""
    first = random.randrange(300)
    said = [("page_viewed", first)]
    if random.random() < 0.7:
        said.append(("sales_qualified", first + 3))
        if random.random() < 0.6:
            said.append((random.choice(["sales_won", "sales_lost"]), first + 40))
    events = []
    for name, day in said:
        at = THEN + day * DAY
        stage = {"properties": {"reason": "mql"}} if name == "sales_qualified" else {}
        fields = {"name": name, "email": email, "occurred_at": at, "received_at": at, **stage}
        events.append(an_event(id=f"{name} of {email}", source=f"import:{NAME}", **fields))
    return events


# --- trials ------------------------------------------------------------------------------------


def run(trial: Trial) -> Outcome:
    """One trial: an import with kills, the same once more, and its way back with kills."""
    course = Course(trial, history_of(trial.seed))
    before = course.lives(_begin)
    course.lives(_import, kills=course.random.choice([1, 2, 3]))
    wanted = in_a_process(partial(_undisturbed, trial)).result
    for again in (False, True):
        if again:
            course.lives(_import)
        if kept := course.lives(_look):
            course.found += _as_the_files_say(kept, course.history)
            course.found += _as_undisturbed(kept, wanted)
            course.found += _silent(kept, before)
    course.lives(_undo, kills=course.random.choice([1, 2]))
    if kept := course.lives(_look):
        course.found += _taken_back(kept, before)
    return course.outcome


class Course:
    """One trial under way: its lives follow each other, until one of them shows a fault."""

    def __init__(self, trial: Trial, history: History) -> None:
        self.trial = trial
        self.history = history
        self.random = Random(f"killed imports {trial.seed}")
        self.outcome = Outcome()
        self.found = self.outcome.violations
        self._lives = 0

    def lives(self, work: "Work", *, kills: int = 0) -> Kept | None:
        """What the work comes to in a life that nobody ends, after some that are killed."""
        for kill in [_kill(self.random, self.trial.backend, work) for _ in range(kills)]:
            ended = self._life(work, kill)
            self.outcome.kills += ended.killed
            self.outcome.sites[kill.site] += ended.killed
        return self._life(work, None).result

    def _life(self, work: "Work", kill: Visit | None) -> Ended[Kept | None]:
        if self.found:
            return Ended(None, killed=False, wrong="")
        self._lives += 1
        now = NOW + self._lives * BETWEEN_LIVES
        ended = in_a_process(partial(_live, self.trial, self.history, work, now, kill))
        if ended.wrong or (ended.killed and kill is None):
            self.found.append(f"life {self._lives}: {ended.wrong or 'killed by somebody else'}")
        return ended


def _kill(random: Random, backend: Backend, work: "Work") -> Visit:
    often = {**_OFTEN[work], **_IN_ADAPTERS[backend.name]}
    site = random.choice([*often, ANYWHERE])
    return Visit(site, random.randint(1, 2 * often.get(site, 2 * backend.trial_ms)))


def _live(
    trial: Trial, history: History, work: "Work", now: datetime, kill: Visit | None
) -> Kept | None:
    if kill and kill.site == ANYWHERE:
        die_in(kill.number / 2_000)
    switches = Switches({kill: die} if kill and kill.site != ANYWHERE else {})
    opening = trial.backend.open(trial.folder, StandingClock(now), switches)
    return asyncio.run(_work(opening, history, work, now, switches))


async def _work(
    opening: AbstractAsyncContextManager[Installed],
    history: History,
    work: "Work",
    now: datetime,
    switches: Switches,
) -> Kept | None:
    async with opening as installed:
        return await work(Using(installed, history, now, switches))


def _undisturbed(trial: Trial) -> Kept | None:
    """What is kept after the same import that nobody disturbs."""
    folder, history = trial.folder / "undisturbed", history_of(trial.seed)
    folder.mkdir()
    works: Sequence[Work] = (_begin, _import, _look)
    for work in works:
        now = NOW + BETWEEN_LIVES
        opening = SqliteBackend().open(folder, StandingClock(now), Switches())
        kept = asyncio.run(_work(opening, history, work, now, Switches()))
    return kept


# --- what lives do -------------------------------------------------------------------------------


class Using(NamedTuple):
    """What a life works with."""

    installed: Installed
    history: History
    now: datetime
    switches: Switches

    @property
    def store(self) -> LeadStore:
        return WatchedStore(self.installed.store, self.switches)

    @property
    def imports(self) -> ImportStore:
        return WatchedImports(self.installed.imports, self.switches)


Work: TypeAlias = Callable[[Using], Coroutine[Any, Any, Kept | None]]


class WatchedImports:
    """Keeps the record of imports as the store does."""

    def __init__(self, imports: ImportStore, switches: Switches) -> None:
        self._imports = imports
        self._visit = switches.visit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._imports, name)

    async def keep(self, record: ImportRecord) -> None:
        self._visit("import.note.before")
        await self._imports.keep(record)
        self._visit("import.note.after")


async def _begin(using: Using) -> Kept:
    """Some of the persons are leads already, and sales was told of them."""
    scoring, installed = Scoring(MODEL.rules, lead_ids), using.installed
    for event in using.history.alive:
        clock = StandingClock(NOW)
        await apply([event], store=installed.store, bus=installed.bus, scoring=scoring, clock=clock)
    return await _look(using)


async def _import(using: Using) -> None:
    """What the command does: it goes on where a run was stopped."""
    history, rules = using.history, MODEL.rules
    wanted = ImportRecord(name=NAME, files={"f": "1"}, content="c", began_at=using.now)
    record, goes_on = begun(wanted, await using.imports.imports())
    left = [person for person in history.persons if person[0] > record.placed]
    with doing("import"):
        done = await take_in(
            left,
            history.spend,
            record,
            Importing(NAME, rules, lead_ids, Living(rules, lead_ids), using.now),
            store=using.store,
            imports=using.imports,
            progress=lambda _: None,
            goes_on=goes_on,
            pace=PACE,
        )
    if done.failed:
        raise RuntimeError(f"{done.failed} persons failed: {done.failures}")


async def _undo(using: Using) -> None:
    with doing("undo"):
        await take_back(NAME, store=using.store, rules=MODEL.rules, now=using.now)
        await using.imports.forget(NAME)


async def _look(using: Using) -> Kept:
    installed = using.installed
    leads = {
        lead.id: Known(lead, tuple(await installed.store.transitions(lead.id)))
        async for lead in installed.store.leads()
    }
    day = (THEN + DAY).date()
    spend = [each async for each in installed.imports.spend(day, day + DAY)]
    published = [
        each.attributes["id"]
        for topic in TRIGGER_TOPICS
        for each in await installed.published(topic)
    ]
    records = await installed.imports.imports()
    return Kept(leads, tuple(records), tuple(spend), tuple(sorted(published)))


_OFTEN: Mapping[Work, Mapping[str, int]] = {
    _import: {
        "import.person.before": 5,
        "import.person.read": PERSONS // 2,
        "import.person.decided": PERSONS // 2,
        "import.person.after": 5,
        "import.note.before": 3,
        "import.note.after": 3,
    },
    _undo: {
        "undo.person.before": 1,
        "undo.person.read": PERSONS // 2,
        "undo.person.decided": PERSONS // 2,
        "undo.person.after": 1,
    },
}
"""About how often half a life comes by a site."""

_IN_ADAPTERS: Mapping[str, Mapping[str, int]] = {
    "sqlite": {"file.lead": 12, "file.transition": 20, "file.commit": 10},
    "gcp": {"rpc.Commit.before": 14, "rpc.Commit.answered": 14},
}


# --- what must be so in the end ------------------------------------------------------------------


def _as_the_files_say(kept: Kept, history: History) -> Iterator[str]:
    """I10: each lead that only the import knows has the moves of the files, as of their time."""
    total = 0
    alive = {event.email for event in history.alive}
    by_email = {each.lead.email: each for each in kept.leads.values()}
    for _, events in history.persons:
        email = events[0].email
        known = by_email.get(email)
        if known is None:
            yield f"I10: {email} is missing"
            continue
        moves = [move for move in known.moves if move.imported]
        total += len(moves)
        wanted = [(_STAGES[event.name], event.occurred_at) for event in events]
        if Counter((move.to_stage, move.at) for move in moves) != Counter(wanted):
            found = [(move.to_stage, f"{move.at:%F}") for move in moves]
            told = [(stage, f"{at:%F}") for stage, at in wanted]
            yield f"I10: {email} has the moves {found} and not {told}"
        if email in alive and known.lead.offer is None:
            yield f"I10: {email} is not offered to sales any more"
    if len(by_email) != len(history.persons):
        yield f"I10: there are {len(by_email)} leads of {len(history.persons)} persons"
    counted = [(each.persons, each.moves, each.ended_at is not None) for each in kept.records]
    if counted != [(len(history.persons), total, True)]:
        yield f"I10: the record says {counted}, and there are {total} moves"
    if list(kept.spend) != list(history.spend):
        yield f"I10: {len(kept.spend)} rows of spend are kept of {len(history.spend)}"


_STAGES = {
    "page_viewed": "lead",
    "sales_qualified": "mql",
    "sales_won": "customer",
    "sales_lost": "recycled",
}


def _as_undisturbed(kept: Kept, wanted: Kept | None) -> Iterator[str]:
    """I10: everything is as after an import that nobody has disturbed."""
    if wanted is None:
        yield "I10: the import that nobody disturbs has failed"
        return
    for id_ in sorted(kept.leads.keys() | wanted.leads.keys()):
        found, other = (each.leads.get(id_) for each in (kept, wanted))
        if found is None or other is None or found.timeless() != other.timeless():
            yield f"I10: lead {id_} is not as after an import that nobody disturbs"


def _silent(kept: Kept, before: Kept | None) -> Iterator[str]:
    """I10: the import has told nobody anything, and has promised nothing."""
    if before is None:
        return
    if kept.published != before.published:
        yield f"I10: the import has sent {len(kept.published) - len(before.published)} messages"
    for id_, known in kept.leads.items():
        held = before.leads[id_].lead if id_ in before.leads else None
        had = (held.enrolments, held.offer, held.outbox) if held else ({}, None, ())
        lead = known.lead
        if lead.outbox:
            yield f"I10: lead {id_} has messages that wait to be sent"
        if held is None and (lead.enrolments, lead.offer, lead.outbox) != had:
            yield f"I10: the import has enrolled or offered {lead.email}"


def _taken_back(kept: Kept, before: Kept | None) -> Iterator[str]:
    """I10: nothing is left of an import that was taken back."""
    if before is None:
        return
    if kept.records or kept.spend:
        yield f"I10: {len(kept.records)} records and {len(kept.spend)} rows of spend are left"
    for id_ in sorted(kept.leads.keys() | before.leads.keys()):
        found, other = (each.leads.get(id_) for each in (kept, before))
        if found and any(move.imported for move in found.moves):
            yield f"I10: lead {id_} has moves of the import that was taken back"
        elif found is None or other is None:
            yield f"I10: lead {id_} is {'missing' if found is None else 'left'}"
        elif found.timeless(with_promises=False) != other.timeless(with_promises=False):
            yield f"I10: lead {id_} is not as it was before the import"
