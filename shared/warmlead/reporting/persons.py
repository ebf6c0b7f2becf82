"""What a report may know of a person besides the moves: statements of sales, and origins."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from warmlead.domain.attribution import (
    NOT_KNOWN,
    first_origin,
    last_origin,
    origin_facts,
    presentable,
)
from warmlead.domain.history import day_at
from warmlead.domain.lead import Lead
from warmlead.domain.packed_history import OF_SHADOW
from warmlead.domain.sales import Statement
from warmlead.reporting.periods import Period

NONE_STATED = "(none)"
"""Stands for a campaign, a landing page or an owner that nobody stated."""


class FunnelPerson:
    """What is known of a person besides the moves, as of the end of the period.

    ``facets`` are what persons are broken down by.
    """

    __slots__ = ("_first_days", "channel", "facets", "last_channel", "said", "source")

    def __init__(self, lead: Lead | None, period: Period, *, is_answered: bool) -> None:
        """``is_answered``: sales has answered in the period, so the signals are of interest."""
        origin = first_origin(lead) if lead else NOT_KNOWN
        self.said: Sequence[Statement] = [
            each for each in (lead.statements if lead else ()) if each.at < period.end
        ]
        self.channel = origin.channel
        self.last_channel = last_origin(lead).channel if lead else NOT_KNOWN.channel
        self.source = presentable(origin.source)
        facts = origin_facts(lead) if lead else {}
        self.facets: Mapping[str, str] = {
            "channel": self.channel,
            "source": self.source,
            "campaign": presentable(facts.get("first.campaign", "")) or NONE_STATED,
            "landing_page": presentable(facts.get("first.landing_page", "")) or NONE_STATED,
            "owner": (lead.offer.owner if lead and lead.offer else "") or NONE_STATED,
        }
        signals = lead.tally().signals if lead and is_answered else {}
        self._first_days = {
            name: min(days) for name, days in signals.items() if days and name[:1] != OF_SHADOW
        }

    def signals_by(self, moment: datetime) -> list[str]:
        """The signals of the person until the day of a moment, as far as they are kept."""
        day = day_at(moment)
        return [name for name, first in self._first_days.items() if first <= day]
