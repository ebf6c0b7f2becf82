"""What the checker asks of what happens between events: steps, offers, deadlines, nothing left due.

Reads leads, their recorded moves and what was told to tools. What was promised is written here a
second time, from the documentation; of the model its numbers are read, and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from faults.books import Books, Told, mixed
from faults.crossings import lasting_of
from warmlead.application.evaluate import evaluate
from warmlead.domain.consent import SuppressionPolicy
from warmlead.domain.handoff import HandoffPolicy, Offer
from warmlead.domain.history import day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.nurture import SequencePolicy
from warmlead.domain.stages import Transition

PUNCTUAL = timedelta(hours=1)
"""A step may be so late without those behind it moving back: then it is so much closer to them."""

DEADLINES = {
    "reminder": "reminder",
    "touch_breached": "breached:first_touch",
    "accept_breached": "breached:acceptance",
}
"""What an offer has passed → what sales was told."""

OFFERED = ("mql", "pql")
"""The stages of the campaign's model; whoever enters one is offered, and offered as that."""

ANSWERS = ("accepted", "rejected", "opportunity", "won", "lost")


class Life(NamedTuple):
    """A lead, and all that was recorded and told of it, under any of its names.

    Of one that was ``merged`` each part had its own cycles and runs until then. What was told of
    one that has ``parted`` from another may lie with that one.
    """

    lead: Lead
    moves: Sequence[Transition]
    told: Sequence[Told]
    parted: bool

    @property
    def merged(self) -> bool:
        """Whether it was two people for a while, or a part of another."""
        return self.parted or sum(move.from_stage == "anonymous" for move in self.moves) > 1

    def of(self, *kinds: str) -> list[Told]:
        """What was told of these kinds."""
        return [told for told in self.told if told.what in kinds]


def lives(books: Books) -> Iterator[Life]:
    owner = {name: lead.id for lead in books.leads.values() for name in lead.trails}
    told: dict[str, list[Told]] = {}
    for each in books.told:
        told.setdefault(owner.get(each.subject, ""), []).append(each)
    were_one = mixed(books.leads)
    for id_, moves in books.moves.items():
        yield Life(books.leads[id_], moves, told.get(id_, ()), id_ in were_one)


def came_due_once(books: Books) -> list[str]:
    """I8: each step of each run, each offer, each deadline was told once, and not too early."""
    policies = {policy.name: policy for policy in books.rules.sequences}
    found: list[str] = []
    for life in lives(books):
        found += _sequences(life, policies, books.rules.suppression)
        if books.rules.handoff:
            found += _offers(life, books.rules.handoff, books.now)
    return found


# --- sequences -------------------------------------------------------------------------------


def _sequences(
    life: Life, policies: dict[str, SequencePolicy], suppression: SuppressionPolicy
) -> list[str]:
    found = []
    for name, enrolment in life.lead.enrolments.items():
        of_it = [told for told in life.of("step_due") if told.data["sequence"] == name]
        sent = sorted(told.data["step"] for told in of_it if told.cycle == enrolment.run)
        steps = [*range(1, enrolment.position + 1)]
        skips = policies[name].late == "skip"
        missing = [*({enrolment.position} if skips else {*steps}) - {0, *sent}]
        may_be_mailed = life.lead.consent(suppression).may_be_mailed
        # What was left unsent when the lead said no is not sent.
        if missing and may_be_mailed and not life.parted:
            found.append(f"I8: {life.lead.id} is past steps {missing} of {name}, not sent")
        if not life.merged and set(sent) - set(steps):
            found.append(f"I8: {life.lead.id} was sent {sent} of {name}, and is at {steps[-1:]}")
        if not life.merged and any(told.cycle > enrolment.run for told in of_it):
            found.append(f"I8: {life.lead.id} was sent steps of a run of {name} that never was")
        if not life.merged:
            found += _apart(life, policies[name], of_it)
    strange = {told.data["sequence"] for told in life.of("step_due")} - life.lead.enrolments.keys()
    if life.parted:
        return found
    return found + [f"I8: {life.lead.id} was sent steps of {name}, unknowingly" for name in strange]


def _apart(life: Life, policy: SequencePolicy, sent: Sequence[Told]) -> Iterator[str]:
    """Steps follow each other at their distance, however many of them were due at once."""
    runs: dict[int, list[Told]] = {}
    for told in sorted(sent, key=lambda each: int(each.data["step"])):
        runs.setdefault(told.cycle, []).append(told)
    for run in runs.values():
        for one, other in pairwise(run):
            first, second = (policy.steps[told.data["step"] - 1] for told in (one, other))
            if other.at - one.at < second.after - first.after - PUNCTUAL:
                after = f"{other.at - one.at} after {one.kind}"
                yield f"I8: {life.lead.id} was sent {other.kind} {after}"


# --- offers ----------------------------------------------------------------------------------


