"""The page of events that no signal wanted, counted in the leads that a list has at its top."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from warmlead.dashboard.parts import Parts
from warmlead.dashboard.rendering import page
from warmlead.domain.lead import Lead
from warmlead.ports.listing import LeadQuery
from warmlead.web.answers import Answer

MOST_LEADS = 100
"""How many leads of each list are looked at: each is one document that is read."""

MOST_EVENTS = 60
"""How many names of events the page shows."""

LOOKED_BACK = timedelta(days=31)
"""For how long leads keep the name of an event that is no signal."""


async def unmatched_page(parts: Parts, now: datetime) -> Answer:
    """The page; reads ``MOST_LEADS`` leads of each order at most, however many there are."""
    # Only this page needs these: they would make the start of the function longer.
    from warmlead.application.unmatched import unmatched_in_histories  # noqa: PLC0415  # see above
    from warmlead.model.wants import wants_of  # noqa: PLC0415  # see above

    looked = 0

    def count(number: int) -> None:
        nonlocal looked
        looked = number

    report = await unmatched_in_histories(
        _at_the_top(parts), wants=wants_of(parts.model.plan()), progress=count
    )
    return page(
        "unmatched.html",
        here="model",
        report=report,
        rows=report.unmatched[:MOST_EVENTS],
        left=max(0, len(report.unmatched) - MOST_EVENTS),
        leads=looked,
        most_leads=MOST_LEADS,
        since=now - LOOKED_BACK,
        now=now,
    )


async def _at_the_top(parts: Parts) -> AsyncIterator[Lead]:
    """The leads with the highest scores and those that are newest in their stage, each once."""
    seen = set[str]()
    for asked in (LeadQuery(order="since"), LeadQuery(order="score")):
        for listed in await parts.leads.listed(asked, most=MOST_LEADS):
            if isinstance(listed.lead, Lead) and listed.lead.id not in seen:
                seen.add(listed.lead.id)
                yield listed.lead
