"""Names of events in the published vocabularies, and the names that Warmlead uses for them."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct, structs

from warmlead.domain.consent_fields import without_groups
from warmlead.domain.event import Event, Property, Trust, snake_case

_PAIRS = {
    **dict.fromkeys((("un", "subscribe"), ("un", "subscribed")), "unsubscribed"),
    **dict.fromkeys((("opt", "out"), ("opts", "out"), ("opting", "out")), "optout"),
    ("opted", "out"): "optedout",
    ("whats", "app"): "whatsapp",
    **dict.fromkeys((("opt", "in"), ("opted", "in")), "optin"),
    **dict.fromkeys((("one", "click"), ("1", "click")), "oneclick"),
}
"""Two words that make one."""

_UNSUBSCRIBED = """
    unsubscribe unsubscribed unsubscribes unsubscribing unsubscription unsub unsubs unsubbed optout
    optouts optedout desabonnement desabonne desinscription desinscrit abbestellt abbestellung
    disiscritto disiscrizione descadastrado descadastro
"""
_SAID = "unsubscribed unsub unsubbed optedout"
"""States in which the person is, whatever ended."""

_SPAM = "spam spammed spamreport spamreported spamcomplaint junk"
_COMPLAINED = "complaint complaints complained abuse"
_TOLD_TO_SUPPORT = (
    "submitted filed lodged closed resolved ticket case support service product order"
)
_AGREEMENT = "consent optin"
_OF_MAIL = "email emails mail mails newsletter newsletters mailing marketing digest"
_ENDED = """
    revoked revoke withdrawn withdraw withdrew cancelled canceled cancel removed denied declined
    refused rejected retracted ended stopped
"""
_OTHERWISE = """
    page pages clicked click clicks viewed view visited visit opened open shown seen loaded button
    started abandoned survey not never undo undone reverted resubscribe resubscribed failed failure
    error filter filtered detected check score blocked prevented trap folder comment review post
"""
"""Words with which a name means something else than the refusal itself."""

_ELSEWHERE = """
    sms mms push pushnotification text texts whatsapp viber messenger telegram line call calls
    phone notification notifications webpush slack cookie cookies tracking analytics ads ad sale
    beta experiment plan premium thread channel location camera
"""
"""Words for things that a person may refuse besides mail; they count only if mail is named too."""

_VENDORS = "users messages message activity events event track webhook webhooks data type"
"""Words with which vendors begin the names of all of their events."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SETS = {
    name: _set(words)
    for name, words in {
        "unsubscribed": _UNSUBSCRIBED,
        "said": _SAID,
        "spam": _SPAM,
        "complained": _COMPLAINED,
        "told_to_support": _TOLD_TO_SUPPORT,
        "agreement": _AGREEMENT,
        "mail": _OF_MAIL,
        "ended": _ENDED,
        "otherwise": _OTHERWISE,
        "elsewhere": _ELSEWHERE,
        "vendors": _VENDORS,
    }.items()
}


@lru_cache(maxsize=1_024)
def refusal_named(name: str) -> str | None:
    """The refusal that a snake_case name means, as our event's name; ``None`` for none."""
    words = _joined(name.split("_"))
    of_mail = _has(words, "mail")
    if _has(words, "otherwise") or (_has(words, "elsewhere") and not of_mail):
        return None
    if _has(words, "spam"):
        return "email_marked_spam"
    if _has(words, "complained") and (of_mail or not _has(words, "told_to_support")):
        return "email_marked_spam"
    return "email_unsubscribed" if _unsubscribed(words, of_mail=of_mail) else None


def _unsubscribed(words: frozenset[str], *, of_mail: bool) -> bool:
    if not _has(words, "ended"):
        return _has(words, "unsubscribed")
    agreed = _has(words, "agreement") or (of_mail and bool(words & {"subscription", "permission"}))
    return agreed or _has(words, "said")


def _has(words: frozenset[str], kind: str) -> bool:
    return not words.isdisjoint(_SETS[kind])


def without_vendor(name: str) -> str:
    """A snake_case name without the prefix of all names of a vendor.

    ``users.messages.email.Bounce`` is ``email_bounce``.
    """
    words = name.split("_")
    first = next((at for at, word in enumerate(words) if word not in _SETS["vendors"]), 0)
    return "_".join(words[first:])


