"""Cloud Function ``report``: Cloud Scheduler calls it once a day, after midnight UTC."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.report()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def report(request: Request) -> Response:
    """Reports yesterday, and the last week and month if they have no report yet."""
    return await handle(request)
