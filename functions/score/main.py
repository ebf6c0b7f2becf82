"""Cloud Function ``score``: applies events to leads; Pub/Sub pushes ``lead-events`` to it.

It takes the push as plain HTTP: the framework's CloudEvent signature drops fields of it.
"""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from warmlead.runtime import functions

handle = functions.score()  # at the start: with faulty settings the function does not start


@functions_framework.aio.http
async def score(request: Request) -> Response:
    """Counts the pushed events on their leads and publishes what that triggers."""
    return await handle(request)
