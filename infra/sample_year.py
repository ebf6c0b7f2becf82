"""Makes up the year of docs/calibration.md: leads, what they did, and what sales said of them.

Run by ``make sample-year``; the same files each time. Modelled on how funnels of companies that
sell to companies are described: some of a hundred leads buy, within weeks; who looks at prices and
comes from a company of the right size buys more often than who only reads papers; sales refuses
some of those who are handed over.
"""

import csv
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import exp
from pathlib import Path
from typing import TypeAlias, TypeVar

FOLDER = Path(__file__).parent.parent / "docs/calibration"
PEOPLE = 450
BEGINS = datetime(2024, 7, 1, 8, tzinfo=UTC)
DAYS = 365

SIZES = {8: 0.25, 40: 0.25, 120: 0.2, 300: 0.15, 2_000: 0.15}
SOURCES = {"google": 0.4, "newsletter": 0.2, "linkedin": 0.25, "partner": 0.15}
TITLES = {
    "Student": 0.1,
    "Engineer": 0.3,
    "Marketing Manager": 0.3,
    "VP Marketing": 0.2,
    "CEO": 0.1,
}

HABITS = {
    ("page_viewed", "/features"): (0.6, 0.0),
    ("page_viewed", "/pricing"): (0.35, 2.2),
    ("content_downloaded", "whitepaper"): (0.45, -0.2),
    ("webinar_attended", "Scoring 101"): (0.2, 1.0),
    ("demo_requested", ""): (0.12, 2.5),
}
"""How many leads do this at all, and what it truly says about buying, in log-odds."""

SIZE_WORTH = {8: -1.5, 40: 0.0, 120: 1.3, 300: 1.3, 2_000: -0.8}
TITLE_WORTH = {"Student": -2.0, "Engineer": 0.0, "Marketing Manager": 0.4}
NOBODY = -3.2
"""The log-odds of somebody of whom nothing else is known."""

REFUSALS = ("not_ready", "not_ready", "bad_fit", "unreachable", "bad_data")

Line: TypeAlias = Sequence[object]
T = TypeVar("T")


def choice(dice: random.Random, shares: Mapping[T, float]) -> T:
    """One of some things, as likely as their shares say."""
    return dice.choices([*shares], [*shares.values()])[0]


class Person:
    """Somebody made up, as three files tell of it."""

    def __init__(self, number: int, dice: random.Random) -> None:
        self._dice = dice
        self._known = BEGINS + timedelta(days=dice.random() * DAYS, hours=dice.random() * 9)
        self.email = f"p{number}@c{number % 97}.example"
        self._size, self._title = choice(dice, SIZES), choice(dice, TITLES)
        self._source = choice(dice, SOURCES)
        self._odds = NOBODY + SIZE_WORTH[self._size] + TITLE_WORTH.get(self._title, 0.6)
        self.acts = [act for habit in HABITS for act in self._acts(*habit)]

    @property
    def lead(self) -> Line:
        """The line of the file of leads."""
        values = (self.email, self._size, self._title, self._source, _text(self._known))
        return (f"L-{self.email.partition('@')[0]}", *values)

    def _acts(self, name: str, what: str) -> list[Line]:
        """How often the person does it: on the first days, most of them."""
        share, worth = HABITS[name, what]
        if self._dice.random() >= share:
            return []
        self._odds += worth
        often = self._dice.choice((1, 1, 2, 3)) if name == "page_viewed" else 1
        waits = [self._dice.expovariate(1 / 3) for _ in range(often)]
        return [
            (self.email, name, what, _text(self._known + timedelta(days=min(wait, 60))))
            for wait in waits
        ]

    def said(self) -> Line | None:
        """What sales said, if it said anything."""
        begun = self._known + timedelta(days=7 + self._dice.random() * 5)
        if self._dice.random() < 1 / (1 + exp(-self._odds)):
            won = begun + timedelta(days=5 + self._dice.expovariate(1 / 18))
            amount = self._dice.randrange(20, 200) * 100
            return (self.email, _text(begun), "", "", _text(won), amount)
        if self._odds > -1 and self._dice.random() < 0.75:  # noqa: PLR2004  # made up
            return (self.email, "", _text(begun), self._dice.choice(REFUSALS), "", "")
        if self._odds > -1:
            return (self.email, _text(begun), "", "", "", "")
        return None


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"


def main() -> None:
    """Writes the files."""
    dice = random.Random(15)  # noqa: S311  # the same people each time
    people = [Person(number, dice) for number in range(PEOPLE)]
    acts = sorted((act for each in people for act in each.acts), key=lambda act: str(act[-1]))
    files: Mapping[str, tuple[Line, Sequence[Line]]] = {
        "leads.csv": (
            ("Lead ID", "Email", "Employees", "Title", "Source", "Created"),
            sorted((each.lead for each in people), key=lambda line: str(line[-1])),
        ),
        "events.csv": (("Email", "Event", "What", "At"), acts),
        "sales.csv": (
            ("Email", "Accepted", "Rejected", "Reason", "Won", "Amount"),
            [said for each in people if (said := each.said())],
        ),
    }
    for name, (header, lines) in files.items():
        with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *lines])
        print((FOLDER / name).relative_to(FOLDER.parent.parent))


if __name__ == "__main__":
    main()
