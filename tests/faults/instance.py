"""One instance of the next release: answers over a connection what its functions are asked."""

import asyncio
import os
import socket
from collections.abc import Sequence
from contextlib import suppress

from builders import NOW
from faults import deliveries
from faults.backends import Backend
from faults.deployment import Deployment
from faults.kills import check
from faults.lives import Ticking
from faults.registry import BACKENDS
from faults.release import Answered, Asked, Opening, Work, frame, read_frame
from faults.sites import Act, Switches, Visit, die
from faults.trial import Trial
from faults.watched import WatchedBus, WatchedStore
from faults.workload import workload


def answer(connection: socket.socket) -> None:
    """Answers until the connection ends, and the instance with it."""
    asyncio.run(_answer(connection))


async def _answer(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    opening: Opening | Work = await read_frame(reader)
    if isinstance(opening, Work):
        writer.write(frame(await _lived(opening)))
        await writer.drain()
        return
    acts: dict[Visit, Act] = {opening.kill: die} if opening.kill else {}
    switches, clock = Switches(acts), Ticking(NOW)
    backend = BACKENDS[opening.backend]
    async with backend.open(opening.folder, clock, switches) as installed:
        store = WatchedStore(installed.store, switches)
        bus = WatchedBus(installed.bus, switches)
        deployment = Deployment(store, bus, clock, switches)
        under_way = set()
        with suppress(asyncio.IncompleteReadError):
            while True:
                asked: Asked = await read_frame(reader)
                clock.time = max(clock.time, asked.now)
                task = asyncio.create_task(_one(asked, deployment, opening, clock, writer))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
    os._exit(0)  # whoever asked is gone: what is under way ends with it


async def _lived(work: Work) -> object:
    """What the last life finds; an error that is not expected is told instead."""
    trial = Trial(BACKENDS[work.backend], work.seed, work.folder)
    try:
        if work.kill is None:
            return await deliveries.heal_and_check(trial, {}, work.kills)
        await deliveries.live_until(trial, work.number, work.kill)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a fault of ours
        return error
    return None


async def _one(
    asked: Asked,
    deployment: Deployment,
    opening: Opening,
    clock: Ticking,
    writer: asyncio.StreamWriter,
) -> None:
    try:
        result: object = await _result(asked, deployment, opening)
    except Exception as error:  # noqa: BLE001  # a fault of ours, which the trial tells
        result = error
    writer.write(frame(Answered(asked.number, result, clock.time)))


async def _result(asked: Asked, deployment: Deployment, opening: Opening) -> int | Sequence[str]:
    match asked.what:
        case "post":
            return await deployment.post(asked.argument)
        case "push":
            return await deployment.push(asked.argument)
        case "decay":
            return await deployment.decay()
        case "followup":
            return await deployment.follow_up()
    backend: Backend = BACKENDS[opening.backend]
    trial = Trial(backend, asked.argument, opening.folder)
    return await check(trial, workload(asked.argument), most_repeats=None)
