"""All functions behind one address: the very entry points that are deployed, mounted by name.

``/forms/…``, ``/track/…`` and ``/sales/…`` are what a load balancer would route; what tracking
SDKs expect at the root (``/v1/…``) is there too. ``score`` is not mounted: only the bus may push
to it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from functions_framework.aio import create_asgi_app
from starlette.types import ASGIApp, Receive, Scope, Send

import warmlead

AT_ROOT = ("/v1/", "/beacon/v1/", "/pixel/v1/", "/warmlead.js")
"""What SDKs and snippets look for without any prefix; ``track`` answers it."""

HEALTH_PATHS = ("/", "/healthz")
HEALTHY = json.dumps({"status": "ok", "paths": ["/forms/generic", "/track/v1/batch", "/v1/batch"]})
NOT_FOUND = json.dumps({"code": "not_found", "message": "There is no such path."})


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


class Site:
    """Sends each request to the function that answers it."""

    def __init__(self, mounted: Mapping[str, ASGIApp]) -> None:
        self._mounted = mounted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; the lifespan protocol is declined."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        # What CONNECT and OPTIONS * ask for is no path.
        name = path.split("/", 2)[1] if path.startswith("/") else ""
        if path.startswith(AT_ROOT):
            await self._mounted["track"](scope, receive, send)
        elif name in self._mounted:
            below = {**scope, "root_path": f"{scope.get('root_path', '')}/{name}"}
            await self._mounted[name](below, receive, send)
        elif path in HEALTH_PATHS:
            await _answer(send, 200, HEALTHY)
        else:
            await _answer(send, 404, NOT_FOUND)


async def _answer(send: Send, status: int, body: str) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
