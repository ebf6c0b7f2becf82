"""The mapping file: which column of which file is what.

Faults are told as those of a model are: all at once, with line, column, and what was meant.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from warmlead.domain.errors import ConfigurationError
from warmlead.domain.event import CRM_ID, Trust
from warmlead.domain.money import Numbers
from warmlead.domain.sales import SAID_BY_SALES, Refusal
from warmlead.importing.reading import ERRORS_SUFFIX
from warmlead.model.document import Finding, Severity, YamlDocument, did_you_mean, path_text, read

MAX_FACTS = 50

Column = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Word = Annotated[str, Field(max_length=1_000)]

PERSON_FIELDS = ("email", "user_id", "merged_user_id", "anonymous_id", "deal_id")
"""What names the person of a row, the strongest first."""

SALES_WORDS = (*SAID_BY_SALES, *Refusal)


When = Mapping[Column, Word | Sequence[Word]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FactMapping(_Strict):
    """One thing that a row says of its person: an event, a stage, or a word of sales.

    ``at`` is the column with its time: if that is empty, the row does not say it. ``when`` are
    values that columns must have, ``unless`` are values of which none may be there. ``event_from``
    is a column that names the event.
    """

    event: Name | None = None
    event_from: Column | None = None
    stage: Name | None = None
    said: str | None = None
    at: Column
    when: When = Field(default_factory=dict)
    unless: When = Field(default_factory=dict)
    value: Column | None = None
    currency: Column | None = None
    reason: Column | None = None
    properties: Mapping[Column, Name] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_one_thing(self) -> "FactMapping":
        named = [self.event, self.event_from, self.stage, self.said]
        if sum(each is not None for each in named) != 1:
            raise ValueError("name one of event, event_from, stage and said")
        if self.said is not None and self.said not in SALES_WORDS:
            known = did_you_mean(self.said, SALES_WORDS)
            raise ValueError(f"said must be one of {', '.join(SALES_WORDS)}. {known}".strip())
        return self


class SpendMapping(_Strict):
    """A row that says what was spent on a day."""

    day: Column
    amount: Column
    currency: Column | None = None
    channel: Column | None = None
    source: Column | None = None
    medium: Column | None = None
    campaign: Column | None = None
    when: When = Field(default_factory=dict)


class OriginMapping(_Strict):
    """The columns that say where a person came from; ``when`` are values that columns must have.

    ``channel`` is a column with a channel's name, by Google Analytics or HubSpot: it decides. Any
    other word in it is a source.
    """

    channel: Column | None = None
    source: Column | None = None
    medium: Column | None = None
    campaign: Column | None = None
    term: Column | None = None
    content: Column | None = None
    url: Column | None = None
    referrer: Column | None = None
    landing_page: Column | None = None
    gclid: Column | None = None
    fbclid: Column | None = None
    msclkid: Column | None = None
    when: When = Field(default_factory=dict)

    def named(self) -> dict[str, str]:
        """The columns by what they hold."""
        return self.model_dump(exclude={"when"}, exclude_none=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class FileMapping(_Strict):
    """What the columns of a file are.

    ``merged_user_id`` is a second id of the same person, such as that of the contact to which a
    lead was converted. ``deal_id`` is that of a deal: rows that name the same deal are of one
    person. ``prefix`` stands before these and the user id. Of several origins the first whose
    ``when`` holds counts.

    ``trust`` is who wrote the rows: your own people and systems (``signed``), or visitors
    (``public``), as in an export of a tracker. Rows of visitors can say no more than a browser can.
    """

    id: Column | None = None
    email: Column | None = None
    user_id: Column | None = None
    merged_user_id: Column | None = None
    anonymous_id: Column | None = None
    deal_id: Column | None = None
    prefix: str = Field(default="", max_length=40)
    trust: Trust = Trust.SIGNED
    traits: Mapping[Column, Name] = Field(default_factory=dict)
    origin: Annotated[Sequence[OriginMapping], BeforeValidator(_as_list)] = ()
    facts: Sequence[FactMapping] = Field(default=(), max_length=MAX_FACTS)
    spend: SpendMapping | None = None
    blank: Sequence[Word] = ()

    @model_validator(mode="after")
    def _is_of_use(self) -> "FileMapping":
        if not self.facts and not self.spend:
            raise ValueError("give facts, or spend: otherwise a row says nothing")
        if self.facts and not self.persons:
            raise ValueError("facts are of a person: give email, user_id or anonymous_id")
        if self.trust is Trust.PUBLIC and any(each.stage or each.said for each in self.facts):
            raise ValueError("rows of visitors (trust: public) have no stage and nothing said")
        if self.anonymous_id and self.deal_id:
            raise ValueError("give anonymous_id or deal_id: a row has one of them")
        if self.deal_id and not self.prefix.startswith(CRM_ID):
            raise ValueError(
                f"deal_id needs a prefix that begins with {CRM_ID}: any browser can "
                "call itself 1234, and would become the person of deal 1234"
            )
        if self.trust is Trust.PUBLIC and (self.merged_user_id or self.deal_id):
            raise ValueError("rows of visitors (trust: public) do not say who is the same person")
        if self.trust is Trust.PUBLIC and any(each.channel for each in self.origin):
            raise ValueError("rows of visitors (trust: public) state no channel; map their medium")
        return self

    @property
    def persons(self) -> dict[str, str]:
        """The columns that name the person, by field."""
        named = ((field, getattr(self, field)) for field in PERSON_FIELDS)
        return {field: column for field, column in named if column}

    def columns(self) -> dict[str, str]:
        """The columns that it names, each with where."""
        found: dict[str, str] = {}
        if self.id:
            found[self.id] = "id"
        found |= {column: field for field, column in self.persons.items()}
        found |= dict.fromkeys(self.traits, "traits")
        for origin in self.origin:
            found |= {column: f"origin.{name}" for name, column in origin.named().items()}
            found |= dict.fromkeys(origin.when, "origin.when")
        for place, fact in enumerate(self.facts):
            of_fact = (fact.at, fact.event_from, fact.value, fact.currency, fact.reason)
            named = [*filter(None, of_fact), *fact.when, *fact.unless, *fact.properties]
            found |= dict.fromkeys(named, f"facts[{place}]")
        if self.spend:
            of_spend = self.spend.model_dump(exclude={"when"}, exclude_none=True).values()
            found |= dict.fromkeys([*of_spend, *self.spend.when], "spend")
        return found


class ImportMapping(_Strict):
    """A mapping file. ``files`` are by the name of the file; ``*`` stands for any letters."""

    name: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    currency: str | None = None
    numbers: Numbers = "1,234.56"
    dates: Literal["day-first", "month-first"] | None = None
    time_zone: str = "UTC"
    files: Mapping[str, FileMapping] = Field(min_length=1)

    def of_file(self, path: Path) -> FileMapping | None:
        """What the columns of a file are: by the first name that it fits."""
        name = path.name.removesuffix(ERRORS_SUFFIX)
        found = (part for pattern, part in self.files.items() if fnmatch(name, pattern))
        return next(found, None)

    def demand_stages(self, stages: Sequence[str]) -> None:
        """Raises ``ConfigurationError`` if it names a stage that the model does not have."""
        problems = [
            f"files.{pattern}.facts[{place}].stage: the model has no stage {fact.stage}; it has "
            f"{', '.join(stages) or 'none'}. What sales made of a lead is said: accepted, won …"
            for pattern, part in self.files.items()
            for place, fact in enumerate(part.facts)
            if fact.stage is not None and fact.stage not in stages
        ]
        if problems:
            raise ConfigurationError("The mapping does not fit the model:", problems)


def read_mapping(text: str, *, name: str) -> ImportMapping:
    """The mapping in a YAML text; raises ``ConfigurationError`` with every fault in it."""
    document = read(text)
    faults = list(document.faults)
    if not faults:
        try:
            return ImportMapping.model_validate(document.value)
        except ValidationError as error:
            faults = [_finding(document, dict(each)) for each in error.errors()]
    raise ConfigurationError(f"{name} is not a valid mapping", sorted(set(map(str, faults))))


_FIELDS = {
    "root": tuple(ImportMapping.model_fields),
    "file": tuple(FileMapping.model_fields),
    "origin": tuple(OriginMapping.model_fields),
    "facts": tuple(FactMapping.model_fields),
    "spend": tuple(SpendMapping.model_fields),
}


def _finding(document: YamlDocument, error: Mapping[str, Any]) -> Finding:
    """One of pydantic's errors at its place in the file."""
    path = tuple(part for part in error["loc"] if part not in ("[key]", "str", "function-after"))
    if path[2:4] == ("origin", 0) and path[:4] not in document.values:
        path = (*path[:3], *path[4:])  # one origin, and no list of them
    is_unknown = error["type"] == "extra_forbidden"
    place = document.of_key(path) if is_unknown else document.of_value(path)
    message, suggestion = str(error["msg"]).removeprefix("Value error, "), ""
    if is_unknown:
        known = _FIELDS[_kind_of(path)]
        message = "is not known here"
        suggestion = did_you_mean(str(path[-1]), known) or f"known are {', '.join(known)}"
    return Finding(Severity.ERROR, *place, path_text(path), message, suggestion)


def _kind_of(path: Sequence[str | int]) -> str:
    """Which part of a mapping the key at a path belongs to."""
    if "facts" in path[2:]:
        return "facts"
    if "origin" in path[2:-1]:
        return "origin"
    if "spend" in path[2:-1]:
        return "spend"
    return "file" if len(path) > 2 else "root"  # noqa: PLR2004  # files, and a name of them
