"""A submission as an event. Pure; the rules are in the README beside this file."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from warmlead.domain.errors import Reason, RejectedError
from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.identity import normalise_email
from warmlead.sources.attribution import PARAMETERS, path_of, visit_of
from warmlead.sources.fields import event_id, field_name, flatten, long_hash, person_id
from warmlead.sources.generic.settings import FormSettings
from warmlead.sources.times import occurred_at, parse_time
from warmlead.sources.traits import standard_name, trait_value
from warmlead.web.strict_json import text_of

NAME = "generic"

_ANONYMOUS_ID = ("anonymous_id", "ajs_anonymous_id")
_PAGE = ("page_url", "source_url", "landing_page", "url")
# Never kept: what guards the form itself, and what no lead's record should hold.
_UNWANTED = re.compile(
    r".*(captcha|turnstile)_response|csrf.*|authenticity_token|.*password.*|passwd|pwd"
    r"|.*card_?number.*|cvv2?|cvc2?|ssn|iban"
)


class Post(NamedTuple):
    """What the submissions of one request have in common."""

    form: str
    settings: FormSettings
    trust: Trust
    received_at: datetime
    sender_id: str | None
    referer: str
    own_hosts: frozenset[str] = frozenset()


def is_trapped(submission: Mapping[str, Any], settings: FormSettings) -> bool:
    """Whether a robot filled the field that people do not see."""
    return settings.honeypot is not None and bool(submission.get(settings.honeypot))


def translate_submission(submission: Mapping[str, Any], post: Post, index: int) -> Event:
    """One submission as an event; raises ``RejectedError`` if it cannot be one."""
    settings = post.settings
    fields = _wanted(submission, settings)
    content = text_of(fields)
    email = _take_email(fields, settings)
    user_id = person_id(_take(fields, settings.user_id), "The user id")
    anonymous_id = _take_anonymous_id(fields, settings)
    if not (email or user_id or anonymous_id):
        raise RejectedError(
            Reason.IDENTITY_MISSING, "No field holds an email, a user id or an anonymous id."
        )
    given_id = event_id(_take(fields, settings.id), "The id")
    claimed = parse_time(_take(fields, settings.time), "The time")
    page = next((str(fields[name]) for name in _PAGE if name in fields), post.referer)
    visit = visit_of(
        url=page,
        referrer=_referrer(submission, fields, page, post),
        fields=fields,
        own_hosts=post.own_hosts,
    )
    traits, properties = _sorted_out(fields, settings)
    if page.startswith(("https://", "http://")) and path_of(page) != "/":
        properties.setdefault("path", path_of(page))
    if post.form:
        properties["form"] = post.form
    return Event.checked(
        id=given_id or _id(content, post, index),
        source=NAME,
        trust=post.trust,
        name=settings.event,
        occurred_at=occurred_at(claimed, post.received_at, "The time"),
        received_at=post.received_at,
        email=email,
        user_id=user_id,
        anonymous_id=anonymous_id,
        traits=traits,
        properties=properties,
        attribution=visit.attribution,
        direct=visit.direct,
    )


def _referrer(
    submission: Mapping[str, Any], fields: Mapping[str, Property], page: str, post: Post
) -> object:
    """What led to the page: empty if nothing did, and ``None`` if that cannot be known.

    Across origins a browser sends no more of the page than its origin, which may have come from
    anywhere.
    """
    if "referrer" in fields:
        return fields["referrer"]
    is_cut = page == post.referer and path_of(page) == "/" and "?" not in page
    return "" if submission.get("referrer") == "" and not is_cut else None


def _wanted(submission: Mapping[str, Any], settings: FormSettings) -> dict[str, Property]:
    """The fields to keep, flat and trimmed. A leading underscore marks what steers the form."""
    named = (settings.email, settings.user_id, settings.anonymous_id, settings.id, settings.time)
    known = {field_name(name) for name in (*named, *settings.traits) if name} | {*_ANONYMOUS_ID}
    ignored = {field_name(name) for name in settings.ignore}
    said = {
        key: value
        for key, value in submission.items()
        if not key.startswith("_") or field_name(key) in known
    }
    wanted: dict[str, Property] = {}
    for name, value in flatten(said).items():
        kept = value.strip() if isinstance(value, str) else value
        is_unwanted = name in ignored or (name not in known and _UNWANTED.fullmatch(name))
        if kept not in ("", None, []) and not is_unwanted:
            wanted[name] = kept
    if not wanted:
        raise RejectedError(Reason.EVENT_INVALID, "There is no field that could be kept.")
    return wanted


def _take(fields: dict[str, Property], name: str | None) -> Property:
    return fields.pop(field_name(name), None) if name else None


def _take_anonymous_id(fields: dict[str, Property], settings: FormSettings) -> str | None:
    names = (settings.anonymous_id,) if settings.anonymous_id else _ANONYMOUS_ID
    found = [_take(fields, name) for name in names]
    return next((id_ for value in found if (id_ := person_id(value, "The anonymous id"))), None)


def _take_email(fields: dict[str, Property], settings: FormSettings) -> str | None:
    """The first address in the field that is named, or in those that are called like one."""
    if settings.email:
        names = [field_name(settings.email)]
    else:
        names = [name for name in fields if standard_name(name) == "email"]
    given = [value for name in names if (value := fields.pop(name, None)) is not None]
    if not given:
        return None
    for value in given:
        if isinstance(value, str) and (email := normalise_email(value)):
            return email
    raise RejectedError(Reason.EMAIL_INVALID, "The email is no email address.")


def _sorted_out(
    fields: Mapping[str, Property], settings: FormSettings
) -> tuple[dict[str, Property], dict[str, Property]]:
    """Traits and properties; a trait that the settings name wins over a recognised one."""
    named = {field_name(field): trait for field, trait in settings.traits.items()}
    traits = {
        trait: trait_value(trait, fields[field])
        for field, trait in named.items()
        if field in fields
    }
    properties: dict[str, Property] = {}
    for field, value in fields.items():
        if field in named or field in PARAMETERS:
            continue
        trait = standard_name(field)
        if trait == "email":
            trait = None  # the lead's was taken out before; this is another one
        if trait and trait not in traits and (trait == field or trait not in fields):
            traits[trait] = trait_value(trait, value)
        else:
            properties[field] = value
    return traits, properties


def _id(content: str, post: Post, index: int) -> str:
    if post.sender_id:
        numbered = f"{post.sender_id}-{index}" if index else post.sender_id
        return event_id(numbered, "The id") or numbered
    # No id was sent. The same content on the same UTC day counts once: a double click, a reload.
    submitted = [post.form, post.received_at.date().isoformat(), content]
    return f"hash-{long_hash(text_of(submitted))}"
