"""What the client knows: what it sent when, and what it was answered.

A file to which lines are only added, so that it survives whoever writes it. The application
never sees it.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from warmlead.domain.history import from_ms, to_ms


class Journal:
    """The client's own record of one trial, over all lives of the application."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def close(self) -> None:
        os.close(self._file)

    def born(self, at: datetime) -> None:
        """A life of the application begins."""
        self._add(born=to_ms(at))

    def reached(self, step: int, at: datetime) -> None:
        """The client has begun this step of its plan."""
        self._add(step=step, at=to_ms(at))

    def passed(self, at: datetime) -> None:
        """Time has gone by: nobody who comes later may think that it is earlier."""
        self._add(at=to_ms(at))

    def sent(self, request: int, at: datetime) -> None:
        """A request is about to be sent."""
        self._add(sent=request, at=to_ms(at))

    def told(self, request: int, at: datetime, status: int) -> None:
        """A request was answered; ``at`` is when it had been sent."""
        self._add(told=request, at=to_ms(at), status=status)

    def _add(self, **line: int) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")

    # --- reading -------------------------------------------------------------------------

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._path.read_bytes().splitlines():
            yield json.loads(line)

    @property
    def next_step(self) -> int:
        """The first step that was never begun."""
        return 1 + max((line["step"] for line in self if "step" in line), default=-1)

    @property
    def latest(self) -> datetime | None:
        """The latest time in the journal."""
        times = [line.get("at", line.get("born")) for line in self]
        known = [time for time in times if time is not None]
        return from_ms(max(known)) if known else None

    @property
    def unanswered(self) -> list[int]:
        """The requests that were sent, and answered with neither 2xx nor 4xx."""
        lines = list(self)
        sent = [line["sent"] for line in lines if "sent" in line]
        settled = {line["told"] for line in lines if "told" in line and line["status"] < 500}
        return [request for request in dict.fromkeys(sent) if request not in settled]

    @property
    def attempts(self) -> dict[int, list[tuple[datetime, int | None]]]:
        """Of each request, when it was sent and what that attempt was answered, if it was."""
        lines = list(self)
        statuses = {(x["told"], x["at"]): x["status"] for x in lines if "told" in x}
        found: dict[int, list[tuple[datetime, int | None]]] = {}
        for line in lines:
            if "sent" in line:
                key = (line["sent"], line["at"])
                found.setdefault(line["sent"], []).append((from_ms(line["at"]), statuses.get(key)))
        return found
