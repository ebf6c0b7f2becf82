"""Where a visit came from: UTM parameters, the click ids of advertisers, the referring site."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

MAX_VALUE = 200

UTM = ("source", "medium", "campaign", "term", "content", "id")
CLICK_IDS = (
    *("gclid", "gbraid", "wbraid", "dclid"),  # Google
    *("fbclid", "msclkid", "li_fat_id", "ttclid", "twclid", "rdt_cid", "epik", "sccid", "yclid"),
)
PARAMETERS = frozenset((*(f"utm_{name}" for name in UTM), *CLICK_IDS))

_CAMPAIGN = {
    "name": "utm_campaign",
    **{name: f"utm_{name}" for name in UTM},
    **{name: name for name in CLICK_IDS},  # our snippet keeps them there for the session
}


def attribution_of(
    *,
    url: object = None,
    referrer: object = None,
    campaign: object = None,
    fields: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The origin of a visit, by parameter: fields first, then the campaign, then the page's URL.

    ``campaign`` is as in Segment's ``context.campaign``. The referrer counts if it is another
    site, and without its query, which may say more about a person than where they came from.
    """
    found: dict[str, str] = {}
    if isinstance(url, str) and "?" in url:
        _add(found, _parameters(url))
    if isinstance(campaign, dict):
        _add(found, ((_CAMPAIGN.get(name, ""), value) for name, value in campaign.items()))
    if fields:
        _add(found, ((name, fields[name]) for name in PARAMETERS & fields.keys()))
    if isinstance(referrer, str) and referrer.startswith(("http://", "https://")):
        site = referrer.partition("?")[0].partition("#")[0]
        if not (isinstance(url, str) and host_of(url) == host_of(site)):
            _add(found, [("referrer", site)])
    return found


def host_of(url: str) -> str:
    """The host of a URL with its port, in lower case."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].lower()


def path_of(url: str) -> str:
    """The path of a URL, at least a slash."""
    rest = url.partition("://")[2].partition("?")[0].partition("#")[0]
    return "/" + rest.partition("/")[2]


def _parameters(url: str) -> list[tuple[str, str]]:
    query = url.partition("?")[2].partition("#")[0]
    pairs = [pair.partition("=") for pair in query.split("&")]
    return [(name, unquote_plus(value)) for name, _, value in pairs if name in PARAMETERS]


def _add(found: dict[str, str], named: Iterable[tuple[str, Any]]) -> None:
    for name, value in named:
        if name and isinstance(value, str) and (text := value.strip()):
            found[name] = text[:MAX_VALUE]