def is_elsewhere(name: str) -> bool:
    """Whether a channel of this snake_case name is another than mail."""
    words = _joined(name.split("_"))
    return name == "in_app" or (_has(words, "elsewhere") and not _has(words, "mail"))


def _joined(words: list[str]) -> frozenset[str]:
    """The words, with those that make one together in its place."""
    joined: list[str] = []
    for word in words:
        pair = _PAIRS.get((joined[-1], word)) if joined else None
        if pair:
            joined[-1] = pair
        else:
            joined.append(word)
    return frozenset(joined)


_PUBLISHED_OF_MAIL = """
    campaign:campaign_name campaign:campaign_id campaign:broadcast_name
    subject:email_subject url:link_url url:href
    mailing_list:list_name mailing_list:list_id
"""
_OF_BOUNCE = f"{_PUBLISHED_OF_MAIL} kind:bounce_type kind:bounce_kind kind:bounce_class"
_OF_PRODUCT = "product:name product:product_name product:product_id"
_OF_FORM = "form:form_name form:form_id"
_OF_ORDER = "order:order_id order:transaction_id total:value"
_OF_TRIAL = "plan:trial_plan_name plan:plan_name"
_OF_VIDEO = """
    video:title video:video_title video:asset_id video:content_asset_id video:content_asset_ids
    seconds:total_length seconds:video_current_time percent:video_percent
"""

_E_MAIL = {
    "email_delivered": "email_delivered received_email email_received",
    "email_opened": "email_opened email_open opened_email",
    "email_clicked": """
        email_clicked email_link_clicked email_click clicked_email email_link_click
    """,
    "email_replied": "email_replied replied_to_email email_reply",
    "email_bounced": """
        email_bounced email_bounce bounced_email email_hard_bounced email_hard_bounce hard_bounce
        hard_bounced email_soft_bounced email_soft_bounce soft_bounce soft_bounced
    """,
    "email_dropped": "email_dropped dropped_email",
    "email_marked_spam": """
        email_marked_spam email_marked_as_spam marked_email_as_spam marked_as_spam email_spammed
        email_spam email_spam_reported email_spam_report email_spam_complaint email_complained
        email_complaint spam_complaint spam_report spam_reported reported_spam
        email_marked_as_junk
    """,
    "email_unsubscribed": """
        email_unsubscribed unsubscribed unsubscribe email_unsubscribe unsubscribed_from_list
        unsubscribed_from_email unsubscribed_from_emails unsubscribed_from_email_marketing
        unsubscribed_from_newsletter newsletter_unsubscribed newsletter_unsubscribe
        email_list_unsubscribed email_list_unsubscribe list_unsubscribed list_unsubscribe
        group_unsubscribe group_unsubscribed customer_unsubscribed contact_unsubscribed
        subscriber_unsubscribed user_unsubscribed marketing_unsubscribed opted_out email_opted_out
        email_opt_out opted_out_of_email do_not_email do_not_mail do_not_contact stop_emails
    """,
    "email_subscribed": """
        email_subscribed email_subscribe email_resubscribed email_resubscribe resubscribed
        resubscribe group_resubscribe group_resubscribed customer_subscribed
        subscribed_to_email_marketing subscribed_to_email subscribed_to_emails
        subscribed_to_list email_list_subscribed list_subscribed email_opted_in email_opt_in
    """,
    "newsletter_subscribed": """
        newsletter_subscribed subscribed_to_newsletter newsletter_subscribe
        newsletter_signed_up newsletter_signup
    """,
}
_WEBSITE = {
    "page_viewed": "page_view",
    "screen_viewed": "screen_view",
    "form_started": "form_start",
    "form_submitted": "form_submit",
    "file_downloaded": "file_download",
    "site_searched": "view_search_results",
}
_LIVE_CHAT = {
    "chat_started": "live_chat_conversation_started",
    "chat_message_sent": "live_chat_message_sent",
    "chat_message_received": "live_chat_message_received",
    "chat_ended": "live_chat_conversation_ended",
}
_VIDEO = {
    "video_started": "video_playback_started video_start",
    "video_watched": "video_content_completed video_complete",
}
_E_COMMERCE = {
    "product_viewed": "product_viewed view_item",
    "product_added": "product_added wishlist_product_added_to_cart add_to_cart",
    "product_removed": "product_removed remove_from_cart",
    "product_added_to_wishlist": "product_added_to_wishlist add_to_wishlist",
    "product_reviewed": "product_reviewed",
    "product_shared": "product_shared",
    "products_searched": "products_searched",
    "product_list_viewed": "product_list_viewed product_category_viewed view_item_list",
    "promotion_clicked": "promotion_clicked select_promotion",
    "cart_viewed": "cart_viewed view_cart",
    "checkout_started": "checkout_started begin_checkout",
    "coupon_applied": "coupon_applied",
    "order_completed": "order_completed purchase",
    "order_refunded": "order_refunded refund",
    "order_cancelled": "order_cancelled order_canceled",
}
_SAAS = {
    "signed_up": "signed_up account_created sign_up",
    "logged_in": "signed_in sign_in login",
    "trial_started": "trial_started",
    "trial_ended": "trial_ended",
    "teammate_invited": "invite_sent",
    "teammate_added": "account_added_user",
}
_MOBILE = {
    "app_installed": "application_installed",
    "app_opened": "application_opened",
}

VOCABULARIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "E-mail": _E_MAIL,
        "Website": _WEBSITE,
        "Live chat": _LIVE_CHAT,
        "Video": _VIDEO,
        "E-commerce": _E_COMMERCE,
        "B2B SaaS": _SAAS,
        "Mobile": _MOBILE,
    }
)
"""Our event name → the published ones, in snake_case, by the specification."""

PROPERTIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(_E_MAIL, _PUBLISHED_OF_MAIL),
        "email_bounced": _OF_BOUNCE,
        **dict.fromkeys(
            (
                *("product_viewed", "product_added", "product_removed", "product_shared"),
                *("product_added_to_wishlist", "product_reviewed"),
            ),
            _OF_PRODUCT,
        ),
        "product_list_viewed": "category:list_name category:list_id category:item_list_name",
        "promotion_clicked": "promotion:promotion_name promotion:name promotion:promotion_id",
        "page_viewed": "url:page_location title:page_title referrer:page_referrer",
        "screen_viewed": "screen:screen_name screen:firebase_screen",
        "form_started": _OF_FORM,
        "form_submitted": _OF_FORM,
        "file_downloaded": "url:link_url file:file_name",
        "site_searched": "query:search_term",
        "cart_viewed": "cart:cart_id",
        "checkout_started": "cart:cart_id cart:checkout_id cart:order_id value:total value:revenue",
        "coupon_applied": "coupon:coupon_name coupon:coupon_id",
        "order_completed": _OF_ORDER,
        "order_refunded": _OF_ORDER,
        "order_cancelled": _OF_ORDER,
        "trial_started": _OF_TRIAL,
        "trial_ended": _OF_TRIAL,
        "signed_up": "method:type",
        "teammate_invited": "invited:invites",
        "video_started": _OF_VIDEO,
        "video_watched": _OF_VIDEO,
    }
)
"""Our event name → pairs of our property and a published one; the first present one counts."""

SAID_BY_NAME: Mapping[str, Mapping[str, Property]] = MappingProxyType(
    {
        "email_hard_bounced": {"kind": "hard"},
        "email_hard_bounce": {"kind": "hard"},
        "hard_bounce": {"kind": "hard"},
        "hard_bounced": {"kind": "hard"},
        "email_soft_bounced": {"kind": "soft"},
        "email_soft_bounce": {"kind": "soft"},
        "soft_bounce": {"kind": "soft"},
        "soft_bounced": {"kind": "soft"},
        "video_content_completed": {"percent": 100},
        "video_complete": {"percent": 100},
    }
)
"""Published names whose difference from ours is a property."""


class _Meaning(Struct, frozen=True):
    name: str
    properties: tuple[tuple[str, str], ...]
    said: Mapping[str, Property]


def _squeezed(name: str) -> str:
    """The common form of all spellings of a name: ``EmailUnSubscribe``, ``email_unsubscribe``."""
    return name.replace("_", "")


def _meaning(ours: str, published: str) -> _Meaning:
    pairs = (pair.split(":") for pair in PROPERTIES.get(ours, "").split())
    return _Meaning(
        ours, tuple((own, theirs) for own, theirs in pairs), SAID_BY_NAME.get(published, {})
    )


_MEANINGS: Mapping[str, _Meaning] = MappingProxyType(
    {
        _squeezed(published): _meaning(ours, published)
        for names in VOCABULARIES.values()
        for ours, written in names.items()
        for published in written.split()
    }
)


