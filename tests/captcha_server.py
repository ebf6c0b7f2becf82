"""A spam check's service on loopback, which answers as Turnstile, hCaptcha and reCAPTCHA document.

https://developers.cloudflare.com/turnstile/get-started/server-side-validation,
https://docs.hcaptcha.com, https://developers.google.com/recaptcha/docs/verify
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from patience import PATIENCE_S

SECRET = "0x4AAAAAAAc3rEt-of-the-tests-9ZqLm"
USED = {
    "turnstile": "timeout-or-duplicate",
    "hcaptcha": "already-seen-response",
    "recaptcha": "timeout-or-duplicate",
}
TIME = "2026-03-02T10:00:01Z"


class CaptchaVendor:
    """Takes each of the ``good`` tokens once, and says of it what stands there.

    ``answer`` is a status and a body that are given instead, whatever is asked.
    """

    def __init__(self, service: str) -> None:
        self.service = service
        self.address = ""
        self.good: dict[str, Mapping[str, Any]] = {"good": {}}
        self.answer: tuple[int, bytes] | None = None
        self.asked: list[dict[str, str]] = []
        self.agents: list[Mapping[str, str]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._used: dict[str, str] = {}
        self._one_by_one = threading.Lock()

    def verified(self, asked: dict[str, str]) -> dict[str, Any]:
        """The answer to a question, as the service documents it."""
        with self._one_by_one:
            self.asked.append(asked)
            token, repeat = asked["response"], asked.get("idempotency_key", "")
            if asked["secret"] != SECRET:
                return refusal("invalid-input-secret")
            if token not in self.good:
                return refusal("invalid-input-response")
            if token in self._used and (not repeat or self._used[token] != repeat):
                return refusal(USED[self.service])
            self._used[token] = repeat
            return {
                "success": True,
                "challenge_ts": TIME,
                "hostname": "www.example.com",
                "error-codes": [],
                **self.good[token],
            }


def refusal(*codes: str) -> dict[str, Any]:
    """What every service says of a token that it does not take."""
    return {"success": False, "error-codes": list(codes)}


@contextmanager
def a_vendor(service: str) -> Iterator[CaptchaVendor]:
    """The service while its server runs."""
    vendor = CaptchaVendor(service)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            vendor.agents.append(dict(self.headers))
            found = {name: one for name, (one,) in parse_qs(body, strict_parsing=True).items()}
            said = json.dumps(vendor.verified(found)).encode()
            vendor.may_answer.wait(timeout=PATIENCE_S)
            status, said = vendor.answer or (200, said)
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.send_header("Location", vendor.address)
            with suppress(ConnectionError):  # who asks waits no longer
                self.end_headers()
                self.wfile.write(said)

        def do_GET(self) -> None:
            """Who follows a redirect comes here."""
            vendor.asked.append({})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"success": true}')

        def log_message(self, *_: object) -> None:
            """Nothing: a test is quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vendor.address = f"http://127.0.0.1:{server.server_port}/siteverify"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield vendor
        finally:
            vendor.may_answer.set()
            server.shutdown()
            thread.join()
