"""A server that takes Pub/Sub's Publish as it is told to, over real gRPC on loopback."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio

from served import free_port
from warmlead.google_api import message_types

types = message_types("google.pubsub_v1", "pubsub")

OK = grpc.StatusCode.OK
Code = grpc.StatusCode


class Publisher:
    """Answers with ``codes`` in turn, then with OK; ``requests`` are all that came."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.codes: list[Code] = []
        self.requests: list[Any] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self.before: Callable[[], Awaitable[object]] | None = None
        self.ids_too_many = 0
        self.remaining_s: list[float] = []
        """How long each request was given."""

    async def publish(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        number = len(self.requests)
        self.remaining_s.append(context.time_remaining())
        if self.before:
            await self.before()
        if number <= len(self.codes) and self.codes[number - 1] is not OK:
            await context.abort(self.codes[number - 1], "as it was told")
        ids = [f"{number}-{i}" for i in range(len(request.messages) + self.ids_too_many)]
        return types.PublishResponse.pb()(message_ids=ids)


@asynccontextmanager
async def serving(publisher: Publisher) -> AsyncIterator[Publisher]:
    """The publisher while its server runs."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 10_000_000)])
    handler = grpc.unary_unary_rpc_method_handler(
        publisher.publish,
        request_deserializer=types.PublishRequest.pb().FromString,
        response_serializer=types.PublishResponse.pb().SerializeToString,
    )
    methods = {"Publish": handler}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", methods)]
    )
    server.add_insecure_port(publisher.address)
    await server.start()
    try:
        yield publisher
    finally:
        await server.stop(grace=None)
