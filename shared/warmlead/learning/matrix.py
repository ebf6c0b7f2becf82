"""Observations as columns, for a data scientist: made while leads are read, in little memory.

No personal data is in it but the id of each lead, which reveals nothing: contact fields are left
out, and so is every text that few leads share.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from warmlead.domain.event import Property
from warmlead.domain.history import NAME_DAYS, day_at
from warmlead.domain.rules import FitPolicy, Rules
from warmlead.domain.text import one_line
from warmlead.learning.observations import Observation
from warmlead.learning.observing import RECENT_DAYS

PERSONAL = frozenset(
    ("email", "email_domain", "first_name", "last_name", "name", "phone", "postal_code")
)
"""Facts that are never a column."""

LEAST_SHARED = 5
"""A text that fewer leads share could name one of them: it stands as ``OTHER``."""

OTHER = "(other)"

MOST_LETTERS = 100
"""The longest text of a cell, in characters; a longer one is cut."""

MOST_TEXTS = 10_000
"""Number of different texts of a column that are kept apart; later ones are ``OTHER``."""

Numbers: TypeAlias = NDArray[np.float32]
Column: TypeAlias = Numbers | NDArray[np.bool_] | Sequence[str] | Sequence[datetime]

_RECENT = f"last_{RECENT_DAYS}d"


@dataclass(frozen=True)
class Matrix:
    """One row a lead, in order of id.

    ``numbers`` have 0 where a condition did not hold and where there was no event, and ``nan``
    where nothing is known. ``texts`` are empty where nothing is known. ``forgotten`` are columns
    that are left out, because nothing is known of any lead.
    """

    lead_ids: Sequence[str]
    known_at: Sequence[datetime]
    at: Sequence[datetime]
    won: NDArray[np.bool_]
    numbers: Mapping[str, Numbers]
    texts: Mapping[str, Sequence[str]]
    forgotten: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lead_ids)

    @property
    def columns(self) -> Mapping[str, Column]:
        """All columns by name, in the order in which people look at them."""
        return {
            "lead_id": self.lead_ids,
            "known_at": self.known_at,
            "at": self.at,
            "won": self.won,
            **self.numbers,
            **dict(sorted(self.texts.items())),
        }


@dataclass
class _Sparse:
    """A column of which most cells are the same: the others, and where they stand."""

    rows: "array[int]" = field(default_factory=lambda: array("l"))
    values: "array[float]" = field(default_factory=lambda: array("f"))

    def put(self, row: int, value: float) -> None:
        self.rows.append(row)
        self.values.append(value)

    def dense(self, length: int, otherwise: float) -> Numbers:
        """The whole column."""
        column = np.full(length, otherwise, dtype=np.float32)
        column[np.frombuffer(self.rows, dtype=np.int_)] = np.frombuffer(self.values, np.float32)
        return column


@dataclass
class _Coded:
    """A column of texts, each kept once."""

    codes: dict[str, int] = field(default_factory=dict)
    rows: "array[int]" = field(default_factory=lambda: array("l"))
    values: "array[int]" = field(default_factory=lambda: array("l"))

    def put(self, row: int, text: str) -> None:
        text = one_line(text)[:MOST_LETTERS]
        if len(self.codes) >= MOST_TEXTS:
            text = text if text in self.codes else OTHER
        self.rows.append(row)
        self.values.append(self.codes.setdefault(text, len(self.codes)))

    def dense(self, length: int) -> list[str]:
        """The whole column, in which texts that few leads share are not told apart."""
        shared = Counter(self.values)
        shown = [
            text if shared[code] >= LEAST_SHARED and "@" not in text else OTHER
            for text, code in self.codes.items()
        ]
        column = [""] * length
        for row, code in zip(self.rows, self.values, strict=True):
            column[row] = shown[code]
        return column


class MatrixBuilder:
    """Takes observations one by one; ``now`` is when they are made.

    A count of an event's name is unknown where the history of the lead does not reach back far
    enough: names are kept for 90 days, unless the model measures them for longer.
    """

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._rules = rules
        self._today = day_at(now)
        self._ids: list[str] = []
        self._known_at: list[datetime] = []
        self._at: list[datetime] = []
        self._won: list[bool] = []
        self._sure: dict[str, _Sparse] = {}
        self._facts: dict[str, _Sparse] = {}
        self._texts: dict[str, _Coded] = {}
        for name in ("score", "engagement", "fit"):
            self._sure[name] = _Sparse()
        self._facts["days_inactive"] = _Sparse()
        conditions = (
            *(f"signal:{name}" for name in rules.scoring.signals),
            *_named("bonus", rules.bonuses),
            *_named("fit", rules.fit_rules),
        )
        self._sure |= {name: _Sparse() for name in conditions}
        self._places = {name: place for place, name in enumerate(self._sure)}

    def add(self, seen: Observation) -> None:
        """Adds a row."""
        row = len(self._ids)
        self._ids.append(seen.lead_id)
        self._known_at.append(seen.known_at)
        self._at.append(seen.at)
        self._won.append(seen.won)
        self._sure["score"].put(row, seen.score)
        self._sure["engagement"].put(row, seen.engagement)
        self._sure["fit"].put(row, seen.fit)
        if seen.days_inactive is not None:
            self._facts["days_inactive"].put(row, seen.days_inactive)
        for kind, values in (
            ("", seen.worths),
            ("count:", seen.counts),
            (f"{_RECENT}:", seen.recent),
            ("count_signal:", seen.signals),
            (f"{_RECENT}_signal:", seen.recent_signals),
        ):
            for name, value in values.items():
                self._column(self._sure, f"{kind}{name}").put(row, value)
        for name, fact in seen.facts.items():
            if name not in PERSONAL:
                self._put_fact(row, f"fact:{name}", fact)

    def _put_fact(self, row: int, name: str, value: Property) -> None:
        if isinstance(value, int | float):
            self._column(self._facts, name).put(row, value)
        elif isinstance(value, str):
            if name not in self._texts:
                self._texts[name] = _Coded()
            self._texts[name].put(row, value)

    @staticmethod
    def _column(columns: dict[str, _Sparse], name: str) -> _Sparse:
        column = columns.get(name)
        if column is None:
            column = columns[name] = _Sparse()
        return column

    def build(self) -> Matrix:
        """The matrix of all that was added."""
        length = len(self._ids)
        numbers: dict[str, Numbers] = {}
        forgotten = []
        for name in sorted(self._sure, key=self._place):
            column = self._sure[name]
            dense = column.dense(length, 0.0)
            if (unknown := self._forgotten(name)) is not None:
                dense[unknown] = np.nan
            if length and np.isnan(dense).all():
                forgotten.append(name)
            else:
                numbers[name] = dense
        facts = sorted(self._facts.items())
        numbers |= {name: each.dense(length, np.nan) for name, each in facts}
        return Matrix(
            lead_ids=self._ids,
            known_at=self._known_at,
            at=self._at,
            won=np.array(self._won, dtype=np.bool_),
            numbers=numbers,
            texts={name: column.dense(length) for name, column in self._texts.items()},
            forgotten=tuple(sorted(forgotten)),
        )

    def _place(self, column: str) -> tuple[int, str]:
        """Scores and conditions stand in the order of the model, counts behind them by name."""
        place = self._places.get(column)
        return (len(self._places), column) if place is None else (place, "")

    def _forgotten(self, column: str) -> NDArray[np.bool_] | None:
        """The rows of which the count of an event's name does not reach back far enough."""
        kind, _, name = column.partition(":")
        if kind not in ("count", _RECENT):
            return None
        oldest = self._today - self._rules.kept_days.get(name, NAME_DAYS) + 1
        if kind == _RECENT:
            oldest += RECENT_DAYS - 1
        since = self._known_at if kind == "count" else self._at
        return np.array([day_at(moment) < oldest for moment in since], dtype=np.bool_)


def _named(kind: str, policies: Iterable[FitPolicy]) -> Iterator[str]:
    return (f"{kind}:{policy.name}" for policy in policies)