def _offers(life: Life, policy: HandoffPolicy, now: datetime) -> list[str]:
    lead, offer = life.lead, life.lead.offer
    entries = sum(move.to_stage in OFFERED for move in life.moves)
    if offer is None:
        lasting = any(move.to_stage in OFFERED for move in lasting_of(life.moves))
        entered = lasting and not life.parted
        return [f"I8: {lead.id} became an MQL and was never offered"] if entered else []
    offered = {told.cycle: told for told in life.of("offered")}
    found = []
    if not life.merged and offered.keys() != {*range(1, offer.cycle + 1)}:
        found.append(f"I8: {lead.id} was offered as {[*offered]}, the last is {offer.cycle}")
    if offer.cycle > entries and not life.parted:
        found.append(f"I8: {lead.id} was offered {offer.cycle} times, and {entries} times an MQL")
    stage = lead.progress.stage
    if stage in OFFERED and offer.closed_at is not None:
        found.append(f"I8: {lead.id} is at {stage} and not offered: {offer.answer}")
    if offer.closed_at is None and offer.stage != stage:
        found.append(f"I8: {lead.id} is at {stage} and still offered as {offer.stage}")
    if not life.merged:
        found += _superseded(life, offered)
    return [*found, *_deadlines(life, offer, policy, now)]


def _superseded(life: Life, offered: Mapping[int, Told]) -> Iterator[str]:
    """Each offer names the open one whose place it took; of that nothing is told any more."""
    for told in life.of("reminder", "breached"):
        following = offered.get(told.cycle + 1)
        if following and told.at > following.at:
            yield f"I8: {told.kind} of {life.lead.id} came when offer {told.cycle} was over"
    for cycle, told in offered.items():
        if told.data["supersedes"] not in (None, cycle - 1):
            yield f"I8: offer {cycle} of {life.lead.id} supersedes {told.data['supersedes']}"


def _deadlines(life: Life, offer: Offer, policy: HandoffPolicy, now: datetime) -> Iterator[str]:
    """What has passed is marked and was told; nothing was told before its time."""
    id_ = life.lead.id
    waits = life.of("reminder", "breached")
    told = {_name(each) for each in waits if each.cycle == offer.cycle}
    marked = {DEADLINES[deadline] for deadline in offer.told}
    if not life.merged and told != marked:
        yield f"I8: of {id_} was told {sorted(told)}, known is {sorted(marked)}"
    for each in waits:
        begun = datetime.fromisoformat(each.data["offered_at"])
        if each.at < begun + _limits(policy, each.data["owner"])[_name(each)]:
            yield f"I8: {each.kind} of {id_} came {each.at - begun} after its offer"
    for name in _passed(life.lead, offer, policy, now) - marked:
        yield f"I8: {id_} has passed {name}, and nobody was told"


def _name(told: Told) -> str:
    return told.kind.removeprefix("handoff:")


def _limits(policy: HandoffPolicy, owner: str) -> dict[str, timedelta]:
    """What was promised; in the campaign's model each stage with promises has its own owners."""
    of_stages = (each for each in policy.stages.values() if each)
    owned = (each for each in of_stages if any(owner in route.owners for route in each.routes))
    promised = next(owned, policy)
    return {
        "reminder": promised.remind_after,
        "breached:first_touch": promised.first_touch_within,
        "breached:acceptance": promised.accept_within,
    }


def _passed(lead: Lead, offer: Offer, policy: HandoffPolicy, now: datetime) -> set[str]:
    """The deadlines that an open offer must have passed by now, by what sales said and when."""
    if offer.closed_at is not None:
        return set()
    since = to_ms(offer.at)
    said = [(each.at_ms, str(each.said)) for each in lead.statements if each.at_ms >= since]
    touched = min((at for at, _ in said), default=None)
    answered = min((at for at, word in said if word in ANSWERS), default=None)
    found = set()
    for name, limit in _limits(policy, offer.owner).items():
        due = offer.at + limit
        kept = answered if name == "breached:acceptance" else touched
        if due <= now and (kept is None or kept > to_ms(due)):
            found.add(name)
    return found


# --- nothing left ----------------------------------------------------------------------------


def nothing_due(books: Books, *, steady: bool) -> list[str]:
    """I8: after the last run nothing is due, and a lead looked at again stays as it is.

    But for what comes to its end in the course of a day and makes room for something, such as a
    cool-down: that is looked at with the next day.
    """
    found = []
    midnight = books.now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = day_of(to_ms(books.now))
    for lead in books.leads.values():
        if lead.decay_on is not None and lead.decay_on <= today:
            found.append(f"I8: {lead.id} was to fade on day {lead.decay_on}, and it is {today}")
        if lead.due_at is not None and lead.due_at <= books.now:
            found.append(f"I8: {lead.id} is due since {lead.due_at}, and it is {books.now}")
        if not steady:
            continue
        again = evaluate(lead, books.rules, midnight)
        if again.transitions or again.triggers:
            found.append(f"I8: {lead.id} has yet to see {again.transitions or again.triggers}")
    return found
