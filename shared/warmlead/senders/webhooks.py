"""The family of tools that send signed webhooks: settings, and the base of its senders.

A sender of the family says how its requests prove their origin, what its words for events mean, and
what one of its items says. All else is here: trust, quarantine, answers, mapping. What visitors
claim in it is public, though the tool has signed it: see ``claims``.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from msgspec import Struct, structs

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import SALES_EVENTS, Trust
from warmlead.parsing.charsets import Tell
from warmlead.parsing.strict_json import JsonDocument, parse
from warmlead.ports import Accepted, Ignored, RawRequest
from warmlead.senders.base import Profile, Secrets, success
from warmlead.senders.claims import Claims, claims_in
from warmlead.senders.forms import FormSender, Mend, Submissions
from warmlead.senders.labels import MAX_UNDERSTOOD
from warmlead.senders.person import (
    EMPTY,
    MAX_KEY,
    event_id,
    event_name,
    field_name,
    long_hash,
    standard_name,
)
from warmlead.senders.proofs import KeyInBody, Proof, StandardWebhooks
from warmlead.senders.submission import (
    FORM_SUBMITTED,
    EventName,
    Fact,
    FormMapping,
    known_names,
)
from warmlead.settings import Settings
from warmlead.web.answers import Answer

MAX_ITEMS = 1_000
"""Limit of the items of one request, and of what they say; SendGrid sends up to a few hundred."""

_TOO_MANY = f"A request has {MAX_ITEMS} items at most, and they say no more than that."

MAX_KIND = 64
"""The characters of a tool's word for an event that an answer repeats."""


