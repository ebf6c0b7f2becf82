"""Cloud Function ``followup``: Cloud Scheduler calls it every minute."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.followup()  # at the start, which faulty settings refuse


@functions_framework.aio.http
async def followup(request: Request) -> Response:
    """Does what is due: nurture steps, deadlines of sales, triggers that a crash left unsent."""
    return await handle(request)
