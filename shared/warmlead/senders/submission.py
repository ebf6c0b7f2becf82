"""A submission of a form as an event: who it is, and which fields are kept. Pure.

One usable identity is enough. Other fields are kept, cut or left out, with notes. The README of
``senders/generic`` has the rules.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import LANDING_PAGE, Automation, Event, Property, Trust, id_of_content
from warmlead.parsing.form_bodies import IsNeeded
from warmlead.parsing.strict_json import text_of
from warmlead.parsing.times import parse_time
from warmlead.senders.attribution import PARAMETERS, path_of, visit_of
from warmlead.senders.base import SenderSettings
from warmlead.senders.claims import Claims
from warmlead.senders.event_choice import EVENT_NAME, faults_of_events, plain, with_texts
from warmlead.senders.labels import meaning_of_name, origin_of_name
from warmlead.senders.person import (
    EMPTY,
    MAX_ADDRESSES,
    Notes,
    email_of,
    event_id,
    field_name,
    flatten,
    long_hash,
    names_of,
    only_addresses,
    standard_name,
    trait_value,
)
from warmlead.settings import SettingFault

EventName = Annotated[str, Meta(pattern=EVENT_NAME)]

FORM_SUBMITTED = "form_submitted"
ANONYMOUS_ID = ("anonymous_id", "ajs_anonymous_id")

_LOWER = bytes(range(256)).lower()
_MARKS = bytes(byte for byte in range(128) if not chr(byte).isalnum())

# Never kept: fields that guard the form itself, and data that no lead should have.
_UNWANTED = re.compile(
    r".*(captcha|turnstile)_response|(.*_)?csrf.*|authenticity_token|.*password.*"
    r"|(.*_)?nonce|form_token|form_build_id|wpforms_token|gform_unique_id"
    r"|.*card_?number.*|(.*_)?(passwd|pwd|cvv2?|cvc2?|ssn|iban)"
)

_PAGE = ("page_url", "source_url", LANDING_PAGE, "page_uri", "url")
_ORIGINS = PARAMETERS | {*_PAGE, "referrer"}
_IN_GROUPS = _ORIGINS - {"url"}  # a group's url may be of anything
_OF_CONTAINERS = ("name", "title", "region")
_REPLY_TO = "_replyto"
"""Formspree's name of an e-mail field, and of those that are made like it."""


class EventChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event's name chosen by a field of the submission.

    ``by`` is the field (``from`` in the file), ``map`` gives the name for each of its values, or
    null for a value of which nothing is wanted; ``otherwise`` is the name for any other value, by
    default null. Case, and blanks around a value, do not count.
    """

    by: str = msgspec.field(name="from")
    map: Mapping[str, EventName | None]
    otherwise: EventName | None = None

    def name_of(self, value: object) -> str | None:
        """The event's name for a value of the field; ``None`` if nothing is wanted of it.

        Of several values, such as the boxes that are ticked, the first counts that has a name.
        """
        known = {plain(said): name for said, name in self.map.items()}
        given = map(plain, value if isinstance(value, list) else [value])
        said = [known[one] for one in given if one in known]
        return next(filter(None, said), None) if said else self.otherwise


class UnwantedError(Exception):
    """The settings want nothing of the submission."""


class FormMapping(SenderSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field of a form is what. Fields are named as the form names them.

    Those not named are recognised. ``traits`` says which trait a field is; what is neither a
    trait nor named becomes a property of the event. What is in ``ignore`` is not kept.
    """

    event: EventName | EventChoice = FORM_SUBMITTED
    email: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    id: str | None = None
    time: str | None = None
    traits: Mapping[str, EventName] = {}
    ignore: tuple[str, ...] = ()

    @classmethod
    def as_meant(cls, given: object) -> object:
        """The section with the answers that choose an event as texts."""
        return with_texts(given)

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """The faults of the section; those of the names of events are named one by one."""
        of_events = list(faults_of_events(given, where))
        told = [(one, len(one.where)) for one in super().faults(given, where)]
        others = [
            one for one, depth in told if all(each.where[:depth] != one.where for each in of_events)
        ]
        return [*others, *of_events]


class Fact(Struct, frozen=True):
    """One thing that an item of a request says, such as a submission out of its envelope.

    ``fields`` are named by people: they are recognized by their names. What a sender knows to be an
    identifier, a trait or a property stands apart and is taken as it is named. ``id`` is the id of
    the fact, the same however often and in however many deliveries it is told. ``name`` is the
    event's name; without one the settings choose it. ``claims`` is what of it a visitor claims.
    """

    fields: Any = {}
    id: str | None = None
    time: Any = None
    name: str | None = None
    form: str = ""
    email: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    traits: Mapping[str, Any] = {}
    properties: Mapping[str, Any] = {}
    automated: Automation | None = None
    claims: Claims = Claims.NOTHING