class WebhookSettings(FormMapping, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool that sends webhooks. Any of the ``secrets`` is valid, so they can be rotated.

    ``events`` gives another name to what the tool calls an event, or null if nothing is wanted of
    it. ``forms`` has the mapping of single forms, by the tool's id of the form; for others, that
    of the section itself counts.
    """

    secrets: Secrets
    events: Mapping[str, EventName | None] = {}
    forms: Mapping[str, FormMapping] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(events={dict(self.events)!r}, forms={list(self.forms)!r})"


# --- what a form asked ----------------------------------------------------------------------


class Asked(Struct, frozen=True):
    """One question of a form builder, and the answer to it.

    ``names`` are what it is called, the words that people see first: label, reference, id. ``kind``
    is the builder's type of it.
    """

    names: Sequence[str]
    value: Any
    kind: str = ""


def fields_of(asked: Iterable[Asked], mapping: FormMapping) -> dict[str, Any]:
    """The answers as fields, each under the name by which it is recognized.

    That is the name under which the mapping has it (its label, reference, id or kind); else the
    first of its names that means a standard trait; else ``email`` or ``phone`` if its kind says so;
    else its label. Of two fields of one name the first with a value counts. Of many questions the
    names of the first 500 are looked up.
    """
    mapped = known_names(mapping) | {field_name(name) for name in mapping.ignore}
    fields: dict[str, Any] = {}
    for number, one in enumerate(asked):
        names = [name[:MAX_KEY] for name in one.names if name.strip()]
        if not names:
            continue
        looked_up = (*names, one.kind) if number < MAX_UNDERSTOOD else ()
        known = (name for name in looked_up if name and field_name(name) in mapped)
        usual = (name for name in looked_up[:-1] if standard_name(name))
        kind = one.kind.lower()
        of_kind = next((trait for trait in ("email", "phone") if trait in kind), None)
        name = next(known, None) or next(usual, None) or of_kind or names[0]
        if fields.get(name) in EMPTY:
            fields[name] = one.value
    return fields


# --- the base ------------------------------------------------------------------------------


class Said(Struct, frozen=True):
    """One thing that an item says: the tool's own word for what happened, and the fact.

    For a word that means nothing here the fact need not be made. ``asked`` are the questions of a
    form, which become fields of the fact.
    """

    kind: str
    fact: Fact = Fact()
    asked: Sequence[Asked] = ()


class WebhookSender(FormSender[WebhookSettings]):
    """A sender of the family, at ``/<path>``, or ``/<path>/<form>`` if the path names the form.

    ``meanings`` gives the event's name for each of the tool's words; ``None``: nothing is wanted of
    it. What is a form's submission is ``FORM_SUBMITTED`` there, and is named as the settings say.
    ``statuses`` has the status that makes this tool stop, for one that it would not understand.
    ``keeps_other_names``: the tool's users name events themselves, so others keep their names;
    but none can speak for sales. ``is_known_by_body``: a body alone shows that the tool sent it.
    """

    path: ClassVar[str]
    proof: ClassVar[Proof]
    meanings: ClassVar[Mapping[str, str | None]]
    once: ClassVar[str]
    retries: ClassVar[str]
    tries_address: ClassVar[str] = ""
    statuses: ClassVar[Mapping[int, int]] = {}
    keeps_empty: ClassVar[bool] = True
    keeps_other_names: ClassVar[bool] = False
    is_known_by_body: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        """Makes the profile of what the class says; a base of several senders has none."""
        if not hasattr(cls, "proof"):
            return
        cls.profile = Profile(
            proof=cls.proof.in_words,
            once=cls.once,
            retries=cls.retries,
            handshake=cls.tries_address,
            events=tuple(sorted({name for name in cls.meanings.values() if name})),
        )

    def __init__(self, settings: WebhookSettings, *, own_hosts: frozenset[str]) -> None:
        super().__init__(own_hosts=own_hosts)
        if isinstance(self.proof, KeyInBody):  # what is set aside holds no secret
            settings = structs.replace(settings, ignore=(*settings.ignore, self.proof.field))
        self._settings = settings
        self._held: tuple[RawRequest, JsonDocument] | None = None
        self._room = MAX_ITEMS

    @classmethod
    def from_settings(cls, own: WebhookSettings, using: Settings) -> Self:
        """The sender as its section of the settings file configures it."""
        return cls(own, own_hosts=using.own_hosts)

    @property
    def paths(self) -> Sequence[str]:
        """Its path."""
        return [f"/{self.path}"]

    @abstractmethod
    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What one item says; raises ``RejectedError`` if it cannot be understood."""

    def form_of(self, request: RawRequest) -> tuple[str, WebhookSettings]:
        """The form that the path names, if it names one."""
        path, _, form = request.path.strip("/").partition("/")
        if path != self.path or "/" in form or len(form) > MAX_KIND:
            raise RejectedError(Reason.NOT_FOUND, "No sender is configured at this path.")
        return form, self._settings

    def sign(self, request: RawRequest) -> Mapping[str, str]:
        """The headers by which the tool proves that the request is its own."""
        return self.proof.sign(request, self._settings.secrets[0])

    def check(self, request: RawRequest) -> Trust:
        """Signed; ``RejectedError`` for anybody else's request."""
        self._held = None
        self.proof.verify(request, self._settings.secrets, lambda: self._document(request))
        return Trust.SIGNED

    def read(self, request: RawRequest, settings: WebhookSettings, tell: Tell) -> Submissions:  # noqa: ARG002  # others need them
        """The items of the body, which is JSON: one, or a list of them."""
        document = self._document(request)
        self._held, self._room = None, MAX_ITEMS
        found = self.items(document.value)
        if not found:
            raise RejectedError(Reason.BODY_EMPTY, "The body holds no item.")
        if len(found) > MAX_ITEMS:
            raise RejectedError(Reason.TOO_MANY_EVENTS, _TOO_MANY)
        return Submissions(found, document.suspect)

    def items(self, value: Any) -> Sequence[Any]:  # noqa: ANN401  # whatever JSON holds
        """The items in the body's value: by default itself, or each of a list."""
        return value if isinstance(value, list) else [value]

    def facts(self, item: Any, settings: WebhookSettings, mend: Mend) -> Iterator[Fact | Ignored]:  # noqa: ANN401, ARG002  # whatever JSON holds
        """What an item says, under our names."""
        if not isinstance(item, dict):
            raise RejectedError(Reason.EVENT_INVALID, "An item must be a JSON object.")
        for said in self.said(item):
            kind, fact = said.kind, said.fact
            self._room -= 1
            if self._room < 0:
                raise RejectedError(Reason.TOO_MANY_EVENTS, _TOO_MANY)
            name = self._name_of(kind, settings)
            if isinstance(name, Ignored):
                yield name
                continue
            if said.asked:
                answers = fields_of(said.asked, self.mapping_of(fact, settings))
                fact = structs.replace(fact, fields={**fact.fields, **answers})
            own_name = None if name == FORM_SUBMITTED else name
            yield structs.replace(
                fact, name=own_name, id=_usable_id(fact.id), claims=self.claims_of(kind, name)
            )

    def claims_of(self, kind: str, name: str) -> Claims:
        """What of a fact a visitor claims, by the tool's word for what happened, and our name.

        All of it, unless the tool itself sees that it happens. Another name in the settings does
        not make it more certain.
        """
        return claims_in(self.meanings.get(kind), name)

    def id_of(self, request: RawRequest) -> str | None:
        """The id in a header, if it is signed: else a captured post could count again."""
        return super().id_of(request) if isinstance(self.proof, StandardWebhooks) else None

    def _name_of(self, kind: str, settings: WebhookSettings) -> str | Ignored:
        """The event's name for a word of the tool, or why there is none."""
        if kind in settings.events or kind in self.meanings:
            name = settings.events.get(kind, self.meanings.get(kind))
            return name or Ignored("not_wanted", f"Nothing is wanted of {kind[:MAX_KIND]!r}.")
        if not self.keeps_other_names:
            if not kind:
                return Ignored("kind_unknown", "It does not say what happened.")
            text = f"Nothing is known of {kind[:MAX_KIND]!r}: name it in the settings (events)."
            return Ignored("kind_unknown", text)
        name = event_name(kind)
        if name in SALES_EVENTS:
            return Ignored("of_sales", "It is named like a statement of sales, and is none.")
        return name

    def mapping_of(self, fact: Fact, settings: WebhookSettings) -> FormMapping:
        """The mapping of the fact's form, else that of the section."""
        return settings.forms.get(fact.form, settings)

    def answer(self, request: RawRequest, accepted: Accepted) -> Answer:  # noqa: ARG002  # other senders need the request
        """Success: what cannot be used lies in quarantine, and the tool cannot mend it."""
        return success(accepted)

    def answer_failure(self, request: RawRequest, failure: Answer) -> Answer:  # noqa: ARG002  # other senders need the request
        """The failure with the status that this tool understands."""
        status = self.statuses.get(failure.status, failure.status)
        return Answer(status, failure.body, failure.content_type, failure.headers, failure.facts)

    def document_of(self, request: RawRequest) -> JsonDocument:
        """The body as JSON; raises ``RejectedError`` if it cannot be read."""
        return parse(request.body)

    def _document(self, request: RawRequest) -> JsonDocument:
        """The body as JSON, read once from its arrival to its answer."""
        held = self._held
        if held is None or held[0] is not request:
            held = self._held = request, self.document_of(request)
        return held[1]


def _usable_id(given: str | None) -> str | None:
    try:
        return event_id(given, "The id")
    except RejectedError:
        return f"hash-{long_hash(str(given))}"


def part(value: Any, *names: str | int) -> Any:  # noqa: ANN401  # whatever JSON holds
    """The part of a value below some names and places; ``None`` if it is not there."""
    for name in names:
        if isinstance(value, dict) and isinstance(name, str):
            value = value.get(name)
        elif isinstance(value, list) and isinstance(name, int) and len(value) > name:
            value = value[name]
        else:
            return None
    return value


def group(value: Any, *names: str | int) -> Mapping[str, Any]:  # noqa: ANN401  # whatever JSON holds
    """The object below some names and places; an empty one if there is none."""
    found = part(value, *names)
    return found if isinstance(found, dict) else {}


def text(value: Any) -> str:  # noqa: ANN401  # whatever JSON holds
    """A text or a number as text; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def records(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # whatever JSON holds
    """The objects in a list; none if it is not a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
