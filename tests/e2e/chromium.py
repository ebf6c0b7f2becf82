"""Chromium for the tests, every name under ``.example`` being this machine; and sites for it."""

import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import TypeVar

from playwright.sync_api import Browser, sync_playwright

from e2e.lacking import skip_or_fail

PERSON = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/147.0.0.0 Safari/537.36"
)
"""The name of a person's browser: what one says that calls itself headless counts nothing."""

FLAGS = (
    "--no-sandbox",
    "--headless=new",
    f"--user-agent={PERSON}",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.example 127.0.0.1",
)

Server = TypeVar("Server", bound=HTTPServer)


@contextmanager
def chromium(*, without: Sequence[str] = ()) -> Iterator[Browser]:
    """A browser; ``without`` are arguments that Playwright would add. Skips if there is none."""
    if not (path := shutil.which("chromium")):
        skip_or_fail("there is no chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=FLAGS, ignore_default_args=list(without)
        )
        yield browser
        browser.close()


@contextmanager
def visited(site: Server) -> Iterator[Server]:
    """The site, serving in a thread of its own."""
    with site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield site
        site.shutdown()
        thread.join()


class Website(ThreadingHTTPServer, ABC):
    """A site that is visited: its pages are its content, whatever is asked in their queries."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Serve)

    @abstractmethod
    def content(self, path: str) -> tuple[bytes, str]:
        """The page at the path, and its content type."""


class _Serve(BaseHTTPRequestHandler):
    server: Website

    def do_GET(self) -> None:
        body, content_type = self.server.content(self.path.partition("?")[0])
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
