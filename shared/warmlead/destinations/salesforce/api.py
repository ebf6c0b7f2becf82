"""Salesforce's REST interface: its login, its queries, and what its errors mean.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/, and for the login
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm.
"""

import asyncio
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from warmlead.destinations.base import result_of
from warmlead.destinations.calls import NO_QUERY, JsonApi, Reply, StoppedError, read
from warmlead.destinations.crm import GONE, missing
from warmlead.domain.dispatch import AttemptResult, Declined, Postponed
from warmlead.ports.dispatching import Outbound

VERSION = "v62.0"
DATA = f"/services/data/{VERSION}"

LIMITED_S = 900.0
"""The limit of requests is one of the last 24 hours, and no answer says when there is room."""

EARLIER = timedelta(seconds=30)
"""By so much a token counts as ended before it ends."""

_SEVERAL, _INVALID, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 300, 400, 401, 403, 404
_CODE = re.compile(r"[A-Z_]{1,60}")
_FIELD = re.compile(r"[A-Za-z0-9_]{1,80}")
_NO_FIELD = re.compile(r"\b(Warmlead_[A-Za-z0-9_]{1,60}__c)\b")
_USER = re.compile(r".*/(005[A-Za-z0-9]{12,15})")

_FOR_NOW = {
    "UNABLE_TO_LOCK_ROW": "somebody else writes the record",
    "ENTITY_IS_DELETED": GONE,
    "NOT_FOUND": GONE,
}
"""Errors that another attempt mends."""

NO_LOGIN = "Salesforce refuses the login: look at client_id, secrets and the app's run-as user"


class _Token(Struct, frozen=True):
    """An access token, its user, and when it ends; ``None``: not known, 401 says so."""

    text: str
    user_id: str
    ends_at: datetime | None


class SalesforceLogin:
    """The token of an app, by its client credentials; it is kept until it ends."""

    def __init__(self, outbound: Outbound, address: str, client_id: str, secret: str) -> None:
        self._outbound = outbound
        self._address = address
        self._body = urlencode(
            {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret,
            }
        ).encode()
        self._token: _Token | None = None
        self._turn = asyncio.Lock()

    async def token(self, now: datetime) -> _Token:
        """The token; raises ``StoppedError`` if Salesforce gives none."""
        async with self._turn:
            known = self._token
            if known is None or (known.ends_at is not None and known.ends_at <= now):
                known = self._token = await self._new(now)
            return known

    def forget(self, token: _Token) -> None:
        """Drops a token that Salesforce does not take any more."""
        if self._token is token:
            self._token = None

    async def _new(self, now: datetime) -> _Token:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        url = f"{self._address}/services/oauth2/token"
        reply = read(await self._outbound.request("POST", url, headers, self._body))
        text, user = reply.at("access_token"), _USER.fullmatch(str(reply.at("id") or ""))
        if reply.answer.is_success and isinstance(text, str) and text.isascii():
            lasts = reply.at("expires_in")
            ends_at = now + timedelta(seconds=lasts) - EARLIER if isinstance(lasts, int) else None
            return _Token(text, user[1] if user else "", ends_at)
        if reply.status in (_INVALID, _UNAUTHORIZED, _FORBIDDEN):
            raise StoppedError(Postponed(NO_LOGIN))
        result = result_of(reply.answer, now)
        is_refusal = isinstance(result, Declined) or reply.answer.is_success
        raise StoppedError(Postponed(NO_LOGIN) if is_refusal else result)


