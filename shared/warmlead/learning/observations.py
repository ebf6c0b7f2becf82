"""A lead as it was known at the moment at which it is judged, and what became of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct

from warmlead.domain.event import Property

Worth: TypeAlias = float
"""How often a condition holds: 0 or 1 of a rule, the faded number of events of a signal."""

ACCEPTED = "accepted"
"""The outcome that is no stage: the first answer of sales to a lead takes it."""


class Question(Struct, frozen=True, kw_only=True):
    """Which leads are looked at, when each is judged, and for which outcome.

    ``outcome`` is a stage, or ``ACCEPTED``. Leads that became known from ``since`` on and before
    ``until`` are looked at. Each is judged ``after`` it became known, or just before its outcome,
    whichever is earlier. Its outcome counts ``within`` a time since it became known; ``None``: the
    time within which nine of ten of those who reached it did. ``confirmed``: only leads that the
    public alone cannot have made up.
    """

    outcome: str
    since: datetime | None = None
    until: datetime | None = None
    after: timedelta = timedelta(days=7)
    within: timedelta | None = None
    confirmed: bool = False


class Observation(Struct, frozen=True, kw_only=True):
    """One ripe lead.

    ``at`` is the moment that is judged, and ``reached_at`` when it reached the outcome, if it did
    in time (``won``). ``score``, ``engagement``, ``fit`` and ``days_inactive`` are those of that
    moment, under the model that was asked. ``worths`` has the conditions of the model that hold, by
    ``signal:NAME``, ``fit:NAME`` or ``bonus:NAME``: of a signal the sum over its days of the
    counted events, each faded by its age, before its points, group limits and inactivity.

    ``counts`` has how many events of each name there were until then, ``recent`` those of the last
    30 days; ``signals`` and ``recent_signals`` the same of the model's signals. At most 20 of a day
    count. Events of sales and of programs are not among them. Names are kept for 90 days only,
    unless the model measures them for longer: of older moments too few are known (see ``gaps``).
    ``facts`` are the traits and the origin that were known then, as conditions would see them;
    personal data is among them.
    """

    lead_id: str
    known_at: datetime
    at: datetime
    won: bool
    reached_at: datetime | None
    score: int
    engagement: int
    fit: int
    days_inactive: int | None
    worths: Mapping[str, Worth]
    counts: Mapping[str, int]
    recent: Mapping[str, int]
    signals: Mapping[str, int]
    recent_signals: Mapping[str, int]
    facts: Mapping[str, Property]