_POSTED = frozenset({"form_submitted", "newsletter_subscribed", "email_subscribed"})
"""Names that a form's post may have although a mail tool reports something else in it."""

_EVENT_FIELDS = ("event", "eventtype", "eventname", "metric", "recordtype", "notificationtype")
"""Fields in which a mail tool names what happened, in one word (see ``without_groups``)."""

_KINDS = (*_EVENT_FIELDS, "type", "action", "topic", "status", "state")
_CHANNELS = ("objecttype", "channel", "medium", "channeltype")
_SUPPRESSING = frozenset(
    ("email_unsubscribed", "email_marked_spam", "email_bounced", "email_dropped")
)
_REFUSALS = frozenset({"email_unsubscribed", "email_marked_spam"})
_SHORT = {
    "email_delivered": "delivered delivery received",
    "email_opened": "open opened unique_opened first_opening first_open",
    "email_clicked": "click clicked",
    "email_replied": "reply replied",
    "email_bounced": "bounce bounced blocked hard_fail permanent_fail invalid_email",
    "email_dropped": "drop dropped rejected reject",
}
"""Short names of a mail tool, where everything is about mail."""

_MEANINGS_IN_SHORT = {
    _squeezed(short): _meaning(ours, short)
    for ours, written in _SHORT.items()
    for short in written.split()
}
MAX_KIND = 64
"""Characters of a field that are looked at as the name of what happened."""


def _meaning_of(name: str) -> _Meaning | None:
    """What a name means: by the table, else without its vendor's words, or by the words it has."""
    if found := _MEANINGS.get(_squeezed(name)):
        return found
    bare = _MEANINGS.get(_squeezed(without_vendor(name)))
    if bare is not None and bare.name in _SUPPRESSING:
        return bare
    refusal = refusal_named(name)
    return _MEANINGS[_squeezed(refusal)] if refusal else None


def _told_by_mail_tool(event: Event) -> _Meaning | None:
    """The event that a mail tool reports in a post to a form.

    A form has one event name for all posts. A refusal counts from anybody, everything else from
    signed senders.
    """
    said: dict[str, str] = {}
    for field, value in event.properties.items():
        if isinstance(value, str) and len(value) <= MAX_KIND:
            for bare in without_groups(field):
                said.setdefault(bare, snake_case(value))
    if any(is_elsewhere(said[channel]) for channel in _CHANNELS if channel in said):
        return None
    found = [_told_in(field, said[field], event.trust) for field in _KINDS if field in said]
    return next(filter(None, found), None)


def _told_in(field: str, name: str, trust: Trust) -> _Meaning | None:
    meaning = _meaning_of(name)
    if field in _EVENT_FIELDS and meaning is None:
        meaning = _MEANINGS_IN_SHORT.get(_squeezed(without_vendor(name)))
    if meaning is None or meaning.name in _POSTED:
        return None
    if meaning.name in _REFUSALS:
        # A form for customers may ask for the type of a complaint.
        is_plain = meaning.name == "email_marked_spam" and "complain" in name
        return None if is_plain and field not in _EVENT_FIELDS and "spam" not in name else meaning
    of_mail = meaning.name in _E_MAIL and field not in ("status", "state", "topic")
    return meaning if of_mail and trust is Trust.SIGNED else None


def our_name(name: str) -> str:
    """The name under which an event of this snake_case name is kept: ours, or the same."""
    meaning = _meaning_of(name)
    return meaning.name if meaning else name


def in_our_words(event: Event) -> Event:
    """The event under our name and with our properties besides its own; most are the same.

    Properties of our own names stay as they are, so a second call changes nothing.
    """
    meaning = _meaning_of(event.name)
    if event.name in _POSTED and (told := _told_by_mail_tool(event)):
        meaning = told
        if told.name != "email_unsubscribed" and "name" in event.traits:
            # Postmark calls a bounce so: "Hard bounce" is nobody's name.
            traits = {name: value for name, value in event.traits.items() if name != "name"}
            event = structs.replace(event, traits=traits)
    if meaning is None:
        return event
    properties = dict(event.properties)
    for own, theirs in meaning.properties:
        if own not in properties and theirs in properties:
            properties[own] = properties[theirs]
    for own, value in meaning.said.items():
        properties.setdefault(own, value)
    if event.name == meaning.name and properties == event.properties:
        return event
    return structs.replace(event, name=meaning.name, properties=properties)
