"""A watched model on both backends: a month is looked at, kept, and its alarm told once."""

from collections.abc import Sequence

from builders import StandingClock
from contract.backends import Books
from unit.learning.years import MODEL, PEOPLE, STATED, live, looked_at, month
from warmlead.application.report import Reporting
from warmlead.learning.kept_looks import looks_of
from warmlead.learning.watching import watch_due
from warmlead.model.loading import load
from warmlead.ports import Message


class Told:
    """A bus that keeps what is published."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        self.messages += [(str(topic), each) for each in messages]
        return [each.attributes["id"] for each in messages]


async def test_a_month_that_drifts_is_told_once(books: Books) -> None:
    bus, clock = Told(), StandingClock()
    await live(8, books.leads, Told(), clock, kinds=(1, 1, 1, 2, 2))
    rules = load(MODEL + STATED, name="stated").rules
    reporting = Reporting(books.leads, books.reports, bus, rules)

    made = await watch_due(reporting, looked_at(8))
    assert await watch_due(reporting, looked_at(8)) is None

    assert made
    assert made.scores
    assert (made.became_known, made.scores.leads, made.alarms) == (PEOPLE, PEOPLE, ["scores"])
    assert await looks_of(books.reports, month(8)) == [made]
    assert [topic for topic, _ in bus.messages] == ["kpi"]
