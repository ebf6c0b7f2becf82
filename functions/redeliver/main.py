"""Cloud Function ``redeliver``: Cloud Scheduler calls it every minute."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.redeliver()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def redeliver(request: Request) -> Response:
    """Sends messages again to tools that have failed, and are due."""
    return await handle(request)
