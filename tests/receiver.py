"""An HTTP receiver in a thread: it keeps what it gets, and answers, hangs or breaks off as told."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BREAKS_OFF = 0
"""In the place of a status: the connection ends without an answer."""

HANGS = -1
"""In the place of a status: no answer until the receiver ends."""


@dataclass
class Request:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Keeps requests. ``answers`` are the next statuses, with headers; then it answers 200."""

    url: str = ""
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    answers: list[int | tuple[int, Mapping[str, str]]] = field(default_factory=list)
    body: bytes = b"ok"
    ended: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int, patience_s: float = 180.0) -> list[Request]:
        """The requests, once there are as many."""
        deadline = time.monotonic() + patience_s
        while len(self.requests) < count:
            assert time.monotonic() < deadline, f"{len(self.requests)} of {count} requests came"
            time.sleep(0.02)
        return self.requests


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                receiver.requests.append(Request(self.command, self.path, headers, body))
                answer = receiver.answers.pop(0) if receiver.answers else 200
            status, more = answer if isinstance(answer, tuple) else (answer, {})
            if status == HANGS:
                receiver.ended.wait()
            if status in (BREAKS_OFF, HANGS):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(receiver.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.body)

        do_GET = do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815  # http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.port = server.server_address[1]
        receiver.url = f"http://localhost:{receiver.port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield receiver
        receiver.ended.set()
        server.shutdown()
        thread.join()
