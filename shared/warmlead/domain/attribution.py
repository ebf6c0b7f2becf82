"""The channel and the source of a visit, from its UTM parameters, click ids and referrer."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from warmlead.domain.event import CHANNEL, LANDING_PAGE
from warmlead.domain.sites import (
    Category,
    Site,
    host_of,
    is_no_origin,
    leads_from_sign_in,
    site_at,
    site_named,
)

if TYPE_CHECKING:  # senders import this module, and no lead
    from warmlead.domain.lead import Lead, Touch


class ClickId(Struct, frozen=True):
    """The source and the medium that stand in for UTM parameters where there are none."""

    source: str
    medium: str


CLICK_IDS: Mapping[str, ClickId] = {
    "gclid": ClickId("google", "cpc"),  # https://support.google.com/google-ads/answer/9744275
    "gbraid": ClickId("google", "cpc"),
    "wbraid": ClickId("google", "cpc"),
    "gad_source": ClickId("google", "cpc"),  # beside a gclid, or left of it where that is cut off
    "dclid": ClickId("google", "display"),  # Campaign Manager, Display & Video 360
    "msclkid": ClickId("bing", "cpc"),  # https://help.ads.microsoft.com
    "yclid": ClickId("yandex", "cpc"),  # Yahoo! JAPAN uses the same name
    "bd_vid": ClickId("baidu", "cpc"),
    "li_fat_id": ClickId("linkedin", "cpc"),
    "ttclid": ClickId("tiktok", "cpc"),
    "twclid": ClickId("twitter", "cpc"),
    "rdt_cid": ClickId("reddit", "cpc"),
    "epik": ClickId("pinterest", "cpc"),
    "sccid": ClickId("snapchat", "cpc"),
    "qclid": ClickId("quora", "cpc"),
    "tblci": ClickId("taboola", "cpc"),
    "dicbo": ClickId("outbrain", "cpc"),
    "obclid": ClickId("outbrain", "cpc"),
    "irclickid": ClickId("impact", "affiliate"),
    "awc": ClickId("awin", "affiliate"),
    "cjevent": ClickId("cj", "affiliate"),
    "ransiteid": ClickId("rakuten_advertising", "affiliate"),
    "mc_cid": ClickId("mailchimp", "email"),  # of the campaign
    "_hsmi": ClickId("hubspot", "email"),  # of the mail
    "mc_eid": ClickId("mailchimp", "email"),
    "_hsenc": ClickId("hubspot", "email"),
    "mkt_tok": ClickId("marketo", "email"),
    "_kx": ClickId("klaviyo", "email"),
    # Facebook and Instagram add theirs to every link, whether paid for or not.
    "fbclid": ClickId("facebook", "social"),
    "igshid": ClickId("instagram", "social"),
    "igsh": ClickId("instagram", "social"),
    "srsltid": ClickId("google", "organic"),  # free listings of Google's Merchant Center
}
"""By parameter, in lower case; of several the first here decides."""

NAMING_A_PERSON = frozenset(("mc_eid", "_hsenc", "mkt_tok", "_kx"))
"""Click ids that identify the recipient of a mail: only their presence is kept."""


DIRECT_SOURCE = "(direct)"
UNKNOWN = "(unknown)"
NOT_SET = "(not set)"


class Channel(StrEnum):
    """The channels, by the names that Google Analytics gives them."""

    DIRECT = "Direct"
    CROSS_NETWORK = "Cross-network"
    PAID_SHOPPING = "Paid Shopping"
    PAID_SEARCH = "Paid Search"
    PAID_SOCIAL = "Paid Social"
    PAID_VIDEO = "Paid Video"
    DISPLAY = "Display"
    PAID_OTHER = "Paid Other"
    ORGANIC_SHOPPING = "Organic Shopping"
    ORGANIC_SOCIAL = "Organic Social"
    ORGANIC_VIDEO = "Organic Video"
    AI_ASSISTANT = "AI Assistant"
    ORGANIC_SEARCH = "Organic Search"
    EMAIL = "Email"
    AFFILIATES = "Affiliates"
    REFERRAL = "Referral"
    AUDIO = "Audio"
    SMS = "SMS"
    PUSH = "Mobile Push Notifications"
    UNASSIGNED = "Unassigned"
    UNKNOWN = "(unknown)"


class Origin(Struct, frozen=True):
    """Where a visit came from. ``source`` is in lower case; ``medium`` may be empty."""

    channel: Channel
    source: str
    medium: str = ""


NOWHERE = Origin(Channel.DIRECT, DIRECT_SOURCE, "(none)")
"""The visitor typed the address, or followed a link without a referrer."""

NOT_KNOWN = Origin(Channel.UNKNOWN, UNKNOWN)
"""The visitor's origin is unknown: no event named its page and referrer."""

