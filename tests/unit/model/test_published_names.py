"""Published names mean what ours mean, however they are spelt, and the page shows them all."""

import re
from pathlib import Path

import pytest

from builders import an_event
from warmlead.domain.event import Event, Property, Trust
from warmlead.domain.event_names import (
    PROPERTIES,
    SAID_BY_NAME,
    VOCABULARIES,
    in_our_words,
    our_name,
)
from warmlead.model.loading import check, load, ready_model, ready_names
from warmlead.model.vocabulary import PASSIVE_EVENTS, STANDARD_EVENTS, STANDARD_PROPERTIES
from warmlead.senders.person import event_name, field_name

PAGE = (Path(__file__).parents[3] / "docs/vocabularies.md").read_text(encoding="utf-8")
TABLE = [
    (ours, published)
    for names in VOCABULARIES.values()
    for ours, written in names.items()
    for published in written.split()
]


def named(name: str, /, **properties: Property) -> Event:
    return posted(name, Trust.PUBLIC, properties)


def posted(name: str, trust: Trust, properties: dict[str, Property]) -> Event:
    return in_our_words(an_event(name=event_name(name), trust=trust, properties=properties))


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("Unsubscribed", "email_unsubscribed"),
        ("Email Marked as Spam", "email_marked_spam"),
        ("email marked as spam", "email_marked_spam"),
        ("EmailMarkedAsSpam", "email_marked_spam"),
        ("email-marked-as-spam", "email_marked_spam"),
        ("emailUnSubscribe", "email_unsubscribed"),  # Iterable
        ("email_spammed", "email_marked_spam"),  # Customer.io
        ("customer_unsubscribed", "email_unsubscribed"),
        ("Unsubscribed from List", "email_unsubscribed"),  # Klaviyo
        ("Bounced Email", "email_bounced"),
        ("group_resubscribe", "email_subscribed"),  # SendGrid
        ("Email Link Clicked", "email_clicked"),
        ("Live Chat Conversation Started", "chat_started"),
        ("Live Chat Message Sent", "chat_message_sent"),
        ("Video Content Completed", "video_watched"),
        ("Signed Up", "signed_up"),
        ("Account Created", "signed_up"),
        ("Signed In", "logged_in"),
        ("Invite Sent", "teammate_invited"),
        ("Product Added to Wishlist", "product_added_to_wishlist"),
        ("Application Opened", "app_opened"),
        ("Subscribed", "subscribed"),  # a paid plan, as likely as not
        ("Page Viewed", "page_viewed"),
        ("Something of Our Own", "something_of_our_own"),
    ],
)
def test_a_published_name_is_kept_as_ours(written: str, ours: str) -> None:
    assert named(written).name == ours


@pytest.mark.parametrize(
    "written",
    [
        *("unsub", "Unsubscribed From All", "Unsubscribed from all emails", "Global Unsubscribed"),
        *("Opt Out", "opt-out", "optout", "one_click_unsubscribe", "Unsubscribed from Email List"),
        *("Email Unsubscribed (One-Click)", "Email Unsubscribed From Group", "Mail Unsubscribed"),
        *("users.messages.email.Unsubscribe", "emailUnSubscribe", "Consent Revoked"),
        *("Marketing Consent Withdrawn", "Newsletter Subscription Cancelled", "Opted Out of All"),
        *("unsubscribe_form_submitted", "Newsletter Opt-In Withdrawn", "activity.unsubscribed"),
        *("Unsubscribed from Email and SMS", "Newsletter abbestellt", "contact.email.unsubscribed"),
        *(
            "Email Permission Revoked",
            "Unsubscribed and Removed",
            "Marketing Unsubscribe Requested",
        ),
    ],
)
def test_a_name_with_the_words_of_an_unsubscription_is_one(written: str) -> None:
    assert named(written).name == "email_unsubscribed"


@pytest.mark.parametrize(
    "written",
    [
        *("complained", "complaint", "spam", "users.messages.email.MarkAsSpam", "Abuse"),
        *("activity.spam_complaint", "Email Complaint Filed", "Message Marked as Spam", "junk"),
    ],
)
def test_a_name_with_the_words_of_a_complaint_is_one(written: str) -> None:
    assert named(written).name == "email_marked_spam"


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("users.messages.email.Bounce", "email_bounced"),
        ("users.messages.email.SoftBounce", "email_bounced"),
        ("users.messages.pushnotification.Bounce", "users_messages_pushnotification_bounce"),
        ("users.messages.email.Delivery", "users_messages_email_delivery"),  # it would lift
        ("message.email.subscribed", "message_email_subscribed"),
    ],
)
def test_a_vendors_prefix_is_dropped_if_no_refusal_is_lifted_by_it(written: str, ours: str) -> None:
    assert named(written).name == ours


