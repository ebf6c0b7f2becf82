"""What the CRMs' servers of the tests share: they run on loopback, keep records, and can fail.

A server does what its vendor publishes; ``trouble`` is what a test wants of the next requests.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

from patience import PATIENCE_S


class Asked(NamedTuple):
    """A request, unpacked by servers; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if isinstance(self.data, bytes):
            return self.data
        return b"" if self.data is None else json.dumps(self.data).encode()


@dataclass
class Trouble:
    """What befalls requests whose method and path begin so, as often as ``times`` says.

    ``answer``: this is said, and nothing done. Without: it is done, and the answer is lost;
    with ``hangs`` it is never sent, and the connection stays open. ``spares``: nothing befalls it.
    """

    begins: str
    answer: Said | None = None
    hangs: bool = False
    spares: bool = False
    times: int = 1


class CrmServer:
    """A CRM on loopback. ``handle`` is called for one request at a time."""

    def __init__(self) -> None:
        self.address = ""
        self.troubles: list[Trouble] = []
        self.asked: list[str] = []
        self.left: int | None = None
        """How many more requests the limit lets through; ``None``: there is no limit."""
        self.closing = threading.Event()
        self._one_by_one = threading.Lock()

    def handle(self, asked: Asked) -> Said:
        raise NotImplementedError

    def is_free(self, _: Asked) -> bool:
        """Whether a request does not count for the limit."""
        return False

    def limited(self) -> Said:
        """The vendor's answer when its limit is used up."""
        raise NotImplementedError

    def said(self, asked: Asked) -> tuple[Said, Trouble | None]:
        """The answer to a request, and what befalls it."""
        with self._one_by_one:
            line = f"{asked.method} {asked.path}"
            self.asked.append(line)
            trouble = next(
                (t for t in self.troubles if t.times and line.startswith(t.begins)), None
            )
            if trouble:
                trouble.times -= 1
                if trouble.answer:
                    return trouble.answer, None
                trouble = None if trouble.spares else trouble
            if self.left is not None and not self.is_free(asked):
                if self.left <= 0:
                    return self.limited(), None
                self.left -= 1
            return self.handle(asked), trouble


S = TypeVar("S", bound=CrmServer)


@contextmanager
def running(server: S) -> Iterator[S]:
    """The server while it runs."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=False))
            asked = Asked(self.command, parts.path, query, headers, body)
            said, trouble = server.said(asked)
            if trouble and trouble.hangs:
                server.closing.wait(PATIENCE_S)
            if trouble:
                self.close_connection = True
                return
            with suppress(ConnectionError):
                self.send_response(said.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said.body)))
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test is quiet."""

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            http.shutdown()
            thread.join()


Route = tuple[str, str, Callable[..., Said]]


def routed(routes: list[Route], asked: Asked) -> Said | None:
    """The answer of the first route that fits; a route's groups are given to its function."""
    for method, pattern, function in routes:
        if asked.method == method and (found := re.fullmatch(pattern, asked.path)):
            return function(asked, *found.groups())
    return None
