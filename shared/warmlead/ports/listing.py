"""Lists of leads: what can be asked of a store without reading leads that are not shown."""

from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from warmlead.domain.lead import Lead
from warmlead.ports import Unreadable

Order: TypeAlias = Literal["score", "since", "active"]
"""``score``: the highest first; ``since``: by the day on which the stage began, the last first.

``active``: by the day of the last activity, the last first, and within a day by score.
"""


class LeadQuery(Struct, frozen=True):
    """The leads that a list holds: those for which every condition holds; empty ones are none.

    All is as of the last evaluation of each lead, as ``ListedAs`` says.
    """

    stage: str = ""
    grade: str = ""
    source: str = ""
    owner: str = ""
    overdue: bool = False
    order: Order = "score"

    @property
    def conditions(self) -> dict[str, str | bool]:
        """The conditions by the names of the fields."""
        found = {name: getattr(self, name) for name in ("stage", "grade", "source", "owner")}
        return {name: text for name, text in found.items() if text} | (
            {"overdue": True} if self.overdue else {}
        )


class ListPlace(NamedTuple):
    """A place in a list: the value by which it is ordered, then the lead's id; ordered by both."""

    value: int
    id: str


class Listed(Struct, frozen=True):
    """A lead in a list, and its place there."""

    place: ListPlace
    lead: Lead | Unreadable
