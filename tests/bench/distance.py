"""Puts services farther away: everything to and from them arrives some milliseconds later.

A process of its own, so that it takes no time of who measures. Arguments: the round trip in
milliseconds, and the host:port of each service. Prints the host:port of each, far away.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from bench.cloud import Cloud

LOCAL = "127.0.0.1"


@contextmanager
def far_away(cloud: Cloud, round_trip_ms: float) -> Iterator[Cloud]:
    """The emulators, as if they were in a data centre."""
    command = [sys.executable, "-m", "bench.distance", str(round_trip_ms), *cloud]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            firestore, pubsub = str(process.stdout and process.stdout.readline()).split()
            yield Cloud(firestore, pubsub)
        finally:
            process.kill()


class _End(asyncio.Protocol):
    """One end of a connection; what comes in here goes out at the other end, later."""

    def __init__(self, delay_s: float) -> None:
        self.other: _End | None = None
        self._delay_s = delay_s
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's, always
        for data in self._early:
            self.write(data)

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._delay_s, self._pass_on, data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.other is not None:
            self.other.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def write(self, data: bytes) -> None:
        if self._transport is None:
            self._early.append(data)
        else:
            self._transport.write(data)

    def _pass_on(self, data: bytes) -> None:
        if self.other is not None:
            self.other.write(data)


async def _serve(delay_s: float, services: list[str]) -> None:
    loop = asyncio.get_running_loop()
    addresses = []
    connecting: set[asyncio.Task[object]] = set()

    def accepting(service: str) -> _End:
        near, far = _End(delay_s), _End(delay_s)
        near.other, far.other = far, near
        host, _, port = service.rpartition(":")
        task: asyncio.Task[object] = loop.create_task(
            loop.create_connection(lambda: far, host, int(port))
        )
        connecting.add(task)
        task.add_done_callback(connecting.discard)
        return near

    for service in services:
        server = await loop.create_server(partial(accepting, service), LOCAL, 0)
        addresses.append(f"{LOCAL}:{server.sockets[0].getsockname()[1]}")
    sys.stdout.write(f"{' '.join(addresses)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 2_000, sys.argv[2:]))
