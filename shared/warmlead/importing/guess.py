"""A mapping guessed from the names of columns, in many languages, and from the first rows.

It is shown before anything is done. What cannot be guessed is left for a person to write.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from warmlead.domain.errors import RejectedError
from warmlead.domain.event import snake_case
from warmlead.domain.identity import normalise_email
from warmlead.importing.mapping import ImportMapping
from warmlead.importing.reading import Table
from warmlead.parsing.times import parse_time
from warmlead.senders.person import standard_name

ROWS_LOOKED_AT = 200

_STAGE_WORDS: Mapping[str, str] = {
    "won": "won",
    "customer": "won",
    "closed_won": "won",
    "lost": "lost",
    "closed_lost": "lost",
    "opportunity": "opportunity",
    "sql": "accepted",
    "sales_qualified": "accepted",
    "accepted": "accepted",
}
_MQL = re.compile(r"(?:.*_)?(?:mql|marketing_qualified(?:_lead)?)(?:_.*)?")
_SHORTEST_TIME = 8
_STATUS = re.compile(r"(?:.*_)?(?:stage|status|phase|estado|etapa)")
_ENDED = re.compile(r"(?:.*_)?(?:close|closed|end|ended|won|decided)(?:_.*)?")
_ENDINGS: Mapping[str, str] = {
    "won": "won",
    "closed won": "won",
    "gewonnen": "won",
    "lost": "lost",
    "closed lost": "lost",
    "verloren": "lost",
}
_ID = re.compile(r"(?:.*_)?(?:id|uuid|guid|key)|id")
_ID_OF_ROW = re.compile(r"id|uuid|guid|key|(?:record|row|object|hs_object)_id")
_ID_OF_PERSON = re.compile(
    r"(?:.*_)?(?:contact|lead|person|user|mql|kontakt|contacto|persona|contato)_?(?:ids?|uuid|guid)"
)
_AMOUNT = re.compile(r"(?:.*_)?(?:amount|value|revenue|price|mrr|arr|betrag|importe|valor)(?:_.*)?")
_COST = re.compile(r"(?:.*_)?(?:cost|costs|spend|spent|ad_spend|kosten|gasto)(?:_.*)?")
_SOURCES = ("source", "origin", "utm_source", "lead_source", "channel")
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table by their names in snake case, and values of the first rows."""

    by_name: Mapping[str, str]
    samples: Mapping[str, Sequence[object]]

    def first(self, pattern: re.Pattern[str], *, among: Sequence[str]) -> str | None:
        """The first column whose name fits."""
        return next((each for each in among if pattern.fullmatch(self.by_name[each])), None)


def guessed(tables: Sequence[Table], stages: Sequence[str]) -> dict[str, object]:
    """A mapping of the tables, as the content of a mapping file.

    ``stages`` are those of the model. What could not be guessed is missing: then the mapping is not
    valid yet.
    """
    samples = [_columns_of(table) for table in tables]
    shared = _shared_id(samples)
    named = _ids_elsewhere(samples)
    files = {
        table.path.name.removesuffix(".errors.csv"): _part(columns, shared, named, stages)
        for table, columns in zip(tables, samples, strict=True)
    }
    return {"files": files}


def in_yaml(content: Mapping[str, object]) -> str:
    """The text of a mapping file."""
    import yaml  # noqa: PLC0415  # reading rows needs none

    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=100)


def is_usable(content: Mapping[str, object]) -> bool:
    """Whether a guess is a mapping that can be used as it is."""
    try:
        ImportMapping.model_validate(content)
    except ValueError:
        return False
    return True


def _columns_of(table: Table) -> _Columns:
    rows = list(islice((row.values for row in table.rows()), ROWS_LOOKED_AT))
    samples = {
        column: [row[column] for row in rows if row.get(column) not in (None, "")]
        for column in table.columns
    }
    return _Columns({column: snake_case(column) for column in table.columns}, samples)


def _shared_id(tables: Sequence[_Columns]) -> str | None:
    """The first column of ids that several files have: it is the person's.

    Columns such as ``Record ID`` have one name in every export, and are ids of each file's own
    rows where another column names the person.
    """
    names = [
        name
        for each in tables
        for column, name in each.by_name.items()
        if _ID.fullmatch(name) and not _is_of_row(each, column)
    ]
    return max(sorted(names), key=names.count) if len(set(names)) < len(names) else None


def _is_of_row(columns: _Columns, column: str) -> bool:
    """Whether an id is that of the row alone, because another column names the person."""
    others = (name for each, name in columns.by_name.items() if each != column)
    is_plain = _ID_OF_ROW.fullmatch(columns.by_name[column]) is not None
    return is_plain and any(map(_ID_OF_PERSON.fullmatch, others))


