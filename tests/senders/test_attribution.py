"""Where visits come from: parameters however they were damaged, referrers, and own sites."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost import assert_within
from warmlead.domain.attribution import Channel, origin_of
from warmlead.domain.event import Event
from warmlead.senders.attribution import MAX_URL, MAX_VALUE, Visit, visit_of

PAGE = "https://shop.example/pricing"
GOOGLE_ADS = {"utm_source": "google", "utm_medium": "cpc"}


def test_attribution_comes_from_the_page_the_campaign_and_the_fields() -> None:
    assert visit_of(
        url="https://shop.example/?utm_source=a&utm_medium=b&gclid=G%2D1&x=y&utm_term=#utm_id=z",
        referrer="https://www.google.com/search?q=ada",
        campaign={"source": "c", "name": "spring", "other": "x", "content": 5, 7: "y"},
        fields={"utm_medium": "d", "fbclid": "F", "email": "ada@example.com", "utm_content": None},
    ).attribution == {
        "utm_source": "c",
        "utm_medium": "d",
        "utm_campaign": "spring",
        "utm_id": "z",
        "gclid": "G-1",
        "fbclid": "F",
        "referrer": "https://www.google.com/search",
    }


@pytest.mark.parametrize(
    ("url", "stated", "path"),
    [
        ("https://shop.example/pricing?utm_source=a#b", None, "/pricing"),
        ("https://shop.example?utm_source=a", None, "/"),
        ("/pricing?utm_source=a", None, "/pricing"),
        ("https://shop.example/form?utm_source=a", "https://shop.example/webinar?x=1", "/webinar"),
        ("https://shop.example/form?utm_source=a", "/webinar?x=1", "/webinar"),
        ("https://shop.example/form?utm_source=a", "webinar", "/form"),
        (f"https://shop.example/{'p' * 500}?utm_source=a", None, "/" + "p" * 199),
        ("https://shop.example/pricing#gclid=1", None, "/pricing"),
        ("https://shop.example/pricing", None, ""),  # without an origin nothing is kept
        ("?utm_source=a", 5, ""),
    ],
)
def test_the_landing_page_is_the_path_of_the_page_that_an_origin_led_to(
    url: str, stated: object, path: str
) -> None:
    visit = visit_of(url=url, landing_page=stated)
    assert visit.landing_page == path
    assert visit.touch.get("landing_page", "") == path
    assert {**visit.attribution, **visit.touch} == visit.touch


def test_a_campaign_of_an_earlier_page_does_not_make_a_later_one_the_landing_page() -> None:
    campaign, later = {"utm_source": "a"}, "https://shop.example/form"
    within = visit_of(url=later, referrer="https://shop.example/pricing", campaign=campaign)
    assert (within.attribution, within.landing_page) == ({"utm_source": "a"}, "")
    led = visit_of(url=later, referrer="https://www.google.com/", campaign=campaign)
    assert led.landing_page == "/form"


@pytest.mark.parametrize(
    "query",
    [
        "?utm_source=google&utm_medium=cpc",
        "?UTM_SOURCE=google&Utm_Medium=cpc",
        "?utmSource=google&utmMedium=cpc",
        "?utm_source=google&amp;utm_medium=cpc",
        "?utm_source=google&amp;amp;utm_medium=cpc",
        "?utm_source=google&#38;utm_medium=cpc",
        "?utm_source=google&#x26;utm_medium=cpc",
        "?utm_source=google%26%2338%3Butm_medium%3Dcpc",
        "?utm_source=google%26amp%3Butm_medium=cpc",
        "?utm_source=google;utm_medium=cpc",
        "?a=b;utm_source=google;utm_medium=cpc",
        "?utm_source=google%3Butm_medium=cpc",
        "?utm_source=utm_source=google&utm_medium=cpc",
        "?a=b?utm_source=google&utm_medium=cpc",
        "?utm_source=google?utm_medium=cpc",
        "?utm_source=google%26utm_medium=cpc",
        "?utm_source=google%26utm_medium%3Dcpc",
        "?utm_source%3Dgoogle%26utm_medium%3Dcpc",
        "?%75tm_source%3Dgoogle&utm_medium=cpc",
        "?utm_source=google&&utm_medium=cpc&",
        "?x=1#utm_source=google&utm_medium=cpc",
        "#utm_source=google&utm_medium=cpc",
        "#/route?utm_source=google&utm_medium=cpc",
        "?utm_source=+google+&utm_medium=%20cpc",
    ],
)
def test_parameters_are_found_however_they_are_written(query: str) -> None:
    assert visit_of(url=PAGE + query).attribution == GOOGLE_ADS


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Spring+Sale", "Spring Sale"),
        ("Spring%20Sale", "Spring Sale"),
        ("Spring%2520Sale", "Spring Sale"),
        ("Spring%252520Sale", "Spring%20Sale"),
        ("M%C3%BCnchen", "München"),
        ("50%deal", "50%deal"),
        ("100%", "100%"),
        ("100%25", "100%"),
        ("what%3F", "what?"),
        ("a;b;c=d", "a;b;c=d"),
        ("a%26%2338%3Bb", "a&#38;b"),
        ("a%26b", "a&b"),
        ("[DE]+Brand", "[DE] Brand"),
        ("spring_{2026}", "spring_{2026}"),
        ("x" * 300, "x" * MAX_VALUE),
        ("%E6%9D%B1" * 300, "東" * MAX_VALUE),
        ("%25E6%259D%25B1" * 300, "東" * MAX_VALUE),
        ("a%3Fb%26c=d", "a?b&c=d"),
    ],
)
def test_a_value_is_kept_as_it_was_meant(written: str, kept: str) -> None:
    assert visit_of(url=f"{PAGE}?utm_campaign={written}").attribution == {"utm_campaign": kept}


@pytest.mark.parametrize(
    "template",
    [
        *("{{campaign.name}}", "fb-{{campaign.name}}", "{campaignid}", "{campaignid}_{adgroupid}"),
        *("${campaign}", "%%campaign%%", "%campaign%", "*|CAMPAIGN_UID|*", "[campaign]"),
        *(
            "[[campaign]]",
            "<campaign>",
            "<%= campaign %>",
            "__CAMPAIGN_NAME__",
            "__AID__-__CID__",
            "{lpurl}",
        ),
        *("null", "undefined", "(not set)", "(none)", "[object Object]", "", "  "),
    ],
)
def test_unfilled_template_parameters_are_left_out(template: str) -> None:
    url = f"{PAGE}?utm_source=google&utm_campaign={template.replace('%', '%25')}"
    campaign = {"name": template}

    assert visit_of(url=url).attribution == {"utm_source": "google"}
    assert visit_of(campaign=campaign, fields={"utm_term": template}).attribution == {}


def test_a_click_id_that_holds_a_templates_marks_is_kept() -> None:
    click_id = "Cj0KCQ__AB__x-_"
    assert visit_of(url=f"{PAGE}?gclid={click_id}").attribution == {"gclid": click_id}


@pytest.mark.parametrize(
    "campaign",
    [
        {"source": "google&utm_medium=cpc"},
        {"source": "google&amp;utm_medium=cpc"},
        {"source": "utm_source=google", "medium": "cpc"},
        {"utm_source": "google;utm_medium=cpc"},
        "utm_source=google&utm_medium=cpc",
        "?utm_source=google&#38;utm_medium=cpc",
    ],
)
def test_a_campaign_is_read_however_it_was_damaged(campaign: object) -> None:
    assert visit_of(campaign=campaign).attribution == GOOGLE_ADS


@pytest.mark.parametrize("name", ["mkt_tok", "_kx", "mc_eid", "_hsenc"])
def test_a_parameter_that_names_a_mails_recipient_loses_its_value(name: str) -> None:
    visit = visit_of(url=f"{PAGE}?{name}=MTIzLUFCQy00NTY")
    assert visit.attribution == {name: "1"}
    assert origin_of(visit.attribution.items()).channel is Channel.EMAIL


def test_the_parameter_kx_alone_is_no_click_id() -> None:
    assert visit_of(url=f"{PAGE}?kx=1").attribution == {}


def test_a_template_takes_nothing_from_the_page() -> None:
    found = visit_of(url=f"{PAGE}?utm_source=google", campaign={"source": "{{source}}"})
    assert found.attribution == {"utm_source": "google"}


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        ("https://shop.example/b", "https://Shop.example/a"),
        ("https://shop.example/b", "https://www.shop.example/a"),
        ("https://www.shop.example/b", "https://blog.shop.example/a"),
        ("https://shop.example/b", "https://shop.example:8443/a"),
        ("https://shop.example/b", "https://shop.example./a"),
        ("https://shop.example/b", "http://ada:x@shop.example/a"),
        ("https://shop.co.uk/b", "https://www.shop.co.uk/"),
        ("https://shop.github.io/b", "https://shop.github.io/"),
        ("http://localhost:3000/b", "http://localhost:8080/"),
        ("http://192.0.2.7/b", "http://192.0.2.7:81/"),
        ("http://[2001:db8::1]:80/b", "http://[2001:db8::1]/"),
    ],
)
def test_ones_own_site_is_no_origin(url: str, referrer: str) -> None:
    assert visit_of(url=url, referrer=referrer) == Visit({}, direct=False)


@pytest.mark.parametrize(
    ("url", "referrer"),
    [
        ("https://shop.co.uk/", "https://other.co.uk/"),
        ("https://shop.com.au/", "https://other.com.au/"),
        ("https://ada.github.io/", "https://bob.github.io/"),
        ("https://shop.myshopify.com/", "https://other.myshopify.com/"),
        ("https://one-abc-ew.a.run.app/", "https://two-def-ew.a.run.app/"),
        ("http://192.0.2.7/", "http://198.51.2.7/"),
        ("https://shop.example/", "https://notshop.example/"),
        ("", "https://shop.example/"),
    ],
)
def test_another_site_is_an_origin(url: str, referrer: str) -> None:
    assert visit_of(url=url, referrer=referrer).attribution == {"referrer": referrer}


@pytest.mark.parametrize(
    "referrer",
    [
        *("https://checkout.stripe.com/c/pay/cs_live_1", "https://www.paypal.com/checkoutnow"),
        *("https://accounts.google.com/", "https://login.microsoftonline.com/common/oauth2"),
        *("https://appleid.apple.com/", "https://acme.okta.com/", "https://acme.eu.auth0.com/"),
        *("https://pay.klarna.com/eu", "https://checkoutshopper-live.adyen.com/"),
        *("https://centinelapi.cardinalcommerce.com/", "https://acs.bank.example/3ds"),
        *("https://login.acme.example/", "https://sso.acme.example/", "https://3ds.bank.example/"),
        "https://acme.b2clogin.com/acme/oauth2/authresp",
        *("https://pay.acme.example/", "https://cas.uni.example/cas/login", "http://localhost/"),
        *("http://localhost:3000/x", "http://app.localhost/", "http://127.0.0.1:8000/a"),
        *("http://[::1]:3000/", "http://nas.local/", "http://0.0.0.0/"),
        *("https://github.com/login/oauth/authorize?x=1", "https://www.facebook.com/login.php"),
        *("https://app.acme.example/login", "https://gitlab.com/users/sign_in"),
        *("https://www.facebook.com/v19.0/dialog/oauth", "https://x.com/i/oauth2/authorize"),
    ],
)
def test_where_people_pay_and_sign_in_is_no_origin(referrer: str) -> None:
    assert visit_of(url=PAGE, referrer=referrer) == Visit({}, direct=False)
    paid = visit_of(url=f"{PAGE}?gclid=1", referrer=referrer).attribution
    assert paid == {"gclid": "1"}


@pytest.mark.parametrize(
    "referrer",
    [
        *("https://stripe.com/partners", "https://www.acs.org/", "https://checkout.example/"),
        *("https://about.google/", "https://notpaypal.com/", "https://authority.example/"),
        *("https://github.com/acme", "https://blog.example/login-tips", "https://cas.org/"),
        *("https://blog.example/posts/login", "https://127.example/", "https://local.example/"),
    ],
)
def test_hosts_that_only_resemble_a_payment_service_are_origins(referrer: str) -> None:
    assert visit_of(url=PAGE, referrer=referrer).attribution == {"referrer": referrer}


def test_own_hosts_are_no_origin_wherever_the_page_is() -> None:
    own = frozenset({"shop.example", "shop-blog.example"})

    for referrer in ("https://shop-blog.example/x", "http://news.shop.example:8080/", "//x"):
        assert (
            visit_of(url="https://app.example/", referrer=referrer, own_hosts=own).attribution == {}
        )
        assert visit_of(referrer=referrer, own_hosts=own).attribution == {}
    other = visit_of(referrer="https://myshop.example/", own_hosts=own)
    assert other.attribution == {"referrer": "https://myshop.example/"}


@pytest.mark.parametrize(
    ("url", "referrer", "direct"),
    [
        (PAGE, "", True),
        (PAGE, "$direct", True),
        (PAGE, None, False),
        (None, "", False),
        ("", "", False),
        (PAGE, "https://shop.example/", False),
        (PAGE, "https://www.paypal.com/", False),
        (f"{PAGE}?utm_source=a", "", False),
        (f"{PAGE}?ref=a", "", True),
    ],
)
def test_direct_is_told_apart_from_unknown(url: object, referrer: object, direct: bool) -> None:
    assert visit_of(url=url, referrer=referrer).direct is direct


def test_a_referrer_is_kept_as_it_is_but_for_space_around_it() -> None:
    kept = "https://other.example/__A__/%7Bx%7D"
    assert visit_of(url=PAGE, referrer=kept).attribution == {"referrer": kept}
    found = visit_of(url=PAGE, referrer=" HTTPS://Other.example/a?b=c ").attribution
    assert found == {"referrer": "HTTPS://Other.example/a"}


@pytest.mark.parametrize(
    "referrer",
    [
        *("javascript:x", "about:blank", "data:,x", "file:///x", "x", "https://", "https:///x"),
        *("javascript://www.google.com/%0aalert(1)", "ftp://other.example/", "other.example"),
    ],
)
def test_a_referrer_that_is_not_a_website_is_ignored(referrer: str) -> None:
    assert visit_of(url=PAGE, referrer=referrer) == Visit({}, direct=False)


def test_attribution_ignores_what_it_cannot_read() -> None:
    assert visit_of(url=5, referrer=[], campaign="x", fields={}) == Visit({}, direct=False)


anything = st.none() | st.integers() | st.text() | st.lists(st.text())
hosts = st.sampled_from(["shop.example", "www.google.com", "", "[::1", "a@b:c", "..", "x.co.uk"])
damaged = st.lists(
    st.sampled_from(
        [
            *("utm_source", "UTM_MEDIUM", "gclid", "=", "&", "?", "#", "amp;", "%", "%25", "%26"),
            *("%3D", "%3F", "{", "{{", "}", "google", "cpc", "\udc80", "é", " ", "+", "__", "["),
        ]
    )
).map("".join)
urls = st.builds(lambda host, rest: f"https://{host}/{rest}", hosts, damaged)


@given(
    urls | anything,
    urls | anything,
    anything | st.dictionaries(st.sampled_from(["source", "name", "x"]), damaged | anything),
)
def test_every_request_has_an_origin(url: object, referrer: object, campaign: object) -> None:
    visit = visit_of(url=url, referrer=referrer, campaign=campaign)
    origin = origin_of(visit.attribution.items())

    assert all(0 < len(value) <= MAX_VALUE for value in visit.attribution.values())
    assert not (visit.direct and visit.attribution)
    assert (origin.channel is Channel.UNKNOWN) == (not visit.attribution)
    assert Event.__annotations__["attribution"] == dict[str, str]


ENDLESS = [
    *(";", ";utm_source=", ";a", "&#38;", "&#0", "&#0038;utm_source=", "utm_source=", "&amp;#38;"),
    *("&utm_source=", "?utm_source=a", "%26utm_source%3Da", "&amp;amp;amp;", "%2525", "{", "{{"),
    *("[", "__A", "_", "%", "*|", "<", "?", "#", "&", "=", "a.", "@", ":", "]", "/", "\\", "www."),
]


@pytest.mark.slow
@pytest.mark.parametrize("piece", ENDLESS)
def test_long_values_cost_no_more_than_their_size(piece: str) -> None:
    def look_at(size: int) -> None:
        text = piece * (size // len(piece))
        url, site = f"https://shop.example/?{text}", f"https://{text}"
        for page, referrer in ((url, site), (site, url), (f"{PAGE}?utm_source={text}", text)):
            visit = visit_of(url=page, referrer=referrer, campaign={"name": text})
            origin_of([*visit.attribution.items(), ("utm_campaign", text)])
            origin_of([("utm_source", text), ("utm_medium", text)])
            origin_of([("referrer", site)])

    for size, most_s in ((1_000_000, 0.2), (MAX_URL, 0.02)):
        assert_within(most_s, partial(look_at, size))
