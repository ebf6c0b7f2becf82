"""The worker of one machine: what Cloud Scheduler does elsewhere is done from the start."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from builders import NOW, a_lead_named, a_trigger, keeping
from patience import PATIENCE_S, eventually
from unit.application.living import DAY, HOUR, LIVING, Place, a_reader, place
from warmlead.application.quarantine import SCORE
from warmlead.application.send import GRACE
from warmlead.buses.sqlite import SqliteBus
from warmlead.cli.local.worker import (
    MOST_BYTES_AT_ONCE,
    MOST_OUTSIDE,
    Retention,
    Worker,
    in_turns,
    is_due,
)
from warmlead.ports import Delivery, Message, Published
from warmlead.runtime.runs import RunContext
from warmlead.runtime.table import DECAY, FOLLOWUP, REPORT, CalledBy, Function
from warmlead.stores.sqlite_imports import SqliteImportStore
from warmlead.stores.sqlite_reports import SqliteReportStore

pytestmark = pytest.mark.slow  # starts servers


async def nobody_scores(_: Scope, __: Receive, ___: Send) -> None:
    raise AssertionError("there is nothing to score")


def context(here: Place, bus: SqliteBus) -> RunContext:
    return RunContext(
        store=here.store,
        reports=SqliteReportStore(here.file),
        bus=bus,
        rules=LIVING,
        clock=here.clock,
        imports=lambda: SqliteImportStore(here.file),
    )


async def test_decay_and_followup_run_from_the_start(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW + 6 * DAY) as here:
        fading = replace(a_reader("ada", 3, NOW), due_at=None, offer=None, enrolments={})
        waiting = replace(a_reader("bob", 9, NOW + 6 * DAY - HOUR), decay_on=None)
        left = a_lead_named("cyn", outbox=(a_trigger(at=NOW + 6 * DAY - GRACE),))
        await here.store.update([], keeping(fading, waiting, left))
        bus = SqliteBus(here.file, here.clock, {SCORE: "lead-events"})

        async def all_is_done() -> bool:
            leads = {lead.email: lead for lead in await here.leads()}
            stage = leads["ada@example.com"].progress.stage
            offer = leads["bob@example.com"].offer
            assert offer
            swept = not leads["cyn@example.com"].outbox
            return stage == "lead" and bool(offer.told) and swept

        async with Worker(
            {SCORE: nobody_scores},
            bus=bus,
            context=context(here, bus),
        ):
            await eventually(all_is_done)


async def test_a_tool_that_hangs_keeps_neither_events_nor_other_messages_waiting(
    tmp_path: Path,
) -> None:
    hangs, arrived = asyncio.Event(), list[bytes]()

    async def answers(_: Scope, receive: Receive, send: Send) -> None:
        body = base64.b64decode(json.loads((await receive())["body"])["message"]["data"])
        arrived.append(body)
        if body == b"hangs":
            await hangs.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async with place(tmp_path / "w.db", NOW) as here:
        bus = SqliteBus(here.file, here.clock, {SCORE: "lead-events", "deliver-mql": "mql"})
        pushed = {SCORE: answers, "deliver-mql": answers}

        async def all_others_came() -> bool:
            left = await bus.outstanding("deliver-mql")
            return b"event" in arrived and [each.message.body for each in left] == [b"hangs"]

        async with Worker(pushed, bus=bus, outside=["deliver-mql"], context=context(here, bus)):
            await bus.publish("mql", [Message(b"hangs", {})])
            await bus.publish("mql", [Message(b"message", {}) for _ in range(100)])
            await bus.publish("lead-events", [Message(b"event", {})])
            await eventually(all_others_came)
            hangs.set()
        assert await bus.outstanding("deliver-mql") == []


async def test_messages_that_come_while_all_tools_hang_wait_and_freeze_nothing(
    tmp_path: Path,
) -> None:
    hangs, began = asyncio.Event(), list[int]()

    async def answers(_: Scope, __: Receive, send: Send) -> None:
        began.append(1)
        await hangs.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async with place(tmp_path / "w.db", NOW) as here:
        bus = SqliteBus(here.file, here.clock, {"deliver-mql": "mql"})

        async def all_hang() -> bool:
            return len(began) == MOST_OUTSIDE

        async def none_is_left() -> bool:
            return not await bus.outstanding("deliver-mql")

        async with Worker(
            {"deliver-mql": answers}, bus=bus, outside=["deliver-mql"], context=context(here, bus)
        ):
            await bus.publish("mql", [Message(b"first", {})] * MOST_OUTSIDE)
            await eventually(all_hang)
            await bus.publish("mql", [Message(b"more", {})] * 3)
            await asyncio.sleep(0)
            assert len(began) == MOST_OUTSIDE
            hangs.set()
            await eventually(none_is_left)


HOURLY = Function(name="hourly", called_by=CalledBy.CLOCK, extra="leads", every_s=3_600.0)


@pytest.mark.parametrize(
    ("function", "since", "due"),
    [
        (FOLLOWUP, timedelta(0), True),  # as often as the worker looks
        (HOURLY, timedelta(minutes=59), False),
        (HOURLY, HOUR, True),
        (HOURLY, -HOUR, True),  # the clock was set back
        (DECAY, NOW - NOW.replace(hour=0), False),  # done today, though the clock calls on
        (DECAY, NOW - NOW.replace(hour=0) + timedelta(microseconds=1), True),
        (REPORT, DAY, True),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_function_is_called_as_often_as_the_table_says(
    function: Function, since: timedelta, due: bool
) -> None:
    assert is_due(function, None, NOW)
    assert is_due(function, NOW - since, NOW) is due


async def test_ending_the_worker_does_not_wait_for_its_turns(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        bus = SqliteBus(here.file, here.clock, {SCORE: "lead-events"})
        async with asyncio.timeout(PATIENCE_S):
            async with Worker(
                {SCORE: nobody_scores},
                bus=bus,
                context=context(here, bus),
            ):
                pass


async def test_complete_periods_are_reported_from_the_start(tmp_path: Path) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        bus = SqliteBus(here.file, here.clock, {SCORE: "lead-events"})
        reports = SqliteReportStore(here.file)

        async def all_are_there() -> bool:
            kept = [await reports.report(name) for name in ("2026-03-09", "2026-W10", "2026-02")]
            return None not in kept

        async with Worker(
            {SCORE: nobody_scores},
            bus=bus,
            context=context(here, bus),
        ):
            await eventually(all_are_there)
        assert len([told async for told in bus.read("kpi")]) == 3


async def test_old_messages_are_pruned_from_the_start_and_new_ones_stay(
    tmp_path: Path,
) -> None:
    async with place(tmp_path / "w.db", NOW) as here:
        bus = SqliteBus(here.file, here.clock, {SCORE: "lead-events", "quarantine": "quarantine"})
        for days in (500, 399, 91, 89):
            here.clock.time = NOW - days * DAY
            await bus.publish("mql", [Message(f"trigger {days}".encode(), {})])
            await bus.publish("quarantine", [Message(f"aside {days}".encode(), {})])
        here.clock.time = NOW

        async def is_pruned() -> bool:
            return await bus.whole_since("mql") is not None

        async with Worker(
            {SCORE: nobody_scores},
            bus=bus,
            context=context(here, bus),
            retention=Retention(400, 90),
        ):
            await eventually(is_pruned)
        kept = [each.message.body async for each in bus.read("mql")]
        kept += [each.message.body async for each in bus.read("quarantine")]
        assert kept == [b"trigger 399", b"trigger 91", b"trigger 89", b"aside 89"]


def test_large_jobs_work_in_turns_that_let_others_write() -> None:
    def delivery(number: int, size: int) -> Delivery:
        message = Message(bytes(size), {})
        return Delivery(str(number), Published(number, f"m{number}", SCORE, NOW, message), 1)

    small = [delivery(number, 400) for number in range(256)]
    large = [delivery(number, MOST_BYTES_AT_ONCE * 2 // 3) for number in range(3)]

    assert list(in_turns(small)) == [small]
    assert [len(turn) for turn in in_turns(large)] == [1, 1, 1]
    assert [each for turn in in_turns([*large, *small]) for each in turn] == [*large, *small]


async def test_a_dead_message_keeps_the_error_of_score(tmp_path: Path) -> None:
    async def refuses(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        body = b'{"code": "lead_unreadable", "message": "1 lead cannot be read: abc (damaged)"}'
        await send({"type": "http.response.body", "body": body})

    async with place(tmp_path / "w.db", NOW) as here:
        topics = {SCORE: "lead-events"}
        bus = SqliteBus(here.file, here.clock, topics, max_attempts=1)
        await bus.publish("lead-events", [Message(b"x", {"type": "x"})])

        async def is_dead() -> bool:
            return bool(await bus.dead(SCORE))

        async with Worker(
            {SCORE: refuses},
            bus=bus,
            context=context(here, bus),
        ):
            await eventually(is_dead)
        ((_, why),) = await bus.dead(SCORE)
        assert why == "score answered 503: 1 lead cannot be read: abc (damaged)"
