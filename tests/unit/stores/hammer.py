"""A process that writes to a data file as fast as it can, and says what was acknowledged.

Arguments: the file, the process's name, how many updates and messages. Each line of output is
``update NAME-i``, ``publish NAME-i`` or ``pull BODY``, printed after the call has returned.
"""

import asyncio
import os
import sys
from dataclasses import replace
from itertools import count as counting
from pathlib import Path

from builders import NOW, StandingClock, a_lead_named, a_transition
from warmlead.buses.sqlite import SqliteBus
from warmlead.domain.lead import Lead
from warmlead.ports import Change, Commit, Loaded, Message
from warmlead.sqlite_file import SqliteFile
from warmlead.stores.sqlite import SqliteLeadStore

ADA = a_lead_named("ada")
TASKS = 20


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def one_more(mark: str) -> Change[None]:
    def change(loaded: Loaded) -> Commit[None]:
        found = loaded[ADA.id]
        lead = found if isinstance(found, Lead) else ADA
        progress = replace(lead.progress, peak_score=lead.progress.peak_score + 1)
        moves = [(lead.id, a_transition(reason=mark))]
        return Commit(None, [replace(lead, progress=progress)], transitions=moves)

    return change


async def hammer(path: str, name: str, count: int) -> None:
    async with SqliteFile(Path(path), patience_s=60) as file:
        store = SqliteLeadStore(file, StandingClock())
        bus = SqliteBus(file, StandingClock(), {"readers": "news"})
        numbers = counting()

        async def work() -> None:
            while (number := next(numbers)) < count:
                mark = f"{name}-{number}"
                await store.update([ADA.id], one_more(mark))
                tell(f"update {mark}")
                await bus.publish("news", [Message(mark.encode(), {})])
                tell(f"publish {mark}")
                found = await bus.pull("readers", most=3, now=NOW)
                await bus.acknowledge(found)
                for delivery in found:
                    tell(f"pull {delivery.published.message.body.decode()}")

        await asyncio.gather(*(work() for _ in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(hammer(sys.argv[1], sys.argv[2], int(sys.argv[3])))
