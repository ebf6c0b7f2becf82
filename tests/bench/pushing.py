"""How fast Pub/Sub's emulator pushes, and how many messages at a time: limits of the emulator."""

import asyncio

from bench import traffic
from bench.load import Arrivals, Sink
from bench.run import Run
from warmlead.application.accept import by_lead
from warmlead.buses.pubsub import PubSubBus
from warmlead.domain.trigger import Topic

MESSAGES, MESSAGES_IF_SLOW = 2_000, 200
PATIENCE_S = 60.0


def pushing(run: Run, answer_after_s: float) -> Arrivals:
    """How messages come that are each answered only after a while."""
    return asyncio.run(_measure(run, answer_after_s))


async def _measure(run: Run, answer_after_s: float) -> Arrivals:
    arrivals = Arrivals(MESSAGES_IF_SLOW if answer_after_s else MESSAGES, answer_after_s)
    server = await asyncio.get_running_loop().create_server(lambda: Sink(arrivals), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    project = run.cloud.project()
    run.cloud.push(project, f"{host}:{port}")
    bus = PubSubBus(project, emulator=run.cloud.pubsub)
    events = [traffic.viewed(f"visitor-{number}") for number in range(arrivals.expected)]
    await bus.publish(Topic.LEAD_EVENTS, by_lead(events, traffic.IDS))
    async with asyncio.timeout(PATIENCE_S):
        await arrivals.complete.wait()
    await bus.close()
    server.close()
    return arrivals
