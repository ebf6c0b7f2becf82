"""Salesforce: the contact or the lead of each person, and a task for each offer."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta

from warmlead.destinations.base import Secrets
from warmlead.destinations.calls import StoppedError, part
from warmlead.destinations.crm import (
    FIELDS,
    UPDATED_AT,
    CrmDestination,
    CrmDestinationSettings,
    CrmNews,
    CrmSession,
    FieldKind,
    KnownRecord,
    SalesTask,
    iso,
)
from warmlead.destinations.salesforce.api import (
    SalesforceApi,
    SalesforceLogin,
    codes_of,
)
from warmlead.domain.dispatch import Postponed
from warmlead.ports.dispatching import Outbound
from warmlead.settings import SettingFault

NOT_GIVEN = "[not provided]"
"""What stands in fields that Salesforce demands of a lead and nobody knows, as its forms write."""

PERMISSION_SET = "Warmlead"

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*\.my\.salesforce\.com")
_OWNER = re.compile(r"(005|00G)[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_RECORD = re.compile(r"(003|00Q)[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")

_OWN_FIELDS = {
    "first_name": ("FirstName", 40),
    "last_name": ("LastName", 80),
    "company": ("Company", 255),
    "title": ("Title", 128),
    "phone": ("Phone", 40),
}
"""The record's own fields that are filled while they are empty, and their lengths."""

_OF_LEADS_ONLY = frozenset(("Company",))

_TYPES: Mapping[FieldKind, Mapping[str, Any]] = {
    FieldKind.NUMBER: {"type": "Number", "precision": 9, "scale": 0},
    FieldKind.TEXT: {"type": "Text", "length": 255},
    FieldKind.LONG_TEXT: {"type": "LongTextArea", "length": 32_768, "visibleLines": 6},
    FieldKind.TIME: {"type": "DateTime"},
}
_EXTERNAL_ID = {"type": "Text", "length": 255, "externalId": True, "unique": True}


def api_name(name: str) -> str:
    """A field of ours as Salesforce names it: ``Warmlead_Touch_By__c``."""
    return f"Warmlead_{name.title()}__c"


LEAD_ID = api_name("lead_id")
"""The field of leads with our id of the lead: Salesforce keeps it unique."""

MESSAGE_ID = api_name("message_id")
"""The field of tasks with our message's id: Salesforce keeps it unique."""


class SalesforceDestinationSettings(CrmDestinationSettings, frozen=True, kw_only=True):
    """``domain`` is the organisation's My Domain; the first of the ``secrets`` is used."""

    domain: str
    client_id: Annotated[str, Meta(min_length=1)]
    secrets: Secrets

    def __repr__(self) -> str:
        return f"SalesforceDestinationSettings(domain={self.domain!r})"

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        return super().faults(given, where) or list(_own_faults(given, where))


