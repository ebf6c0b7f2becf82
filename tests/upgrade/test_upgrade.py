"""Stores that earlier releases wrote: today's code opens them and finds in them what was there."""

import json
import sqlite3
import urllib.request
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from builders import StandingClock
from unit.cli.conftest import Workspace
from upgrade.remake import AS_OF, RELEASES, STORES, model_of
from upgrade.story import END, facts, story
from warmlead.application.apply import Scoring, apply
from warmlead.application.due import EvaluationContext, decay, follow_up
from warmlead.application.explain import explain
from warmlead.application.report import Reporting, add_up
from warmlead.domain.identity import LeadIds
from warmlead.domain.nurture_record import NurtureTurn
from warmlead.domain.rules import Rules
from warmlead.domain.search import sought_word
from warmlead.domain.stages import MoveCause
from warmlead.model.loading import load
from warmlead.ports import LeadStore, Message
from warmlead.ports.listing import LeadQuery, Order
from warmlead.ports.reporting import ReportStore
from warmlead.reporting.periods import Span, last_period, period_of
from warmlead.settings import Settings
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.firestore.store import FirestoreLeadStore, FirestoreReportStore
from warmlead.stores.sqlite import SqliteLeadStore
from warmlead.stores.sqlite_reports import SqliteReportStore

FIRESTORE = [name for name in RELEASES if (STORES / name / "firestore.json").exists()]
WITH_REPORTS = (
    "layout-3",
    "before-the-house",
    "before-alerts",
    "one-clock",
    "layout-3-last",
    "before-nurture",
    "before-search",
)
RIPENING = ("cohort", "cohorts", "breakdowns")
"""What a report says of persons as far as they had come when it was made."""

IDS = LeadIds(Settings().id_secret.encode())


class Sent:
    """A bus that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, Message]] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[str]:
        self.messages += [(topic, message) for message in messages]
        return ["" for _ in messages]


class Old(NamedTuple):
    """What a release wrote, opened by today's code, and what the release told of it."""

    release: str
    store: LeadStore
    reports: ReportStore
    rules: Rules
    told: Mapping[str, Any]
    said: Mapping[str, Any]


def read(release: str, name: str) -> Any:
    return json.loads((STORES / release / name).read_text(encoding="utf-8"))


