"""Clerk's webhooks: who signs up for your product, logs in, and changes their profile."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.senders.proofs import Proof, StandardWebhooks
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import (
    Said,
    WebhookSender,
    WebhookSettings,
    group,
    records,
    text,
)

_SIGNED_UP, _CHANGED, _LOGGED_IN = "user.created", "user.updated", "session.created"


class ClerkSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the signing secrets of the endpoints: ``whsec_…``."""


class ClerkSource(WebhookSender):
    """Users and their sessions (https://clerk.com/docs/webhooks/overview)."""

    name = "clerk"
    path = "clerk"
    proof: ClassVar[Proof] = StandardWebhooks()
    meanings: ClassVar = {
        _SIGNED_UP: "signed_up",
        _CHANGED: "identified",
        _LOGGED_IN: "logged_in",
        **dict.fromkeys(
            (
                *("user.deleted", "session.ended", "session.removed", "session.revoked"),
                *("email.created", "sms.created"),
            )
        ),
    }
    once = "the event and the user, or the session; for a change its time too"
    retries = "after 5 seconds, 5 and 30 minutes, 2, 5, 10 and 10 hours, until it is told 2xx"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What a user did."""
        kind, data = text(item.get("type")), group(item, "data")
        if kind == _LOGGED_IN:
            yield Said(kind, _session(data))
        elif kind in (_SIGNED_UP, _CHANGED):
            yield Said(kind, _user(kind, data))
        else:
            yield Said(kind)


def _session(data: Mapping[str, Any]) -> Fact:
    return Fact(
        id=text(data.get("id")) or None,
        time=data.get("created_at"),
        user_id=text(data.get("user_id")) or None,
    )


def _user(kind: str, data: Mapping[str, Any]) -> Fact:
    """A user; ``public_metadata`` is what the owner's own server has written about them."""
    id_, is_new = text(data.get("id")), kind == _SIGNED_UP
    changed = "" if is_new else f":{text(data.get('updated_at'))}"
    return Fact(
        fields=dict(group(data, "public_metadata")),
        id=f"{kind}:{id_}{changed}" if id_ else None,
        time=data.get("created_at" if is_new else "updated_at"),
        email=_primary(data, "email_address", "email_addresses"),
        user_id=text(data.get("external_id")) or id_ or None,
        traits={
            "first_name": data.get("first_name"),
            "last_name": data.get("last_name"),
            "phone": _primary(data, "phone_number", "phone_numbers"),
        },
    )


def _primary(data: Mapping[str, Any], field: str, several: str) -> str:
    """The primary address or number; the first one if none is marked."""
    given = records(data.get(several))
    marked = [one for one in given if one.get("id") == data.get(f"primary_{field}_id")]
    return next((text(one.get(field)) for one in (*marked, *given)), "")
