"""What a message to a tool costs on Firestore, and a look of ``redeliver`` that finds nothing."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from msgspec.json import encode

from bench.cost import (
    DELETES_OF_A_DISPATCH,
    READS_OF_A_DISPATCH,
    READS_OF_A_LOOK,
    WRITES_OF_A_DISPATCH,
)
from bench.counting import CountedAsync, CountedStreams, Counts
from builders import RULES, StandingClock, a_lead, keeping
from destinations.delivering import changed, example
from patience import PATIENCE_S
from receiver import receiving
from warmlead.application.deliver import Delivered, Dispatching, deliver
from warmlead.application.redeliver import redeliver
from warmlead.destinations.registry import destinations_in
from warmlead.domain.dispatch import KEPT
from warmlead.ports import Message
from warmlead.settings import Settings
from warmlead.stores.firestore.dispatches import FirestoreDispatchStore
from warmlead.stores.firestore.store import FirestoreLeadStore
from warmlead.web.outbound import HttpOutbound


@dataclass
class Counted:
    """Delivery on the emulator, and what it asks of it."""

    using: Dispatching
    counts: Counts
    clock: StandingClock


@asynccontextmanager
async def counted(emulator: str, url: str) -> AsyncIterator[Counted]:
    project, clock, counts = f"p{uuid.uuid4().hex[:12]}", StandingClock(), Counts()
    given = {
        "emulator": emulator,
        "interceptors": [CountedAsync(counts), CountedStreams(counts)],
        "patience_s": PATIENCE_S,
    }
    leads = FirestoreLeadStore(project, **given)  # type: ignore[arg-type]  # as named
    dispatches = FirestoreDispatchStore(project, **given)  # type: ignore[arg-type]  # as named
    section = {"to": "webhook", "allow_local": True, "url": url, "secrets": ["whsec_" + "c2Vj" * 8]}
    outbound = HttpOutbound(allow_local=True, timeout_s=PATIENCE_S)
    destinations = destinations_in({"tool": section}, Settings(), outbound)
    using = Dispatching(
        dispatches=dispatches, leads=leads, destinations=destinations, rules=RULES, clock=clock
    )
    try:
        yield Counted(using, counts, clock)
    finally:
        await leads.close()
        await dispatches.close()


async def test_a_delivery_costs_what_the_costs_are_made_of(firestore_emulator: str) -> None:
    with receiving() as receiver:
        async with counted(firestore_emulator, receiver.url) as here:
            lead = a_lead()
            await here.using.leads.update([lead.id], keeping(lead))
            message = changed(example("handoff.offered"), lead={"id": lead.id})
            here.counts.forget()
            done = await deliver(Message(encode(message), {}), here.using)
            assert done == Delivered(sent=1)
            spent = (here.counts.reads, here.counts.writes, here.counts.deletes)
            assert spent == (READS_OF_A_DISPATCH, WRITES_OF_A_DISPATCH, 0)

            here.counts.forget()
            assert (await redeliver(here.using)).sent == 0
            assert (here.counts.reads, here.counts.writes) == (READS_OF_A_LOOK, 0)

            here.clock.forward(2 * KEPT)
            here.counts.forget()
            await redeliver(here.using)
            assert here.counts.deletes == DELETES_OF_A_DISPATCH
