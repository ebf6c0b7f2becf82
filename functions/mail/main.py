"""Cloud Function ``mail``: accepts what mail tools report of their mails (``/sendgrid``, …)."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.mail()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def mail(request: Request) -> Response:
    """Verifies, translates and publishes reports of mail tools, and answers their sender."""
    return await handle(request)
