"""The words that a condition may use: standard traits, events, properties, types."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from warmlead.domain.event import AUTOMATED_EVENTS
from warmlead.domain.stages import BUILT_IN_STAGES


class ValueType(StrEnum):
    """The type of a trait or a property, as a model file writes it."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"


RESERVED = [
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
    *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
    *("void", "while", "bool", "bytes", "double", "dyn", "int", "list", "map", "null_type"),
    *("string", "type", "uint"),
]
"""Words and types that CEL keeps for itself."""


def _typed(**names: str) -> Mapping[str, ValueType]:
    """Names by type, given as one string of names for each type."""
    return MappingProxyType(
        {name: ValueType(type_) for type_, text in names.items() for name in text.split()}
    )


STANDARD_TRAITS = _typed(
    string="""
        email email_domain first_name last_name name phone title title_level department seniority
        company industry website country region city postal_code language time_zone plan
        lead_source lifecycle_stage authority need timing
    """,
    integer="employees annual_revenue founded seats budget",
    boolean="free_mailbox consent",
    list="tags interests technologies",
)
"""Standard traits of a person or company, from any sender."""

DERIVED_TRAITS = frozenset({"email", "email_domain", "free_mailbox", "title_level"})
"""What follows from the lead's address and title; a model cannot change the types."""

CONSENT_FACTS = _typed(string="consent_status", boolean="suppressed mail_refused")
"""How a person stands to being written to now: what fit rules may ask besides traits."""

STANDARD_FACTS = _typed(
    integer="score engagement fit days_inactive peak_score",
    string="stage consent_status",
    boolean="identified suppressed mail_refused",
)
"""What stages and sequences may ask besides traits, signals and counts."""

ORIGIN_FACTS: Mapping[str, ValueType] = MappingProxyType(
    {
        f"{which}.{name}": ValueType.STRING
        for which in ("first", "last")
        for name in (
            *("channel", "source", "medium", "campaign", "term", "content", "referrer"),
            "landing_page",
        )
    }
)
"""Where a lead came from: what fit rules, bonuses, stages, routes and sequences may ask."""

EVENT_FACTS = _typed(string="name source trust", list="properties")
"""What a signal may ask of any event; properties of these names are hidden by them.

``properties`` are the names of those that the event has: what is unknown can be asked for.
"""

STANDARD_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        # website
        "page_viewed": "path url title referrer search seconds",
        "page_left": "path url seconds scroll_depth",
        "screen_viewed": "screen",
        "app_installed": "",
        "app_opened": "",
        "outbound_link_clicked": "url content",
        "file_downloaded": "url file path",
        "site_searched": "query results",
        "video_started": "video seconds",
        "video_watched": "video seconds percent",
        "demo_watched": "video seconds percent",
        "calculator_used": "tool path",
        # forms and content
        "form_started": "form path",
        "form_submitted": "form path message",
        "newsletter_subscribed": "mailing_list",
        "content_downloaded": "kind content topic url",
        "survey_answered": "survey rating",
        # webinars and events
        "webinar_registered": "webinar topic",
        "webinar_attended": "webinar topic minutes",
        "webinar_left": "webinar topic minutes",
        "webinar_participated": "webinar topic message",
        "webinar_missed": "webinar topic",
        "event_registered": "conference",
        "event_attended": "conference",
        # asking for sales
        "demo_requested": "product form message",
        "contact_requested": "topic form message",
        "quote_requested": "product amount message",
        "trial_requested": "product plan form message",
        "meeting_booked": "meeting minutes",
        "meeting_rescheduled": "meeting minutes",
        "meeting_held": "meeting minutes",
        "meeting_missed": "meeting",
        "meeting_cancelled": "meeting reason cancelled_by",
        "call_answered": "minutes",
        "referral_made": "message",
        # chat
        "chat_started": "channel path",
        "chat_message_sent": "channel path message first is_question",
        "chat_message_received": "channel",
        "chat_ended": "channel",
        "chat_rated": "channel rating message",
        "chat_missed": "channel path message",
        # email
        "email_delivered": "campaign subject message_id",
        "email_opened": "campaign subject",
        "email_clicked": "campaign subject message_id url",
        "email_replied": "campaign subject",
        "email_bounced": "campaign kind reason",
        "email_dropped": "campaign kind reason",
        "email_unsubscribed": "campaign mailing_list",
        "email_subscribed": "mailing_list",
        "email_marked_spam": "campaign",
        # advertising and social media
        "ad_clicked": "platform campaign",
        "social_clicked": "platform url",
        "social_followed": "platform",
        "social_mentioned": "platform",
        # what sales says
        "sales_touched": "",
        "sales_accepted": "value_cents currency",
        "sales_rejected": "reason",
        "sales_opportunity": "value_cents currency",
        "sales_won": "value_cents currency",
        "sales_lost": "reason value_cents currency",
        # using the product
        "signed_up": "plan method",
        "trial_started": "product plan days",
        "trial_ending": "product plan days",
        "trial_ended": "product plan",
        "logged_in": "method",
        "onboarding_completed": "step",
        "feature_used": "feature uses",
        "limit_reached": "limit percent",
        "teammate_invited": "invited",
        "teammate_added": "",
        "integration_connected": "integration",
        "plan_viewed": "plan",
        "subscription_started": "plan amount currency interval seats",
        "subscription_upgraded": "plan amount currency interval seats",
        "subscription_cancelled": "plan reason message",
        # shop
        "product_viewed": "product sku category brand price currency",
        "products_searched": "query results",
        "product_added": "product sku category brand price quantity currency",
        "product_removed": "product sku category quantity",
        "product_added_to_wishlist": "product sku category price",
        "product_reviewed": "product rating",
        "product_shared": "product",
        "product_list_viewed": "category",
        "promotion_clicked": "promotion",
        "cart_viewed": "cart value currency",
        "coupon_applied": "coupon",
        "checkout_started": "cart value currency",
        "order_completed": "order total revenue currency coupon items",
        "order_refunded": "order total",
        "order_cancelled": "order total",
        # bookkeeping
        "identified": "",
        "grouped": "",
        "aliased": "",
        **dict.fromkeys(AUTOMATED_EVENTS.values(), ""),
    }
)
"""Event names that senders are translated to, with the properties they may carry."""

