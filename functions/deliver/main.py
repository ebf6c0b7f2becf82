"""Cloud Function ``deliver``: hands messages to tools; Pub/Sub pushes the topics of triggers."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.deliver()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def deliver(request: Request) -> Response:
    """Sends the pushed message to every destination that wants it."""
    return await handle(request)
