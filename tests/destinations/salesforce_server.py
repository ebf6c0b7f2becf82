"""Salesforce's REST interface as its guide has it: login, records, upsert, queries, set-up.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/ (sObject rows, upsert by
external id, query, status codes), the Tooling API's CustomField, and the client credentials flow.
"""

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from destinations.crm_server import Asked, CrmServer, Said, routed

CLIENT = "3MVG9-client-of-the-tests"
SECRET = "9F3C2A-secret-of-the-tests-77"
USER = "005Hp00000aUserAAA"
ORGANIZATION = "00D5g000004AbCdEAK"

_DATA = "/services/data/v[0-9]+\\.0"
_PREFIX = {"Lead": "00Q", "Contact": "003", "Task": "00T", "PermissionSet": "0PS"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_STANDARD: dict[str, dict[str, int]] = {
    "Lead": {
        "FirstName": 40,
        "LastName": 80,
        "Company": 255,
        "Title": 128,
        "Phone": 40,
        "Email": 80,
        "Status": 40,
        "OwnerId": 18,
        "IsConverted": 0,
        "ConvertedContactId": 18,
    },
    "Contact": {
        "FirstName": 40,
        "LastName": 80,
        "Title": 128,
        "Phone": 40,
        "Email": 80,
        "OwnerId": 18,
    },
    "Task": {
        "WhoId": 18,
        "Subject": 255,
        "Description": 32_000,
        "ActivityDate": 10,
        "IsReminderSet": 0,
        "ReminderDateTime": 0,
        "OwnerId": 18,
        "Status": 40,
    },
    "User": {"Email": 80, "IsActive": 0},
    "PermissionSet": {"Name": 80, "Label": 80},
    "FieldPermissions": {
        "ParentId": 18,
        "SobjectType": 40,
        "Field": 120,
        "PermissionsRead": 0,
        "PermissionsEdit": 0,
    },
    "PermissionSetAssignment": {"AssigneeId": 18, "PermissionSetId": 18},
}
_REQUIRED = {"Lead": ("LastName", "Company"), "Contact": ("LastName",), "Task": ()}
_READ_ONLY = {"Id", "IsConverted", "ConvertedContactId", "CreatedDate", "LastModifiedById"}
_CONDITION = re.compile(r"(\w+) = (?:'((?:[^'\\]|\\.)*)'|(true|false))(?: AND )?")
_QUERY = re.compile(
    r"SELECT ([\w, ]+) FROM (\w+) WHERE (.*?)(?: ORDER BY (\w+))?(?: LIMIT ([0-9]+))?"
)


class SalesforceServer(CrmServer):
    """One organisation. ``records`` are fields by id, of each object."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in _STANDARD}
        self.custom: dict[str, dict[str, dict[str, Any]]] = {k: {} for k in _STANDARD}
        """The metadata of the custom fields of each object."""
        self.records["User"][full("005Hp00000aAnnX")] = {
            "Email": "ann@example.com",
            "IsActive": True,
        }
        self.tokens: set[str] = set()
        self.logins = 0
        self.expires_in: int | None = None
        self.duplicate_rule = False
        self.webhooks: list[dict[str, Any]] = []
        """The records that a flow would send which runs at every change of a person."""
        self.limit_code = "REQUEST_LIMIT_EXCEEDED"
        self._next = 1

    def limited(self) -> Said:
        return _error(403, self.limit_code, "TotalRequests Limit exceeded.")

    def is_free(self, asked: Asked) -> bool:
        return asked.path == "/services/oauth2/token"

    def handle(self, asked: Asked) -> Said:
        if self.is_free(asked):
            return self._login(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        said = routed(
            [
                ("GET", f"{_DATA}/query", self._query),
                ("POST", f"{_DATA}/tooling/sobjects/CustomField", self._make_field),
                ("POST", f"{_DATA}/sobjects/(\\w+)", self._create),
                ("GET", f"{_DATA}/sobjects/(\\w+)/(\\w+)", self._read),
                ("PATCH", f"{_DATA}/sobjects/(\\w+)/(\\w+)", self._change),
                ("GET", f"{_DATA}/sobjects/(\\w+)/(\\w+)/([^/]+)", self._read_by),
                ("PATCH", f"{_DATA}/sobjects/(\\w+)/(\\w+)/([^/]+)", self._upsert),
            ],
            asked,
        )
        return said or _error(404, "NOT_FOUND", "The requested resource does not exist")

    def add(self, kind: str, **fields: Any) -> str:
        """A record that somebody made in Salesforce."""
        id_ = full(f"{_PREFIX.get(kind, '0PA')}Hp{self._next:010d}")
        self._next += 1
        own = {"CreatedDate": self._next, "Status": "Open - Not Contacted", "OwnerId": USER}
        if kind == "Lead":
            own |= {"IsConverted": False, "ConvertedContactId": None}
        self.records[kind][id_] = {**own, **fields, "Id": id_}
        return id_

    def _login(self, asked: Asked) -> Said:
        given = dict(parse_qsl(asked.body.decode()))
        if given.get("grant_type") != "client_credentials":
            return Said(400, {"error": "unsupported_grant_type"})
        if (given.get("client_id"), given.get("client_secret")) != (CLIENT, SECRET):
            return Said(400, {"error": "invalid_client", "error_description": "invalid secret"})
        self.logins += 1
        token = f"00D5g!AQ-token-{self.logins}"
        self.tokens.add(token)
        said = {
            "access_token": token,
            "signature": "c2ln",
            "instance_url": "https://elsewhere.example.com",
            "id": f"https://login.salesforce.com/id/{ORGANIZATION}/{USER}",
            "token_type": "Bearer",
            "issued_at": "1773144005000",
        }
        return Said(200, said | ({"expires_in": self.expires_in} if self.expires_in else {}))

    # --- records ---------------------------------------------------------------------------

    def _known(self, kind: str, field: str) -> bool:
        names = {*_STANDARD[kind], "Id", "CreatedDate", "LastModifiedById", *self.custom[kind]}
        return field in names

    def _shown(self, kind: str, id_: str, fields: list[str]) -> Said:
        for field in fields:
            if not self._known(kind, field):
                return _error(400, "INVALID_FIELD", f"No such column '{field}' on sobject {kind}")
        held = self.records[kind][id_]
        return Said(200, {"attributes": {"type": kind}, **{f: held.get(f) for f in fields}})

    def _read(self, asked: Asked, kind: str, id_: str) -> Said:
        if (own := full(id_)) not in self.records[kind]:
            return _error(404, "NOT_FOUND", "The requested resource does not exist")
        return self._shown(kind, own, asked.query["fields"].split(","))

    def _by(self, kind: str, field: str, value: str) -> list[str] | Said:
        if not self.custom[kind].get(field, {}).get("externalId"):
            said = f"Provided external ID field does not exist or is not accessible: {field}"
            return _error(404, "NOT_FOUND", said)
        held = self.records[kind].items()
        return [id_ for id_, one in held if one.get(field) == unquote(value)]

    def _read_by(self, asked: Asked, kind: str, field: str, value: str) -> Said:
        found = self._by(kind, field, value)
        if isinstance(found, Said):
            return found
        if not found:
            return _error(404, "NOT_FOUND", "The requested resource does not exist")
        if len(found) > 1:
            return Said(300, [f"/services/data/v62.0/sobjects/{kind}/{id_}" for id_ in found])
        return self._shown(kind, found[0], asked.query["fields"].split(","))

    def _upsert(self, asked: Asked, kind: str, field: str, value: str) -> Said:
        found = self._by(kind, field, value)
        if isinstance(found, Said):
            return found
        if len(found) > 1:
            return Said(300, [f"/services/data/v62.0/sobjects/{kind}/{id_}" for id_ in found])
        if refused := self._refused(kind, asked.json, is_new=not found):
            return refused
        if found:
            self._write(kind, found[0], asked.json)
            return Said(200, {"id": found[0], "success": True, "errors": [], "created": False})
        id_ = self.add(kind, **asked.json, **{field: unquote(value)})
        self._write(kind, id_, {})
        return Said(201, {"id": id_, "success": True, "errors": [], "created": True})

    def _create(self, asked: Asked, kind: str) -> Said:
        body = asked.json
        if refused := self._refused(kind, body, is_new=True):
            return refused
        keys = {"PermissionSet": ("Name",), "FieldPermissions": ("ParentId", "Field")}
        keys["PermissionSetAssignment"] = ("AssigneeId", "PermissionSetId")
        for one in self.records[kind].values():
            if kind in keys and all(one.get(key) == body[key] for key in keys[kind]):
                return _error(400, "DUPLICATE_VALUE", "duplicate value found")
        id_ = self.add(kind, **body)
        return Said(201, {"id": id_, "success": True, "errors": []})

    def _change(self, asked: Asked, kind: str, id_: str) -> Said:
        own = full(id_)
        if own not in self.records[kind]:
            return _error(404, "NOT_FOUND", "The requested resource does not exist")
        if self.records[kind][own].get("IsConverted"):
            return _error(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if refused := self._refused(kind, asked.json, is_new=False):
            return refused
        self._write(kind, own, asked.json)
        return Said(204)

    def _write(self, kind: str, id_: str, fields: dict[str, Any]) -> None:
        self.records[kind][id_] |= {**fields, "LastModifiedById": USER}
        if kind in ("Lead", "Contact"):
            own = self.records[kind][id_]
            shown = {name: own.get(name) for name in ("Email", "Status", "LastModifiedById")}
            dated = {"LastModifiedDate": "2026-03-10T13:00:07.000+0000"}
            self.webhooks.append({"attributes": {"type": kind}, "Id": id_, **shown, **dated})

    def _refused(self, kind: str, fields: dict[str, Any], *, is_new: bool) -> Said | None:
        """The error of fields that cannot be written."""
        if is_new and kind == "Lead" and self.duplicate_rule:
            said = "Use one of these records? ada@example.com"
            return _error(400, "DUPLICATES_DETECTED", said)
        for name, value in fields.items():
            if not self._known(kind, name) or name in _READ_ONLY:
                said = f"No such column '{name}' on sobject of type {kind}"
                return _error(400, "INVALID_FIELD", said)
            most = self.custom[kind].get(name, {}).get("length", _STANDARD[kind].get(name, 0))
            if code := _fault(name, value, self.custom[kind].get(name, {}).get("type"), most):
                return _error(400, code, f"{name}: not valid: {value}", name)
        lacking = [name for name in _REQUIRED.get(kind, ()) if is_new and not fields.get(name)]
        if lacking:
            return _error(400, "REQUIRED_FIELD_MISSING", "Required fields missing", *lacking)
        return None

    # --- queries and set-up ----------------------------------------------------------------

    def _query(self, asked: Asked) -> Said:
        found = _QUERY.fullmatch(asked.query["q"])
        if not found:
            return _error(400, "MALFORMED_QUERY", "unexpected token")
        fields, kind, where, order, most = found.groups()
        conditions = _CONDITION.findall(where)
        if "".join(one[0] for one in _CONDITION.finditer(where)) != where:
            return _error(400, "MALFORMED_QUERY", "unexpected token")
        wanted = {
            name: re.sub(r"\\(.)", r"\1", text) if not flag else flag == "true"
            for name, text, flag in conditions
        }
        for name in (*fields.split(", "), *wanted):
            if not self._known(kind, name):
                return _error(400, "INVALID_FIELD", f"No such column '{name}' on entity '{kind}'")
        rows = [
            {"attributes": {"type": kind}, **{n: one.get(n) for n in fields.split(", ")}, "Id": id_}
            for id_, one in sorted(
                self.records[kind].items(), key=lambda item: item[1].get(order or "", 0)
            )
            if all(_alike(one.get(name), value) for name, value in wanted.items())
        ][: int(most) if most else 2_000]
        return Said(200, {"totalSize": len(rows), "done": True, "records": rows})

    def _make_field(self, asked: Asked) -> Said:
        kind, _, name = asked.json["FullName"].partition(".")
        metadata = asked.json["Metadata"]
        assert name.endswith("__c")
        assert metadata["label"]
        assert metadata["type"] in ("Text", "Number", "LongTextArea", "DateTime")
        assert metadata["type"] != "LongTextArea" or metadata["visibleLines"] > 1
        own = self.custom["Task" if kind == "Activity" else kind]
        if name in own:
            said = f"There is already a field named {name} on {kind}."
            return _error(400, "DUPLICATE_DEVELOPER_NAME", said, "DeveloperName")
        own[name] = metadata
        return Said(201, {"id": full("00NHp00000Field"), "success": True, "errors": []})


def _fault(name: str, value: Any, type_: str | None, most: int) -> str:
    """The code of what is wrong with a value; empty if nothing is."""
    if isinstance(value, str) and most and len(value) > most:
        return "STRING_TOO_LONG"
    if type_ == "Number" and not isinstance(value, int):
        return "JSON_PARSER_ERROR"
    if type_ == "DateTime" and not _is_time(value):
        return "JSON_PARSER_ERROR"
    if name == "Email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return "INVALID_EMAIL_ADDRESS"
    return ""


def _alike(held: Any, wanted: Any) -> bool:
    """Whether a query finds a value: texts without regard to case."""
    if isinstance(held, str) and isinstance(wanted, str):
        return held.casefold() == wanted.casefold()
    return bool(held == wanted)


def full(id_: str) -> str:
    """An id with its three letters that tell capitals from small ones."""
    own = id_[:15]
    fives = (own[start : start + 5] for start in (0, 5, 10))
    sums = (sum(1 << at for at, letter in enumerate(five) if letter.isupper()) for five in fives)
    return own + "".join(_LETTERS[total] for total in sums)


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _error(status: int, code: str, message: str, *fields: str) -> Said:
    return Said(status, [{"message": message, "errorCode": code, "fields": list(fields)}])
