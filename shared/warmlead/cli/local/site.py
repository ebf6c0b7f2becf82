"""All functions behind one address: the entry points that are deployed, health, and 404."""

import asyncio
import json
import logging
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import get_args

from functions_framework.aio import create_asgi_app
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

import warmlead
from warmlead.domain.errors import ConfigurationError, Reason, RejectedError, UnavailableError
from warmlead.ports import Commit, LeadStore, Loaded, RawRequest
from warmlead.runtime import backends, table
from warmlead.senders.registry import functions_by_path
from warmlead.senders.segment.calls import kind_at
from warmlead.settings import Needed
from warmlead.web.answers import Answer
from warmlead.web.edge import Edge, Limits
from warmlead.web.logging import log_event
from warmlead.web.snippet import SCRIPT_PATH

PUBLIC = table.names(table.public())
"""The functions that senders may reach; the others are called by the bus and by a clock."""

NEEDED: tuple[Needed, ...] = tuple(
    each for each in get_args(Needed) if any(each in f.demands for f in table.public())
)
"""What they need in production, together."""

SENDERS = functions_by_path()
"""The function of each sender whose name is the first part of the path."""

TRACKED = ("/v1/", "/beacon/v1/", "/pixel/v1/")
"""Paths to which clients of ``track`` post: ``track`` answers everything below them."""


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

    The targets of CONNECT and ``OPTIONS *`` are not paths, so they are outside too.
    """
    if not path.startswith("/"):
        return None
    first = path.split("/", 2)[1]
    named = first if first in among else SENDERS.get(first)
    if named is None and (path.startswith((*TRACKED, SCRIPT_PATH)) or kind_at(path)):
        named = table.TRACK.name
    return named if named in among else None


class LocalSite:
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


HEALTH_WITHIN_S = 2.0
"""Time limit for an answer of the store before it counts as unavailable."""

PATHS = ["/forms/generic", "/track/v1/batch", "/v1/batch", "/sales/generic"]
_NOBODY = "healthz"

_log = logging.getLogger(__name__)


class Outside:
    """An ASGI application for all addresses that no function has."""

    def __init__(
        self,
        store: LeadStore,
        *,
        body_bytes: int,
        timeout_s: float,
        health_within_s: float = HEALTH_WITHIN_S,
    ) -> None:
        self._store = store
        self._health_within_s = health_within_s
        self._edge = Edge(
            self._answer,
            function="serve",
            limits=Limits(body_bytes, timeout_s),
            clock=backends.SystemClock(),
            new_id=lambda: uuid.uuid4().hex,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        response = await self._edge.answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: RawRequest) -> Answer:
        if request.path == "/":
            return Answer(200, json.dumps({"status": "ok", "paths": PATHS}).encode())
        if request.path == "/healthz":
            return await self._health()
        raise RejectedError(Reason.NOT_FOUND, f"There is no such path; there are {_listed()}.")

    async def _health(self) -> Answer:
        try:
            await look(self._store, self._health_within_s)
        except UnavailableError as error:
            log_event(_log, "store_unavailable", level=logging.WARNING, reason="unavailable")
            message = f"{error.message[:1].upper()}{error.message[1:]}."
            told = json.dumps({"code": "unavailable", "message": message})
            return Answer(503, told.encode(), headers={"Retry-After": "5"})
        return Answer(200, json.dumps({"status": "ok", "store": "ok"}).encode())


def _listed() -> str:
    return ", ".join(PATHS)


async def look(store: LeadStore, within_s: float) -> None:
    """Has the store commit an empty transaction; raises ``UnavailableError`` if that fails.

    Costs no flush to the disk.
    """
    try:
        async with asyncio.timeout(within_s):
            await store.update([], _nothing)
            await store.get(_NOBODY)
    except TimeoutError as error:
        message = f"the store did not answer within {within_s:g} s"
        raise UnavailableError(message) from error
    except ConfigurationError as error:
        raise UnavailableError("the store cannot be used any more") from error


def _nothing(_: Loaded) -> Commit[None]:
    return Commit(None)
