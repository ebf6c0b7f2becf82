"""What lists of leads can be asked for: a few facts beside each lead, as of its last evaluation."""

from typing import NamedTuple

from warmlead.domain.attribution import first_origin, presentable
from warmlead.domain.handoff import Deadline, Offer
from warmlead.domain.history import day_at
from warmlead.domain.lead import Lead
from warmlead.domain.snapshot import Snapshot

_SCORES_A_DAY = 100_000


class ListedAs(NamedTuple):
    """The facts of one lead; unpacked by stores.

    ``since_day`` is the UTC day number on which its stage began: a day has many leads, so it can be
    indexed without all writes going to one place. ``active`` orders leads by the UTC day on which
    they were last active, and within a day by score; ``None`` if an earlier release evaluated the
    lead. ``source`` is that of the first visit, as reports name it. ``owner`` is whose lead the
    last offer is. ``overdue``: sales has broken a promise of an open offer, and has not made up
    for it.
    """

    stage: str
    score: int
    since_day: int
    active: int | None
    grade: str
    source: str
    owner: str
    overdue: bool


def listed_as(lead: Lead) -> ListedAs | None:
    """The facts of a lead for lists; ``None`` if it was never evaluated, then no list has it."""
    if lead.snapshot is None:
        return None
    return ListedAs(
        stage=lead.progress.stage,
        score=lead.snapshot.score,
        since_day=day_at(lead.progress.since),
        active=_active(lead.snapshot),
        grade=lead.snapshot.grade,
        source=presentable(first_origin(lead).source),
        owner=lead.offer.owner if lead.offer else "",
        overdue=lead.offer is not None and is_overdue(lead.offer),
    )


def _active(snapshot: Snapshot) -> int | None:
    if snapshot.active_day is None:
        return None
    return snapshot.active_day * _SCORES_A_DAY + min(max(0, snapshot.score), _SCORES_A_DAY - 1)


def is_overdue(offer: Offer) -> bool:
    """Whether sales owes what it promised of an open offer, as of its last evaluation."""
    if offer.closed_at is not None:
        return False
    owes_touch = offer.touched_at is None and Deadline.TOUCH_BREACHED in offer.told
    return owes_touch or Deadline.ACCEPT_BREACHED in offer.told
