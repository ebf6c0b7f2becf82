"""Brings times back to the present that a clock wrote which ran ahead."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from msgspec import structs

from warmlead.domain.consent import ConsentFact
from warmlead.domain.event import Event
from warmlead.domain.handoff import Offer
from warmlead.domain.history import MAX_PER_DAY, History, day_at, day_of, from_ms, to_ms
from warmlead.domain.identity import best_claims
from warmlead.domain.journey import kept_steps
from warmlead.domain.knowledge import Knowledge
from warmlead.domain.lead import Lead, Trail
from warmlead.domain.nurture import Enrolment
from warmlead.domain.packed_history import NONE_PACKED, KeptEvent
from warmlead.domain.readings import Readings, redated
from warmlead.domain.shadow import Shadow
from warmlead.domain.stages import Cooling, Progress
from warmlead.domain.unjudged import Unjudged

AHEAD = timedelta(hours=1)
"""Clocks of machines differ by less than this; a time further ahead is from a wrong clock."""

MOST_DAYS_AHEAD = 1
"""A lead that was evaluated later than tomorrow (UTC) was evaluated under a wrong clock."""

Fact = TypeVar("Fact", bound="tuple[Any, ...]")


def received_by(event: Event, now: datetime) -> Event:
    """The event, received now if it seems to come from the future, and not happening later."""
    if event.received_at <= now + AHEAD:
        return event
    return structs.replace(event, received_at=now, occurred_at=min(event.occurred_at, now))


def is_ahead(lead: Lead, now: datetime) -> bool:
    """Whether the lead was evaluated under a clock that is ahead of this one by more than a day."""
    return lead.snapshot is not None and lead.snapshot.day > day_at(now) + MOST_DAYS_AHEAD


def brought_back(lead: Lead, now: datetime) -> Lead:
    """The lead without times in the future; the same lead if it has none.

    What waits for a time waits for as long as it would have; what has happened has by now.
    """
    if lead.snapshot is None or not is_ahead(lead, now):
        return lead
    today, active_day = day_at(now), lead.snapshot.active_day
    back = _Back(now, timedelta(days=lead.snapshot.day - today))
    return replace(
        lead,
        trails={id_: back.trail(trail) for id_, trail in lead.trails.items()},
        progress=back.progress(lead.progress),
        created_at=back.past(lead.created_at),
        snapshot=replace(
            lead.snapshot,
            day=today,
            active_day=None if active_day is None else min(active_day, today),
        ),
        enrolments={name: back.enrolment(each) for name, each in lead.enrolments.items()},
        offer=back.offer(lead.offer) if lead.offer else None,
        alerted={
            name: structs.replace(each, at=back.past(each.at))
            for name, each in lead.alerted.items()
        },
        mirror=structs.replace(
            lead.mirror, at=back.maybe_past(lead.mirror.at), due=back.ahead(lead.mirror.due)
        ),
        knowledge=back.knowledge(lead.knowledge) if lead.knowledge else None,
        shadow=back.shadow(lead.shadow) if lead.shadow else None,
    )


class _Back:
    """Moves times back to the present."""

    def __init__(self, now: datetime, by: timedelta) -> None:
        self._now = now
        self._now_ms = to_ms(now)
        self._by = by

    def past(self, moment: datetime) -> datetime:
        """When something happened: now, at the latest."""
        return moment if moment <= self._now else min(moment - self._by, self._now)

    def maybe_past(self, moment: datetime | None) -> datetime | None:
        return None if moment is None else self.past(moment)

    def ahead(self, moment: datetime | None) -> datetime | None:
        """When something is due: now, at the earliest, if it was to come."""
        if moment is None or moment <= self._now:
            return moment
        return max(moment - self._by, self._now)

    def past_ms(self, moment_ms: int) -> int:
        return moment_ms if moment_ms <= self._now_ms else to_ms(self.past(from_ms(moment_ms)))

    def knowledge(self, knowledge: Knowledge) -> Knowledge:
        since = {label: min(day, day_at(self._now)) for label, day in knowledge.since.items()}
        return Knowledge(knowledge.marks, since)

    def shadow(self, shadow: Shadow) -> Shadow:
        moves = (
            structs.replace(move, at=self.past(move.at), learnt=self.maybe_past(move.learnt))
            for move in shadow.moves
        )
        return structs.replace(
            shadow,
            since=self.past(shadow.since),
            progress=self.progress(shadow.progress),
            day=None if shadow.day is None else min(shadow.day, day_at(self._now)),
            knowledge=self.knowledge(shadow.knowledge) if shadow.knowledge else None,
            moves=tuple(moves),
        )

    def progress(self, progress: Progress) -> Progress:
        cooling = progress.cooling
        if cooling and cooling.since > self._now:
            since = self.past(cooling.since)
            cooling = Cooling(since, since + (cooling.until - cooling.since))
        rest, moved = progress.rest, progress.moved
        return replace(
            progress,
            since=self.past(progress.since),
            learnt=self.maybe_past(progress.learnt),
            qualified=self.maybe_past(progress.qualified),
            cooling=cooling,
            rest=structs.replace(rest, since=self.past(rest.since)) if rest else None,
            moved=structs.replace(moved, day=min(moved.day, day_at(self._now))) if moved else None,
        )

    def enrolment(self, enrolment: Enrolment) -> Enrolment:
        return replace(
            enrolment,
            started_at=self.past(enrolment.started_at),
            next_at=self.ahead(enrolment.next_at),
            ended_at=self.maybe_past(enrolment.ended_at),
        )

    def offer(self, offer: Offer) -> Offer:
        return replace(
            offer,
            at=self.past(offer.at),
            touched_at=self.maybe_past(offer.touched_at),
            closed_at=self.maybe_past(offer.closed_at),
            owed_since=self.maybe_past(offer.owed_since),
            otherwise=self.offer(offer.otherwise) if offer.otherwise else None,
        )

    def trail(self, trail: Trail) -> Trail:
        return replace(
            trail,
            claims=best_claims(map(self._dated, trail.claims)),
            history=self._history(trail.history),
            traits=self._facts(trail.traits),
            first_touch=None if trail.first_touch is None else self._dated(trail.first_touch),
            last_touch=None if trail.last_touch is None else self._dated(trail.last_touch),
            last_landing=trail.last_landing and self._dated(trail.last_landing),
            statements=self._facts(trail.statements),
            erased_ms=None if trail.erased_ms is None else self.past_ms(trail.erased_ms),
            consent=tuple(sorted(map(self._stated, trail.consent))),
            notes=tuple(sorted(self._dated(note) for note in trail.notes)),
            told=trail.told and (self.past_ms(trail.told[0]), self.past_ms(trail.told[1])),
            steps=kept_steps(map(self._dated, trail.steps)),
            readings=self._readings(trail.readings),
            unjudged={key: self._unjudged(each) for key, each in trail.unjudged.items()},
        )

    def _unjudged(self, click: Unjudged) -> Unjudged:
        step = self._dated(click.step) if click.step else None
        return Unjudged(step, self._readings(click.readings))

    def _readings(self, readings: Readings) -> Readings:
        """The readings of the days up to today, and those of days to come as of earlier ones."""
        latest = {name: self._dated(value) for name, value in readings.latest.items()}
        moved = redated(readings, self._day)
        traits = {name: self._by_day(days) for name, days in moved.traits.items()}
        return structs.replace(moved, latest=latest, traits=traits)

    def _by_day(self, facts: Mapping[int, Fact]) -> dict[int, Fact]:
        return {day: self._dated(fact) for day, fact in facts.items()}

    def _day(self, day: int) -> int:
        today = day_of(self._now_ms)
        return day if day <= today else min(day - self._by.days, today)

    def _history(self, history: History) -> History:
        today = day_of(self._now_ms)
        return structs.replace(
            history,
            recent={key: self._kept(event) for key, event in history.kept.items()},
            packed=NONE_PACKED,
            signal_days={label: self._days(days) for label, days in history.signal_days.items()},
            name_days={label: self._days(days) for label, days in history.name_days.items()},
            last_day={name: min(day, today) for name, day in history.last_day.items()},
        )

    def _days(self, counts: Mapping[int, int]) -> dict[int, int]:
        """How often something happened on each day; days that were to come are taken back."""
        found: Counter[int] = Counter()
        for day, count in counts.items():
            found[self._day(day)] += count
        return {day: min(count, MAX_PER_DAY) for day, count in found.items()}

    def _stated(self, fact: ConsentFact) -> ConsentFact:
        return self._dated(fact)._replace(received_ms=self.past_ms(fact.received_ms))

    def _kept(self, event: KeptEvent) -> KeptEvent:
        return event._replace(
            at_ms=self.past_ms(event.at_ms), received_ms=self.past_ms(event.received_ms)
        )

    def _facts(self, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        return {name: self._dated(fact) for name, fact in facts.items()}

    def _dated(self, fact: Fact) -> Fact:
        """A named tuple with a field ``at_ms``, not after now."""
        dated: Any = fact
        taken: Fact = dated._replace(at_ms=self.past_ms(dated.at_ms))
        return taken