STANDARD_PROPERTIES: Mapping[str, ValueType] = MappingProxyType(
    {
        **{
            name: ValueType.STRING
            for names in STANDARD_EVENTS.values()
            for name in names.split()
            if name not in EVENT_FACTS
        },
        **_typed(
            integer="""
                seconds minutes days percent scroll_depth results rating uses invited seats
                quantity items value_cents
            """,
            number="amount price value total revenue",
            boolean="first is_question",
        ),
    }
)
"""The properties that a signal may ask for without declaring them."""

ENUMERATED = frozenset(
    # properties
    {"kind", "channel", "method", "platform", "interval", "plan", "reason", "currency"}
    | {"cancelled_by"}
    # traits
    | {"industry", "department", "seniority", "lead_source", "lifecycle_stage"}
    | {"authority", "timing"}
)
"""Properties and traits that hold one of a few words: compared without case and blanks."""

PASSIVE_EVENTS = frozenset(
    {
        "email_delivered",
        "email_bounced",
        "email_dropped",
        "email_unsubscribed",
        "email_marked_spam",
        "unsubscribed",
        "chat_message_received",
        "chat_ended",
        "webinar_left",
        "chat_missed",
        "webinar_missed",
        "meeting_missed",
        "trial_ending",
        "trial_ended",
        "limit_reached",
        "order_refunded",
        "identified",
        "grouped",
        "aliased",
        *AUTOMATED_EVENTS.values(),
    }
)
"""Events that are not the lead's doing, or no sign of interest: they do not end inactivity."""

STAGE_NAMES = frozenset(BUILT_IN_STAGES)
"""Stages that every model has."""


_PROVIDERS = """
126.com 139.com 163.com 189.cn 21cn.com abv.bg aliyun.com aol.co.uk aol.com aol.de arcor.de att.net
azet.sk bellsouth.net bigmir.net bigpond.com bigpond.net.au bk.ru bluewin.ch bol.com.br
btinternet.com centrum.cz centrum.sk charter.net comcast.net cox.net daum.net disroot.org
docomo.ne.jp earthlink.net email.com email.cz email.it ezweb.ne.jp fastmail.com fastmail.fm
foxmail.com free.fr freemail.hu freenet.de frontier.com gazeta.pl gmail.com gmx.at gmx.ch gmx.com
gmx.de gmx.fr gmx.net googlemail.com hanmail.net hey.com hotmail.be hotmail.ch hotmail.co.jp
hotmail.co.uk hotmail.com hotmail.com.ar hotmail.com.br hotmail.com.tr hotmail.de hotmail.dk
hotmail.es hotmail.fi hotmail.fr hotmail.it hotmail.nl hotmail.no hotmail.se hushmail.com
i.softbank.jp i.ua icloud.com ig.com.br inbox.com inbox.lv inbox.ru interia.pl juno.com kakao.com
laposte.net libero.it list.ru live.be live.ca live.cn live.co.uk live.com live.com.au live.com.mx
live.de live.dk live.fr live.it live.jp live.nl live.no live.se mac.com mail.com mail.ee mail.ru
mail.ua mailbox.org mailfence.com mailo.com me.com meta.ua msn.com mynet.com nate.com naver.com
netscape.net netzero.net nifty.com ntlworld.com o2.pl onet.pl online.de online.fr op.pl
optonline.net orange.fr outlook.co.id outlook.com outlook.com.br outlook.de outlook.dk outlook.es
outlook.fr outlook.in outlook.it outlook.jp outlook.kr outlook.pt pm.me poczta.fm post.cz posteo.de
posteo.net proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com sina.com.cn sky.com
skynet.be softbank.ne.jp sohu.com sympatico.ca t-online.de talktalk.net telefonica.net telenet.be
telus.net terra.com.br tiscali.it tuta.com tuta.io tutanota.com ukr.net uol.com.br verizon.net
vip.126.com vip.163.com vip.qq.com virgilio.it virginmedia.com vodafone.de voila.fr volny.cz vp.pl
walla.co.il walla.com wanadoo.fr web.de wp.pl xs4all.nl ya.ru yahoo.ca yahoo.co.id yahoo.co.in
yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.hk yahoo.com.mx
yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn yahoo.de yahoo.dk yahoo.es yahoo.fr
yahoo.gr yahoo.ie yahoo.in yahoo.it yahoo.no yahoo.pl yahoo.ro yahoo.se yandex.by yandex.com
yandex.kz yandex.ru yandex.ua yeah.net ymail.com zoho.com zohomail.com zoznam.sk
"""

