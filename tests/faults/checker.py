"""Looks at the end of a trial, and names every promise that was broken.

Reads the client's journal, the store, what was published, and the model. The application's own
counters and answers prove nothing.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from faults.backends import Installed
from faults.expected import (
    Aside,
    Expected,
    as_kept,
    brute_force,
    disputed,
    expected_of,
    leads_of,
    trigger_id_of,
)
from faults.journal import Journal
from faults.workload import Workload
from warmlead.domain.assessment import assess
from warmlead.domain.event import Event
from warmlead.domain.identity import Kind
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Transition
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic
from warmlead.ports import Message

AT_ONCE = 32
MOST_LEADS = 400
"""Of so many leads the recorded moves are read one by one; of a crowd of more, every n-th."""


class Books(NamedTuple):
    """Everything that the checker may look at, as it was in the end."""

    expected: Expected
    leads: Mapping[str, Lead]
    moves: Mapping[str, Sequence[Transition]]
    sink: Sequence[Message]
    quarantine: Sequence[Message]
    accepted: Sequence[Message]
    rules: Rules
    now: datetime


async def violations(
    plan: Workload,
    journal: Journal,
    installed: Installed,
    rules: Rules,
    *,
    most_repeats: int | None = None,
    steady: bool = True,
) -> list[str]:
    """Every broken promise, in words; empty if all were kept.

    ``most_repeats`` is how often a trigger may have been sent again; not ``steady`` are stages
    under several models at once, which follow whichever model was asked last.
    """
    now = journal.latest
    assert now is not None
    leads = {lead.id: lead async for lead in installed.store.leads()}
    looked_at = sorted(leads)[:: 1 + len(leads) // MOST_LEADS]
    books = Books(
        expected=expected_of(plan, journal),
        leads=leads,
        moves={id_: await installed.store.transitions(id_) for id_ in looked_at},
        sink=[m for topic in TRIGGER_TOPICS for m in await installed.published(topic)],
        quarantine=await installed.published(Topic.QUARANTINE),
        accepted=await installed.published(Topic.LEAD_EVENTS),
        rules=rules,
        now=now,
    )
    found = [
        *_counted_once(books),
        *_recomputed(books, steady=steady),
        *await _unfindable(books, installed),
        *_set_aside(books),
        *_triggered_once(books, most_repeats),
        *_refused_without_effect(books, plan),
        *await _nothing_left(books, installed),
    ]
    return list(dict.fromkeys(found))


def _counted_once(books: Books) -> list[str]:
    """I1: each accepted event is on its lead exactly once."""
    found = []
    places = Counter(
        key
        for lead in books.leads.values()
        for trail in lead.trails.values()
        for key in trail.history.kept
    )
    for key, forms in books.expected.events.items():
        if places[key] != 1:
            what = f"{forms[0].name} {forms[0].id} ({forms[0].trust})"
            found.append(f"I1: {what} was answered 2xx and is on leads {places[key]} times")
    strange = places.keys() - books.expected.events.keys()
    return found + [f"I1: an event is counted that nobody sent: {key}" for key in strange]


def _kept_forms(books: Books) -> tuple[dict[str, Event], list[str]]:
    """The form in which each event was kept, and what is wrong with those that are not one."""
    forms: dict[str, Event] = {}
    found = []
    for lead in books.leads.values():
        for trail in lead.trails.values():
            for key, kept in trail.history.kept.items():
                sent = books.expected.events.get(key, [])
                same = [event for event in sent if as_kept(event, books.rules) == kept]
                latest = books.expected.latest.get(key)
                if not same:
                    found.append(f"I2: event {key} is kept as nobody sent it: {kept}")
                elif latest and kept > as_kept(latest, books.rules):
                    found.append(f"I2: of event {key} a later copy is kept than one that was")
                else:
                    forms[key] = same[0]
    return forms, found


def _recomputed(books: Books, *, steady: bool) -> list[str]:
    """I2: the leads are those that the events make from nothing, and so are their scores."""
    forms, found = _kept_forms(books)
    fresh = {lead.id: lead for lead in leads_of(forms.values(), books.rules, books.now)}
    for id_ in fresh.keys() ^ books.leads.keys():
        where = "is missing" if id_ in fresh else "should not be there"
        found.append(f"I2: lead {id_} {where}")
    unsteady = disputed(forms.values())
    for id_ in fresh.keys() & books.leads.keys():
        lead = books.leads[id_]
        if dict(lead.trails) != dict(fresh[id_].trails):
            found.append(f"I2: lead {id_} is not what its events make: {lead.email}")
            continue
        brute = brute_force(lead, forms, books.rules, books.now)
        score = assess(lead, books.rules, books.now).score.score
        if score != brute.score:
            found.append(f"I2: lead {id_} has {score} points, by brute force {brute.score}")
        stage = lead.progress.stage
        if steady and not (unsteady & lead.trails.keys()) and stage != brute.stage:
            found.append(f"I2: lead {id_} stands at {stage}, by brute force at {brute.stage}")
    return found


async def _unfindable(books: Books, installed: Installed) -> list[str]:
    """I2: every identifier leads to its lead."""
    of = {id_: lead.id for lead in books.leads.values() for id_ in lead.trails}
    places = asyncio.Semaphore(AT_ONCE)

    async def leads_elsewhere(id_: str) -> bool:
        async with places:
            found = await installed.store.get(id_)
        return found is None or found.id != of[id_]

    wrong = await asyncio.gather(*(leads_elsewhere(id_) for id_ in of))
    return [
        f"I2: identifier {id_} does not lead to its lead {of[id_]}"
        for id_, is_wrong in zip(of, wrong, strict=True)
        if is_wrong
    ]


def _set_aside(books: Books) -> list[str]:
    """I1: what was refused in part lies in quarantine at least once, as it was sent."""
    lying = {_aside_of(json.loads(message.body)) for message in books.quarantine}
    missing, strange = books.expected.aside - lying, lying - books.expected.aside
    return [
        *(f"I1: not in quarantine: {aside}" for aside in missing),
        *(f"I1: in quarantine without cause: {aside}" for aside in strange),
    ]


def _aside_of(entry: Mapping[str, Any]) -> Aside:
    content = entry["event"]["id"] if entry.get("event") else entry["raw"]
    return Aside(entry["reason"], content)


def _triggered_once(books: Books, most_repeats: int | None) -> list[str]:
    """I3, I4, I5: the recorded crossings, their triggers' ids, and one body for each id."""
    found = []
    bodies: dict[str, set[tuple[bytes, tuple[tuple[str, str], ...]]]] = {}
    for message in books.sink:
        same = bodies.setdefault(message.attributes["id"], set())
        same.add((message.body, tuple(sorted(message.attributes.items()))))
    found += [f"I5: trigger {id_} has several bodies" for id_, b in bodies.items() if len(b) > 1]
    sent = [json.loads(next(iter(same))[0]) for same in bodies.values()]
    for id_, told in zip(bodies, sent, strict=True):
        data = told["data"]
        if id_ != told["id"] or id_ != trigger_id_of(told["subject"], data["stage"], data["cycle"]):
            found.append(f"I4: trigger {id_} has not the id of its crossing")
    found += _crossings(books, sent)
    repeats = len(books.sink) - len(bodies)
    if most_repeats is not None and repeats > most_repeats:
        found.append(f"I4: triggers were sent again {repeats} times, allowed are {most_repeats}")
    return found


