"""Lists leads as people see them, and finds the one that a typed text means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from warmlead.application.explain import LeadView, OfferView, ProbabilityView, Shape, shaped, view
from warmlead.domain.errors import NamedOtherwiseError
from warmlead.domain.identity import LeadIds, named_by
from warmlead.domain.identity_resolution import is_meant
from warmlead.domain.lead import Lead
from warmlead.domain.rules import Rules
from warmlead.domain.search import sought_word
from warmlead.domain.text import one_line
from warmlead.ports import LeadStore, Unreadable
from warmlead.ports.listing import LeadQuery, ListPlace


class LeadRow(Shape):
    """One lead in a list."""

    id: str
    email: str | None
    user_id: str | None
    name: str | None
    stage: str
    score: int
    engagement: int
    fit: int
    grade: str
    days_inactive: int | None
    known_since: dict[str, date]
    last_step: str | None
    probability: ProbabilityView | None = None


class LeadInList(LeadRow):
    """One lead in a list that people work with: why it has its score, and what sales owes."""

    company: str | None
    stage_since: datetime
    reasons: list[str]
    source: str | None
    offer: OfferView | None


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list: rows in their order, leads that cannot be read, and where it goes on.

    ``is_cut``: there are more leads, but it does not go on.
    """

    rows: Sequence[LeadInList]
    unreadable: Sequence[Unreadable]
    next: ListPlace | None
    is_cut: bool = False


async def page_of(
    store: LeadStore,
    rules: Rules,
    now: datetime,
    asked: LeadQuery,
    *,
    most: int,
    after: ListPlace | None,
) -> ListPage:
    """A page of at most ``most`` leads, their scores computed as of now; no others are read."""
    found = await store.listed(asked, most=most + 1, after=after)
    shown = found[:most]
    rows, unreadable = _rows([each.lead for each in shown], rules, now)
    return ListPage(rows, unreadable, next=shown[-1].place if len(found) > most else None)


async def search(
    store: LeadStore, rules: Rules, now: datetime, text: str, *, most: int
) -> ListPage:
    """At most ``most`` leads that a text finds by the beginning of a word, best score first.

    Of a name, a company or an address; ``words_of`` says of which. No other leads are read.
    """
    found = await store.found(sought_word(text), most=most + 1)
    rows, unreadable = _rows(found[:most], rules, now)
    rows.sort(key=lambda row: (-row.score, row.id))
    return ListPage(rows, unreadable, next=None, is_cut=len(found) > most)


def _rows(
    leads: Sequence[Lead | Unreadable], rules: Rules, now: datetime
) -> tuple[list[LeadInList], list[Unreadable]]:
    """The rows of leads, and those that cannot be read."""
    return (
        [in_list(view(lead, rules, now)) for lead in leads if isinstance(lead, Lead)],
        [lead for lead in leads if isinstance(lead, Unreadable)],
    )


def row_of(seen: LeadView) -> LeadRow:
    """The row of a lead."""
    return shaped(LeadRow, seen, name=name_of(seen), last_step=_last_step(seen))


def in_list(seen: LeadView) -> LeadInList:
    """The row of a lead with its reasons and its offer."""
    company = seen.traits.get("company")
    return shaped(
        LeadInList,
        seen,
        name=name_of(seen),
        last_step=_last_step(seen),
        company=one_line(str(company)) if company else None,
        source=seen.first_touch.get("source"),
    )


def _last_step(seen: LeadView) -> str | None:
    return seen.journey[0].title if seen.journey else None


def name_of(seen: LeadView) -> str | None:
    """The person's name, as far as it is known."""
    parts = [seen.traits.get("first_name"), seen.traits.get("last_name")]
    full = " ".join(str(part) for part in parts if part)
    return one_line(str(seen.traits.get("name") or full)) or None


MOST_OF_NAME = 60
"""How many characters people see of a name; 8 KB of one would hide its neighbours."""


def known_as(row: LeadRow) -> str:
    """The beginning of the name, and the address or else the user id; empty if none is known."""
    email = f"<{row.email}>" if row.email else None
    return " ".join(part for part in (shortened(row.name or ""), email or row.user_id) if part)


def shortened(text: str, most: int = MOST_OF_NAME) -> str:
    """The beginning of a text that a sender wrote, with … for the rest: JSON has all of it."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


async def find_lead(store: LeadStore, ids: LeadIds, who: str) -> Lead | None:
    """The lead that a text means: an email, a lead's id, a user id or an anonymous id.

    Raises ``NamedOtherwiseError`` if an address is only the id of another kind of some lead.
    """
    left_alone: dict[str, None] = {}
    spelt = [(i, id_) for i in named_by(who) for id_ in (ids.of(i), *ids.former_of(i))]
    for identifier, id_ in spelt:
        if lead := await store.get(id_):
            if is_meant(identifier, id_, lead):
                return lead
            left_alone[lead.id] = None
    if lead := await store.get(who.strip().lower()):
        return lead
    if left_alone:
        raise NamedOtherwiseError(tuple(left_alone))
    return None
