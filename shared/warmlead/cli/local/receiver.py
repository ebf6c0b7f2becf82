"""A receiver of signed webhooks, in a process of its own: the tool at the end of the demo.

``python -m warmlead.cli.local.receiver PORT`` listens on this machine, and reads the secret from
``WEBHOOK_SECRET``. It prints one line of JSON for each message whose signature it has verified.
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import verify_standard_webhooks

SECRET = "WEBHOOK_SECRET"  # noqa: S105  # the name of a variable
MOST_BYTES = 1_000_000
TIMEOUT_S = 10.0


def main(arguments: Sequence[str] = sys.argv) -> None:
    """Receives until the process is ended."""
    with ThreadingHTTPServer(("127.0.0.1", int(arguments[1])), _Handler) as server:
        server.serve_forever()


class _Handler(BaseHTTPRequestHandler):
    timeout = TIMEOUT_S

    def do_POST(self) -> None:
        """204 for a message that is signed with the secret; otherwise a 4xx, and no line."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= MOST_BYTES):
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            now = datetime.now(UTC)
            verify_standard_webhooks(headers, body, secrets=[os.environ[SECRET]], now=now)
            line = line_about(body)
        except RejectedError as error:
            is_signed = error.reason == Reason.EVENT_INVALID
            status = HTTPStatus.BAD_REQUEST if is_signed else HTTPStatus.UNAUTHORIZED
            self.send_error(status, error.reason)
            return
        print(line, flush=True)  # noqa: T201  # the demo reads it
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: what is printed are messages."""


def line_about(body: bytes) -> str:
    """What to print of a message. Raises ``RejectedError`` if it has no type or no id."""
    match json.loads(body):
        case {"type": str(kind), "id": str(id_)}:
            return json.dumps({"type": kind, "id": id_, "process": os.getpid()})
    raise RejectedError(Reason.EVENT_INVALID, "The message has no type or no id.")


if __name__ == "__main__":
    main()