def restore_sqlite(release: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.executescript((STORES / release / "warmlead.sql").read_text(encoding="utf-8"))


def restore_firestore(release: str, address: str, project: str) -> None:
    documents = f"projects/{project}/databases/(default)/documents"
    writes = [
        {"update": {"name": f"{documents}/{name}/{each['id']}", "fields": each["fields"]}}
        for name, all_of_it in read(release, "firestore.json").items()
        for each in all_of_it
    ]
    url = f"http://{address}/v1/{documents}:commit"
    body = json.dumps({"writes": writes}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture(
    params=[
        *(("sqlite", name) for name in RELEASES),
        *(("firestore", name) for name in FIRESTORE),
    ],
    ids="-".join,
)
async def old(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Old]:
    backend, release = request.param
    told = read(release, "told.json")
    rules = load(model_of(release), name="model.yaml").rules
    if backend == "sqlite":
        restore_sqlite(release, tmp_path / "warmlead.sqlite3")
        async with SqliteFile(tmp_path / "warmlead.sqlite3") as file:
            leads = SqliteLeadStore(file, StandingClock(END))
            yield Old(release, leads, SqliteReportStore(file), rules, told[backend], told["said"])
        return
    address, project = request.getfixturevalue("firestore_emulator"), f"p-{uuid.uuid4().hex[:12]}"
    restore_firestore(release, address, project)
    store = FirestoreLeadStore(project, emulator=address)
    reports = FirestoreReportStore(project, emulator=address)
    yield Old(release, store, reports, rules, told[backend], told["said"])
    await store.close()
    await reports.close()


async def test_leads_are_as_the_release_left_them(old: Old) -> None:
    found = await facts(old.store)
    assert json.loads(json.dumps(found)) == old.told
    stages = {each["stage"] for each in found.values()}
    assert stages >= {"anonymous", "lead", "mql"}
    if old.release != "layout-1":
        assert stages >= {"sql", "opportunity", "customer", "recycled", "disqualified"}
        assert any(each["unsent"] for each in found.values())
        assert any(each["offer"] and not each["offer"][-1] for each in found.values())


async def test_every_lead_has_its_score_with_the_same_explanation(old: Old) -> None:
    said = {}
    async for lead in old.store.leads():
        made = explain(lead, old.rules, END)
        said[lead.id] = {
            **{name: getattr(made, name) for name in ("stage", "score", "engagement", "fit")},
            "contributions": [[each.kind, each.name, each.points] for each in made.contributions],
        }
    assert said == old.said
    assert len({each["score"] for each in said.values()}) > 4


async def test_reports_are_as_they_were_and_made_again_have_the_same_numbers(old: Old) -> None:
    reporting = Reporting(old.store, old.reports, Sent(), old.rules)
    january = last_period(Span.MONTH, END)
    again = json.loads((await add_up(reporting, january, END)).model_dump_json())
    has_moves = not (old.release == "layout-2" and isinstance(old.store, FirestoreLeadStore))
    # it had no reports, and its moves in Firestore not the shard by which reports find them
    assert (again["stages"]["mql"]["entered"] >= 3) == has_moves
    kept = await old.reports.report(january.name)
    assert bool(kept) == (old.release in WITH_REPORTS)
    if kept:
        assert json.loads(kept)["rejections"] == {"not_ready": 1, "bad_fit": 1}
        same = {name: each for name, each in json.loads(kept).items() if name not in RIPENING}
        assert within(same, again) == []


async def test_a_lead_that_unsubscribed_stays_suppressed(old: Old) -> None:
    statuses = {
        lead.email: (made.consent.status, made.consent.may_be_mailed)
        async for lead in old.store.leads()
        for made in [explain(lead, old.rules, END)]
    }
    assert statuses.pop("leaving@example.com") == ("unsubscribed", False)
    assert all(may_be_mailed for _, may_be_mailed in statuses.values())


async def test_every_recorded_move_has_a_cause(old: Old) -> None:
    moves = [m async for lead in old.store.leads() for m in await old.store.transitions(lead.id)]
    assert len(moves) > len(old.told)
    assert [move for move in moves if move.cause is MoveCause.UNKNOWN] == []


def within(old: Any, new: Any, path: str = "") -> list[str]:
    """Where the new document lacks what is in the old one, or says something else."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            fault
            for name, value in old.items()
            for fault in within(value, new.get(name), f"{path}/{name}")
        ]
    return [] if old == new else [f"{path}: {old!r}, now {new!r}"]


async def test_triggers_that_were_left_unsent_are_sent_byte_for_byte(old: Old) -> None:
    bus = Sent()
    now = END + timedelta(hours=1)
    context = EvaluationContext(old.store, bus, old.rules, StandingClock(now))
    done = await follow_up(context)
    assert (done.done, done.due.failed) == (True, 0)
    sent = [[m.attributes["id"], topic, m.body.decode()] for topic, m in bus.messages]
    for each in old.told.values():
        assert [trigger for trigger in each["unsent"] if trigger not in sent] == []
    assert [lead.id async for lead in old.store.with_unsent_triggers()] == []


async def test_leads_live_on_and_are_written_in_the_layout_of_today(old: Old) -> None:
    clock = StandingClock(END + timedelta(days=60))
    context = EvaluationContext(old.store, Sent(), old.rules, clock)
    run = await decay(context)
    assert (run.done, run.failed) == (True, 0)
    assert run.changed >= len(old.told) // 2
    after = await facts(old.store)
    assert after.keys() == old.told.keys()
    for id_, before in old.told.items():
        assert after[id_]["moves"][: len(before["moves"])] == before["moves"]
        assert after[id_]["ids"] == before["ids"]


async def test_the_next_daily_run_puts_every_lead_on_all_lists_and_finds_it(old: Old) -> None:
    context = EvaluationContext(old.store, Sent(), old.rules, StandingClock(END), page_leads=3)
    runs = [await decay(context) for _ in range(2)]
    assert [(run.done, run.failed) for run in runs] == [(True, 0)] * 2
    assert (runs[0].looked_at >= len(old.told), runs[1].looked_at) == (True, 0)
    for order in get_args(Order):
        page = await old.store.listed(LeadQuery(order=order), most=100)
        assert {each.place.id for each in page} == old.told.keys()
    for id_, lead in old.told.items():
        found = await old.store.found(sought_word(lead["email"] or ""), most=100)
        assert (id_ in {each.id for each in found}) == bool(lead["email"])
    stages = Counter(lead["stage"] for lead in (await facts(old.store)).values())
    assert await old.reports.leads_in([*stages]) == stages


async def test_what_becomes_of_sequences_is_recorded_from_now_on(old: Old) -> None:
    """Most recorded nothing of it: endings and steps have no start, and that is no error."""
    leads = {lead.id: lead async for lead in old.store.leads()}
    before = [each for id_ in leads for each in await old.store.nurtured(id_)]
    now = END + timedelta(days=30)
    bus = Sent()
    context = EvaluationContext(old.store, bus, old.rules, StandingClock(now))
    await follow_up(context)
    waited = {t.id for lead in leads.values() for t in lead.outbox}
    kinds = [m.attributes for _, m in bus.messages if m.attributes["id"] not in waited]
    sent = [each for each in kinds if "nurture.step_due" in each["type"]]
    records = [each for id_ in leads for each in await old.store.nurtured(id_)]
    facts = [fact for each in records for fact in each.facts if each.at == now]
    assert bool(before) == (old.release == "before-search")
    assert sum(fact.turn is NurtureTurn.SENT for fact in facts) == len(sent)
    reporting = Reporting(old.store, old.reports, Sent(), old.rules)
    told = (await add_up(reporting, period_of(Span.DAY, now), now)).nurture
    assert sum(step.sent for each in told.values() for step in each.steps) == len(sent)


async def test_no_event_is_counted_again(old: Old) -> None:
    scoring = Scoring(old.rules, IDS)
    clock = StandingClock(END)
    for event in story(with_sales=old.release != "layout-1"):
        await apply([event], store=old.store, bus=Sent(), scoring=scoring, clock=clock)
    scores = {lead.id: explain(lead, old.rules, END).score async for lead in old.store.leads()}
    assert scores == {id_: said["score"] for id_, said in old.said.items()}


@pytest.mark.parametrize("release", RELEASES)
def test_commands_work_on_the_data_of_an_earlier_release(release: str, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.data.mkdir()
    restore_sqlite(release, workspace.data / "warmlead.sqlite3")
    workspace.settings["WARMLEAD_MODEL"] = str(workspace.write("model.yaml", model_of(release)))
    said = read(release, "told.json")["said"]

    def scores() -> dict[str, int]:
        rows = workspace.json("lead", "list", "--as-of", AS_OF)
        return {row["id"]: row["score"] for row in rows}

    assert scores() == {id_: each["score"] for id_, each in said.items()}
    (entry,) = workspace.json("quarantine", "list")
    assert "nothing of ours" in json.dumps(entry)
    assert workspace.json("triggers")
    replayed = workspace.json("replay")
    assert (replayed["unreadable"], replayed["failed"]) == (0, 0)
    assert scores() == {id_: each["score"] for id_, each in said.items()}
