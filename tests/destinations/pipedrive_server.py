"""Pipedrive's interface, version 2, as its published description has it: persons and activities.

https://developers.pipedrive.com/docs/api/v1/openapi.yaml (and v2), and the guide to webhooks v2.
"""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from destinations.crm_server import Asked, CrmServer, Said, routed

TOKEN = "b1946ac92492d2347c6235b4d2611184-tests"
USER = 88
COMPANY = 77001

_FIELD_TYPES = {"varchar", "text", "double", "date", "enum", "set", "monetary", "user", "time"}
_PERSON = {
    "name": str,
    "owner_id": int,
    "org_id": int,
    "emails": list,
    "phones": list,
    "custom_fields": dict,
}
_ACTIVITY = {
    "subject": str,
    "type": str,
    "due_date": str,
    "due_time": str,
    "participants": list,
    "note": str,
    "done": bool,
    "owner_id": int,
}
_CUSTOM: dict[str, Any] = {"varchar": str, "text": str, "double": int | float}


class PipedriveServer(CrmServer):
    """One company. ``persons`` and ``activities`` by id. The search follows by ``index_lag``.

    ``now`` is the server's clock.
    """

    def __init__(self, now: datetime) -> None:
        super().__init__()
        self.now = now
        self.persons: dict[int, dict[str, Any]] = {}
        self.activities: dict[int, dict[str, Any]] = {}
        self.fields: dict[str, tuple[str, str]] = {"name": ("Name", "varchar")}
        """Name and type of each field by key."""
        self.users = {"ann@example.com": 91}
        self.index_lag = timedelta(0)
        self.reset_s = 2
        self.webhooks: list[dict[str, Any]] = []
        self._next = 11

    def limited(self) -> Said:
        headers = {
            "x-ratelimit-limit": "20",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(self.reset_s),
        }
        return Said(429, {"success": False, "error": "request over limit"}, headers)

    def handle(self, asked: Asked) -> Said:
        if asked.headers.get("x-api-token") != TOKEN:
            return _error(401, "ERR_UNAUTHORIZED", "Unauthorized access")
        said = routed(
            [
                ("GET", "/api/v2/personFields", self._list_fields),
                ("POST", "/api/v2/personFields", self._make_field),
                ("GET", "/api/v2/persons/search", self._search),
                ("GET", "/api/v2/persons", self._list_persons),
                ("POST", "/api/v2/persons", self._create_person),
                ("GET", "/api/v2/persons/([0-9]+)", self._read_person),
                ("PATCH", "/api/v2/persons/([0-9]+)", self._change_person),
                ("DELETE", "/api/v2/persons/([0-9]+)", self._delete_person),
                ("GET", "/api/v2/activities", self._list_activities),
                ("POST", "/api/v2/activities", self._create_activity),
                ("GET", "/api/v1/users/find", self._find_users),
            ],
            asked,
        )
        return said or _error(404, "ERR_NOT_FOUND", "Unknown method")

    def key_of(self, label: str) -> str:
        """The key of a field by its name."""
        return next(key for key, (name, _) in self.fields.items() if name == label)

    def add_person(self, email: str, **more: Any) -> int:
        """A person that somebody made in Pipedrive, long ago."""
        id_ = self._id()
        self.persons[id_] = {
            "id": id_,
            "name": "Somebody",
            "owner_id": 5,
            "emails": [{"value": email, "primary": True, "label": "work"}],
            "phones": [],
            "is_deleted": False,
            "custom_fields": {},
            "add_time": self.now - timedelta(days=90),
            "update_time": self.now - timedelta(days=90),
            **more,
        }
        return id_

    # --- fields ----------------------------------------------------------------------------

    def _list_fields(self, asked: Asked) -> Said:
        listed = [
            {
                "field_name": label,
                "field_code": key,
                "field_type": type_,
                "options": None,
                "is_custom_field": len(key) == 40,
            }
            for key, (label, type_) in self.fields.items()
        ]
        return _page(listed, asked)

    def _make_field(self, asked: Asked) -> Said:
        body = asked.json
        if body.get("field_type") not in _FIELD_TYPES or not 0 < len(body["field_name"]) <= 255:
            return _error(400, "ERR_SCHEMA_VALIDATION_FAILED", "validation failed")
        key = (uuid.uuid4().hex + uuid.uuid4().hex)[:40]
        self.fields[key] = (body["field_name"], body["field_type"])
        return Said(200, {"success": True, "data": {"field_code": key, **body}})

    # --- persons ---------------------------------------------------------------------------

    def _create_person(self, asked: Asked) -> Said:
        body = asked.json
        if not body.get("name") or self._refused(body, _PERSON):
            return _error(400, "ERR_SCHEMA_VALIDATION_FAILED", "validation failed")
        id_ = self._id()
        times = {"add_time": self.now, "update_time": self.now}
        empty: dict[str, Any] = {"owner_id": USER, "emails": [], "phones": [], "custom_fields": {}}
        self.persons[id_] = {"id": id_, **empty, **body, "is_deleted": False, **times}
        self._tell("create", "person", self.persons[id_], None)
        return Said(200, {"success": True, "data": self._shown(id_, None)})

    def _read_person(self, asked: Asked, id_: str) -> Said:
        if int(id_) not in self.persons:
            return _error(404, "ERR_NOT_FOUND", "Person not found")
        return Said(200, {"success": True, "data": self._shown(int(id_), asked)})

    def _change_person(self, asked: Asked, id_: str) -> Said:
        if int(id_) not in self.persons or self.persons[int(id_)]["is_deleted"]:
            return _error(404, "ERR_NOT_FOUND", "Person not found")
        body = asked.json
        if self._refused(body, _PERSON):
            return _error(400, "ERR_SCHEMA_VALIDATION_FAILED", "validation failed")
        person = self.persons[int(id_)]
        own = body.pop("custom_fields", {})
        before = {name: person.get(name) for name in body}
        before["custom_fields"] = {key: person["custom_fields"].get(key) for key in own}
        person.update(body, update_time=self.now)
        person["custom_fields"] = {**person["custom_fields"], **own}
        self._tell("change", "person", person, before)
        return Said(200, {"success": True, "data": self._shown(int(id_), None)})

    def _delete_person(self, _: Asked, id_: str) -> Said:
        if int(id_) not in self.persons:
            return _error(404, "ERR_NOT_FOUND", "Person not found")
        self.persons[int(id_)]["is_deleted"] = True
        return Said(200, {"success": True, "data": {"id": int(id_)}})

    def _refused(self, body: dict[str, Any], types: dict[str, Any]) -> bool:
        """Whether a field is unknown or has another type: version 2 changes no type."""
        for name, value in body.items():
            if name not in types or not isinstance(value, types[name]):
                return True
        for key, value in body.get("custom_fields", {}).items():
            type_ = self.fields.get(key, ("", ""))[1]
            if type_ not in _CUSTOM or not isinstance(value, _CUSTOM[type_]):
                return True
            if type_ == "varchar" and len(value) > 255:
                return True
        return False

    def _shown(self, id_: int, asked: Asked | None) -> dict[str, Any]:
        person = self.persons[id_]
        shown = {**person, "add_time": _time(person["add_time"])}
        shown["update_time"] = _time(person["update_time"])
        keys = asked.query.get("custom_fields", "") if asked else ""
        wanted = keys.split(",") if keys else [key for key in self.fields if len(key) == 40]
        assert len(keys.split(",")) <= 15
        shown["custom_fields"] = {key: person["custom_fields"].get(key) for key in wanted}
        return shown

    def _list_persons(self, asked: Asked) -> Said:
        since = datetime.fromisoformat(asked.query["updated_since"])
        there = [p for p in self.persons.values() if not p["is_deleted"]]
        found = [one for one in there if one["update_time"] >= since]
        found.sort(key=lambda one: one["update_time"], reverse=True)
        return _page([self._shown(one["id"], asked) for one in found], asked)

    def _search(self, asked: Asked) -> Said:
        term = asked.query["term"].casefold()
        assert asked.query["fields"] == "email"
        assert asked.query["exact_match"] == "true"
        found = []
        for one in self.persons.values():
            emails = [each["value"] for each in one["emails"]]
            is_indexed = one["add_time"] + self.index_lag <= self.now
            if is_indexed and not one["is_deleted"] and term in map(str.casefold, emails):
                item = {"id": one["id"], "type": "person", "name": one["name"], "emails": emails}
                found.append({"result_score": 0.5, "item": item})
        return Said(200, {"success": True, "data": {"items": found}, "additional_data": {}})

    # --- activities and users --------------------------------------------------------------

    def _list_activities(self, asked: Asked) -> Said:
        since = datetime.fromisoformat(asked.query["updated_since"])
        person = int(asked.query["person_id"])
        found = [
            {**one, "update_time": _time(one["update_time"])}
            for one in self.activities.values()
            if one["person_id"] == person and one["update_time"] >= since
        ]
        return _page(found, asked)

    def _create_activity(self, asked: Asked) -> Said:
        body = asked.json
        people = [one for one in body.get("participants", []) if one["person_id"] in self.persons]
        is_dated = re.fullmatch(r"\d{4}-\d\d-\d\d", body["due_date"]) and re.fullmatch(
            r"\d\d:\d\d", body["due_time"]
        )
        if self._refused(body, _ACTIVITY) or len(people) != 1 or not is_dated:
            return _error(400, "ERR_SCHEMA_VALIDATION_FAILED", "validation failed")
        id_ = self._id()
        person = people[0]["person_id"]
        own = {"id": id_, "owner_id": USER, **body, "person_id": person, "update_time": self.now}
        self.activities[id_] = own
        self._tell("create", "activity", own, None)
        return Said(200, {"success": True, "data": {**own, "update_time": _time(self.now)}})

    def _find_users(self, asked: Asked) -> Said:
        found = [
            {"id": id_, "email": email, "active_flag": True}
            for email, id_ in self.users.items()
            if email == asked.query["term"]
        ]
        return Said(200, {"success": True, "data": found})

    # --- webhooks --------------------------------------------------------------------------

    def _tell(
        self, action: str, entity: str, data: dict[str, Any], before: dict[str, Any] | None
    ) -> None:
        shown = {k: v for k, v in data.items() if k not in ("add_time", "update_time")}
        meta = {
            "action": action,
            "entity": entity,
            "company_id": str(COMPANY),
            "correlation_id": str(uuid.uuid4()),
            "entity_id": str(data["id"]),
            "id": str(uuid.uuid4()),
            "is_bulk_edit": False,
            "timestamp": "2026-03-10T13:00:07.120Z",
            "type": "general",
            "user_id": str(USER),
            "version": "2.0",
            "webhook_id": "51",
            "webhook_owner_id": "5",
            "change_source": "api",
            "attempt": 1,
            "host": "engines.pipedrive.com",
            "permitted_user_ids": ["88"],
        }
        self.webhooks.append({"meta": meta, "data": shown, "previous": before})

    def _id(self) -> int:
        self._next += 1
        return self._next


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _page(listed: list[dict[str, Any]], asked: Asked) -> Said:
    begin, limit = int(asked.query.get("cursor", "0")), int(asked.query.get("limit", "100"))
    assert limit <= 500
    rest = begin + limit < len(listed)
    cursor = str(begin + limit) if rest else None
    data = listed[begin : begin + limit]
    return Said(200, {"success": True, "data": data, "additional_data": {"next_cursor": cursor}})


def _error(status: int, code: str, message: str) -> Said:
    return Said(status, {"success": False, "error": message, "code": code, "data": None})
