"""Drift's webhooks: messages of contacts, and addresses that they leave."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from warmlead.senders.chats import OTHERS, from_html, id_of, message, name_of, nothing
from warmlead.senders.person import long_hash
from warmlead.senders.proofs import KeyInBody, Proof
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import (
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    records,
    text,
)

_STARTED = "new_message with preMessages"


class DriftSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are verification tokens of the app."""


class DriftSource(WebhookSender):
    """Events of an app (https://devdocs.drift.com/docs/webhook-events-1)."""

    name = "drift"
    path = "drift"
    proof: ClassVar[Proof] = KeyInBody("token")
    meanings: ClassVar = {
        _STARTED: "chat_started",
        "new_message": "chat_message_sent",
        "contact_identified": "identified",
        "contact_updated": "identified",
        **OTHERS,
    }
    once = "the message's id, and the conversation's"
    retries = "unknown"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What the event says of its contact."""
        kind, data = text(item.get("type")), group(item, "data")
        if kind == "new_message":
            return _written(kind, data)
        if kind == "contact_identified":
            known = group(data, "attributes")
            return [_left(kind, data.get("id"), data.get("createdAt"), known)]
        if kind == "contact_updated":
            changes = {
                text(one.get("name")).removeprefix("attributes."): one.get("updated")
                for one in records(data.get("diff"))
            }
            if not changes.get("email"):
                return [nothing()]
            return [_left(kind, data.get("endUserId"), data.get("timestamp"), changes)]
        return [Said(kind)]


def _written(kind: str, data: Mapping[str, Any]) -> Iterator[Said]:
    """A message of a contact. Their first one brings along what a bot had said before."""
    if part(data, "author", "type") != "contact" or data.get("type", "chat") != "chat":
        yield nothing()
        return
    contact = _of_id(part(data, "author", "id"))
    contact = replace(contact, time=data.get("createdAt"))
    is_first = bool(part(data, "attributes", "preMessages"))
    if is_first:
        started = id_of("conversation", data.get("conversationId"))
        yield Said(_STARTED, replace(contact, id=started, properties={"channel": "chat"}))
    words = message(from_html(data.get("body")), first=is_first or None)
    yield Said(kind, replace(contact, id=id_of("message", data.get("id")), properties=words))


def _left(kind: str, id_: object, at: object, known: Mapping[str, Any]) -> Said:
    email = text(known.get("email"))
    return Said(
        kind,
        replace(
            _of_id(id_),
            id=f"email-{text(id_)}-{long_hash(email)}",
            time=at if kind == "contact_updated" else None,  # the other is that of the contact
            email=email or None,
            traits={"name": name_of(known.get("name")), "phone": known.get("phone")},
        ),
    )


def _of_id(id_: object) -> Fact:
    return Fact(anonymous_id=f"drift:{text(id_)}" if text(id_) else None)
