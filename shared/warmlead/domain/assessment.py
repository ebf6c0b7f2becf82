"""What a lead is worth at a moment: its score, and what conditions may know of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from warmlead.domain.consent import Consent
from warmlead.domain.history import DayCounts, Tally, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Facts, Standing
from warmlead.domain.packing import DAY_MS
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import FitPoints, Score, ScoringPolicy, evaluate
from warmlead.domain.worth import Points, Worth


@dataclass(frozen=True)  # without slots, for the score that is made when it is asked for
class Assessment:
    """What a lead is worth on a UTC day number, and what conditions may know of it."""

    worth: Worth
    standing: Standing
    tally: Tally
    day: int
    fit: tuple[FitPoints, ...]
    policy: ScoringPolicy
    consent: Consent
    points: Points = field(compare=False, repr=False)

    @cached_property
    def score(self) -> Score:
        """The same worth with everything that made it; few need that."""
        return evaluate(self.policy, self.tally, self.fit, self.day)

    def worth_on(self, day: int) -> Worth:
        """What the lead is worth on another UTC day number, if nothing happens until then."""
        return self.points.on(day, self.worth.fit)

    @property
    def facts(self) -> Facts:
        """What conditions may name."""
        return self.standing.facts


def assess(
    lead: Lead, rules: Rules, now: datetime, *, known_at: datetime | None = None
) -> Assessment:
    """The lead's score and facts at a moment: a pure function of history, traits, model and now.

    Nothing of the lead's snapshot goes into it. With ``known_at`` only what was received by
    then counts.
    """
    today = to_ms(now) // DAY_MS
    counts = lead.tally(known_at)
    known = rules.know({**lead.traits, **({"email": lead.email} if lead.email else {})})
    consent = lead.consent(rules.suppression, known_at)
    stated = {
        "suppressed": not consent.may_be_mailed,
        "mail_refused": consent.refused,
        "consent_status": str(consent.status),
    }
    fit = rules.fit({**known, **stated})
    points = Points(rules.scoring, counts)
    worth = points.on(today, sum([rule.points for rule in fit]))
    identified = lead.identified
    facts: dict[str, object] = {
        **known,
        **stated,
        "score": worth.score,
        "engagement": worth.engagement,
        "fit": worth.fit,
        "stage": lead.progress.stage,
        "peak_score": max(lead.progress.peak_score, worth.score),
        "identified": identified,
    }
    if worth.days_inactive is not None:
        facts["days_inactive"] = worth.days_inactive
    last_days = {signal: max(days) for signal, days in counts.signals.items() if days}
    for name in rules.scoring.signals:
        facts[name] = name in last_days
    for each in windows(counts, rules):
        facts[each.fact] = each.count(today)
    standing = Standing(identified, facts, last_days)
    return Assessment(worth, standing, counts, today, fit, rules.scoring, consent, points)


class Window(NamedTuple):
    """A fact that counts the events of some days, and the days on which there are any."""

    fact: str
    days: DayCounts
    window_days: int

    def count(self, today: int) -> int:
        """The count over the window that ends today."""
        return count_in_window(self.days, self.window_days, today)


def windows(counts: Tally, rules: Rules) -> Iterator[Window]:
    """The windows that conditions read."""
    for window_days, label in rules.counters:
        if label in rules.scoring.signals:
            days = counts.signals.get(label, {})
        else:
            days = counts.names.get(rules.kept_as.get(label, label), {})
        yield Window(f"last_{window_days}d.{label}", days, window_days)


def count_in_window(days: DayCounts, window_days: int, today: int) -> int:
    """How many of the counts fall on the UTC days of a window that ends today."""
    before = today - window_days
    return sum([count for day, count in days.items() if before < day <= today])
