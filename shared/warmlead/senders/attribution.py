"""Where a visit came from: UTM parameters, the click ids of advertisers, the referring site.

What each rule is for: docs/attribution.md.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from warmlead.domain.attribution import CLICK_IDS, NAMING_A_PERSON
from warmlead.domain.event import LANDING_PAGE
from warmlead.domain.sites import host_of, is_below, is_no_origin, leads_from_sign_in, site_of

MAX_VALUE = 200
MAX_URL = 8 * 1024  # browsers and servers take few longer ones; the rest is not read

UTM = ("source", "medium", "campaign", "term", "content", "id")
PARAMETERS = frozenset((*(f"utm_{name}" for name in UTM), *CLICK_IDS))

_MAX_ENCODED = MAX_VALUE * 20  # a character may be four bytes, each of them written as %25XX
_MAX_NAME = 40
_SHORTEST = 4
_THERE = "1"
_WEBSITES = ("https://", "http://", "android-app://")
_NO_REFERRER = ("", "$direct")  # RudderStack's clients say the second
_SPELLINGS = {
    **{name: name for name in PARAMETERS},
    # as the name of a form's field; what is shorter may be anything
    **{name.lstrip("_"): name for name in CLICK_IDS if len(name) >= _SHORTEST},
    **{f"utm{name}": f"utm_{name}" for name in UTM},
    "sc_cid": "sccid",
}
_CAMPAIGN = {
    **_SPELLINGS,
    "name": "utm_campaign",
    **{name: f"utm_{name}" for name in UTM},
}

_SEPARATOR = re.compile(r"[?#&]")
_JOINT = re.compile(r"(&(?:amp;|#0{0,3}38;|#[xX]26;)*|[?;])")
_JOINTS = frozenset("&?;")
_ENCODED = re.compile(r"%[0-9a-fA-F]{2}")
_SURE_TEMPLATE = re.compile(r"\{\{|\}\}|\$\{|<%|%%\w|\*\||\[\[")
_LIKELY_TEMPLATE = re.compile(
    r"\{[^{}]*\}|\[[^\[\]]*\]|<[^<>]*>|%[A-Za-z_]+%|__[A-Z]+(?:_[A-Z]+)*__"
)
_NOTHING = frozenset(
    (
        *("null", "none", "nil", "nan", "undefined", "unset", "n/a", "-", "$direct"),
        *("(none)", "(direct)", "(not set)", "(not provided)", "(null)", "[object object]"),
    )
)


class Visit(Struct, frozen=True):
    """Where the visitor of an event came from, as far as the event states it.

    ``direct``: the page is known, and the browser states that there was no referrer. It is false
    if the page or the referrer is unknown. ``landing_page`` is the path of the first page, empty if
    that, or the origin, is unknown.
    """

    attribution: dict[str, str]
    direct: bool
    landing_page: str = ""

    @property
    def touch(self) -> dict[str, str]:
        """What an event keeps of it: the origin with the landing page."""
        if not self.landing_page:
            return self.attribution
        return {**self.attribution, LANDING_PAGE: self.landing_page}


def visit_of(
    *,
    url: object = None,
    referrer: object = None,
    campaign: object = None,
    fields: Mapping[str, Any] | None = None,
    own_hosts: Collection[str] = (),
    landing_page: object = None,
) -> Visit:
    """The origin of a visit, by parameter: fields first, then the campaign, then the page's URL.

    ``campaign`` is as in Segment's ``context.campaign``, or a query. The referrer counts if it is
    another site. Its query is left out, since it may hold personal data. Own sites are that
    of the URL, and ``own_hosts`` with all below them. ``referrer`` is empty if there was none, and
    ``None`` if it is not known. ``landing_page`` is the address or path of the first page, if that
    is stated. Else it is the page, if its own address has parameters or another site led to it: a
    campaign that is told of a later page was that of an earlier one.
    """
    found: dict[str, str] = {}
    page = url[:MAX_URL] if isinstance(url, str) else ""
    _add(found, _parameters(page))
    is_first = bool(found)
    if isinstance(campaign, dict):
        _add(found, _named(campaign, _CAMPAIGN))
    elif isinstance(campaign, str):
        _add(found, _parameters(f"?{campaign[:MAX_URL]}"))
    if fields:
        _add(found, _named(fields, _SPELLINGS))
    page_host = host_of(page)
    led_by = referrer[:MAX_URL].strip() if isinstance(referrer, str) else None
    is_website = led_by and not leads_from_sign_in(led_by)
    if led_by and is_website and _is_origin(_site_host(led_by), page_host, own_hosts):
        found["referrer"] = led_by[:MAX_VALUE].partition("?")[0].partition("#")[0]
    is_direct = led_by in _NO_REFERRER and bool(page_host) and not found
    is_first = is_first or "referrer" in found
    landing = _landing(landing_page) or (_landing(page) if is_first else "")
    return Visit(found, is_direct, landing if found else "")


def _landing(page: object) -> str:
    """The path of a page's address, or of a path, without its query; empty if it is neither."""
    if not isinstance(page, str) or not page.startswith((*_WEBSITES[:2], "/")):
        return ""
    path = page[:MAX_URL].partition("?")[0].partition("#")[0]
    return (path if path.startswith("/") else path_of(path))[:MAX_VALUE]


