"""Cloud Function ``sales``: accepts what CRMs and people say of a lead (``/hubspot``, …)."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.sales()  # at the start, which faulty settings refuse


@functions_framework.aio.http
async def sales(request: Request) -> Response:
    """Verifies, translates and publishes what sales says, and answers its sender."""
    return await handle(request)
