"""Which page answers which address, who may open it, and what a page says when something fails."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct

from warmlead.dashboard import try_page
from warmlead.dashboard.access import Access, LinkAccess, TokenAccess, Viewer
from warmlead.dashboard.api import api_answer
from warmlead.dashboard.first_page import first_page, scores_page
from warmlead.dashboard.health_page import health_page
from warmlead.dashboard.leads import Told, lead_page, seen_at
from warmlead.dashboard.lists import leads_file, leads_page
from warmlead.dashboard.model_page import model_page
from warmlead.dashboard.parts import Parts
from warmlead.dashboard.queries import read_query
from warmlead.dashboard.rendering import BASE, HEADERS, asset_at, page, redirect
from warmlead.dashboard.reports_page import reports_page
from warmlead.dashboard.statements import FormKeys, demand_own_page, is_stale, publish, stated
from warmlead.dashboard.trials import MODEL_BYTES, STORY_BYTES
from warmlead.dashboard.unmatched_page import unmatched_page
from warmlead.dashboard.uploads import uploaded
from warmlead.domain.errors import Reason, RejectedError
from warmlead.ports import RawRequest
from warmlead.web.answers import Answer, navigates

BODY_BYTES = MODEL_BYTES + STORY_BYTES + 60_000
"""The largest body: the form of a model and a story, with the ends of lines that browsers add."""

SAID_BYTES = 20_000
"""The largest body of any other form: a button, with a note of sales."""

LEAD_ID = r"[a-z0-9]{1,64}"
_READING = ("GET", "HEAD")
_NAMELESS = {"Referrer-Policy": "no-referrer"}
"""The address of the link holds the token, which no further request repeats."""

_ALLOWED = {"Allow": "GET, HEAD, POST"}


class Asking(Struct, frozen=True):
    """A request of a viewer: ``parts`` of its address, and its query."""

    request: RawRequest
    viewer: Viewer
    query: Mapping[str, str]
    id: str = ""


Shown: TypeAlias = Callable[[Asking], Awaitable[Answer]]


class DashboardSite:
    """Answers requests of viewers. ``parts`` are opened at the first request that needs them."""

    def __init__(
        self, parts: Callable[[], Parts], access: Access, readers: Mapping[str, str]
    ) -> None:
        """``readers`` are the tokens that read the API, by their names."""
        self._parts = parts
        self._access = access
        self._readers = TokenAccess(readers, access)
        self._keys = FormKeys(access.secret)
        self._pages: tuple[tuple[re.Pattern[str], Shown], ...] = (
            (re.compile(""), self._overview),
            (re.compile("/scores"), self._scores),
            (re.compile("/reports"), self._reports),
            (re.compile(r"/reports/([^/]+)"), self._reports),
            (re.compile("/model"), self._model),
            (re.compile(try_page.PATH), self._try),
            (re.compile("/model/unmatched"), self._unmatched),
            (re.compile("/health"), self._health),
            (re.compile(r"/api/(.+)"), self._api),
            (re.compile("/leads"), self._leads),
            (re.compile(r"/leads\.csv"), self._file),
            (re.compile(f"/leads/({LEAD_ID})"), self._lead),
            (re.compile(f"/leads/({LEAD_ID})/say"), self._back),
        )

    async def answer(self, request: RawRequest) -> Answer:
        """The answer to a request; raises ``RejectedError`` for those that may not look."""
        path = _below(request.path)
        if path.startswith("/static/"):
            return asset_at(path)
        if path == "/open":
            return self._opened(request)
        access = self._readers if path.startswith("/api/") else self._access
        viewer = await access.viewer(request.headers)
        if request.method == "POST":
            return await self._post(path, request, viewer)
        if request.method not in _READING:
            raise RejectedError(Reason.METHOD_NOT_ALLOWED, "Only GET and POST are answered.")
        for pattern, shown in self._pages:
            if found := pattern.fullmatch(path):
                id_ = found[1] if found.lastindex else ""
                return await shown(Asking(request, viewer, read_query(request.query), id_))
        raise RejectedError(Reason.NOT_FOUND, "There is no such page.")

    def dressed(self, headers: Mapping[str, str], answer: Answer) -> Answer:
        """A failure as a page, if a person sees it; with the headers of all pages in any case."""
        if "Content-Security-Policy" in answer.headers:
            return answer
        reason = str(answer.facts.get("reason", ""))
        more = _ALLOWED if reason == Reason.METHOD_NOT_ALLOWED else {}
        if answer.status < 400 or not navigates(headers):  # noqa: PLR2004  # failures
            return replace(answer, headers={**answer.headers, **HEADERS, **more})
        told = json.loads(answer.body).get("message", "")
        shown = page("message.html", status=answer.status, here="", reason=reason, message=told)
        headers = {**answer.headers, **shown.headers, **more}
        return replace(shown, headers=headers, facts=answer.facts)

    def _opened(self, request: RawRequest) -> Answer:
        if not isinstance(self._access, LinkAccess):
            raise RejectedError(Reason.NOT_FOUND, "There is no such page.")
        token = read_query(request.query).get("token", "")
        is_secure = request.headers.get("x-forwarded-proto", "") == "https"
        cookie = self._access.opened(token, is_secure=is_secure)
        # Not a redirect: after one from another site the browser would not send the cookie.
        shown = page("opened.html", here="")
        return replace(shown, headers={**shown.headers, "Set-Cookie": cookie, **_NAMELESS})

    # --- leads -------------------------------------------------------------------------------

    async def _overview(self, asking: Asking) -> Answer:
        return await first_page(self._parts(), asking.query, asking.request.received_at)

    async def _scores(self, _: Asking) -> Answer:
        return await scores_page(self._parts())

    async def _reports(self, asking: Asking) -> Answer:
        return await reports_page(self._parts(), asking.id, asking.request.received_at)

    async def _model(self, asking: Asking) -> Answer:
        return await model_page(self._parts(), asking.request.received_at)

    async def _try(self, asking: Asking) -> Answer:
        return try_page.form_page(self._key_to_try(asking.viewer, asking.request))

    async def _unmatched(self, asking: Asking) -> Answer:
        return await unmatched_page(self._parts(), asking.request.received_at)

    async def _health(self, asking: Asking) -> Answer:
        return await health_page(self._parts(), asking.request.received_at)

    async def _api(self, asking: Asking) -> Answer:
        now = asking.request.received_at
        return await api_answer(asking.id, self._parts(), asking.query, now)

    async def _leads(self, asking: Asking) -> Answer:
        return await leads_page(self._parts(), asking.query, asking.request.received_at)

    async def _file(self, asking: Asking) -> Answer:
        return await leads_file(self._parts(), asking.query, asking.request.received_at)

    async def _lead(self, asking: Asking) -> Answer:
        told: Told = "waits" if "waits" in asking.query else ""
        return await self._lead_told(asking.id, asking.request, asking.viewer, told)

    async def _back(self, asking: Asking) -> Answer:
        """Where a form was sent to there is no page: whoever opens that again wants the lead."""
        return redirect(f"/leads/{asking.id}")

    async def _lead_told(
        self, lead_id: str, request: RawRequest, viewer: Viewer, told: Told, *, note: str = ""
    ) -> Answer:
        return await lead_page(
            self._parts(),
            lead_id,
            viewer,
            self._keys,
            request.received_at,
            once=request.request_id,
            told=told,
            note=note,
        )

    async def _post(self, path: str, request: RawRequest, viewer: Viewer) -> Answer:
        if path == try_page.PATH:
            return await self._tried(request, viewer)
        if found := re.fullmatch(f"/leads/({LEAD_ID})/say", path):
            return await self._said(found[1], request, viewer)
        raise RejectedError(Reason.NOT_FOUND, "There is no such form.")

    async def _tried(self, request: RawRequest, viewer: Viewer) -> Answer:
        demand_own_page(request.headers)
        form = uploaded(request)
        self._keys.demand(form.get("key", ""), viewer, try_page.PATH, request.received_at)
        key = self._key_to_try(viewer, request)
        return await try_page.tried_page(self._parts(), key, form)

    def _key_to_try(self, viewer: Viewer, request: RawRequest) -> str:
        return self._keys.key(viewer, try_page.PATH, request.received_at)

    async def _said(self, lead_id: str, request: RawRequest, viewer: Viewer) -> Answer:
        demand_own_page(request.headers)
        if len(request.body) > SAID_BYTES:
            message = f"The body is larger than {SAID_BYTES} bytes."
            raise RejectedError(Reason.BODY_TOO_LARGE, message)
        form = _form(request)
        self._keys.demand(form.get("key", ""), viewer, lead_id, request.received_at)
        if not viewer.may_state:
            raise RejectedError(Reason.FORBIDDEN, "A token may read, and state nothing.")
        parts = self._parts()
        lead = (await seen_at(parts, lead_id, request.received_at)).lead
        event = stated(lead, form, viewer, request)
        if is_stale(lead, form, event):
            note = form.get("note", "")
            return await self._lead_told(lead.id, request, viewer, "moved", note=note)
        is_there = await publish(event, lead.id, parts)
        return redirect(f"/leads/{lead.id}{'' if is_there else '?waits=1'}")


def _below(path: str) -> str:
    """The path below ours, without a slash at its end; the first page is empty."""
    below = path.removeprefix(BASE) if path == BASE or path.startswith(f"{BASE}/") else path
    return below.rstrip("/")


def _form(request: RawRequest) -> dict[str, str]:
    type_ = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if type_ != "application/x-www-form-urlencoded":
        raise RejectedError(Reason.MEDIA_TYPE_UNSUPPORTED, "Send the form of the page.")
    try:
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError as error:
        raise RejectedError(Reason.FORM_TOO_MANY_FIELDS, "The form has too many fields.") from error
    return dict(reversed(pairs))
