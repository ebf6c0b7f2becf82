"""A mapping guessed from the names of columns, in many languages, and from the first rows.

It is shown before anything is done. What cannot be guessed is left for a person to write.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from warmlead.domain.attribution import named_channel
from warmlead.domain.consent_fields import asks_about_mail
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import snake_case
from warmlead.domain.identity import normalise_email
from warmlead.importing import headings
from warmlead.importing.facts import BY_NUMBERS
from warmlead.importing.mapping import ImportMapping
from warmlead.importing.reading import ERRORS_SUFFIX, Table
from warmlead.model.vocabulary import STANDARD_EVENTS
from warmlead.parsing.times import parse_time
from warmlead.senders.person import standard_name

ROWS_LOOKED_AT = 200

_HALF = 0.5
_SHORTEST_TIME = 8
_MONTHS = 12
_PROPERTIES = frozenset(" ".join(STANDARD_EVENTS.values()).split())
_ANY = re.compile(".*")
_OF_KIND = {
    "dates": _ANY,
    "numbers": re.compile(f"{headings.AMOUNT.pattern}|{headings.COST.pattern}"),
}
_DECIMALS = re.compile(r"[0-9]([.,])[0-9]{1,2}(?![0-9.,])")
_CURRENCY_CODE = re.compile(r"[A-Za-z]{3}")
_OF_A_MOMENT = re.compile(r"_(?:at|on|date|time|am|datum|le|el)\Z")


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table by their names in snake case, and values of the first rows.

    ``samples`` are the values that are there, of ``rows`` rows.
    """

    by_name: Mapping[str, str]
    samples: Mapping[str, Sequence[object]]
    rows: int

    def first(self, pattern: re.Pattern[str], *, among: Sequence[str]) -> str | None:
        """The first column whose name fits."""
        return next((each for each in among if self.is_named(each, pattern)), None)

    def is_named(self, column: str, pattern: re.Pattern[str]) -> bool:
        """Whether the name of a column fits."""
        return pattern.fullmatch(self.by_name[column]) is not None


def guessed(tables: Sequence[Table], stages: Sequence[str]) -> dict[str, object]:
    """A mapping of the tables, as the content of a mapping file.

    ``stages`` are those of the model. What could not be guessed is missing: then the mapping is not
    valid yet.
    """
    samples = [_columns_of(table) for table in tables]
    shared = _shared_id(samples)
    named = _ids_elsewhere(samples)
    files = {
        table.path.name.removesuffix(ERRORS_SUFFIX): _part(columns, shared, named, stages)
        for table, columns in zip(tables, samples, strict=True)
    }
    return {**_written(samples), "files": files}


def _written(tables: Sequence[_Columns]) -> dict[str, str]:
    """How days and amounts are written, as far as it is not the usual way and the rows show it."""
    texts = {kind: list(_texts(tables, pattern)) for kind, pattern in _OF_KIND.items()}
    days = [day for each in texts["dates"] if (day := BY_NUMBERS.fullmatch(each))]
    slashed = [day for day in days if day[2] != "."]
    found: dict[str, str] = {}
    if any(int(each[1]) > _MONTHS for each in slashed):
        found["dates"] = "day-first"
    elif any(int(each[3]) > _MONTHS for each in slashed):
        found["dates"] = "month-first"
    signs = {sign[1] for each in texts["numbers"] if (sign := _DECIMALS.search(each))}
    if signs == {","}:
        found["numbers"] = "1.234,56"
    return found


def _texts(tables: Sequence[_Columns], pattern: re.Pattern[str]) -> Iterator[str]:
    for each in tables:
        for column in each.by_name:
            if each.is_named(column, pattern):
                yield from (str(value).strip() for value in each.samples[column])


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
    return _Columns({column: snake_case(column) for column in table.columns}, samples, len(rows))


def _shared_id(tables: Sequence[_Columns]) -> str | None:
    """The first column of ids that several files have: it is the person's.

    Columns such as ``Record ID`` have one name in every export, and are ids of each file's own
    rows where another column names the person.
    """
    names = [
        name
        for each in tables
        for column, name in each.by_name.items()
        if headings.ID.fullmatch(name) and not _is_of_row(each, column)
    ]
    return max(sorted(names), key=names.count) if len(set(names)) < len(names) else None


