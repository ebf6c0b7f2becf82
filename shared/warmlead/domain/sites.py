"""Websites: their hosts, which hosts are one site, and what kind of site a host is."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from functools import cache

from msgspec import Struct

from warmlead.domain import site_lists

MAX_HOST = 253
"""Characters in a host's name (RFC 1035); what is longer is none."""

_MAX_BEFORE_HOST = 300  # a scheme, and a user name that nobody should have put there

_SECOND_LEVEL_NAMES = (
    "ac asn asso biz co com coop edu firm gen go gob gouv gov govt gr gv idf ind info int k12 lg"
    " ltd me med mil name ne net nhs nic nom or org plc police sch school tm web"
)
_SECOND_LEVEL = frozenset(_SECOND_LEVEL_NAMES.split())
"""``co.uk``, ``com.au``, ``ne.jp`` …: before two letters these are a registry's, not a site's."""

_SHARED_NAMES = (
    "github.io gitlab.io codeberg.page netlify.app vercel.app now.sh pages.dev workers.dev web.app"
    " firebaseapp.com appspot.com cloudfunctions.net herokuapp.com onrender.com fly.dev railway.app"
    " surge.sh glitch.me replit.app repl.co lovable.app bolt.host azurewebsites.net"
    " azurestaticapps.net azurefd.net cloudfront.net amplifyapp.com elasticbeanstalk.com"
    " ondigitalocean.app myshopify.com mybigcommerce.com wixsite.com wixstudio.com webflow.io"
    " framer.app framer.website squarespace.com weebly.com weeblysite.com carrd.co notion.site"
    " super.site softr.app bubbleapps.io typedream.app strikingly.com mystrikingly.com"
    " jimdosite.com jimdofree.com webnode.page godaddysites.com hubspotpagebuilder.com"
    " hubspotpagebuilder.eu hs-sites.com hs-sites-eu1.com unbouncepages.com clickfunnels.com"
    " mykajabi.com wordpress.com wpengine.com wpcomstaging.com pantheonsite.io kinsta.cloud"
    " blogspot.com tumblr.com medium.com substack.com beehiiv.com ghost.io hashnode.dev"
    " livejournal.com typepad.com over-blog.com canalblog.com hatenablog.com fc2.com neocities.org"
    " readthedocs.io gitbook.io zendesk.com freshdesk.com atlassian.net sharepoint.com"
    " translate.goog ngrok.io ngrok.app ngrok-free.app trycloudflare.com loca.lt"
    " eu.com uk.com us.com de.com co.com eu.org"
)
_SHARED = frozenset(_SHARED_NAMES.split())
"""Under each of these anybody has a name of their own, which is a site of its own."""

_EACH_HOST_NAMES = "amazonaws.com windows.net azure.com run.app"
_EACH_HOST = frozenset(_EACH_HOST_NAMES.split())
"""Under each of these every host is a site of its own."""

_PAYMENT = (
    "checkout.stripe.com buy.stripe.com pay.stripe.com billing.stripe.com invoice.stripe.com"
    " hooks.stripe.com js.stripe.com connect.stripe.com checkout.link.com paypal.com"
    " braintreegateway.com braintree-api.com adyen.com klarna.com klarna.net klarnapayments.com"
    " sofort.com giropay.de paydirekt.de mollie.com worldpay.com sips-services.com wlp-acs.com"
    " ogone.com saferpay.com datatrans.com datatrans.ch postfinance.ch twint.ch square.site"
    " cash.app afterpay.com clearpay.co.uk affirm.com sezzle.com quadpay.com razorpay.com payu.com"
    " payu.in payu.pl paytm.in ccavenue.com cashfree.com phonepe.com billdesk.com instamojo.com"
    " mercadopago.com mercadopago.com.br mercadopago.com.ar mercadopago.com.mx pagseguro.uol.com.br"
    " ebanx.com paystack.com paystack.co flutterwave.com pesapal.com payfast.co.za iyzipay.com"
    " iyzico.com paytr.com alipay.com alipayobjects.com tenpay.com pay.weixin.qq.com pay.google.com"
    " pay.amazon.com payments.amazon.com payments.amazon.co.uk payments.amazon.de authorize.net"
    " cybersource.com 2checkout.com verifone.cloud bluesnap.com onfastspring.com paddle.com"
    " paddle.net chargebee.com recurly.com gocardless.com trustly.com bitpay.com"
    " commerce.coinbase.com skrill.com neteller.com paysafecard.com opayo.co.uk opayo.eu.elavon.com"
    " sagepay.com realexpayments.com globaliris.com securetrading.net payplug.com payzen.eu"
    " systempay.fr paybox.com monetico-services.com cmcicpaiement.fr hipay.com lemonway.com"
    " redsys.es multisafepay.com buckaroo.nl pay.nl ideal.nl bancontact.net przelewy24.pl tpay.com"
    " dotpay.pl blik.com gopay.com gopay.cz comgate.cz barion.com quickpay.net quickpay.dk nets.eu"
    " netaxept.no vipps.no mobilepay.dk swish.nu paytrail.com checkout.fi yookassa.ru yoomoney.ru"
    " robokassa.ru cloudpayments.ru pay.shopify.com"
    # 3-D Secure: pages that ask the bank of the payer
    " cardinalcommerce.com cardinaltrusted.com arcot.com securesuite.net securesuite.co.uk"
    " 3dsecure.io 3dsecure.no verifiedbyvisa.com 3dsecure-cardprocess.de rsa3dsauth.com"
    " rsa3dsauth.co.uk"
)
_SIGN_IN = (
    "accounts.google.com accounts.youtube.com myaccount.google.com microsoftonline.com"
    " microsoftonline.us microsoftonline.de microsoftonline.cn account.live.com"
    " account.microsoft.com b2clogin.com ciamlogin.com appleid.apple.com idmsa.apple.com"
    " account.apple.com okta.com oktapreview.com okta-emea.com okta-gov.com auth0.com onelogin.com"
    " pingone.com pingone.eu pingone.ca pingone.asia duosecurity.com amazoncognito.com"
    " signin.aws.amazon.com accounts.dev authkit.app kinde.com stytch.com fusionauth.io"
    " frontegg.com descope.com ory.sh zitadel.cloud cloudflareaccess.com test.salesforce.com"
    " id.vk.com passport.yandex.ru passport.yandex.com nid.naver.com kauth.kakao.com"
    " access.line.me open.weixin.qq.com graph.qq.com id.atlassian.com accounts.shopify.com"
    " secure.login.gov id.me franceconnect.gouv.fr bankid.com itsme.be digid.nl"
)
_NO_ORIGIN = frozenset((*_PAYMENT.split(), *_SIGN_IN.split()))
"""Visitors return from these hosts and their subdomains, so they do not count as origins."""

