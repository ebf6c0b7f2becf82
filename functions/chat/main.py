"""Cloud Function ``chat``: accepts what visitors say in chats (``/intercom``, …)."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.chat()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def chat(request: Request) -> Response:
    """Verifies, translates and publishes what a visitor said, and answers the tool."""
    return await handle(request)