@pytest.mark.parametrize(
    "written",
    [
        *(
            "SMS Unsubscribed",
            "Push Opt Out",
            "users.messages.sms.Unsubscribe",
            "Web Push Unsubscribe",
        ),
        *("Unsubscribe Link Clicked", "Unsubscribe Page Viewed", "Not Spam", "Spam Filtered"),
        *("Cookie Consent Declined", "Subscription Cancelled", "Permission Denied", "Opt In"),
        *(
            "Opted Out of Tracking",
            "Complaint Submitted",
            "Unsubscribe Undone",
            "Unsubscribe Failed",
        ),
        *("Consent Given", "Opt-Out Revoked", "WhatsApp Opted Out", "Plan Unsubscribed"),
    ],
)
def test_a_similar_name_with_another_meaning_stays(written: str) -> None:
    assert named(written).name == event_name(written)


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("Email Opened", {"email_subject": "Hi", "campaign_name": "May"},
         {"subject": "Hi", "campaign": "May"}),
        ("Email Link Clicked", {"link_url": "https://a.example/"}, {"url": "https://a.example/"}),
        ("Unsubscribed", {"list_name": "News", "list_id": "7"}, {"mailing_list": "News"}),
        ("Unsubscribed", {"list_id": "7"}, {"mailing_list": "7"}),
        ("Unsubscribed", {"list_id": "7", "mailing_list": "own"}, {"mailing_list": "own"}),
        ("Email Bounced", {"bounce_type": "Transient"}, {"kind": "Transient"}),
        ("Email Soft Bounced", {}, {"kind": "soft"}),
        ("hard_bounce", {}, {"kind": "hard"}),
        ("Video Content Completed", {"title": "Tour", "total_length": 90},
         {"video": "Tour", "seconds": 90, "percent": 100}),
        ("Product Viewed", {"name": "Bag", "product_id": "9"}, {"product": "Bag"}),
        ("Order Completed", {"order_id": "o1"}, {"order": "o1"}),
        ("Trial Started", {"trial_plan_name": "pro"}, {"plan": "pro"}),
    ],
)  # fmt: skip
def test_their_properties_are_kept_and_ours_are_there_besides(
    name: str, theirs: dict[str, Property], ours: dict[str, Property]
) -> None:
    assert named(name, **theirs).properties == theirs | ours


@pytest.mark.parametrize(
    ("properties", "ours"),
    [
        ({"type": "unsubscribe", "list_id": "7"}, "email_unsubscribed"),  # Mailchimp
        ({"event": "group_unsubscribe"}, "email_unsubscribed"),  # SendGrid
        ({"event": "spamreport"}, "email_marked_spam"),
        ({"event_type": "Spam Complaint"}, "email_marked_spam"),
        ({"event": "unsub"}, "email_unsubscribed"),  # Mailjet, Mandrill
        ({"eventName": "emailUnSubscribe"}, "email_unsubscribed"),  # Iterable
        ({"metric": "unsubscribed"}, "email_unsubscribed"),  # Customer.io
        ({"record_type": "SpamComplaint"}, "email_marked_spam"),  # Postmark
        ({"notificationType": "Complaint"}, "email_marked_spam"),  # Amazon SES
        ({"event_data_event": "unsubscribed"}, "email_unsubscribed"),  # Mailgun
        ({"topic": "user.unsubscribed"}, "email_unsubscribed"),
        ({"status": "unsubscribed"}, "email_unsubscribed"),
        ({"metric": "unsubscribed", "object_type": "sms"}, "form_submitted"),
        ({"type": "Complaint"}, "form_submitted"),  # of a customer
        ({"type": "subscribe"}, "form_submitted"),
        ({"type": "subscribed_to_list"}, "form_submitted"),
        ({"event": "delivered", "type": 5}, "form_submitted"),
        ({"message": "unsubscribe"}, "form_submitted"),
        ({"type": "unsubscribe" * 40}, "form_submitted"),
    ],
)
def test_a_refusal_that_a_mail_tool_posts_to_a_form_counts(
    properties: dict[str, Property], ours: str
) -> None:
    properties = {field_name(field): value for field, value in properties.items()}
    assert named("Form Submitted", **properties).name == ours
    assert named("Page Viewed", **properties).name == "page_viewed"
    subscribed = named("Newsletter Subscribed", **properties).name
    assert subscribed == (ours if ours != "form_submitted" else "newsletter_subscribed")


@pytest.mark.parametrize(
    ("properties", "ours"),
    [
        ({"event": "bounce", "type": "bounce", "status": "5.1.1"}, "email_bounced"),  # SendGrid
        ({"event": "delivered"}, "email_delivered"),
        ({"event": "open"}, "email_opened"),
        ({"event": "click"}, "email_clicked"),
        ({"event": "dropped", "reason": "Bounced Address"}, "email_dropped"),
        ({"record_type": "Bounce", "type": "HardBounce"}, "email_bounced"),  # Postmark
        ({"type": "email.bounced"}, "email_bounced"),  # Resend
        ({"metric": "bounced", "object_type": "email"}, "email_bounced"),
        ({"metric": "bounced", "object_type": "push"}, "form_submitted"),
        ({"type": "delivery"}, "form_submitted"),  # or pick-up
        ({"status": "open"}, "form_submitted"),
        ({"event": "email_subscribed"}, "form_submitted"),  # it would lift
        ({"event": "signed_up"}, "form_submitted"),
    ],
)
def test_any_consent_event_that_a_signed_mail_tool_posts_to_a_form_counts(
    properties: dict[str, Property], ours: str
) -> None:
    once = posted("form_submitted", Trust.SIGNED, properties)
    assert once.name == ours
    assert in_our_words(once) == once
    assert posted("form_submitted", Trust.PUBLIC, properties).name == "form_submitted"