def _is_of_row(columns: _Columns, column: str) -> bool:
    """Whether an id is that of the row alone, because another column names the person."""
    others = (name for each, name in columns.by_name.items() if each != column)
    is_plain = headings.ID_OF_ROW.fullmatch(columns.by_name[column]) is not None
    return is_plain and any(map(headings.ID_OF_PERSON.fullmatch, others))


def _ids_elsewhere(tables: Sequence[_Columns]) -> frozenset[str]:
    """The ids by which files without an email name persons, as far as the first rows show them."""
    return frozenset(
        value
        for each in tables
        if not any(_holds_emails(each, column) for column in each.by_name)
        for column, name in each.by_name.items()
        if headings.ID_OF_PERSON.fullmatch(name)
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
    others = [each for each in names if each not in (email, *times)]
    cost = columns.first(headings.COST, among=others)
    if cost and times and not email:
        return {"spend": _spend(columns, cost, times[0])}
    part: dict[str, object] = _person(columns, email, others, shared, named)
    if "anonymous_id" in part and not email:
        part["trust"] = "public"  # a tracker's rows are written by visitors
    if traits := dict(_traits(columns, others)):
        part["traits"] = traits
    if origin := _origin(columns):
        part["origin"] = origin
    if facts := _facts(columns, times, stages):
        part["facts"] = facts
    return part


def _person(
    columns: _Columns,
    email: str | None,
    others: Sequence[str],
    shared: str | None,
    named: frozenset[str],
) -> dict[str, object]:
    """The columns that name the person."""
    found: dict[str, object] = {}
    visitor = columns.first(headings.ID_OF_VISITOR, among=others)
    ids = [e for e in others if headings.ID.fullmatch(columns.by_name[e]) and e != visitor]
    shares = (each for each in ids if columns.by_name[each] == shared)
    own = next((each for each in shares if not _is_of_row(columns, each)), None)
    if email:
        found["email"] = email
        own = own or next((each for each in ids if _names_any(columns, each, named)), None)
        plain = columns.first(headings.ID_OF_ROW, among=ids)
        if own is None and len(columns.samples[email]) < columns.rows:
            own = columns.first(headings.ID_OF_PERSON, among=ids) or plain
        if own and plain and own != plain and _are_unlike_numbers(columns, own, plain):
            found["merged_user_id"] = own  # of the contact that a lead has become
            own = plain
    else:
        own = own or columns.first(headings.ID_OF_PERSON, among=others)
        own = own or (None if visitor else next(iter(ids), None))
    if own:
        found["user_id"] = own
    if visitor:
        found["anonymous_id"] = visitor
    return found


def _are_unlike_numbers(columns: _Columns, *ids: str) -> bool:
    """Whether ids have letters, as those of which no two records have the same.

    Numbers may be of another record in each column, and would make one person of two.
    """
    values = (str(value) for column in ids for value in columns.samples[column])
    return not any(value.strip().isdecimal() for value in values)


def _traits(columns: _Columns, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is known of the person; what it says of mail under its own name."""
    is_deal = _is_of_deals(columns, others)
    for column in others:
        name, trait = columns.by_name[column], standard_name(column)
        if is_deal and trait in ("name", "title"):
            continue  # those of the deal
        if trait and trait != "email":
            yield column, trait
        elif asks_about_mail(name) and (
            not columns.is_named(column, headings.STATUS)
            or columns.is_named(column, headings.OF_MAIL)
        ):
            yield column, name


def _origin(columns: _Columns) -> dict[str, object]:
    found: dict[str, object] = {}
    for column, name in columns.by_name.items():
        if field := headings.WHERE_FROM.get(name):
            is_named = field == "source" and _holds_channels(columns, column)
            found.setdefault("channel" if is_named else field, column)
    return found


def _holds_channels(columns: _Columns, column: str) -> bool:
    """Whether most values are names of channels, as in a CRM, and not of sites."""
    values = columns.samples[column]
    return sum(named_channel(str(each)) is not None for each in values) > _HALF * len(values)


def _names_any(columns: _Columns, column: str, ids: frozenset[str]) -> bool:
    return any(_first_of(value) in ids for value in columns.samples[column])


def _spend(columns: _Columns, cost: str, day: str) -> dict[str, object]:
    spend: dict[str, object] = {"day": day, "amount": cost}
    if currency := _currency(columns):
        spend["currency"] = currency
    for name in ("channel", "source", "medium", "campaign"):
        fits = (
            each
            for each, spelt in columns.by_name.items()
            if headings.WHERE_FROM.get(spelt) == name or name in spelt.split("_")
        )
        if (found := next(fits, None)) and found not in spend.values():
            spend[name] = found
    return spend


def _facts(
    columns: _Columns, times: Sequence[str], stages: Sequence[str]
) -> list[dict[str, object]]:
    """What the times are of, by their names; one is that of the first contact."""
    others = [each for each in columns.by_name if each not in times]
    deal = _deal(columns, others)
    said = {column: fact for column in times if (fact := _said(columns, column, deal, stages))}
    endings = [] if _is_said(said, "won", "lost") else _endings(columns, others, times, deal)
    ended = {ending["at"] for ending in endings}
    facts = [fact for column, fact in said.items() if column not in ended]
    left = [each for each in times if each not in said and each not in ended]
    begun = [each for each in left if not columns.is_named(each, headings.NOT_YET)]
    created = [each for each in begun if columns.is_named(each, headings.CREATED)]
    first = max(created or begun, key=lambda each: len(columns.samples[each]), default=None)
    if first is None and not facts and not endings:
        first = next(iter(left), None)
    if first:
        facts.insert(
            0, {**_beginning(columns, others, first, has_endings=bool(endings)), "at": first}
        )
    return [*facts, *endings]


def _is_said(said: Mapping[str, Mapping[str, object]], *words: str) -> bool:
    """Whether one of the facts is one of the words of sales."""
    return any(fact.get("said") in words for fact in said.values())


def _beginning(
    columns: _Columns, others: Sequence[str], at: str, *, has_endings: bool
) -> dict[str, object]:
    """What happened first: an event that a column names, a deal, a subscription, a request."""
    has_addresses = any(_holds_emails(columns, each) for each in others)
    is_deal = _is_of_deals(columns, others) or (has_endings and not has_addresses)
    event = columns.first(headings.EVENT, among=others)
    if event and _holds_words(columns, event):
        properties = dict(_properties(columns, others))
        return {"event_from": event, **({"properties": properties} if properties else {})}
    if is_deal:
        return {"said": "opportunity"}
    if columns.is_named(at, headings.SUBSCRIBED):
        return {"event": "newsletter_subscribed"}
    return {"event": "contact_requested"}


def _properties(columns: _Columns, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What columns say of an event, by their standard names; its page is one of them."""
    for column in others:
        name = columns.by_name[column]
        field = headings.WHERE_FROM.get(name)
        if field == "url":
            yield column, field
        elif name in _PROPERTIES and field is None and standard_name(column) is None:
            yield column, name


def _is_of_deals(columns: _Columns, others: Sequence[str]) -> bool:
    """Whether rows are deals: columns tell of them, and the first id is not that of a person."""
    first = columns.first(headings.ID, among=others)
    is_person = first is not None and columns.is_named(first, headings.ID_OF_PERSON)
    return columns.first(headings.OF_DEAL, among=others) is not None and not is_person


def _said(
    columns: _Columns, column: str, deal: Mapping[str, str], stages: Sequence[str]
) -> dict[str, object] | None:
    """What a time says by its name alone; ``None`` if nothing."""
    name = columns.by_name[column]
    bare = _OF_A_MOMENT.sub("", name)
    if headings.NOT_YET.fullmatch(name):
        return None
    if headings.MQL.fullmatch(name) and stages:
        return {"stage": "mql" if "mql" in stages else stages[-1], "at": column}
    if headings.UNSUBSCRIBED.fullmatch(name):
        return {"event": "email_unsubscribed", "at": column}
    word = next((w for w in headings.STAGE_WORDS if f"_{w}_" in f"_{name}_"), None)
    said = headings.STAGE_WORDS.get(word or "")
    if said and not (said == "won" and columns.is_named(column, headings.CREATED)):
        return _statement(said, column, deal)
    return {"event": bare, "at": column} if bare in STANDARD_EVENTS else None


def _deal(columns: _Columns, others: Sequence[str]) -> dict[str, str]:
    """The columns of a deal's value, currency and reason."""
    amounts = (
        each
        for each in others
        if columns.is_named(each, headings.AMOUNT)
        and not columns.is_named(each, headings.NOT_OF_DEAL)
        and _holds_numbers(columns, each)
    )
    found = {
        "value": next(amounts, None),
        "currency": _currency(columns),
        "reason": columns.first(headings.REASON, among=others),
    }
    return {name: column for name, column in found.items() if column}


def _currency(columns: _Columns) -> str | None:
    """The column of currencies: codes of three letters, as far as there are any."""
    return next(
        (
            each
            for each in columns.by_name
            if columns.is_named(each, headings.CURRENCY)
            and all(_CURRENCY_CODE.fullmatch(str(value).strip()) for value in columns.samples[each])
        ),
        None,
    )


def _statement(said: str, at: str, deal: Mapping[str, str]) -> dict[str, object]:
    """A word of sales with what is known of the deal."""
    fact: dict[str, object] = {"said": said, "at": at}
    if said == "lost":
        wanted: tuple[str, ...] = ("reason",)
    else:
        wanted = ("value", "currency") if "value" in deal else ()
    return fact | {name: deal[name] for name in wanted if name in deal}


def _endings(
    columns: _Columns, others: Sequence[str], times: Sequence[str], deal: Mapping[str, str]
) -> list[dict[str, object]]:
    """Deals that ended: a column says how, another when."""
    done = [each for each in times if not columns.is_named(each, headings.NOT_YET)]
    at = columns.first(headings.ENDED, among=done)
    if at is None:
        return []
    for status in (each for each in others if columns.is_named(each, headings.STATUS)):
        found: dict[str, dict[str, object]] = {}
        for text in dict.fromkeys(map(str, columns.samples[status])):
            words = snake_case(text).split("_")
            if said := next((headings.ENDINGS[w] for w in words if w in headings.ENDINGS), None):
                fact = found.setdefault(said, {**_statement(said, at, deal), "when": {}})
                fact["when"] = {status: _with(fact["when"], status, text)}
        if found:
            return list(found.values())
    return []


def _with(when: object, status: str, text: str) -> object:
    """The values of a condition with one more."""
    known = when.get(status) if isinstance(when, dict) else None
    if known is None:
        return text
    return [*known, text] if isinstance(known, list) else [known, text]


def _holds_words(columns: _Columns, column: str) -> bool:
    """Whether most values begin with a letter, as the names of events do."""
    values = columns.samples[column]
    return sum(str(each)[:1].isalpha() for each in values) > _HALF * len(values)


def _holds_numbers(columns: _Columns, column: str) -> bool:
    """Whether most values have a digit; also if there are none."""
    values = columns.samples[column]
    return sum(any(map(str.isdecimal, str(each))) for each in values) >= _HALF * len(values)


def _holds_times(columns: _Columns, column: str) -> bool:
    values = columns.samples[column]
    is_named = columns.is_named(column, headings.TIME)
    times = sum(_is_time(each, is_named=is_named) for each in values)
    return bool(values) and times > _HALF * len(values)


def _is_time(value: object, *, is_named: bool) -> bool:
    text = value.strip() if isinstance(value, str) else str(value)
    if len(text) < _SHORTEST_TIME or (text.isdecimal() and not is_named):
        return False
    try:
        return parse_time(text, "") is not None
    except RejectedError:
        return BY_NUMBERS.fullmatch(text) is not None  # may be two days


def _holds_emails(columns: _Columns, column: str) -> bool:
    values = columns.samples[column]
    addresses = sum(isinstance(v, str) and normalise_email(v) is not None for v in values)
    is_named = standard_name(column) == "email"
    return bool(values) and addresses > _HALF * len(values) and (is_named or "@" in str(values[0]))
