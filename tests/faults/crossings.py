"""What the checker asks of crossings and triggers: each recorded once, each told once, as it was.

Reads what was recorded, and what tools were sent. Where a lead should be is not judged here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from faults.books import Books, mixed
from faults.expected import trigger_id_of
from warmlead.domain.identity import Kind
from warmlead.domain.lead import Lead
from warmlead.domain.nurture_record import NurtureTurn
from warmlead.domain.stages import MODEL, Transition


def triggered_once(books: Books, most_repeats: int | None, *, steady: bool) -> list[str]:
    """I3, I4, I5: the recorded crossings, their triggers' ids, and one body for each id.

    ``steady``: one model moved all leads, so it is known when time alone did.
    """
    found = []
    bodies: dict[str, set[tuple[bytes, tuple[tuple[str, str], ...]]]] = {}
    for message in books.sink:
        same = bodies.setdefault(message.attributes["id"], set())
        same.add((message.body, tuple(sorted(message.attributes.items()))))
    found += [f"I5: trigger {id_} has several bodies" for id_, b in bodies.items() if len(b) > 1]
    found += _told_under_its_id(books)
    found += _crossings(books)
    found += _steps_recorded(books)
    found += _runs_recorded(books)
    if steady:
        found += _faded_at_midnight(books)
    repeats = len(books.sink) - len(bodies)
    if most_repeats is not None and repeats > most_repeats:
        found.append(f"I4: triggers were sent again {repeats} times, allowed are {most_repeats}")
    return found


def _told_under_its_id(books: Books) -> list[str]:
    """I4: each trigger's id is that of its lead, what it tells, and the how-manieth time it is."""
    return [
        f"I4: trigger {told.id} has not the id of {told.kind}, cycle {told.cycle}"
        for told in books.told
        if told.id != trigger_id_of(told.subject, told.kind, told.cycle)
    ]


def _crossings(books: Books) -> list[str]:
    entered = [told for told in books.told if told.what == "stage_entered"]
    recorded = Counter(map(_as_told, (m for moves in books.moves.values() for m in moves)))
    lasting = Counter(_as_told(m) for moves in books.moves.values() for m in lasting_of(moves))
    told = Counter((t.data["from_stage"], t.data["stage"], t.cycle, t.at) for t in entered)
    crossings = Counter({m: n for m, n in recorded.items() if m[:2] != ("anonymous", "lead")})
    untold = (lasting & crossings) - told
    found = [f"I4: no trigger was sent for the crossing {move}" for move in untold]
    if len(books.moves) == len(books.leads):
        strange = told - crossings
        found += [f"I3: a trigger was sent whose crossing is not recorded: {m}" for m in strange]
    were_one = mixed(books.leads)
    for id_, moves in books.moves.items():
        if id_ in were_one:
            found += _brought(books.leads[id_], recorded)
        else:
            found += _transitions(books.leads[id_], moves)
    announced: dict[str, set[str]] = {}
    for trigger in entered:
        if trigger.data["stage"] == "mql":
            announced.setdefault(trigger.subject, set()).add(trigger.id)
    for lead in books.leads.values():
        if lead.id not in were_one:
            found += _first_crossing(lead, announced)
    return found


def _steps_recorded(books: Books) -> list[str]:
    """I3, I4: each step that was sent was recorded once, and each that was recorded was sent.

    Unless it is recorded as well that it was withheld.
    """
    facts = [
        ((fact.sequence, fact.run, fact.number), fact.turn, record.at)
        for records in books.nurtured.values()
        for record in records
        for fact in record.facts
    ]
    recorded = Counter((step, at) for step, turn, at in facts if turn is NurtureTurn.SENT)
    withheld = Counter(step for step, turn, _ in facts if turn is NurtureTurn.WITHHELD)
    steps = [each for each in books.told if each.what == "step_due"]
    told = Counter(
        ((each.data["sequence"], each.cycle, each.data["step"]), each.at)
        for each in {each.id: each for each in steps}.values()
    )
    unsent = Counter(step for step, _ in (recorded - told).elements())
    found = [f"I4: step {step} is recorded and was never sent" for step in unsent - withheld]
    if len(books.nurtured) == len(books.leads):
        found += [f"I3: a step was sent that is not recorded: {each}" for each in told - recorded]
    return found


