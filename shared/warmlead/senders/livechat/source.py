"""LiveChat's webhooks: chats, messages, pre-chat surveys and ratings."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from warmlead.senders.chats import (
    MOST_MESSAGES,
    OTHERS,
    id_of,
    message,
    name_of,
    nothing,
    plain,
    rating,
    seen_at,
)
from warmlead.senders.proofs import KeyInBody, Proof
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import (
    Asked,
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    part,
    records,
    text,
)

_MESSAGE = "incoming_event"
_SURVEY = "filled_form"
_CUSTOMER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""Ids of customers; those of agents are addresses, and those of bots have no hyphens."""

_SCORES = {0: 1, 1: 5}
"""LiveChat asks for good or bad; ratings of other tools go from 1 to 5."""


class LiveChatSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the ``secret_key`` with which each webhook was registered."""


class LiveChatSource(WebhookSender):
    """Webhooks of an app (https://platform.text.com/docs/management/webhooks)."""

    name = "livechat"
    path = "livechat"
    proof: ClassVar[Proof] = KeyInBody("secret_key")
    meanings: ClassVar = {
        "incoming_chat": "chat_started",
        _MESSAGE: "chat_message_sent",
        _SURVEY: "identified",
        "thread_properties_updated": "chat_rated",
        "chat_deactivated": "chat_ended",
        **OTHERS,
        "incoming_customer": None,
    }
    once = "the thread's id, and that of each event"
    retries = "3 times in a minute, after any answer but 200"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What the action says of its customer."""
        kind, payload = text(item.get("action")), group(item, "payload")
        thread = text(payload.get("thread_id"))
        if kind == "incoming_chat":
            return _started(kind, group(payload, "chat"))
        if kind == _MESSAGE:
            event = group(payload, "event")
            return [_event(event, _of_id(text(event.get("author_id"))))]
        if kind == "thread_properties_updated":
            rated = group(payload, "properties", "rating")
            score = rated.get("score")
            known = _SCORES.get(score) if isinstance(score, int) else None
            told = replace(
                _present(item),
                id=id_of(thread, "rated", known),
                properties=rating(known, rated.get("comment")),
            )
            return [Said(kind, told) if known and told.anonymous_id else nothing()]
        if kind == "chat_deactivated":
            ended = replace(
                _present(item), id=id_of(thread, "ended"), properties={"channel": "chat"}
            )
            return [Said(kind, ended) if ended.anonymous_id else nothing()]
        return [Said(kind)]


def _started(kind: str, chat: Mapping[str, Any]) -> Iterator[Said]:
    """A new thread of a chat, and what its customer has written in it already."""
    users, thread = records(chat.get("users")), group(chat, "thread")
    customer = next((one for one in users if one.get("type") == "customer"), {})
    who = _of_id(text(customer.get("id")))
    pages = records(part(customer, "last_visit", "last_pages"))
    start = part(thread, "properties", "routing", "start_url")
    page = seen_at(start or (pages[-1].get("url") if pages else None))
    known = replace(
        who,
        email=text(customer.get("email")) or None,
        traits={"name": name_of(customer.get("name"))},
        fields=page,
    )
    id_ = id_of(thread.get("id"), "started")
    about = {"channel": "chat"}
    yield Said(kind, replace(known, id=id_, time=thread.get("created_at"), properties=about))
    first = True
    own = text(customer.get("id"))
    theirs = [one for one in records(thread.get("events")) if text(one.get("author_id")) == own]
    for one in theirs[:MOST_MESSAGES]:
        said = _event(one, known, first=first)
        first = first and said.kind != _MESSAGE
        yield said


def _event(event: Mapping[str, Any], customer: Fact, *, first: bool | None = None) -> Said:
    """A message or a survey of a customer; others write notes, files and messages too."""
    kind = event.get("type")
    if not customer.anonymous_id or event.get("visibility") == "agents":
        return nothing()
    fact = replace(customer, id=text(event.get("id")) or None, time=event.get("created_at"))
    if kind == "message":
        words = message(plain(event.get("text")), first=first)
        return Said(_MESSAGE, replace(fact, properties=words))
    if kind == _SURVEY:
        return Said(_SURVEY, fact, [_asked(one) for one in records(event.get("fields"))])
    return nothing()


def _asked(field: Mapping[str, Any]) -> Asked:
    answer = field.get("answers", field.get("answer"))
    if isinstance(answer, list):
        value: Any = [part(one, "label") for one in answer]
    else:
        value = part(answer, "label") or answer
    return Asked((text(field.get("label")), text(field.get("id"))), value, text(field.get("type")))


def _of_id(id_: str) -> Fact:
    """The customer of an id; nobody if it is that of an agent or a bot."""
    return Fact(anonymous_id=f"livechat:{id_}" if _CUSTOMER.fullmatch(id_) else None)


def _present(item: Mapping[str, Any]) -> Fact:
    """The customer among those who are in the chat."""
    ids = part(item, "additional_data", "chat_presence_user_ids")
    listed = [text(one) for one in ids] if isinstance(ids, list) else []
    return _of_id(next((one for one in listed if _CUSTOMER.fullmatch(one)), ""))
