"""Cloud Function ``dashboard``: pages and an API for the people of marketing and sales."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.dashboard()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def dashboard(request: Request) -> Response:
    """Answers those who may look at leads, and nobody else."""
    return await handle(request)