class SalesforceApi:
    """Requests with a token during one attempt. Raises what ``JsonApi.call`` does."""

    def __init__(
        self, outbound: Outbound, address: str, login: SalesforceLogin, name: str, now: datetime
    ) -> None:
        def judge(reply: Reply) -> AttemptResult:
            return judged(reply, now=now, name=name)

        self._api = JsonApi(outbound, address, judge)
        self._login = login
        self._name = name
        self._now = now

    async def user_id(self) -> str:
        """The id of the user as whom the app works; empty if Salesforce did not tell."""
        return (await self._login.token(self._now)).user_id

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = NO_QUERY,
        body: object = None,
        expected: Collection[int] = (),
    ) -> Reply:
        """One request below the version's address; it is repeated once with a new token."""
        for _ in range(2):
            token = await self._login.token(self._now)
            reply = await self._api.call(
                method,
                DATA + path,
                query=query,
                body=body,
                expected=(*expected, _UNAUTHORIZED),
                headers={"Authorization": f"Bearer {token.text}"},
            )
            if reply.status != _UNAUTHORIZED:
                return reply
            self._login.forget(token)
        raise StoppedError(Postponed(NO_LOGIN))

    async def select(
        self, kind: str, fields: Collection[str], where: Mapping[str, str | bool], *, rest: str = ""
    ) -> list[dict[str, Any]]:
        """The first records of which fields have some values; ``rest`` ends the query."""
        conditions = " AND ".join(
            f"{field} = {soql_text(value) if isinstance(value, str) else str(value).lower()}"
            for field, value in where.items()
        )
        soql = f"SELECT {', '.join(fields)} FROM {kind} WHERE {conditions} {rest}"  # noqa: S608  # soql_text escapes
        reply = await self.call("GET", "/query", query={"q": soql.strip()})
        return reply.items("records")

    async def record(self, path: str, fields: Collection[str]) -> dict[str, Any] | None:
        """Some fields of a record; ``None`` if there is none."""
        query = {"fields": ",".join(fields)}
        reply = await self.call(
            "GET", f"/sobjects/{path}", query=query, expected=(_NOT_FOUND, _SEVERAL)
        )
        if reply.status == _SEVERAL:
            raise StoppedError(Postponed("several records have the same id of ours: merge them"))
        if reply.status == _NOT_FOUND:
            if field := _no_field(reply):
                raise StoppedError(Postponed(missing(field, self._name)))
            return None
        return reply.data if isinstance(reply.data, dict) else None


def soql_text(text: str) -> str:
    """A text as a literal of a query, with what would end it escaped."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + "".join(letter for letter in escaped if letter.isprintable()) + "'"


def codes_of(reply: Reply) -> list[str]:
    """The codes of the errors in an answer."""
    codes = (one.get("errorCode") for one in reply.items())
    return [code for code in codes if isinstance(code, str) and _CODE.fullmatch(code)]


def _no_field(reply: Reply) -> str:
    """The field of ours that an error says is missing; empty if it says nothing of the kind."""
    for one in reply.items():
        message = str(one.get("message") or "")
        named = _NO_FIELD.search(message)
        if named and (
            one.get("errorCode") in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE")
            or "external ID field" in message
        ):
            return named[1]
    return ""


def judged(reply: Reply, *, now: datetime, name: str) -> AttemptResult:
    """What an error of Salesforce means; of its words only codes and fields are kept, no value."""
    codes = codes_of(reply)
    if "REQUEST_LIMIT_EXCEEDED" in codes:
        return Postponed("Salesforce's limit of requests is used up", LIMITED_S)
    if field := _no_field(reply):
        return Postponed(missing(field, name))
    if reply.status == _FORBIDDEN:
        return Postponed(f"the app's user may not do this: {', '.join(codes)[:200]}")
    if why := next((_FOR_NOW[code] for code in codes if code in _FOR_NOW), ""):
        return Postponed(why)
    if reply.status == _INVALID:
        fields = {
            field
            for one in reply.items()
            for field in one.get("fields") or ()
            if isinstance(field, str) and _FIELD.fullmatch(field)
        }
        at = f" at {', '.join(sorted(fields))}" if fields else ""
        return Declined(f"Salesforce refused it: {', '.join(codes) or 'no reason given'}{at}"[:300])
    return result_of(reply.answer, now, shown=", ".join(codes))
