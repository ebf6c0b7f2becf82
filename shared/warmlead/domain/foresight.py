"""What a settled lead will be worth on later days, if nothing happens until then.

Comes to what ``assess`` comes to on those days, for a tenth of its cost: only score, inactivity
and counts depend on the day. Refuses to explain.
"""

from collections import defaultdict
from typing import NamedTuple

from warmlead.domain.assessment import Assessment, windows
from warmlead.domain.history import Tally
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Standing
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import MICRO, ScoringPolicy, SignalPolicy, last_active_day, rounded


class Worth(NamedTuple):
    """What a score comes to, without the lines that make it."""

    score: int
    engagement: int
    days_inactive: int | None


class Foresight:
    """A lead on the days to come. ``lead`` is settled, and ``found`` is what it was found to be."""

    def __init__(self, lead: Lead, found: Assessment, rules: Rules) -> None:
        self._lead = lead
        self._found = found
        self._points = _Points(rules.scoring, found.tally)
        self._counted = [each for each in windows(found.tally, rules) if each.days]

    def on(self, day: int) -> tuple[Worth, Standing]:
        """Its worth, and what conditions will know of it, on a later UTC day number."""
        worth = self._points.on(day, self._found.score.fit)
        facts: dict[str, object] = {
            **self._found.facts,
            "score": worth.score,
            "engagement": worth.engagement,
            "stage": self._lead.progress.stage,
            "peak_score": max(self._lead.progress.peak_score, worth.score),
            **{each.fact: each.count(day) for each in self._counted},
        }
        if worth.days_inactive is not None:
            facts["days_inactive"] = worth.days_inactive
        return worth, Standing(self._lead.identified, facts, self._found.standing.last_days)


class _Points:
    """A tally's points by group, way of fading and day: summed once for all days to come."""

    def __init__(self, policy: ScoringPolicy, tally: Tally) -> None:
        self._policy = policy
        self._last_active = last_active_day(policy, tally)
        sums: defaultdict[tuple[str | None, tuple[object, ...]], defaultdict[int, int]]
        sums = defaultdict(lambda: defaultdict(int))
        fades: dict[tuple[object, ...], SignalPolicy] = {}
        for name, signal in policy.signals.items():
            if days := tally.signals.get(name):
                fade = (signal.half_life_days, signal.expires_after_days)
                fades[fade] = signal
                of_days = sums[signal.group, fade]
                for day, count in days.items():
                    of_days[day] += signal.points * min(count, signal.per_day)
        self._sums = [
            (group if group in policy.groups else None, fades[fade].keep_micro, [*of_days.items()])
            for (group, fade), of_days in sums.items()
        ]

    def on(self, today: int, fit: int) -> Worth:
        """The worth on a UTC day number, for a lead of so many points for fit."""
        totals: dict[str | None, int] = dict.fromkeys((*self._policy.groups, None), 0)
        for group, keep, of_days in self._sums:
            totals[group] += sum([points * keep(max(0, today - day)) for day, points in of_days])
        groups = self._policy.groups.items()
        engagement = totals[None] + sum(group.within(totals[name]) for name, group in groups)
        idle = None if self._last_active is None else max(0, today - self._last_active)
        if self._policy.inactivity and idle is not None:
            steps = self._policy.inactivity.steps(idle)
            engagement = self._policy.inactivity.left(engagement, steps)
        score = max(0, rounded(engagement + fit * MICRO))
        return Worth(score, rounded(engagement), idle)
