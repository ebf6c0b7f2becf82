"""The same over real HTTP: each function as a process, each request as bytes on a connection."""

import asyncio
import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from fuzz.alone import alone
from fuzz.findings import Finding, Findings
from fuzz.functions import environment
from fuzz.run import Run
from fuzz.sending import Published
from fuzz.sent import Sent
from fuzz.signing import signed
from fuzz.verdict import Answer, fault_of
from patience import PATIENCE_S
from warmlead.buses.sqlite import SqliteBus
from warmlead.cli.local.emulators import Process
from warmlead.runtime.backends import SystemClock
from warmlead.sqlite_file import SqliteFile

AT_ONCE = 8
"""Longer than a function waits for a body."""

_FRAMING = (b"content-length", b"transfer-encoding", b"connection", b"expect", b"host")
_BODY_NOT_READ = ("GET", "HEAD", "OPTIONS")
"""A server that closes while such a body is still on its way resets the connection."""

_REFUSED_BY_SERVER = "refused by the server"
_TROUBLE = ("ERROR", "CRITICAL", "Traceback", "WARNING")


async def over_http(
    requests: Sequence[Sent], folder: Path, run: Run, findings: Findings
) -> Counter[str]:
    """Sends the requests, judges the answers and the logs, and stores what was published."""
    settings = environment(folder / "data", fetches=False)  # processes would ask Meta itself
    codes: Counter[str] = Counter()
    with ExitStack() as stack:
        names = sorted({sent.function for sent in requests})
        servers = {name: stack.enter_context(alone(name, settings, folder)) for name in names}
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(sent: Sent) -> None:
            async with gate:
                codes[await _exchange(sent, servers[sent.function], findings)] += 1

        await asyncio.gather(*map(one, requests))
        for server in servers.values():
            if server.popen.poll() is not None:
                findings.add(
                    Finding(
                        "a process ended", server.log.read_text(errors="replace")[-2_000:], requests
                    )
                )
    for name in names:
        for line in (folder / f"{name}.log").read_text(errors="replace").splitlines():
            if any(word in line for word in _TROUBLE):
                findings.add(Finding("logged by a process", line, []))
    async with SqliteFile(folder / "data" / "warmlead.sqlite3") as file:
        published = Published(SqliteBus(file, SystemClock(), {}))
        await run.store([(body, ()) for body in await published.since_last()])
    return codes


async def _exchange(sent: Sent, server: Process, findings: Findings) -> str:
    """Sends one request and judges its answer; returns what is counted."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            answer = await ask(signed(sent), server)
    except TimeoutError:
        findings.add(Finding("no answer over HTTP", f"within {PATIENCE_S:g} s", [sent]))
        return "no answer"
    except OSError as error:
        if not sent.whole or (sent.body and sent.method in _BODY_NOT_READ):
            return "hung up"
        findings.add(Finding("no answer over HTTP", repr(error), [sent]))
        return "no answer"
    if answer.status == 400 and answer.body == b"Invalid HTTP request received.":
        return _REFUSED_BY_SERVER
    if sent.method != "HEAD" and (fault := fault_of(sent, answer)):
        findings.add(Finding(f"{fault}, over HTTP", answer.body.decode("utf-8", "replace"), [sent]))
    return answer.code


async def ask(sent: Sent, server: Process) -> Answer:
    """The answer to a request on a connection of its own.

    It is read while the request is still written, as a server may refuse a head, and close
    before it has read what follows. On a socket itself: a stream of asyncio forgets what it has
    received when a write fails.
    """
    host, _, port = server.address.rpartition(":")
    with socket.socket() as connection:
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
        writing = asyncio.create_task(_write(sent, connection))
        try:
            return _answer(await _received(connection), has_body=sent.method != "HEAD")
        finally:
            writing.cancel()


async def _write(sent: Sent, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):  # the server may have answered already, and closed
        await loop.sock_sendall(connection, _head(sent))
        if len(sent.chunks) > 1:
            for chunk in filter(None, sent.chunks):
                await loop.sock_sendall(connection, b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await loop.sock_sendall(connection, b"0\r\n\r\n")
        else:
            await loop.sock_sendall(connection, sent.body)
        if not sent.whole:
            connection.shutdown(socket.SHUT_WR)


async def _received(connection: socket.socket) -> bytes:
    """All that arrives until the server closes, or resets the connection after its answer."""
    received = bytearray()
    try:
        while piece := await asyncio.get_running_loop().sock_recv(connection, 65_536):
            received += piece
    except ConnectionResetError:
        if not received:
            raise
    return bytes(received)


def _head(sent: Sent) -> bytes:
    """The head, with an honest framing; a client that will hang up promises more than it sends."""
    promised = len(sent.body) + (0 if sent.whole else 10)
    framing = (
        b"Transfer-Encoding: chunked" if len(sent.chunks) > 1 else b"Content-Length: %d" % promised
    )
    given = [name + b": " + value for name, value in sent.headers if name not in _FRAMING]
    first = b"%s %s HTTP/1.1" % (sent.method.encode(), sent.target)
    lines = [first, b"Host: warmlead.example", b"Connection: close", framing, *given]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _answer(received: bytes, *, has_body: bool) -> Answer:
    """The answer in what was received; raises ``ConnectionError`` if its head is not whole."""
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        raise ConnectionError(f"the connection ended after {received[:100]!r}")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return Answer(int(first.split()[1]), headers, body if has_body else b"")
