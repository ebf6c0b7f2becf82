"""Statements of sales about a lead, and what follows from all of them.

A lead keeps every statement, so order of arrival and repeats make no difference: the last
statement, by its own time, decides. CRMs are in ``senders``.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.history import to_ms


class SalesStatus(StrEnum):
    """What sales can state about a lead; the events of it are named ``sales_…``."""

    TOUCHED = "touched"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    OPPORTUNITY = "opportunity"
    WON = "won"
    LOST = "lost"
    QUALIFIED = "qualified"
    """The lead was in a stage of the model, by the records that are imported; not a word of sales.
    """


class Refusal(StrEnum):
    """Why sales refused a lead."""

    NOT_READY = "not_ready"
    BAD_FIT = "bad_fit"
    BAD_DATA = "bad_data"
    DUPLICATE = "duplicate"
    UNREACHABLE = "unreachable"


SAID_BY_SALES = tuple(said for said in SalesStatus if said is not SalesStatus.QUALIFIED)
"""What sales itself states; the rest comes with imports alone."""

EVENT_PREFIX = "sales_"
"""Events of sales begin with this. They are not activity of the lead."""

IDENTIFIED = "sales_identified"
"""The event that only ties a record of the CRM to its person."""

NOTE = "note"
"""The property with the free words of sales. They are kept with the statement, and nowhere else."""

BANT = ("budget", "authority", "need", "timing")
"""What sales may tell of a lead with a statement; each is a trait of the lead too."""

BY = "by"
"""The property that says who of sales stated it. It is kept as the note is."""

DETAILS = (*BANT, BY, NOTE)

MAX_DETAIL_LENGTH = {**dict.fromkeys(BANT, 200), BY: 254, NOTE: 1_000}
"""The longest text of each, in characters."""

MAX_DETAILED = 20
"""Limit of statements of an identifier whose details are kept; those of the latest ones stay."""

MAX_STATEMENTS = 200
"""Limit of statements that are kept of an identifier; the latest ones stay."""

_RECYCLED = "recycled"  # by name, as the others: accepting statements of sales needs no stages
_STAGES: Mapping[SalesStatus, str] = MappingProxyType(
    {
        SalesStatus.ACCEPTED: "sql",
        SalesStatus.OPPORTUNITY: "opportunity",
        SalesStatus.WON: "customer",
        SalesStatus.LOST: _RECYCLED,
    }
)
_STAGES_AFTER_REFUSAL: Mapping[str, str] = MappingProxyType(
    {
        Refusal.NOT_READY: _RECYCLED,
        Refusal.UNREACHABLE: _RECYCLED,
        Refusal.BAD_FIT: "disqualified",
        Refusal.BAD_DATA: "disqualified",
        Refusal.DUPLICATE: "disqualified",
    }
)
_RANK = {said: rank for rank, said in enumerate(SAID_BY_SALES)} | {SalesStatus.QUALIFIED: -1}
_ON_THE_WAY = frozenset(("sql", "opportunity", "customer"))


class Statement(NamedTuple):
    """One statement of sales, true from ``at_ms`` on; ordered by time.

    ``reason`` is a ``Refusal`` of a rejection, free text of a loss, and the stage of one who was
    qualified. ``value_cents`` is the
    value of the deal in the smallest unit of its ``currency`` (ISO 4217): cents, yen, fils.
    ``details`` are those of ``DETAILS`` that were told, each a name and a text.
    """

    at_ms: int
    rank: int
    key: str
    said: SalesStatus
    source: str
    reason: str = ""
    value_cents: int | None = None
    currency: str = ""
    details: tuple[tuple[str, str], ...] = ()

    @property
    def at(self) -> datetime:
        """From when on it is true."""
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)

    @property
    def stage(self) -> str:
        """The stage into which it moves the lead; empty if it moves nobody."""
        if self.said is SalesStatus.QUALIFIED:
            return self.reason
        if self.said is SalesStatus.REJECTED:
            return _STAGES_AFTER_REFUSAL.get(self.reason, _RECYCLED)
        return _STAGES.get(self.said, "")

    @property
    def is_by_sales(self) -> bool:
        """Whether sales states it, rather than the records of what a lead was."""
        return self.said is not SalesStatus.QUALIFIED

    @property
    def words(self) -> str:
        """The statement for people."""
        if not self.is_by_sales:
            return f"was {self.reason} by its own records"
        text = f"sales: {self.said}"
        return f"{text} ({self.reason.replace('_', ' ')})" if self.reason else text


def state(
    said: SalesStatus,
    *,
    at_ms: int,
    key: str,
    source: str,
    reason: str = "",
    value_cents: int | None = None,
    currency: str = "",
    details: tuple[tuple[str, str], ...] = (),
) -> Statement:
    """A statement; of two at the same time the one that is further on counts as the later."""
    rank = _RANK[said]
    return Statement(at_ms, rank, key, said, source, reason, value_cents, currency, details)


def with_statement(statements: Mapping[str, Statement], event: Event) -> Mapping[str, Statement]:
    """The statements after an event; only a signed one whose name says so is a statement."""
    said = event.name.removeprefix(EVENT_PREFIX)
    known = event.name.startswith(EVENT_PREFIX) and said in set(SalesStatus)
    if not known or event.trust is not Trust.SIGNED:
        return statements
    value = event.properties.get("value_cents")
    stated = state(
        SalesStatus(said),
        at_ms=to_ms(event.occurred_at),
        key=event.key,
        source=event.source,
        reason=str(event.properties.get("reason") or ""),
        value_cents=value if isinstance(value, int) else None,
        currency=str(event.properties.get("currency") or ""),
        details=_details_in(event),
    )
    # A repeat may have a later time, if its sender names none: the first one counts.
    after = {**statements, event.key: min(stated, statements.get(event.key, stated), key=_order)}
    return kept_statements(after)


def _details_in(event: Event) -> tuple[tuple[str, str], ...]:
    """What the event tells besides its status, cut to its limits."""
    told = ((name, event.properties.get(name)) for name in DETAILS)
    return tuple(
        (name, _as_text(value)[: MAX_DETAIL_LENGTH[name]])
        for name, value in told
        if value is not None and value != ""
    )


def _as_text(value: Property) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def kept_statements(statements: Mapping[str, Statement]) -> Mapping[str, Statement]:
    """The latest statements, and the details of the latest of these."""
    if len(statements) <= MAX_DETAILED:
        return statements
    latest = sorted(statements.values(), key=_order)[-MAX_STATEMENTS:]
    bare = [each._replace(details=()) for each in latest[:-MAX_DETAILED]]
    return {each.key: each for each in (*bare, *latest[-MAX_DETAILED:])}


def in_order(parts: Iterable[Mapping[str, Statement]]) -> list[Statement]:
    """All statements, the earliest first; of a repeated one the earlier copy counts."""
    merged: dict[str, Statement] = {}
    for part in parts:
        for key, stated in part.items():
            merged[key] = min(stated, merged.get(key, stated), key=_order)
    return sorted(merged.values(), key=_order)


def _order(statement: Statement) -> tuple[int, int, str, str]:
    """The key to sort statements by; the whole tuple is none, since a value may be missing."""
    return (statement.at_ms, statement.rank, statement.key, repr(statement))


def verdict(statements: Collection[Statement]) -> Statement | None:
    """The last statement that puts the lead into a stage; ``None`` if there is none.

    Who is a customer by the last word of sales is not brought back by being qualified later.
    """
    last = max((each for each in statements if each.stage), default=None)
    if last is None or last.is_by_sales:
        return last
    of_sales = max((each for each in statements if each.stage and each.is_by_sales), default=None)
    return of_sales if of_sales and of_sales.stage in _ON_THE_WAY else last


def first_contact(statements: Collection[Statement], since: datetime) -> datetime | None:
    """When sales first did anything about the lead after a moment; any statement counts."""
    since_ms = int(since.timestamp() * 1000)
    later = [each.at_ms for each in statements if each.at_ms >= since_ms and each.is_by_sales]
    return datetime.fromtimestamp(min(later) / 1000, UTC) if later else None


def answered(statements: Collection[Statement], since: datetime) -> Statement | None:
    """The first answer to an offer that was made at a moment."""
    since_ms = int(since.timestamp() * 1000)
    answers = (each for each in statements if each.stage and each.is_by_sales)
    return min((each for each in answers if each.at_ms >= since_ms), default=None)
