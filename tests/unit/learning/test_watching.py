"""A model that is watched for a year on SQLite: what is kept, told, and told only once."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from builders import StandingClock
from unit.learning.years import MODEL, PEOPLE, RULES, STATED, live, looked_at, month
from warmlead.application.report import Reporting
from warmlead.buses.sqlite import SqliteBus
from warmlead.buses.topology import topics_of_subscriptions
from warmlead.domain.errors import UnavailableError
from warmlead.domain.lead import Lead
from warmlead.learning.kept_looks import looks_of
from warmlead.learning.watching import last_due, question_of, watch_due
from warmlead.messages.contract import message_schema
from warmlead.messages.watch import MonthlyLook
from warmlead.model.loading import load
from warmlead.ports import Message
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

LESS = (1, 1, 1, 2, 2)


class Counting(SqliteLeadStore):
    """Leads that count who is read."""

    reads = 0

    async def get(self, lead_id: str) -> Lead | None:
        self.reads += 1
        return await super().get(lead_id)

    def leads(self) -> AsyncIterator[Lead]:
        raise AssertionError("all leads were read")


class Watched:
    """Leads on a file, and who looks at their months."""

    def __init__(self, file: SqliteFile) -> None:
        self.file = file
        self.clock = StandingClock(looked_at(1))
        self.store = Counting(file, self.clock)
        self.bus = SqliteBus(file, self.clock, topics_of_subscriptions())
        self.reporting = Reporting(self.store, SqliteReportStore(file), self.bus, RULES)

    async def live(self, *numbers: int, kinds: Sequence[int] | None = None) -> None:
        for number in numbers:
            given = {} if kinds is None else {"kinds": kinds}
            await live(number, self.store, self.bus, self.clock, **given)

    async def look(self, number: int) -> MonthlyLook | None:
        """The look at a month on the day on which it is due."""
        return await watch_due(self.reporting, looked_at(number))

    def use(self, model: str) -> None:
        """Puts another model in force."""
        rules = load(model, name="of the tests").rules
        self.reporting = replace(self.reporting, rules=rules)

    async def told(self) -> list[Message]:
        return [each.message async for each in self.bus.read("kpi")]


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with SqliteFile(tmp_path / "w.db", durable=False) as file:
        yield Watched(file)


@pytest.mark.slow  # it is a year
async def test_what_leads_do_otherwise_in_month_eight_is_told_once_in_month_nine(
    watched: Watched,
) -> None:
    await watched.live(1, 2, 3, 5, 7)
    await watched.live(8, kinds=LESS)
    looks, read = [], []
    for number in (5, 6, 7, 8, 8):
        watched.store.reads = 0
        looks.append(await watched.look(number))
        read.append(watched.store.reads)

    may, june, july, august, again = looks
    assert again is None
    assert may
    assert june
    assert july
    assert august
    assert "no reference" in may.missing[0]
    assert (june.reference, june.became_known) == ("2025-01 to 2025-03", 0)
    assert june.outcomes[0].month == "2025-03"
    assert (july.alarms, july.scores and july.scores.leads) == ([], 36)
    assert august.alarms == ["scores"]
    assert august.scores
    assert august.scores.psi > august.scores.limit

    # May, with January and February for want of December; the first quarter and March, which has
    # ripened; then each month itself, and that which has ripened: nobody came in April.
    assert read == [3 * PEOPLE, 4 * PEOPLE, PEOPLE, 2 * PEOPLE, 0]

    (told,) = await watched.told()
    event = json.loads(told.body)
    Draft202012Validator(message_schema(event["type"])).validate(event)
    assert (event["type"], event["time"]) == ("warmlead.model.drifted.v1", "2025-09-08T00:00:00Z")
    assert event["data"] == august.model_dump(mode="json")
    assert august.outcomes[0].month == "2025-05"
    assert [each.alarms for each in await looks_of(watched.reporting.reports, month(8))] == [
        ["scores"]
    ]


@pytest.mark.slow  # it is a month of leads, twice
async def test_a_look_that_was_killed_tells_the_same_bytes_again(watched: Watched) -> None:
    watched.use(MODEL + STATED)
    await watched.live(8, kinds=LESS)
    whole, reports = watched.reporting, watched.reporting.reports

    class Down(SqliteBus):
        async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
            raise UnavailableError(f"{topic} takes none of {len(messages)} messages")

    down = Down(watched.file, watched.clock, topics_of_subscriptions())
    watched.reporting = replace(whole, bus=down)
    with pytest.raises(UnavailableError):
        await watched.look(8)
    assert await watched.told() == []

    class Full(SqliteReportStore):
        async def keep(self, period: str, report: str) -> None:
            raise UnavailableError(f"no room for {len(report)} bytes of {period}")

    watched.reporting = replace(whole, reports=Full(watched.file))
    with pytest.raises(UnavailableError):
        await watched.look(8)
    watched.reporting = replace(whole, reports=reports)
    await watched.live(8, kinds=(5, 5))  # learnt since: it does not change what was kept
    assert await watched.look(8)
    assert await watched.look(8) is None
    first, again = await watched.told()
    assert first == again


@pytest.mark.slow  # it is two months of leads
async def test_a_model_file_that_states_its_reference_is_watched_from_its_first_month(
    watched: Watched,
) -> None:
    watched.use(MODEL + STATED)
    await watched.live(1, 3)
    made = await watched.look(3)
    assert made
    assert (made.reference, made.reference_leads, made.within_days) == ("model file", 600, 60)
    (outcome,) = made.outcomes
    assert (outcome.month, outcome.leads, outcome.won) == ("2025-01", 36, 8)
    pages = ((12, 8), (24, 7), (36, 7), (48, 7), (60, 7))
    expected = sum(count / (1 + exp(3 - 0.07 * score)) for score, count in pages)
    assert outcome.expected == pytest.approx(expected, abs=0.01)


def test_nobody_is_looked_at_before_the_last_of_a_month_can_be_judged() -> None:
    question = question_of(None)
    assert last_due(question, looked_at(8)).name == "2025-08"
    assert last_due(question, month(9).start).name == "2025-07"
