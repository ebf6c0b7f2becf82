"""Broken promises, written down so that they can be looked at and sent again."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fuzz.sent import Sent, from_json

MOST_WRITTEN = 50
COSTS_TOO_MUCH = "costs too much"
FROZEN = "frozen"


class Finding(NamedTuple):
    """A promise that was broken, and the requests of which one or all broke it."""

    what: str
    details: str
    requests: Sequence[Sent]

    @property
    def is_of_cost(self) -> bool:
        """Whether it is about processor time."""
        return self.what.startswith((COSTS_TOO_MUCH, FROZEN))


class Findings:
    """The findings of a run; the first of them are written into a folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.count = 0
        self.found: list[Finding] = []
        self.written: list[tuple[Path, str]] = []
        self._folder = folder
        self._seed = seed

    def add(self, finding: Finding) -> None:
        self.count += 1
        if len(self.written) >= MOST_WRITTEN:
            return
        self.found.append(finding)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._seed}-{self.count:03}.json"
        said = {
            "seed": self._seed,
            "what": finding.what,
            "details": finding.details,
            "requests": [sent.in_json() for sent in finding.requests],
        }
        path.write_text(json.dumps(said, indent=1))
        self.written.append((path, finding.what))


def requests_in(path: Path) -> list[Sent]:
    """The requests of a finding that was written; raises ``ValueError`` if there are none."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        requests = [from_json(written) for written in said["requests"]]
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path} is no finding of make fuzz") from error
    if not requests:
        raise ValueError(f"{path} holds no requests")
    return requests
