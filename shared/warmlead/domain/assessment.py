"""What a lead is worth at a moment: its score, and what conditions may know of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from warmlead.domain.history import DAY_MS, DayCounts, Tally, to_ms
from warmlead.domain.lead import Lead
from warmlead.domain.lifecycle import Facts, Standing
from warmlead.domain.rules import Rules
from warmlead.domain.scoring import Score, evaluate


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a lead is worth at a moment, and what conditions may know of it."""

    score: Score
    standing: Standing
    tally: Tally

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
    score = evaluate(rules.scoring, counts, rules.fit(known), today)
    facts: dict[str, object] = {
        **known,
        "score": score.score,
        "engagement": score.engagement,
        "fit": score.fit,
        "stage": lead.progress.stage,
        "peak_score": max(lead.progress.peak_score, score.score),
        "identified": lead.identified,
    }
    if score.days_inactive is not None:
        facts["days_inactive"] = score.days_inactive
    facts.update((name, bool(counts.signals.get(name))) for name in rules.scoring.signals)
    facts.update((each.fact, each.count(today)) for each in windows(counts, rules))
    last_days = {signal: max(days) for signal, days in counts.signals.items() if days}
    return Assessment(score, Standing(lead.identified, facts, last_days), counts)


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
        is_signal = label in rules.scoring.signals
        days = (counts.signals if is_signal else counts.names).get(label, {})
        yield Window(f"last_{window_days}d.{label}", days, window_days)


def count_in_window(days: DayCounts, window_days: int, today: int) -> int:
    """How many of the counts fall on the UTC days of a window that ends today."""
    return sum(count for day, count in days.items() if today - window_days < day <= today)
