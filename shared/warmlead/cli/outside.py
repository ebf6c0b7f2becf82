"""What ``serve`` answers itself: whether it is well, and that there is no such address.

All of it goes through the edge of the functions: it is logged, and browsers may read it.
"""

import asyncio
import json
import logging
import uuid

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from warmlead import backends
from warmlead.domain.errors import (
    ConfigurationError,
    Reason,
    RejectedError,
    UnavailableError,
)
from warmlead.ports import Commit, LeadStore, Loaded, RawRequest
from warmlead.web.answer import Answer
from warmlead.web.edge import Edge, Limits
from warmlead.web.json_logging import log_event

HEALTH_WITHIN_S = 2.0
"""So long the store may take to answer before it counts as unavailable."""

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
    """Has the store commit nothing and read nothing; raises ``UnavailableError`` if it does not.

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
