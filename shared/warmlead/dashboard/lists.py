"""The pages of leads: a list with filters, the same as CSV, and the search for one lead."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

from warmlead.application.listing import LeadInList, ListPage, find_lead, page_of, search
from warmlead.dashboard.csv_file import as_csv
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.queries import ListQuery, cursor
from warmlead.dashboard.rendering import HEADERS, page, redirect
from warmlead.domain.errors import NamedOtherwiseError
from warmlead.domain.search import sought_word
from warmlead.domain.stages import as_shown
from warmlead.ports import Unreadable
from warmlead.web.answers import Answer

PAGE_ROWS = 50
MOST_IN_FILE = 5_000
"""How many leads a CSV file holds: its making must end within a request."""

MOST_REASONS = 3

NOTHING_FOUND = (
    "No lead has this email, user id or lead id, and no word of a name, a company or an address "
    "begins like this."
)
TOO_SHORT = (
    "No lead has this email, user id or lead id. To search by words, type at least two letters or "
    "digits."
)

COLUMNS = (
    *("id", "email", "user_id", "name", "company", "stage", "stage_since", "score"),
    *("engagement", "fit", "grade", "days_inactive", "last_step", "source"),
)
OF_OFFER = ("owner", "touch_by", "accept_by", "answer")


async def leads_page(parts: Parts, query: Mapping[str, str], now: datetime) -> Answer:
    """A page of the list, or what a search finds: the one lead that it names, or a list."""
    asked = ListQuery.of(query)
    sought, note, found = query.get("q", ""), "", None
    if sought:
        try:
            if lead := await find_lead(parts.leads, parts.ids, sought):
                return redirect(f"/leads/{lead.id}")
            note = NOTHING_FOUND if sought_word(sought) else TOO_SHORT
        except NamedOtherwiseError as error:
            note = (
                "No lead has this email. As an id of another kind, which anybody can send, it "
                f"belongs to {', '.join(error.lead_ids)}: search for that id."
            )
        found = await search(parts.leads, parts.rules, now, sought, most=PAGE_ROWS)
    is_found = bool(found and (found.rows or found.unreadable))
    if found is None or not is_found:
        found = await page_of(
            parts.leads, parts.rules, now, asked.asked, most=PAGE_ROWS, after=asked.after
        )
    return page(
        "leads.html",
        here="leads",
        list=asked,
        found=found,
        next=asked.query(after=cursor(found.next)) if found.next else "",
        rules=parts.rules,
        stages=as_shown(parts.rules.stage_order),
        sought=sought,
        is_found=is_found,
        note="" if is_found and note == NOTHING_FOUND else note,
        now=now,
        most_reasons=MOST_REASONS,
        most_in_file=MOST_IN_FILE,
    )


async def leads_file(parts: Parts, query: Mapping[str, str], now: datetime) -> Answer:
    """The list as CSV, from its beginning; the first ``MOST_IN_FILE`` leads of it."""
    asked = ListQuery.of(query)
    rows: list[Sequence[object]] = []
    async for found in _pages(parts, asked, now):
        rows += [_cells(row) for row in found.rows]
        rows += [(each.id, *_unreadable(each)) for each in found.unreadable]
        if len(rows) >= MOST_IN_FILE:
            break
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="leads-{now:%Y-%m-%d}.csv"'}
    body = as_csv((*COLUMNS, *OF_OFFER, "reasons"), rows[:MOST_IN_FILE])
    return Answer(200, body, "text/csv; charset=utf-8", headers)


async def _pages(parts: Parts, asked: ListQuery, now: datetime) -> AsyncIterator[ListPage]:
    after = None
    while True:
        found = await page_of(
            parts.leads, parts.rules, now, asked.asked, most=PAGE_ROWS, after=after
        )
        yield found
        after = found.next
        if after is None:
            return


def _cells(row: LeadInList) -> Sequence[object]:
    own = [_cell(getattr(row, name)) for name in COLUMNS]
    offer = [_cell(getattr(row.offer, name)) if row.offer else "" for name in OF_OFFER]
    return *own, *offer, " · ".join(row.reasons)


def _cell(value: object) -> object:
    """A time in UTC as spreadsheets read it."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def _unreadable(lead: Unreadable) -> Sequence[object]:
    return *([""] * (len(COLUMNS) + len(OF_OFFER) - 1)), f"cannot be read: {lead.problem}"