def _crossings(books: Books, sent: Sequence[Mapping[str, Any]]) -> list[str]:
    recorded = Counter(
        (move.from_stage, move.to_stage, move.cycle, move.at)
        for moves in books.moves.values()
        for move in moves
    )
    told = Counter(
        (t["data"]["from_stage"], t["data"]["stage"], t["data"]["cycle"], _time(t["time"]))
        for t in sent
    )
    crossings = Counter({m: n for m, n in recorded.items() if m[:2] != ("anonymous", "lead")})
    found = [f"I4: no trigger was sent for the crossing {move}" for move in crossings - told]
    if len(books.moves) == len(books.leads):
        strange = told - crossings
        found += [f"I3: a trigger was sent whose crossing is not recorded: {m}" for m in strange]
    for id_, moves in books.moves.items():
        found += _transitions(books.leads[id_], moves)
    announced: dict[str, set[str]] = {}
    for trigger in sent:
        if trigger["data"]["stage"] == "mql":
            announced.setdefault(trigger["subject"], set()).add(trigger["id"])
    for lead in books.leads.values():
        found += _first_crossing(lead, announced)
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _transitions(lead: Lead, moves: Sequence[Transition]) -> list[str]:
    """Each move was recorded once, and they end where the lead stands."""
    twice = [move for move, count in Counter(moves).items() if count > 1]
    found = [f"I3: recorded twice on {lead.id}: {move}" for move in twice]
    if lead.progress.stage not in {"anonymous", *(move.to_stage for move in moves)}:
        found.append(f"I3: no move brought {lead.id} to {lead.progress.stage}")
    return found


def _first_crossing(lead: Lead, announced: Mapping[str, set[str]]) -> list[str]:
    """An MQL was announced under one of its names, in its first cycle."""
    named = [i for i, t in lead.trails.items() if t.identifier.kind is not Kind.ANONYMOUS]
    firsts = [trigger_id_of(name, "mql", 1) in announced.get(name, ()) for name in named]
    if lead.progress.stage == "mql" and not any(firsts):
        return [f"I3: {lead.id} is an MQL, and its first crossing was never announced"]
    return []


def _refused_without_effect(books: Books, plan: Workload) -> list[str]:
    """I6: what was answered 4xx is nowhere."""
    found = []
    for number in books.expected.refused:
        body = plan.requests[number].body
        ids = [part.split('"')[0] for part in body.decode().split('"messageId": "')[1:]]
        published = [m.body for m in (*books.accepted, *books.quarantine, *books.sink)]
        if any(f'"{id_}"'.encode() in body for id_ in ids for body in published):
            found.append(f"I6: request {number} was answered 4xx and was published")
    return found


async def _nothing_left(books: Books, installed: Installed) -> list[str]:
    """I7: nothing is under way any more."""
    found = [f"I7: request {n} was never settled" for n in books.expected.unsettled]
    if outstanding := await installed.outstanding():
        found.append(f"I7: {outstanding} messages are outstanding")
    if dead := await installed.dead():
        found.append(f"I7: {len(dead)} messages were given up")
    unsent = [lead.id async for lead in installed.store.with_unsent_triggers()]
    unsent += [lead.id for lead in books.leads.values() if lead.outbox]
    if unsent:
        found.append(f"I7: {len(set(unsent))} leads have unsent triggers")
    return found