def _runs_recorded(books: Books) -> list[str]:
    """I3: each run of a sequence was recorded to start once, and to end once if it has ended."""
    found = []
    were_one = mixed(books.leads)
    for id_, records in books.nurtured.items():
        lead, moves = books.leads[id_], books.moves[id_]
        if id_ in were_one or sum(move.from_stage == "anonymous" for move in moves) > 1:
            continue  # of two people each had runs of its own
        facts = [fact for record in records for fact in record.facts]
        began = Counter((f.sequence, f.run) for f in facts if f.turn is NurtureTurn.STARTED)
        ended = Counter((f.sequence, f.run, f.ending) for f in facts if f.turn is NurtureTurn.ENDED)
        runs = Counter(
            (name, run)
            for name, enrolment in lead.enrolments.items()
            for run in range(1, enrolment.run + 1)
        )
        if began != runs:
            found.append(f"I3: of {id_} runs began {[*began.elements()]}, and it had {[*runs]}")
        last = {
            (name, each.run, str(each.ending))
            for name, each in lead.enrolments.items()
            if each.ended_at is not None
        }
        over = {(name, run) for name, run in runs if run < lead.enrolments[name].run}
        told = {(name, run) for name, run, _ in ended}
        if max(ended.values(), default=1) > 1 or not last <= ended.keys():
            found.append(f"I3: of {id_} runs ended {[*ended.elements()]}, the last ones {[*last]}")
        if told != over | {each[:2] for each in last}:
            found.append(f"I3: of {id_} the ends of runs {sorted(told)} are recorded")
    return found


def _faded_at_midnight(books: Books) -> list[str]:
    """I3: what time alone does to a lead happens at midnight, however late the run that finds it.

    Other moves of the model have the time of something that the lead did.
    """
    done = {form.occurred_at for forms in books.expected.events.values() for form in forms}
    found = []
    for id_, moves in books.moves.items():
        for move in moves:
            is_midnight = move.at == move.at.replace(hour=0, minute=0, second=0, microsecond=0)
            if move.source == MODEL and not is_midnight and move.at not in done:
                found.append(f"I3: {id_} moved to {move.to_stage} at {move.at}")
    return found


def _as_told(move: Transition) -> tuple[str, str, int, datetime]:
    """A move as its trigger tells it: the message has the time at which it was learnt."""
    return move.from_stage, move.to_stage, move.cycle, move.learnt_at


def lasting_of(moves: Sequence[Transition]) -> list[Transition]:
    """The moves but for those that were over when they were learnt: of these no tool is told."""
    over = [one for one, other in pairwise(moves) if other.learnt_at == one.learnt_at]
    return [move for move in moves if move not in over]


def _brought(lead: Lead, recorded: Mapping[tuple[str, str, int, datetime], int]) -> list[str]:
    """A move brought the lead to where it stands, recorded under whatever name."""
    stage, since = lead.progress.stage, lead.progress.learnt_at
    if stage == "anonymous" or any(m[1] == stage and m[3] == since for m in recorded):
        return []
    return [f"I3: no move brought {lead.id} to {stage}"]


def _transitions(lead: Lead, moves: Sequence[Transition]) -> list[str]:
    """Each move was recorded once, and they lead, one after the other, to where the lead stands."""
    twice = [move for move, count in Counter(moves).items() if count > 1]
    found = [f"I3: recorded twice on {lead.id}: {move}" for move in twice]
    stage = lead.progress.stage
    if stage not in {"anonymous", *(move.to_stage for move in moves)}:
        found.append(f"I3: no move brought {lead.id} to {stage}")
    beginnings = [move for move in moves if move.from_stage == "anonymous"]
    if len(beginnings) > 1:
        return found  # two people turned out to be one: there are two ways to where it stands
    came = Counter(move.to_stage for move in moves)
    went = Counter(move.from_stage for move in moves)
    for place in (came.keys() | went.keys()) - {"anonymous"}:
        if came[place] - went[place] != (place == stage):
            found.append(
                f"I3: {lead.id} came to {place} {came[place]} times, left it {went[place]}"
            )
        if sorted(m.cycle for m in moves if m.to_stage == place) != [*range(1, came[place] + 1)]:
            found.append(f"I3: the moves of {lead.id} to {place} are not counted one by one")
    return found


def _first_crossing(lead: Lead, announced: Mapping[str, set[str]]) -> list[str]:
    """An MQL was announced under one of its names, in one of its cycles."""
    named = [i for i, t in lead.trails.items() if t.identifier.kind is not Kind.ANONYMOUS]
    cycles = range(1, lead.progress.entered.get("mql", 0) + 1)
    told = [
        trigger_id_of(name, "stage:mql", cycle) in announced.get(name, ())
        for name in named
        for cycle in cycles
    ]
    if lead.progress.stage == "mql" and not any(told):
        return [f"I3: {lead.id} is an MQL, and its crossing was never announced"]
    return []