def _ids_elsewhere(tables: Sequence[_Columns]) -> frozenset[str]:
    """The ids by which files without an email name persons, as far as the first rows show them."""
    return frozenset(
        value
        for each in tables
        if not any(_holds_emails(each, column) for column in each.by_name)
        for column, name in each.by_name.items()
        if _ID_OF_PERSON.fullmatch(name)
        for value in map(_first_of, each.samples[column])
    )


def _first_of(value: object) -> str:
    return str(value).partition(";")[0].strip()


def _part(
    columns: _Columns, shared: str | None, named: frozenset[str], stages: Sequence[str]
) -> dict[str, object]:
    names = list(columns.by_name)
    times = [each for each in names if _holds_times(columns, each)]
    email = next((each for each in names if _holds_emails(columns, each)), None)
    cost = columns.first(_COST, among=names)
    if cost and times and not email:
        return {"spend": _spend(columns, cost, times[0])}
    part: dict[str, object] = {}
    ids = [each for each in names if _ID.fullmatch(columns.by_name[each]) and each not in times]
    shares = (each for each in ids if columns.by_name[each] == shared)
    own = next((each for each in shares if not _is_of_row(columns, each)), None)
    if email:
        part["email"] = email
        own = own or next((each for each in ids if _names_any(columns, each, named)), None)
    else:
        own = own or columns.first(_ID_OF_PERSON, among=names) or next(iter(ids), None)
    if own:
        part["user_id"] = own
    traits = {
        each: trait
        for each in names
        if each not in (email, *times) and (trait := standard_name(each)) and trait != "email"
    }
    if traits:
        part["traits"] = traits
    origin = next((each for each in names if columns.by_name[each] in _SOURCES), None)
    if origin:
        part["origin"] = {"source": origin}
    if facts := _facts(columns, times, stages):
        part["facts"] = facts
    return part


def _names_any(columns: _Columns, column: str, ids: frozenset[str]) -> bool:
    return any(_first_of(value) in ids for value in columns.samples[column])


def _spend(columns: _Columns, cost: str, day: str) -> dict[str, object]:
    spend: dict[str, object] = {"day": day, "amount": cost}
    for name in ("currency", "channel", "source", "medium", "campaign"):
        fits = (each for each, spelt in columns.by_name.items() if name in spelt.split("_"))
        if (found := next(fits, None)) and found not in spend.values():
            spend[name] = found
    return spend


def _facts(
    columns: _Columns, times: Sequence[str], stages: Sequence[str]
) -> list[dict[str, object]]:
    """What the times are of, by their names; the first one is that of the first contact."""
    others = [each for each in columns.by_name if each not in times]
    value = columns.first(_AMOUNT, among=others)
    endings = _endings(columns, others, times, value)
    facts: list[dict[str, object]] = []
    for column in times:
        name = columns.by_name[column]
        word = next((w for w in _STAGE_WORDS if f"_{w}_" in f"_{name}_"), None)
        if _MQL.fullmatch(name) and stages:
            facts.append({"stage": "mql" if "mql" in stages else stages[-1], "at": column})
        elif any(column == ending["at"] for ending in endings):
            continue
        elif word:
            fact: dict[str, object] = {"said": _STAGE_WORDS[word], "at": column}
            facts.append({**fact, "value": value} if value and word != "lost" else fact)
        elif not facts:
            first = {"said": "opportunity"} if endings else {"event": "contact_requested"}
            facts.append({**first, "at": column})
    return [*facts, *endings]


def _endings(
    columns: _Columns, others: Sequence[str], times: Sequence[str], value: str | None
) -> list[dict[str, object]]:
    """Deals that ended: a column says how, another when."""
    status = columns.first(_STATUS, among=others)
    at = columns.first(_ENDED, among=times)
    if status is None or at is None:
        return []
    found: dict[str, dict[str, object]] = {}
    for text in dict.fromkeys(map(str, columns.samples[status])):
        if said := _ENDINGS.get(text.strip().casefold()):
            fact: dict[str, object] = {"said": said, "at": at, "when": {status: text}}
            found[said] = {**fact, "value": value} if value and said == "won" else fact
    return list(found.values())


def _holds_times(columns: _Columns, column: str) -> bool:
    values = columns.samples[column]
    return bool(values) and sum(map(_is_time, values)) > _HALF * len(values)


def _is_time(value: object) -> bool:
    text = value.strip() if isinstance(value, str) else str(value)
    if len(text) < _SHORTEST_TIME or text.isdecimal():
        return False
    try:
        return parse_time(text, "") is not None
    except RejectedError:
        return False


def _holds_emails(columns: _Columns, column: str) -> bool:
    values = columns.samples[column]
    addresses = sum(isinstance(v, str) and normalise_email(v) is not None for v in values)
    is_named = standard_name(column) == "email"
    return bool(values) and addresses > _HALF * len(values) and (is_named or "@" in str(values[0]))
