"""Calls of a tool's JSON interface: one address, bounded answers, and errors as results."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from warmlead.domain.dispatch import AttemptResult, Postponed
from warmlead.ports.dispatching import Outbound, OutboundAnswer

NO_HEADERS: Mapping[str, str] = {}
NO_QUERY: Mapping[str, str] = {}


class Reply(Struct, frozen=True):
    """An answer, with what its JSON says; ``None`` if it holds none."""

    answer: OutboundAnswer
    data: Any

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.answer.status

    def at(self, *path: str | int) -> Any:  # noqa: ANN401  # whatever JSON holds
        """What stands at a place of the JSON; ``None`` if there is no such place."""
        found = self.data
        for step in path:
            if isinstance(step, str) and isinstance(found, dict):
                found = found.get(step)
            elif isinstance(step, int) and isinstance(found, list) and 0 <= step < len(found):
                found = found[step]
            else:
                return None
        return found

    def items(self, *path: str | int) -> list[dict[str, Any]]:
        """The objects of a list in the JSON; none if there is no list."""
        found = self.at(*path)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class StoppedError(Exception):
    """The attempt ends here, with a result."""

    def __init__(self, result: AttemptResult) -> None:
        super().__init__(getattr(result, "why", ""))
        self.result = result


Judge: TypeAlias = Callable[[Reply], AttemptResult]
"""What an answer that was not expected means for the attempt."""


class JsonApi:
    """A tool's interface below one address, for one attempt.

    Raises ``StoppedError`` with what ``judge`` says of any answer that is neither a success nor
    one of the statuses that the caller expects; ``UnreachedError`` and ``UnansweredError``.
    """

    def __init__(
        self,
        outbound: Outbound,
        address: str,
        judge: Judge,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        self._outbound = outbound
        self._address = address
        self._judge = judge
        self._headers = headers

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = NO_QUERY,
        body: object = None,
        expected: Collection[int] = (),
        headers: Mapping[str, str] = NO_HEADERS,
        is_told: bool = True,
    ) -> Reply:
        """One request; ``body`` is sent as JSON.

        Unless ``is_told``, nobody needs what a success says, and it may be too long to read.
        """
        asked = f"?{urlencode(query)}" if query else ""
        content = {} if body is None else {"Content-Type": "application/json"}
        sent = b"" if body is None else msgspec.json.encode(body)
        answer = await self._outbound.request(
            method,
            f"{self._address}{path}{asked}",
            {"Accept": "application/json", **content, **self._headers, **headers},
            sent,
        )
        reply = read(answer, is_told=is_told)
        if answer.is_success or answer.status in expected:
            return reply
        raise StoppedError(self._judge(reply))


def read(answer: OutboundAnswer, *, is_told: bool = True) -> Reply:
    """An answer with its JSON; raises ``StoppedError`` for a success that cannot be read."""
    try:
        return Reply(answer, msgspec.json.decode(answer.body) if answer.body else None)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if not (answer.is_success and is_told):
            return Reply(answer, None)
        why = "the answer is not JSON, or too long"
        raise StoppedError(Postponed(why, is_certain=False)) from error


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")
