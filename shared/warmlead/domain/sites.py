"""Which sites are search engines, social networks, shops, video sites, mail and AI assistants.

With a domain all below it counts, unless the lists name a longer one.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from warmlead.domain import site_lists
from warmlead.domain.hosts import MAX_HOST, host_of, site_of


class Category(StrEnum):
    """What kind of site leads a visitor on."""

    SEARCH = "search"
    SOCIAL = "social"
    SHOPPING = "shopping"
    VIDEO = "video"
    EMAIL = "email"
    AI = "ai"
    OTHER = "other"


class Site(NamedTuple):
    """A site by the name under which it is reported."""

    name: str
    category: Category


_ALIASES = {
    "fb": "facebook", "ig": "instagram", "meta": "facebook", "x": "twitter", "yt": "youtube",
    "ddg": "duckduckgo", "hn": "hackernews", "adwords": "google", "googleads": "google",
    "google-ads": "google", "google_ads": "google", "bingads": "bing", "gmb": "google",
    "googlemybusiness": "google", "google shopping": "google_shopping", "wechat": "wechat",
    "igshopping": "google_shopping", "openai": "chatgpt", "messenger": "facebook",
}  # fmt: skip
"""What people write as ``utm_source``."""


class _Sites(NamedTuple):
    by_domain: Mapping[str, Site]
    by_name: Mapping[str, Site]
    everywhere: Mapping[str, Site]


def site_named(source: str) -> Site:
    """The site that a text names, ``google``, ``fb`` or ``m.facebook.com``; other if unknown."""
    text = source.strip().lower()
    name = host_of(text) or text
    if known := _sites().by_name.get(_ALIASES.get(name, name)):
        return known
    may_be_host = "." in name and len(name) <= MAX_HOST
    return site_at(name) if may_be_host else Site(name, Category.OTHER)


def site_at(host: str) -> Site:
    """The site of a host; of a site that is not known it is the host without ``www.``."""
    sites = _sites()
    rest = host
    while "." in rest:
        if found := sites.by_domain.get(rest):
            return found if found.category is not Category.OTHER else _unknown(host)
        rest = rest.partition(".")[2]
    name, _, top = site_of(host).partition(".")
    found = sites.everywhere.get(name)
    return found if found and _is_of_a_country(top) else _unknown(host)


def _unknown(host: str) -> Site:
    return Site(host.removeprefix("www."), Category.OTHER)


def _is_of_a_country(top: str) -> bool:
    """Whether a domain ends in ``com``, ``de`` or ``co.uk``, as those of a worldwide brand do."""
    last = top.rpartition(".")[2]
    return top == "com" or (len(last) == 2 and last.isalpha())  # noqa: PLR2004  # a country's code


@cache
def _sites() -> _Sites:
    by_domain: dict[str, Site] = {}
    by_name: dict[str, Site] = {}
    everywhere: dict[str, Site] = {}
    for name, domains, category in _lines():
        site = Site(name, category)
        by_name.setdefault(name, site)
        for domain in domains:
            if domain.endswith(".*"):
                everywhere[domain[:-2]] = site
            else:
                by_domain[domain] = site
    for domain in site_lists.OTHER.split():
        by_domain[domain] = Site(domain, Category.OTHER)
    return _Sites(by_domain, by_name, everywhere)


def _lines() -> Iterator[tuple[str, list[str], Category]]:
    lists = {
        Category.SEARCH: site_lists.SEARCH,
        Category.SOCIAL: site_lists.SOCIAL,
        Category.SHOPPING: site_lists.SHOPPING,
        Category.VIDEO: site_lists.VIDEO,
        Category.EMAIL: site_lists.EMAIL,
        Category.AI: site_lists.AI,
    }
    for category, text in lists.items():
        for line in text.split("\n"):
            name, *domains = line.split() or ("",)
            if name:
                yield name, domains, category
