"""MQLs and deals by what persons have in common, and how long leads waited for sales."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar

from warmlead.domain.attribution import OTHER_SOURCES, named_channel, origin_of
from warmlead.domain.office_hours import OfficeHours
from warmlead.domain.sales import first_contact
from warmlead.messages.revenue import ContactTimes, MqlFigures, SpendFigures, Value, Won
from warmlead.reporting.cohorts import Milestone, Milestones
from warmlead.reporting.funnel import FunnelPath, WonDeal, deal_won
from warmlead.reporting.periods import Period
from warmlead.reporting.persons import NONE_STATED, FunnelPerson

MOST_VALUES = 50
"""Number of values of one facet that a report names, those with the most; visitors invent more."""

BAND_POINTS = 25
"""The width of the bands of scores."""

Person: TypeAlias = tuple[FunnelPath, FunnelPerson, Milestones]
"""A person's way in the period, what else is known, and the milestones of all times; unpacked."""

_HOUR = timedelta(hours=1)

FIRST_DAY = timedelta(days=1)
"""The working time after which it is told how fast sales was."""


@dataclass(slots=True)
class _Group:
    """Persons with one value of a facet."""

    mql: int = 0
    became_sql: int = 0
    became_customer: int = 0
    deals: list[WonDeal] = field(default_factory=list)

    def add(self, other: "_Group") -> None:
        self.mql += other.mql
        self.became_sql += other.became_sql
        self.became_customer += other.became_customer
        self.deals += other.deals

    @property
    def figures(self) -> MqlFigures:
        return MqlFigures(
            mql=self.mql,
            became_sql=self.became_sql,
            became_customer=self.became_customer,
            won=won(self.deals),
        )


def breakdowns(persons: Iterable[Person], period: Period) -> dict[str, dict[str, MqlFigures]]:
    """The MQLs of the period and its deals by each facet, and by the score of the MQL."""
    found: dict[str, dict[str, _Group]] = {}
    for way, who, steps in persons:
        group = _of_person(way, who, steps, period)
        if not (group.mql or group.deals):
            continue
        score = NONE_STATED if steps.mql_score is None else band(steps.mql_score)
        for facet, value in {**who.facets, "score": score}.items():
            found.setdefault(facet, {}).setdefault(value, _Group()).add(group)
    presented = {facet: _presented(values) for facet, values in found.items()}
    if "score" in presented:
        presented["score"] = by_band(presented["score"])
    return presented


def _of_person(way: FunnelPath, who: FunnelPerson, steps: Milestones, period: Period) -> _Group:
    is_mql = Milestone.MQL in steps.at and period.holds(steps.at[Milestone.MQL])
    return _Group(
        mql=is_mql,
        became_sql=is_mql and Milestone.SQL in steps.at,
        became_customer=is_mql and Milestone.CUSTOMER in steps.at,
        deals=[deal_won(who.said, each.at) for each in way.won],
    )


def _presented(values: Mapping[str, _Group]) -> dict[str, MqlFigures]:
    """The largest by name, and the rest together."""
    named = values.keys() - {OTHER_SOURCES}
    by_size = sorted(named, key=lambda name: (-values[name].mql, -len(values[name].deals), name))
    shown = {name: values[name] for name in by_size[:MOST_VALUES]}
    if rest := [*by_size[MOST_VALUES:], *(values.keys() - named)]:
        shown[OTHER_SOURCES] = _Group()
        for name in rest:
            shown[OTHER_SOURCES].add(values[name])
    return {name: group.figures for name, group in shown.items()}


SPENT_BY = ("channel", "source", "campaign")
"""What spend is entered by."""

SPENT_ON = (*SPENT_BY, "medium")
"""What a row of spend names."""


