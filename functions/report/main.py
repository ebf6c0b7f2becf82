"""Cloud Function ``report``: Cloud Scheduler calls it once a day, after midnight UTC."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.report()  # at the start, which faulty settings refuse


@functions_framework.aio.http
async def report(request: Request) -> Response:
    """Reports what is over: yesterday, and the last week and month if nobody has yet."""
    return await handle(request)
