"""A function that does nothing: what functions-framework costs by itself, as it is installed.

Without the faster loop and parser that ours bring along, as they would serve it as well.
"""

import sys

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

sys.modules |= dict.fromkeys(("httptools", "uvloop"))  # type: ignore[arg-type]  # None: not there


@functions_framework.aio.http
async def noop(request: Request) -> Response:
    """Reads the request and answers."""
    await request.body()
    return Response(b"{}", media_type="application/json")