class SpendTally:
    """Adds up what was spent, under the names by which persons are broken down."""

    def __init__(self) -> None:
        self._total: Counter[str] = Counter()
        self._parts: dict[str, dict[str, Counter[str]]] = {facet: {} for facet in SPENT_BY}

    def add(self, names: Mapping[str, str], amount: int, currency: str) -> None:
        """Adds an amount; ``names`` are by facet, empty if it is not known.

        The channel of a row that names none follows from its medium, as that of a visit does.
        """
        self._total[currency] += amount
        of_link = {f"utm_{name}": names.get(name, "") for name in ("source", "medium", "campaign")}
        is_derived = of_link["utm_medium"].strip() and not names["channel"].strip()
        told = {**names, "channel": origin_of(of_link.items()).channel} if is_derived else names
        for facet, values in self._parts.items():
            if name := told[facet].strip():
                values.setdefault(_as_of_persons(facet, name), Counter())[currency] += amount

    @property
    def figures(self) -> SpendFigures | None:
        """All of it; ``None`` if nothing was entered."""
        if not self._total:
            return None
        parts = {
            facet: {name: dict(sorted(each.items())) for name, each in sorted(values.items())}
            for facet, values in self._parts.items()
        }
        return SpendFigures(total=dict(sorted(self._total.items())), **parts)


def _as_of_persons(facet: str, name: str) -> str:
    """The name as attribution writes it: channels as they are called, sources in lower case."""
    if facet == "campaign":
        return name
    return (named_channel(name) or name) if facet == "channel" else name.lower()


def won_by_last_touch(persons: Iterable[Person]) -> dict[str, Won]:
    """The deals of the period by the channel of the last touch before each was won."""
    found: dict[str, list[WonDeal]] = {}
    for way, who, _ in persons:
        for each in way.won:
            kept = each.attribution
            channel = origin_of(kept).channel if kept else who.last_channel
            found.setdefault(channel, []).append(deal_won(who.said, each.at))
    return {channel: won(deals) for channel, deals in sorted(found.items())}


def won(deals: Iterable[WonDeal]) -> Won:
    """Deals by currency; amounts in different ones are never added."""
    count = without = 0
    values: dict[str, list[int]] = {}
    for deal in deals:
        count += 1
        if deal.value_cents is None:
            without += 1
        else:
            values.setdefault(deal.currency, []).append(deal.value_cents)
    return Won(
        deals=count,
        without_value=without,
        values={
            currency: Value(deals=len(all_of), smallest_units=sum(all_of), largest=max(all_of))
            for currency, all_of in sorted(values.items())
        },
    )


def contact_times(
    persons: Iterable[Person], period: Period, hours: OfficeHours | None
) -> ContactTimes:
    """How long sales took to speak to leads, of which it had had 24 hours in the period."""
    count: Counter[str] = Counter()
    for way, who, _ in persons:
        for at in {offer.at for offer in way.offers}:
            last = worked(at, FIRST_DAY, hours)
            if period.holds(last):
                touched = first_contact(who.said, at)
                count.update(["offers", *_waited(touched, worked(at, _HOUR, hours), last)])
    return ContactTimes(**{name: count[name] for name in ContactTimes.model_fields})


def worked(at: datetime, within: timedelta, hours: OfficeHours | None) -> datetime:
    """When so much working time has passed since a moment; without hours all time is that."""
    return hours.due(at, within) if hours else at + within


def _waited(touched: datetime | None, first: datetime, last: datetime) -> list[str]:
    if touched is None:
        return ["never"]
    if touched <= first:
        return ["within_1_hour", "within_24_hours"]
    return ["within_24_hours"] if touched <= last else ["later"]


ValueT = TypeVar("ValueT")


def by_band(values: Mapping[str, ValueT]) -> dict[str, ValueT]:
    """Values by the band of a score, in the order of the bands; what is no band comes last."""

    def place(name: str) -> tuple[bool, int]:
        start = name.partition("-")[0]
        return (False, int(start or -1)) if not start or start.isdecimal() else (True, 0)

    return {name: values[name] for name in sorted(values, key=place)}


def band(score: int) -> str:
    """The band of a score: ``50-74``; below 0: ``-``."""
    start = score // BAND_POINTS * BAND_POINTS
    return f"{start}-{start + BAND_POINTS - 1}" if score >= 0 else "-"
