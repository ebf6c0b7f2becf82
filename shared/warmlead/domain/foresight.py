"""What a settled lead will be worth on later days, if nothing happens until then.

Comes to what ``assess`` comes to on those days, for a tenth of its cost: only score, inactivity
and counts depend on the day. It explains nothing.
"""

from warmlead.domain.assessment import Assessment, windows
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Standing
from warmlead.domain.rules import Rules
from warmlead.domain.worth import Worth


class Foresight:
    """A lead on the days to come. ``lead`` is settled, and ``found`` is what it was found to be."""

    def __init__(self, lead: Lead, found: Assessment, rules: Rules) -> None:
        self._found = found
        self._identified = lead.identified
        self._peak_score = lead.progress.peak_score
        self._facts = {**found.facts, "stage": lead.progress.stage}
        self._counted = [each for each in windows(found.tally, rules) if each.days]

    def on(self, day: int) -> tuple[Worth, Standing]:
        """Its worth, and what conditions will know of it, on a later UTC day number."""
        worth = self._found.worth_on(day)
        facts = self._facts.copy()
        facts["score"] = score = worth.score
        facts["engagement"] = worth.engagement
        facts["peak_score"] = max(self._peak_score, score)
        if worth.days_inactive is not None:
            facts["days_inactive"] = worth.days_inactive
        for each in self._counted:
            facts[each.fact] = each.count(day)
        return worth, Standing(self._identified, facts, self._found.standing.last_days)
