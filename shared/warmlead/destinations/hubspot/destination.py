"""HubSpot: a contact for each lead, and a task for each offer.

https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide, …/crm-properties-v3/guide,
…/crm-tasks-v3/guide, and for limits …/docs/developer-tooling/platform/usage-guidelines.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from html import escape
from typing import Any

from warmlead.destinations.base import Secrets, result_of, retry_after_s
from warmlead.destinations.calls import JsonApi, Reply, StoppedError, part
from warmlead.destinations.crm import (
    FIELDS,
    GONE,
    UPDATED_AT,
    CrmDestination,
    CrmDestinationSettings,
    CrmField,
    CrmNews,
    CrmSession,
    FieldKind,
    KnownRecord,
    SalesTask,
    iso,
    missing,
)
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed
from warmlead.ports.dispatching import Outbound

ADDRESS = "https://api.hubapi.com"
PREFIX = "warmlead_"
GROUP = "warmlead"
TASK_ID = f"{PREFIX}message_id"
"""The property of a task with our message's id. HubSpot keeps its values unique."""

TASK_OF_CONTACT = 204
"""HubSpot's type of the association of a task with a contact."""

INTERVAL_S = 10.0
"""The interval of HubSpot's limit of a burst, if it states none."""

DAILY_PAUSE_S = 3_600.0
"""The limit of a day ends at midnight in the account's time zone, which no answer states."""

_INVALID, _NOT_FOUND, _CONFLICT, _LIMITED = 400, 404, 409, 429
_FOR_A_PERSON = {
    401: "HubSpot does not take the token: put a new one into tokens",
    403: "the token lacks a scope: see the README of the destination",
}
"""Errors after which a person must change something at HubSpot, and nothing should be lost."""

_OWNER = "hubspot_owner_id"
_OWN_FIELDS = {
    "first_name": "firstname",
    "last_name": "lastname",
    "company": "company",
    "title": "jobtitle",
    "phone": "phone",
    "country": "country",
}
"""The contact's own properties that are filled while they are empty, by our names."""

_TYPES = {
    FieldKind.NUMBER: ("number", "number"),
    FieldKind.TEXT: ("string", "text"),
    FieldKind.LONG_TEXT: ("string", "textarea"),
    FieldKind.TIME: ("datetime", "date"),
}
_EXISTING = re.compile(r"Existing ID: ([0-9]{1,20})")
_FAULTY = re.compile(r'"error":"([A-Z_]{1,60})","name":"([A-Za-z0-9_]{1,100})"')
_CODE = re.compile(r"[A-Z_]{1,60}")
_NAME = re.compile(r"[A-Za-z0-9_]{1,100}")


class HubSpotDestinationSettings(CrmDestinationSettings, frozen=True, kw_only=True):
    """The first of the ``tokens`` is used: of a private app, with the scopes of the README."""

    tokens: Secrets

    def __repr__(self) -> str:
        return f"HubSpotDestinationSettings(to={self.to!r})"


class HubSpotDestination(CrmDestination):
    """Contacts with our properties, and tasks for their owners."""

    def __init__(self, name: str, settings: HubSpotDestinationSettings, outbound: Outbound) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings

    def session(self, now: datetime) -> "HubSpotSession":
        """See ``CrmDestination``."""
        return HubSpotSession(self._api(now), self.name)

    def _api(self, now: datetime) -> JsonApi:
        headers = {"Authorization": f"Bearer {self._settings.tokens[0]}"}
        address = self._settings.address.rstrip("/") or ADDRESS
        judge = partial(judged, now=now, name=self.name)
        return JsonApi(self._outbound, address, judge, headers)

    async def set_up(self, now: datetime) -> list[str]:
        """See ``CrmDestination``: a group and the properties, of contacts and of tasks."""
        api, made = self._api(now), []
        for kind, properties in (
            ("contacts", [_property(field) for field in FIELDS]),
            ("tasks", [_TASK_PROPERTY]),
        ):
            place = f"/crm/v3/properties/{kind}"
            group = {"name": GROUP, "label": "Warmlead"}
            answer = await api.call("POST", f"{place}/groups", body=group, expected=(_CONFLICT,))
            if answer.answer.is_success:
                made.append(f"group {GROUP} of {kind}")
            for each in properties:
                named = f"{place}/{part(each['name'])}"
                if (await api.call("GET", named, expected=(_NOT_FOUND,))).status != _NOT_FOUND:
                    continue
                answer = await api.call("POST", place, body=each, expected=(_CONFLICT,))
                if answer.answer.is_success:
                    made.append(f"property {each['name']} of {kind}")
        return made


