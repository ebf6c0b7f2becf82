"""What HubSpot sends: changes as an app's subscriptions tell them, and records of workflows.

https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide
"""

from typing import Any

from msgspec import Struct, field

from warmlead.sources.sales_sender import as_wire

OBJECT_TYPES = {"0-1": "contact", "0-3": "deal", "0-136": "lead"}
"""The objects that are about a lead, by HubSpot's ids of their types."""


class Change(Struct, frozen=True, rename="camel"):
    """One change in a batch; older batches call ``subscription_type`` ``eventType``."""

    portal_id: int
    occurred_at: int
    subscription_type: str = ""
    event_type: str = ""
    event_id: int | str = ""
    subscription_id: int | str = ""
    object_id: int | str | None = None
    object_type_id: str = ""
    property_name: str = ""
    property_value: Any = None
    from_object_id: int | str | None = None
    to_object_id: int | str | None = None
    from_object_type_id: str = ""
    to_object_type_id: str = ""
    association_type: str = ""
    association_removed: bool = False
    primary_object_id: int | str | None = None
    merged_object_ids: list[int | str] = []
    new_object_id: int | str | None = None

    @property
    def kind(self) -> str:
        """What was changed: contact, deal, lead … ."""
        named = self._type.partition(".")[0]
        return OBJECT_TYPES.get(self.object_type_id, "") if named == "object" else named

    @property
    def action(self) -> str:
        """What happened to it: propertyChange, associationChange … ."""
        return self._type.partition(".")[2]

    @property
    def ends(self) -> tuple[str, str]:
        """What was associated with what."""
        first, _, second = self.association_type.lower().partition("_to_")
        return (
            OBJECT_TYPES.get(self.from_object_type_id) or first,
            OBJECT_TYPES.get(self.to_object_type_id) or second.removeprefix("primary_"),
        )

    @property
    def _type(self) -> str:
        return self.subscription_type or self.event_type


def is_change(item: dict[str, Any]) -> bool:
    """Whether an item is a change; otherwise it is a record that a workflow sent."""
    return "subscriptionType" in item or "eventType" in item


class Property(Struct, frozen=True):
    """A property with its past, the latest first."""

    value: Any = None
    timestamp: int | None = None
    versions: list[dict[str, Any]] = []

    @property
    def since_ms(self) -> int | None:
        """Since when it has its value, in milliseconds, if HubSpot says so."""
        first = self.versions[0].get("timestamp") if self.versions else None
        found = self.timestamp if self.timestamp is not None else first
        return found if isinstance(found, int) and not isinstance(found, bool) else None


class WorkflowRecord(Struct, frozen=True):
    """A record as a workflow sends it: all of its properties, or those that somebody chose."""

    properties: dict[str, Any]
    portal_id: int | None
    kind: str
    id: str
    contacts: list[int]
    since_ms: dict[str, int]
    """Since when a property has its value, where it is known."""


class _Whole(Struct, frozen=True):
    """A record with all of its properties; contacts and deals name their ids differently."""

    properties: dict[str, Property]
    vid: int | None = None
    deal_id: int | None = field(default=None, name="dealId")
    object_id: int | None = field(default=None, name="objectId")
    portal: int | None = field(default=None, name="portalId")
    portal_of_contact: int | None = field(default=None, name="portal-id")
    associations: dict[str, Any] = {}


def workflow_record(item: dict[str, Any]) -> WorkflowRecord:
    """The record in a workflow's webhook; raises ``RejectedError`` if it is none."""
    if not isinstance(item.get("properties"), dict):
        chosen = {name: value for name, value in item.items() if not isinstance(value, dict | list)}
        return WorkflowRecord(chosen, None, "", "", [], {})
    whole = as_wire(item, _Whole)
    found = whole.vid or whole.deal_id or whole.object_id
    is_contact = whole.vid is not None or "email" in whole.properties
    contacts = whole.associations.get("associatedVids")
    return WorkflowRecord(
        {name: one.value for name, one in whole.properties.items()},
        whole.portal or whole.portal_of_contact,
        "contact" if is_contact else "deal",
        str(found) if found else "",
        [id_ for id_ in contacts if isinstance(id_, int)] if isinstance(contacts, list) else [],
        {name: one.since_ms for name, one in whole.properties.items() if one.since_ms is not None},
    )
