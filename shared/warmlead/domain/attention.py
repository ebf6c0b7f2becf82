"""When a lead must be looked at although nothing happens: the next day that changes what is seen.

So the daily run reads only the leads that are due. Refuses to change anything.
"""

from datetime import datetime, timedelta

from warmlead.domain.assessment import Assessment
from warmlead.domain.foresight import Foresight
from warmlead.domain.history import MAX_NAME_DAYS, day_of, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import next_stage
from warmlead.domain.nurture import would_change
from warmlead.domain.rules import Rules

MOST_DAYS_AHEAD = 7
"""A lead that still fades is looked at once a week, whatever was foreseen."""

VISIBLE_POINTS = 5
"""So many points the shown score may be off; what people read is always computed anew."""

REST_AFTER_DAYS = 400
"""A lead that did nothing for so long rests until an event, if nothing will come of waiting."""

FAR_DAYS = 3_650
"""What has not changed by then never will."""


def decay_day(lead: Lead, found: Assessment, rules: Rules, now: datetime) -> int | None:
    """The next UTC day number on which the lead is to be settled anew; ``None``: never.

    ``lead`` is settled as of ``now``. It is the first day, at most a week ahead, on which its
    stage, a sequence or five points of its score change, or the last of that week. Every day
    is looked at: a condition may come to hold and cease to hold again within a week.
    """
    today = day_of(to_ms(now))
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    suppressed = not found.consent.may_be_mailed  # time alone changes nothing of it
    foresight = Foresight(lead, found, rules)

    def changes(days: int) -> bool:
        then = midnight + timedelta(days=days)
        worth, standing = foresight.on(today + days)
        if abs(worth.score - found.worth.score) >= VISIBLE_POINTS:
            return True
        stage, _ = next_stage(rules.stages, lead.progress, standing, then)
        return stage != lead.progress.stage or would_change(
            rules.sequences, lead.enrolments, standing.facts, then, suppressed=suppressed
        )

    if _is_silent(found, today) and not changes(FAR_DAYS):
        return None
    return today + next(filter(changes, range(1, MOST_DAYS_AHEAD)), MOST_DAYS_AHEAD)


def _is_silent(found: Assessment, today: int) -> bool:
    """Whether the lead has long done nothing, and no event falls out of a window any more."""
    idle = found.worth.days_inactive
    if idle is not None:
        return idle > REST_AFTER_DAYS
    return max(found.tally.last_day.values(), default=0) <= today - MAX_NAME_DAYS