class Post(Struct, frozen=True):
    """The common data of the submissions of one request."""

    source: str
    form: str
    settings: FormMapping
    trust: Trust
    received_at: datetime
    sender_id: str | None
    referer: str
    automated: Automation | None = None
    own_hosts: frozenset[str] = frozenset()


class NothingToKeepError(RejectedError):
    """The submission has no value that may be kept."""

    def __init__(self) -> None:
        super().__init__(
            Reason.EVENT_INVALID, "No field can be used: nothing in it says who this is."
        )


class _Person(Struct, frozen=True):
    email: str | None
    user_id: str | None
    anonymous_id: str | None
    group: str = ""
    """The beginning of the names of the fields that stood with the e-mail."""

    @property
    def is_known(self) -> bool:
        return bool(self.email or self.user_id or self.anonymous_id)


def translate_submission(submission: Fact, post: Post, index: int, notes: Notes) -> Event:
    """One submission as an event.

    Raises ``RejectedError`` if it has no usable identity, and ``UnwantedError``.
    """
    settings = post.settings
    fields = _wanted(submission, settings, notes)
    name = submission.name or _event_name(fields, settings)
    said = [name, fields, dict(submission.traits), dict(submission.properties)]
    content = text_of(said if submission.name else fields)
    came = names_of(fields)
    person = _take_person(fields, submission, post, notes)
    if not person.is_known:
        raise _nobody(notes.error, came)
    given_id = _of_form(notes.attempt("id", event_id, _take(fields, settings.id), "The id"), post)
    occurred_at = _time(_take(fields, settings.time) or submission.time, post, notes)
    origins = _origins(fields)
    page = next((str(origins[name]) for name in _PAGE if name in origins), post.referer)
    visit = visit_of(
        url=page,
        referrer=_referrer(submission.fields, origins, page, post),
        fields=origins,
        own_hosts=post.own_hosts,
        landing_page=origins.get(LANDING_PAGE),
    )
    traits, properties = _sorted_out(fields, settings, person.group)
    traits |= _stated(submission.traits, notes)
    properties |= _stated(submission.properties, notes)
    if page.startswith(("https://", "http://")) and path_of(page) != "/":
        properties.setdefault("path", path_of(page))
    properties |= {"form": post.form} if post.form else {}
    return Event.checked(
        id=given_id or submission.id or _id(content, post, index),
        source=post.source,
        trust=post.trust,
        name=name,
        occurred_at=occurred_at,
        received_at=post.received_at,
        email=person.email,
        user_id=person.user_id,
        anonymous_id=person.anonymous_id,
        traits=traits,
        properties=properties,
        attribution=visit.touch,
        direct=visit.direct,
        automated=submission.automated or post.automated,
        notes=notes.told,
    )


def _event_name(fields: Mapping[str, Property], settings: FormMapping) -> str:
    if isinstance(settings.event, str):
        return settings.event
    name = settings.event.name_of(fields.get(field_name(settings.event.by)))
    if name is None:
        raise UnwantedError
    return name


def _stated(said: Mapping[str, Any], notes: Notes) -> dict[str, Property]:
    """What a sender names by itself, within limits; empty texts are unknown, not values."""
    flat = flatten(said, notes.tell) if said else {}
    return {name: trait_value(name, value) for name, value in flat.items() if value not in EMPTY}


def _time(stated: object, post: Post, notes: Notes) -> datetime:
    field = post.settings.time or "time"
    claimed = notes.attempt(field, parse_time, stated, "The time")
    return notes.settled(claimed, post.received_at, field)


def _origins(fields: Mapping[str, Property]) -> dict[str, Property]:
    """The fields; those of the origin, such as UTM parameters, also outside of their groups."""
    grouped = ((origin_of_name(name, _IN_GROUPS), value) for name, value in fields.items())
    return {**{name: value for name, value in grouped if name}, **fields}


def _referrer(
    submission: Mapping[str, Any], fields: Mapping[str, Property], page: str, post: Post
) -> object:
    """The page's referrer: empty if there was none, and ``None`` if that is unknown.

    Across origins a browser sends only the origin of the page: what led to it is unknown.
    """
    if "referrer" in fields:
        return fields["referrer"]
    is_cut = page == post.referer and path_of(page) == "/" and "?" not in page
    return "" if submission.get("referrer") == "" and not is_cut else None


