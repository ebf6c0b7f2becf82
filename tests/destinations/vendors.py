"""A vendor's API on this machine: a real HTTP server that holds what it was told.

Each vendor's own module says how its API answers, by its published description.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias


@dataclass(frozen=True)
class Asked:
    """One request; header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Api: TypeAlias = Callable[[Asked], Answered]


class Vendor:
    """What goes wrong at a vendor, besides its API.

    ``fail_with`` are answers that come instead of the next ones. Of the next ``lose`` requests the
    vendor does what is asked, and the connection breaks before the answer. The next ``hang``
    requests are done, and never answered. Each takes ``takes_s``; ``most_at_once`` were under way
    at the same time.
    """

    def __init__(self) -> None:
        self.fail_with: list[Answered] = []
        self.lose = 0
        self.hang = 0
        self.takes_s = 0.0
        self.most_at_once = 0
        self.asked: list[Asked] = []
        self.closing = threading.Event()

    def api(self, asked: Asked) -> Answered:
        """What the vendor does and answers."""
        raise NotImplementedError


@contextmanager
def served(vendor: Vendor) -> Iterator[str]:
    """The address at which the vendor answers."""
    lock = threading.Lock()
    under_way: set[int] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, headers, body)
            with lock:
                under_way.add(id(self))
                vendor.most_at_once = max(vendor.most_at_once, len(under_way))
            vendor.closing.wait(vendor.takes_s)
            with lock:
                under_way.discard(id(self))
                vendor.asked.append(asked)
                if vendor.fail_with:
                    self._answer(vendor.fail_with.pop(0))
                    return
                answer = vendor.api(asked)
                is_lost, vendor.lose = vendor.lose > 0, max(0, vendor.lose - 1)
                hangs, vendor.hang = vendor.hang > 0, max(0, vendor.hang - 1)
            if hangs:
                vendor.closing.wait(10)
            if is_lost or hangs:
                self.close_connection = True
                return
            self._answer(answer)

        def _answer(self, answer: Answered) -> None:
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        vendor.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
