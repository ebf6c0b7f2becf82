"""Past leads are seen as they were known, wherever leads and their moves are kept."""

from collections import Counter

from builders import NOW
from contract.backends import Books
from unit.application.history.persons import THEN, importing, taken_in
from unit.learning.leads import DAY, QUESTION, RULES, did
from warmlead.learning.cases import LeftOut
from warmlead.learning.observing import Observed, observe


async def test_leads_are_seen_as_they_were_known_in_order_of_id(books: Books) -> None:
    persons = [
        [
            did("ada", "page_viewed", 0, traits={"employees": 400}),
            did("ada", "page_viewed", 3, traits={"title": "CEO"}),
            did("ada", "page_viewed", 9, traits={"country": "DE"}),
            did("ada", "sales_won", 40),
        ],
        [did("bob", "demo_requested", 5)],
        [did("cyn", "page_viewed", (NOW - THEN) / DAY - 9)],
    ]
    await taken_in(books.leads, *persons, using=importing(RULES))
    told = Observed()
    seen = [
        each
        async for each in observe(
            books.leads, books.reports, RULES, QUESTION, now=NOW, observed=told
        )
    ]
    by_outcome = {each.won: each for each in seen}
    assert [each.lead_id for each in seen] == sorted(each.lead_id for each in seen)
    assert (told.ripe, told.won, told.left_out) == (2, 1, Counter({LeftOut.OPEN: 1}))
    assert by_outcome[True].signals == {"page_viewed": 2}
    assert by_outcome[True].facts.keys() >= {"employees", "title", "title_level"}
    assert "country" not in by_outcome[True].facts
    assert (by_outcome[True].at - THEN, by_outcome[True].fit) == (7 * DAY, 20)
    assert by_outcome[False].worths == {"signal:demo_requested": 1}