def _property(field: CrmField) -> dict[str, Any]:
    type_, field_type = _TYPES[field.kind]
    return {
        "name": PREFIX + field.name,
        "label": field.label,
        "description": field.help,
        "groupName": GROUP,
        "type": type_,
        "fieldType": field_type,
    }


_TASK_PROPERTY: dict[str, Any] = {
    "name": TASK_ID,
    "label": "Warmlead message",
    "description": "The message that made the task.",
    "groupName": GROUP,
    "type": "string",
    "fieldType": "text",
    "hasUniqueValue": True,
}

_READ = ",".join((*_OWN_FIELDS.values(), _OWNER, PREFIX + UPDATED_AT, f"{PREFIX}message_id"))


class HubSpotSession(CrmSession):
    """See ``CrmSession``."""

    updated_at = PREFIX + UPDATED_AT

    def __init__(self, api: JsonApi, name: str) -> None:
        self._api = api
        self._name = name

    async def find(self, news: CrmNews) -> KnownRecord | None:
        """See ``CrmSession``. HubSpot answers with the contact into which one was merged."""
        if (id_ := news.crm_ids.get("hubspot")) and (known := await self._contact(id_)):
            return known
        return await self._contact(news.person.email, by="email") if news.person.email else None

    async def _contact(self, id_: str, *, by: str = "") -> KnownRecord | None:
        query = {"properties": _READ, **({"idProperty": by} if by else {})}
        place = f"/crm/v3/objects/contacts/{part(id_)}"
        reply = await self._api.call("GET", place, query=query, expected=(_NOT_FOUND,))
        return None if reply.status == _NOT_FOUND else _known(reply)

    async def create(self, news: CrmNews, owner: str) -> KnownRecord:
        """See ``CrmSession``. HubSpot has one contact of an email address."""
        properties = {**_written(news, {}, owner), "email": news.person.email}
        body = {"properties": properties, "associations": []}
        reply = await self._api.call(
            "POST", "/crm/v3/objects/contacts", body=body, expected=(_CONFLICT,)
        )
        if reply.status != _CONFLICT:
            return _known(reply)
        existing = _EXISTING.search(str(reply.at("message") or ""))
        known = await self._contact(existing[1]) if existing else None
        if known is None:
            raise StoppedError(Postponed("another contact is in the way, and cannot be read"))
        return known

    async def update(self, known: KnownRecord, news: CrmNews, owner: str) -> None:
        """See ``CrmSession``."""
        if known.fields.get(f"{PREFIX}message_id") == news.id:
            return
        body = {"properties": _written(news, known.fields, owner)}
        place = f"/crm/v3/objects/contacts/{part(known.id)}"
        await self._api.call("PATCH", place, body=body, is_told=False)

    async def ensure_task(self, known: KnownRecord, task: SalesTask, owner: str) -> None:
        """See ``CrmSession``. HubSpot refuses a second task with the message's id."""
        reply = await self._api.call(
            "GET",
            f"/crm/v3/objects/tasks/{part(task.id)}",
            query={"idProperty": TASK_ID},
            expected=(_NOT_FOUND, _INVALID),
        )
        if reply.status == _INVALID:
            raise StoppedError(Postponed(missing(f"{TASK_ID} of tasks", self._name)))
        if reply.status != _NOT_FOUND:
            return
        properties = {
            "hs_task_subject": task.subject,
            "hs_task_body": escape(task.body).replace("\n", "<br>"),
            "hs_task_status": "NOT_STARTED",
            "hs_task_priority": "HIGH",
            "hs_task_type": "TODO",
            "hs_timestamp": iso(task.due_at),
            TASK_ID: task.id,
            **({_OWNER: owner} if owner else {}),
        }
        type_ = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TASK_OF_CONTACT}
        await self._api.call(
            "POST",
            "/crm/v3/objects/tasks",
            body={
                "properties": properties,
                "associations": [{"to": {"id": known.id}, "types": [type_]}],
            },
            expected=(_CONFLICT,),
            is_told=False,
        )

    async def user_by_email(self, email: str) -> str:
        """See ``CrmSession``."""
        reply = await self._api.call("GET", "/crm/v3/owners", query={"email": email, "limit": "1"})
        return str(reply.at("results", 0, "id") or "")


