"""HubSpot's CRM interface, version 3, as its published description has it: contacts, tasks, owners.

https://github.com/HubSpot/HubSpot-public-api-spec-collection (CRM: Contacts v3, Properties v3),
https://developers.hubspot.com/docs: tasks, owners, errors, limits, webhooks.
"""

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from destinations.crm_server import Asked, CrmServer, Said, routed

TOKEN = "pat-eu1-0f3c9d2e-of-the-tests"
APP = 90210
PORTAL = 4711

_FIELD_TYPES = {
    "string": {"text", "textarea", "html", "phonenumber", "file"},
    "number": {"number"},
    "datetime": {"date"},
    "date": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
    "bool": {"booleancheckbox"},
}
_OF_CONTACTS = {
    **dict.fromkeys(("email", "firstname", "lastname", "company", "jobtitle"), "string"),
    **dict.fromkeys(("phone", "country", "lifecyclestage", "hs_lead_status"), "string"),
    "hubspot_owner_id": "string",
}
_OF_TASKS = {
    **dict.fromkeys(("hs_task_subject", "hs_task_body", "hs_task_status"), "string"),
    **dict.fromkeys(("hs_task_priority", "hs_task_type", "hubspot_owner_id"), "string"),
    "hs_timestamp": "datetime",
}
_TASK_STATUS = {"NOT_STARTED", "IN_PROGRESS", "COMPLETED", "WAITING", "DEFERRED"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_LONGEST = 65_536


class HubSpotServer(CrmServer):
    """One account. ``contacts`` and ``tasks`` are properties by id."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, dict[str, str]] = {}
        self.tasks: dict[str, dict[str, str]] = {}
        self.task_contacts: dict[str, str] = {}
        self.merged: dict[str, str] = {}
        self.secondary_emails: dict[str, str] = {}
        self.owners = {"ann@example.com": "71"}
        self.groups: dict[str, set[str]] = {"contacts": set(), "tasks": set()}
        self.types = {"contacts": dict(_OF_CONTACTS), "tasks": dict(_OF_TASKS)}
        self.unique: dict[str, set[str]] = {"contacts": {"email"}, "tasks": set()}
        self.scopes_missing = False
        self.policy = "TEN_SECONDLY_ROLLING"
        self.webhooks: list[dict[str, Any]] = []
        """The changes that a subscription to everything would be told of."""
        self._next = 501

    def limited(self) -> Said:
        interval = {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}
        said = {
            "status": "error",
            "message": "You have reached your limit.",
            "errorType": "RATE_LIMIT",
            "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24",
            "policyName": self.policy,
        }
        return Said(429, said, interval if self.policy != "DAILY" else {})

    def handle(self, asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "INVALID_AUTHENTICATION", "The token is expired or invalid")
        if self.scopes_missing:
            return _error(403, "MISSING_SCOPES", "This app hasn't been granted all scopes.")
        said = routed(
            [
                ("GET", "/crm/v3/objects/(contacts|tasks)/([^/]+)", self._read),
                ("POST", "/crm/v3/objects/(contacts|tasks)", self._create),
                ("PATCH", "/crm/v3/objects/(contacts|tasks)/([^/]+)", self._change),
                ("POST", "/crm/v3/properties/(contacts|tasks)/groups", self._make_group),
                ("POST", "/crm/v3/properties/(contacts|tasks)", self._make_property),
                ("GET", "/crm/v3/properties/(contacts|tasks)/([^/]+)", self._property),
                ("GET", "/crm/v3/owners", self._owners),
            ],
            asked,
        )
        return said or _error(404, "OBJECT_NOT_FOUND", "No such place")

    # --- objects ---------------------------------------------------------------------------

    def _of(self, kind: str) -> dict[str, dict[str, str]]:
        return self.contacts if kind == "contacts" else self.tasks

    def _found(self, kind: str, given: str, by: str | None) -> str | None:
        if by is None:
            id_ = self.merged.get(given, given) if kind == "contacts" else given
            return id_ if id_ in self._of(kind) else None
        return next((i for i, one in self._of(kind).items() if one.get(by) == given), None)

    def _read(self, asked: Asked, kind: str, given: str) -> Said:
        by = asked.query.get("idProperty")
        if by is not None and by not in self.types[kind]:
            return _error(400, "VALIDATION_ERROR", f"Property {by} does not exist")
        if by is not None and by not in self.unique[kind]:
            return _error(400, "VALIDATION_ERROR", f"Property {by} is not unique")
        id_ = self._found(kind, unquote(given), by)
        if id_ is None:
            return _error(404, "OBJECT_NOT_FOUND", "resource not found")
        wanted = asked.query.get("properties", "").split(",")
        return Said(200, self._shown(kind, id_, wanted))

    def _shown(self, kind: str, id_: str, wanted: list[str]) -> dict[str, Any]:
        held = self._of(kind)[id_]
        shown = {name: held.get(name) for name in wanted if name in self.types[kind]}
        return {"id": id_, "properties": shown, "archived": False, **_TIMES}

    def _create(self, asked: Asked, kind: str) -> Said:
        body = asked.json
        if not {"properties", "associations"} <= body.keys():
            return _error(400, "VALIDATION_ERROR", "Invalid input JSON: a field is missing")
        properties = body["properties"]
        if refused := self._refused(kind, properties, None):
            return refused
        if kind == "contacts" and (email := properties.get("email")):
            twin = self._found("contacts", email, "email") or self.secondary_emails.get(email)
            if twin:
                return _error(409, "CONFLICT", f"Contact already exists. Existing ID: {twin}")
        if kind == "tasks" and "hs_timestamp" not in properties:
            return _error(400, "VALIDATION_ERROR", "hs_timestamp is required")
        for each in body["associations"]:
            (type_,) = each["types"]
            right = type_ == {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}
            if not right or each["to"]["id"] not in self.contacts:
                return _error(400, "VALIDATION_ERROR", "INVALID_ASSOCIATION")
        id_ = str(self._next)
        self._next += 1
        self._of(kind)[id_] = dict(properties)
        for each in body["associations"]:
            self.task_contacts[id_] = each["to"]["id"]
        if kind == "contacts":
            self._tell("contact.creation", id_)
            self._tell_changes(id_, properties)
            self.contacts[id_].setdefault("lifecyclestage", "lead")
            self._tell_changes(id_, {"lifecyclestage": "lead"})
        return Said(201, self._shown(kind, id_, list(properties)))

    def _change(self, asked: Asked, kind: str, given: str) -> Said:
        id_ = self._found(kind, unquote(given), asked.query.get("idProperty"))
        if id_ is None:
            return _error(404, "OBJECT_NOT_FOUND", "resource not found")
        properties = asked.json["properties"]
        if refused := self._refused(kind, properties, id_):
            return refused
        changed = {n: v for n, v in properties.items() if self._of(kind)[id_].get(n) != v}
        self._of(kind)[id_].update(properties)
        if kind == "contacts":
            self._tell_changes(id_, changed)
        return Said(200, self._shown(kind, id_, list(properties)))

    def _refused(self, kind: str, properties: dict[str, Any], own: str | None) -> Said | None:
        """The error of properties that cannot be written."""
        if not all(isinstance(value, str) for value in properties.values()):
            return _error(400, "VALIDATION_ERROR", "Invalid input JSON: a value is no text")
        for name, value in properties.items():
            if code := _fault(name, value, self.types[kind].get(name)):
                return _invalid(name, value, code)
            if name in self.unique[kind] - {"email"}:
                twin = self._found(kind, value, name)
                if twin not in (None, own):
                    return _invalid(name, value, "CONFLICTING_UNIQUE_VALUE")
        return None

    # --- properties and owners -------------------------------------------------------------

    def _make_group(self, asked: Asked, kind: str) -> Said:
        body = asked.json
        if body["name"] in self.groups[kind]:
            return _error(409, "OBJECT_ALREADY_EXISTS", "The group exists")
        assert body["label"]
        self.groups[kind].add(body["name"])
        return Said(201, {"archived": False, **body, "displayOrder": 7})

    def _make_property(self, asked: Asked, kind: str) -> Said:
        body = asked.json
        needed = {"fieldType", "groupName", "label", "name", "type"}
        if not needed <= body.keys() or body["fieldType"] not in _FIELD_TYPES[body["type"]]:
            return _error(400, "VALIDATION_ERROR", "Invalid input JSON")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", body["name"]):
            return _error(400, "VALIDATION_ERROR", "INVALID_NAME")
        if body["groupName"] not in self.groups[kind]:
            return _error(400, "VALIDATION_ERROR", "The group does not exist")
        if body["name"] in self.types[kind]:
            return _error(409, "OBJECT_ALREADY_EXISTS", "The property exists")
        self.types[kind][body["name"]] = body["type"]
        if body.get("hasUniqueValue"):
            self.unique[kind].add(body["name"])
        return Said(201, {"options": [], **body})

    def _property(self, _: Asked, kind: str, name: str) -> Said:
        if name not in self.types[kind]:
            return _error(404, "OBJECT_NOT_FOUND", "The property does not exist")
        return Said(200, {"name": name, "type": self.types[kind][name], "options": []})

    def _owners(self, asked: Asked) -> Said:
        found = [
            {"id": id_, "email": email, "userId": 7, "archived": False}
            for email, id_ in self.owners.items()
            if email == asked.query.get("email", email)
        ]
        return Said(200, {"results": found})

    # --- webhooks --------------------------------------------------------------------------

    def _tell_changes(self, id_: str, properties: dict[str, str]) -> None:
        for name, value in properties.items():
            self._tell("contact.propertyChange", id_, propertyName=name, propertyValue=value)

    def _tell(self, type_: str, id_: str, **more: Any) -> None:
        self.webhooks.append(
            {
                "eventId": 3_000_000_000 + len(self.webhooks),
                "subscriptionId": 511,
                "portalId": PORTAL,
                "appId": APP,
                "occurredAt": 1_773_144_006_000 + len(self.webhooks),
                "subscriptionType": type_,
                "attemptNumber": 0,
                "objectId": int(id_),
                "changeSource": "INTEGRATION",
                "sourceId": str(APP),
                **more,
            }
        )


_TIMES = {"createdAt": "2026-03-10T13:00:06Z", "updatedAt": "2026-03-10T13:00:06Z"}


def _fault(name: str, value: str, type_: str | None) -> str:
    """The code of what is wrong with a value; empty if nothing is."""
    faults = {
        "PROPERTY_DOESNT_EXIST": type_ is None,
        "INVALID_LENGTH": len(value) > _LONGEST,
        "INVALID_INTEGER": type_ == "number" and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value),
        "INVALID_DATE": type_ == "datetime" and not _is_time(value),
        "INVALID_EMAIL": name == "email" and not _EMAIL.fullmatch(value),
        "INVALID_OPTION": name == "hs_task_status" and value not in _TASK_STATUS,
    }
    return next((code for code, is_so in faults.items() if is_so), "")


def _is_time(value: str) -> bool:
    try:
        return value.isdecimal() or bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def _error(status: int, category: str, message: str) -> Said:
    said = {
        "status": "error",
        "message": message,
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "category": category,
    }
    return Said(status, said)


def _invalid(name: str, value: str, code: str) -> Said:
    """HubSpot's way of refusing a value; it quotes the value."""
    told = [
        {
            "isValid": False,
            "message": f'Property "{name}" is not valid: {value}',
            "error": code,
            "name": name,
        }
    ]
    details = json.dumps(told, separators=(",", ":"))
    said = _error(400, "VALIDATION_ERROR", f"Property values were not valid: {details}")
    said.data["errors"] = [{"message": f'"{value}" is not valid', "code": code, "in": name}]
    return said
