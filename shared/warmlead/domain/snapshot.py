"""What lists and queries know of the score of a lead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The score as of the last update: for lists and queries, never for decisions.

    ``active_day`` is the UTC day number on which the lead last did something, 0 if it never did;
    ``None``: an earlier release took it.
    """

    score: int
    engagement: int
    fit: int
    day: int
    model_version: str
    grade: str = ""
    active_day: int | None = None
