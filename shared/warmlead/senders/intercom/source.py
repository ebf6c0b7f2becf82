"""Intercom's webhooks: conversations, addresses left, and subscriptions to mail."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from warmlead.parsing.signatures import WebhookScheme
from warmlead.ports import RawRequest
from warmlead.senders.chats import (
    MOST_MESSAGES,
    OTHERS,
    WIDGET,
    from_html,
    id_of,
    message,
    name_of,
    nothing,
    on_page,
    rating,
    seen_at,
)
from warmlead.senders.person import long_hash
from warmlead.senders.proofs import Proof, Signed
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
from warmlead.web.answers import Answer

_CONTACTS = ("user", "lead", "contact", "visitor")
_FIRST = "conversation.user.created message"

MOST_LISTS = 100
"""Mailing lists that one notification names: more than a workspace has. Later ones are left out."""


class IntercomSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are client secrets of the app in Intercom's Developer Hub."""


class IntercomSource(WebhookSender):
    """Notifications of topics (https://developers.intercom.com/docs/webhooks)."""

    name = "intercom"
    path = "intercom"
    proof: ClassVar[Proof] = Signed(
        WebhookScheme(header="X-Hub-Signature", algorithm="sha1", prefix="sha1=")
    )
    meanings: ClassVar = {
        "conversation.user.created": "chat_started",
        _FIRST: "chat_message_sent",
        "conversation.user.replied": "chat_message_sent",
        "conversation.rating.added": "chat_rated",
        "contact.lead.added_email": "identified",
        "contact.email.updated": "identified",
        "contact.unsubscribed": "email_unsubscribed",
        "granular.unsubscribe": "email_unsubscribed",
        "contact.subscribed": "email_subscribed",
        "granular.subscribe": "email_subscribed",
        **OTHERS,
        "ping": None,
    }
    once = "the conversation's `id`, and that of each part"
    retries = "once, after a minute; 1,000 errors pause it for 15 minutes"
    tries_address = "`HEAD`"

    def handshake(self, request: RawRequest) -> Answer | None:
        """Success for the HEAD by which Intercom tries an address; nobody proves anything by it."""
        return Answer(200, b"") if request.method == "HEAD" else None

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What the topic says of its item."""
        topic = text(item.get("topic"))
        about = group(item, "data", "item")
        if topic == "conversation.user.created":
            return _opened(topic, about)
        if topic == "conversation.user.replied":
            return _replied(topic, about)
        if topic == "conversation.rating.added":
            return [Said(topic, _rated(about))]
        if topic in ("contact.lead.added_email", "contact.email.updated"):
            return [Said(topic, _identified(about))]
        if self.meanings.get(topic) in ("email_unsubscribed", "email_subscribed"):
            return _subscription(topic, about)
        return [Said(topic)]


def _opened(topic: str, conversation: Mapping[str, Any]) -> Iterator[Said]:
    """The conversation, and the message with which its contact opened it."""
    opening = _opening(conversation)
    if not _is_contact(opening):
        yield nothing()
        return
    started = _People(conversation).fact_of(group(opening, "author"))
    told = {"time": conversation.get("created_at"), "fields": seen_at(opening.get("url"))}
    about = {"channel": _channel(opening)}
    id_ = id_of("conversation", conversation.get("id"))
    yield Said(topic, replace(started, id=id_, properties=about, **told))
    words = message(from_html(opening.get("body")), channel=_channel(opening), first=True)
    first = id_of("message", opening.get("id"))
    yield Said(_FIRST, replace(started, id=first, properties=words, **told))


def _replied(topic: str, conversation: Mapping[str, Any]) -> Iterator[Said]:
    """What contacts wrote; of a conversation that the team opened it is unknown who was first."""
    opening, people = _opening(conversation), _People(conversation)
    first = False if _is_contact(opening) else None
    parts = records(part(conversation, "conversation_parts", "conversation_parts"))
    theirs = [one for one in parts if _is_contact(one)]
    for one in theirs[:MOST_MESSAGES]:
        words = message(from_html(one.get("body")), channel=_channel(opening), first=first)
        fact = people.fact_of(group(one, "author"))
        yield Said(
            topic,
            replace(
                fact,
                id=id_of("part", one.get("id")),
                time=one.get("created_at"),
                properties={**words, **on_page(opening.get("url"))},
            ),
        )
    if not theirs:
        yield nothing()


def _rated(conversation: Mapping[str, Any]) -> Fact:
    rated = group(conversation, "conversation_rating")
    score, opening = rated.get("rating"), _opening(conversation)
    who = group(rated, "contact") or group(rated, "customer")
    return replace(
        _People(conversation).fact_of(who or group(opening, "author")),
        id=id_of("rating", conversation.get("id"), score),
        time=rated.get("updated_at") or conversation.get("updated_at"),
        properties=rating(score, rated.get("remark"), channel=_channel(opening)),
    )


def _identified(contact: Mapping[str, Any]) -> Fact:
    email = text(contact.get("email"))
    id_ = f"email-{text(contact.get('id'))}-{long_hash(email)}"
    return replace(_of_contact(contact), id=id_, time=contact.get("updated_at"))


def _subscription(topic: str, about: Mapping[str, Any]) -> Iterator[Said]:
    """A subscription to all mail, or to the lists that are named; those of SMS are left out."""
    contact = group(about, "contact")
    lists = records(part(about, "subscription_types", "data"))
    of_mail = [one for one in lists if _is_of_mail(one)][:MOST_LISTS]
    said = f"{topic}-{text(contact.get('id'))}-{text(about.get('created_at'))}"
    for one in of_mail or ([{}] if not lists else []):
        named = text(part(one, "default_translation", "name")) or text(one.get("id"))
        yield Said(
            topic,
            replace(
                _of_contact(contact),
                id=f"{said}-{text(one.get('id'))}",
                time=about.get("created_at"),
                properties={"mailing_list": named},
            ),
        )
    if lists and not of_mail:
        yield nothing()


def _is_of_mail(subscription: Mapping[str, Any]) -> bool:
    types = subscription.get("content_types")
    return not isinstance(types, list) or "email" in types


def _opening(conversation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first message; version 1 of the API calls it otherwise."""
    return group(conversation, "source") or group(conversation, "conversation_message")


