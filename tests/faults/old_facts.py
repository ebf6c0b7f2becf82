"""Facts of weeks ago are learnt among live ones, in any order and again: none of them acts.

And what sales states late is reported as of when it was so.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from builders import NOW
from faults.books import read_told
from faults.deployment import Deployment, campaign_model
from faults.journal import Journal
from faults.lives import Life, Ticking
from faults.people import stamp
from faults.sites import Switches
from faults.trial import Outcome, Trial
from faults.workload import DAY_S, PASS, Request, Step, Workload, basic, statement
from faults.zygote import in_a_process
from warmlead.application.report import Reporting, add_up
from warmlead.domain.lead import Lead
from warmlead.domain.trigger import TRIGGER_TOPICS
from warmlead.reporting.periods import Span, period_of
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

FORGETTING = campaign_model(
    {
        "acts_within: 60d": "acts_within: 7d",
        "{after: 5d, lose: 20%, every: 4d}": "{after: 90d, lose: 1%, every: 90d}",
    }
)
"""The campaign's model, in which weeks are old, and what was done weeks ago still makes an MQL."""

OLD_DAYS = (8, 40)
"""So long ago old facts were: some of them in the month before, and some in that before it."""

OLD = tuple(f"old-{number}@example.com" for number in range(5))
LIVE = ("live-0@example.com", "live-1@example.com")


def run(trial: Trial) -> Outcome:
    """One trial: what was, and what is, in any order; some weeks; and the report of each month."""
    ended = in_a_process(lambda: asyncio.run(_work(trial)))
    return Outcome([*(ended.result or []), *([ended.wrong] if ended.wrong else [])])


async def _work(trial: Trial) -> list[str]:
    random = Random(f"old facts {trial.seed}")
    said_at = {email: _long_ago(random) for email in random.sample(OLD, 2)}
    plan = _plan(random, said_at)
    journal = Journal(trial.folder / "journal")
    clock = Ticking(NOW)
    async with trial.backend.open(trial.folder, clock, Switches()) as installed:
        life = Life(plan, journal, installed, clock, random=random)
        store, bus = life.store, life.bus
        life.deployments = [Deployment(store, bus, clock, Switches(), FORGETTING)]
        await life.go_on()
        await life.heal()
        sink = [each for topic in TRIGGER_TOPICS for each in await installed.published(topic)]
        told = Counter(each.data["lead"]["email"] for each in read_told(sink))
        leads = {lead.email: lead async for lead in installed.store.leads()}
    found = [*_acted(told), *_recorded(leads, said_at)]
    async with SqliteFile(trial.folder / "warmlead.sqlite3") as file:
        reports = SqliteReportStore(file)
        reporting = Reporting(SqliteLeadStore(file, clock), reports, bus, FORGETTING.rules)
        return [*found, *[each async for each in _reported(reporting, said_at.values())]]


def _long_ago(random: Random) -> datetime:
    first, last = OLD_DAYS
    return NOW - timedelta(seconds=random.randrange(first * DAY_S, last * DAY_S))


# --- the plan --------------------------------------------------------------------------------


def _plan(random: Random, said_at: Mapping[str, datetime]) -> Workload:
    """Each request once or twice, some days between them, and some weeks after."""
    requests = [each for email in OLD for each in _history(random, email)]
    requests += [_tracked(f"now of {email}", email, NOW, "Demo Requested") for email in LIVE]
    for email, at in said_at.items():
        fields = {"email": email, "said": "accepted", "occurred_at": stamp(at)}
        requests.append(statement(random, fields))
    sends = [*range(len(requests)), *random.choices(range(len(requests)), k=8)]
    random.shuffle(sends)
    steps: list[Step] = []
    for number in sends:
        steps += [Step("send", number), Step("deliver", random.randint(0, 3))]
        if random.random() < 0.1:
            steps += [Step(PASS, 3_600), Step("followup", 1)]
    steps.append(Step("deliver", 100))
    for _ in range(8):
        steps += [Step(PASS, DAY_S), Step("decay", 1), Step("followup", 1)]
    return Workload((), requests, steps, width=1)


def _history(random: Random, email: str) -> Iterator[Request]:
    """What somebody did weeks ago; some of it is exported again, with a field more."""
    for number in range(3):
        yield _tracked(f"{number} of {email}", email, _long_ago(random), "Demo Requested")
    at = _long_ago(random)
    for traits in ({}, {"employees": 120}):
        call = {"type": "identify", "messageId": f"who {email}", "timestamp": stamp(at)}
        yield _posted({**call, "userId": email, "traits": {"email": email, **traits}})


def _tracked(id_: str, email: str, at: datetime, event: str) -> Request:
    call = {"type": "track", "messageId": id_, "userId": email, "event": event}
    return _posted({**call, "timestamp": stamp(at)})


def _posted(call: Mapping[str, Any]) -> Request:
    return Request(f"/v1/{call['type']}", basic("server"), json.dumps(call).encode())


# --- what must be so in the end ----------------------------------------------------------------


def _acted(told: Mapping[str, int]) -> Iterator[str]:
    """I8: nothing is told of whom only old facts are known; of the others something is."""
    for email in OLD:
        if told[email]:
            yield f"I8: {told[email]} messages are about {email}, who did nothing for a week"
    for email in LIVE:
        if not told[email]:
            yield f"I8: nobody was told of {email}"


def _recorded(leads: Mapping[str | None, Lead], said_at: Mapping[str, datetime]) -> Iterator[str]:
    """I3: old facts move their leads all the same."""
    for email in OLD:
        lead, wanted = leads.get(email), ("sql",) if email in said_at else ("mql", "pql")
        if lead is None or lead.progress.stage not in wanted:
            yield f"I3: {email} is {lead and lead.progress.stage}, and not {wanted}"


async def _reported(reporting: Reporting, said_at: Collection[datetime]) -> AsyncIterator[str]:
    """I3: each month's report has the statements of sales that were true from that month on."""
    wanted = Counter(period_of(Span.MONTH, at).name for at in said_at)
    for days in (0, 31, 62):
        period = period_of(Span.MONTH, NOW - timedelta(days=days))
        made = await add_up(reporting, period, NOW)
        entered = made.stages["sql"].entered
        if entered != wanted[period.name]:
            yield f"I3: {period.name} reports {entered} SQLs, and {wanted[period.name]} became one"
