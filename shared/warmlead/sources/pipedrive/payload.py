"""What Pipedrive sends: one object as it is now, and what of it was different before.

https://pipedrive.readme.io/docs/guide-for-webhooks-v2
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Meta(Struct, frozen=True):
    """What happened, where and when. Ids are numbers in some webhooks and texts in others."""

    action: str
    entity: str
    version: str = ""
    company_id: int | str | None = None
    entity_id: int | str | None = None
    id: int | str | None = None
    timestamp: int | str | None = None


class Webhook(Struct, frozen=True):
    """One webhook of version 2."""

    meta: Meta
    data: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None


def flat(fields: Mapping[str, Any] | None) -> dict[str, Any]:
    """An object's fields by name; custom ones, which lie apart, among them by their keys."""
    own = dict(fields or {})
    custom = own.pop("custom_fields", None)
    for name, value in (custom if isinstance(custom, dict) else {}).items():
        own.setdefault(
            name, value.get("value", value.get("id")) if isinstance(value, dict) else value
        )
    return own


def primary_email(fields: Mapping[str, Any]) -> str | None:
    """A person's first address: the primary one if one is."""
    emails = fields.get("emails")
    listed = [one for one in emails if isinstance(one, dict)] if isinstance(emails, list) else []
    by_rank = sorted(listed, key=lambda one: one.get("primary") is not True)
    given = (one.get("value") for one in by_rank)
    return next((value for value in given if isinstance(value, str) and value.strip()), None)
