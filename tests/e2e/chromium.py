"""Chromium for the tests, every name under ``.example`` being this machine; and sites for it."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import HTTPServer
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
