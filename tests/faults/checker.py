"""Looks at the end of a trial, and names every promise that was broken.

Reads the client's journal, the store, what was published, and the model. The application's own
counters and answers prove nothing.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from faults.backends import Installed
from faults.between import came_due_once, nothing_due
from faults.books import Books, read_told
from faults.crossings import triggered_once
from faults.expected import (
    Aside,
    as_kept,
    brute_force,
    disputed,
    expected_of,
    leads_of,
)
from faults.heard import heard_once, mirrored
from faults.journal import Journal
from faults.workload import Workload
from warmlead.domain.consent import statements_in
from warmlead.domain.evaluation import evaluation_of
from warmlead.domain.event import Event
from warmlead.domain.identity import Claim
from warmlead.domain.identity_resolution import as_claimed
from warmlead.domain.journey import step_of
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.rules import Rules
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic

AT_ONCE = 32
VISIBLE_POINTS = 5
"""The shown score may be off by less than that, as the documentation says."""

PUBLICLY = Claim(1, 0, "", "")
"""Any public claim: a refusal that it passes on counts as a public one."""

MOST_LEADS = 400
"""Of so many leads the recorded moves are read one by one; of a crowd of more, every n-th."""


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
    sink = [m for topic in TRIGGER_TOPICS for m in await installed.published(topic)]
    books = Books(
        expected=expected_of(plan, journal),
        leads=leads,
        moves={id_: await installed.store.transitions(id_) for id_ in looked_at},
        nurtured={id_: await installed.store.nurtured(id_) for id_ in looked_at},
        sink=sink,
        told=read_told(sink),
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
        *triggered_once(books, most_repeats, steady=steady),
        *came_due_once(books),
        *heard_once(books),
        *mirrored(books),
        *_refused_without_effect(books, plan),
        *await _nothing_left(books, installed),
        *nothing_due(books, steady=steady),
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
        if _but_for_copies(lead) != _but_for_copies(fresh[id_]):
            found.append(f"I2: lead {id_} is not what its events make: {lead.email}")
            continue
        found += _consent(lead, fresh[id_], books)
        found += _journey(lead, fresh[id_], books)
        brute = brute_force(lead, forms, books.rules, books.now)
        if brute.suppressed is lead.consent(books.rules.suppression).may_be_mailed:
            found.append(f"I2: of lead {id_} it is not known whether it may be mailed")
        score = evaluation_of(lead, books.rules, books.now).score.score
        if score != brute.score:
            found.append(f"I2: lead {id_} has {score} points, by brute force {brute.score}")
        stage = lead.progress.stage
        if steady and not (unsteady & lead.trails.keys()) and stage not in brute.stages:
            may = " or ".join(sorted(brute.stages))
            found.append(f"I2: lead {id_} stands at {stage}, by brute force at {may}")
        shown = lead.snapshot.score if lead.snapshot else 0
        if steady and abs(shown - brute.score) >= VISIBLE_POINTS:
            found.append(f"I8: lead {id_} is shown with {shown} points, and has {brute.score}")
    return found


def _but_for_copies(lead: Lead) -> dict[str, Trail]:
    """The trails without what each copy of an event may add to, though it is kept once."""
    return {
        id_: replace(trail, consent=(), told=None, steps=()) for id_, trail in lead.trails.items()
    }


def _journey(lead: Lead, fresh: Lead, books: Books) -> list[str]:
    """Each step is what some copy of an event was, and of each kind the lead has some."""
    found = []
    for id_, trail in lead.trails.items():
        kinds = {(step.rank, step.signal) for step in trail.steps}
        if kinds != {(step.rank, step.signal) for step in fresh.trails[id_].steps}:
            found.append(f"I2: the journey of {id_} has {kinds}, which is not what its events were")
        if len({step.key for step in trail.steps}) < len(trail.steps):
            found.append(f"I1: the journey of {id_} has an event twice")
        for step in trail.steps:
            copies = books.expected.events.get(step.key, [])
            if step not in [
                step_of(copy, books.rules.classify(copy), books.rules) for copy in copies
            ]:
                found.append(f"I2: the journey of {id_} has what nobody did: {step}")
    return found


def _consent(lead: Lead, fresh: Lead, books: Books) -> list[str]:
    """Consent is what some copy of an event said, and of each cause there is as much."""
    found = []
    for id_, trail in lead.trails.items():
        told = {(fact.cause, fact.rank) for fact in trail.consent}
        if told != {(fact.cause, fact.rank) for fact in fresh.trails[id_].consent}:
            found.append(f"I2: of {id_} is stated {told}, which is not what its events say")
        said = {(fact.cause, fact.rank): fact.at_ms for fact in fresh.trails[id_].consent}
        last = {(fact.cause, fact.rank): fact for fact in trail.consent}
        for what, fact in last.items():
            if fact.at_ms < said.get(what, 0):
                found.append(f"I2: of {id_} an earlier refusal is kept than the last: {fact}")
        for fact in trail.consent:
            copies = books.expected.events.get(fact.key, [])
            stated = [each for event in copies for each in statements_in(event)]
            if fact not in (*stated, *(as_claimed(each, PUBLICLY) for each in stated)):
                found.append(f"I2: of {id_} is stated what nobody said: {fact}")
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


_ID = re.compile('"messageId": "|"id": "')


def _refused_without_effect(books: Books, plan: Workload) -> list[str]:
    """I6: what was answered 4xx is nowhere."""
    found = []
    for number in books.expected.refused:
        body = plan.requests[number].body
        ids = [part.split('"')[0] for part in _ID.split(body.decode())[1:]]
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
