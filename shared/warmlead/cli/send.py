"""``warmlead send``: posts a file to a running server, as a form or an SDK would."""

import base64
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from warmlead.cli.output import EXIT_MISUSE, EXIT_WRONG, console, fail
from warmlead.domain.errors import RejectedError
from warmlead.ports import RawRequest
from warmlead.runtime import backends, functions
from warmlead.runtime.table import TRACK, public_named
from warmlead.senders.registry import REGISTRY, by_name
from warmlead.settings import why_unreadable

SENDERS = ", ".join(each.name for each in REGISTRY)
BATCH = "/v1/batch"
"""Where the calls of a tracking client go."""

TIMEOUT_S = 30.0
_TYPES = {".json": "application/json", ".txt": "text/plain", ".xml": "text/xml"}


def send(
    sender: Annotated[str, typer.Argument(metavar="SENDER", help=f"Who sends: {SENDERS}.")],
    fixture: Annotated[
        str,
        typer.Argument(
            metavar="FIXTURE",
            help="A file with the body (.json, or form fields), or - for standard input.",
        ),
    ],
    to: Annotated[
        str, typer.Option(metavar="URL", help="The address of the server.")
    ] = "http://127.0.0.1:8080",
    form: Annotated[
        str, typer.Option(metavar="NAME", help="The name of the form; only for generic.")
    ] = "",
    write_key: Annotated[
        str, typer.Option(metavar="KEY", help="The write key; only for segment.")
    ] = "local",
) -> None:
    """Send a request from a file as its sender would, signed.

    The request is signed if the settings of the form require that. A file with form fields has
    them as a browser encodes them. The server must run:

    ```text
    echo -n 'email=ada%40example.com&name=Ada' | warmlead send generic -
    warmlead send generic answer.json --form contact
    warmlead send segment batch.json --write-key local
    ```
    """
    try:
        registered = by_name(sender)
    except LookupError as error:
        raise fail(str(error), code=EXIT_MISUSE) from error
    body = _read(fixture)
    headers = {"Content-Type": _type_of(fixture, body), "User-Agent": "warmlead-send"}
    path = f"/{registered.path}/{form}".rstrip("/") if registered.path else BATCH
    if registered.function == TRACK.name:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{write_key}:".encode()).decode()
    else:
        body, proof = _proved(registered.function, path, body)
        headers |= proof
        path = f"/{registered.function}{path}"
    _post(f"{to.rstrip('/')}{path}", body, headers)


def _read(fixture: str) -> bytes:
    if fixture == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(fixture).read_bytes()
    except OSError as error:
        hint = "Examples: warmlead send --help"
        raise fail(f"{fixture}: {why_unreadable(error)}.", hint=hint, code=EXIT_MISUSE) from error


def _type_of(fixture: str, body: bytes) -> str:
    if body.lstrip()[:1] in (b"{", b"["):
        return "application/json"
    return _TYPES.get(Path(fixture).suffix, "application/x-www-form-urlencoded")


def _proved(function: str, path: str, body: bytes) -> tuple[bytes, Mapping[str, str]]:
    """The body and the headers by which the sender, as it is configured here, proves what it posts.

    As given and without headers if it is not configured here, or takes any post: the server answers
    whether that is good.
    """
    sender = functions.senders(public_named(function), backends.settings()).at(path)
    if sender is None:
        return body, {}
    request = RawRequest("POST", path, "", {}, body, datetime.now(UTC), uuid.uuid4().hex)
    try:
        anew = sender.sent_anew(request)
        return anew.body, sender.sign(anew)
    except RejectedError:  # a form that is not configured here
        return body, {}


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    if not url.startswith(("http://", "https://")):
        hint = "Write the whole address: --to http://127.0.0.1:8080"
        raise fail(f"{url} is not an HTTP address.", hint=hint, code=EXIT_MISUSE)
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310  # http, as checked
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  # http
            status, text = answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        text = error.read().decode("utf-8", "replace")
        raise fail(f"{url} answered {error.code}: {text}", code=EXIT_WRONG) from error
    except OSError as error:
        raise fail(
            f"{url} does not answer.", hint="Is it running? Start it with: warmlead serve"
        ) from error
    console.print(f"{status} {escape(text)}")
    console.print("[dim]to see the result: warmlead lead list[/]")
