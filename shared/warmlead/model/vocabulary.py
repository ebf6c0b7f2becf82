"""The words that a condition may use: standard traits, events, their properties, and types.

A model adds its own traits and properties. What an event is worth is not said here.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from warmlead.domain.event import AUTOMATED_EVENTS
from warmlead.domain.lifecycle import BUILT_IN_STAGES


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
        lead_source lifecycle_stage
    """,
    integer="employees annual_revenue founded seats",
    boolean="free_mailbox consent",
    list="tags interests technologies",
)
"""What may be known of a person or of the company, whoever says it."""

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

EVENT_FACTS = _typed(string="name source trust")
"""What a signal may ask of any event; properties of these names are hidden by them."""

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
        "calculator_used": "tool path",
        # forms and content
        "form_started": "form path",
        "form_submitted": "form path",
        "newsletter_subscribed": "mailing_list",
        "content_downloaded": "kind content topic url",
        "survey_answered": "survey rating",
        # webinars and events
        "webinar_registered": "webinar topic",
        "webinar_attended": "webinar topic minutes",
        "webinar_missed": "webinar topic",
        "event_registered": "conference",
        "event_attended": "conference",
        # asking for sales
        "demo_requested": "product form",
        "contact_requested": "topic form",
        "quote_requested": "product amount",
        "trial_requested": "product plan form",
        "meeting_booked": "meeting minutes",
        "meeting_held": "meeting minutes",
        "meeting_cancelled": "meeting",
        "call_answered": "minutes",
        # chat
        "chat_started": "channel path",
        "chat_message_sent": "channel",
        "chat_message_received": "channel",
        "chat_ended": "channel",
        "chat_rated": "rating",
        # email
        "email_delivered": "campaign subject",
        "email_opened": "campaign subject",
        "email_clicked": "campaign subject url",
        "email_replied": "campaign subject",
        "email_bounced": "campaign kind",
        "email_dropped": "campaign",
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
        "subscription_cancelled": "plan reason",
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
        ),
    }
)
"""The properties that a signal may ask for without declaring them."""

ENUMERATED = frozenset(
    # properties
    {"kind", "channel", "method", "platform", "interval", "plan", "reason", "currency"}
    # traits
    | {"industry", "department", "seniority", "lead_source", "lifecycle_stage"}
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
        "webinar_missed",
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