_NO_ORIGIN_LABELS_NAMES = (
    "login signin sign-in sso idp adfs sts oauth oauth2 auth acs acs1 acs2 3ds 3ds2 3dss 3dsecure"
    " checkout pay payment payments cas saml"
)
_NO_ORIGIN_LABELS = frozenset(_NO_ORIGIN_LABELS_NAMES.split())
"""First labels of hosts that do nothing but sign people in or take their payments."""


_OWN_MACHINE = frozenset(("localhost", "0.0.0.0", "::1"))  # noqa: S104  # nothing is bound
_OWN_MACHINES = ("127.",)
_OWN_NAMES = ("localhost", "local", "localdomain")

_MAX_SIGN_IN_PATH = 60
_SIGN_IN_PATHS = frozenset(
    (
        *("login", "login.php", "log-in", "log_in", "signin", "sign-in", "sign_in", "logout"),
        *("oauth", "oauth2", "sso", "saml", "saml2", "cas", "authorize", "adfs"),
        *("users/sign_in", "users/login", "user/login", "account/login", "accounts/login"),
        *("auth/login", "auth/realms", "dialog/oauth", "i/oauth2", "uas/login", "wp-login.php"),
    )
)
"""With these a page's path begins that only signs people in."""


def host_of(url: str) -> str:
    """The host of a URL in lower case, without port and trailing dot; empty if there is none."""
    rest = url[: _MAX_BEFORE_HOST + MAX_HOST].partition("://")[2]
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    rest = rest.rpartition("@")[2].lower()
    host = rest.partition("]")[0].lstrip("[") if rest[:1] == "[" else rest.partition(":")[0]
    return host.rstrip(".") if len(host) <= MAX_HOST else ""


def site_of(host: str) -> str:
    """The domain that a site's owner registered: ``shop.example.co.uk`` is ``example.co.uk``.

    A host without a dot and an address (``localhost``, ``192.0.2.7``) are sites by themselves.
    """
    labels = host.rsplit(".", 3)
    if len(labels) <= 2 or labels[-1].isdigit() or ":" in host:  # noqa: PLR2004  # name and top
        return host
    pair = f"{labels[-2]}.{labels[-1]}"
    if pair in _EACH_HOST:
        return host
    is_registry = len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL  # noqa: PLR2004  # a country
    return f"{labels[-3]}.{pair}" if is_registry or pair in _SHARED else pair


def is_below(host: str, domains: Collection[str]) -> bool:
    """Whether a host is one of the domains, or below one of them."""
    while host:
        if host in domains:
            return True
        host = host.partition(".")[2]
    return False


def is_no_origin(host: str) -> bool:
    """Whether a host takes payments or signs people in, so that it does not count as an origin.

    A developer's own machine does not count either.
    """
    first, _, rest = host.partition(".")
    is_own = host in _OWN_MACHINE or host.rpartition(".")[2] in _OWN_NAMES
    is_own |= host.startswith(_OWN_MACHINES) and host.replace(".", "").isdigit()
    return is_own or is_below(host, _NO_ORIGIN) or (first in _NO_ORIGIN_LABELS and "." in rest)


def leads_from_sign_in(url: str) -> bool:
    """Whether a URL is of a page on which people sign in, on any host."""
    path = url.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
    first, _, rest = path[:_MAX_SIGN_IN_PATH].lower().partition("/")
    if first[:1] == "v" and first[1:2].isdigit():  # the version of an interface
        first, _, rest = rest.partition("/")
    return first in _SIGN_IN_PATHS or f"{first}/{rest.partition('/')[0]}" in _SIGN_IN_PATHS


class Category(StrEnum):
    """The category of a site."""

    SEARCH = "search"
    SOCIAL = "social"
    SHOPPING = "shopping"
    VIDEO = "video"
    EMAIL = "email"
    AI = "ai"
    OTHER = "other"


class Site(Struct, frozen=True):
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


class _Sites(Struct, frozen=True):
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
