"""A request as it is sent, and how it is written down to be sent again."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Headers = tuple[tuple[bytes, bytes], ...]


class Sent(NamedTuple):
    """A request to a function. Unless it is ``whole`` its client hangs up after the last chunk.

    ``target`` is the path and query as they stand on the wire: printable ASCII.
    """

    function: str
    method: str
    target: bytes
    headers: Headers
    chunks: tuple[bytes, ...]
    whole: bool = True
    made_by: str = "as captured"

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.headers if key == name), None)

    def with_body(self, body: bytes) -> "Sent":
        return self._replace(chunks=(body,) if body else ())

    def with_header(self, name: bytes, value: bytes | None) -> "Sent":
        """The request with one header of this name, or with none."""
        kept = tuple(pair for pair in self.headers if pair[0] != name)
        return self._replace(headers=kept if value is None else (*kept, (name, value)))

    def in_json(self) -> dict[str, Any]:
        """All that is needed to send it again."""
        return {
            "function": self.function,
            "method": self.method,
            "target": self.target.decode("ascii"),
            "headers": [
                [name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers
            ],
            "chunks": [base64.b64encode(chunk).decode() for chunk in self.chunks],
            "whole": self.whole,
            "made_by": self.made_by,
        }


def from_json(written: Mapping[str, Any]) -> Sent:
    """The request that was written down."""
    return Sent(
        function=written["function"],
        method=written["method"],
        target=written["target"].encode("ascii"),
        headers=tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in written["headers"]
        ),
        chunks=tuple(base64.b64decode(chunk) for chunk in written["chunks"]),
        whole=written["whole"],
        made_by=written["made_by"],
    )


def headers_of(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> Headers:
    """Headers by name as ASGI has them: bytes, the names in lower case."""
    pairs = given.items() if isinstance(given, Mapping) else given
    return tuple((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs)