_RELAYS = """
33mail.com 8alias.com 8shield.net addymail.com aleeas.com anonaddy.com anonaddy.me dralias.com
duck.com erine.email mozmail.com passfwd.com passinbox.com passmail.com passmail.net
privaterelay.appleid.com relay.firefox.com silomails.com simplelogin.co simplelogin.com
simplelogin.fr simplelogin.io slmail.me slmails.com
"""
"""They hand on to an address that its person keeps to themselves."""

_DISPOSABLE = """
10mail.org 10minutemail.com 10minutemail.net 1secmail.com 1secmail.net 1secmail.org 20minutemail.com
anonbox.net armyspy.com boximail.com burnermail.io byom.de chitthi.in cmail.club crazymailing.com
cs.email cuvox.de dayrep.com discard.email discardmail.com dispostable.com dropmail.me einrot.com
emailfake.com emailondeck.com emltmp.com esiix.com eyepaste.com fakeinbox.com fakemail.net
fakemailgenerator.com fleckens.hu generator.email getairmail.com getnada.com grr.la
guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net
guerrillamail.org guerrillamailblock.com gustr.com harakirimail.com inboxbear.com inboxkitten.com
incognitomail.org jetable.org jourrapide.com laafd.com linshiyouxiang.net lroid.com
mail-temporaire.fr mail7.io mailcatch.com maildrop.cc maildu.de mailexpire.com mailforspam.com
mailinator.com mailinator.net mailinator.org mailinator2.com mailmoat.com mailnesia.com mailnull.com
mailpoof.com mailsac.com mailtemp.info meltmail.com mintemail.com minuteinbox.com moakt.com
mohmal.com muellmail.com mvrht.net mytemp.email mytrashmail.com nada.email notmailinator.com
nwytg.net pokemail.net reallymymail.com rhyta.com rteet.com sharklasers.com smailpro.com snapmail.cc
spam4.me spamavert.com spambog.com spambog.de spambox.us spamdecoy.net spamex.com spamfree24.org
spamgourmet.com spamhole.com spaml.de superrito.com tafmail.com teleworm.us temp-mail.com
temp-mail.io temp-mail.org temp-mail.ru tempail.com tempemail.co tempinbox.com tempmail.com
tempmail.dev tempmail.io tempmail.net tempmail.plus tempmailo.com tempr.email tempsky.com
throwam.com throwawaymail.com tmail.io tmpmail.net tmpmail.org trash-mail.com trash-mail.de
trashmail.com trashmail.de trashmail.io trashmail.me trashmail.net trashmail.ws trbvm.com vomoto.com
wegwerfemail.de wegwerfmail.de wegwerfmail.net wegwerfmail.org wwjmp.com xojxe.com yoggm.com
yopmail.com yopmail.fr yopmail.net zetmail.com
"""
"""After https://github.com/disposable-email-domains/disposable-email-domains."""

_FREE = frozenset(f"{_PROVIDERS} {_RELAYS} {_DISPOSABLE}".split())
_FREE_BELOW = frozenset(f"{_RELAYS} {_DISPOSABLE}".split())
"""They give away subdomains too: ``ada.anonaddy.com``."""

_MOST_LABELS = 4


def is_free_mailbox(domain: str) -> bool:
    """Whether anyone can have an address at this domain, which is in small letters."""
    if domain in _FREE:
        return True
    labels = domain.rsplit(".", _MOST_LABELS)
    return any(".".join(labels[-count:]) in _FREE_BELOW for count in range(2, _MOST_LABELS + 1))
