"""Click ids: what ad networks and mail tools add to a link, and where it says a visitor is from.

Kept apart from the sites, which accepting functions do not need.
"""

from collections.abc import Mapping
from typing import NamedTuple


class ClickId(NamedTuple):
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
"""Those whose values say to whom the mail went: only that they were there is kept."""
