"""Listens in between a client and a server: what was asked, how often, and what was answered.

The recorder passes bytes on as they come and reads them afterwards, so that a client sees the
server's own connections: when they are kept alive, and when they are closed.
"""

import gzip
import json
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeAlias

import h11

CHUNK_BYTES = 65_536
Message: TypeAlias = h11.Request | h11.Response


class Exchange(NamedTuple):
    """One request, and the status of its answer; ``None`` if there was none."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None

    @property
    def message_ids(self) -> list[str]:
        """The ids of the calls that the request carries."""
        document = json.loads(self.body)
        return [call["messageId"] for call in document.get("batch", [document])]


class _Connection:
    """One connection of a client: everything that went to and fro."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.answered = bytearray()

    def exchanges(self) -> Iterator[Exchange]:
        reading, speaking = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
        for side, heard in ((reading, self.sent), (speaking, self.answered)):
            if heard:  # nothing at all would mean the end
                side.receive_data(bytes(heard))
        while asked := _next_message(reading):
            request, body = asked
            assert isinstance(request, h11.Request)
            _repeat(speaking, request, body)
            answered = _next_message(speaking)
            yield _exchange(request, body, answered[0].status_code if answered else None)
            if not answered:
                return
            _repeat(reading, *answered)
            if h11.MUST_CLOSE in (reading.our_state, reading.their_state):
                return
            reading.start_next_cycle()
            speaking.start_next_cycle()


def _next_message(connection: h11.Connection) -> tuple[Any, bytes] | None:
    """The next request or answer that is there as a whole."""
    head: Message | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request | h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return head, bytes(body)
        elif not isinstance(event, h11.InformationalResponse):
            return None


def _repeat(connection: h11.Connection, head: Message, body: bytes) -> None:
    """Tells the other side's reader of a message, so that it knows whose turn it is."""
    connection.send(head)
    if body:
        connection.send(h11.Data(body))
    connection.send(h11.EndOfMessage())


def _exchange(request: h11.Request, body: bytes, status: int | None) -> Exchange:
    headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Exchange(request.method.decode(), request.target.decode(), headers, body, status)


class Recorder(socketserver.ThreadingTCPServer):
    """Passes on to the server at ``base``; its own address is ``base`` too."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, base: str) -> None:
        super().__init__(("127.0.0.1", 0), _PassOn)
        self.upstream = base.removeprefix("http://").split(":")
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.connections: list[_Connection] = []
        self.answers = threading.Event()
        self.answers.set()

    @contextmanager
    def holding_answers(self) -> Iterator[None]:
        """Meanwhile the server answers, but the client does not hear of it."""
        self.answers.clear()
        try:
            yield
        finally:
            self.answers.set()

    @property
    def exchanges(self) -> list[Exchange]:
        """What was posted so far; preflights and icons, which browsers ask for, are left out."""
        told = [each for one in list(self.connections) for each in one.exchanges()]
        return [exchange for exchange in told if exchange.method == "POST"]

    @property
    def times_sent(self) -> Counter[str]:
        """How many requests carried each call, by the call's id."""
        return Counter(id_ for exchange in self.exchanges for id_ in exchange.message_ids)

    @property
    def accepted(self) -> set[str]:
        """The ids of the calls that were answered with 200 at least once."""
        answered = [exchange for exchange in self.exchanges if exchange.status == 200]
        return {id_ for exchange in answered for id_ in exchange.message_ids}

    @property
    def statuses(self) -> set[int | None]:
        """The statuses that the server answered with."""
        return {exchange.status for exchange in self.exchanges}


class _PassOn(socketserver.BaseRequestHandler):
    server: Recorder

    def handle(self) -> None:
        known = _Connection()
        self.server.connections.append(known)
        host, port = self.server.upstream
        with socket.create_connection((host, int(port))) as upstream:
            sides = (upstream, self.request, known.answered, self.server.answers)
            back = threading.Thread(target=_pump, args=sides)
            back.start()
            _pump(self.request, upstream, known.sent)
            back.join()


def _pump(
    source: socket.socket,
    target: socket.socket,
    record: bytearray,
    gate: threading.Event | None = None,
) -> None:
    with suppress(OSError):  # either side may hang up at any time
        while chunk := source.recv(CHUNK_BYTES):
            record += chunk
            if gate:
                gate.wait()
            with suppress(OSError):  # a server may hang up before it has heard all
                target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def recording(base: str) -> Iterator[Recorder]:
    """A recorder in front of the server at ``base``."""
    with Recorder(base) as recorder:
        thread = threading.Thread(target=recorder.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield recorder
        finally:
            recorder.shutdown()
            thread.join()
