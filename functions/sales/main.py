"""Cloud Function ``sales``: accepts what CRMs and people state about a lead (``/hubspot``, …)."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.sales()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def sales(request: Request) -> Response:
    """Verifies, translates and publishes statements of sales, and answers its sender."""
    return await handle(request)
