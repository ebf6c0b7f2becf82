"""Cloud Function ``decay``: Cloud Scheduler calls it every five minutes."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.decay()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def decay(request: Request) -> Response:
    """Re-evaluates leads that are due, as many as a call has time for."""
    return await handle(request)
