"""Cloud Function ``decay``: Cloud Scheduler calls it every few minutes; most find nothing due."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.decay()  # at the start, which faulty settings refuse


@functions_framework.aio.http
async def decay(request: Request) -> Response:
    """Settles the leads that are due, as many as a call has time for."""
    return await handle(request)