def _is_contact(written: Mapping[str, Any]) -> bool:
    return part(written, "author", "type") in _CONTACTS


def _channel(opening: Mapping[str, Any]) -> str:
    channel = text(opening.get("type")).lower()
    return WIDGET if channel in ("", "conversation", "conversation_message") else channel


class _People:
    """Who takes part in a conversation; a message tells less of them than it does."""

    def __init__(self, conversation: Mapping[str, Any]) -> None:
        listed = records(part(conversation, "contacts", "contacts"))
        older = group(conversation, "user")
        self._known = {text(one.get("id")): one for one in (older, *listed)}
        self._opener = group(_opening(conversation), "author")

    def fact_of(self, author: Mapping[str, Any]) -> Fact:
        """Who wrote a message."""
        id_ = text(author.get("id"))
        known = self._known.get(id_, {})
        more = self._opener if text(self._opener.get("id")) == id_ else {}
        role = known.get("type") if known.get("type") in ("user", "lead") else author.get("type")
        return _of_contact(
            {
                "id": id_,
                "role": role,
                "external_id": known.get("external_id") or known.get("user_id"),
                "email": author.get("email") or known.get("email") or more.get("email"),
                "name": author.get("name") or known.get("name") or more.get("name"),
            }
        )


def _of_contact(contact: Mapping[str, Any]) -> Fact:
    """A contact as a person. The external id of a lead is Intercom's own, of a user the company's.

    A lead without an address has a name only if Intercom made it up.
    """
    id_, email = text(contact.get("id")), text(contact.get("email"))
    is_user = contact.get("role") == "user"
    named = {"name": name_of(contact.get("name"))} if is_user or email else {}
    place = group(contact, "location")
    return Fact(
        email=email or None,
        user_id=text(contact.get("external_id")) if is_user else None,
        anonymous_id=f"intercom:{id_}" if id_ else None,
        traits={
            **named,
            "phone": contact.get("phone"),
            "city": place.get("city"),
            "country": place.get("country_code") or place.get("country"),
        },
    )
