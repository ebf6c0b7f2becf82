"""A function that does nothing, as ours are served: what functions-framework costs by itself."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response


@functions_framework.aio.http
async def noop(request: Request) -> Response:
    """Reads the request and answers."""
    await request.body()
    return Response(b"{}", media_type="application/json")
