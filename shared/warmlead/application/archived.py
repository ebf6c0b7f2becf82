"""What the archive of one machine keeps of a person: to be shown, or to be erased.

Events and triggers are known by the id in their attributes. What lies in quarantine is searched:
an e-mail is recognised anywhere, another identifier in a field whose name ends in ``id``.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote_plus

import msgspec

from warmlead.application.messages import read_events, read_quarantined
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import CRM_ID, snake_case
from warmlead.domain.identity import (
    Identifier,
    Kind,
    LeadIds,
    identifiers_of,
    normalise_email,
    normalise_id,
)
from warmlead.domain.trigger import TRIGGER_TOPICS, Topic
from warmlead.ports import Archive, Published

_BEFORE_AT = re.compile(r"[\w.!#$%'*+^`{|}~-]+\Z")
_AFTER_AT = re.compile(r"\w[\w.-]*")
_MAX_LOCAL, _MAX_DOMAIN = 64, 253
_CRM_RECORD = re.compile(rf"{CRM_ID}\S+")


class _Dated(msgspec.Struct):
    """The one thing that matters of a trigger here: when it came about."""

    time: datetime


class Mention(NamedTuple):
    """A message about a person: whom it names, by id, and how early it is about them."""

    published: Published
    ids: frozenset[str]
    at: datetime


async def about(ids: Collection[str], *, archive: Archive, of: LeadIds) -> list[Mention]:
    """Every message about the identifiers of these ids, in the order of publishing."""
    wanted = frozenset(ids)
    found = [
        Mention(each, frozenset([each.message.attributes["lead_id"]]), _came_about(each))
        async for each in archive.of_leads(ids)
    ]
    found += [
        Mention(each, named, each.at)
        async for each in archive.read(Topic.QUARANTINE)
        if (named := _named(each, of) & wanted)
    ]
    return sorted(found, key=lambda each: each.published.number)


def _came_about(published: Published) -> datetime:
    """When a trigger was made, or the last of some events was known: it may be sent much later."""
    if published.topic in TRIGGER_TOPICS:
        return msgspec.json.decode(published.message.body, type=_Dated).time
    try:
        events = read_events(published.message.body)
    except RejectedError:
        return published.at
    return max(min(event.occurred_at, event.received_at) for event in events)


def _named(published: Published, of: LeadIds) -> frozenset[str]:
    """The ids of all whom an entry of the quarantine may be about."""
    body = published.message.body
    try:
        entry = read_quarantined(body)
    except ValueError:  # a newer release wrote it, or it is damaged
        return frozenset(map(of.of, _identifiers_in(body.decode("utf-8", "replace"))))
    if entry.event:
        return frozenset(map(of.of, identifiers_of(entry.event)))
    asked = [Identifier(Kind.USER, id_) for id_ in _CRM_RECORD.findall(entry.message)]
    return frozenset(map(of.of, (*asked, *_identifiers_in(entry.raw or ""))))


def _identifiers_in(raw: str) -> Iterator[Identifier]:
    yield from _addresses_in(raw)
    yield from _addresses_in(unquote_plus(raw))
    try:
        content = msgspec.json.decode(raw)
    except ValueError:
        return
    yield from _ids_in(content)


def _ids_in(content: object) -> Iterator[Identifier]:
    """The identifiers in what was JSON, however deep: without recursion, as strangers sent it."""
    waiting: list[tuple[str, object]] = [("", content)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, str | int) and snake_case(name).endswith("id"):
            id_ = normalise_id(str(value))
            yield from (Identifier(kind, id_) for kind in (Kind.USER, Kind.ANONYMOUS) if id_)
        if isinstance(value, str):
            yield from _addresses_in(value)


def _addresses_in(text: str) -> Iterator[Identifier]:
    """The e-mails in a text, whatever stands around them. Around each @ little is looked at."""
    for before, after in pairwise(text.split("@")):
        local = _BEFORE_AT.search(before[-_MAX_LOCAL:])
        domain = _AFTER_AT.match(after[:_MAX_DOMAIN])
        if local and domain and (email := _normalised(local[0], domain[0])):
            yield Identifier(Kind.EMAIL, email)


def _normalised(local: str, domain: str) -> str | None:
    return normalise_email(f"{local.strip('.!')}@{domain.rstrip('.-')}")
