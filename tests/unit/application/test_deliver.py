"""Messages reach every destination that wants them: by the schedule, once, and each for itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace as replaced
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, a_lead_named, keeping, lead_ids
from patience import eventually
from unit.application.delivery import BUSY, Place, a_message
from unit.application.living import LIVING
from warmlead.application.deliver import ATTEMPT_S, Delivered, deliver
from warmlead.application.privacy.erase import erase
from warmlead.application.privacy.export import export
from warmlead.application.redeliver import dispatches_in, redeliver, revive
from warmlead.domain.consent import Cause, ConsentFact
from warmlead.domain.dispatch import (
    LONGEST_REST_S,
    MAX_ATTEMPTS,
    PAUSES_S,
    SPREAD,
    AttemptResult,
    Declined,
    DispatchState,
    Gone,
    Postponed,
    Sent,
)
from warmlead.domain.errors import RejectedError, UnavailableError
from warmlead.domain.history import to_ms
from warmlead.domain.nurture import Enrolment
from warmlead.ports import Message, Tombstone
from warmlead.ports.dispatching import (
    UnansweredError,
    UnreachedError,
)
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.dispatch_codec import readable
from warmlead.stores.sqlite import SqliteLeadStore

LOOKED_EVERY = timedelta(minutes=15)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Place]:
    async with SqliteFile(tmp_path / "w.db") as file:
        yield Place(tmp_path / "w.db", file)


async def test_each_that_wants_it_gets_it_once(here: Place) -> None:
    one, two = here.tool("one"), here.tool("two")
    assert await here.deliver(a_message()) == Delivered(sent=2)
    assert await here.deliver(a_message()) == Delivered()
    assert await here.deliver(a_message("m2", score=3)) == Delivered()
    await here.wait(timedelta(days=2), timedelta(hours=1))
    assert one.acted == two.acted == ["m1"]


async def test_one_that_fails_keeps_no_other_waiting(here: Place) -> None:
    hangs = asyncio.Event()

    async def hang() -> AttemptResult:
        await hangs.wait()
        return Sent()

    slow, bad, good = here.tool("slow", hang), here.tool("bad", BUSY), here.tool("good")
    delivering = asyncio.create_task(here.deliver(a_message()))
    await eventually(lambda: here.has_acted(good))
    await here.deliver(a_message("m2"))
    assert good.acted == ["m1", "m2"]
    hangs.set()
    assert await delivering == Delivered(sent=2, waiting=1)
    assert sorted(slow.acted) == ["m1", "m2"]
    await here.wait(timedelta(minutes=1))
    assert sorted(bad.acted) == ["m1", "m2"]


async def test_the_schedule_over_three_days_and_the_end(here: Place) -> None:
    tool = here.tool("zapier", *([BUSY] * 30))
    await here.deliver(a_message())
    await here.wait(timedelta(minutes=20))
    await here.wait(timedelta(days=5), LOOKED_EVERY)
    assert len(tool.attempts) == MAX_ATTEMPTS
    for (before, _), (after, _), told in zip(
        tool.attempts, tool.attempts[1:], PAUSES_S, strict=False
    ):
        pause_s = (after - before).total_seconds()
        # it is looked for now and then; from the fifth failure on the destination rests besides
        late_s = LOOKED_EVERY.total_seconds() + LONGEST_REST_S
        assert told <= pause_s <= told * (1 + SPREAD) + late_s
    assert await here.state("zapier") == {DispatchState.DEAD: 1}
    [dead] = [
        readable(each)
        async for each in dispatches_in("zapier", DispatchState.DEAD, here.dispatches)
    ]
    assert (dead.why, dead.attempts) == ("it answered 503", MAX_ATTEMPTS)


async def test_what_was_given_up_is_sent_again_when_a_person_says_so(here: Place) -> None:
    tool = here.tool("crm", Declined("it answered 400"), Declined("it answered 400"))
    for id_ in ("m1", "m2"):
        assert await here.deliver(a_message(id_)) == Delivered(dead=1)
    await here.wait(timedelta(days=1), timedelta(hours=1))
    assert len(tool.attempts) == 2
    now = here.clock.now()
    assert await revive("crm", ["m2", "m3"], here.dispatches, now) == 1
    await here.wait(timedelta(minutes=1))
    assert tool.acted == ["m2"]
    assert await revive("crm", None, here.dispatches, now) == 1
    await here.wait(timedelta(minutes=1))
    assert tool.acted == ["m2", "m1"]


@pytest.mark.parametrize("lost", [UnansweredError("no answer"), ValueError("a bug")])
async def test_a_lost_answer_is_repeated_only_where_a_repeat_is_safe(
    here: Place, lost: Exception
) -> None:
    safe, unsafe = here.tool("safe", lost), here.tool("unsafe", lost)
    unsafe.may_repeat = False
    await here.deliver(a_message())
    await here.wait(timedelta(hours=1))
    assert len(safe.attempts) == 2
    assert len(unsafe.attempts) == 1
    assert await here.state("unsafe") == {DispatchState.DEAD: 1}
    assert here.failed == (["safe", "unsafe"] if isinstance(lost, ValueError) else [])


async def test_what_certainly_did_not_arrive_is_repeated(here: Place) -> None:
    tool = here.tool("unsafe", UnreachedError("no connection"), BUSY)
    tool.may_repeat = False
    await here.deliver(a_message())
    await here.wait(timedelta(hours=1))
    assert tool.acted == ["m1"]


async def test_a_tool_that_says_gone_gets_nothing_more_until_it_is_enabled(here: Place) -> None:
    tool = here.tool("zapier", BUSY, Gone("it answered 410"))
    for number in range(4):
        await here.deliver(a_message(f"m{number}"))
    await here.wait(timedelta(hours=2))
    assert len(tool.attempts) == 2
    assert await here.state("zapier") == {DispatchState.DEAD: 4}
    await here.dispatches.change_circuit("zapier", lambda circuit: circuit.enabled())
    await revive("zapier", None, here.dispatches, here.clock.now())
    await here.wait(timedelta(minutes=1))
    assert sorted(tool.acted) == ["m0", "m1", "m2", "m3"]


async def test_a_limit_makes_all_messages_wait_and_costs_none_an_attempt(here: Place) -> None:
    tool = here.tool("crm", Postponed("it answered 429", after_s=600))
    for number in range(40):
        await here.deliver(a_message(f"m{number}"))
    assert len(tool.attempts) == 1
    await here.wait(timedelta(minutes=9))
    assert len(tool.attempts) == 1
    await here.wait(timedelta(minutes=3))
    assert len(tool.acted) == 40
    assert len(tool.attempts) == 41


async def test_an_outage_of_a_day_loses_nothing(here: Place) -> None:
    tool = here.tool("crm", *([BUSY] * 60))
    for number in range(30):
        await here.deliver(a_message(f"m{number}"))
        await here.wait(timedelta(minutes=5))
    tool.answers = [BUSY] * 100
    await here.wait(timedelta(hours=20), timedelta(minutes=10))
    tool.answers.clear()
    await here.wait(timedelta(hours=30), timedelta(minutes=10))
    assert sorted(tool.acted) == sorted(f"m{number}" for number in range(30))


async def test_a_process_that_dies_during_an_attempt(here: Place) -> None:
    class KilledError(BaseException):
        pass

    async def die() -> AttemptResult:
        raise KilledError

    safe, unsafe = here.tool("safe", die), here.tool("unsafe", die)
    unsafe.may_repeat = False
    with pytest.raises(KilledError):
        await here.deliver(a_message())
    assert await here.deliver(a_message()) == Delivered()  # its claim holds
    await here.wait(timedelta(minutes=5))
    assert safe.acted == ["m1"]
    assert unsafe.acted == []
    [dead] = [
        readable(each)
        async for each in dispatches_in("unsafe", DispatchState.DEAD, here.dispatches)
    ]
    assert "may have succeeded" in dead.why


async def test_two_instances_that_get_the_same_message(here: Place) -> None:
    tool = here.tool("zapier")
    await asyncio.gather(*(here.deliver(a_message()) for _ in range(9)))
    assert tool.acted == ["m1"]


async def test_a_message_that_is_none_of_ours_is_rejected(here: Place) -> None:
    here.tool("zapier")
    for body in (b"", b"{", b"[]", b'{"id": "x"}', b"\xff", a_message("a/b").body):
        with pytest.raises(RejectedError):
            await here.deliver(Message(body, {}))


async def test_a_limit_lasts_though_others_arrive_that_were_under_way(here: Place) -> None:
    answered = asyncio.Event()

    async def later() -> AttemptResult:
        await answered.wait()
        return Sent()

    tool = here.tool("crm", later, Postponed("it answered 429", after_s=600))
    first = asyncio.create_task(here.deliver(a_message("m0")))
    await eventually(lambda: here.has_been_asked(tool, 1))
    await here.deliver(a_message("m1"))
    answered.set()
    assert await first == Delivered(sent=1)
    assert await here.deliver(a_message("m2")) == Delivered(waiting=1)
    await here.wait(timedelta(minutes=9))
    assert len(tool.attempts) == 2
    await here.wait(timedelta(minutes=2))
    assert sorted(tool.acted) == ["m0", "m1", "m2"]


async def test_a_claim_that_ran_out_waits_while_its_destination_rests(here: Place) -> None:
    class KilledError(BaseException):
        pass

    async def die() -> AttemptResult:
        raise KilledError

    tool = here.tool("crm", die, Postponed("it answered 429", after_s=3_600))
    with pytest.raises(KilledError):
        await here.deliver(a_message("m0"))
    await here.deliver(a_message("m1"))
    here.clock.time += timedelta(minutes=3)
    assert await here.deliver(a_message("m0")) == Delivered(waiting=1)
    assert len(tool.attempts) == 2
    await here.wait(timedelta(hours=2))
    assert sorted(tool.acted) == ["m0", "m1"]


async def test_what_a_process_that_stood_still_learns_counts_though_its_claim_ran_out(
    here: Place,
) -> None:
    goes_on = asyncio.Event()

    async def freeze() -> AttemptResult:
        await goes_on.wait()
        return Sent()

    tool = here.tool("crm", freeze, Postponed("it answered 429", after_s=3_600))
    frozen = asyncio.create_task(here.deliver(a_message("m0")))
    await eventually(lambda: here.has_been_asked(tool, 1))
    here.clock.time += timedelta(minutes=3)
    await here.deliver(a_message("m1"))
    assert await here.deliver(a_message("m0")) == Delivered(waiting=1)
    goes_on.set()
    assert await frozen == Delivered(sent=1)
    await here.wait(timedelta(hours=2), timedelta(minutes=10))
    assert tool.acted == ["m0", "m1"]


async def test_a_message_waits_for_no_turn_longer_than_its_push(here: Place) -> None:
    tool = here.tool("crm")
    for _ in range(tool.at_once):
        await tool.turns.acquire()
    using = here.using_with(turn_s=0)
    assert await deliver(a_message(), using) == Delivered(waiting=1)
    here.clock.time += timedelta(seconds=1)
    assert await deliver(a_message(), using) == Delivered()
    tool.turns.release()
    await here.wait(timedelta(minutes=1))
    assert tool.acted == ["m1"]


async def test_no_attempt_begins_after_the_time_of_a_run(here: Place) -> None:
    tool = here.tool("crm", BUSY)
    await here.deliver(a_message())
    here.clock.time += timedelta(minutes=1)
    assert await redeliver(here.using, budget_s=0) == Delivered(done=False)
    assert len(tool.attempts) == 1
    assert await redeliver(here.using, budget_s=ATTEMPT_S) == Delivered(sent=1)


# --- persons -------------------------------------------------------------------------------


async def test_an_erased_person_is_sent_nowhere(here: Place) -> None:
    tool = here.tool("crm", BUSY)
    lead = a_lead_named("ada")
    await here.leads.update([], keeping(lead))
    await here.deliver(a_message(lead=lead.id))
    await here.leads.update([lead.id], keeping(tombstones={lead.id: Tombstone(NOW)}))
    await here.wait(timedelta(minutes=2))
    assert tool.acted == []
    assert await here.state("crm") == {DispatchState.SKIPPED: 1}


async def test_a_late_message_of_an_erased_person_is_kept_nowhere(here: Place) -> None:
    gone = here.tool("gone", Gone("it answered 410"))
    await here.deliver(a_message())
    lead = a_lead_named("ada")
    await here.leads.update([], keeping(tombstones={lead.id: Tombstone(NOW)}))
    assert await here.deliver(a_message("m2", lead=lead.id)) == Delivered(skipped=1)
    [kept] = [readable(each) async for each in here.dispatches.of_leads([lead.id])]
    assert (kept.state, kept.body) == (DispatchState.SKIPPED, b"")
    assert len(gone.attempts) == 1


async def test_a_lead_that_cannot_be_looked_at_costs_no_attempt(here: Place) -> None:
    class Away(SqliteLeadStore):
        async def update(self, ids: Any, change: Any) -> Any:  # noqa: ARG002  # as the port has it
            raise UnavailableError("the store is away")

    mail = here.tool("mail")
    mail.may_repeat, mail.writes_to_people = False, True
    message = a_message(lead=a_lead_named("ada").id)
    away = here.using_with(leads=Away(here.file, here.clock))
    for _ in range(MAX_ATTEMPTS + 1):
        assert (await deliver(message, away)).waiting == 1
        here.clock.time += timedelta(minutes=1)
    assert mail.attempts == []
    await here.wait(timedelta(minutes=1))
    assert mail.acted == ["m1"]


async def test_what_is_kept_of_a_person_is_exported_and_erased(here: Place) -> None:
    here.tool("crm", BUSY, BUSY)
    here.tool("slack")
    ada, bob = a_lead_named("ada"), a_lead_named("bob")
    await here.leads.update([], keeping(ada, bob))
    for number, lead in enumerate((ada, bob)):
        await here.deliver(a_message(f"m{number}", lead=lead.id))
    kept = [readable(each) async for each in here.dispatches.of_leads([ada.id])]
    told = export(
        ada, (), None, rules=LIVING, now=here.clock.now(), elsewhere=[], dispatches=kept
    ).dispatches
    assert sorted((each.destination, each.state, bool(each.event)) for each in told) == [
        ("crm", "waiting", True),
        ("slack", "sent", False),
    ]
    erased = await erase(
        [ada.id],
        store=here.leads,
        archive=None,
        of=lead_ids,
        clock=here.clock,
        dispatches=here.dispatches,
    )
    assert erased.dispatches == 2
    await here.wait(timedelta(minutes=2))
    assert here.tools["crm"].acted == ["m1"]
    assert await here.deliver(a_message("m0", lead=ada.id)) == Delivered(skipped=2)  # it came late


async def test_a_person_who_said_no_meanwhile_is_not_written_to(here: Place) -> None:
    mail, crm = here.tool("mail", BUSY), here.tool("crm", BUSY)
    mail.writes_to_people = True
    lead = a_lead_named("ada")
    await here.leads.update([], keeping(lead))
    await here.deliver(a_message(lead=lead.id))
    said = ConsentFact.of(Cause.UNSUBSCRIBED, at_ms=to_ms(NOW), rank=1, received_ms=to_ms(NOW))
    id_, trail = next(iter(lead.trails.items()))
    refusing = replaced(lead, trails={id_: replaced(trail, consent=(said,))})
    await here.leads.update([], keeping(refusing))
    await here.wait(timedelta(minutes=2))
    assert (mail.acted, crm.acted) == ([], ["m1"])
    assert await here.state("mail") == {DispatchState.SKIPPED: 1}


@pytest.mark.parametrize(("ending", "is_sent"), [("", True), ("finished", True), ("goal", False)])
async def test_a_step_of_a_sequence_that_has_ended_is_not_sent(
    here: Place, ending: str, is_sent: bool
) -> None:
    mail = here.tool("mail", BUSY)
    mail.writes_to_people = True
    lead = a_lead_named("ada")
    await here.leads.update([], keeping(lead))
    message = a_message(lead=lead.id, sequence="education", run=1)
    step = json.loads(message.body) | {"type": "warmlead.nurture.step_due.v1"}
    await here.deliver(Message(json.dumps(step).encode(), {}))
    enrolment = Enrolment("education", 1, NOW, ending=ending)
    await here.leads.update([], keeping(replaced(lead, enrolments={"education": enrolment})))
    await here.wait(timedelta(minutes=2))
    assert bool(mail.acted) == is_sent
