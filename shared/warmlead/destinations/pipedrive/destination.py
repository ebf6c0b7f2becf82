"""Pipedrive: a person for each lead, and an activity for each offer.

https://developers.pipedrive.com/docs/api/v1, and for limits
https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from html import escape
from typing import Any

from warmlead.destinations.base import Secrets, result_of, retry_after_s
from warmlead.destinations.calls import JsonApi, Reply, StoppedError
from warmlead.destinations.crm import (
    FIELDS,
    GONE,
    UPDATED_AT,
    CrmDestination,
    CrmDestinationSettings,
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
from warmlead.settings import SettingFault

ADDRESS = "https://api.pipedrive.com"

INDEXED_WITHIN = timedelta(minutes=10)
"""A person made so lately may be missing in Pipedrive's search, whose index follows later."""

CLOCK_SKEW = timedelta(minutes=10)
"""By so much Pipedrive's clock may be behind ours."""

PAGE, MOST_PAGES = 40, 5
"""Persons of one answer, and how many answers: an answer must keep the limit of its size."""

ACTIVITY_PAGE, MOST_ACTIVITY_PAGES = 10, 20
FIELD_PAGE, MOST_FIELD_PAGES = 10, 40
"""Activities have notes and fields have options, which may be long."""

BURST_S = 2.0
"""The window of Pipedrive's limit of a burst, if it does not state when the window ends."""

_INVALID, _NOT_FOUND, _GONE, _LIMITED = 400, 404, 410, 429
_FOR_A_PERSON = {
    401: "Pipedrive does not take the token: put a new one into tokens",
    402: "the company's account at Pipedrive is not paid",
    403: "the token's user may not do this, or Pipedrive blocks us for too many requests",
}
"""Errors after which a person must change something at Pipedrive, and nothing should be lost."""

_TYPES = {
    FieldKind.NUMBER: "double",
    FieldKind.TEXT: "varchar",
    FieldKind.LONG_TEXT: "text",
    FieldKind.TIME: "varchar",
}
"""Pipedrive has no type of a field for a time with its date."""

_LABELS = {field.name: field.label for field in FIELDS}
_CODE = re.compile(r"[A-Z_]{1,60}")


class PipedriveDestinationSettings(CrmDestinationSettings, frozen=True, kw_only=True):
    """The first of the ``tokens`` is used: a user's own; ``activity`` is the type of tasks."""

    tokens: Secrets
    activity: str = "task"

    def __repr__(self) -> str:
        return f"PipedriveDestinationSettings(to={self.to!r})"

    @classmethod
    def faults(cls, given: object, where: tuple[str, ...]) -> list[SettingFault]:
        """See ``DestinationSettings``."""
        return super().faults(given, where) or list(_owner_faults(given, where))


def _owner_faults(given: Any, where: tuple[str, ...]) -> Iterator[SettingFault]:  # noqa: ANN401  # a section
    for name, user in (given.get("owners") or {}).items():
        if not (isinstance(user, int) or (user.isascii() and user.isdigit())):
            yield SettingFault((*where, "owners", str(name)), "must be a user's number: 88")


class PipedriveDestination(CrmDestination):
    """Persons with our fields, and activities for their owners."""

    def __init__(
        self, name: str, settings: PipedriveDestinationSettings, outbound: Outbound
    ) -> None:
        super().__init__(name, settings, outbound)
        self._settings = settings
        self._keys: dict[str, str] = {}

    def session(self, now: datetime) -> "PipedriveSession":
        """See ``CrmDestination``."""
        return PipedriveSession(self._api(now), self._keys, self._settings.activity, self.name, now)

    def _api(self, now: datetime) -> JsonApi:
        headers = {"x-api-token": self._settings.tokens[0]}
        address = self._settings.address.rstrip("/") or ADDRESS
        return JsonApi(self._outbound, address, partial(judged, now=now), headers)

    async def set_up(self, now: datetime) -> list[str]:
        """See ``CrmDestination``: the fields of persons, whose names begin with Warmlead."""
        api, made = self._api(now), []
        there = {label async for label, _ in _own_fields(api)}
        for field in FIELDS:
            if field.label not in there:
                body = {"field_name": field.label, "field_type": _TYPES[field.kind]}
                await api.call("POST", "/api/v2/personFields", body=body)
                made.append(f"field {field.label} of persons")
        self._keys.clear()
        return made


