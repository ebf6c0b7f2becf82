"""tawk.to's webhooks: chats that start and end, their transcripts, and tickets."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.chats import MOST_MESSAGES, OTHERS, id_of, message, name_of, nothing, plain
from warmlead.senders.person import long_hash
from warmlead.senders.proofs import Proof, Signed
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import (
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    records,
    text,
)

_VISITORS = ("visitor", "v")
_AGENTS = ("agent", "a")
_FIRST = "chat:start message"
_MESSAGE = "chat:transcript_created message"
_LEFT = "chat:transcript_created with an address"
_MISSED = "chat:transcript_created without an agent"


class TawkSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those that tawk.to shows at each webhook."""


class TawkSource(WebhookSender):
    """Webhooks of a property (https://developer.tawk.to/webhooks/)."""

    name = "tawk"
    path = "tawk"
    proof: ClassVar[Proof] = Signed(WebhookScheme(header="X-Tawk-Signature", algorithm="sha1"))
    meanings: ClassVar = {
        "chat:start": "chat_started",
        _FIRST: "chat_message_sent",
        _MESSAGE: "chat_message_sent",
        _LEFT: "identified",
        _MISSED: "chat_missed",
        "chat:end": "chat_ended",
        "ticket:create": FORM_SUBMITTED,
        **OTHERS,
    }
    once = "the chat's id with the message's number, and the ticket's id"
    retries = "for 12 hours, after any answer but 2xx"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What the event says of its visitor."""
        kind = text(item.get("event"))
        if kind == "chat:transcript_created":
            return _transcript(item)
        if kind == "ticket:create":
            return [Said(kind, _ticket(item))]
        if kind in ("chat:start", "chat:end"):
            return _chat(kind, item)
        return [Said(kind)]


def _chat(kind: str, item: Mapping[str, Any]) -> Iterator[Said]:
    """A chat that starts or ends, and the message that it starts with if the visitor wrote it."""
    chat, written = text(item.get("chatId")), group(item, "message")
    visitor = replace(_visitor(chat, group(item, "visitor")), time=item.get("time"))
    if kind == "chat:start" and part(written, "sender", "type") not in _VISITORS:
        yield nothing()
        return
    yield Said(kind, replace(visitor, id=id_of(chat, kind), properties={"channel": "chat"}))
    if kind == "chat:start":
        yield Said(_FIRST, _sent(visitor, id_of(chat, 1), plain(written.get("text")), first=True))


def _transcript(item: Mapping[str, Any]) -> Iterator[Said]:
    """The visitor's messages; the first is that of the start, if the visitor started it."""
    chat = group(item, "chat")
    id_, messages = text(chat.get("id")), records(chat.get("messages"))
    came_from = {"referrer": item["referrer"]} if text(item.get("referrer")) else {}
    visitor = replace(_visitor(id_, group(chat, "visitor")), fields=came_from)
    people = [one for one in messages if _type(one) in (*_VISITORS, *_AGENTS)]
    theirs = [one for one in people if _type(one) in _VISITORS]
    for number, one in enumerate(theirs[:MOST_MESSAGES], 1):
        sent = replace(visitor, time=one.get("time") or item.get("time"))
        words, is_first = plain(one.get("msg")), one is people[0]
        yield Said(_MESSAGE, _sent(sent, id_of(id_, number), words, first=is_first))
    if theirs and visitor.email:
        left = replace(visitor, id=f"{id_}-email-{long_hash(visitor.email)}")
        yield Said(_LEFT, replace(left, time=item.get("time")))
    if theirs and len(theirs) == len(people):
        missed = replace(visitor, id=id_of(id_, "missed"), time=item.get("time"))
        about = {"channel": "chat", "message": plain(theirs[0].get("msg"))}
        yield Said(_MISSED, replace(missed, properties=about))
    if not theirs:
        yield nothing()


def _type(written: Mapping[str, Any]) -> str:
    return text(part(written, "sender", "t") or part(written, "sender", "type"))


def _ticket(item: Mapping[str, Any]) -> Fact:
    """What was asked while nobody was there."""
    ticket, requester = group(item, "ticket"), group(item, "requester")
    return Fact(
        id=id_of("ticket", ticket.get("id")),
        time=item.get("time"),
        form="ticket",
        email=text(requester.get("email")) or None,
        traits={"name": name_of(requester.get("name"))},
        properties={
            "topic": plain(ticket.get("subject")),
            "message": plain(ticket.get("message")),
        },
    )


def _visitor(chat: str, visitor: Mapping[str, Any]) -> Fact:
    """Who chats. A visitor has no id: one without an address is known by the chat."""
    return Fact(
        email=text(visitor.get("email")) or None,
        anonymous_id=f"tawk:{chat}" if chat else None,
        traits={
            "name": name_of(visitor.get("name")),
            "city": visitor.get("city"),
            "country": visitor.get("country"),
        },
    )


def _sent(visitor: Fact, id_: str | None, words: str, *, first: bool) -> Fact:
    return replace(visitor, id=id_, properties=message(words, first=first))
