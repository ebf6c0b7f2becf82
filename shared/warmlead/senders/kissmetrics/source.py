"""Kissmetrics: the records of its data export."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.domain.event import Trust
from warmlead.parsing.strict_json import JsonDocument, parse, text_of
from warmlead.ports import RawRequest
from warmlead.senders.attribution import path_of
from warmlead.senders.person import email_of, long_hash
from warmlead.senders.proofs import KeyInAddress, Proof
from warmlead.senders.submission import Fact
from warmlead.senders.webhooks import Said, WebhookSender, WebhookSettings, text

_ABOUT_PERSON = "properties or an alias"
_VISITED = ("visited site", "page view")
_MAX_URL = 4_000
_RANDOM = re.compile(r"[A-Za-z0-9+/]{20,80}={1,2}")
"""An id that Kissmetrics gave to a browser: base64 of random bytes."""

_ORIGIN = {
    "referrer": "referrer",
    "campaign source": "utm_source",
    "campaign medium": "utm_medium",
    "campaign name": "utm_campaign",
    "campaign terms": "utm_term",
    "campaign content": "utm_content",
}
_PAGE = ("viewed url", "url")


class KissmetricsSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are random texts. Events are named without capitals: ``visited site``."""


class KissmetricsSource(WebhookSender):
    """Records of the export (https://support.kissmetrics.io/docs/data-export).

    They are public: whoever knows the website's key, which its pages hold, can make some.
    """

    name = "kissmetrics"
    path = "kissmetrics"
    is_known_by_body = False  # any object may be a record
    proof: ClassVar[Proof] = KeyInAddress()
    meanings: ClassVar = {
        **dict.fromkeys(_VISITED, "page_viewed"),
        _ABOUT_PERSON: "identified",
        "search engine hit": None,
    }
    keeps_other_names = True
    once = "the record"
    retries = "as your job does"

    def check(self, request: RawRequest) -> Trust:
        """Public: the secret says who hands the records on, not who made them."""
        super().check(request)
        return Trust.PUBLIC

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """What a record says: an event, properties of a person, or another id of theirs."""
        kind = self._kind(text(item.get("_n")))
        fields, path = _fields(item, is_visit=kind in _VISITED)
        told = [[name, item[name]] for name in sorted(item)]
        yield Said(
            kind,
            Fact(
                fields=fields,
                id=f"record:{long_hash(text_of(told))}" if text(item.get("_t")) else None,
                time=item.get("_t"),
                properties={"path": path} if path else {},
                **_ids(item.get("_p"), item.get("_p2")),
            ),
        )

    def _kind(self, name: str) -> str:
        if not name:
            return _ABOUT_PERSON
        small = " ".join(name.lower().split())
        return small if small in self.meanings or small in self._settings.events else name

    def _document(self, request: RawRequest) -> JsonDocument:
        """The body as JSON; a file of the export has a record in each line."""
        held = self._held
        if held is None or held[0] is not request:
            held = self._held = request, parse(_as_list(request.body))
        return held[1]


def _as_list(body: bytes) -> bytes:
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > 1 and all(line.lstrip()[:1] == b"{" for line in lines):
        return b"[" + b",".join(lines) + b"]"
    return body


def _fields(item: Mapping[str, Any], *, is_visit: bool) -> tuple[dict[str, Any], str]:
    """The properties, of which the page and the campaign have our names; and the page's path."""
    fields: dict[str, Any] = {}
    page = ""
    for name, value in item.items():
        small = " ".join(name.lower().split())
        if name.startswith("_"):
            continue
        if is_visit and small in _PAGE:
            page = text(value)[:_MAX_URL] or page
        elif small in _ORIGIN:
            fields[_ORIGIN[small]] = value
        else:
            fields[name] = value
    return ({**fields, "url": page}, path_of(page)) if page else (fields, "")


def _ids(*given: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever JSON holds
    """An identity is an address, an id that Kissmetrics gave, or one that the website gave."""
    found: dict[str, Any] = {}
    for one in given:
        id_ = text(one)
        if not id_:
            continue
        if "@" in id_ and email_of(id_):
            found.setdefault("email", id_)
        elif _RANDOM.fullmatch(id_):
            found.setdefault("anonymous_id", f"kissmetrics:{id_}")
        else:
            found.setdefault("user_id", id_)
    return found