@pytest.mark.parametrize(("ours", "published"), TABLE)
def test_the_table_maps_to_standard_events_and_is_idempotent(ours: str, published: str) -> None:
    assert ours in STANDARD_EVENTS
    assert our_name(published) == our_name(ours) == ours
    once = named(published, name="n", bounce_type="soft")
    assert in_our_words(once) == once


def test_our_properties_in_the_table_are_standard_ones() -> None:
    pairs = [pair.split(":") for written in PROPERTIES.values() for pair in written.split()]
    said = [name for constant in SAID_BY_NAME.values() for name in constant]
    assert {own for own, _ in pairs} | {*said} <= STANDARD_PROPERTIES.keys()


def test_no_standard_event_becomes_another() -> None:
    assert [name for name in STANDARD_EVENTS if our_name(name) != name] == []


def test_no_vendors_name_becomes_a_statement_of_sales() -> None:
    assert [ours for ours, _ in TABLE if ours.startswith("sales_")] == []


def test_the_page_shows_the_table() -> None:
    rows = {
        ours: (re.findall(r"`(\w+)`", published), properties)
        for ours, published, properties in re.findall(
            r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE
        )
    }
    shown = [(ours, published) for ours, (names, _) in rows.items() for published in names]
    assert shown == TABLE
    for ours, (_, properties) in rows.items():
        pairs = [pair.split(":") for pair in PROPERTIES.get(ours, "").split()]
        assert {name for pair in pairs for name in pair} <= set(re.findall(r"`(\w+)", properties))


def test_vendors_names_for_passive_events_become_our_passive_names() -> None:
    unmeant = {"email_delivered", "email_bounced", "email_dropped", "email_marked_spam"}
    assert unmeant | {"email_unsubscribed", "chat_message_received"} <= PASSIVE_EVENTS


MODEL = """\
signals:
  clicked: {on: email_link_clicked, points: 10, half_life: 30d}
inactivity: {after: 14d, lose: 10%, every: 7d, passive: [unsubscribed]}
stages:
  mql: {enter: score >= 10 && last_30d.email_link_clicked >= 1, leave: score < 5}
"""


def test_a_model_that_uses_a_vendors_name_works_and_is_told_our_name() -> None:
    model = load(MODEL, name="a model")
    assert model.rules.classify(named("Email Link Clicked")) == ("clicked",)
    assert model.rules.classify(named("Email Clicked")) == ("clicked",)
    assert model.rules.kept_as == {"email_link_clicked": "email_clicked"}
    assert model.rules.scoring.passive == {"email_unsubscribed"}
    (doubt,) = check(MODEL)
    assert (doubt.line, doubt.suggestion) == (2, "write email_clicked")


@pytest.mark.parametrize("name", ready_names())
def test_the_ready_made_models_name_our_names(name: str) -> None:
    signals = ready_model(name).plan.signals.values()
    assert ready_model(name).rules.kept_as == {}
    assert {our_name(event) for signal in signals for event in signal.on} == {
        event for signal in signals for event in signal.on
    }


@pytest.mark.parametrize(
    ("model", "name", "properties"),
    [
        ("b2b-saas", "Signed Up", {}),
        ("b2b-saas", "Account Created", {}),
        ("b2b-saas", "Email Link Clicked", {}),
        ("b2b-saas", "Live Chat Conversation Started", {}),
        ("b2b-saas", "Video Content Completed", {}),
        ("product-led", "Signed In", {}),
        ("product-led", "Invite Sent", {}),
        ("ecommerce", "Product Added to Wishlist", {}),
        ("ecommerce", "Coupon Applied", {}),
    ],
)
def test_published_names_are_worth_points_under_the_ready_made_models(
    model: str, name: str, properties: dict[str, Property]
) -> None:
    rules = ready_model(model).rules
    signals = rules.classify(named(name, **properties))
    assert sum(rules.scoring.signals[signal].points for signal in signals) > 0


def test_vendors_kinds_of_bounces_are_not_event_names() -> None:
    bounce = an_event(
        name="form_submitted",
        trust=Trust.SIGNED,
        traits={"name": "Hard bounce", "city": "London"},
        properties={"record_type": "Bounce", "type": "HardBounce"},
    )
    assert in_our_words(bounce).traits == {"city": "London"}
    assert in_our_words(bounce).name == "email_bounced"
