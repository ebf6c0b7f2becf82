"""All functions behind one address: the very entry points that are deployed, by name.

``/forms/…``, ``/track/…`` and ``/sales/…`` are what a load balancer routes. Every function also
answers without its name in front, as it does where it is deployed by itself. ``score`` is not
among them: only the bus may push to it.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from functions_framework.aio import create_asgi_app
from starlette.types import ASGIApp, Receive, Scope, Send

import warmlead
from warmlead.settings import Needed
from warmlead.sources.segment.payload import kind_at
from warmlead.web.snippet import SCRIPT_PATH

PUBLIC = ("forms", "track", "sales")
"""The functions that senders may reach; the others are called by the bus and by a clock."""

NEEDED: tuple[Needed, ...] = ("write_keys", "id_secret")
"""What they need in production, together."""

SENDERS = {"generic": "forms", **dict.fromkeys(("hubspot", "salesforce", "pipedrive"), "sales")}
"""Which function has a sender, where its name is the first part of the path."""

TRACKED = ("/v1/", "/beacon/v1/", "/pixel/v1/")
"""Where clients of ``track`` post: whatever is below gets its answer, be it that there is none."""


def load_function(name: str) -> ASGIApp:
    """The function's application, made from its ``main.py`` as the platform makes it."""
    app: ASGIApp = create_asgi_app(name, source_of(name))  # type: ignore[no-untyped-call]  # it has no types
    return app


def source_of(name: str) -> str:
    """The function's ``main.py``."""
    return str(_folder() / name / "main.py")


def _folder() -> Path:
    """The functions' folder: in the package when installed, beside ``shared`` in a checkout."""
    package = Path(warmlead.__file__).parent
    installed = package / "functions"
    return installed if installed.exists() else package.parent.parent / "functions"


def function_at(path: str, among: Collection[str]) -> str | None:
    """The function that answers a path; ``None`` if it is outside of all.

    What CONNECT and ``OPTIONS *`` ask for is no path, and outside too.
    """
    if not path.startswith("/"):
        return None
    first = path.split("/", 2)[1]
    named = first if first in among else SENDERS.get(first)
    if named is None and (path.startswith((*TRACKED, SCRIPT_PATH)) or kind_at(path)):
        named = "track"
    return named if named in among else None


class Site:
    """Sends each request to the function that answers it; the rest is ``outside``."""

    def __init__(self, functions: Mapping[str, ASGIApp], outside: ASGIApp) -> None:
        self._functions = functions
        self._outside = outside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; the lifespan protocol is declined."""
        if scope["type"] != "http":
            return
        name = function_at(scope["path"], self._functions)
        app = self._functions[name] if name else self._outside
        await app(scope, receive, send)