_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def _plain(name: str) -> str:
    return _BETWEEN_WORDS.sub(" ", name.lower()).strip()


_CHANNEL_NAMES = {
    **{_plain(channel): channel for channel in Channel},
    # HubSpot's traffic sources, so far as they are not named alike
    # https://knowledge.hubspot.com/reports/understand-hubspots-traffic-sources-in-the-traffic-analytics-tool
    "direct traffic": Channel.DIRECT,
    "email marketing": Channel.EMAIL,
    "social media": Channel.ORGANIC_SOCIAL,
    "referrals": Channel.REFERRAL,
    "ai referrals": Channel.AI_ASSISTANT,
    "social": Channel.ORGANIC_SOCIAL,  # Google Analytics until 2023
}
_NOT_OF_LINKS = frozenset((Channel.DIRECT, Channel.UNKNOWN))
"""What the parameters of a link cannot state: whoever has them has followed a link."""

_SHOP = re.compile(r"(?:^|[^a-df-z])shop|shopping")  # not "workshop" and "bishop"
_DISPLAY = frozenset(("display", "banner", "expandable", "interstitial", "cpm"))
_SOCIAL = frozenset(
    ("social", "social-network", "social-media", "sm", "social network", "social media")
)
_EMAIL = frozenset(("email", "e-mail", "e_mail", "e mail"))
_REFERRAL = frozenset(("referral", "app", "link"))

_PAID = {
    Category.SHOPPING: Channel.PAID_SHOPPING,
    Category.SEARCH: Channel.PAID_SEARCH,
    Category.SOCIAL: Channel.PAID_SOCIAL,
    Category.VIDEO: Channel.PAID_VIDEO,
}
_ORGANIC = {
    Category.SHOPPING: Channel.ORGANIC_SHOPPING,
    Category.SOCIAL: Channel.ORGANIC_SOCIAL,
    Category.VIDEO: Channel.ORGANIC_VIDEO,
    Category.AI: Channel.AI_ASSISTANT,
    Category.SEARCH: Channel.ORGANIC_SEARCH,
    Category.EMAIL: Channel.EMAIL,
}
_MEDIUM_OF_REFERRER = {Category.SEARCH: "organic", Category.AI: "ai-assistant"}


def named_channel(name: str) -> Channel | None:
    """The channel that bears a name in Google Analytics or in HubSpot; ``None`` if none does.

    Letter case does not matter, nor whether blanks, hyphens or underscores part the words.
    """
    return _CHANNEL_NAMES.get(_plain(name))


def origin_of(attribution: Iterable[tuple[str, str]]) -> Origin:
    """The origin of a visit: from UTM parameters, else a click id, else the referrer.

    ``NOT_KNOWN`` without any of these. A channel that records state is taken as stated.
    """
    kept = dict(attribution)
    stated = named_channel(kept.get(CHANNEL, ""))
    source, medium, campaign = (
        kept.get(f"utm_{name}", "").strip().lower() for name in ("source", "medium", "campaign")
    )
    click = next((CLICK_IDS[name] for name in CLICK_IDS if name in kept), None)
    referrer = _referring_site(kept.get("referrer", ""))
    if not (source or medium or campaign or click or stated):
        return _referred(referrer) if referrer else NOT_KNOWN
    if click and not source:
        source = click.source
    if click and not medium and _belongs(click, source):
        medium = click.medium
    site = site_named(source) if source else referrer or Site(NOT_SET, Category.OTHER)
    channel = stated or channel_of(site.category, source, medium, campaign)
    return Origin(channel, source or site.name, medium)


MAX_SOURCE_LETTERS = 60

OTHER_SOURCES = "(other)"


def presentable(source: str) -> str:
    """A source's name as a report or a list may show it: none that could name a person."""
    safe = len(source) <= MAX_SOURCE_LETTERS and "@" not in source and source.isprintable()
    return source if safe else OTHER_SOURCES


def first_origin(lead: "Lead") -> Origin:
    """The lead's first origin; a direct visit counts if there is no other."""
    return _origin(lead, lead.first_touch)


def last_origin(lead: "Lead") -> Origin:
    """The lead's last origin; a direct visit does not replace another."""
    return _origin(lead, lead.last_touch)


