"""Chats from any tool: JSON of our own, signed."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.domain.errors import Reason, RejectedError
from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.chats import WIDGET, message, name_of, plain, rating, seen_at
from warmlead.senders.claims import Claims
from warmlead.senders.proofs import EitherProof, Proof, Signed, StandardWebhooks
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, group, text

_EVENTS = (
    *("chat_started", "chat_message_sent", "chat_message_received", "chat_rated"),
    *("chat_missed", "chat_ended", "identified"),
)
_IDENTITY = ("email", "user_id", "anonymous_id", "id", "name")


class ChatSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets sign, by Standard Webhooks or with an HMAC of the body."""


class ChatSource(WebhookSender):
    """What happens in a chat of any tool, at ``/generic``."""

    name = "chat"
    path = "generic"
    is_known_by_body = False  # it takes any tool's
    proof: ClassVar[Proof] = EitherProof(
        StandardWebhooks(), Signed(WebhookScheme(header="X-Signature"))
    )
    meanings: ClassVar = {event: event for event in _EVENTS}
    once = "`id`"
    retries = "as its sender does"

    def claims_of(self, kind: str, name: str) -> Claims:  # noqa: ARG002  # whatever it says
        """Nothing: who holds the secret is the company's own, and answers for what it sends."""
        return Claims.NOTHING

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The event under its name."""
        kind, chat, visitor = (
            text(item.get("event")),
            text(item.get("chat")),
            group(item, "visitor"),
        )
        id_ = text(item.get("id"))
        if kind == "chat_started":
            id_ = id_ or chat
        if not id_:
            raise RejectedError(Reason.EVENT_ID_INVALID, "The field id is missing.")
        known = {name: value for name, value in visitor.items() if name not in _IDENTITY}
        theirs = text(visitor.get("anonymous_id")) or text(visitor.get("id"))
        yield Said(
            kind,
            Fact(
                fields={**known, **seen_at(item.get("url"))},
                id=f"{kind}-{id_}",
                time=item.get("time"),
                email=visitor.get("email"),
                user_id=visitor.get("user_id"),
                anonymous_id=theirs or (f"chat:{chat}" if chat else None),
                traits={"name": name_of(visitor.get("name"))},
                properties=_told(self._settings.events.get(kind) or kind, item),
            ),
        )


def _told(kind: str, item: Mapping[str, Any]) -> Mapping[str, Any]:
    channel, words = text(item.get("channel")) or WIDGET, plain(item.get("text"))
    if kind == "chat_rated":
        return rating(item.get("rating"), words, channel=channel)
    if kind != "chat_message_sent":
        return {"channel": channel, "message": words if kind == "chat_missed" else ""}
    first, asks = item.get("first"), item.get("is_question")
    told = message(words, channel=channel, first=first if isinstance(first, bool) else None)
    return {**told, "is_question": asks} if isinstance(asks, bool) else told
