"""Cloud Function ``forms``: accepts website forms, one path a sender (``/generic``)."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.forms()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def forms(request: Request) -> Response:
    """Verifies, translates and publishes a form submission, and answers its sender."""
    return await handle(request)
