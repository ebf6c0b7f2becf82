"""Channels and sources: the published rules, each by links and referrers as they really come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unit.domain.worlds import NOON, World, event_of, rules_of
from warmlead.domain.attribution import (
    CLICK_IDS,
    NOT_KNOWN,
    NOWHERE,
    Channel,
    Origin,
    channel_of,
    first_origin,
    last_origin,
    named_channel,
    origin_of,
)
from warmlead.domain.event import Event
from warmlead.domain.lead import Lead
from warmlead.domain.scoring import ScoringPolicy
from warmlead.domain.sites import Category, site_at, site_named


def tagged(text: str) -> Origin:
    """``tagged("google / cpc / spring")``: source, medium and campaign as UTM parameters."""
    names = ("utm_source", "utm_medium", "utm_campaign")
    values = (part.strip() for part in text.split("/"))
    return origin_of([(name, value) for name, value in zip(names, values, strict=False) if value])


def named(origin: Origin) -> tuple[str, str]:
    return origin.channel, origin.source


def referred(url: str) -> Origin:
    return origin_of([("referrer", url)])


TAGGED = {
    Channel.DIRECT: ["(direct) / (none)", "(direct) / (not set)"],
    Channel.CROSS_NETWORK: ["google / cpc / Cross-network", "google / / x cross-network y"],
    Channel.PAID_SHOPPING: [
        *("google / cpc / Shopping DE", "amazon / cpc", "bing / ppc / e-shop", "ebay.de / paid"),
        "google / cpc / shop-sale",
    ],
    Channel.PAID_SEARCH: [
        *("google / cpc", "Google / CPC", "bing / ppc", "yandex / paid", "duckduckgo / cpc"),
        *("google.com / cpc", "www.bing.com / cpc", "google / retargeting", "google / paidsearch"),
        *("google / cpm", "adwords / cpc", "baidu / cpc", "google / cpc / workshop"),
    ],
    Channel.PAID_SOCIAL: [
        *("facebook / cpc", "fb / paid", "ig / paid_social", "linkedin / paidsocial", "x / cpc"),
        *("LinkedIn / CPC", "m.facebook.com / cpc", "tiktok / ppc", "reddit / cpm"),
    ],
    Channel.PAID_VIDEO: ["youtube / cpc", "vimeo.com / paid", "yt / cpv-cpc"],
    Channel.DISPLAY: [
        *("gdn / display", "criteo / banner", "dv360 / cpm", "x.example / interstitial"),
        *("google / display", "acme / expandable"),
    ],
    Channel.PAID_OTHER: ["taboola / cpc", "g2 / ppc", "capterra / paid-listing", "acme / cpa-cpl"],
    Channel.ORGANIC_SHOPPING: ["amazon", "etsy / referral", "acme / link / summer shopping"],
    Channel.ORGANIC_SOCIAL: [
        *("facebook / social", "linkedin", "buffer / social-media", "acme / sm", "t.co / referral"),
        *("hootsuite / social network", "facebook / organic"),
    ],
    Channel.ORGANIC_VIDEO: ["youtube / referral", "vimeo", "acme / video", "wistia / embed"],
    Channel.AI_ASSISTANT: ["chatgpt.com", "chatgpt.com / referral", "x.example / ai-assistant"],
    Channel.ORGANIC_SEARCH: ["google / organic", "google", "acme / organic", "ecosia.org"],
    Channel.EMAIL: [
        *("newsletter / email", "Mailchimp / E-Mail", "email", "acme / e_mail", "hs / e mail"),
        "e-mail / spring",
    ],
    Channel.AFFILIATES: ["awin / affiliate", "partner / Affiliates"],
    Channel.REFERRAL: ["acme / referral", "acme / link", "partner.example / app"],
    Channel.AUDIO: ["spotify / audio"],
    Channel.SMS: ["twilio / sms", "sms / text"],
    Channel.PUSH: [
        *("onesignal / push", "firebase", "app / web_push", "acme / mobile", "a / notification"),
    ],
    Channel.UNASSIGNED: ["acme", "acme / brochure", "/ brochure", "/ / spring", "chatgpt.com / qr"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "text"), [(channel, text) for channel, texts in TAGGED.items() for text in texts]
)
def test_campaigns_belong_to_the_published_channels(channel: Channel, text: str) -> None:
    assert tagged(text).channel is channel


def test_every_channel_has_its_examples() -> None:
    assert {*Channel} - TAGGED.keys() == {Channel.UNKNOWN}


NAMED = {
    Channel.PAID_SEARCH: ["/ Paid Search", "acme / PAID_SEARCH", "Paid Search", "a / paid-search"],
    Channel.PAID_SOCIAL: ["/ Paid Social", "PAID_SOCIAL", "Paid Social / cpc"],
    Channel.ORGANIC_SEARCH: ["/ Organic Search", "ORGANIC_SEARCH", "organic  search"],
    Channel.ORGANIC_SOCIAL: ["/ Organic Social", "Social Media", "SOCIAL_MEDIA", "Social"],
    Channel.EMAIL: ["/ Email Marketing", "EMAIL_MARKETING"],
    Channel.REFERRAL: ["partner.example / Referrals", "REFERRALS", "Referral"],
    Channel.AI_ASSISTANT: ["AI_REFERRALS", "AI Assistant", "chatgpt.com / AI Referrals"],
    Channel.CROSS_NETWORK: ["/ Cross-network"],
    Channel.AUDIO: ["/ Audio", "audio"],
    # the rules go before the name
    Channel.PAID_SHOPPING: ["amazon / Paid Search"],
    Channel.ORGANIC_VIDEO: ["youtube / Organic Social / x"],
    # a link states neither; what is offline is no visit
    Channel.UNASSIGNED: [
        *("Direct Traffic", "/ direct", "Offline Sources", "OTHER_CAMPAIGNS", "/ (unknown)")
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "text"), [(channel, text) for channel, texts in NAMED.items() for text in texts]
)
def test_a_channel_is_known_by_its_name_where_no_rule_knows_more(
    channel: Channel, text: str
) -> None:
    assert tagged(text).channel is channel


def test_every_channel_has_a_name_that_it_is_known_by() -> None:
    assert {named_channel(each.value.upper()) for each in Channel} == {*Channel}
    assert named_channel("acme") is None


def test_what_records_state_decides_the_channel_whatever_the_source_is() -> None:
    stated = [("channel", "Email Marketing"), ("utm_campaign", "Webshop news")]
    assert named(origin_of(stated)) == (Channel.EMAIL, "(not set)")
    stated = [("channel", "Organic Social"), ("utm_source", "YouTube")]
    assert named(origin_of(stated)) == (Channel.ORGANIC_SOCIAL, "youtube")
    assert named(origin_of([("channel", "?"), ("utm_source", "google")])) == (
        Channel.ORGANIC_SEARCH,
        "google",
    )


REFERRERS = [
    ("https://www.google.com/", Channel.ORGANIC_SEARCH, "google"),
    ("https://www.google.co.uk/search", Channel.ORGANIC_SEARCH, "google"),
    ("https://google.de", Channel.ORGANIC_SEARCH, "google"),
    ("https://www.google.com.br/", Channel.ORGANIC_SEARCH, "google"),
    ("https://news.google.com/", Channel.ORGANIC_SEARCH, "google"),
    ("android-app://com.google.android.googlequicksearchbox/", Channel.ORGANIC_SEARCH, "google"),
    ("https://www.bing.com/", Channel.ORGANIC_SEARCH, "bing"),
    ("https://cn.bing.com/", Channel.ORGANIC_SEARCH, "bing"),
    ("https://duckduckgo.com/", Channel.ORGANIC_SEARCH, "duckduckgo"),
    ("https://www.ecosia.org/", Channel.ORGANIC_SEARCH, "ecosia"),
    ("https://search.brave.com/", Channel.ORGANIC_SEARCH, "brave"),
    ("https://yandex.com.tr/", Channel.ORGANIC_SEARCH, "yandex"),
    ("https://yandex.ru/", Channel.ORGANIC_SEARCH, "yandex"),
    ("https://www.baidu.com/link", Channel.ORGANIC_SEARCH, "baidu"),
    ("https://search.naver.com/", Channel.ORGANIC_SEARCH, "naver"),
    ("https://de.search.yahoo.com/", Channel.ORGANIC_SEARCH, "yahoo"),
    ("https://search.yahoo.co.jp/", Channel.ORGANIC_SEARCH, "yahoo"),
    ("https://www.qwant.com/", Channel.ORGANIC_SEARCH, "qwant"),
    ("https://search.seznam.cz/", Channel.ORGANIC_SEARCH, "seznam"),
    ("https://m.sogou.com/", Channel.ORGANIC_SEARCH, "sogou"),
    ("https://l.facebook.com/", Channel.ORGANIC_SOCIAL, "facebook"),
    ("https://lm.facebook.com/l.php", Channel.ORGANIC_SOCIAL, "facebook"),
    ("https://l.instagram.com/", Channel.ORGANIC_SOCIAL, "instagram"),
    ("https://www.linkedin.com/feed/", Channel.ORGANIC_SOCIAL, "linkedin"),
    ("android-app://com.linkedin.android/", Channel.ORGANIC_SOCIAL, "linkedin"),
    ("https://t.co/abc", Channel.ORGANIC_SOCIAL, "twitter"),
    ("https://x.com/", Channel.ORGANIC_SOCIAL, "twitter"),
    ("https://out.reddit.com/", Channel.ORGANIC_SOCIAL, "reddit"),
    ("https://www.pinterest.co.uk/", Channel.ORGANIC_SOCIAL, "pinterest"),
    ("https://news.ycombinator.com/item", Channel.ORGANIC_SOCIAL, "hackernews"),
    ("https://blog.naver.com/", Channel.ORGANIC_SOCIAL, "naver_blog"),
    ("https://tieba.baidu.com/", Channel.ORGANIC_SOCIAL, "tieba"),
    ("https://www.youtube.com/", Channel.ORGANIC_VIDEO, "youtube"),
    ("https://youtu.be/x", Channel.ORGANIC_VIDEO, "youtube"),
    ("https://player.vimeo.com/", Channel.ORGANIC_VIDEO, "vimeo"),
    ("https://www.amazon.de/", Channel.ORGANIC_SHOPPING, "amazon"),
    ("https://www.ebay.com.au/", Channel.ORGANIC_SHOPPING, "ebay"),
    ("https://shopping.naver.com/", Channel.ORGANIC_SHOPPING, "naver_shopping"),
    ("https://chatgpt.com/", Channel.AI_ASSISTANT, "chatgpt"),
    ("https://gemini.google.com/", Channel.AI_ASSISTANT, "gemini"),
    ("https://claude.ai/", Channel.AI_ASSISTANT, "claude"),
    ("https://www.perplexity.ai/search", Channel.AI_ASSISTANT, "perplexity"),
    ("https://copilot.microsoft.com/", Channel.AI_ASSISTANT, "copilot"),
    ("https://mail.google.com/", Channel.EMAIL, "gmail"),
    ("https://outlook.live.com/", Channel.EMAIL, "outlook"),
    ("https://docs.google.com/document", Channel.REFERRAL, "docs.google.com"),
    ("https://aws.amazon.com/", Channel.REFERRAL, "aws.amazon.com"),
    ("https://www.partner.example/post", Channel.REFERRAL, "partner.example"),
    ("https://blog.partner.example/", Channel.REFERRAL, "blog.partner.example"),
    ("https://google.evil.example/", Channel.REFERRAL, "google.evil.example"),
    ("https://notgoogle.com/", Channel.REFERRAL, "notgoogle.com"),
    ("https://google.example/", Channel.REFERRAL, "google.example"),
    ("http://192.0.2.7/", Channel.REFERRAL, "192.0.2.7"),
]


@pytest.mark.parametrize(("url", "channel", "source"), REFERRERS)
def test_a_referrer_is_known_by_its_site(url: str, channel: Channel, source: str) -> None:
    assert named(referred(url)) == (channel, source)


@pytest.mark.parametrize(
    ("click_id", "channel", "source"),
    [
        *((name, Channel.PAID_SEARCH, "google") for name in ("gclid", "gbraid", "wbraid")),
        ("dclid", Channel.DISPLAY, "google"),
        ("msclkid", Channel.PAID_SEARCH, "bing"),
        ("yclid", Channel.PAID_SEARCH, "yandex"),
        ("fbclid", Channel.ORGANIC_SOCIAL, "facebook"),
        ("igsh", Channel.ORGANIC_SOCIAL, "instagram"),
        ("li_fat_id", Channel.PAID_SOCIAL, "linkedin"),
        ("ttclid", Channel.PAID_SOCIAL, "tiktok"),
        ("twclid", Channel.PAID_SOCIAL, "twitter"),
        ("rdt_cid", Channel.PAID_SOCIAL, "reddit"),
        ("epik", Channel.PAID_SOCIAL, "pinterest"),
        ("sccid", Channel.PAID_SOCIAL, "snapchat"),
        ("tblci", Channel.PAID_OTHER, "taboola"),
        ("irclickid", Channel.AFFILIATES, "impact"),
        ("mc_cid", Channel.EMAIL, "mailchimp"),
    ],
)
def test_a_click_id_stands_in_for_utm_parameters(
    click_id: str, channel: Channel, source: str
) -> None:
    assert named(origin_of([(click_id, "1")])) == (channel, source)
    beside_a_referrer = [("referrer", "https://other.example/"), (click_id, "1")]
    assert named(origin_of(beside_a_referrer)) == (channel, source)


@pytest.mark.parametrize("click_id", CLICK_IDS)
def test_every_click_id_leads_to_a_channel(click_id: str) -> None:
    assert origin_of([(click_id, "1")]).channel not in (Channel.UNASSIGNED, Channel.UNKNOWN)


@pytest.mark.parametrize(
    ("pairs", "origin"),
    [
        ({"utm_source": "news", "utm_medium": "email", "gclid": "1"}, ("Email", "news")),
        ({"utm_source": "google", "gclid": "1"}, ("Paid Search", "google")),
        ({"utm_source": "facebook", "fbclid": "1"}, ("Organic Social", "facebook")),
        ({"utm_source": "news", "fbclid": "1"}, ("Unassigned", "news")),
        ({"utm_medium": "email", "fbclid": "1"}, ("Organic Social", "facebook")),
        ({"utm_campaign": "x", "gclid": "1"}, ("Paid Search", "google")),
        ({"gclid": "1", "fbclid": "1"}, ("Paid Search", "google")),
        ({"utm_campaign": "x", "referrer": "https://t.co/"}, ("Organic Social", "twitter")),
        ({"utm_source": "news", "referrer": "https://t.co/"}, ("Unassigned", "news")),
        ({"referrer": "https://www.paypal.com/"}, ("(unknown)", "(unknown)")),
        ({}, ("(unknown)", "(unknown)")),
    ],
)
def test_utm_parameters_go_before_click_ids_and_these_before_the_referrer(
    pairs: dict[str, str], origin: tuple[str, str]
) -> None:
    assert named(origin_of(pairs.items())) == origin


def test_sites_are_known_by_name_and_by_host() -> None:
    assert site_named("FB ") == site_at("m.facebook.com") == site_at("facebook.com")
    assert site_named("https://www.google.fr/x").name == "google"
    assert site_named("www.google.fr").category is Category.SEARCH
    assert site_named("acme").category is Category.OTHER
    assert site_at("com").category is Category.OTHER


texts = st.text(max_size=30) | st.sampled_from(
    ["google", "cpc", "email", "facebook.com", "https://t.co/", "https://[", "shop", "..", "a.b"]
)


@given(st.dictionaries(st.sampled_from(["utm_source", "utm_medium", "referrer", "gclid"]), texts))
def test_every_stored_lead_has_an_origin_independent_of_order(pairs: dict[str, str]) -> None:
    origin = origin_of(pairs.items())
    assert origin == origin_of(reversed(pairs.items()))
    assert origin.source == origin.source.lower() != ""


@given(st.sampled_from(Category), st.text(), st.text(), st.text())
def test_every_visit_belongs_to_one_channel(
    category: Category, source: str, medium: str, campaign: str
) -> None:
    assert channel_of(category, source, medium, campaign) in Channel


def a_lead_of(*events: Event) -> Lead:
    world = World(rules_of(ScoringPolicy({}, {})))
    world.apply(list(events), NOON)
    (lead,) = world.leads.values()
    return lead


def visit(minute: int, *, direct: bool = False, **attribution: str) -> Event:
    at = NOON.replace(minute=minute)
    email = "ada@example.com"
    return event_of(f"e{minute}", at, email=email, attribution=attribution, direct=direct)


def test_a_direct_visit_replaces_no_other_origin() -> None:
    visits = [
        visit(0, direct=True),
        visit(1, utm_source="google", utm_medium="cpc"),
        visit(2, referrer="https://t.co/"),
        visit(3, direct=True),
        visit(4),
    ]
    for events in (visits, visits[::-1], [*visits, *visits]):
        lead = a_lead_of(*events)
        assert first_origin(lead).channel is Channel.PAID_SEARCH
        assert last_origin(lead).channel is Channel.ORGANIC_SOCIAL


def test_without_any_origin_it_is_direct_or_unknown() -> None:
    assert first_origin(a_lead_of(visit(0), visit(1, direct=True))) == NOWHERE
    assert last_origin(a_lead_of(visit(1, direct=True), visit(2))) == NOWHERE
    assert first_origin(a_lead_of(visit(0))) == NOT_KNOWN
