"""HTTP as bytes: requests that no client library would send, and what is answered to them."""

import base64
import http.client
import select
import socket
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from patience import PATIENCE_S

DRIP_S = 0.2
"""So long a dripping client waits between two bytes."""

KEY = b"Authorization: Basic " + base64.b64encode(b"local:")
JSON = b"Content-Type: application/json"
FORM = b"Content-Type: application/x-www-form-urlencoded"


class Sent(NamedTuple):
    """The bytes of a request, and what the client does after them: wait, hang up, or drip on."""

    head: bytes
    body: Sequence[bytes] = ()
    then: str = "wait"


class Answered(NamedTuple):
    """An answer; ``status`` is 0 if the connection ended without one."""

    status: int
    headers: dict[str, str]
    body: bytes
    took_s: float


def request(
    line: str | bytes, *headers: bytes, body: bytes = b"", length: bytes | None = None
) -> Sent:
    """A request with an honest length, unless another one, or none (``b""``), is given."""
    line = line.encode() if isinstance(line, str) else line
    declared = str(len(body)).encode() if length is None else length
    lines = [line + b" HTTP/1.1", b"Host: warmlead.example", b"Connection: close", *headers]
    if declared:
        lines.append(b"Content-Length: " + declared)
    return Sent(b"\r\n".join(lines) + b"\r\n\r\n", [body])


def chunked(line: str, *headers: bytes, body: bytes, size: int = 16_384) -> Sent:
    """The same in chunks, without a length."""
    head = request(line, *headers, b"Transfer-Encoding: chunked", length=b"").head
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return Sent(head, [*(b"%x\r\n%s\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"])


def exchange(base: str, sent: Sent) -> Answered:
    """Sends the bytes and reads one answer; fails if none comes in time."""
    address = urlsplit(base)
    assert address.hostname
    assert address.port
    began = time.monotonic()
    with socket.create_connection((address.hostname, address.port), PATIENCE_S) as connection:
        _send(connection, sent)
        if sent.then == "hang up":
            return Answered(0, {}, b"", time.monotonic() - began)
        method = sent.head.partition(b" ")[0].decode("latin-1")
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
            body = answer.read()
        except (http.client.BadStatusLine, ConnectionError):
            return Answered(0, {}, b"", time.monotonic() - began)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(answer.status, headers, body, time.monotonic() - began)


def _send(connection: socket.socket, sent: Sent) -> None:
    try:
        connection.sendall(sent.head)
        for part in sent.body:
            connection.sendall(part)
        if sent.then == "drip":
            deadline = time.monotonic() + PATIENCE_S
            while not select.select([connection], [], [], DRIP_S)[0]:
                assert time.monotonic() < deadline, "a slow client is never told to go away"
                connection.sendall(b" ")
    except ConnectionError:
        pass  # the server has answered already, and closed
