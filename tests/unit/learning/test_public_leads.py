"""Leads that anybody can have made up are counted by source, and left out if that is asked for."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from builders import a_lead, an_event
from unit.learning.leads import DAY, QUESTION, books, did, says
from warmlead.cli.learned_forms import told_of_public
from warmlead.domain.event import Trust
from warmlead.learning.backtest import MOST_PUBLIC, public_of
from warmlead.learning.backtest_report import PublicShare, PublicSource
from warmlead.learning.cases import LeftOut, is_confirmed
from warmlead.learning.observing import (
    MOST_SOURCES,
    OTHER_SOURCES,
    Observed,
    PublicLeads,
)

PUBLIC: dict[str, Any] = {"trust": Trust.PUBLIC}


@pytest.mark.parametrize(
    ("told", "confirmed"),
    [
        ({**PUBLIC, "name": "form_submitted", "traits": {"employees": 400}}, False),
        ({"name": "email_bounced"}, False),
        ({"traits": {"employees": 400}}, True),
        ({"user_id": "u-1"}, True),
        ({"email": None, "user_id": "u-1"}, True),
        ({"email": None, "user_id": "u-1", **PUBLIC}, False),
        ({"name": "sales_rejected", "properties": {"reason": "bad_fit"}}, True),
    ],
)
def test_a_lead_is_confirmed_by_what_the_public_cannot_send(
    told: dict[str, Any], confirmed: bool
) -> None:
    assert is_confirmed(a_lead(an_event(**told)), ()) is confirmed


async def test_made_up_leads_are_counted_by_source_and_left_out_on_demand(tmp_path: Path) -> None:
    async with books(tmp_path) as kept:
        await kept.imported([did("bought", "page_viewed", 0), did("bought", "sales_won", 30)])
        at = kept.clock.now()
        forms = [
            says(who, "form_submitted", at, **PUBLIC, attribution=origin)
            for who, origin in (
                ("fake-1", {"utm_source": "Google", "utm_medium": "cpc"}),
                ("fake-2", {}),
                ("called", {}),
            )
        ]
        await kept.happens(*forms)
        await kept.happens(says("called", "sales_rejected", at, properties={"reason": "bad_fit"}))
        later = at + 100 * DAY
        seen, told = await kept.observed(now=later)
        confirmed, without = await kept.observed(structs.replace(QUESTION, confirmed=True), later)
    assert (len(seen), told.public) == (
        4,
        {"google": PublicLeads(1, 0), "no source": PublicLeads(1, 0)},
    )
    assert sorted(each.won for each in confirmed) == [False, True]
    assert (without.left_out[LeftOut.UNCONFIRMED], without.public) == (2, {})


def test_few_such_leads_are_not_worth_a_word_and_many_are_told_by_source() -> None:
    sources = [PublicSource(source=f"s\x1b[2J{n}", leads=n, won=0) for n in (40, 30, 20, 5, 5)]
    many = PublicShare(leads=100, won=2, of=150, of_won=27, sources=sources)
    told = told_of_public(many)
    assert "Of 100 of 150 leads (67%) only the public" in told
    assert "2.0% of them won, 50% of the others" in told
    assert "40 40, s[2J30 30, s[2J20 20, others 10." in told
    assert "--trust signed" in told
    assert not told_of_public(many.model_copy(update={"of": 10_000}))
    everybody = many.model_copy(update={"of": 100, "of_won": 2})
    assert "2.0% of them won. By" in told_of_public(everybody)


def test_sources_that_anybody_makes_up_take_no_room() -> None:
    observed = Observed(ripe=2 * MOST_SOURCES)
    observed.public = {f"s-{n}": PublicLeads(1, 0) for n in range(MOST_SOURCES)}
    shown = public_of(observed).sources
    assert len(shown) == MOST_PUBLIC + 1
    assert shown[-1] == PublicSource(source=OTHER_SOURCES, leads=MOST_SOURCES - MOST_PUBLIC, won=0)
