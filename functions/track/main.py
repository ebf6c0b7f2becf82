"""Cloud Function ``track``: accepts tracking calls as Segment's clients send them."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.track()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def track(request: Request) -> Response:
    """Checks the write key, translates and publishes events, and answers the client."""
    return await handle(request)
