"""What many observations say, by column: small enough for 100,000 leads, and fast to look at."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from warmlead.domain.event import Property
from warmlead.learning.algebra import Indexes, Vector
from warmlead.learning.observations import Observation

Flags = NDArray[np.bool_]
"""Yes or no for each lead."""

PERSONAL = frozenset(
    {"email", "email_domain", "first_name", "last_name", "name", "phone"}
    | {"company", "website", "postal_code"}
)
"""Traits that tell who somebody is, not of what kind: no column is made of them."""

MOST_VALUES = 1_000
"""A trait with more different values than this says something else of everybody."""

MOST_FACTS = 300
"""Traits of which columns are made; models declare fewer."""

LONGEST_VALUE = 60
"""Characters of a text that a condition may name; longer ones are known, and never compared."""

_NOBODY = -1


@dataclass(slots=True)
class Sparse:
    """Numbers of the leads of which there is one."""

    rows: "array[int]" = field(default_factory=lambda: array("l"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def put(self, row: int, value: float) -> None:
        """States the number of a lead; rows come in order."""
        self.rows.append(row)
        self.values.append(value)

    def dense(self, n: int, missing: float = 0.0) -> Vector:
        """One number for each of ``n`` leads."""
        made = np.full(n, missing)
        made[np.frombuffer(self.rows, dtype=np.dtype("l"))] = np.frombuffer(self.values)
        return made


@dataclass(slots=True)
class Words:
    """The leads that have each value of a text; ``is_cut``: there were too many different ones."""

    rows: dict[str, "array[int]"] = field(default_factory=dict)
    known: "array[int]" = field(default_factory=lambda: array("l"))
    is_cut: bool = False

    def put(self, row: int, value: str) -> None:
        """States a value of a lead."""
        if not self.known or self.known[-1] != row:
            self.known.append(row)
        if self.is_cut or len(value) > LONGEST_VALUE:
            return
        if value not in self.rows and len(self.rows) >= MOST_VALUES:
            self.rows.clear()
            self.is_cut = True
            return
        self.rows.setdefault(value, array("l")).append(row)


@dataclass(slots=True)
class Evidence:
    """The observations of a model, one row each, in the order in which they were added.

    ``left_out`` leads are none of them, because the model counts what their history does not know.
    ``unknown`` says what that is, and of how many.
    """

    won: bytearray = field(default_factory=bytearray)
    known_at: "array[float]" = field(default_factory=lambda: array("d"))
    scores: "array[int]" = field(default_factory=lambda: array("l"))
    engagements: "array[int]" = field(default_factory=lambda: array("l"))
    fits: "array[int]" = field(default_factory=lambda: array("l"))
    idle: "array[int]" = field(default_factory=lambda: array("l"))
    worths: dict[str, Sparse] = field(default_factory=dict)
    recent: dict[str, Sparse] = field(default_factory=dict)
    numbers: dict[str, Sparse] = field(default_factory=dict)
    words: dict[str, Words] = field(default_factory=dict)
    left_out: int = 0
    unknown: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.won)

    def add(self, seen: Observation) -> None:
        """One more lead."""
        row = len(self.won)
        self.won.append(seen.won)
        self.known_at.append(seen.known_at.timestamp())
        self.scores.append(seen.score)
        self.engagements.append(seen.engagement)
        self.fits.append(seen.fit)
        self.idle.append(_NOBODY if seen.days_inactive is None else seen.days_inactive)
        _put(self.worths, row, seen.worths)
        _put(self.recent, row, seen.recent_signals)
        for name, value in seen.facts.items():
            if name not in PERSONAL:
                self._put_fact(row, name, value)

    def _put_fact(self, row: int, name: str, value: Property) -> None:
        is_new = name not in self.numbers and name not in self.words
        if value is None or (is_new and len(self.numbers) + len(self.words) >= MOST_FACTS):
            return
        if isinstance(value, int | float):  # a yes is 1
            self.numbers.setdefault(name, Sparse()).put(row, float(value))
            return
        texts = [value] if isinstance(value, str) else value
        for text in dict.fromkeys(each for each in texts if isinstance(each, str)):
            self.words.setdefault(name, Words()).put(row, text)

    @property
    def outcomes(self) -> Vector:
        """1 of who won, 0 of others."""
        return np.frombuffer(bytes(self.won), dtype=np.uint8).astype(np.float64)

    @property
    def times(self) -> list[datetime]:
        """When each became known."""
        return [datetime.fromtimestamp(each, UTC) for each in self.known_at]

    def worth(self, condition: str) -> Vector:
        """How much of a condition each lead has: 0 where it does not hold."""
        found = self.worths.get(condition)
        return np.zeros(len(self)) if found is None else found.dense(len(self))

    def flags(self, rows: Iterable[int]) -> Flags:
        """Yes for these leads."""
        made = np.zeros(len(self), dtype=np.bool_)
        made[np.fromiter(rows, dtype=np.intp)] = True
        return made

    def whole(self, numbers: "array[int]") -> NDArray[np.int64]:
        """A column of whole numbers as numpy's."""
        return np.array(numbers, dtype=np.int64)

    def weeks(self, rows: Indexes | None = None) -> float:
        """The time in which these leads became known, at least one week."""
        times = np.array(self.known_at)
        some = times if rows is None else times[rows]
        return max(1.0, float(some.max() - some.min()) / (7 * 86_400)) if len(some) else 1.0


def _put(columns: dict[str, Sparse], row: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        columns.setdefault(name, Sparse()).put(row, value)