def path_of(url: str) -> str:
    """The path of a URL, at least a slash."""
    rest = url.partition("://")[2].partition("?")[0].partition("#")[0]
    return "/" + rest.partition("/")[2]


def _site_host(referrer: str) -> str:
    return host_of(referrer) if referrer[:20].lower().startswith(_WEBSITES) else ""


def _is_origin(host: str, page_host: str, own_hosts: Collection[str]) -> bool:
    if not host or is_no_origin(host) or is_below(host, own_hosts):
        return False
    return not page_host or site_of(host) != site_of(page_host)


def _parameters(url: str) -> Iterator[tuple[str, str]]:
    """The parameters after the first ``?`` or ``#``, however their separators were damaged.

    A further ``?`` counts as ``&``. So do ``;`` and an encoded ``&``, if a known name follows.
    """
    for part in _pieces(url):
        name, equals, value = part.partition("=")
        if not equals and "%3" in part:  # the whole query was encoded
            name, _, value = unquote(part[:_MAX_ENCODED]).partition("=")
        if known := _parameter(name):
            yield from _apart(known, _decoded(value[:_MAX_ENCODED].replace("+", " ")))


def _pieces(url: str) -> Iterator[str]:
    for part in filter(None, _SEPARATOR.split(url)[1:]):
        piece, *others = part.split(";")
        for other in others:
            if _parameter(other.partition("=")[0]):
                yield piece
                piece = other
            else:
                piece = f"{piece};{other}"
        yield piece


def _apart(name: str, text: str) -> Iterator[tuple[str, str]]:
    """A value, and known parameters that damaged separators made a part of it."""
    value, *rest = (text,) if _JOINTS.isdisjoint(text) else _JOINT.split(text)
    before, _, behind = value.partition("=")
    if behind and _parameter(before) == name:
        value = behind
    for sign, part in zip(rest[::2], rest[1::2], strict=True):
        inner, _, of_inner = part.partition("=")
        if known := _parameter(inner):
            yield name, value
            name, value = known, of_inner
        else:
            value += sign + part
    yield name, value


def _parameter(name: str) -> str:
    """Our name of a parameter, however it is spelt; empty for an unknown one."""
    if len(name) > _MAX_NAME:
        return ""
    lower = name.strip().lower()
    while lower.startswith("amp;"):
        lower = lower[4:]
    return _SPELLINGS.get(lower, "")


def _named(given: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if not isinstance(name, str) or len(name) > _MAX_NAME or not isinstance(value, str):
            continue
        if known := names.get(name.lower()):
            yield from _apart(known, value[:_MAX_ENCODED])


def _add(found: dict[str, str], named: Iterable[tuple[str, Any]]) -> None:
    for name, value in named:
        if name and isinstance(value, str) and (text := _mended(value[:_MAX_ENCODED])):
            found[name] = _THERE if name in NAMING_A_PERSON else text


def _mended(value: str) -> str:
    """A value as it was meant, decoded once more if it came encoded twice; empty for no value.

    An unreplaced placeholder of a template, such as ``{{campaign}}``, is no value.
    """
    text = _decoded(value).strip()[:MAX_VALUE]
    if text.lower() in _NOTHING or _SURE_TEMPLATE.search(text):
        return ""
    rest, count = _LIKELY_TEMPLATE.subn("", text)
    return text if not count or any(letter.isalnum() for letter in rest) else ""


def _decoded(text: str) -> str:
    if not _ENCODED.search(text):
        return text
    decoded = unquote(text)
    only_looks_encoded = "\ufffd" in decoded[:MAX_VALUE]  # "50%deal"; behind it a character was cut
    return text if only_looks_encoded else decoded
