"""Cloud Function ``followup``: Cloud Scheduler calls it every minute."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.followup()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def followup(request: Request) -> Response:
    """Sends nurture steps, deadlines of sales, and triggers that a crash left unsent."""
    return await handle(request)