async def _own_fields(api: JsonApi) -> AsyncIterator[tuple[str, str]]:
    """The label and the key of each field of ours; of two with one label the first counts."""
    known = set(_LABELS.values())
    query = {"limit": str(FIELD_PAGE)}
    for _ in range(MOST_FIELD_PAGES):
        reply = await api.call("GET", "/api/v2/personFields", query=query)
        for one in reply.items("data"):
            label, key = one.get("field_name"), one.get("field_code")
            if one.get("is_custom_field") and label in known and isinstance(key, str):
                known.discard(label)
                yield label, key
        cursor = reply.at("additional_data", "next_cursor")
        if not (known and isinstance(cursor, str) and cursor):
            return
        query["cursor"] = cursor


class PipedriveSession(CrmSession):
    """See ``CrmSession``. ``keys`` of fields are remembered by the process."""

    def __init__(
        self, api: JsonApi, keys: dict[str, str], activity: str, name: str, now: datetime
    ) -> None:
        self._api = api
        self._keys = keys
        self._activity = activity
        self._name = name
        self._now = now

    @property
    def updated_at(self) -> str:  # type: ignore[override]  # a key that Pipedrive chose
        """See ``CrmSession``."""
        return self._keys[UPDATED_AT]

    async def find(self, news: CrmNews) -> KnownRecord | None:
        """See ``CrmSession``."""
        await self._learn_keys()
        if (id_ := news.crm_ids.get("pipedrive", "")).isdecimal() and (
            known := await self._person(int(id_))
        ):
            return known
        if not (email := news.person.email):
            return None
        found = await self._searched(email) or await self._made_lately(email)
        return await self._person(min(found)) if found else None

    async def create(self, news: CrmNews, owner: str) -> KnownRecord:
        """See ``CrmSession``. Pipedrive has no unique address: of twins the older one stays."""
        person = news.person
        body: dict[str, Any] = {
            "name": person.name or person.email,
            "emails": [{"value": person.email, "primary": True, "label": "work"}],
            **self._written(news, {}),
            **({"owner_id": int(owner)} if owner else {}),
        }
        reply = await self._write("POST", "/api/v2/persons", body)
        made = _known(reply)
        older = [id_ for id_ in await self._made_lately(person.email) if id_ < int(made.id)]
        twin = await self._person(min(older)) if older else None
        if twin is None:
            return made
        gone = (_NOT_FOUND, _GONE)
        await self._api.call("DELETE", f"/api/v2/persons/{made.id}", expected=gone, is_told=False)
        return twin

    async def update(self, known: KnownRecord, news: CrmNews, owner: str) -> None:  # noqa: ARG002  # every person has an owner
        """See ``CrmSession``."""
        if known.fields.get(self._keys["message_id"]) != news.id:
            body = self._written(news, known.fields)
            place = f"/api/v2/persons/{known.id}"
            await self._write("PATCH", place, body, is_told=False)

    async def ensure_task(self, known: KnownRecord, task: SalesTask, owner: str) -> None:
        """See ``CrmSession``. The activity's note ends with the message's id."""
        mark = f"Warmlead message {task.id}"
        query = {
            "person_id": known.id,
            "updated_since": _seconds(min(task.at, self._now) - CLOCK_SKEW),
            "limit": str(ACTIVITY_PAGE),
        }
        async for one in self._pages("/api/v2/activities", query, most=MOST_ACTIVITY_PAGES):
            if mark in str(one.get("note") or ""):
                return
        due_at = task.due_at.astimezone(UTC)
        body = {
            "subject": task.subject,
            "type": self._activity,
            "due_date": f"{due_at:%Y-%m-%d}",
            "due_time": f"{due_at:%H:%M}",
            "participants": [{"person_id": int(known.id), "primary": True}],
            "note": escape(f"{task.body}\n{mark}").replace("\n", "<br>"),
            "done": False,
            **({"owner_id": int(owner)} if owner else {}),
        }
        await self._api.call("POST", "/api/v2/activities", body=body, is_told=False)

    async def user_by_email(self, email: str) -> str:
        """See ``CrmSession``."""
        query = {"term": email, "search_by_email": "1"}
        reply = await self._api.call("GET", "/api/v1/users/find", query=query)
        for one in reply.items("data"):
            if str(one.get("email")).casefold() == email.casefold() and one.get("active_flag"):
                return str(one.get("id") or "")
        return ""

    # --- persons ---------------------------------------------------------------------------

    async def _person(self, id_: int) -> KnownRecord | None:
        keys = ",".join((self._keys[UPDATED_AT], self._keys["message_id"]))
        reply = await self._api.call(
            "GET",
            f"/api/v2/persons/{id_}",
            query={"custom_fields": keys},
            expected=(_NOT_FOUND, _GONE),
        )
        if not reply.answer.is_success or reply.at("data", "is_deleted") is True:
            return None
        return _known(reply)

    async def _searched(self, email: str) -> list[int]:
        """The ids of persons with the address, as far as the search knows them."""
        query = {"term": email, "fields": "email", "exact_match": "true", "limit": str(PAGE)}
        reply = await self._api.call("GET", "/api/v2/persons/search", query=query)
        found = (one.get("item") for one in reply.items("data", "items"))
        return [
            one["id"]
            for one in found
            if isinstance(one, dict)
            and isinstance(one.get("id"), int)
            and email.casefold() in (str(each).casefold() for each in one.get("emails") or ())
        ]

    async def _made_lately(self, email: str) -> list[int]:
        """The ids of persons with the address that have changed in the last minutes."""
        since = self._now - INDEXED_WITHIN - CLOCK_SKEW
        query = {
            "updated_since": _seconds(since),
            "sort_by": "update_time",
            "sort_direction": "desc",
            "custom_fields": self._keys[UPDATED_AT],
            "limit": str(PAGE),
        }
        return [
            one["id"]
            async for one in self._pages("/api/v2/persons", query, most=MOST_PAGES)
            if email.casefold() in _addresses(one) and isinstance(one.get("id"), int)
        ]

    async def _pages(
        self, path: str, query: dict[str, str], *, most: int
    ) -> AsyncIterator[dict[str, Any]]:
        for _ in range(most):
            reply = await self._api.call("GET", path, query=query)
            for one in reply.items("data"):
                yield one
            cursor = reply.at("additional_data", "next_cursor")
            if not (isinstance(cursor, str) and cursor):
                return
            query = {**query, "cursor": cursor}

    def _written(self, news: CrmNews, known: Mapping[str, Any]) -> dict[str, Any]:
        """Our fields by their keys, and a telephone number if the person has none."""
        ours = {
            self._keys[name]: iso(value) if isinstance(value, datetime) else value
            for name, value in news.fields.items()
        }
        phone = news.person.phone
        phones = [{"value": phone, "primary": True, "label": "work"}]
        return {
            "custom_fields": ours,
            **({"phones": phones} if phone and not known.get("phones") else {}),
        }

    # --- keys of fields --------------------------------------------------------------------

    async def _learn_keys(self) -> None:
        """Fills ``keys``; raises ``StoppedError`` while a field is missing."""
        if len(self._keys) == len(FIELDS):
            return
        by_label = {label: key async for label, key in _own_fields(self._api)}
        for name, label in _LABELS.items():
            if label not in by_label:
                raise StoppedError(Postponed(missing(f"“{label}” of persons", self._name)))
            self._keys[name] = by_label[label]

    async def _write(
        self, method: str, path: str, body: Mapping[str, Any], *, is_told: bool = True
    ) -> Reply:
        """Writes a person. If the values are refused, perhaps somebody made our fields anew."""
        try:
            return await self._api.call(method, path, body=body, is_told=is_told)
        except StoppedError as error:
            if not isinstance(error.result, Declined):
                raise
            before = dict(self._keys)
            self._keys.clear()
            await self._learn_keys()
            if self._keys != before:
                raise StoppedError(Postponed("our fields were made anew")) from error
            raise


