"""A synchronous function that does nothing, as the naive ones are served."""

import flask
import functions_framework


@functions_framework.http
def noop(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Reads the request and answers."""
    request.get_data()
    return {}