def origin_facts(lead: "Lead") -> dict[str, str]:
    """What conditions may ask of a lead's first and last origin, as far as it is known.

    By name: ``first.channel``, ``last.campaign``. Sources are in lower case, campaigns as they were
    sent.
    """
    touches = (
        ("first", lead.first_touch, first_origin(lead)),
        ("last", lead.last_touch, last_origin(lead)),
    )
    facts: dict[str, str] = {}
    for which, touch, origin in touches:
        kept = dict(touch.attribution) if touch else {}
        if origin.channel is not Channel.UNKNOWN:
            facts[f"{which}.channel"] = str(origin.channel)
            facts[f"{which}.source"] = origin.source
        if origin.medium:
            facts[f"{which}.medium"] = origin.medium
        facts |= {f"{which}.{name}": kept[key] for name, key in _KEPT.items() if kept.get(key)}
    if first := _landing_page(lead.first_touch):
        facts["first.landing_page"] = first
    if last := _landing_page(lead.last_landing):
        facts["last.landing_page"] = last
    return facts


def _landing_page(touch: "Touch | None") -> str:
    return dict(touch.attribution).get(LANDING_PAGE, "") if touch else ""


_KEPT = {
    "campaign": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
    "referrer": "referrer",
}
"""Facts about an origin that are the values of its visit, by what keeps them."""


def described(touch: "Touch | None", origin: Origin) -> dict[str, str]:
    """A touch as messages show it: the values that were kept, with channel and source."""
    kept = dict(touch.attribution) if touch else {}
    return {**kept, "channel": origin.channel, "source": origin.source}


def _origin(lead: "Lead", touch: "Touch | None") -> Origin:
    if touch:
        return origin_of(touch.attribution)
    return NOWHERE if lead.direct else NOT_KNOWN


def channel_of(category: Category, source: str, medium: str, campaign: str) -> Channel:
    """The channel by the published rules, in their order; all texts in lower case.

    ``category`` is that of the source's site. Where these rules find none, or only that it was paid
    for, a medium or a source that is the name of a channel states it.
    """
    is_shop = category is Category.SHOPPING or _SHOP.search(campaign)
    if source == DIRECT_SOURCE and medium in ("", NOT_SET, "(none)"):
        return Channel.DIRECT
    if "cross-network" in campaign:
        return Channel.CROSS_NETWORK
    if _is_paid(medium):
        return Channel.PAID_SHOPPING if is_shop else _PAID.get(category) or _paid(source, medium)
    if medium in _DISPLAY:
        return Channel.DISPLAY
    if is_shop:
        return Channel.ORGANIC_SHOPPING
    return _unpaid(category, source, medium)


def _is_paid(medium: str) -> bool:
    """``^(.*cp.*|ppc|retargeting|paid.*)$``, as published."""
    return "cp" in medium or medium in ("ppc", "retargeting") or medium.startswith("paid")


def _paid(source: str, medium: str) -> Channel:
    """The channel of what was paid for on a site that is not listed."""
    if medium in _DISPLAY:
        return Channel.DISPLAY
    named = _named_by_link(source, medium)
    return named if named and named.startswith("Paid") else Channel.PAID_OTHER


def _named_by_link(source: str, medium: str) -> Channel | None:
    named = (named_channel(text) for text in (medium, source))
    return next((each for each in named if each and each not in _NOT_OF_LINKS), None)


def _unpaid(category: Category, source: str, medium: str) -> Channel:
    by_medium = (
        (category is Category.SOCIAL or medium in _SOCIAL, Channel.ORGANIC_SOCIAL),
        (category is Category.VIDEO or "video" in medium, Channel.ORGANIC_VIDEO),
        (medium == "ai-assistant", Channel.AI_ASSISTANT),
        (category is Category.AI and medium in ("", *_REFERRAL), Channel.AI_ASSISTANT),
        (category is Category.SEARCH or medium == "organic", Channel.ORGANIC_SEARCH),
        (category is Category.EMAIL or _EMAIL & {source, medium}, Channel.EMAIL),
        (medium in ("affiliate", "affiliates"), Channel.AFFILIATES),
        (medium in _REFERRAL, Channel.REFERRAL),
        (medium == "audio", Channel.AUDIO),
        ("sms" in (source, medium), Channel.SMS),
        (_is_push(source, medium), Channel.PUSH),
    )
    found = next((channel for holds, channel in by_medium if holds), None)
    return found or _named_by_link(source, medium) or Channel.UNASSIGNED


def _is_push(source: str, medium: str) -> bool:
    in_app = "mobile" in medium or "notification" in medium
    return medium.endswith("push") or in_app or source == "firebase"


def _belongs(click: ClickId, source: str) -> bool:
    """Whether a click id decides the medium of a source: its own network, or a paid medium."""
    return _is_paid(click.medium) or site_named(source).name == click.source


def _referring_site(referrer: str) -> Site | None:
    host = host_of(referrer)
    is_origin = host and not is_no_origin(host) and not leads_from_sign_in(referrer)
    return site_at(host) if is_origin else None


def _referred(site: Site) -> Origin:
    medium = _MEDIUM_OF_REFERRER.get(site.category, "referral")
    return Origin(_ORGANIC.get(site.category, Channel.REFERRAL), site.name, medium)