def _nobody(error: RejectedError | None, came: str) -> RejectedError:
    """The error for a submission without a usable identity: the reason, the fields' names."""
    error = error or RejectedError(Reason.IDENTITY_MISSING, _NO_IDENTITY)
    tail = f" The fields that came: {came}." if came else ""
    return RejectedError(Reason(error.reason), error.message + tail)


_NO_ADDRESS = "The email address is not valid."
_NO_IDENTITY = "No field holds an email, an anonymous id, or a user id that the settings name."


def _wanted(fact: Fact, settings: FormMapping, notes: Notes) -> dict[str, Property]:
    """The fields to keep, flat and trimmed; a leading underscore marks those of the form itself."""
    submission: Mapping[str, Any] = fact.fields
    known = known_names(settings)
    said = {
        key: value
        for key, value in submission.items()
        if not key.startswith("_") or field_name(key) in known or key.lower() == _REPLY_TO
    }
    is_wanted = wanted_names(settings)

    def matters(name: str) -> bool:
        is_origin = name in _ORIGINS or origin_of_name(name, _IN_GROUPS)
        return name in known or bool(is_origin) or standard_name(name) is not None

    flat = flatten(
        said,
        notes.tell,
        matters=matters,
        in_lists=is_wanted,
        is_needed=needed_fields(settings),
    )
    wanted: dict[str, Property] = {}
    for name, value in flat.items():
        kept = value.strip() if isinstance(value, str) else value
        if kept not in EMPTY and is_wanted(name):
            wanted[name] = kept
    if not (wanted or fact.email or fact.user_id or fact.anonymous_id):
        raise NothingToKeepError
    return wanted


def _take(fields: dict[str, Property], name: str | None) -> Property:
    return fields.pop(field_name(name), None) if name else None


def _take_person(fields: dict[str, Property], fact: Fact, post: Post, notes: Notes) -> _Person:
    """The person whom the fields name, and before them the sender itself."""
    settings = post.settings
    email, group = _take_email(fields, settings, notes)
    names = (settings.anonymous_id,) if settings.anonymous_id else ANONYMOUS_ID
    user_id = _take_id(fields, (settings.user_id,), post.trust, notes, is_user=True)
    anonymous_id = _take_id(fields, names, post.trust, notes)
    stated = email_of(fact.email) if fact.email else None
    if fact.email and not stated:
        notes.refuse("email", RejectedError(Reason.EMAIL_INVALID, _NO_ADDRESS))
    return _Person(
        stated or email,
        notes.person_id(fact.user_id, "user_id", post.trust, is_user=True) or user_id,
        notes.person_id(fact.anonymous_id, "anonymous_id", post.trust, sender=post.source)
        or anonymous_id,
        group,
    )


def _take_id(
    fields: dict[str, Property],
    names: Iterable[str | None],
    trust: Trust,
    notes: Notes,
    *,
    is_user: bool = False,
) -> str | None:
    """The first usable id in some fields; all of them are taken out."""
    given = [(name, _take(fields, name)) for name in names if name]
    found = (notes.person_id(value, name, trust, is_user=is_user) for name, value in given)
    return next(filter(None, found), None)


def _take_email(
    fields: dict[str, Property], settings: FormMapping, notes: Notes
) -> tuple[str | None, str]:
    """The first address in the configured field, or in fields whose name means an address.

    A plain name goes before one that may be a company's or a user's. Returns the address, and the
    beginning of the names in its group.
    """
    if settings.email:
        names = [field_name(settings.email)]
    else:
        names = [name for name in fields if standard_name(name) == "email"]
        names.sort(key=_rank)
    given = [(name, one) for name in names for one in _each(fields.pop(name, None))]
    found = [(name, email_of(one)) for name, one in given[:MAX_ADDRESSES]]
    name, email = next((one for one in found if one[1]), ("", None))
    meaning = meaning_of_name(name)
    for name, address in found:
        if address is None:
            notes.refuse(name, RejectedError(Reason.EMAIL_INVALID, _NO_ADDRESS))
        elif address != email:
            notes.tell(name, "another address was left out")
    return email, meaning.group if meaning else ""


def _rank(name: str) -> int:
    meaning = meaning_of_name(name)
    return meaning.rank if meaning else 0