def _known(reply: Reply) -> KnownRecord:
    data = reply.at("data")
    id_ = data.get("id") if isinstance(data, dict) else None
    if not isinstance(id_, int):
        raise StoppedError(Postponed("the answer names no person", is_certain=False))
    custom = data.get("custom_fields")
    own = {"phones": [one for one in data.get("phones") or () if one.get("value")]}
    return KnownRecord(str(id_), {**own, **(custom if isinstance(custom, dict) else {})})


def _addresses(person: Mapping[str, Any]) -> set[str]:
    return {
        str(one.get("value")).casefold()
        for one in person.get("emails") or ()
        if isinstance(one, dict)
    }


def _seconds(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def judged(reply: Reply, *, now: datetime) -> AttemptResult:
    """What an error of Pipedrive means; of its words only the code is kept, no value."""
    if reply.status in _FOR_A_PERSON:
        return Postponed(_FOR_A_PERSON[reply.status])
    if reply.status in (_NOT_FOUND, _GONE):
        return Postponed(GONE)
    if reply.status == _LIMITED:
        return Postponed("Pipedrive's limit of requests is used up", _pause_s(reply, now))
    code = reply.at("code")
    shown = code if isinstance(code, str) and _CODE.fullmatch(code) else ""
    if reply.status == _INVALID:
        return Declined(f"Pipedrive refused it: {shown or 'no reason given'}")
    return result_of(reply.answer, now, shown=shown)


def _pause_s(reply: Reply, now: datetime) -> float:
    """Seconds to wait after 429: until the window of the limit ends."""
    if (asked := retry_after_s(reply.answer, now)) is not None:
        return asked
    reset = reply.answer.headers.get("x-ratelimit-reset", "")
    return float(reset[:9]) if reset.isascii() and reset.isdigit() else BURST_S
