"""What the archive of one machine keeps of a person: to be shown, or to be erased.

Events and triggers are known by the id in their attributes. What lies in quarantine is searched:
an e-mail is recognised anywhere, another identifier in a field whose name ends in ``id``.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote_plus

import msgspec

from warmlead.application.messages import Quarantined, read_events, read_quarantined
from warmlead.domain.errors import RejectedError
from warmlead.domain.event import snake_case
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

_AROUND_ADDRESSES = re.compile(r"[\s\"'<>()\[\]{}&=,;:\\]+")


class _Dated(msgspec.Struct):
    """The one thing that matters of a trigger here: when it came about."""

    time: datetime


class Found(NamedTuple):
    """A message about a person: whom it names, by id, and how early it is about them."""

    published: Published
    ids: frozenset[str]
    at: datetime


async def about(ids: Collection[str], *, archive: Archive, of: LeadIds) -> list[Found]:
    """Every message about the identifiers of these ids, in the order of publishing."""
    wanted = frozenset(ids)
    found = [
        Found(each, frozenset([each.message.attributes["lead_id"]]), _came_about(each))
        async for each in archive.of_leads(ids)
    ]
    found += [
        Found(each, named, each.at)
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
    entry = read_quarantined(published.message.body)
    return frozenset(map(of.of, _identifiers_in(entry)))


def _identifiers_in(entry: Quarantined) -> Iterator[Identifier]:
    if entry.event:
        yield from identifiers_of(entry.event)
        return
    raw = entry.raw or ""
    for text in (raw, unquote_plus(raw)):
        for word in _AROUND_ADDRESSES.split(text):
            if "@" in word and (email := normalise_email(word)):
                yield Identifier(Kind.EMAIL, email)
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
        if isinstance(value, str) and (email := normalise_email(value)):
            yield Identifier(Kind.EMAIL, email)