def _own_faults(given: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # a section
    if not _DOMAIN.fullmatch(given["domain"]):
        yield SettingFault(
            (*where, "domain"), "must be your My Domain, such as acme.my.salesforce.com"
        )
    for name, user in (given.get("owners") or {}).items():
        if not _OWNER.fullmatch(str(user)):
            problem = "must be the id of a user or a queue, which begins with 005 or 00G"
            yield SettingFault((*where, "owners", str(name)), problem)


class SalesforceDestination(CrmDestination):
    """Contacts and leads with our fields, and tasks for their owners."""

    def __init__(
        self, name: str, settings: SalesforceDestinationSettings, outbound: Outbound
    ) -> None:
        super().__init__(name, settings, outbound)
        self._address = settings.address.rstrip("/") or f"https://{settings.domain}"
        secret = settings.secrets[0]
        self._login = SalesforceLogin(outbound, self._address, settings.client_id, secret)

    def session(self, now: datetime) -> "SalesforceSession":
        """See ``CrmDestination``."""
        return SalesforceSession(self._api(now))

    def _api(self, now: datetime) -> SalesforceApi:
        return SalesforceApi(self._outbound, self._address, self._login, self.name, now)

    async def set_up(self, now: datetime) -> list[str]:
        """See ``CrmDestination``: fields, and a permission set that lets the app's user at them."""
        api, made = self._api(now), []
        ours = [(api_name(field.name), field.label, _TYPES[field.kind]) for field in FIELDS]
        wanted = [
            *(("Lead", *each) for each in ours),
            *(("Contact", *each) for each in ours),
            ("Lead", LEAD_ID, "Warmlead lead", _EXTERNAL_ID),
            ("Activity", MESSAGE_ID, "Warmlead message", _EXTERNAL_ID),
        ]
        for kind, name, label, type_ in wanted:
            body = {"FullName": f"{kind}.{name}", "Metadata": {"label": label, **type_}}
            if await _made(api, "/tooling/sobjects/CustomField", body):
                made.append(f"field {kind}.{name}")
        places = [("Task" if kind == "Activity" else kind, name) for kind, name, *_ in wanted]
        return made + await _permit(api, places)


async def _made(api: SalesforceApi, path: str, body: Mapping[str, Any]) -> bool:
    """Makes a record of the set-up; false if it is there already."""
    reply = await api.call("POST", path, body=body, expected=(400,))
    if reply.answer.is_success:
        return True
    codes = codes_of(reply)
    if not {"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"}.isdisjoint(codes):
        return False
    why = f"Salesforce refused {path.rpartition('/')[2]}: {', '.join(codes)}"
    raise StoppedError(Postponed(why))


async def _permit(api: SalesforceApi, places: list[tuple[str, str]]) -> list[str]:
    """Lets the app's user read and write fields of objects; without it they cannot be seen."""
    made = []
    named = {"Name": PERMISSION_SET}
    if not await api.select("PermissionSet", ("Id",), named):
        body: dict[str, Any] = {"Name": PERMISSION_SET, "Label": PERMISSION_SET}
        if await _made(api, "/sobjects/PermissionSet", body):
            made.append(f"permission set {PERMISSION_SET}")
    set_id = str((await api.select("PermissionSet", ("Id",), named))[0]["Id"])
    there = {
        row.get("Field")
        for row in await api.select("FieldPermissions", ("Field",), {"ParentId": set_id})
    }
    for kind, name in places:
        if (field := f"{kind}.{name}") not in there:
            body = {
                "ParentId": set_id,
                "SobjectType": kind,
                "Field": field,
                "PermissionsRead": True,
                "PermissionsEdit": True,
            }
            if await _made(api, "/sobjects/FieldPermissions", body):
                made.append(f"permission for {field}")
    user = await api.user_id()
    assigned = {"PermissionSetId": set_id, "AssigneeId": user}
    if user and not await api.select("PermissionSetAssignment", ("Id",), assigned):
        body = {"AssigneeId": user, "PermissionSetId": set_id}
        if await _made(api, "/sobjects/PermissionSetAssignment", body):
            made.append(f"assignment of {PERMISSION_SET} to the app's user")
    return made


_READ_OF_CONTACT = (
    "Id",
    *(own for own, _ in _OWN_FIELDS.values() if own not in _OF_LEADS_ONLY),
    api_name(UPDATED_AT),
    MESSAGE_ID,
)
_READ_OF_LEAD = (*_READ_OF_CONTACT, *_OF_LEADS_ONLY, "IsConverted", "ConvertedContactId")


class SalesforceSession(CrmSession):
    """See ``CrmSession``."""

    updated_at = api_name(UPDATED_AT)

    def __init__(self, api: SalesforceApi) -> None:
        self._api = api

    async def find(self, news: CrmNews) -> KnownRecord | None:
        """See ``CrmSession``: by id, by our id, by email; a contact comes before a lead."""
        own_id = news.crm_ids.get("salesforce", "")
        if _RECORD.fullmatch(own_id) and (known := await self._by_id(own_id)):
            return known
        lead = await self._api.record(f"Lead/{LEAD_ID}/{part(news.lead_id)}", _READ_OF_LEAD)
        if lead and (known := await self._converted(lead)):
            return known
        return await self._by_email(news.person.email) if news.person.email else None

    async def _by_id(self, id_: str) -> KnownRecord | None:
        if id_.startswith("003"):
            contact = await self._api.record(f"Contact/{id_}", _READ_OF_CONTACT)
            return _known(contact) if contact else None
        lead = await self._api.record(f"Lead/{id_}", _READ_OF_LEAD)
        return await self._converted(lead) if lead else None

    async def _converted(self, lead: Mapping[str, Any]) -> KnownRecord | None:
        """The lead, or the contact that it was converted to: a converted lead is read only."""
        if lead.get("IsConverted") is not True:
            return _known(lead)
        contact = str(lead.get("ConvertedContactId") or "")
        return await self._by_id(contact) if contact.startswith("003") else None

    async def _by_email(self, email: str) -> KnownRecord | None:
        oldest = "ORDER BY CreatedDate LIMIT 1"
        of_email: dict[str, str | bool] = {"Email": email}
        rows = await self._api.select("Contact", _READ_OF_CONTACT, of_email, rest=oldest)
        if not rows:
            of_email |= {"IsConverted": False}
            rows = await self._api.select("Lead", _READ_OF_LEAD, of_email, rest=oldest)
        return _known(rows[0]) if rows else None

    async def create(self, news: CrmNews, owner: str) -> KnownRecord:
        """See ``CrmSession``: a lead, made by our id, so that two requests make one."""
        own = {"LastName": NOT_GIVEN, "Company": NOT_GIVEN, **_filled(news, {}, is_lead=True)}
        body = {
            **own,
            "Email": news.person.email,
            **_ours(news),
            **({"OwnerId": owner} if owner else {}),
        }
        path = f"/sobjects/Lead/{LEAD_ID}/{part(news.lead_id)}"
        reply = await self._api.call("PATCH", path, body=body)
        id_ = reply.at("id")
        if not isinstance(id_, str):
            raise StoppedError(Postponed("the answer names no lead", is_certain=False))
        return KnownRecord(id_, {**own, MESSAGE_ID: news.id})

    async def update(self, known: KnownRecord, news: CrmNews, owner: str) -> None:  # noqa: ARG002  # every record has an owner
        """See ``CrmSession``."""
        if known.fields.get(MESSAGE_ID) == news.id:
            return
        is_lead = known.id.startswith("00Q")
        body = {**_filled(news, known.fields, is_lead=is_lead), **_ours(news)}
        kind = "Lead" if is_lead else "Contact"
        await self._api.call("PATCH", f"/sobjects/{kind}/{part(known.id)}", body=body)

    async def ensure_task(self, known: KnownRecord, task: SalesTask, owner: str) -> None:
        """See ``CrmSession``."""
        path = f"Task/{MESSAGE_ID}/{part(task.id)}"
        if await self._api.record(path, ("Id",)):
            return
        body = {
            "WhoId": known.id,
            "Subject": task.subject,
            "Description": task.body,
            "ActivityDate": f"{task.due_at.astimezone(UTC):%Y-%m-%d}",
            "IsReminderSet": True,
            "ReminderDateTime": iso(task.due_at),
            **({"OwnerId": owner} if owner.startswith("005") else {}),
        }
        await self._api.call("PATCH", f"/sobjects/{path}", body=body)

    async def user_by_email(self, email: str) -> str:
        """See ``CrmSession``."""
        active: Mapping[str, str | bool] = {"Email": email, "IsActive": True}
        rows = await self._api.select("User", ("Id",), active, rest="ORDER BY Id LIMIT 1")
        return str(rows[0].get("Id") or "") if rows else ""


def _known(record: Mapping[str, Any]) -> KnownRecord:
    return KnownRecord(str(record.get("Id")), record)


def _filled(news: CrmNews, known: Mapping[str, Any], *, is_lead: bool) -> dict[str, str]:
    """The record's own fields that are empty and of which something is known."""
    filled = {}
    for name, (own, most) in _OWN_FIELDS.items():
        value = getattr(news.person, name)[:most]
        if value and known.get(own) in (None, "", NOT_GIVEN):
            filled[own] = value
    return {own: v for own, v in filled.items() if is_lead or own not in _OF_LEADS_ONLY}


def _ours(news: CrmNews) -> dict[str, Any]:
    return {
        api_name(name): iso(value) if isinstance(value, datetime) else value
        for name, value in news.fields.items()
    }
