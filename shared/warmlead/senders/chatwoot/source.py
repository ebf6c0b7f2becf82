"""Chatwoot's webhooks: conversations, messages, addresses left and ratings."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from warmlead.domain.errors import RejectedError
from warmlead.parsing.signatures import WebhookScheme
from warmlead.parsing.times import parse_time
from warmlead.senders.chats import (
    OTHERS,
    id_of,
    message,
    name_of,
    nothing,
    on_page,
    plain,
    rating,
    seen_at,
)
from warmlead.senders.person import long_hash
from warmlead.senders.proofs import EitherProof, KeyInAddress, Proof, Signed
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

_RATED = "message_updated with a rating"
_LEFT = "message_updated with an address"
_RESOLVED = "conversation_status_changed resolved"
_INCOMING = ("incoming", 0)
_WIDGETS = {"webwidget": "chat", "facebookpage": "facebook", "twitterprofile": "twitter"}

FIRST_WITHIN_S = 5.0
"""The widget makes a conversation together with its first message: no other is as near."""


class ChatwootSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those that Chatwoot shows at each webhook, or stand in its address."""


class ChatwootSource(WebhookSender):
    """Webhooks of an account (https://www.chatwoot.com/hc/user-guide/articles/1677693021)."""

    name = "chatwoot"
    path = "chatwoot"
    proof: ClassVar[Proof] = EitherProof(
        Signed(
            WebhookScheme(
                header="X-Chatwoot-Signature",
                text="{time}.{body}",
                prefix="sha256=",
                time_header="X-Chatwoot-Timestamp",
            )
        ),
        KeyInAddress(),
    )
    meanings: ClassVar = {
        "conversation_created": "chat_started",
        "message_created": "chat_message_sent",
        _RATED: "chat_rated",
        _LEFT: "identified",
        "contact_updated": "identified",
        _RESOLVED: "chat_ended",
        **OTHERS,
        "webwidget_triggered": None,
    }
    once = "`id`, of a conversation with the account's"
    retries = "never, or as your version of Chatwoot does"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What the event says of its contact."""
        kind = text(item.get("event"))
        if kind in ("conversation_created", "conversation_status_changed"):
            return [_of_conversation(kind, item)]
        if kind == "message_created":
            return [_written(kind, item)]
        if kind == "message_updated":
            return [_answered(item)]
        if kind == "contact_updated":
            return [_left(kind, item, item)]
        return [Said(kind)]


def _of_conversation(kind: str, item: Mapping[str, Any]) -> Said:
    """A conversation that a contact opened, or that is done."""
    wrote = group(item, "messages", 0)
    by_team = bool(wrote) and wrote.get("message_type") not in _INCOMING
    contact = _contact(group(item, "meta", "sender"), item)
    told = {"channel": _channel(item)}
    if kind == "conversation_created" and not by_team:
        at = item.get("created_at") or item.get("timestamp")
        id_ = id_of(_account(item), "conversation", item.get("id"))
        page = seen_at(_page(item))
        return Said(kind, replace(contact, id=id_, time=at, properties=told, fields=page))
    if kind == "conversation_status_changed" and item.get("status") == "resolved":
        at = item.get("updated_at") or item.get("timestamp")
        id_ = id_of(_account(item), "resolved", item.get("id"), at)
        return Said(_RESOLVED, replace(contact, id=id_, time=at, properties=told))
    return nothing()


def _written(kind: str, item: Mapping[str, Any]) -> Said:
    conversation = group(item, "conversation")
    if item.get("message_type") not in _INCOMING or item.get("private") is True:
        return nothing()
    contact = _contact({**group(conversation, "meta", "sender"), **_of_sender(item)}, conversation)
    at, page = item.get("created_at"), _page(conversation)
    first = _is_first(at, conversation.get("created_at"))
    words = message(plain(item.get("content")), channel=_channel(conversation), first=first)
    sent = replace(contact, id=id_of("message", item.get("id")), time=at)
    if first:
        return Said(kind, replace(sent, properties=words, fields=seen_at(page)))
    return Said(kind, replace(sent, properties={**words, **on_page(page)}))


def _of_sender(item: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of who wrote an incoming message."""
    return {name: value for name, value in group(item, "sender").items() if value is not None}


def _answered(item: Mapping[str, Any]) -> Said:
    """What a contact answered to a message that asks: an address, or a rating."""
    conversation, said = group(item, "conversation"), group(item, "content_attributes")
    sender = group(conversation, "meta", "sender")
    if email := text(said.get("submitted_email")):
        return _left(_LEFT, {**sender, "email": email}, conversation)
    answer = group(said, "submitted_values", "csat_survey_response")
    score = answer.get("rating")
    if not isinstance(score, int):
        return nothing()
    told = rating(score, answer.get("feedback_message"), channel=_channel(conversation))
    id_ = id_of("rating", item.get("id"), score)
    return Said(_RATED, replace(_contact(sender, conversation), id=id_, properties=told))


def _left(kind: str, who: Mapping[str, Any], about: Mapping[str, Any]) -> Said:
    """An address that a contact has; nothing if they have none."""
    email = text(who.get("email"))
    if not email:
        return nothing()
    known = f"email-{text(who.get('id'))}-{long_hash(email)}"
    return Said(kind, replace(_contact(who, about), id=known))


def _contact(who: Mapping[str, Any], conversation: Mapping[str, Any]) -> Fact:
    """A contact as a person. Any visitor may claim an identifier, so that needs its hash."""
    id_ = text(who.get("id"))
    verified = part(conversation, "contact_inbox", "hmac_verified") is True
    return Fact(
        email=text(who.get("email")) or None,
        user_id=text(who.get("identifier")) or None if verified else None,
        anonymous_id=f"chatwoot:{id_}" if id_ else None,
        traits={"name": name_of(who.get("name")), "phone": who.get("phone_number")},
    )


def _page(conversation: Mapping[str, Any]) -> object:
    """The page on which the widget was when the conversation began."""
    return part(conversation, "additional_attributes", "referer")


def _channel(conversation: Mapping[str, Any]) -> str:
    channel = text(conversation.get("channel")).rpartition("::")[2].lower()
    return _WIDGETS.get(channel, channel) or "chat"


def _account(item: Mapping[str, Any]) -> str:
    """The account, of which each numbers its own conversations."""
    account = text(part(item, "account", "id")) or text(item.get("account_id"))
    return account or text(part(records(item.get("messages")), 0, "account_id")) or "0"


def _is_first(sent: object, began: object) -> bool | None:
    """Whether a message opened its conversation; ``None`` if a time is not known."""
    try:
        times = parse_time(sent, "created_at"), parse_time(began, "created_at")
    except RejectedError:
        return None
    if times[0] is None or times[1] is None:
        return None
    return abs((times[0] - times[1]).total_seconds()) <= FIRST_WITHIN_S
