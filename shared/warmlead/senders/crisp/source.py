"""Crisp's hooks: messages of visitors, their address, ratings, subscriptions."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from warmlead.parsing.signatures import WebhookScheme
from warmlead.senders.chats import OTHERS, id_of, message, name_of, nothing, plain, rating
from warmlead.senders.person import long_hash
from warmlead.senders.proofs import EitherProof, KeyInAddress, Proof, Signed
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, group, records, text


class CrispSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are those of plugin hooks, or stand in the address of website hooks."""


class CrispSource(WebhookSender):
    """Hooks of a website or a plugin (https://docs.crisp.chat/references/web-hooks/v1/)."""

    name = "crisp"
    path = "crisp"
    proof: ClassVar[Proof] = EitherProof(
        Signed(
            WebhookScheme(
                header="X-Crisp-Signature",
                text="[{time};{body}]",
                time_header="X-Crisp-Request-Timestamp",
                unit="ms",
            )
        ),
        KeyInAddress(),
    )
    meanings: ClassVar = {
        "session:request:initiated": "chat_started",
        "message:send": "chat_message_sent",
        "session:set_email": "identified",
        "session:sync:rating": "chat_rated",
        "email:subscribe": "email_subscribed",
        "email:subscribe false": "email_unsubscribed",
        **OTHERS,
        "message:received": None,
    }
    once = "`session_id` with `fingerprint`, or with the time"
    retries = "as often as `X-Delivery-Attempt-Limit` says"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What the event says of its session."""
        kind, data = text(item.get("event")), group(item, "data")
        session, at = text(data.get("session_id")), item.get("timestamp")
        theirs = Fact(
            id=id_of(session, kind, at),
            time=at,
            anonymous_id=f"crisp:{session}" if session else None,
        )
        email = text(data.get("email"))
        if kind == "message:send":
            return [_sent(kind, data, theirs)]
        if kind == "session:set_email":
            id_ = f"{session}-email-{long_hash(email)}"
            return [Said(kind, replace(theirs, id=id_, email=email or None))]
        if kind == "session:sync:rating":
            rated = group(data, "rating")
            told = rating(rated.get("stars"), rated.get("comment"))
            return [Said(kind, replace(theirs, properties=told))]
        if kind == "email:subscribe":
            is_no = data.get("subscribed") is not True  # whoever is in doubt is not written to
            said = f"{kind} false" if is_no else kind
            id_ = f"{said}-{long_hash(email)}-{text(at)}"
            return [Said(said, replace(theirs, id=id_, email=email or None))]
        return [Said(kind, replace(theirs, properties={"channel": "chat"}))]


def _sent(kind: str, data: Mapping[str, Any], theirs: Fact) -> Said:
    """A message of the visitor; whether it is their first Crisp does not tell."""
    if data.get("from") != "user":
        return nothing()
    origin = text(data.get("origin")).lower()
    channel = origin.split(":")[2:3] if origin.startswith("urn:crisp.im:") else [origin]
    return Said(
        kind,
        replace(
            theirs,
            id=id_of(data.get("session_id"), data.get("fingerprint")),
            time=data.get("timestamp") or theirs.time,
            traits={"name": name_of(group(data, "user").get("nickname"))},
            properties=message(_words(data.get("content")), channel="".join(channel) or "chat"),
        ),
    )


def _words(content: object) -> str:
    """The text of a message; of a field its value, of a picker the chosen label."""
    if not isinstance(content, dict):
        return plain(content)
    chosen = [one.get("label") for one in records(content.get("choices")) if one.get("selected")]
    return plain(chosen[0] if chosen else content.get("value"))