def _known(reply: Reply) -> KnownRecord:
    fields = reply.at("properties")
    return KnownRecord(str(reply.at("id")), fields if isinstance(fields, dict) else {})


def _written(news: CrmNews, known: Mapping[str, Any], owner: str) -> dict[str, str]:
    """The properties to write: ours, and those of the contact that are empty."""
    given = {own: getattr(news.person, name) for name, own in _OWN_FIELDS.items()}
    given[_OWNER] = owner
    filled = {name: value for name, value in given.items() if value and not known.get(name)}
    ours = {
        PREFIX + name: iso(value) if isinstance(value, datetime) else str(value)
        for name, value in news.fields.items()
    }
    return {**filled, **ours}


def judged(reply: Reply, *, now: datetime, name: str) -> AttemptResult:
    """What an error of HubSpot means; of its words only the codes are kept, no value."""
    if reply.status in _FOR_A_PERSON:
        return Postponed(_FOR_A_PERSON[reply.status])
    if reply.status == _NOT_FOUND:
        return Postponed(GONE)
    if reply.status == _LIMITED:
        return Postponed("HubSpot's limit of requests is used up", _pause_s(reply, now))
    return _refused(reply, name) or result_of(reply.answer, now)


def _refused(reply: Reply, name: str) -> AttemptResult | None:
    """What it means that HubSpot does not take the values; ``None`` if that is not the error."""
    if reply.status != _INVALID:
        return None
    faulty = _faults(reply)
    if absent := [field for code, field in faulty if code == "PROPERTY_DOESNT_EXIST"]:
        return Postponed(missing(absent[0], name))
    if any(code == "CONFLICTING_UNIQUE_VALUE" for code, _ in faulty):
        return Postponed("another request has made it meanwhile")
    category = reply.at("category")
    shown = [category] if isinstance(category, str) and _CODE.fullmatch(category) else []
    shown += [f"{code} of {field}" if field else code for code, field in faulty]
    return Declined(f"HubSpot refused it: {', '.join(shown)[:200] or 'no reason given'}")


def _faults(reply: Reply) -> list[tuple[str, str]]:
    """The code and the property of each fault, in both of HubSpot's forms, without the values."""
    found = dict.fromkeys(_FAULTY.findall(str(reply.at("message") or "")))
    for one in reply.items("errors"):
        code, context = str(one.get("code")), one.get("context")
        named = context.get("propertyName") if isinstance(context, dict) else one.get("in")
        field = str(named[0] if isinstance(named, list) and named else named or "")
        if _CODE.fullmatch(code):
            found[code, field if _NAME.fullmatch(field) else ""] = None
    return list(found)


def _pause_s(reply: Reply, now: datetime) -> float:
    """Seconds to wait after 429: by ``Retry-After``, by the interval of the limit, or by guess."""
    if (asked := retry_after_s(reply.answer, now)) is not None:
        return asked
    if reply.at("policyName") == "DAILY":
        return DAILY_PAUSE_S
    interval = reply.answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    return int(interval[:9]) / 1_000 if interval.isdecimal() and interval.isascii() else INTERVAL_S