def _each(value: Property) -> list[Any]:
    """The values of a field that are not empty."""
    return [one for one in (value if isinstance(value, list) else [value]) if one not in ("", None)]


def _sorted_out(
    fields: Mapping[str, Property], settings: FormMapping, group: str
) -> tuple[dict[str, Property], dict[str, Property]]:
    """Traits and properties; a trait that the settings name wins over a recognised one.

    Then those win that stood in one group with the e-mail, and those of the standard name.
    """
    named = {field_name(field): trait for field, trait in settings.traits.items()}
    traits = {
        trait: trait_value(trait, fields[field])
        for field, trait in named.items()
        if field in fields
    }
    properties: dict[str, Property] = {}
    others = {
        field: _trait_of(field, value)
        for field, value in fields.items()
        if field not in named and origin_of_name(field, PARAMETERS) is None
    }
    is_named = any(
        trait in ("first_name", "last_name") and field.startswith(group)
        for field, trait in others.items()
    )
    for field in sorted(others, key=lambda field: _order(field, others[field], group)):
        trait = others[field]
        if trait in _OF_CONTAINERS and _is_of_container(field, group, is_named=is_named):
            trait = None
        if trait and trait not in traits:
            traits[trait] = trait_value(trait, fields[field])
        else:
            properties[field] = fields[field]
    return traits, {field: properties[field] for field in others if field in properties}


def _is_of_container(field: str, group: str, *, is_named: bool) -> bool:
    """Whether a field describes what holds the person: the form's name, a meeting's title.

    On the outermost level it may be the person's, unless they are named (``is_named``) elsewhere.
    """
    meaning = meaning_of_name(field)
    own = meaning.group if meaning else ""
    return own != group and group.startswith(own) and (own != "" or is_named)


def _trait_of(field: str, value: Property) -> str | None:
    """The trait of a field; ``None`` for another address than the lead's, and for ``Mr``."""
    trait = standard_name(field)
    if trait and only_addresses(trait, value):
        return None
    return None if trait == "email" else trait


def _order(field: str, trait: str | None, group: str) -> tuple[bool, bool, bool]:
    is_bare_title = trait == "title" and field.removeprefix(group) == "title"
    return is_bare_title, not field.startswith(group), trait != field


def _of_form(given_id: str | None, post: Post) -> str | None:
    """The id in a field, with the form's name: each form numbers its own entries."""
    return event_id(f"{post.form or post.source}:{given_id}", "The id") if given_id else None


def _id(content: str, post: Post, index: int) -> str:
    if post.sender_id:
        numbered = f"{post.sender_id}-{index}" if index else post.sender_id
        return event_id(numbered, "The id") or numbered
    # No id was sent. The same content on the same UTC day counts once: a double click, a reload.
    submitted = [post.form, post.received_at.date().isoformat(), content]
    return id_of_content(long_hash(text_of(submitted)))


def wanted_names(settings: FormMapping) -> Callable[[str], bool]:
    """Whether a field of a (flat) name may be kept, as a form's settings say."""
    known = known_names(settings)
    ignored = {field_name(name) for name in settings.ignore}

    def is_wanted(name: str) -> bool:
        return name not in ignored and (name in known or not _UNWANTED.fullmatch(name))

    return is_wanted


def known_names(settings: FormMapping) -> frozenset[str]:
    """The fields that the settings name, by their flat names, and those of anonymous ids."""
    named = _said(settings)
    return frozenset(
        {field_name(name) for name in (*named, *settings.traits) if name} | {*ANONYMOUS_ID}
    )


def needed_fields(settings: FormMapping) -> IsNeeded:
    """Whether a field may identify a person, or is named by a form's settings.

    It compares the name as sent, without case, brackets and marks: an id, or a name with ``mail``
    in it. In other languages the value decides: an address contains ``@``.
    """
    names = {*known_names(settings), *filter(None, _said(settings)), *settings.traits}
    known = {_bare(name.encode()) for name in names}

    def is_needed(name: bytes, value: bytes) -> bool:
        bare = _bare(name)
        return b"mail" in bare or bare in known or b"@" in value or b"%40" in value

    return is_needed


def _said(settings: FormMapping) -> tuple[str | None, ...]:
    """The fields, besides traits, that the settings name."""
    ids = (settings.user_id, settings.anonymous_id, settings.id)
    by = settings.event.by if isinstance(settings.event, EventChoice) else None
    return (settings.email, *ids, settings.time, by)


def _bare(name: bytes) -> bytes:
    return name.translate(_LOWER, _MARKS)
